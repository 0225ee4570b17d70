/* Commands that do something. */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

static bool is_number(const char *s)
{
	return *s && strlen(s) < 19 && !s[strspn(s, "0123456789")];
}

json_t *command_number_or_text(const char *s)
{
	return is_number(s) ? json_integer(strtoll(s, NULL, 10))
			    : json_string(s);
}

/* -------------------------------------------------------------------- page */

static void page_done(const struct ctl *c, const json_t *reply)
{
	const char *state = json_string_value(json_object_get(reply, "state"));
	const char *cause = json_string_value(json_object_get(reply, "cause"));
	const char *warning =
		json_string_value(json_object_get(reply, "warning"));

	if (c->json) {
		command_json(reply);
		return;
	}
	printf("broadcast %lld is ",
	       (long long)json_integer_value(json_object_get(reply, "id")));
	text_print(stdout, state ? state : "on", false);
	if (cause) {
		fputs(": ", stdout);
		text_print(stdout, cause, false);
	}
	putchar('\n');
	if (warning) {
		fputs("tocsinctl: a tone sounds in its place: ", stderr);
		text_print(stderr, warning, false);
		fputc('\n', stderr);
	}
}

/** Fills the body from the arguments; NULL, or what is wrong with them. */
static const char *page_body(int argc, char **argv, json_t *body, json_t *zones)
{
	static const char *const options[] = {"message", "tone",     "text",
					      "voice",   "priority", "repeat"};
	const size_t n_options = sizeof(options) / sizeof(options[0]);
	const json_t *message, *tone, *text;
	bool names_only = false;

	for (int i = 1; i < argc; i++) {
		const char *value = NULL;
		size_t k;

		if (!strcmp(argv[i], "--") && !names_only) {
			names_only = true;
			continue;
		}
		if (names_only || *argv[i] != '-') {
			if (json_array_append_new(zones, json_string(argv[i])))
				return "a zone's name is no UTF-8";
			continue;
		}
		for (k = 0; k < n_options && !value; k++)
			value = command_option(argc, argv, &i, options[k]);
		if (!value)
			return "unknown option, or one without its value";
		k--;
		if (json_object_set_new(body, options[k],
					k < 4 ? json_string(value)
					      : command_number_or_text(value)))
			return "a value is no UTF-8";
	}
	if (!json_array_size(zones))
		return "name one zone or more";
	message = json_object_get(body, "message");
	tone = json_object_get(body, "tone");
	text = json_object_get(body, "text");
	if (!message + !text + !(tone && !text) != 2)
		return "give one of --message, --tone and --text; a tone may "
		       "stand before a text";
	return NULL;
}

enum ctl_exit act_page(const struct ctl *c, int argc, char **argv)
{
	json_t *body = json_object(), *zones = json_array(), *reply = NULL;
	const char *problem;
	enum ctl_exit code;

	json_object_set_new(body, "zones", zones);
	problem = page_body(argc, argv, body, zones);
	if (problem) {
		json_decref(body);
		return command_usage("page", problem);
	}
	code = client_call(c, "POST", "/broadcasts", body, &reply);
	if (code == CTL_DONE)
		page_done(c, reply);
	json_decref(reply);
	return code;
}

/* ------------------------------------------------------------------ others */

static void say_state(const char *name, const json_t *v)
{
	text_print(stdout, name, false);
	fputs(" is ", stdout);
	if (json_is_number(v)) {
		printf("%+.1f dB\n", json_number_value(v));
		return;
	}
	text_print(stdout,
		   json_is_string(v) ? json_string_value(v)
		   : json_is_true(v) ? "active"
				     : "inactive",
		   false);
	putchar('\n');
}

/** POST or DELETE on /WHAT/NAME[/VERB] and say what came of it: a member of
 *  the answer, or that it is done. */
static enum ctl_exit act(const struct ctl *c, const char *method,
			 const char *what, const char *name, const char *verb,
			 json_t *body, const char *said)
{
	char path[512];
	json_t *reply = NULL;
	enum ctl_exit code;

	snprintf(path, sizeof(path), "/%s/", what);
	if (!*name || !client_append(path, sizeof(path) - 16, name)) {
		json_decref(body);
		fputs("tocsinctl: the name is empty or too long\n", stderr);
		return CTL_USAGE;
	}
	if (verb) {
		strcat(path, "/");
		strcat(path, verb);
	}
	code = client_call(c, method, path, body, &reply);
	if (code == CTL_DONE && c->json && reply)
		command_json(reply);
	else if (code == CTL_DONE && !c->json && reply)
		say_state(name, json_object_get(reply, said));
	else if (code == CTL_DONE && !c->json)
		puts(said);
	json_decref(reply);
	return code;
}

