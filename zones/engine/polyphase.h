/**
 * Change of sample rate without state: a table of filter phases applied to
 * samples wherever they lie.
 *
 * Live sound is read by position, by several feeds of different packet times,
 * so a streaming resampler (one reader, one position) would have to be kept
 * and cloned for each of them; a table is shared by all. Messages are
 * resampled when loaded, by speexdsp (pcm.h).
 */
#ifndef TOCSIN_POLYPHASE_H
#define TOCSIN_POLYPHASE_H

#include <stddef.h>
#include <stdint.h>

/** Longest history any table of the supported rates needs, in samples. */
#define POLYPHASE_MAX_TAPS 320

struct polyphase;

/** Makes the table from one rate to another (8000..48000); allocates.
 *  0, EINVAL or ENOMEM. */
int polyphase_alloc(struct polyphase **pp, uint32_t from, uint32_t to);

/** Frees a table; NULL is fine. Returns NULL. */
struct polyphase *polyphase_free(struct polyphase *p);

/** Samples before the first one that polyphase_run() reads. */
unsigned polyphase_history(const struct polyphase *p);

/**
 * Makes n samples. in[0] is the first sample of the frame; the
 * polyphase_history() samples before it are read too. Linear phase: the sound
 * comes out half the history later.
 */
void polyphase_run(const struct polyphase *p, int16_t *out, size_t n,
		   const int16_t *in);

#endif
