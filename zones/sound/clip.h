/**
 * A message ready to be sent: encoded once for each format when loaded, so
 * that sending it costs a header and a copy-free payload.
 *
 * Immutable after clip_alloc(); the control thread counts references, the
 * media thread only reads. One clip is one cycle of the message.
 */
#ifndef TOCSIN_CLIP_H
#define TOCSIN_CLIP_H

#include "codec.h"
#include "pcm.h"

#include <stdbool.h>

/** Formats one clip can hold: distinct over all outputs of a site. */
#define CLIP_MAX_FORMATS 16

/** Longest sound of one cycle: the longest tone, which is rounded up to its
 *  cycle, and the longest file after it. Bounds what a clip takes. */
#define CLIP_MAX_SECONDS (2 * PCM_MAX_SECONDS + 60)

struct clip;

/**
 * Encodes sound for every format.
 *
 * @param cp     where the clip is put, with one reference
 * @param pcm    the sound of one cycle (not kept)
 * @param gap_ms silence between one cycle and the next
 * @param fmts   formats, their order is kept
 * @return 0, EINVAL (no sound, too many formats), EFBIG (longer than
 *         CLIP_MAX_SECONDS) or ENOMEM
 */
int clip_alloc(struct clip **cp, const struct pcm *pcm, uint32_t gap_ms,
	       const struct format *fmts, size_t nfmts);

/** Another reference; control thread. Returns c. */
struct clip *clip_ref(struct clip *c);

/** Gives a reference back; the last one frees. Returns NULL. */
struct clip *clip_unref(struct clip *c);

/** Index of the encoding for this format, -1 when it has none. Any thread. */
int clip_format(const struct clip *c, const struct format *f);

/** Packets of the sound itself in that encoding (the last one padded with
 *  silence; Opus: until its delay has run out, unless the sound goes on into
 *  its own beginning). */
uint32_t clip_frames(const struct clip *c, int idx);

/** Packets from one cycle's start to the next's, the gap included. */
uint32_t clip_cycle_frames(const struct clip *c, int idx);

/**
 * Payload of packet i of a cycle; within the gap it is silence.
 *
 * @param again in a later cycle than the first: where G.722 or Opus go on
 *              without silence in between, the packets are others
 * @param bytes set to its length
 * @return valid as long as the clip
 */
const uint8_t *clip_payload(const struct clip *c, int idx, bool again,
			    uint32_t i, size_t *bytes);

/** Level of packet i in -dBFS: 0 loudest, 127 silence (as RFC 6464 counts). */
uint8_t clip_level(const struct clip *c, int idx, uint32_t i);

/** Length of the sound of one cycle without the gap, in ms. */
uint32_t clip_ms(const struct clip *c);

/** Bytes this clip holds: for the memory figures. */
size_t clip_bytes(const struct clip *c);

#endif
