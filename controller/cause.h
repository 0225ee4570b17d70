/**
 * From inputs to an alarm's one cause: votes, a window, a delay, a storm limit.
 *
 * Pure: no clock, no I/O, no allocation. DESIGN rule 3 decides what an input
 * without good quality counts for: it never raises a cause, and it never ends
 * one it was part of; so raising takes votes that are sure, and a cause goes on
 * as long as the last good values hold it.
 */
#ifndef TOCSIN_CAUSE_H
#define TOCSIN_CAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most activations a storm limit can allow. */
#define CAUSE_MAX_STORM 100

/** Nothing to wake for. */
#define CAUSE_NEVER UINT64_MAX

struct cause_rule {
	size_t votes;       /**< inputs that must count, at least 1 */
	uint32_t within_ms; /**< an input counts this long from its activation
			       on, though it is normal again; 0 = only while it
			       is active */
	uint32_t delay_ms;  /**< the votes must last this long */
	uint16_t storm;     /**< activations let through in storm_ms, 0 = all;
			       at most CAUSE_MAX_STORM */
	uint32_t storm_ms;
};

/** One input of the alarm. The caller sets active and good. */
struct cause_input {
	bool active; /**< its last good value */
	bool good;   /**< is its quality good now? */
	bool seen;   /**< its present activation is known */
	bool lately; /**< since_us is within the window */
	uint64_t since_us;
};

/** Zero at first; then only cause_*() change it. */
struct cause {
	bool met;        /**< there are votes enough */
	uint64_t met_us; /**< since then */
	bool raw;        /**< met for the delay */
	bool storm;      /**< comes and goes too often: held */
	uint64_t quiet_us;
	uint64_t rise_us[CAUSE_MAX_STORM]; /**< the latest; a ring */
	size_t n_rises;
	size_t counting; /**< inputs that count, of whatever quality */
};

/**
 * Looks at the inputs as they stand.
 *
 * A storm (more activations than the rule lets through) holds the cause until
 * the votes have been missing for storm_ms.
 *
 * @param now_us  monotonic, never less than before
 * @param wake_us filled: when to look again though no input changed, or
 *                CAUSE_NEVER
 * @return is the cause there?
 */
bool cause_step(struct cause *c, const struct cause_rule *r,
		struct cause_input *in, size_t n, uint64_t now_us,
		uint64_t *wake_us);

/** A person resets, or the alarm is inhibited: what is over does not count any
 *  more, only what is active now. */
void cause_forget(struct cause *c, struct cause_input *in, size_t n);

#endif
