/**
 * How loud sound is (EBU R128), and bringing it to a loudness without clicks.
 *
 * Load time only: allocates.
 */
#ifndef TOCSIN_LOUDNESS_H
#define TOCSIN_LOUDNESS_H

#include "pcm.h"

/** Most that a quiet source is raised: more would raise its noise. */
#define LOUDNESS_MAX_RAISE_DB 24

struct loudness {
	double lufs;    /**< integrated; -HUGE_VAL = nothing to be heard */
	double peak_db; /**< true peak, dBTP */
};

/** Measures (libebur128). What is shorter than its window of 400 ms is taken as
 *  if it were repeated. 0 or ENOMEM. */
int loudness_measure(const struct pcm *p, struct loudness *l);

/**
 * Gain in dB, true peaks held below a ceiling: where they would pass it, the
 * gain is lowered smoothly from 5 ms before and let go again within about
 * 100 ms.
 *
 * @return 0 or ENOMEM
 */
int loudness_gain(struct pcm *p, double gain_db, double ceiling_db);

#endif
