/**
 * Phased evacuation as a pure state x event table: evacuate here, alert the
 * neighbours, then move on. No clock, no I/O.
 *
 * Phases go forward one by one, never back and never past the last; only the
 * end of the alarm ends them. A hold stops the time, not a further cause: that
 * more detectors see the fire is news that whoever held did not have.
 */
#ifndef TOCSIN_PHASE_H
#define TOCSIN_PHASE_H

#include "controller/base/reason.h"

#include <stdbool.h>
#include <stdint.h>

#define PHASE_NEVER UINT64_MAX

enum phase_state {
	PHASE_OFF,
	PHASE_TIMED, /**< the next follows when its time is over */
	PHASE_OPEN,  /**< the next follows on a command or a cause */
	PHASE_HELD,  /**< the time stands still */
	PHASE_LAST,  /**< none follows */
	PHASE_STATES
};

enum phase_event {
	PHASE_EV_BEGIN,   /**< the alarm starts */
	PHASE_EV_ADVANCE, /**< somebody moves on */
	PHASE_EV_HOLD,    /**< somebody stops the time */
	PHASE_EV_RELEASE, /**< and lets it go on */
	PHASE_EV_CAUSE,   /**< a further cause */
	PHASE_EV_TIME,    /**< look at the clock */
	PHASE_EV_END,     /**< the alarm is normal again */
	PHASE_EVENTS
};

/** Zero at first; then only phase_step() changes it. */
struct phase {
	enum phase_state state;
	uint8_t at;
	uint64_t since_us;
	uint64_t due_us;  /**< of PHASE_TIMED */
	uint64_t left_us; /**< of PHASE_HELD */
};

/** How long each phase is, 0 = not by time. */
struct phase_plan {
	uint32_t for_ms[16];
	uint8_t n; /**< 0 = the alarm has no phases */
};

enum phase_do {
	PHASE_NOTHING,
	PHASE_CHANGED, /**< another phase, or its time stands or goes on */
	PHASE_REFUSED,
};

/** Applies one event; why is filled on PHASE_REFUSED, may be NULL. */
enum phase_do phase_step(struct phase *p, const struct phase_plan *plan,
			 enum phase_event ev, uint64_t now_us,
			 struct reason *why);

/** Comes back after a restart: in phase `at` with left_us of its time. */
void phase_restore(struct phase *p, const struct phase_plan *plan, uint8_t at,
		   bool held, uint64_t left_us, uint64_t now_us);

/** When to look again, PHASE_NEVER. */
uint64_t phase_wake(const struct phase *p);

/** Time left of its phase; 0 when it is not by time. */
uint64_t phase_left(const struct phase *p, uint64_t now_us);

#endif
