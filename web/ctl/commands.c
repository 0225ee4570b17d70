/* The table of commands, and those that show something. */
#include "ctl.h"

#include "controller/base/scope.h"

#include <string.h>

enum ctl_exit command_usage(const char *command, const char *problem)
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

const char *command_option(int argc, char **argv, int *i, const char *name)
{
	const char *a = argv[*i];
	size_t n = strlen(name);

	if (strncmp(a, "--", 2) || strncmp(a + 2, name, n))
		return NULL;
	if (a[2 + n] == '=')
		return a + 3 + n;
	return !a[2 + n] && *i + 1 < argc ? argv[++*i] : NULL;
}

void command_json(const json_t *o)
{
	json_dumpf(o, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

enum ctl_exit command_list(const struct ctl *c, const char *path,
			   const struct column *columns, const char *none)
{
	json_t *rows = NULL;
	enum ctl_exit code = client_call(c, "GET", path, NULL, &rows);

	if (code == CTL_DONE) {
		if (c->json)
			command_json(rows);
		else if (json_array_size(rows))
			table_print(rows, columns);
		else
			puts(none);
	}
	json_decref(rows);
	return code;
}

/** The same for a command without arguments. */
static enum ctl_exit list(const struct ctl *c, const char *command, int argc,
			  const char *path, const struct column *columns,
			  const char *none)
{
	if (argc > 1)
		return command_usage(command, "takes no arguments");
	return command_list(c, path, columns, none);
}

static void show_worst(const json_t *fault)
{
	const char *since = json_string_value(json_object_get(fault, "since"));
	const char *text = json_string_value(json_object_get(fault, "text"));
	bool colour = text_colours();

	if (!text)
		return;
	fputs(colour ? "\033[31m" : "", stdout);
	fputs("worst fault     ", stdout);
	text_print(stdout, text, false);
	fputs(", since ", stdout);
	text_print(stdout, since ? since : "?", false);
	puts(colour ? "\033[0m" : "");
}

static enum ctl_exit cmd_status(const struct ctl *c, int argc, char **argv)
{
	json_t *o = NULL;
	enum ctl_exit code;

	(void)argv;
	if (argc > 1)
		return command_usage("status", "takes no arguments");
	code = client_call(c, "GET", "/status", NULL, &o);
	if (code == CTL_DONE && c->json) {
		command_json(o);
	} else if (code == CTL_DONE) {
		table_object(o);
		show_worst(json_object_get(o, "worst_fault"));
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
		{"VOLUME", "volume_db"},
		{"QUIET", "quiet.window"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "zones", argc, "/zones", columns, "no zones");
}

static enum ctl_exit cmd_interfaces(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"INTERFACE", "name"},
		{"OUTPUTS", "outputs"},
		{"HEARD BY", "hear_back"},
		{"JOINED", "groups_joined"},
		{"IGMP", "igmp.state"},
		{"QUERIER", "igmp.address"},
		{"VERSION", "igmp.version"},
		{"LAST QUERY", "igmp.last_s"},
		{"MLD", "mld.state"},
		{"QUERIER", "mld.address"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "interfaces", argc, "/interfaces", columns,
		    "no interface carries multicasts");
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
		{"ALARM", "name"},
		{"STATE", "state"},
		{"SINCE", "since"},
		{"BY", "actor"},
		{"WHEN", "when"},
		{"COUNTING", "counting"},
		{"INPUTS", "inputs"},
		{"PHASE", "phase.name"},
		{"INHIBITED UNTIL", "inhibited_until"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "alarms", argc, "/alarms", columns, "no alarms");
}

static enum ctl_exit cmd_outputs(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"OUTPUT", "name"},   {"KIND", "kind"}, {"ROLE", "role"},
		{"ACTIVE", "active"}, {"BY", "by"},     {"BEHIND", "behind"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "outputs", argc, "/outputs", columns, "no outputs");
}

static enum ctl_exit cmd_tones(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"TONE", "name"},  {"CYCLE", "cycle_ms"}, {"PEAK", "peak_dbfs"},
		{"WHAT", "title"}, {NULL, NULL},
	};

	(void)argv;
	return list(c, "tones", argc, "/tones", columns, "no tones");
}

static enum ctl_exit cmd_schedules(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"SCHEDULE", "name"},
		{"MESSAGE", "message"},
		{"ZONES", "zones"},
		{"PRIORITY", "priority"},
		{"NEXT", "next_local"},
		{"TIMEZONE", "timezone"},
		{"SKIPPED UNTIL", "skipped_until"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "schedules", argc, "/schedules", columns,
		    "no schedules");
}

