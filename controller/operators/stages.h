/**
 * Calling people in stages until one of them takes it. Pure: no clock, no I/O.
 *
 * All numbers of a stage ring at once; who answers first has the call, and with
 * `confirm` who presses a key after it: a mailbox or a pocket takes nothing. If
 * nobody has by the stage's end the next one rings, and after the last the
 * first again, until somebody does or the rounds are over.
 */
#ifndef TOCSIN_STAGES_H
#define TOCSIN_STAGES_H

#include <stdbool.h>
#include <stdint.h>

#define STAGES_MAX 8
/** Numbers of one stage. */
#define STAGES_MAX_RING 8

struct stages_rule {
	unsigned n;
	struct {
		unsigned n_ring;
		uint32_t for_ms;
		bool confirm;
	} stage[STAGES_MAX];
	uint32_t rounds; /**< 0 = without end */
};

/** Least time from one stage's beginning to the next, so that lines which
 *  refuse at once are not called without end. */
#define STAGES_LEAST_MS 3000

enum stages_state {
	STAGES_OFF,
	STAGES_RING,  /**< a stage rings */
	STAGES_PAUSE, /**< all of it have refused: the next at `due` */
	STAGES_TAKEN, /**< somebody has it */
	STAGES_VAIN,  /**< all rounds were in vain */
};

/** How one number of the stage stands. */
enum stages_leg { STAGES_NONE, STAGES_RINGING, STAGES_ANSWERED, STAGES_GONE };

struct stages {
	enum stages_state state;
	unsigned stage, round; /**< from 0 */
	unsigned taker;        /**< number of the stage, in STAGES_TAKEN */
	enum stages_leg leg[STAGES_MAX_RING];
	uint64_t begun, due; /**< monotonic us; due 0 = nothing */
};

enum stages_event {
	STAGES_EV_START,
	STAGES_EV_STOP,     /**< what it was about is over */
	STAGES_EV_ANSWERED, /**< number i of the stage answered */
	STAGES_EV_KEY,      /**< and pressed a key */
	STAGES_EV_GONE,     /**< refused, not reached, or hung up */
	STAGES_EV_DUE,
};

/** What is to be done, in this order. */
struct stages_act {
	uint32_t hang_up; /**< numbers of the stage that was, as bits */
	bool ring;        /**< call every number of `stage` */
	bool taken;       /**< tell: `taker` has it */
	bool round_over;  /**< tell: nobody took it in a whole round */
	bool vain;        /**< tell: and there is no further one */
};

/** Takes an event; i counts for those of a number. */
struct stages_act stages_step(struct stages *s, const struct stages_rule *r,
			      enum stages_event ev, unsigned i, uint64_t now);

#endif
