/* tocsinctl sip: who is registered, trusted and banned, and what was said in
 * the last calls. */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

/** A list of an object under its title, unless it is empty. */
static void section(const json_t *o, const char *member, const char *title,
		    const struct column *columns)
{
	const json_t *rows = json_object_get(o, member);

	if (!json_array_size(rows))
		return;
	printf("\n%s\n", title);
	table_print(rows, columns);
}

static enum ctl_exit overview(const struct ctl *c)
{
	static const struct column accounts[] = {
		{"ACCOUNT", "name"},     {"STATE", "state"},
		{"FOR-S", "since_s"},    {"REGISTRAR", "registrar"},
		{"LAST ERROR", "error"}, {NULL, NULL},
	};
	static const struct column registrations[] = {
		{"ENDPOINT", "name"},   {"EXTENSION", "extension"},
		{"STATE", "state"},     {"FOR-S", "since_s"},
		{"CONTACT", "contact"}, {NULL, NULL},
	};
	static const struct column peers[] = {
		{"ADDRESS", "address"},
		{"MAY", "allow"},
		{"UP TO", "max_priority"},
		{"ONLY ZONES", "zones"},
		{NULL, NULL},
	};
	static const struct column bans[] = {{"BANNED", "address"},
					     {"SECONDS-LEFT", "left_s"},
					     {NULL, NULL}};
	json_t *o = NULL;
	enum ctl_exit code = client_call(c, "GET", "/sip", NULL, &o);

	if (code == CTL_DONE && c->json) {
		command_json(o);
	} else if (code == CTL_DONE) {
		table_object(o);
		section(o, "accounts", "Accounts at a PBX", accounts);
		section(o, "registrations", "Endpoints that register here",
			registrations);
		section(o, "peers", "Peers, trusted by address", peers);
		section(o, "bans", "Banned for wrong passwords", bans);
	}
	json_decref(o);
	return code;
}

static enum ctl_exit list(const struct ctl *c)
{
	static const struct column columns[] = {
		{"TRACE", "trace"},
		{"CALL", "call"},
		{"WAY", "direction"},
		{"STATUS", "status"},
		{"FROM", "from"},
		{"TO", "to"},
		{"MESSAGES", "messages"},
		{"SINCE", "since"},
		{NULL, NULL},
	};

	return command_list(c, "/sip/traces", columns, "no calls yet");
}

static enum ctl_exit show_json(const struct ctl *c, const char *path)
{
	json_t *o = NULL;
	enum ctl_exit code = client_call(c, "GET", path, NULL, &o);

	if (code == CTL_DONE)
		command_json(o);
	json_decref(o);
	return code;
}

static enum ctl_exit show_text(const struct ctl *c, const char *path)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	enum ctl_exit code;

	if (!f)
		return CTL_REFUSED;
	code = client_download(c, path, f);
	fclose(f);
	if (code == CTL_DONE)
		text_print(stdout, text, true);
	free(text);
	return code;
}

enum ctl_exit sip_do(const struct ctl *c, int argc, char **argv)
{
	const char *call = NULL, *file = NULL;
	char path[512] = "/sip/traces/";

	if (argc == 1)
		return overview(c);
	if (strcmp(argv[1], "trace"))
		return command_usage("sip", "unknown action");
	for (int i = 2; i < argc; i++) {
		const char *v = command_option(argc, argv, &i, "pcap");

		if (v)
			file = v;
		else if (*argv[i] == '-' || call)
			return command_usage("sip", "unknown option, one "
						    "without its value, or too "
						    "many words");
		else
			call = argv[i];
	}
	if (!call && !file)
		return list(c);
	if (!call || !*call || !client_append(path, sizeof(path) - 8, call))
		return command_usage("sip", "name a call or a trace");
	strcat(path, file ? "/pcap" : c->json ? "" : "/text");
	return file      ? client_save(c, path, file)
	       : c->json ? show_json(c, path)
			 : show_text(c, path);
}