static enum ctl_exit cmd_calendars(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"CALENDAR", "name"}, {"EVENTS", "events"},
		{"LOADED", "loaded"}, {"DAY TYPE", "day_type"},
		{"ICS", "ics"},       {"URL", "url"},
		{"ERROR", "error"},   {NULL, NULL},
	};

	(void)argv;
	return list(c, "calendars", argc, "/calendars", columns,
		    "no calendars");
}

static enum ctl_exit cmd_webhooks(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"WEBHOOK", "name"},  {"SCHEME", "scheme"},
		{"ALLOW", "allow"},   {"TAKEN", "taken"},
		{"STALE", "stale"},   {"REPEATED", "repeated"},
		{"TOO MANY", "rate"}, {"REFUSED", "refused"},
		{"LAST", "last"},     {NULL, NULL},
	};

	(void)argv;
	return list(c, "webhooks", argc, "/webhooks", columns, "no webhooks");
}

static enum ctl_exit cmd_notify(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"NOTIFY", "name"}, {"KIND", "kind"},
		{"SENT", "sent"},   {"WAITING", "waiting"},
		{"LOST", "lost"},   {"REFUSED", "refused"},
		{"LAST", "last"},   {"ERROR", "error"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "notify", argc, "/notify", columns, "nobody is told");
}

static enum ctl_exit cmd_summons(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"ABOUT", "about"},
		{"OPERATORS", "operators"},
		{"STATE", "state"},
		{"STAGE", "stage"},
		{"ROUND", "round"},
		{"TAKEN BY", "taken_by"},
		{"ON THE LINE", "talking"},
		{"SECONDS", "since_s"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "summons", argc, "/summons", columns,
		    "nobody is called");
}

static enum ctl_exit cmd_cap(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"FEED", "name"},       {"ACTIVE", "active"},
		{"PENDING", "pending"}, {"HEARD", "heard"},
		{"IGNORED", "ignored"}, {"ENDED", "ended"},
		{"LOOKED", "looked"},   {"FROM", "from"},
		{"ERROR", "error"},     {NULL, NULL},
	};

	(void)argv;
	return list(c, "cap", argc, "/cap", columns, "no public alerts");
}

static enum ctl_exit cmd_endpoints(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"ENDPOINT", "name"},   {"EXTENSION", "extension"},
		{"STATE", "state"},     {"FOR-S", "since_s"},
		{"CONTACT", "contact"}, {"SUPERVISED", "supervised"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "endpoints", argc, "/endpoints", columns,
		    "no endpoints");
}

static enum ctl_exit cmd_lamps(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"OF", "of"},           {"STATE", "state"},
		{"WATCHER", "watcher"}, {"ENDS-S", "expires_s"},
		{"VERSION", "version"}, {NULL, NULL},
	};

	(void)argv;
	return list(c, "lamps", argc, "/lamps", columns,
		    "nobody watches anything");
}

static enum ctl_exit cmd_accounts(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"ACCOUNT", "name"},     {"STATE", "state"},
		{"FOR-S", "since_s"},    {"REGISTRAR", "registrar"},
		{"NEXT-S", "next_s"},    {"ENDS-S", "expires_s"},
		{"LAST ERROR", "error"}, {NULL, NULL},
	};

	(void)argv;
	return list(c, "accounts", argc, "/accounts", columns, "no accounts");
}

static enum ctl_exit cmd_calls(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"ID", "id"},
		{"CALLER", "caller"},
		{"POINT", "point"},
		{"LOCATION", "location"},
		{"CODE", "code"},
		{"ZONE", "zone"},
		{"STATE", "state"},
		{"ENCRYPTED", "encrypted"},
		{"PLACE", "place"},
		{"WAITED-S", "waited_s"},
		{"OPERATOR", "operator"},
		{"SINCE", "since"},
		{NULL, NULL},
	};

	(void)argv;
	return list(c, "calls", argc, "/calls", columns, "no calls");
}

static enum ctl_exit cmd_music(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"MUSIC", "name"},        {"STATE", "state"},
		{"ZONES", "zones"},       {"PLAYING", "playing"},
		{"RESTARTS", "restarts"}, {NULL, NULL},
	};

	if (argc > 1)
		return act_music(c, argc, argv);
	return list(c, "music", argc, "/music", columns, "no music");
}

