/**
 * GPIO lines through libgpiod: one header, two implementations
 * (lines_v1.c for 1.6, lines_v2.c for 2.x), chosen by pkg-config.
 *
 * Made and used in the control thread (libre's loop watches the line fds).
 */
#ifndef TOCSIN_LINES_H
#define TOCSIN_LINES_H

#include "controller/base/reason.h"

#include <stdbool.h>
#include <stdint.h>

struct line_in;
struct line_out;

/** What pulls an input where nobody drives it; not every chip can. */
enum line_bias {
	LINE_AS_IS, /**< as the chip or the board has it */
	LINE_PULL_UP,
	LINE_PULL_DOWN,
	LINE_NO_PULL,
};

struct line_in_spec {
	const char *chip; /**< "gpiochip0", "/dev/gpiochip0" or its label */
	const char *line; /**< offset ("17") or name */
	bool active_low;
	enum line_bias bias;
	/** A level counts once it held that long: by the kernel with libgpiod
	 *  2, by us with 1.6. */
	uint32_t debounce_ms;
};

/**
 * level: logical (active-low already applied); at_us: monotonic, when the edge
 * was that led to it (with a kernel that debounces: when it had settled).
 *
 * err != 0: the line cannot be read any more (its chip is gone, say); why says
 * the reason. That comes once, and nothing after it: the line tries nothing by
 * itself, its owner frees it and asks for a new one when it sees fit. The
 * handler may free its line.
 */
typedef void(line_in_h)(bool level, uint64_t at_us, int err, const char *why,
			void *arg);

/**
 * Requests an input line for both edges, reads its level once and again every
 * second (a lost edge never leaves it stuck).
 *
 * @return 0 or errno with the reason, which names who holds a busy line
 *
 * The handler is called once with the first level from the loop, then on
 * every debounced change.
 */
int line_in_alloc(struct line_in **lp, const struct line_in_spec *spec,
		  line_in_h *h, void *arg, struct reason *why);

/** Levels that did not stand long enough, since it was requested; those that
 * the kernel filters are not known. */
uint32_t line_in_glitches(const struct line_in *l);

/** Stops; the handler is not called again. Returns NULL. */
struct line_in *line_in_free(struct line_in *l);

/**
 * Requests an output line with its first level; 0 or errno with the reason.
 *
 * When the process dies the kernel takes the line back. What the pin does then
 * is the chip's and the circuit's: wire a fault relay so that a line nobody
 * drives lets it drop.
 */
int line_out_alloc(struct line_out **lp, const char *chip, const char *line,
		   bool active_low, bool level, struct reason *why);

/** Drives it; 0 or errno. */
int line_out_set(struct line_out *l, bool level);

/** Sets it to a level, then releases it. Returns NULL. */
struct line_out *line_out_leave(struct line_out *l, bool level);

/** Sets it inactive, then releases it. Returns NULL. */
struct line_out *line_out_free(struct line_out *l);

#endif
