/**
 * A caller's sound by position, as it came and as it is heard.
 *
 * Positions count the ticks of his RTP clock. What came is kept for about a
 * second, encoded, to be passed on untouched; decoding goes once over it, in
 * order, as far as somebody listens, and makes up what is missing (libspandsp,
 * for Opus its own concealment and FEC). So any number of listeners, of any
 * packet time, cost one decoding.
 *
 * Pure; nothing is allocated after track_alloc(). One owner thread.
 */
#ifndef TOCSIN_TRACK_H
#define TOCSIN_TRACK_H

#include "zones/sound/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest packet, and frame, in ms. */
#define TRACK_MAX_MS 60
/** Packets of Opus that are kept, and the bytes they may take together. */
#define TRACK_PACKETS 128
#define TRACK_PACKET_BYTES 32768
/** track_extend() goes on for so many frames, then is silent. */
#define TRACK_EXTEND 3

struct track;

/** A track of a codec and its rates; 0, EINVAL or ENOMEM. */
int track_alloc(struct track **lp, enum codec codec, uint32_t rate,
		uint32_t clock);

/** Frees it; NULL is fine. Returns NULL. */
struct track *track_free(struct track *l);

/** Ticks a payload lasts, 0 when it cannot be one of this codec or is longer
 *  than TRACK_MAX_MS. */
uint32_t track_ticks(const struct track *l, const uint8_t *payload,
		     size_t bytes);

/** Puts a payload of n ticks at x; positions left out become holes. What lies
 *  too far behind the end is ignored. */
void track_put(struct track *l, int64_t x, uint32_t n, const uint8_t *payload,
	       size_t bytes);

/** Behind the newest position. */
int64_t track_end(const struct track *l);

/** Is everything from x to x + n there? */
bool track_complete(const struct track *l, int64_t x, int64_t n);

/** What was made up from x on is forgotten: something else comes there. */
void track_rewind(struct track *l, int64_t x);

/**
 * The n ticks at x as they came, if that can be had: all of it is there and,
 * for Opus, is one packet.
 *
 * @param dst gets *bytes, at most those of a format of this packet time
 */
bool track_coded(const struct track *l, int64_t x, uint32_t n, uint8_t *dst,
		 size_t *bytes);

/** The same as samples, and so many samples before x; holes are made up. What
 *  is long gone is silence. */
void track_pcm(struct track *l, int64_t x, uint32_t n, uint32_t history,
	       int16_t *dst);

/** Makes up frame number k (from 1) of n ticks that would follow what is heard
 *  before x, and so many samples before it; dst as track_pcm(). */
void track_extend(struct track *l, int64_t x, uint32_t n, unsigned k,
		  uint32_t history, int16_t *dst);

/** Samples to a tick. */
uint32_t track_per_tick(const struct track *l);

#endif
