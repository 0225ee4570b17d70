/**
 * Sound that is made while it plays (music): a bounded ring of frames between
 * the control thread, which fills it, and the media thread, which plays it.
 *
 * Nothing is locked, and nothing allocated after tape_alloc(). One producer.
 */
#ifndef TOCSIN_TAPE_H
#define TOCSIN_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One frame, and how many a tape holds: 2.56 s. */
#define TAPE_FRAME_MS 20
#define TAPE_FRAMES 128
#define TAPE_MAX_SAMPLES (48 * TAPE_FRAME_MS)

struct tape;

/** A tape of mono 16 bit samples at 8000 to 48000 Hz, a multiple of 50; 0,
 *  EINVAL or ENOMEM. */
int tape_alloc(struct tape **tp, uint32_t rate);

/** Frees a tape nobody plays any more; NULL is fine. Returns NULL. */
struct tape *tape_free(struct tape *t);

uint32_t tape_rate(const struct tape *t);

/** Samples of one frame. */
static inline uint32_t tape_samples(uint32_t rate)
{
	return rate / (1000 / TAPE_FRAME_MS);
}

/** Frames that still fit. Producer. */
size_t tape_room(const struct tape *t);

/** Appends one frame; false when there is no room. Producer. */
bool tape_put(struct tape *t, const int16_t *frame);

/** What is on it will not be played any more. Producer. */
void tape_flush(struct tape *t);

/** Takes the oldest frame, in network order; false when there is none.
 *  The media thread. */
bool tape_take(struct tape *t, uint8_t *l16);

struct tape_stats {
	uint64_t played; /**< frames */
	uint64_t empty;  /**< frames that were due and not there */
};

/** Reads the counters; any thread. */
void tape_stats(const struct tape *t, struct tape_stats *s);

#endif
