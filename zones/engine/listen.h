/**
 * Who is heard of all that send to a place we listen to.
 *
 * One at a time: who has begun is heard until nothing came for `hang_us`. To
 * begin takes two packets in order, so that a straggler starts nothing; the
 * first of them is kept. All others are counted by what is wrong with them.
 *
 * Pure: time is an argument, nothing is allocated. One owner thread; the
 * counters may be read by any.
 */
#ifndef TOCSIN_LISTEN_H
#define TOCSIN_LISTEN_H

#include "zones/engine/endpoint.h"
#include "zones/engine/packet.h"
#include "zones/media.h"

#include <stdatomic.h>

/** Shortest and longest packet that is taken as sound. */
#define LISTEN_MIN_MS 5
#define LISTEN_MAX_MS 60
#define LISTEN_MAX_PAYLOAD (48 * LISTEN_MAX_MS * 2)
/** A first packet without a second is forgotten after so long. */
#define LISTEN_KEEP_US 120000
/** How far a second packet may be ahead of the first to be its next. */
#define LISTEN_MAX_STEP 16

/** What is known of a Polycom phone's talk. */
struct listen_polycom {
	uint8_t channel; /**< 0 = this is RTP */
	bool called;     /**< alerted, or sent a first sound */
	uint32_t caller; /**< who did */
	uint64_t called_us;
	bool passed;        /**< by a first sound, not heard yet ... */
	uint32_t called_ts; /**< ... of this time */
	bool any;           /**< last_ts is of this talk */
	uint32_t last_ts, step, frame;
	unsigned alone; /**< packets in a row that held one frame */
	uint16_t seq0, seq;
	uint32_t ts0;
};

struct listen {
	/* Set before it is used. */
	struct format fmt;
	uint64_t hang_us;
	unsigned n_allow;
	struct media_net allow[MEDIA_MAX_ALLOW];

	struct listen_polycom polycom;
	bool talks;
	union endpoint from; /**< who talks, or seems to begin */
	uint32_t ssrc;
	/** The first packet of who seems to begin. */
	struct {
		bool there;
		uint64_t at_us;
		uint16_t seq;
		uint32_t ts;
		size_t len;
		uint8_t payload[LISTEN_MAX_PAYLOAD];
	} first;

	_Atomic uint64_t heard, unheard[UNHEARD_COUNT];
	_Atomic uint16_t last_type, last_size;
	/** Addresses in three words: a torn reading shows a wrong one once. */
	_Atomic uint64_t from_word[3], by_word[UNHEARD_COUNT][3];
};

enum listen_verdict {
	LISTEN_NOT,    /**< not to be heard; counted */
	LISTEN_KEPT,   /**< perhaps somebody begins: kept as l->first */
	LISTEN_BEGINS, /**< l->first, then this one */
	LISTEN_GOES_ON,
};

/** May packets of this sender be heard at all? Counts who may not. */
bool listen_allowed(struct listen *l, const union endpoint *from);

/** Counts a packet that is not to be heard, and notes its sender. */
void listen_drop(struct listen *l, enum media_unheard why,
		 const union endpoint *from);

/** Judges a packet of a sender that is allowed. */
enum listen_verdict listen_judge(struct listen *l, const union endpoint *from,
				 const struct packet *p, uint64_t now_us);

/** He talks from now on; listen_judge() says so by itself. */
void listen_begin(struct listen *l, const union endpoint *from, uint32_t id);

/** He is over: the next one may begin. */
void listen_end(struct listen *l);

/** Reads the counters; any thread. */
void listen_stats(const struct listen *l, struct media_listen_stats *s);

#endif
