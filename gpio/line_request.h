/**
 * One requested GPIO line: what the two libgpiod versions do differently.
 *
 * lines_v1.c (1.6) or lines_v2.c (2.x) implements it; lines.c uses it.
 * Inside gpio/ only. Control thread.
 */
#ifndef TOCSIN_LINE_REQUEST_H
#define TOCSIN_LINE_REQUEST_H

#include "controller/base/reason.h"
#include "lines.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Who holds the line, as others see it. */
#define LINE_CONSUMER "tocsin"
/** Edges the kernel keeps for a line until they are read. */
#define LINE_EDGES 16

struct line_request;

struct line_edge {
	bool level;     /**< logical, after the edge */
	uint64_t at_us; /**< the kernel's time, CLOCK_MONOTONIC */
};

/**
 * Requests an input for both edges.
 *
 * @param debounce_us in: wanted; out: what is left for us to do, 0 when the
 *                    kernel does it
 * @return 0 or errno with the reason
 */
int line_request_input(struct line_request **rp,
		       const struct line_in_spec *spec, uint64_t *debounce_us,
		       struct reason *why);

/** Requests an output with its first level; 0 or errno with the reason. */
int line_request_output(struct line_request **rp, const char *chip,
			const char *line, bool active_low, bool level,
			struct reason *why);

/** Readable when edges wait; never blocks. Inputs only. */
int line_request_fd(const struct line_request *r);

/** Reads the level now; 0 or errno. */
int line_request_get(struct line_request *r, bool *level);

/** Drives an output; 0 or errno. */
int line_request_set(struct line_request *r, bool level);

/** Takes up to LINE_EDGES edges that wait, *n = 0 when there are none; 0 or
 *  errno. */
int line_request_edges(struct line_request *r, struct line_edge *e, size_t *n);

/** Gives the line back. Returns NULL. */
struct line_request *line_request_free(struct line_request *r);

/* ------------------------------------------- what is the same in both */

/** The offset a line's text stands for, or -1 when it is a name. */
int line_offset(const char *line);

/** Why a chip cannot be opened, and which ones there are. Returns err. */
int line_why_chip(struct reason *why, int err, const char *chip);

/** Why there is no such line. Returns ENOENT. */
int line_why_missing(struct reason *why, const char *chip, unsigned n_lines,
		     const char *line);

/**
 * Why the request was refused. Returns err.
 *
 * @param consumer who holds it, NULL or "" when it is not known
 */
int line_why_refused(struct reason *why, int err, const char *chip,
		     const char *line, const char *consumer);

#endif
