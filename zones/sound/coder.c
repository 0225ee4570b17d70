#include "coder.h"

#include <errno.h>
#include <opus/opus.h>
#include <spandsp/telephony.h>
/* The sizes of its states, to keep them where we like. */
#include <spandsp/g722.h>
#include <spandsp/plc.h>
#include <spandsp/private/g722.h>
#include <stdlib.h>
#include <string.h>

#define OPUS_RATE 48000
/** libopus makes up and recovers sound in steps of 2.5 ms. */
#define OPUS_STEP (OPUS_RATE / 400)
#define OPUS_MAX_SAMPLES (OPUS_RATE / 1000 * 120)
/** Of ten steps of effort. Half of them cost half the time and are hardly to
 *  be told apart at the rates announcements are sent with. */
#define OPUS_LIVE_COMPLEXITY 5
#define OPUS_LOAD_COMPLEXITY 10
/** Loss expected on the way, in percent: makes the encoder add FEC where it
 *  codes speech, and lean less on earlier packets. */
#define OPUS_LOSS 5
/** Sound made up at full strength, and how long it takes to fade then. */
#define OPUS_FADE_FROM (OPUS_RATE / 1000 * 40)
#define OPUS_FADE_TIME (OPUS_RATE / 1000 * 60)
#define G722_RATE 16000
/** libspandsp looks for a pitch between 66 and 200 Hz at 8 kHz; so faster
 *  sound is dealt out to several of it, sample by sample. */
#define PLC_RATE 8000
#define PLC_MAX_PHASES (48000 / PLC_RATE)
#define PLC_CHUNK 960
#define G722_BITS 64000
/** Sample values up to this are sent as silence is. */
#define G722_NOTHING 40
#define MAX_PTIME 60
/** Samples of an Opus packet that decoder_align() keeps for the next. */
#define OPUS_HELD (OPUS_RATE / 1000 * MAX_PTIME - ENCODER_OPUS_DELAY)

struct encoder {
	struct format fmt;
	union {
		g722_encode_state_t g722;
		/* Continuous in memory, copied as it is (opus.h). */
		max_align_t opus[1];
	};
};

struct decoder {
	enum codec codec;
	size_t bytes;     /**< all of it */
	uint32_t phases;  /**< of concealment; Opus has its own */
	uint32_t phase;   /**< of the next sample */
	uint32_t missing; /**< Opus: samples made up in a row */
	g722_decode_state_t g722;
	max_align_t rest[]; /**< OpusDecoder and what is held of its sound, or
			       plc_state_t[phases] */
};

/* ---------------------------------------------------------------- encoder */

static OpusEncoder *opus_enc(struct encoder *e)
{
	return (OpusEncoder *)(void *)e->opus;
}

size_t encoder_bytes(enum codec codec)
{
	return sizeof(struct encoder) +
	       (codec == CODEC_OPUS ? (size_t)opus_encoder_get_size(1) : 0);
}

int encoder_alloc(struct encoder **ep, enum codec codec)
{
	struct encoder *e;
	struct format f;

	if (!ep || codec >= CODEC_COUNT)
		return EINVAL;
	e = malloc(encoder_bytes(codec));
	if (!e)
		return ENOMEM;
	/* Written now, so that the media thread faults no page in. */
	memset(e, 0, encoder_bytes(codec));
	format_default(&f, codec, 16000);
	encoder_reset(e, &f, EFFORT_LIVE);
	*ep = e;
	return 0;
}

struct encoder *encoder_free(struct encoder *e)
{
	free(e);
	return NULL;
}

static void opus_begin(OpusEncoder *o, const struct format *f,
		       enum effort effort)
{
	/* Not VOIP: tones and music are to stay what they are. */
	opus_encoder_init(o, OPUS_RATE, 1, OPUS_APPLICATION_AUDIO);
	opus_encoder_ctl(o, OPUS_SET_BITRATE((opus_int32)f->bitrate));
	opus_encoder_ctl(o,
			 OPUS_SET_COMPLEXITY(effort == EFFORT_LOAD
						     ? OPUS_LOAD_COMPLEXITY
						     : OPUS_LIVE_COMPLEXITY));
	opus_encoder_ctl(o, OPUS_SET_INBAND_FEC(1));
	opus_encoder_ctl(o, OPUS_SET_PACKET_LOSS_PERC(OPUS_LOSS));
	/* A stream without packets would look like a dead one. */
	opus_encoder_ctl(o, OPUS_SET_DTX(0));
}