static enum ctl_exit cmd_sources(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"SOURCE", "name"}, {"LISTENS", "listens"}, {"CODEC", "codec"},
		{"STATE", "state"}, {"FROM", "from"},       {"ZONES", "zones"},
		{"SINCE", "since"}, {NULL, NULL},
	};

	(void)argv;
	return list(c, "sources", argc, "/sources", columns, "no sources");
}

static enum ctl_exit cmd_faults(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"FAULT", "fault"}, {"GRADE", "grade"},   {"SINCE", "since"},
		{"WHAT", "text"},   {"REMEDY", "remedy"}, {NULL, NULL},
	};

	(void)argv;
	return list(c, "faults", argc, "/faults", columns, "no faults");
}

static enum ctl_exit cmd_config(const struct ctl *c, int argc, char **argv)
{
	const char *text;
	json_t *o = NULL;
	enum ctl_exit code;

	(void)argv;
	if (argc > 1)
		return command_usage("config", "takes no arguments");
	code = client_call(c, "GET", "/config", NULL, &o);
	text = json_string_value(json_object_get(o, "config"));
	if (code == CTL_DONE && c->json)
		command_json(o);
	else if (code == CTL_DONE && text)
		text_print(stdout, text, true);
	json_decref(o);
	return code;
}

static enum ctl_exit cmd_heard(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"OUTPUT", "output"},
		{"SOUNDS", "sounding"},
		{"LEVEL", "level_dbfs"},
		{"CALL", "call.state"},
		{"HEARD", "heard.state"},
		{"BY", "heard.by"},
		{"LEVEL", "heard.level_dbfs"},
		{"SECONDS AGO", "heard.last_s"},
		{"OTHERS", "heard.foreign.address"},
		{NULL, NULL},
	};
	char path[512] = "/zones/";
	const json_t *rows;
	json_t *o = NULL;
	enum ctl_exit code;

	if (argc != 2 || !*argv[1] ||
	    !client_append(path, sizeof(path), argv[1]))
		return command_usage("heard", "takes the name of a zone");
	code = client_call(c, "GET", path, NULL, &o);
	rows = json_object_get(o, "sounds");
	if (code == CTL_DONE && c->json)
		command_json(rows);
	else if (code == CTL_DONE && json_array_size(rows))
		table_print(rows, columns);
	else if (code == CTL_DONE)
		puts("no outputs");
	json_decref(o);
	return code;
}

static enum ctl_exit cmd_tokens(const struct ctl *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"TOKEN", "name"},      {"SCOPES", "scopes"},
		{"ZONES", "zones"},     {"MESSAGES", "messages"},
		{"EXPIRES", "expires"}, {"USED", "used"},
		{"FROM", "from"},       {NULL, NULL},
	};

	return list(c, argv[0], argc, "/tokens", columns, "no tokens");
}