enum ctl_exit act_stop(const struct ctl *c, int argc, char **argv)
{
	if (argc != 2 || !is_number(argv[1]))
		return command_usage("stop", "give the number of one "
					     "broadcast; `tocsinctl "
					     "broadcasts` shows them");
	return act(c, "DELETE", "broadcasts", argv[1], NULL, NULL, "stopped");
}

enum ctl_exit act_hangup(const struct ctl *c, int argc, char **argv)
{
	if (argc != 2 || !is_number(argv[1]))
		return command_usage("hangup", "give the number of one call; "
					       "`tocsinctl calls` shows them");
	return act(c, "POST", "calls", argv[1], "hangup", NULL, "ended");
}

enum ctl_exit act_alarm(const struct ctl *c, int argc, char **argv)
{
	if (argc != 2)
		return command_usage(argv[0], "give the name of one alarm");
	return act(c, "POST", "alarms", argv[1], argv[0], NULL, "state");
}

static void say_inhibited(const char *name, const json_t *reply)
{
	const char *until =
		json_string_value(json_object_get(reply, "inhibited_until"));

	text_print(stdout, name, false);
	fputs(" starts nothing until ", stdout);
	text_print(stdout, until ? until : "then", false);
	putchar('\n');
}

enum ctl_exit act_inhibit(const struct ctl *c, int argc, char **argv)
{
	const char *name = NULL, *key = NULL, *time = NULL;
	char path[512] = "/alarms/";
	json_t *reply = NULL;
	enum ctl_exit code;

	for (int i = 1; i < argc; i++) {
		const char *v = command_option(argc, argv, &i, "for");
		const char *u =
			v ? NULL : command_option(argc, argv, &i, "until");

		if ((v || u) && !key) {
			key = v ? "for" : "until";
			time = v ? v : u;
		} else if (!name && *argv[i] != '-') {
			name = argv[i];
		} else {
			return command_usage("inhibit", "unknown argument");
		}
	}
	if (!name || !*name || !time)
		return command_usage("inhibit",
				     "give an alarm and --for or --until with "
				     "a time");
	if (!client_append(path, sizeof(path) - 16, name))
		return command_usage("inhibit", "the name is too long");
	strcat(path, "/inhibit");
	code = client_call(c, "POST", path, json_pack("{s:s}", key, time),
			   &reply);
	if (code == CTL_DONE && c->json)
		command_json(reply);
	else if (code == CTL_DONE)
		say_inhibited(name, reply);
	json_decref(reply);
	return code;
}

enum ctl_exit act_volume(const struct ctl *c, int argc, char **argv)
{
	char *end = NULL;
	double db = argc == 3 ? strtod(argv[2], &end) : 0;

	if (argc != 3 || end == argv[2] || *end)
		return command_usage(argv[0], "give a zone and decibels");
	return act(c, "POST", "zones", argv[1], "volume",
		   json_pack("{s:f}", "db", db), "volume_db");
}

enum ctl_exit act_point(const struct ctl *c, int argc, char **argv)
{
	const bool pulse = argc > 3 && !strcmp(argv[2], "pulse");
	const char *time = NULL;
	char what[16];
	json_t *body;
	bool on;

	if (pulse) {
		int i = 3;

		time = command_option(argc, argv, &i, "for");
		if (!time || i + 1 != argc || strcmp(argv[0], "output"))
			return command_usage(argv[0],
					     "a pulse has --for and a time");
	} else if (argc != 3 ||
		   (strcmp(argv[2], "on") && strcmp(argv[2], "off"))) {
		return command_usage(argv[0], "give a name and on or off");
	}
	on = strcmp(argv[2], "off") != 0;
	snprintf(what, sizeof(what), "%ss", argv[0]);
	body = json_pack("{s:b}", "active", on);
	if (time)
		json_object_set_new(body, "for", json_string(time));
	return act(c, "POST", what, argv[1], NULL, body, "active");
}

enum ctl_exit act_reload(const struct ctl *c, int argc, char **argv)
{
	json_t *reply = NULL;
	enum ctl_exit code;

	(void)argv;
	if (argc > 1)
		return command_usage("reload", "takes no arguments");
	code = client_call(c, "POST", "/reload", NULL, &reply);
	if (code == CTL_DONE && c->json)
		command_json(reply);
	else if (code == CTL_DONE)
		puts("loading; `tocsinctl journal --type config.` says what "
		     "came of it");
	json_decref(reply);
	return code;
}

enum ctl_exit act_music(const struct ctl *c, int argc, char **argv)
{
	if (argc != 3 || (strcmp(argv[2], "start") && strcmp(argv[2], "stop") &&
			  strcmp(argv[2], "next")))
		return command_usage(argv[0],
				     "give a name and start, stop or next");
	return act(c, "POST", "music", argv[1], argv[2], NULL, "state");
}