void encoder_reset(struct encoder *e, const struct format *f,
		   enum effort effort)
{
	e->fmt = *f;
	if (f->codec == CODEC_G722)
		g722_encode_init(&e->g722, G722_BITS, 0);
	else if (f->codec == CODEC_OPUS)
		opus_begin(opus_enc(e), f, effort);
}

void encoder_copy(struct encoder *e, const struct encoder *from)
{
	memcpy(e, from, encoder_bytes(from->fmt.codec));
}

/** G.722's encoder and decoder predict alike: what a decoder is in after these
 *  bytes, an encoder is to go on from. */
static void g722_follow(g722_encode_state_t *e, const uint8_t *bytes, size_t n)
{
	int16_t heard[G722_RATE / 1000 * MAX_PTIME];
	g722_decode_state_t d;

	g722_decode_init(&d, G722_BITS, 0);
	memcpy(d.band, e->band, sizeof(d.band));
	g722_decode(&d, heard, bytes, (int)n);
	memcpy(e->band, d.band, sizeof(d.band));
	/* Of the filter that parts the bands only silence is left. */
	memset(e->x, 0, sizeof(e->x));
	memset(e->y, 0, sizeof(e->y));
}

static size_t g722_run(struct encoder *e, uint8_t *dst, const int16_t *pcm,
		       uint32_t n)
{
	uint32_t i = 0;

	while (i < n && pcm[i] <= G722_NOTHING && pcm[i] >= -G722_NOTHING)
		i++;
	if (i < n)
		return (size_t)g722_encode(&e->g722, dst, pcm, (int)n);
	coder_silence(&e->fmt, dst);
	g722_follow(&e->g722, dst, n / 2);
	return n / 2;
}

size_t encoder_run(struct encoder *e, uint8_t *dst, const int16_t *pcm)
{
	uint32_t n = format_samples(&e->fmt);
	int r;

	switch (e->fmt.codec) {
	case CODEC_G722:
		return g722_run(e, dst, pcm, n);
	case CODEC_OPUS:
		r = opus_encode(opus_enc(e), pcm, (int)n, dst,
				CODEC_OPUS_BYTES);
		break;
	default:
		codec_encode(e->fmt.codec, dst, pcm, n);
		return format_bytes(&e->fmt);
	}
	/* Only arguments that are wrong fail. */
	return r > 0 ? (size_t)r : coder_silence(&e->fmt, dst);
}

/* ---------------------------------------------------------------- decoder */

static OpusDecoder *opus_dec(struct decoder *d)
{
	return (OpusDecoder *)(void *)d->rest;
}

static int16_t *held_of(struct decoder *d)
{
	return (int16_t *)(void *)((char *)d->rest + opus_decoder_get_size(1));
}

static plc_state_t *plc_of(struct decoder *d, uint32_t phase)
{
	return (plc_state_t *)(void *)d->rest + phase;
}

static uint32_t phases_of(uint32_t rate)
{
	uint32_t n = rate / PLC_RATE;

	return n < 1 ? 1 : n > PLC_MAX_PHASES ? PLC_MAX_PHASES : n;
}

int decoder_alloc(struct decoder **dp, enum codec codec, uint32_t rate)
{
	uint32_t phases = phases_of(rate);
	struct decoder *d;
	size_t bytes;

	if (!dp || codec >= CODEC_COUNT ||
	    (codec == CODEC_G722 && rate != G722_RATE) ||
	    (codec == CODEC_OPUS && rate != OPUS_RATE))
		return EINVAL;
	bytes = sizeof(*d) + (codec == CODEC_OPUS
				      ? (size_t)opus_decoder_get_size(1) +
						OPUS_HELD * sizeof(int16_t)
				      : phases * sizeof(plc_state_t));
	d = malloc(bytes);
	if (!d)
		return ENOMEM;
	/* Written now, so that the media thread faults no page in. */
	memset(d, 0, bytes);
	d->codec = codec;
	d->bytes = bytes;
	d->phases = phases;
	decoder_reset(d);
	*dp = d;
	return 0;
}

struct decoder *decoder_free(struct decoder *d)
{
	free(d);
	return NULL;
}

void decoder_reset(struct decoder *d)
{
	d->phase = d->missing = 0;
	if (d->codec == CODEC_OPUS) {
		opus_decoder_init(opus_dec(d), OPUS_RATE, 1);
		memset(held_of(d), 0, OPUS_HELD * sizeof(int16_t));
		return;
	}
	for (uint32_t i = 0; i < d->phases; i++)
		plc_init(plc_of(d, i));
	if (d->codec == CODEC_G722)
		g722_decode_init(&d->g722, G722_BITS, 0);
}

