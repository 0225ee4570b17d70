/**
 * Jitter buffer: a caller's sound between its arrival and its playing.
 *
 * Pure: time is an argument, nothing is allocated after playout_alloc(). One
 * owner thread.
 *
 * The buffer keeps a track (track.h): about the last second by position, and a
 * schedule: which position is due when. Any number of readers, with packet
 * times of their own, follow that schedule. It is locked to the
 * arrivals: on a clean network a packet is due PLAYOUT_MARGIN_US after it
 * came. A packet that comes late moves the schedule back at once; when nothing
 * has been late for some seconds it creeps forward again. A caller's clock
 * that runs fast or slow is followed the same way, so drift neither drops nor
 * inserts a sample.
 *
 * A sender that starts anew (other SSRC, timestamps that jump, a long pause)
 * begins a new epoch: readers go on at its start, whatever was left is
 * forgotten. Whatever arrives, a reader makes no more than about 8/7 of the
 * frames that fit into the time, so a hostile sender cannot speed us up.
 */
#ifndef TOCSIN_PLAYOUT_H
#define TOCSIN_PLAYOUT_H

#include "zones/sound/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How long before it is due a packet should have come. */
#define PLAYOUT_MARGIN_US 2000
/** Longest delay the schedule is moved back to. */
#define PLAYOUT_MAX_DELAY_US 200000
/** How long a reader waits past its time for a packet that is late. */
#define PLAYOUT_WAIT_US 8000
/** Sound missing for so long is a pause: what comes next starts anew. */
#define PLAYOUT_PAUSE_US 120000
struct playout;

/** Counters in packets, since playout_alloc(). */
struct playout_stats {
	uint32_t received, lost, late, duplicate, resyncs;
	uint32_t jitter_us; /**< RFC 3550 6.4.1 */
	uint32_t delay_us;  /**< how long the fastest packets wait */
};

/** A buffer for a format's codec, rate and clock; 0, EINVAL or ENOMEM. */
int playout_alloc(struct playout **pp, const struct format *f);

/** Frees it; NULL is fine. Returns NULL. */
struct playout *playout_free(struct playout *p);

/** Goes on with the counters of another buffer (renegotiated format); readers
 *  begin anew. */
void playout_inherit(struct playout *p, const struct playout *from);

/**
 * Takes one packet.
 *
 * @return false when it cannot be a payload of this codec, or is longer than
 *         TRACK_MAX_MS
 */
bool playout_put(struct playout *p, uint32_t ssrc, uint16_t seq, uint32_t ts,
		 const uint8_t *payload, size_t bytes, uint64_t now_us);

/** What comes next is another stream, even if its SSRC and numbers look like
 *  the last one's: gateways begin every talk with the same. */
void playout_restart(struct playout *p);

/** Reads the counters. */
void playout_stats(const struct playout *p, struct playout_stats *s);

/** One follower of the schedule. */
struct playout_reader {
	uint32_t n;          /**< ticks of a frame */
	uint64_t period_us;  /**< its length */
	uint32_t epoch;      /**< of the position, 0 = none yet */
	int64_t x;           /**< next position */
	uint64_t last_us;    /**< when the last frame was due */
	uint64_t rephase_us; /**< when a frame last came early on purpose */
	unsigned made_up;    /**< frames in a row without sound */
	bool waiting;
	struct {
		uint32_t epoch; /**< 0 = nothing came yet: silence */
		int64_t x;
		unsigned extended; /**< made up before x; how many in a row */
	} frame;                   /**< taken last */
};

/** A reader whose first frame is due now. */
void playout_reader_init(struct playout_reader *r, uint32_t n,
			 uint64_t period_us, uint64_t now_us);

/** When the reader wants its next frame. Ask again after playout_put(). */
uint64_t playout_due(const struct playout *p, struct playout_reader *r);

enum playout_frame {
	PLAYOUT_SOUND,   /**< all of it came over the wire */
	PLAYOUT_MADE_UP, /**< something was missing: concealed, or silence */
	PLAYOUT_WAIT,    /**< no frame yet: look at playout_due() again */
};

/** Takes the reader's next frame at its due time; its sound is asked for
 *  below, before the next one is taken. */
enum playout_frame playout_take(struct playout *p, struct playout_reader *r,
				uint64_t now_us);

/**
 * Takes the next frame of a background: no schedule of its own, it is asked
 * when the foreground's packet is due and keeps near to its schedule.
 */
void playout_follow(struct playout *p, struct playout_reader *r,
		    uint64_t now_us);

/** The frame taken last as it came (track_coded()); false when it has to be
 *  made from samples. */
bool playout_coded(const struct playout *p, const struct playout_reader *r,
		   uint8_t *dst, size_t *bytes);

/** The frame taken last as samples, and so many samples before it (for
 *  filters); history at most 320. */
void playout_pcm(struct playout *p, const struct playout_reader *r,
		 uint32_t history, int16_t *dst);

#endif
