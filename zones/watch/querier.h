/**
 * Is there a querier? One state for each interface and address family.
 *
 * A switch that snoops forgets who listens after two general queries did not
 * come (RFC 3376 8.4: 2 x 125 s + 10 s), and all pages to its groups end there
 * in silence. General queries come every 125 s, so listening alone knows of a
 * missing querier after 260 s. Who leaves a group is asked about at once
 * (RFC 3376 6.6.3, RFC 2236 3): a group that nobody else uses is joined and
 * left again when there was no query for a while, and a querier answers with
 * one. What only answers so, but sends no general query, keeps the switches'
 * tables no more than nothing at all: that is a fault too, when the 260 s are
 * over.
 *
 * Pure; times are monotonic microseconds.
 */
#ifndef TOCSIN_WATCH_QUERIER_H
#define TOCSIN_WATCH_QUERIER_H

#include "zones/watch/frame.h"

enum querier_mode {
	QUERIER_ASK,    /**< listen, and ask by leaving a group */
	QUERIER_LISTEN, /**< listen only */
	QUERIER_IGNORE, /**< none is expected */
};

/** RFC 3376 8.2, 8.3: what holds while no query has told. */
#define QUERIER_INTERVAL_MS 125000
#define QUERIER_RESPONSE_MS 10000

enum querier_verdict {
	QUERIER_UNSURE,  /**< none seen yet, too early to tell */
	QUERIER_PRESENT, /**< seen */
	QUERIER_MISSING, /**< no query for too long */
	QUERIER_HALF,    /**< asks who left, but sends no general query */
};

struct querier {
	uint64_t begun_us;
	uint64_t sign_us;    /**< last query of any kind, 0 = none */
	uint64_t general_us; /**< last general query, 0 = none */
	uint64_t asked_us;   /**< when we asked last, 0 = never */
	uint8_t version;     /**< of the last query, 0 = none */
	uint8_t addr[16];    /**< who sent it */
	uint32_t interval_ms, response_ms;
};

/** Begins to watch: the interface is there. */
void querier_begin(struct querier *q, uint64_t now);

/** A query of another host was seen. */
void querier_heard(struct querier *q, const struct frame *f, uint64_t now);

/** How long general queries may stay away before members are forgotten. */
uint32_t querier_limit_ms(const struct querier *q);

/**
 * What is known now, and whether to ask (at most QUERIER_ASK in mode, thrice
 * before `patience_ms` is over, then at a third of it).
 *
 * @param patience_ms no query for this long, though asked for, is a missing
 *                    querier; in QUERIER_LISTEN it is querier_limit_ms()
 */
enum querier_verdict querier_judge(struct querier *q, enum querier_mode mode,
				   uint32_t patience_ms, uint64_t now,
				   bool *ask);

#endif
