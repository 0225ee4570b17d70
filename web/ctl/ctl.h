/** tocsinctl's parts: the client, tables, live view and commands. */
#ifndef TOCSIN_CTL_H
#define TOCSIN_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/**
 * One request to the API.
 *
 * @param body  sent as JSON; the reference is taken; NULL = none
 * @param reply gets the parsed answer (new reference) or NULL
 * @return CTL_DONE; CTL_REFUSED (the error was printed) or CTL_NO_DAEMON
 */
enum ctl_exit client_call(const struct ctl *c, const char *method,
			  const char *path, json_t *body, json_t **reply);

/** Appends s to path, percent-encoded; false when it does not fit. */
bool client_append(char *path, size_t size, const char *s);

/** One event of the live stream. */
typedef void(client_event_h)(const char *type, json_t *event, void *arg);

/**
 * Follows the live events until interrupted, connecting anew when the daemon
 * restarts and going on after the last event seen.
 *
 * @param type only types that begin with it, "" = all
 */
enum ctl_exit client_follow(const struct ctl *c, const char *type,
			    client_event_h *h, void *arg);

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

/** Prints text without letting it steer the terminal. */
void table_text(const char *s);

/* ---- commands.c ---- */

struct command {
	const char *name, *arguments, *help;
	enum ctl_exit (*run)(const struct ctl *c, int argc, char **argv);
};

/** All commands; the last has a NULL name. */
extern const struct command commands[];

/** Prints a usage error of a command; returns CTL_USAGE. */
enum ctl_exit usage(const char *command, const char *problem);

#endif
