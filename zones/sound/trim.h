/**
 * What was said in a recording: without the silence around it, and without the
 * clicks of a receiver that is picked up or put down.
 *
 * Any thread but the media thread.
 */
#ifndef TOCSIN_TRIM_H
#define TOCSIN_TRIM_H

#include "pcm.h"

/** Looked at in steps; below the floor, or so far below what one step in ten of
 *  those above it exceeds, nothing is said. */
#define TRIM_STEP_MS 10
#define TRIM_RANGE_DB 30
#define TRIM_FLOOR_DBFS (-50)
/** Sound shorter than this, with silence of at least TRIM_ALONE_MS on both
 *  sides, is a click. */
#define TRIM_CLICK_MS 60
#define TRIM_ALONE_MS 200
/** Kept before the first word and after the last. */
#define TRIM_BEFORE_MS 100
#define TRIM_AFTER_MS 200

/** What is speech in a recording. */
struct trim_span {
	size_t from, to;    /**< samples to keep */
	uint32_t spoken_ms; /**< from the first word to the end of the last; 0 =
			       nothing was said, from = to = 0 */
};

/** Finds it. Pure. */
void trim_find(const struct pcm *p, struct trim_span *s);

/** Cuts the recording down to it, with 5 ms of fading at either end that was
 *  cut. */
void trim_cut(struct pcm *p, const struct trim_span *s);

#endif
