/**
 * Whose turn it is where several calls want the same person: the more urgent
 * first, then the older; nobody's telephone rings for two at once, and who
 * talks is not rung. A call that is strictly more urgent takes one of its
 * people away from what he talks about, when nobody else of its stage rings, or
 * nobody has come in a whole round. Pure.
 */
#ifndef TOCSIN_TURNS_H
#define TOCSIN_TURNS_H

#include "controller/operators/stages.h"

/** How a call stands to one of its numbers. */
enum turns_line {
	TURNS_OFF,     /**< does not want it (any more) */
	TURNS_WAITS,   /**< wants it, and has to wait */
	TURNS_RINGS,   /**< rings it */
	TURNS_ENGAGED, /**< somebody has answered there: not to be disturbed */
	TURNS_TALKS,   /**< somebody talks there: what is more urgent may come
			    between */
	TURNS_YIELDS,  /**< somebody talked there, and is being told so */
	TURNS_LINES
};

struct turns_call {
	uint8_t level;
	uint64_t since_us;
	bool pressing; /**< nobody has come in a whole round */
	unsigned n;    /**< lines */
	struct {
		const char *number;
		enum turns_line now;
	} line[STAGES_MAX_RING];
	/* Decided: */
	uint32_t ring; /**< lines that are to ring from now on, as bits */
	uint32_t hold; /**< that ring, and have to wait again */
	uint32_t cede; /**< that talk, and have to give him away */
};

/** Most numbers that are told apart; who calls one beyond them waits. */
#define TURNS_MAX_NUMBERS 512

/** Is a call before another? */
bool turns_before(const struct turns_call *a, const struct turns_call *b);

/** Decides for all calls; brings them into their order. */
void turns_decide(struct turns_call **v, unsigned n);

#endif
