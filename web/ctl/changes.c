/* One-off changes of the plan: extra bells, moved ones, days of another type.
 */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

static enum ctl_exit list(const struct ctl *c)
{
	static const struct column columns[] = {
		{"ID", "id"},           {"WHAT", "kind"},
		{"TIME", "local"},      {"MESSAGE", "message"},
		{"ZONES", "zones"},     {"SCHEDULE", "schedule"},
		{"FROM", "from_local"}, {"DAYS ARE", "day_type"},
		{"FIRST", "first"},     {"LAST", "last"},
		{"BY", "actor"},        {"MADE", "made"},
		{NULL, NULL},
	};

	return command_list(c, "/schedule-changes", columns,
			    "the plan is as configured");
}

static enum ctl_exit make(const struct ctl *c, const char *path, json_t *body)
{
	json_t *o = NULL;
	enum ctl_exit code = client_call(c, "POST", path, body, &o);

	if (code == CTL_DONE && c->json)
		command_json(o);
	else if (code == CTL_DONE)
		printf("change %lld\n",
		       (long long)json_integer_value(json_object_get(o, "id")));
	json_decref(o);
	return code;
}

/** What stands on the command line. */
struct words {
	const char *option[5]; /**< by options[] */
	const char *word[64];
	size_t n;
};

static const char *const options[] = {"at", "priority", "for", "from", "to"};
enum { AT, PRIORITY, FOR, FROM, TO };

/** NULL, or what is wrong. */
static const char *read_words(int argc, char **argv, struct words *w)
{
	for (int i = 1; i < argc; i++) {
		const char *v = NULL;

		for (size_t k = 0; k < 5 && !v; k++) {
			v = command_option(argc, argv, &i, options[k]);
			if (v)
				w->option[k] = v;
		}
		if (v)
			continue;
		if (*argv[i] == '-')
			return "unknown option, or one without its value";
		if (w->n == sizeof(w->word) / sizeof(w->word[0]))
			return "too many words";
		w->word[w->n++] = argv[i];
	}
	return NULL;
}

static enum ctl_exit add(const struct ctl *c, const struct words *w)
{
	json_t *zones = json_array();
	const char *p = w->option[PRIORITY];

	for (size_t i = 2; i < w->n; i++)
		json_array_append_new(zones, json_string(w->word[i]));
	return make(c, "/schedule-changes/bell",
		    json_pack("{s:s,s:o,s:s,s:o*,s:s*}", "message", w->word[1],
			      "zones", zones, "at", w->option[AT], "priority",
			      !p ? NULL : command_number_or_text(p), "for",
			      w->option[FOR]));
}

static enum ctl_exit move(const struct ctl *c, const struct words *w)
{
	char path[512] = "/schedules/";

	if (!*w->word[1] || !client_append(path, sizeof(path) - 16, w->word[1]))
		return command_usage("schedule", "the name does not fit");
	strcat(path, "/move");
	return make(c, path,
		    json_pack("{s:s,s:s}", "from", w->option[FROM], "to",
			      w->option[TO]));
}

static enum ctl_exit days(const struct ctl *c, const struct words *w)
{
	return make(c, "/schedule-changes/day-type",
		    json_pack("{s:s,s:s,s:s*}", "type", w->word[1], "first",
			      w->word[2], "last",
			      w->n > 3 ? w->word[3] : NULL));
}

static enum ctl_exit take_back(const struct ctl *c, const char *id)
{
	char path[128] = "/schedule-changes/";
	enum ctl_exit code;

	if (!*id || !client_append(path, sizeof(path), id))
		return command_usage("schedule", "give a change's number");
	code = client_call(c, "DELETE", path, NULL, NULL);
	if (code == CTL_DONE && !c->json)
		puts("taken back");
	return code;
}

enum ctl_exit schedule_change(const struct ctl *c, int argc, char **argv)
{
	struct words w = {.n = 0};
	const char *problem = read_words(argc, argv, &w);
	const char *verb = w.n ? w.word[0] : "list";

	if (problem)
		return command_usage("schedule", problem);
	if (!strcmp(verb, "list") && w.n < 2)
		return list(c);
	if (!strcmp(verb, "add") && w.n > 2 && w.option[AT])
		return add(c, &w);
	if (!strcmp(verb, "move") && w.n == 2 && w.option[FROM] && w.option[TO])
		return move(c, &w);
	if (!strcmp(verb, "day-type") && (w.n == 3 || w.n == 4))
		return days(c, &w);
	if (!strcmp(verb, "delete") && w.n == 2)
		return take_back(c, w.word[1]);
	return command_usage("schedule", "unknown action, or words missing");
}
