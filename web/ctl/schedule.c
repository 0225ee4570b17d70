/* What sounds by the clock: shown, skipped, run. */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

enum ctl_exit schedule_next(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"TIME", "local"},        {"SCHEDULE", "schedule"},
		{"MESSAGE", "message"},   {"ZONES", "zones"},
		{"PRIORITY", "priority"}, {"", "verdict"},
		{"WHY", "why"},           {NULL, NULL},
	};
	const char *days = NULL, *date = NULL;
	char path[128] = "/schedules/next?";
	bool all = false;
	json_t *rows = NULL;
	enum ctl_exit code;

	for (int i = 1; i < argc; i++) {
		const char *v = command_option(argc, argv, &i, "days");

		if (v) {
			days = v;
			continue;
		}
		v = command_option(argc, argv, &i, "date");
		if (v)
			date = v;
		else if (!strcmp(argv[i], "--all"))
			all = true;
		else
			return command_usage("next", "unknown argument, or one "
						     "without its value");
	}
	if (days && date)
		return command_usage("next", "give either --days or --date");
	strcat(path, date ? "date=" : "days=");
	if (!client_append(path, 100, date ? date : days ? days : "7"))
		return command_usage("next", "the value is too long");
	if (all)
		strcat(path, "&all=true");
	code = client_call(c, "GET", path, NULL, &rows);
	if (code == CTL_DONE && c->json)
		command_json(rows);
	else if (code == CTL_DONE && json_array_size(rows))
		table_print(rows, columns);
	else if (code == CTL_DONE)
		puts("nothing");
	json_decref(rows);
	return code;
}

/** POST /schedules/NAME/VERB; NULL reply when it failed. */
static enum ctl_exit post(const struct ctl *c, const char *name,
			  const char *verb, json_t *body, json_t **reply)
{
	char path[512] = "/schedules/";

	if (!*name || !client_append(path, sizeof(path) - 16, name)) {
		json_decref(body);
		return command_usage(verb, "the name is empty or too long");
	}
	strcat(path, "/");
	strcat(path, verb);
	return client_call(c, "POST", path, body, reply);
}

enum ctl_exit schedule_skip(const struct ctl *c, int argc, char **argv)
{
	const char *name = NULL, *count = NULL, *until = NULL;
	json_t *body = json_object(), *reply = NULL;
	enum ctl_exit code;

	for (int i = 1; i < argc; i++) {
		const char *v = command_option(argc, argv, &i, "count");

		if (v) {
			count = v;
			continue;
		}
		v = command_option(argc, argv, &i, "until");
		if (v)
			until = v;
		else if (!name && *argv[i] != '-')
			name = argv[i];
		else
			name = "";
	}
	if (!name || !*name || (count && until) ||
	    (count &&
	     (!*count || strspn(count, "0123456789") != strlen(count) ||
	      strlen(count) > 6))) {
		json_decref(body);
		return command_usage("skip",
				     "give a schedule, and --count with a "
				     "number or --until with a time");
	}
	if (count)
		json_object_set_new(body, "count", json_integer(atol(count)));
	if (until)
		json_object_set_new(body, "until", json_string(until));
	code = post(c, name, "skip", body, &reply);
	if (code == CTL_DONE && c->json) {
		command_json(reply);
	} else if (code == CTL_DONE) {
		text_print(stdout, name, false);
		fputs(json_object_get(reply, "skipped_until")
			      ? " is silent up to "
			      : " skips nothing",
		      stdout);
		text_print(stdout, text_of(reply, "skipped_until"), false);
		fputs("; next: ", stdout);
		text_print(stdout,
			   *text_of(reply, "next_local")
				   ? text_of(reply, "next_local")
				   : "never",
			   false);
		putchar('\n');
	}
	json_decref(reply);
	return code;
}

enum ctl_exit schedule_run(const struct ctl *c, int argc, char **argv)
{
	json_t *reply = NULL;
	enum ctl_exit code;

	if (argc != 2)
		return command_usage("run", "give the name of one schedule");
	code = post(c, argv[1], "run", NULL, &reply);
	if (code == CTL_DONE && c->json)
		command_json(reply);
	else if (code == CTL_DONE)
		printf("broadcast %lld\n",
		       (long long)json_integer_value(
			       json_object_get(reply, "id")));
	json_decref(reply);
	return code;
}
