/* The library of messages: shown, uploaded, heard, rolled back, deleted. */
#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_number(const char *s)
{
	return *s && strlen(s) < 9 && !s[strspn(s, "0123456789")];
}

/** "/messages/NAME" and what follows; false: it does not fit. */
static bool path_of(char *path, size_t size, const char *name, const char *rest)
{
	snprintf(path, size, "/messages/");
	if (!*name || !client_append(path, size - 64, name))
		return false;
	strcat(path, rest);
	return true;
}

static enum ctl_exit list(const struct ctl *c)
{
	static const struct column columns[] = {
		{"MESSAGE", "name"},    {"STATE", "state"},
		{"MS", "duration_ms"},  {"GAP", "gap_ms"},
		{"LUFS", "lufs"},       {"PEAK", "peak_dbtp"},
		{"REPEAT", "repeat"},   {"VERSION", "version"},
		{"SOURCES", "sources"}, {"PROBLEM", "problem"},
		{NULL, NULL},
	};

	return command_list(c, "/messages", columns, "no messages");
}

static enum ctl_exit show(const struct ctl *c, const char *path)
{
	json_t *o = NULL;
	enum ctl_exit code = client_call(c, "GET", path, NULL, &o);

	if (code == CTL_DONE && c->json) {
		command_json(o);
	} else if (code == CTL_DONE) {
		table_object(o);
		table_object(json_object_get(o, "upload"));
	}
	json_decref(o);
	return code;
}

static enum ctl_exit versions(const struct ctl *c, const char *path)
{
	static const struct column columns[] = {
		{"VERSION", "version"}, {"CURRENT", "current"},
		{"WHEN", "time"},       {"BY", "actor"},
		{"FROM", "from"},       {"MS", "duration_ms"},
		{"LUFS", "lufs"},       {"PEAK", "peak_dbfs"},
		{"BYTES", "bytes"},     {"HASH", "hash"},
		{NULL, NULL},
	};

	return command_list(c, path, columns, "nothing was uploaded");
}

static void say(const struct ctl *c, const char *name, const json_t *o)
{
	if (c->json && o) {
		command_json(o);
		return;
	}
	if (c->json)
		return;
	text_print(stdout, name, false);
	if (!o)
		puts(" is gone");
	else if (!json_integer_value(json_object_get(o, "version")))
		puts(" sounds as configured");
	else
		printf(" is version %lld, %.1f s\n",
		       (long long)json_integer_value(
			       json_object_get(o, "version")),
		       (double)json_integer_value(
			       json_object_get(o, "duration_ms")) /
			       1000);
}

static enum ctl_exit change(const struct ctl *c, const char *method,
			    const char *name, const char *path, json_t *body)
{
	json_t *o = NULL;
	enum ctl_exit code = client_call(c, method, path, body, &o);

	if (code == CTL_DONE)
		say(c, name, o);
	json_decref(o);
	return code;
}

static enum ctl_exit upload(const struct ctl *c, const char *name,
			    const char *path, const char *file,
			    const char *if_match)
{
	FILE *f = fopen(file, "rbe");
	struct stat st;
	json_t *o = NULL;
	enum ctl_exit code;

	if (!f || fstat(fileno(f), &st) || !S_ISREG(st.st_mode)) {
		fputs("tocsinctl: ", stderr);
		text_print(stderr, file, false);
		fprintf(stderr, ": %s\n", f ? "is no file" : strerror(errno));
		if (f)
			fclose(f);
		return CTL_USAGE;
	}
	code = client_upload(c, path, f, (int64_t)st.st_size, if_match, &o);
	fclose(f);
	if (code == CTL_DONE)
		say(c, name, o);
	json_decref(o);
	return code;
}

struct words {
	const char *verb, *name, *last; /**< FILE or VERSION */
	const char *output, *version, *if_match;
	size_t n;
};

/** NULL, or what is wrong with them. */
static const char *read_words(int argc, char **argv, struct words *w)
{
	const char **const place[] = {&w->verb, &w->name, &w->last};

	for (int i = 1; i < argc; i++) {
		const char *v = command_option(argc, argv, &i, "output");

		if (!v && !strcmp(argv[i], "-o") && i + 1 < argc)
			v = argv[++i];
		if (v) {
			w->output = v;
			continue;
		}
		v = command_option(argc, argv, &i, "version");
		if (v) {
			w->version = v;
			continue;
		}
		v = command_option(argc, argv, &i, "if-match");
		if (v)
			w->if_match = v;
		else if (*argv[i] == '-')
			return "unknown option, or one without its value";
		else if (w->n == 3)
			return "too many words";
		else
			*place[w->n++] = argv[i];
	}
	return NULL;
}

enum ctl_exit messages_do(const struct ctl *c, int argc, char **argv)
{
	struct words w = {.verb = "list"};
	const char *problem = read_words(argc, argv, &w);
	char path[512] = "";

	if (problem)
		return command_usage("messages", problem);
	if (!strcmp(w.verb, "list") && w.n < 2)
		return list(c);
	if (w.n < 2 || !path_of(path, sizeof(path), w.name, ""))
		return command_usage("messages", "name a message");
	if (!strcmp(w.verb, "show") && w.n == 2)
		return show(c, path);
	if (!strcmp(w.verb, "versions") && w.n == 2) {
		strcat(path, "/versions");
		return versions(c, path);
	}
	if (!strcmp(w.verb, "delete") && w.n == 2)
		return change(c, "DELETE", w.name, path, NULL);
	if (!strcmp(w.verb, "upload") && w.n == 3)
		return upload(c, w.name, path, w.last, w.if_match);
	if (!strcmp(w.verb, "rollback") && w.n == 3 && is_number(w.last)) {
		strcat(path, "/rollback");
		return change(c, "POST", w.name, path,
			      json_pack("{s:i}", "version", atoi(w.last)));
	}
	if (!strcmp(w.verb, "preview") && w.n == 2 && w.output &&
	    (!w.version || is_number(w.version))) {
		strcat(path, "/audio");
		if (w.version) {
			strcat(path, "?version=");
			strcat(path, w.version);
		}
		return client_save(c, path, w.output);
	}
	return command_usage("messages", "unknown action, or words missing");
}
