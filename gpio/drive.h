/**
 * What an output's level is, given who wants it on: pulses, shortest on and off
 * times, and interlocked outputs of which one at most is on. Pure: no clock, no
 * I/O.
 */
#ifndef TOCSIN_DRIVE_H
#define TOCSIN_DRIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Nothing to wake for. */
#define DRIVE_NEVER UINT64_MAX

struct drive_rule {
	uint32_t pulse_ms;   /**< each time it is wanted it is on this long, and
				then off until it is wanted anew; 0 = on while
				it is wanted */
	uint32_t min_on_ms;  /**< once on it stays on so long */
	uint32_t min_off_ms; /**< once off, off; also from the start on */
};

/** Zero at first, but for since_us: when it was made. */
struct drive {
	bool want;         /**< as it was last */
	bool level;        /**< what is driven */
	uint64_t since_us; /**< of level */
	uint32_t pend_ms;  /**< a pulse that has not begun, 0 = none */
	uint64_t pend_us;  /**< it is given up then: nothing old fires */
	uint64_t pulse_us; /**< on until then */
};

/** Asks for one pulse; longer than what runs: that is what it becomes. */
void drive_pulse(struct drive *d, const struct drive_rule *r, uint32_t ms,
		 uint64_t now_us);

/** Ends pulses, begun or not. */
void drive_cancel(struct drive *d);

/**
 * Takes in who wants it, before drive_step().
 *
 * @return does it ask to be on, by want or by a pulse?
 */
bool drive_asks(struct drive *d, const struct drive_rule *r, bool want,
		uint64_t now_us);

/**
 * Brings level to what is asked.
 *
 * @param may     false: it is kept off (an alarm, an interlock)
 * @param wake_us filled: when to look again
 * @return has level changed?
 */
bool drive_step(struct drive *d, const struct drive_rule *r, bool asks,
		bool may, uint64_t now_us, uint64_t *wake_us);

/** One of an interlock group. */
struct drive_claim {
	bool asks, level;
	uint8_t rank; /**< the higher goes first */
};

/** Which of the group may be on, -1 = none asks: the highest rank, of equals
 *  the one that is on, then the first. It waits until the others are off. */
int drive_winner(const struct drive_claim *v, size_t n);

#endif
