/**
 * Whose turn it is on a bus: polls, writes, retries and back-off. Pure.
 *
 * A unit that does not answer costs the others at most one time-out at a time:
 * after it, everything of the others that is due has its turn before a silent
 * unit is asked again.
 */
#ifndef TOCSIN_MODBUS_TURNS_H
#define TOCSIN_MODBUS_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TURNS_NEVER UINT64_MAX

struct turn {
	size_t unit;        /**< index into the units */
	bool urgent;        /**< a write: before every poll */
	uint64_t due_us;    /**< TURNS_NEVER = only when asked for */
	uint64_t period_us; /**< 0 = once */
	unsigned fails;     /**< in a row */
	bool owed;          /**< must have its turn before a silent unit */
};

struct turn_unit {
	unsigned fails;         /**< time-outs in a row */
	uint64_t not_before_us; /**< left alone until then */
};

struct turns {
	struct turn *turn;
	size_t n;
	struct turn_unit *unit;
	size_t n_units;
	unsigned retries; /**< failures in a row that are passed over */
	uint64_t back_off_us, max_back_off_us;
};

enum turn_outcome {
	TURN_GOOD,
	TURN_REFUSED, /**< answered, but with an exception or nonsense */
	TURN_SILENT,  /**< a time-out */
};

/** The next turn, or turns->n when none is due; then *when says until when. */
size_t turns_next(const struct turns *t, uint64_t now_us, uint64_t *when_us);

/** Says how a turn went. */
void turns_done(struct turns *t, size_t i, enum turn_outcome how,
		uint64_t now_us);

/** Makes a turn due at once, a silent unit's too. */
void turns_urge(struct turns *t, size_t i, uint64_t now_us);

/** Has a turn failed more often in a row than is passed over? */
bool turns_failed(const struct turns *t, size_t i);

/** Has a unit? */
bool turns_unit_failed(const struct turns *t, size_t unit);

#endif
