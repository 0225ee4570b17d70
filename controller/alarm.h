/**
 * An alarm's life as a pure state x event table: latch, acknowledge, reset.
 *
 * No clock, no I/O. A snapshot of one alarm and one event go in; the new
 * snapshot and what to do come out. Every cell of the table is written.
 *
 * Input quality: a source that is lost is a fault, never "clear" and never
 * "alarm" (DESIGN rule 3): an input of bad quality keeps its last good value
 * here, and a reset is refused while any input is not good and normal.
 *
 * The effects run in every state but normal. Acknowledging does not stop them:
 * an evacuation goes on until its reset. A new cause in an acknowledged or
 * latched alarm makes it active again.
 */
#ifndef TOCSIN_ALARM_H
#define TOCSIN_ALARM_H

#include "controller/base/reason.h"

#include <stdbool.h>
#include <stdint.h>

enum alarm_state {
	ALARM_NORMAL,
	ALARM_ACTIVE,        /**< cause present, nobody has acknowledged */
	ALARM_ACKED,         /**< cause present, acknowledged */
	ALARM_LATCHED,       /**< cause gone, latch holds, not acknowledged */
	ALARM_LATCHED_ACKED, /**< cause gone, latch holds, acknowledged */
	ALARM_STATES
};

enum alarm_event {
	ALARM_EV_CAUSE,   /**< an input became active, none was before */
	ALARM_EV_CLEAR,   /**< the last active input became normal */
	ALARM_EV_TRIGGER, /**< somebody triggers it by hand */
	ALARM_EV_ACK,
	ALARM_EV_RESET,
	ALARM_EV_INHIBIT, /**< inhibition begins (walk-test, maintenance) */
	ALARM_EV_ENABLE,  /**< inhibition ends */
	ALARM_EV_REMIND,  /**< acknowledged for so long: ask again */
	ALARM_EV_EXCLUDE, /**< mode and hours let causes start nothing */
	ALARM_EV_ADMIT,   /**< and now again */
	ALARM_EVENTS
};

struct alarm_snapshot {
	enum alarm_state state;
	bool cause;  /**< at least one input is active; set by alarm_step() on
			CAUSE and CLEAR, not by the caller */
	bool unsure; /**< at least one input is not of good quality; the caller
			sets it at any time, at the latest before RESET */
	bool manual; /**< was triggered by hand: only a reset ends it */
	bool inhibited; /**< only while normal: causes start nothing */
	bool excluded;  /**< by mode or hours: causes start nothing; a hand
			   does, and what is not normal goes on */
	bool latch;     /**< configured */
};

/** What the caller must do, or-ed. */
enum alarm_action {
	ALARM_DO_START = 1,  /**< start the effects */
	ALARM_DO_STOP = 2,   /**< end the effects */
	ALARM_DO_NOTE = 4,   /**< state changed: event, MQTT, journal */
	ALARM_DO_REFUSE = 8, /**< not possible now: the reason says why */
	ALARM_DO_AGAIN = 16, /**< what has ended of the effects sounds again */
	ALARM_DO_HOLD = 32,  /**< a cause starts nothing: say why */
};

/**
 * Applies one event. START and STOP alternate strictly over an alarm's life.
 *
 * @param s   changed in place; untouched when refused
 * @param why filled on ALARM_DO_REFUSE
 * @return actions; 0: nothing to do (a cause while inhibited, an event that
 *         changes nothing)
 */
unsigned alarm_step(struct alarm_snapshot *s, enum alarm_event ev,
		    struct reason *why);

/** "normal", "active", "acknowledged", "latched", "latched-acknowledged". */
const char *alarm_state_name(enum alarm_state s);

/** Back from the name (journal); -1 when unknown. */
int alarm_state_by_name(const char *name);

#endif
