/**
 * Codecs as outputs and calls use them: names, formats, and the codecs whose
 * packets stand for themselves (G.711, L16). G.722 and Opus carry state from
 * packet to packet: coder.h.
 *
 * Pure functions; any thread.
 */
#ifndef TOCSIN_CODEC_H
#define TOCSIN_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum codec {
	CODEC_PCMU, /**< G.711 mu-law, RFC 3551 payload type 0 */
	CODEC_PCMA, /**< G.711 A-law, payload type 8 */
	CODEC_L16,  /**< 16 bit linear, network order, mono, RFC 3551 4.5.11 */
	CODEC_G722, /**< 64 kbit/s, 16 kHz sound on an 8 kHz clock, 4.5.2 */
	CODEC_OPUS, /**< mono, 48 kHz, RFC 6716 and 7587 */
	CODEC_COUNT
};

/** Bits per second Opus may be given, and the largest packet of it. */
#define CODEC_OPUS_MIN_BITRATE 12000
#define CODEC_OPUS_MAX_BITRATE 128000
#define CODEC_OPUS_BYTES 1275

/** How sound is wanted on the wire; equal formats share one encoding. */
struct format {
	enum codec codec;
	uint8_t pt;        /**< RTP payload type */
	uint16_t ptime_ms; /**< packet time, 10..60; Opus: 10, 20, 40, 60 */
	uint32_t rate;     /**< samples per second */
	uint32_t clock;    /**< RTP clock; the rate, but for G.722 8000 */
	uint32_t bitrate;  /**< Opus: bits per second; others 0 */
	int16_t gain_cb;   /**< gain in centibels (1/10 dB), applied before
			      encoding */
};

/** "pcmu", "pcma", "l16", "g722", "opus" -> codec; -1 for an unknown name
 *  (case ignored). */
int codec_by_name(const char *name);

/** The configuration's name of a codec. */
const char *codec_name(enum codec codec);

/** Does a packet's meaning depend on those before it? Then codec_encode(),
 *  codec_decode() and codec_silence() are not for it but coder.h. */
static inline bool codec_stateful(enum codec codec)
{
	return codec == CODEC_G722 || codec == CODEC_OPUS;
}

/** Sets *f to the codec's defaults: its payload type (static, or 96, Opus
 *  111), 20 ms (L16 above 32 kHz: 10 ms, so that a packet stays below 1,500
 *  bytes), its rate and clock (L16: rate, one of 8000 16000 32000 44100 48000),
 *  Opus 48 kbit/s, gain 0. */
void format_default(struct format *f, enum codec codec, uint32_t rate);

/** Does its codec go with its rate, clock, packet time and bitrate? */
bool format_valid(const struct format *f);

/** Samples in one packet. */
static inline uint32_t format_samples(const struct format *f)
{
	return f->rate / 1000u * f->ptime_ms +
	       f->rate % 1000u * f->ptime_ms / 1000u;
}

/** By how much the RTP timestamp grows with one packet. */
static inline uint32_t format_ticks(const struct format *f)
{
	return f->clock / 1000u * f->ptime_ms +
	       f->clock % 1000u * f->ptime_ms / 1000u;
}

/** Bytes in one packet's payload: exactly, for Opus at most. */
static inline size_t format_bytes(const struct format *f)
{
	return f->codec == CODEC_OPUS
		       ? CODEC_OPUS_BYTES
		       : format_ticks(f) * (f->codec == CODEC_L16 ? 2u : 1u);
}

/** Do two formats give the same payload for the same sound? The payload type,
 *  which stands in the header, does not count. */
bool format_equal(const struct format *a, const struct format *b);

/** Encodes n samples into dst (n bytes; 2 n for L16). */
void codec_encode(enum codec codec, uint8_t *dst, const int16_t *src, size_t n);

/** Decodes n samples from src (n bytes; 2 n for L16). */
void codec_decode(enum codec codec, int16_t *dst, const uint8_t *src, size_t n);

/** Fills n samples' worth of payload with silence. */
void codec_silence(enum codec codec, uint8_t *dst, size_t n);

#endif
