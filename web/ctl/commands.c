#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum ctl_exit usage(const char *command, const char *problem)
{
	for (const struct command *k = commands; k->name; k++)
		if (!strcmp(k->name, command)) {
			if (problem)
				fprintf(stderr, "tocsinctl %s: %s\n", command,
					problem);
			fprintf(problem ? stderr : stdout,
				"usage: tocsinctl %s%s%s\n  %s\n", k->name,
				*k->arguments ? " " : "", k->arguments,
				k->help);
		}
	return CTL_USAGE;
}

static void print_json(const json_t *o)
{
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
}

/** GET a list and print it. */
static enum ctl_exit list(const struct ctl *c, const char *command, int argc,
			  const char *path, const struct column *columns,
			  const char *none)
{
	json_t *rows = NULL;
	enum ctl_exit code;

	if (argc > 1)
		return usage(command, "takes no arguments");
	code = client_call(c, "GET", path, NULL, &rows);
	if (code == CTL_DONE) {
		if (c->json)
			print_json(rows);
		else if (json_array_size(rows))
			table_print(rows, columns);
		else
			puts(none);
	}
	json_decref(rows);
	return code;
}

static enum ctl_exit cmd_status(const struct ctl *c, int argc, char **argv)
{
	json_t *o = NULL, *worst;
	enum ctl_exit code;

	(void)argv;
	if (argc > 1)
		return usage("status", "takes no arguments");
	code = client_call(c, "GET", "/status", NULL, &o);
	if (code == CTL_DONE && c->json) {
		print_json(o);
	} else if (code == CTL_DONE) {
		table_object(o);
		worst = json_object_get(o, "worst_fault");
		if (json_is_object(worst)) {
			printf("%-16s ", "fault since");
			table_text(json_string_value(
				json_object_get(worst, "since")));
			putchar(' ');
			table_text(json_string_value(
				json_object_get(worst, "text")));
			putchar('\n');
		}
	}
	json_decref(o);
	return code;
}

static enum ctl_exit cmd_zones(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"ZONE", "name"},
		{"DIAL", "extension"},
		{"OUTPUTS", "outputs"},
		{"SOUNDS", "playing.what"},
		{"PRIORITY", "playing.priority"},
		{"BY", "playing.actor"},
		{"WAITING", "waiting"},
		{"LEVEL", "level_dbfs"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "zones", argc, "/zones", columns, "no zones");
}

static enum ctl_exit cmd_broadcasts(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"ID", "id"},
		{"WHAT", "what"},
		{"PRIORITY", "priority"},
		{"STATE", "state"},
		{"ZONES", "zones"},
		{"BY", "actor"},
		{"SINCE", "since"},
		{"CAUSE", "cause"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "broadcasts", argc, "/broadcasts", columns,
		    "nothing sounds or waits");
}

static enum ctl_exit cmd_alarms(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"ALARM", "name"},    {"STATE", "state"},
		{"SINCE", "since"},   {"BY", "actor"},
		{"INPUTS", "inputs"}, {"INHIBITED UNTIL", "inhibited_until"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "alarms", argc, "/alarms", columns, "no alarms");
}

static enum ctl_exit cmd_inputs(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"INPUT", "name"},    {"KIND", "kind"},
		{"ACTIVE", "active"}, {"QUALITY", "quality"},
		{"VALUE", "raw"},     {"CHANGED", "changed"},
		{"WHY", "why"},       {NULL, NULL},
	};

	(void)argv;
	return list(c, "inputs", argc, "/inputs", columns, "no inputs");
}

static enum ctl_exit cmd_outputs(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"OUTPUT", "name"},   {"KIND", "kind"}, {"ROLE", "role"},
		{"ACTIVE", "active"}, {NULL, NULL},
	};

	(void)argv;
	return list(c, "outputs", argc, "/outputs", columns, "no outputs");
}

static enum ctl_exit cmd_messages(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"MESSAGE", "name"},  {"MS", "duration_ms"},
		{"TONE", "tone"},     {"FILES", "files"},
		{"REPEAT", "repeat"}, {"FALLBACK", "fallback"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "messages", argc, "/messages", columns, "no messages");
}

static enum ctl_exit cmd_calls(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"ID", "id"},       {"CALLER", "caller"}, {"ZONE", "zone"},
		{"STATE", "state"}, {"SINCE", "since"},   {NULL, NULL},
	};

	(void)argv;
	return list(c, "calls", argc, "/calls", columns, "no calls");
}

static enum ctl_exit cmd_faults(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"FAULT", "fault"},   {"SINCE", "since"}, {"WHAT", "text"},
		{"REMEDY", "remedy"}, {NULL, NULL},
	};

	(void)argv;
	return list(c, "faults", argc, "/faults", columns, "no faults");
}

/* ------------------------------------------------------------------- doing */

static bool is_number(const char *s)
{
	return *s && !s[strspn(s, "0123456789")];
}