void decoder_copy(struct decoder *d, const struct decoder *from)
{
	memcpy(d, from, from->bytes);
}

uint32_t coder_samples(enum codec codec, const uint8_t *payload, size_t bytes)
{
	int n;

	if (!bytes)
		return 0;
	switch (codec) {
	case CODEC_L16:
		return bytes % 2 ? 0 : (uint32_t)(bytes / 2);
	case CODEC_G722:
		return (uint32_t)(2 * bytes);
	case CODEC_OPUS:
		if (bytes > CODEC_OPUS_BYTES)
			return 0;
		n = opus_packet_get_nb_samples(payload, (opus_int32)bytes,
					       OPUS_RATE);
		return n > 0 ? (uint32_t)n : 0;
	default:
		return (uint32_t)bytes;
	}
}

/** Does something to every phase's part of n samples. */
static void plc(struct decoder *d, int16_t *pcm, uint32_t n,
		int (*what)(plc_state_t *s, int16_t amp[], int len))
{
	if (d->phases == 1) {
		what(plc_of(d, 0), pcm, (int)n);
		return;
	}
	while (n) {
		uint32_t run = n < PLC_CHUNK ? n : PLC_CHUNK;

		for (uint32_t i = 0; i < d->phases; i++) {
			uint32_t from = (i + d->phases - d->phase) % d->phases;
			int16_t part[PLC_CHUNK];
			int k = 0;

			for (uint32_t j = from; j < run; j += d->phases)
				part[k++] = pcm[j];
			if (k)
				what(plc_of(d, i), part, k);
			k = 0;
			for (uint32_t j = from; j < run; j += d->phases)
				pcm[j] = part[k++];
		}
		d->phase = (d->phase + run) % d->phases;
		pcm += run;
		n -= run;
	}
}

uint32_t decoder_run(struct decoder *d, int16_t *pcm, uint32_t max,
		     const uint8_t *payload, size_t bytes)
{
	uint32_t n = coder_samples(d->codec, payload, bytes);
	int r;

	if (!n || n > max)
		return 0;
	switch (d->codec) {
	case CODEC_OPUS:
		r = opus_decode(opus_dec(d), payload, (opus_int32)bytes, pcm,
				(int)max, 0);
		d->missing = 0;
		return r > 0 ? (uint32_t)r : 0;
	case CODEC_G722:
		g722_decode(&d->g722, pcm, payload, (int)bytes);
		break;
	default:
		codec_decode(d->codec, pcm, payload, n);
		break;
	}
	plc(d, pcm, n, plc_rx);
	return n;
}

void decoder_align(struct decoder *d, int16_t *pcm, uint32_t n)
{
	int16_t next[OPUS_HELD], *held = held_of(d);
	uint32_t keep = n - ENCODER_OPUS_DELAY;

	memcpy(next, pcm + ENCODER_OPUS_DELAY, keep * sizeof(*pcm));
	memmove(pcm + keep, pcm, ENCODER_OPUS_DELAY * sizeof(*pcm));
	memcpy(pcm, held, keep * sizeof(*pcm));
	memcpy(held, next, keep * sizeof(*pcm));
}

void decoder_heard(struct decoder *d, int16_t *pcm, uint32_t n)
{
	if (d->codec != CODEC_OPUS)
		plc(d, pcm, n, plc_rx);
}

/** Sound made up by libopus fades to a hiss that stays; a source that is away
 *  for good must fall silent. */
static void fade(struct decoder *d, int16_t *pcm, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++, d->missing++) {
		uint32_t left =
			d->missing < OPUS_FADE_FROM ? OPUS_FADE_TIME
			: d->missing < OPUS_FADE_FROM + OPUS_FADE_TIME
				? OPUS_FADE_FROM + OPUS_FADE_TIME - d->missing
				: 0;

		pcm[i] = (int16_t)(pcm[i] * (int32_t)left / OPUS_FADE_TIME);
		if (!left)
			d->missing--;
	}
}

/** plc_fillin() brings its history into order by a memcpy() onto itself
 *  (normalise_history of libspandsp 0.0.6): it is found in order already. */
static int fill_in(plc_state_t *s, int16_t amp[], int len)
{
	int16_t old[PLC_HISTORY_LEN];
	size_t n = (size_t)s->buf_ptr;

	memcpy(old, s->history, sizeof(old));
	memcpy(s->history, old + n, sizeof(old) - n * sizeof(old[0]));
	memcpy(s->history + PLC_HISTORY_LEN - n, old, n * sizeof(old[0]));
	s->buf_ptr = 0;
	return plc_fillin(s, amp, len);
}

