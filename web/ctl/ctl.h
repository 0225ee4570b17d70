/** tocsinctl's parts: the client, tables, live view and commands. */
#ifndef TOCSIN_CTL_H
#define TOCSIN_CTL_H

#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Exit codes (DESIGN 6.4). */
enum ctl_exit {
	CTL_DONE = 0,
	CTL_REFUSED = 1,
	CTL_USAGE = 2,
	CTL_NO_DAEMON = 3,
};

/** Options before the command. */
struct ctl {
	const char *socket;
	bool json;
};

/* ---- client.c ---- */

/** Text that grows; free(p) at the end. */
struct client_buffer {
	char *p;
	size_t n;
};

/** Appends, up to 16 MB; false when it does not fit. */
bool client_buffer_add(struct client_buffer *b, const char *p, size_t n);

/** A handle that asks for a path of the API; NULL on ENOMEM. */
CURL *client_prepare(const struct ctl *c, const char *path);

/** Says that nobody answers, why, and what to do. */
enum ctl_exit client_no_daemon(const struct ctl *c, CURLcode err);

/** Prints what the API refused: its own words say what to do. */
enum ctl_exit client_refused(const struct ctl *c, const json_t *reply,
			     long status);

/**
 * One request to the API.
 *
 * @param body  sent as JSON; the reference is taken; NULL = none
 * @param reply gets the parsed answer (new reference) or NULL
 * @return CTL_DONE; CTL_REFUSED (the error was printed) or CTL_NO_DAEMON
 */
enum ctl_exit client_call(const struct ctl *c, const char *method,
			  const char *path, json_t *body, json_t **reply);

/** Sends a file as PUT, with its progress on a terminal. if_match: an entity
 *  tag the target must have; NULL = any. As client_call(). */
enum ctl_exit client_upload(const struct ctl *c, const char *path, FILE *f,
			    int64_t size, const char *if_match, json_t **reply);

/** Writes what a path answers into a file. */
enum ctl_exit client_download(const struct ctl *c, const char *path, FILE *f);

/** The same into a file that appears as a whole or not at all; "-" is standard
 *  output. */
enum ctl_exit client_save(const struct ctl *c, const char *path,
			  const char *file);

/** Appends s to path, percent-encoded; false when it does not fit. */
bool client_append(char *path, size_t size, const char *s);

/* ---- watch.c ---- */

/** One event of the live stream. */
typedef void(watch_event_h)(const char *type, json_t *event, void *arg);

/**
 * Follows the live events until interrupted (SIGINT, SIGTERM), connecting
 * anew when the daemon restarts and going on after the last event seen.
 *
 * @param type  only types that begin with it, "" = all
 * @param after go on after that event; 0 = from now on
 */
enum ctl_exit watch_follow(const struct ctl *c, const char *type,
			   uint64_t after, watch_event_h *h, void *arg);

/* ---- text.c ---- */

/** Whether colours are wanted on standard output: a terminal, no NO_COLOR. */
bool text_colours(void);

/** Copies text without what would steer the terminal or mirror other text;
 *  what does not fit ends in "...". Newlines and tabs stay if `lines`. */
void text_safe(char *dst, size_t size, const char *src, bool lines);

/** Prints text of any length that way. */
void text_print(FILE *f, const char *src, bool lines);

/** Columns that safe text takes on the terminal. */
int text_width(const char *s);

/* ---- table.c ---- */

/** A column: heading and the member it shows ("playing.what" goes deeper). */
struct column {
	const char *head, *member;
};

/** Prints an array of objects as aligned columns; columns end with NULL. */
void table_print(const json_t *rows, const struct column *columns);

/** Prints "name value" lines of an object's plain members. */
void table_object(const json_t *o);

/** One event as a line. */
void table_event(const json_t *e);

/* ---- commands.c, act.c, journal.c ---- */

struct command {
	const char *name, *arguments, *help;
	enum ctl_exit (*run)(const struct ctl *c, int argc, char **argv);
};

/** All commands; the last has a NULL name. */
extern const struct command commands[];

/** Prints how a command is used, after the problem if there is one; returns
 *  CTL_USAGE. */
enum ctl_exit command_usage(const char *command, const char *problem);

/** The value of option `name` at argv[*i], as "--name VALUE" (*i moves on) or
 *  "--name=VALUE"; NULL when it is another argument or lacks its value. */
const char *command_option(int argc, char **argv, int *i, const char *name);

/** Prints JSON as people read it. */
void command_json(const json_t *o);

/** As a number of JSON when it looks like one, else as text (new reference).
 */
json_t *command_number_or_text(const char *s);

/** GET a list and print it. */
enum ctl_exit command_list(const struct ctl *c, const char *path,
			   const struct column *columns, const char *none);

enum ctl_exit passwd_print(const struct ctl *c, int argc, char **argv);
enum ctl_exit token_make(const struct ctl *c, int argc, char **argv);
enum ctl_exit act_inputs(const struct ctl *c, int argc, char **argv);
enum ctl_exit act_page(const struct ctl *c, int argc, char **argv);
enum ctl_exit act_stop(const struct ctl *c, int argc, char **argv);
enum ctl_exit act_hangup(const struct ctl *c, int argc, char **argv);
enum ctl_exit act_alarm(const struct ctl *c, int argc, char **argv);
enum ctl_exit act_inhibit(const struct ctl *c, int argc, char **argv);
enum ctl_exit act_music(const struct ctl *c, int argc, char **argv);
enum ctl_exit act_point(const struct ctl *c, int argc, char **argv);
enum ctl_exit act_volume(const struct ctl *c, int argc, char **argv);
enum ctl_exit act_reload(const struct ctl *c, int argc, char **argv);

enum ctl_exit messages_do(const struct ctl *c, int argc, char **argv);
enum ctl_exit matrix_mode(const struct ctl *c, int argc, char **argv);
enum ctl_exit matrix_walk_test(const struct ctl *c, int argc, char **argv);

enum ctl_exit sip_do(const struct ctl *c, int argc, char **argv);

enum ctl_exit schedule_next(const struct ctl *c, int argc, char **argv);
enum ctl_exit schedule_skip(const struct ctl *c, int argc, char **argv);
enum ctl_exit schedule_change(const struct ctl *c, int argc, char **argv);
enum ctl_exit schedule_run(const struct ctl *c, int argc, char **argv);

enum ctl_exit journal_show(const struct ctl *c, int argc, char **argv);
enum ctl_exit journal_watch(const struct ctl *c, int argc, char **argv);

#endif
