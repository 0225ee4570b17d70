/**
 * From bouncing edges to a level that held: pure.
 *
 * A new level counts once it was there, unbroken, for the period; that adds
 * the period as latency. No clock, no I/O.
 */
#ifndef TOCSIN_DEBOUNCE_H
#define TOCSIN_DEBOUNCE_H

#include <stdbool.h>
#include <stdint.h>

struct debounce {
	uint64_t period_us;
	bool level;        /**< that held */
	uint64_t level_us; /**< when it began */
	bool raw;          /**< seen last */
	uint64_t raw_us;   /**< since when, or since the last edge */
	uint32_t glitches; /**< levels that did not hold for the period */
};

/** Starts with a level that counts at once. Period 0: every edge counts. */
void debounce_init(struct debounce *d, uint64_t period_us, bool level,
		   uint64_t now_us);

/**
 * Whether a level other than d->level has held until now_us; if so it becomes
 * d->level, and d->level_us says since when.
 *
 * Ask it before every debounce_edge() with the edge's time too: edges may be
 * read late, and what lies between two of them may have held.
 */
bool debounce_settle(struct debounce *d, uint64_t now_us);

/** An edge to level. One to the level that is there already means that edges
 *  were lost: it was not stable. */
void debounce_edge(struct debounce *d, bool level, uint64_t at_us);

/** A reading: changes nothing unless an edge was lost. */
void debounce_reading(struct debounce *d, bool level, uint64_t now_us);

/** When to ask debounce_settle() again; 0 = nothing is on its way. */
uint64_t debounce_due(const struct debounce *d);

#endif
