/**
 * Which mode the site is in: pure.
 *
 * What was set by hand; else the first whose key switch is on; else the first
 * whose hours it is; else the first of all.
 */
#ifndef TOCSIN_MODE_H
#define TOCSIN_MODE_H

#include <stdbool.h>
#include <stddef.h>

enum mode_by { MODE_BY_DEFAULT, MODE_BY_HOURS, MODE_BY_KEY, MODE_BY_HAND };

/** One mode as it stands. */
struct mode_view {
	bool has_key;
	bool key;   /**< its last good value */
	bool known; /**< it has had one */
	bool hours; /**< it is its hours */
};

struct mode_choice {
	int mode; /**< -1 = none chosen yet */
	enum mode_by by;
};

/**
 * Decides.
 *
 * @param hand set by hand, -1 = nothing
 * @param last what was chosen before: a key that nobody has read yet (after a
 *             start) still means what it meant
 */
struct mode_choice mode_decide(const struct mode_view *v, size_t n, int hand,
			       struct mode_choice last);

/** "default", "hours", "key", "hand". */
const char *mode_by_name(enum mode_by by);

#endif
