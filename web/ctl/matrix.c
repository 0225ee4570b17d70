/* Commands about the site's mode and walk tests. */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

static void say(const json_t *o, const char *member)
{
	const char *text = json_string_value(json_object_get(o, member));

	text_print(stdout, text ? text : "?", false);
}

static enum ctl_exit mode_show(const struct ctl *c)
{
	json_t *o = NULL;
	enum ctl_exit code = client_call(c, "GET", "/mode", NULL, &o);

	if (code == CTL_DONE && c->json)
		command_json(o);
	else if (code == CTL_DONE)
		table_object(o);
	json_decref(o);
	return code;
}

enum ctl_exit matrix_mode(const struct ctl *c, int argc, char **argv)
{
	json_t *body, *reply = NULL;
	const char *mode = NULL;
	enum ctl_exit code;

	if (argc == 1)
		return mode_show(c);
	body = json_object();
	for (int i = 1; i < argc; i++) {
		const char *v = command_option(argc, argv, &i, "for");
		const char *u =
			v ? NULL : command_option(argc, argv, &i, "until");

		if (v || u) {
			json_object_set_new(body, v ? "for" : "until",
					    json_string(v ? v : u));
		} else if (!mode && *argv[i] != '-') {
			mode = argv[i];
		} else {
			json_decref(body);
			return command_usage("mode", "unknown argument");
		}
	}
	if (!mode) {
		json_decref(body);
		return command_usage("mode", "name a mode, or auto");
	}
	json_object_set_new(body, "mode", json_string(mode));
	code = client_call(c, "POST", "/mode", body, &reply);
	if (code == CTL_DONE && c->json) {
		command_json(reply);
	} else if (code == CTL_DONE) {
		fputs("the site is in mode ", stdout);
		say(reply, "mode");
		if (json_object_get(reply, "until")) {
			fputs(" until ", stdout);
			say(reply, "until");
		}
		putchar('\n');
	}
	json_decref(reply);
	return code;
}

/* --------------------------------------------------------------- walk tests */

static enum ctl_exit walk_list(const struct ctl *c)
{
	static const struct column columns[] = {
		{"ID", "id"},         {"OF", "scope"},  {"STATE", "state"},
		{"TESTED", "tested"}, {"INPUTS", "of"}, {"MISSING", "missing"},
		{"UNTIL", "until"},   {"BY", "actor"},  {NULL, NULL},
	};
	json_t *rows = NULL;
	enum ctl_exit code = client_call(c, "GET", "/walk-tests", NULL, &rows);

	if (code == CTL_DONE && c->json)
		command_json(rows);
	else if (code == CTL_DONE && json_array_size(rows))
		table_print(rows, columns);
	else if (code == CTL_DONE)
		puts("no walk tests");
	json_decref(rows);
	return code;
}

static enum ctl_exit walk_one(const struct ctl *c, const char *method,
			      const char *id)
{
	static const struct column columns[] = {
		{"INPUT", "name"}, {"TESTED", "tested"}, {"TIMES", "times"},
		{"AT", "at"},      {NULL, NULL},
	};
	char path[128] = "/walk-tests/";
	json_t *o = NULL;
	enum ctl_exit code;

	if (!*id || strlen(id) > 18 || id[strspn(id, "0123456789")])
		return command_usage("walk-test",
				     "give the number of a walk test");
	strcat(path, id);
	code = client_call(c, method, path, NULL, &o);
	if (code == CTL_DONE && c->json) {
		command_json(o);
	} else if (code == CTL_DONE) {
		fputs("walk test of ", stdout);
		say(o, "scope");
		fputs(", ", stdout);
		say(o, "state");
		printf(": %lld of %lld inputs reacted\n",
		       (long long)json_integer_value(
			       json_object_get(o, "tested")),
		       (long long)json_integer_value(json_object_get(o, "of")));
		table_print(json_object_get(o, "inputs"), columns);
	}
	json_decref(o);
	return code;
}

/** Fills the body; NULL, or what is wrong with the arguments. */
static const char *walk_body(int argc, char **argv, json_t *body)
{
	static const char *const options[] = {
		"alarm", "zone", "for", "until", "message", "input", "sound"};
	json_t *inputs = json_array(), *zones = json_array();

	for (int i = 2; i < argc; i++) {
		const char *value = NULL;
		size_t k;

		for (k = 0; k < 7 && !value; k++)
			value = command_option(argc, argv, &i, options[k]);
		k--;
		if (!value)
			break;
		if (k < 5)
			json_object_set_new(body, options[k],
					    json_string(value));
		else
			json_array_append_new(k == 5 ? inputs : zones,
					      json_string(value));
		if (i + 1 == argc) {
			if (json_array_size(inputs))
				json_object_set(body, "inputs", inputs);
			if (json_array_size(zones))
				json_object_set(body, "zones", zones);
			json_decref(inputs);
			json_decref(zones);
			return NULL;
		}
	}
	json_decref(inputs);
	json_decref(zones);
	return "unknown option, or one without its value";
}

static enum ctl_exit walk_start(const struct ctl *c, int argc, char **argv)
{
	json_t *body = json_object(), *reply = NULL;
	const char *problem = walk_body(argc, argv, body);
	enum ctl_exit code;

	if (problem) {
		json_decref(body);
		return command_usage("walk-test", problem);
	}
	code = client_call(c, "POST", "/walk-tests", body, &reply);
	if (code == CTL_DONE && c->json) {
		command_json(reply);
	} else if (code == CTL_DONE) {
		printf("walk test %lld: %lld inputs raise no alarm until ",
		       (long long)json_integer_value(
			       json_object_get(reply, "id")),
		       (long long)json_integer_value(
			       json_object_get(reply, "of")));
		say(reply, "until");
		putchar('\n');
	}
	json_decref(reply);
	return code;
}

enum ctl_exit matrix_walk_test(const struct ctl *c, int argc, char **argv)
{
	if (argc == 1)
		return walk_list(c);
	if (!strcmp(argv[1], "start"))
		return walk_start(c, argc, argv);
	if (argc == 3 && !strcmp(argv[1], "stop"))
		return walk_one(c, "DELETE", argv[2]);
	if (argc == 3 && !strcmp(argv[1], "report"))
		return walk_one(c, "GET", argv[2]);
	return command_usage("walk-test", "unknown argument");
}
