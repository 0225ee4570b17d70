/* Field inputs as a table, and as they change: what an electrician looks at
 * while somebody else moves the contacts. */
#include "ctl.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVERY_MS 300

static volatile sig_atomic_t interrupted;

static const struct column columns[] = {
	{"INPUT", "name"},        {"KIND", "kind"},
	{"ACTIVE", "active"},     {"QUALITY", "quality"},
	{"VALUE", "value"},       {"RAW", "raw"},
	{"GLITCHES", "glitches"}, {"CHANGED", "changed"},
	{"WHY", "why"},           {NULL, NULL},
};

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static const json_t *row_named(const json_t *rows, const json_t *like)
{
	const char *name = json_string_value(json_object_get(like, "name"));
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *x = json_string_value(json_object_get(row, "name"));

		if (x && name && !strcmp(x, name))
			return row;
	}
	return NULL;
}

/** Prints the rows that are not as they were. */
static void show_changes(const struct ctl *c, const json_t *rows,
			 const json_t *before)
{
	json_t *changed = json_array(), *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const json_t *was = row_named(before, row);

		if (was && json_equal(row, was))
			continue;
		if (c->json) {
			json_dumpf(row, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			json_array_append(changed, row);
		}
	}
	if (json_array_size(changed))
		table_print(changed, columns);
	json_decref(changed);
	fflush(stdout);
}

static void show_screen(const json_t *rows)
{
	fputs("\033[H\033[2J", stdout);
	table_print(rows, columns);
	fputs("\nCtrl-C ends\n", stdout);
	fflush(stdout);
}

static enum ctl_exit watch(const struct ctl *c)
{
	const struct timespec pause = {.tv_nsec = EVERY_MS * 1000000L};
	const struct sigaction act = {.sa_handler = on_interrupt};
	const bool screen = !c->json && isatty(STDOUT_FILENO);
	json_t *before = NULL;
	enum ctl_exit code = CTL_DONE;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	while (!interrupted) {
		json_t *rows = NULL;

		code = client_call(c, "GET", "/inputs", NULL, &rows);
		if (code == CTL_DONE) {
			if (!screen)
				show_changes(c, rows, before);
			else if (!before || !json_equal(rows, before))
				show_screen(rows);
			json_decref(before);
			before = rows;
		} else {
			json_decref(rows);
			/* Wrong from the start; later it may be a restart. */
			if (!before)
				return code;
		}
		nanosleep(&pause, NULL);
	}
	json_decref(before);
	return CTL_DONE;
}

enum ctl_exit act_inputs(const struct ctl *c, int argc, char **argv)
{
	json_t *rows = NULL;
	enum ctl_exit code;

	if (argc == 2 && !strcmp(argv[1], "--watch"))
		return watch(c);
	if (argc > 1)
		return command_usage("inputs", "takes nothing but --watch");
	code = client_call(c, "GET", "/inputs", NULL, &rows);
	if (code == CTL_DONE) {
		if (c->json)
			command_json(rows);
		else if (json_array_size(rows))
			table_print(rows, columns);
		else
			puts("no inputs");
	}
	json_decref(rows);
	return code;
}
