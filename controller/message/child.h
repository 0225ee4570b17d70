/**
 * A program run for its output, at arm's length: no shell, no descriptor of
 * ours but the three given, no environment but what is written here, a limit on
 * time, on processor time and on what it writes; ended with all it started.
 */
#ifndef TOCSIN_CHILD_H
#define TOCSIN_CHILD_H

#include "controller/base/reason.h"

#include <stddef.h>
#include <stdint.h>

/** Variables beside PATH, LANG and HOME. */
#define CHILD_MAX_ENV 16

struct child_limits {
	uint32_t ms;      /**< longest run */
	uint64_t bytes;   /**< longest file it may write */
	int cancel;       /**< readable: end it; -1 = none */
	char *const *env; /**< "NAME=value", ends with NULL; at most
			     CHILD_MAX_ENV; NULL = none */
};

/**
 * Runs it and waits. Not for the control or the media thread.
 *
 * @param argv argv[0] is looked for in PATH unless it has a slash
 * @param in   its standard input; out, err: the others. Files, not pipes: they
 *             are of no use to a program that outlives its limits
 * @return 0 when it ended with 0; ENOENT, EACCES (cannot be started),
 *         ETIMEDOUT, ECANCELED, EPROTO (ended otherwise), with the reason
 */
int child_run(char *const argv[], int in, int out, int err,
	      const struct child_limits *limits, struct reason *why);

#endif
