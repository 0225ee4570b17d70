/* What happened and what happens: the journal and the live view. */
#include "ctl.h"

#include <string.h>

struct view {
	const struct ctl *c;
	const char *subject; /**< "" = all */
	uint64_t shown;      /**< nothing up to that number */
};

static uint64_t id_of(const json_t *e)
{
	return (uint64_t)json_integer_value(json_object_get(e, "id"));
}

static void on_event(const char *type, json_t *e, void *arg)
{
	const struct view *v = arg;
	const char *subject = json_string_value(json_object_get(e, "subject"));
	bool gap = !strcmp(type, "gap");

	if (!gap &&
	    (id_of(e) <= v->shown ||
	     (*v->subject && (!subject || strcmp(subject, v->subject)))))
		return;
	if (v->c->json) {
		json_dumpf(e, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (gap) {
		puts("... events were missed; `tocsinctl journal` has them");
	} else {
		table_event(e);
	}
	fflush(stdout);
}

enum ctl_exit journal_watch(const struct ctl *c, int argc, char **argv)
{
	struct view v = {.c = c, .subject = ""};
	const char *type = "";

	for (int i = 1; i < argc; i++) {
		const char *t = command_option(argc, argv, &i, "type");

		if (!t)
			return command_usage("watch", "takes --type only");
		type = t;
	}
	return watch_follow(c, type, 0, on_event, &v);
}

static void show(const struct ctl *c, const json_t *rows, bool lines)
{
	if (c->json && !lines) {
		command_json(rows);
		return;
	}
	/* Read newest first, shown as it happened. */
	for (size_t i = json_array_size(rows); i-- > 0;) {
		const json_t *e = json_array_get(rows, i);

		if (c->json) {
			json_dumpf(e, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			table_event(e);
		}
	}
	fflush(stdout);
}

/** The number of the newest event on record: 0 when there is none. */
static enum ctl_exit newest(const struct ctl *c, uint64_t *id)
{
	json_t *rows = NULL;
	enum ctl_exit code =
		client_call(c, "GET", "/journal?limit=1", NULL, &rows);

	*id = id_of(json_array_get(rows, 0));
	json_decref(rows);
	return code;
}

/** Appends name=value to a query; NULL, or what is wrong. */
static const char *add(char *path, size_t size, const char *name,
		       const char *value)
{
	size_t n = strlen(path);

	snprintf(path + n, size - n, "%c%s=", strchr(path, '?') ? '&' : '?',
		 name);
	return client_append(path, size, value) ? NULL : "a value is too long";
}

enum ctl_exit journal_show(const struct ctl *c, int argc, char **argv)
{
	static const char *const options[] = {"type", "subject", "since",
					      "limit"};
	const char *value[4] = {"", ""}, *problem = NULL;
	char path[512] = "/journal";
	struct view v = {.c = c};
	enum ctl_exit code = CTL_DONE;
	uint64_t after = 0;
	bool follow = false;
	json_t *rows = NULL;

	for (int i = 1; i < argc && !problem; i++) {
		const char *x = NULL;
		size_t k;

		if (!strcmp(argv[i], "--follow") || !strcmp(argv[i], "-f")) {
			follow = true;
			continue;
		}
		for (k = 0; k < 4 && !x; k++)
			x = command_option(argc, argv, &i, options[k]);
		if (!x)
			problem = "unknown option, or one without its value";
		else
			problem = add(path, sizeof(path), options[k - 1], x);
		value[k - 1] = x;
	}
	if (problem)
		return command_usage("journal", problem);
	/* First the newest there is, so that nothing falls between looking
	 * and following. */
	if (follow)
		code = newest(c, &after);
	if (code == CTL_DONE)
		code = client_call(c, "GET", path, NULL, &rows);
	if (code == CTL_DONE) {
		v.subject = value[1];
		v.shown = id_of(json_array_get(rows, 0));
		show(c, rows, follow);
		if (follow)
			code = watch_follow(c, value[0], after, on_event, &v);
	}
	json_decref(rows);
	return code;
}
