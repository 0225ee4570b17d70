/**
 * Encoders and decoders of the codecs that carry state from packet to packet:
 * G.722 (libspandsp) and Opus (libopus); the others go through as well, so
 * that a caller need not tell them apart.
 *
 * Only the alloc functions allocate; everything else may run in the media
 * thread. One owner at a time.
 */
#ifndef TOCSIN_CODER_H
#define TOCSIN_CODER_H

#include "zones/sound/codec.h"

#include <stddef.h>
#include <stdint.h>

/** Samples by which Opus, encoded here, comes out later than it went in. */
#define ENCODER_OPUS_DELAY 312

/** How long coder_silence() is sent until every decoder, wherever it was, is
 *  where a stream may begin; until then G.722 could answer a loud beginning
 *  with a burst. */
#define CODER_REST_MS 100

/** How hard an encoder tries. */
enum effort {
	EFFORT_LIVE, /**< in the media thread */
	EFFORT_LOAD, /**< once, when a message is loaded */
};

struct encoder;

/** An encoder for packets of this codec; 0, EINVAL or ENOMEM. */
int encoder_alloc(struct encoder **ep, enum codec codec);

/** Frees it; NULL is fine. Returns NULL. */
struct encoder *encoder_free(struct encoder *e);

/** Begins a stream of this format, which is of the encoder's codec. */
void encoder_reset(struct encoder *e, const struct format *f,
		   enum effort effort);

/** Goes on where another encoder of the same codec has got to. */
void encoder_copy(struct encoder *e, const struct encoder *from);

/** Encodes one packet: format_samples() of pcm into at most format_bytes().
 *  Returns the bytes. */
size_t encoder_run(struct encoder *e, uint8_t *dst, const int16_t *pcm);

/** Bytes one encoder takes. */
size_t encoder_bytes(enum codec codec);

struct decoder;

/** A decoder that gives sound of this rate (Opus 48000, G.722 16000, others
 *  any); 0, EINVAL or ENOMEM. */
int decoder_alloc(struct decoder **dp, enum codec codec, uint32_t rate);

/** Frees it; NULL is fine. Returns NULL. */
struct decoder *decoder_free(struct decoder *d);

/** Forgets what came before. */
void decoder_reset(struct decoder *d);

/** Goes on where another decoder of the same codec has got to. */
void decoder_copy(struct decoder *d, const struct decoder *from);

/** Samples a payload holds, 0 when it cannot be one of this codec. Any
 *  thread. */
uint32_t coder_samples(enum codec codec, const uint8_t *payload, size_t bytes);

/** Decodes a payload whose samples fit into max; whatever it holds. Returns
 *  the samples, 0 when it is no payload of this codec. */
uint32_t decoder_run(struct decoder *d, int16_t *pcm, uint32_t max,
		     const uint8_t *payload, size_t bytes);

/**
 * Moves what was decoded of a packet back to where the encoder had it, by
 * ENCODER_OPUS_DELAY: so an encoder can go on from it as the one that made it
 * would have. Opus; packets of one length, each in turn.
 *
 * @param pcm n samples of the packet just decoded; becomes the n of the packet
 *            before it
 */
void decoder_align(struct decoder *d, int16_t *pcm, uint32_t n);

/** Takes sound as if it had been decoded here: what decoder_conceal() goes on
 *  from, and joined to what that made before. Not for Opus. */
void decoder_heard(struct decoder *d, int16_t *pcm, uint32_t n);

/**
 * Makes n samples for a packet that did not come.
 *
 * @param next the payload after it, if that is here already: Opus may carry
 *             the lost sound in it once more (FEC); NULL otherwise
 */
void decoder_conceal(struct decoder *d, int16_t *pcm, uint32_t n,
		     const uint8_t *next, size_t next_bytes);

/** Fills one packet of the format with silence, at most format_bytes(), which
 *  means silence after whatever came before. Returns the bytes. */
size_t coder_silence(const struct format *f, uint8_t *dst);

/** Is a payload of G.722 what coder_silence() makes, as every silence is that
 *  is encoded here? Of other codecs: false. Any thread. */
bool coder_is_silence(enum codec codec, const uint8_t *payload, size_t bytes);

#endif
