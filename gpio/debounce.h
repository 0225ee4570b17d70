/**
 * When a contact has settled: pure, for lines whose kernel does not debounce.
 *
 * A level counts once it has been stable for the period; the period is thus
 * added to the latency. A period of 0 passes every edge at once.
 */
#ifndef TOCSIN_DEBOUNCE_H
#define TOCSIN_DEBOUNCE_H

#include <stdbool.h>
#include <stdint.h>

struct debounce {
	uint64_t period_us;
	bool known;        /**< a first level was taken */
	bool stable;       /**< level in force */
	bool raw;          /**< level last seen */
	uint64_t raw_us;   /**< since when */
	uint64_t glitches; /**< changes that did not last */
};

void debounce_init(struct debounce *d, uint32_t period_ms);

/**
 * Takes a level seen at a time.
 * @return true when the level in force is new (also for the very first)
 */
bool debounce_see(struct debounce *d, bool level, uint64_t at_us);

/**
 * Time passes without an edge.
 * @param next_us when to ask again, 0 = only after the next edge
 * @return true when the level in force is new
 */
bool debounce_wait(struct debounce *d, uint64_t now_us, uint64_t *next_us);

#endif
