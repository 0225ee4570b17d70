/**
 * Signal tones, sample-exact, from one table (FIELD.md 1.3 names the sources).
 */
#ifndef TOCSIN_TONE_H
#define TOCSIN_TONE_H

#include "pcm.h"

/** Name of the i-th tone of the table, NULL behind the last. */
const char *tone_name(size_t i);

/** One line for people: what it is, and its standard. NULL when unknown. */
const char *tone_title(const char *name);

/** Length of one cycle in milliseconds, pauses included; 0 when unknown. */
uint32_t tone_cycle_ms(const char *name);

/** Highest level of a tone in dBFS; 0 when unknown. */
float tone_peak_db(const char *name);

/**
 * Makes a tone.
 *
 * @param p    gets the samples, phase-continuous at every change of pitch
 * @param rate samples per second
 * @param ms   length; 0 = exactly one cycle. A tone is never cut in the
 *             middle of a beat: length is rounded up to whole cycles
 * @return 0, ENOENT (unknown name) or ENOMEM
 */
int tone_make(struct pcm *p, const char *name, uint32_t rate, uint32_t ms);

#endif
