/**
 * Codecs as outputs and calls use them: names, payload types, G.711 and L16.
 *
 * Pure functions; any thread.
 */
#ifndef TOCSIN_CODEC_H
#define TOCSIN_CODEC_H

#include <stddef.h>
#include <stdint.h>

enum codec {
	CODEC_PCMU, /**< G.711 mu-law, RFC 3551 payload type 0 */
	CODEC_PCMA, /**< G.711 A-law, payload type 8 */
	CODEC_L16,  /**< 16 bit linear, network order, mono, RFC 3551 4.5.11 */
	CODEC_COUNT
};

/** How sound is wanted on the wire; equal formats share one encoding. */
struct format {
	enum codec codec;
	uint8_t pt;        /**< RTP payload type */
	uint16_t ptime_ms; /**< packet time, 10..60 */
	uint32_t rate;     /**< samples and RTP clock per second */
	int16_t gain_cb;   /**< gain in centibels (1/10 dB), applied before
			      encoding */
};

/** "pcmu", "pcma", "l16" -> codec; -1 for an unknown name (case ignored). */
int codec_by_name(const char *name);

/** The configuration's name of a codec. */
const char *codec_name(enum codec codec);

/** Sets *f to the codec's defaults: static payload type, 20 ms (L16 above
 *  32 kHz: 10 ms, so that a packet stays below 1,500 bytes), its rate (L16:
 *  rate, one of 8000 16000 32000 44100 48000), gain 0. */
void format_default(struct format *f, enum codec codec, uint32_t rate);

/** Samples in one packet. */
static inline uint32_t format_samples(const struct format *f)
{
	return f->rate / 1000u * f->ptime_ms +
	       f->rate % 1000u * f->ptime_ms / 1000u;
}

/** Bytes in one packet's payload. */
static inline size_t format_bytes(const struct format *f)
{
	return format_samples(f) * (f->codec == CODEC_L16 ? 2u : 1u);
}

/** Do two formats give the same bytes for the same sound? */
int format_equal(const struct format *a, const struct format *b);

/** Encodes n samples into dst (n bytes; 2 n for L16). */
void codec_encode(enum codec codec, uint8_t *dst, const int16_t *src, size_t n);

/** Decodes n samples from src (n bytes; 2 n for L16). */
void codec_decode(enum codec codec, int16_t *dst, const uint8_t *src, size_t n);

/** Fills n samples' worth of payload with silence. */
void codec_silence(enum codec codec, uint8_t *dst, size_t n);

#endif