const struct command commands[] = {
	{"status", "", "what the controller is and how it fares", cmd_status},
	{"zones", "", "what sounds where, by whom", cmd_zones},
	{"heard", "ZONE", "what of it is heard where it leaves, and from whom",
	 cmd_heard},
	{"interfaces", "", "networks that carry multicasts, and their queriers",
	 cmd_interfaces},
	{"broadcasts", "", "all that sounds or waits", cmd_broadcasts},
	{"page",
	 "ZONE... (--message NAME | --tone NAME | --text WORDS) [--voice V] "
	 "[--priority P] [--repeat N]",
	 "sound a message, a tone or a spoken text; P is a class or 0-255, N a "
	 "count or until-stopped; a tone sounds before a text",
	 act_page},
	{"stop", "ID", "end a broadcast", act_stop},
	{"alarms", "", "alarms and their states", cmd_alarms},
	{"trigger", "ALARM", "start an alarm by hand", act_alarm},
	{"ack", "ALARM", "acknowledge an alarm; it goes on", act_alarm},
	{"reset", "ALARM", "end an alarm whose cause is gone", act_alarm},
	{"inhibit", "ALARM (--for TIME | --until TIME)",
	 "let it start nothing for a time: 30m, 2h, 1d, or up to a time in "
	 "UTC",
	 act_inhibit},
	{"enable", "ALARM", "end an inhibition", act_alarm},
	{"advance", "ALARM", "move a phased evacuation on", act_alarm},
	{"hold", "ALARM", "stop the time of its phase", act_alarm},
	{"release", "ALARM", "let the time of its phase go on", act_alarm},
	{"mode", "[MODE | auto] [--for TIME | --until TIME]",
	 "the site's mode; set it, auto leaves it to key switches and hours",
	 matrix_mode},
	{"walk-test",
	 "[start (--alarm A | --zone Z | --input I...) (--for TIME | --until "
	 "TIME) [--sound ZONE...] [--message M] | report ID | stop ID]",
	 "walk tests: their inputs raise no alarm, and are ticked off; with "
	 "--sound a tone or message answers there",
	 matrix_walk_test},
	{"inputs", "[--watch]",
	 "field inputs with value and quality; --watch shows them as they "
	 "change",
	 act_inputs},
	{"input", "NAME on|off", "move a virtual input", act_point},
	{"outputs", "", "field outputs", cmd_outputs},
	{"output", "NAME on|off|pulse [--for TIME]",
	 "set a field output; a pulse has a time, 1s to 1h", act_point},
	{"messages",
	 "[list | show NAME | upload NAME FILE [--if-match TAG] | versions "
	 "NAME | preview NAME -o FILE [--version N] | rollback NAME VERSION | "
	 "delete NAME]",
	 "messages of the library, and whether they are whole; upload sound "
	 "for one (WAV, FLAC, Ogg, MP3; 32 MB and 10 min at most), hear what "
	 "it sounds like, go back to a version, delete its uploads",
	 messages_do},
	{"tones", "", "tones there are", cmd_tones},
	{"sources", "", "streams of others that are listened to", cmd_sources},
	{"schedules", "", "what sounds by the clock, and when next",
	 cmd_schedules},
	{"next", "[--days N | --date YYYY-MM-DD] [--all]",
	 "the next bells; of a date also those that stay silent, and why",
	 schedule_next},
	{"skip", "SCHEDULE [--count N | --until TIME]",
	 "leave out its next bell, N of them (0: none any more), or all up to "
	 "a "
	 "time in UTC",
	 schedule_skip},
	{"run", "SCHEDULE", "sound a schedule's message now", schedule_run},
	{"schedule",
	 "[list | add MESSAGE ZONE... --at TIME [--priority P] [--for D] | "
	 "move SCHEDULE --from TIME --to TIME | day-type TYPE FIRST [LAST] | "
	 "delete ID]",
	 "one-off changes of the plan, which end by themselves; TIME is local "
	 "like 2026-12-24T10:00, or UTC with a Z; FIRST and LAST are dates",
	 schedule_change},
	{"calendars", "", "calendars and how fresh they are", cmd_calendars},
	{"volume", "ZONE DB",
	 "how loud a zone is over its configured gain, -40 to 12; never makes "
	 "emergencies softer",
	 act_volume},
	{"music", "[NAME start|stop|next]",
	 "background music; start it, stop it, go to the next file", cmd_music},
	{"webhooks", "", "webhooks, and what became of their requests",
	 cmd_webhooks},
	{"notify", "", "who is told of events, and whether it works",
	 cmd_notify},
	{"cap", "", "feeds of public alerts, and what became of them", cmd_cap},
	{"endpoints", "", "who registers here, and where they are",
	 cmd_endpoints},
	{"passwd", "USER",
	 "a user's line for the configuration, with the hash of the password "
	 "that is asked for; asks no daemon",
	 passwd_print},
	{"token",
	 "NAME --scope S... [--zone Z...] [--message M...] [--expires DATE]",
	 "a machine's section for the configuration, and on standard error its "
	 "token, this once; S is one of " SCOPE_NAMES "; asks no daemon",
	 token_make},
	{"tokens", "", "tokens there are, and when they were used", cmd_tokens},
	{"lamps", "", "which phones watch what, and what they see", cmd_lamps},
	{"accounts", "", "where we are registered, and why not", cmd_accounts},
	{"sip", "[trace [CALL [--pcap FILE]]]",
	 "accounts, registrations, peers and bans; what was said in the last "
	 "calls; CALL is a call's number, or a trace or Call-ID of the list; "
	 "FILE gets it for Wireshark, - is standard output",
	 sip_do},
	{"calls", "", "calls that are up", cmd_calls},
	{"summons", "", "who is called about alarms, and who took it",
	 cmd_summons},
	{"hangup", "ID", "end a call", act_hangup},
	{"faults", "", "what would keep something from working", cmd_faults},
	{"journal",
	 "[--since TIME] [--type T] [--subject S] [--limit N] [--follow]",
	 "what happened, and why; T may be a prefix like alarm.", journal_show},
	{"watch", "[--type T]", "events as they happen, until Ctrl-C",
	 journal_watch},
	{"reload", "", "load the configuration anew", act_reload},
	{"config", "", "the configuration in force", cmd_config},
	{NULL, NULL, NULL, NULL},
};