static json_t *number_or_text(const char *s)
{
	return is_number(s) ? json_integer(strtoll(s, NULL, 10))
			    : json_string(s);
}

static enum ctl_exit page_done(const struct ctl *c, json_t *reply)
{
	if (c->json)
		print_json(reply);
	else
		printf("broadcast %lld is %s\n",
		       (long long)json_integer_value(
			       json_object_get(reply, "id")),
		       json_string_value(json_object_get(reply, "state"))
			       ? json_string_value(
					 json_object_get(reply, "state"))
			       : "on");
	return CTL_DONE;
}

static enum ctl_exit cmd_page(const struct ctl *c, int argc, char **argv)
{
	static const char *const options[] = {"--message", "--tone",
					      "--priority", "--repeat", NULL};
	json_t *body = json_object(), *zones = json_array(), *reply = NULL;
	enum ctl_exit code;

	json_object_set_new(body, "zones", zones);
	for (int i = 1; i < argc; i++) {
		int k = 0;

		while (options[k] && strcmp(options[k], argv[i]))
			k++;
		if (!options[k] && *argv[i] == '-') {
			json_decref(body);
			return usage("page", "unknown option");
		}
		if (!options[k]) {
			json_array_append_new(zones, json_string(argv[i]));
			continue;
		}
		if (++i == argc) {
			json_decref(body);
			return usage("page", "the last option lacks its value");
		}
		json_object_set_new(body, options[k] + 2,
				    k < 2 ? json_string(argv[i])
					  : number_or_text(argv[i]));
	}
	if (!json_array_size(zones) || json_object_size(body) < 2) {
		json_decref(body);
		return usage("page", "name zones, and a message or a tone");
	}
	code = client_call(c, "POST", "/broadcasts", body, &reply);
	if (code == CTL_DONE)
		code = page_done(c, reply);
	json_decref(reply);
	return code;
}

/** POST or DELETE on /WHAT/NAME[/VERB] and say what came of it. */
static enum ctl_exit act(const struct ctl *c, const char *method,
			 const char *what, const char *name, const char *verb,
			 json_t *body, const char *member)
{
	char path[512];
	json_t *reply = NULL;
	enum ctl_exit code;

	snprintf(path, sizeof(path), "/%s/", what);
	if (!client_append(path, sizeof(path) - 16, name)) {
		json_decref(body);
		fprintf(stderr, "tocsinctl: the name is too long\n");
		return CTL_USAGE;
	}
	if (verb) {
		strcat(path, "/");
		strcat(path, verb);
	}
	code = client_call(c, method, path, body, &reply);
	if (code == CTL_DONE && c->json && reply) {
		print_json(reply);
	} else if (code == CTL_DONE && member && reply) {
		const json_t *v = json_object_get(reply, member);

		printf("%s is ", name);
		table_text(json_is_string(v) ? json_string_value(v)
			   : json_is_true(v) ? "active"
					     : "inactive");
		putchar('\n');
	}
	json_decref(reply);
	return code;
}

static enum ctl_exit cmd_stop(const struct ctl *c, int argc, char **argv)
{
	if (argc != 2 || !is_number(argv[1]))
		return usage("stop", "give the number of one broadcast");
	return act(c, "DELETE", "broadcasts", argv[1], NULL, NULL, NULL);
}

static enum ctl_exit cmd_hangup(const struct ctl *c, int argc, char **argv)
{
	if (argc != 2 || !is_number(argv[1]))
		return usage("hangup", "give the number of one call");
	return act(c, "POST", "calls", argv[1], "hangup", NULL, NULL);
}

static enum ctl_exit cmd_alarm(const struct ctl *c, int argc, char **argv)
{
	if (argc != 2)
		return usage(argv[0], "give the name of one alarm");
	return act(c, "POST", "alarms", argv[1], argv[0], NULL, "state");
}

static enum ctl_exit cmd_inhibit(const struct ctl *c, int argc, char **argv)
{
	if (argc != 4 || strcmp(argv[2], "--for"))
		return usage("inhibit", "give an alarm and --for with a time");
	return act(c, "POST", "alarms", argv[1], "inhibit",
		   json_pack("{s:s}", "for", argv[3]), "inhibited_until");
}

static enum ctl_exit cmd_point(const struct ctl *c, int argc, char **argv)
{
	char what[16];
	bool on;

	if (argc != 3 || (strcmp(argv[2], "on") && strcmp(argv[2], "off")))
		return usage(argv[0], "give a name and on or off");
	on = !strcmp(argv[2], "on");
	snprintf(what, sizeof(what), "%ss", argv[0]);
	return act(c, "POST", what, argv[1], NULL,
		   json_pack("{s:b}", "active", on), "active");
}

static enum ctl_exit cmd_reload(const struct ctl *c, int argc, char **argv)
{
	enum ctl_exit code;

	(void)argv;
	if (argc > 1)
		return usage("reload", "takes no arguments");
	code = client_call(c, "POST", "/reload", NULL, NULL);
	if (code == CTL_DONE)
		puts("loading; `tocsinctl journal` says what came of it");
	return code;
}

