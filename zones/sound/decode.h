/**
 * A whole audio file as a stream of samples, however long it is: for the
 * process of its own that plays music (tocsind --decode).
 */
#ifndef TOCSIN_DECODE_H
#define TOCSIN_DECODE_H

#include "controller/base/reason.h"

#include <stdint.h>

/**
 * Writes a file's sound to a descriptor: mono, 16 bit in the machine's order,
 * resampled (speexdsp) to `rate`. Blocks as the reader wishes; memory is
 * bounded. WAV, FLAC, Ogg, MP3: whatever libsndfile reads by its bytes,
 * whatever its name.
 *
 * @return 0, or an errno with the reason: no file, not readable, no audio,
 *         nothing in it; EPIPE when the reader is gone
 */
int decode_file(int out, const char *path, uint32_t rate, struct reason *why);

#endif