/** libopus makes up whole steps; what is asked for besides is silence. */
static void opus_conceal(struct decoder *d, int16_t *pcm, uint32_t n,
			 const uint8_t *next, size_t next_bytes)
{
	while (n) {
		bool fec = next && n <= OPUS_MAX_SAMPLES;
		uint32_t run = n > OPUS_MAX_SAMPLES ? OPUS_MAX_SAMPLES : n;
		int r = 0;

		run -= run % OPUS_STEP;
		if (run)
			r = opus_decode(opus_dec(d), fec ? next : NULL,
					fec ? (opus_int32)next_bytes : 0, pcm,
					(int)run, fec);
		if (r <= 0) {
			memset(pcm, 0, n * sizeof(*pcm));
			return;
		}
		if (!fec)
			fade(d, pcm, (uint32_t)r);
		pcm += r;
		n -= (uint32_t)r;
	}
}

void decoder_conceal(struct decoder *d, int16_t *pcm, uint32_t n,
		     const uint8_t *next, size_t next_bytes)
{
	if (d->codec == CODEC_OPUS)
		opus_conceal(d, pcm, n, next, next_bytes);
	else
		plc(d, pcm, n, fill_in);
}

/* ---------------------------------------------------------------- silence */

/**
 * Silence in G.722, 10 ms, at most 40 of 32768 beside zero.
 *
 * A constant code would do for the ear, but it drives a decoder's predictor to
 * its limits (all differences have one sign), and so does an encoder's own
 * silence: the first 40 ms of the next stream, encoded from rest, then come
 * out at full scale. This mixture of the smallest steps of both signs,
 * searched for, leads every decoder within CODER_REST_MS close to where it was
 * when it was made.
 */
static const uint8_t g722_silence[80] = {
	0xde, 0x5b, 0xf7, 0xf7, 0x5b, 0xf7, 0xdb, 0xf7, 0xdb, 0xfa, 0xf7, 0x9e,
	0x5b, 0x77, 0x9d, 0xf7, 0xfa, 0xdd, 0x77, 0xdb, 0xdb, 0xf7, 0x7b, 0x77,
	0x5f, 0x5b, 0xfa, 0x7b, 0x5f, 0x39, 0xf7, 0xf7, 0xdb, 0x79, 0xf9, 0xf7,
	0x5b, 0x77, 0x7a, 0xf7, 0xdf, 0x5f, 0xde, 0xfb, 0xdb, 0xf7, 0x79, 0x5b,
	0xf7, 0x1f, 0x1d, 0x9f, 0x5e, 0xfa, 0x5f, 0x7b, 0x5f, 0xf7, 0xfa, 0x5e,
	0xde, 0x7b, 0xf7, 0xdd, 0x79, 0xdf, 0x77, 0x5f, 0xf7, 0xdd, 0xdf, 0x7b,
	0x79, 0x5e, 0xde, 0x77, 0x7a, 0x79, 0xf9, 0xdd,
};

/** Frames of CELT's shortest code for silence (RFC 6716 3.1 and 3.2): a TOC
 *  byte of full band mono, then the same two bytes for each frame. */
static size_t opus_silence(const struct format *f, uint8_t *dst)
{
	size_t frames = f->ptime_ms > 20 ? f->ptime_ms / 20u : 1, n = 0;

	dst[n++] = f->ptime_ms == 10 ? 30 << 3
		   : frames == 1     ? 31 << 3
		   : frames == 2     ? 31 << 3 | 1
				     : 31 << 3 | 3;
	if (frames > 2)
		dst[n++] = (uint8_t)frames;
	while (frames--) {
		dst[n++] = 0xff;
		dst[n++] = 0xfe;
	}
	return n;
}

size_t coder_silence(const struct format *f, uint8_t *dst)
{
	if (f->codec == CODEC_OPUS)
		return opus_silence(f, dst);
	if (f->codec == CODEC_G722)
		for (size_t i = 0; i < format_bytes(f);
		     i += sizeof(g722_silence))
			memcpy(dst + i, g722_silence, sizeof(g722_silence));
	else
		codec_silence(f->codec, dst, format_samples(f));
	return format_bytes(f);
}

bool coder_is_silence(enum codec codec, const uint8_t *payload, size_t bytes)
{
	const size_t block = sizeof(g722_silence);

	if (codec != CODEC_G722 || !bytes || bytes % block)
		return false;
	for (size_t i = 0; i < bytes; i += block)
		if (memcmp(payload + i, g722_silence, block) != 0)
			return false;
	return true;
}
