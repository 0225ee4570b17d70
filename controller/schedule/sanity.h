/** May the wall clock be believed? Pure. */
#ifndef TOCSIN_SANITY_H
#define TOCSIN_SANITY_H

#include <stdbool.h>
#include <stdint.h>

/** No clock is right before this program was written: 2026-11-01. */
#define SANITY_OLDEST INT64_C(1793491200)
/** A clock set back by less than this repeats nothing; by more, the time
 *  before counts as wrong. Seconds. */
#define SANITY_BACK (3 * 3600)

enum sanity {
	SANITY_GOOD,
	SANITY_TOO_OLD,  /**< before the program was written */
	SANITY_BEHIND,   /**< before what this box has seen */
	SANITY_NOT_SYNC, /**< NTP has not set it, and that is wanted */
};

struct sanity_view {
	int64_t now;  /**< wall clock, seconds */
	int64_t seen; /**< latest time kept before the start, 0 = none */
	bool set;     /**< somebody set the clock since the start */
	bool synced;  /**< the kernel says that it follows a time server */
	bool wait;    /**< wait-for-clock-sync */
};

enum sanity sanity_of(const struct sanity_view *v);

#endif