static enum ctl_exit cmd_config(const struct ctl *c, int argc, char **argv)
{
	json_t *o = NULL;
	enum ctl_exit code;

	(void)argv;
	if (argc > 1)
		return usage("config", "takes no arguments");
	code = client_call(c, "GET", "/config", NULL, &o);
	if (code == CTL_DONE && c->json)
		print_json(o);
	else if (code == CTL_DONE)
		table_text(json_string_value(json_object_get(o, "config")));
	json_decref(o);
	return code;
}

/* ------------------------------------------------------------------ looking */

static void on_event(const char *type, json_t *e, void *arg)
{
	const struct ctl *c = arg;

	if (c->json) {
		json_dumpf(e, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (!strcmp(type, "gap")) {
		puts("... events were missed; tocsinctl journal has them");
	} else {
		table_event(e);
	}
	fflush(stdout);
}

static enum ctl_exit cmd_watch(const struct ctl *c, int argc, char **argv)
{
	if (argc != 1 && !(argc == 3 && !strcmp(argv[1], "--type")))
		return usage("watch", "takes --type only");
	return client_follow(c, argc == 3 ? argv[2] : "", on_event, (void *)c);
}

static enum ctl_exit show_journal(const struct ctl *c, const char *path)
{
	json_t *rows = NULL;
	enum ctl_exit code = client_call(c, "GET", path, NULL, &rows);

	if (code == CTL_DONE && c->json) {
		print_json(rows);
	} else if (code == CTL_DONE) {
		/* Read newest first, shown as it happened. */
		for (size_t i = json_array_size(rows); i-- > 0;)
			table_event(json_array_get(rows, i));
	}
	json_decref(rows);
	return code;
}

static enum ctl_exit cmd_journal(const struct ctl *c, int argc, char **argv)
{
	char path[512] = "/journal?";
	const char *type = "";
	bool follow = false;
	enum ctl_exit code;

	for (int i = 1; i < argc; i++) {
		bool valued = !strcmp(argv[i], "--since") ||
			      !strcmp(argv[i], "--type") ||
			      !strcmp(argv[i], "--limit") ||
			      !strcmp(argv[i], "--subject");

		if (!strcmp(argv[i], "--follow")) {
			follow = true;
			continue;
		}
		if (!valued || i + 1 == argc)
			return usage("journal",
				     "unknown option or one without its value");
		if (!strcmp(argv[i], "--type"))
			type = argv[i + 1];
		strncat(path, argv[i] + 2, 16);
		strcat(path, "=");
		if (!client_append(path, sizeof(path) - 24, argv[++i]))
			return usage("journal", "a value is too long");
		strcat(path, "&");
	}
	code = show_journal(c, path);
	if (code == CTL_DONE && follow)
		code = client_follow(c, type, on_event, (void *)c);
	return code;
}

const struct command commands[] = {
	{"status", "", "what the controller is and how it fares", cmd_status},
	{"zones", "", "what sounds where, by whom", cmd_zones},
	{"broadcasts", "", "all that sounds or waits", cmd_broadcasts},
	{"page",
	 "ZONE... (--message NAME | --tone NAME) [--priority P] [--repeat N]",
	 "sound a message or a tone; P is a class or 0-255, N a count or "
	 "until-stopped",
	 cmd_page},
	{"stop", "ID", "end a broadcast", cmd_stop},
	{"alarms", "", "alarms and their states", cmd_alarms},
	{"trigger", "ALARM", "start an alarm by hand", cmd_alarm},
	{"ack", "ALARM", "acknowledge an alarm; it goes on", cmd_alarm},
	{"reset", "ALARM", "end an alarm whose cause is gone", cmd_alarm},
	{"inhibit", "ALARM --for TIME",
	 "let it start nothing for a time: 30m, 2h, 1d", cmd_inhibit},
	{"enable", "ALARM", "end an inhibition", cmd_alarm},
	{"inputs", "", "field inputs with their quality", cmd_inputs},
	{"input", "NAME on|off", "move a virtual input", cmd_point},
	{"outputs", "", "field outputs", cmd_outputs},
	{"output", "NAME on|off", "set a field output", cmd_point},
	{"messages", "", "messages of the library", cmd_messages},
	{"calls", "", "calls that are up", cmd_calls},
	{"hangup", "ID", "end a call", cmd_hangup},
	{"faults", "", "what would keep something from working", cmd_faults},
	{"journal",
	 "[--since TIME] [--type T] [--subject S] [--limit N] [--follow]",
	 "what happened, and why; T may be a prefix like alarm.", cmd_journal},
	{"watch", "[--type T]", "events as they happen, until Ctrl-C",
	 cmd_watch},
	{"reload", "", "load the configuration anew", cmd_reload},
	{"config", "", "the configuration in force", cmd_config},
	{NULL, NULL, NULL, NULL},
};
