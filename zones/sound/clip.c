#include "clip.h"

#include "coder.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/** A last packet louder than this (-dBFS) does not fall silent by itself. */
#define LOUD 50
/** Of a loop: cycles of which the one that joins best to itself is kept (of a
 *  long one fewer: they take time), and the packets on either side of that
 *  seam. */
#define CANDIDATES 4
#define CANDIDATES_MS 10000
#define SEAM_FRAMES 10

struct encoding {
	struct format fmt;
	uint32_t frames, cycle_frames;
	bool loops;   /**< a cycle leads into the next without silence */
	uint32_t *at; /**< where each packet begins, and the last one ends; of
			 a loop its first cycle's, then any later one's */
	uint8_t *data;
	uint8_t *level; /**< one per frame */
	uint8_t *silence;
	size_t silence_bytes;
};

struct clip {
	unsigned refs;
	uint32_t ms;
	size_t n;
	struct encoding enc[CLIP_MAX_FORMATS];
};

static void apply_gain(int16_t *dst, const int16_t *src, size_t n, int gain_cb)
{
	double factor = pow(10, gain_cb / 200.0);

	for (size_t i = 0; i < n; i++) {
		double v = src[i] * factor;

		dst[i] = v > 32767    ? 32767
			 : v < -32768 ? -32768
				      : (int16_t)lrint(v);
	}
}

/** RMS of one packet in -dBov, as RFC 6464 counts it. */
static uint8_t level_of(const int16_t *v, size_t n)
{
	double sum = 0, db;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];
	if (sum < 1)
		return 127;
	db = -10 * log10(sum / (double)n / (32768.0 * 32768.0));
	return db < 0 ? 0 : db > 127 ? 127 : (uint8_t)lrint(db);
}

/** Encodes `cycles` cycles of padded samples, one after the other, into
 *  e->data. */
static int encode_frames(struct encoding *e, const int16_t *v, uint32_t cycles)
{
	uint32_t samples = format_samples(&e->fmt);
	size_t most = format_bytes(&e->fmt), used = 0;
	size_t room = most * e->frames * cycles;
	struct encoder *enc = NULL;
	uint8_t *data;

	if (encoder_alloc(&enc, e->fmt.codec))
		return ENOMEM;
	if (e->fmt.bitrate)
		room = (size_t)e->fmt.bitrate / 8000 * e->fmt.ptime_ms *
			       e->frames * cycles +
		       most;
	encoder_reset(enc, &e->fmt, EFFORT_LOAD);
	for (uint32_t i = 0; i < e->frames * cycles; i++) {
		if (!e->data || used + most > room) {
			room += e->data ? room / 2 : 0;
			data = realloc(e->data, room);
			if (!data) {
				encoder_free(enc);
				return ENOMEM;
			}
			e->data = data;
		}
		e->at[i] = (uint32_t)used;
		used += encoder_run(enc, e->data + used,
				    v + (size_t)(i % e->frames) * samples);
	}
	e->at[e->frames * cycles] = (uint32_t)used;
	encoder_free(enc);
	return 0;
}

/** How hard a receiver's sound cracks where a cycle follows itself: the
 *  largest third difference of its samples. */
static int seam_crack(const struct encoding *e, uint32_t cycle,
		      struct decoder *d, int16_t *pcm)
{
	uint32_t samples = format_samples(&e->fmt), first = cycle * e->frames;
	uint32_t n = e->frames < SEAM_FRAMES ? e->frames : SEAM_FRAMES;
	int x[4] = {0}, worst = 0;

	decoder_reset(d);
	for (uint32_t k = 0; k < 2 * n; k++) {
		uint32_t i = first + (k < n ? e->frames - n + k : k - n);

		decoder_run(d, pcm, samples, e->data + e->at[i],
			    e->at[i + 1] - e->at[i]);
		for (uint32_t j = 0; j < samples; j++) {
			int crack;

			memmove(x, x + 1, 3 * sizeof(*x));
			x[3] = pcm[j];
			crack = abs(x[3] - 3 * x[2] + 3 * x[1] - x[0]);
			if (k >= n && crack > worst)
				worst = crack;
		}
	}
	return worst;
}

/** Keeps the first cycle and, as the one to follow it again and again, that
 *  of the others whose end leads best into its own beginning. */
static int keep_best(struct encoding *e, uint32_t cycles)
{
	uint32_t best = 1, from, to;
	int least = 0;
	struct decoder *d = NULL;
	int16_t *pcm = malloc(format_samples(&e->fmt) * sizeof(*pcm));

	if (!pcm || decoder_alloc(&d, e->fmt.codec, e->fmt.rate)) {
		free(pcm);
		return ENOMEM;
	}
	for (uint32_t i = 1; i < cycles && cycles > 2; i++) {
		int crack = seam_crack(e, i, d, pcm);

		if (i == 1 || crack < least) {
			best = i;
			least = crack;
		}
	}
	decoder_free(d);
	free(pcm);
	from = e->at[best * e->frames];
	to = e->at[e->frames];
	memmove(e->data + to, e->data + from,
		e->at[(best + 1) * e->frames] - from);
	for (uint32_t i = 0; i <= e->frames; i++)
		e->at[e->frames + i] = e->at[best * e->frames + i] - from + to;
	return 0;
}

/** Gives back what the packets turned out not to need. */
static void shrink(struct encoding *e)
{
	uint32_t n = e->frames * (e->loops ? 2 : 1);
	void *p = realloc(e->data, e->at[n]);

	if (p)
		e->data = p;
	p = realloc(e->at, ((size_t)n + 1) * sizeof(*e->at));
	if (p)
		e->at = p;
}

/**
 * Does the sound go on from its end to its beginning when it is repeated, in a
 * codec that carries state over from the one to the other? A cycle encoded
 * from rest does not fit behind itself then: G.722 answers with a burst at
 * full scale. A decoder of Opus is at rest with the first packet of silence.
 */
static bool is_loop(const struct format *f, const struct pcm *pcm,
		    uint32_t gap_ms)
{
	uint32_t samples = format_samples(f);
	size_t quiet = pcm->n, rest = pcm->rate / 1000 * CODER_REST_MS;

	if (f->codec == CODEC_OPUS)
		return !gap_ms && !(pcm->n % samples) &&
		       level_of(pcm->v + pcm->n - samples, samples) < LOUD;
	if (f->codec != CODEC_G722 || gap_ms >= CODER_REST_MS)
		return false;
	while (quiet && !pcm->v[quiet - 1])
		quiet--;
	quiet = pcm->n - quiet;
	return quiet < rest;
}

static uint32_t candidates(const struct pcm *pcm)
{
	uint32_t ms = (uint32_t)(pcm->n * 1000 / pcm->rate);

	return ms * CANDIDATES > CANDIDATES_MS ? 1 : CANDIDATES;
}

/** Encodes pcm, which has the format's rate already. */
static int encode(struct encoding *e, const struct pcm *pcm, uint32_t gap_ms)
{
	uint32_t samples = format_samples(&e->fmt), cycles = 1, delay = 0;
	int16_t *v;
	int err;

	if (!samples || pcm->n > UINT32_MAX / 2 - samples)
		return EINVAL;
	e->loops = is_loop(&e->fmt, pcm, gap_ms);
	if (e->loops)
		cycles = 1 + candidates(pcm);
	else if (e->fmt.codec == CODEC_OPUS)
		delay = ENCODER_OPUS_DELAY;
	e->frames = (uint32_t)((pcm->n + delay + samples - 1) / samples);
	e->cycle_frames =
		e->frames + (gap_ms + e->fmt.ptime_ms - 1) / e->fmt.ptime_ms;
	/* A short gap is part of what leads to the next cycle. */
	if (e->loops)
		e->frames = e->cycle_frames;
	v = calloc((size_t)e->frames * samples, sizeof(*v));
	e->at = calloc((size_t)e->frames * cycles + 1, sizeof(*e->at));
	e->level = malloc(e->frames);
	e->silence = malloc(format_bytes(&e->fmt));
	if (!v || !e->at || !e->level || !e->silence) {
		free(v);
		return ENOMEM;
	}
	if (e->fmt.gain_cb)
		apply_gain(v, pcm->v, pcm->n, e->fmt.gain_cb);
	else
		memcpy(v, pcm->v, pcm->n * sizeof(*v));
	err = encode_frames(e, v, cycles);
	if (!err && e->loops)
		err = keep_best(e, cycles);
	if (!err)
		shrink(e);
	e->silence_bytes = coder_silence(&e->fmt, e->silence);
	for (uint32_t i = 0; i < e->frames; i++)
		e->level[i] = level_of(v + (size_t)i * samples, samples);
	free(v);
	return err;
}

static void clip_free(struct clip *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->enc[i].at);
		free(c->enc[i].data);
		free(c->enc[i].level);
		free(c->enc[i].silence);
	}
	free(c);
}

int clip_alloc(struct clip **cp, const struct pcm *pcm, uint32_t gap_ms,
	       const struct format *fmts, size_t nfmts)
{
	struct pcm at_rate = {0};
	struct clip *c;
	int err = 0;

	if (!cp || !pcm || !pcm->n || !pcm->rate || !nfmts ||
	    nfmts > CLIP_MAX_FORMATS)
		return EINVAL;
	if (pcm->n > (size_t)CLIP_MAX_SECONDS * pcm->rate)
		return EFBIG;
	c = calloc(1, sizeof(*c));
	if (!c)
		return ENOMEM;
	c->refs = 1;
	c->ms = (uint32_t)(pcm->n * 1000 / pcm->rate);
	for (size_t i = 0; i < nfmts && !err; i++) {
		c->enc[i].fmt = fmts[i];
		c->n = i + 1;
		/* Formats of one rate stand together mostly: resampled once. */
		if (at_rate.rate != fmts[i].rate) {
			pcm_reset(&at_rate);
			err = pcm_resample(&at_rate, pcm, fmts[i].rate);
		}
		if (!err)
			err = encode(&c->enc[i], &at_rate, gap_ms);
	}
	pcm_reset(&at_rate);
	if (err)
		clip_free(c);
	else
		*cp = c;
	return err;
}

struct clip *clip_ref(struct clip *c)
{
	c->refs++;
	return c;
}

struct clip *clip_unref(struct clip *c)
{
	if (c && !--c->refs)
		clip_free(c);
	return NULL;
}

int clip_format(const struct clip *c, const struct format *f)
{
	for (size_t i = 0; i < c->n; i++)
		if (format_equal(&c->enc[i].fmt, f))
			return (int)i;
	return -1;
}

uint32_t clip_frames(const struct clip *c, int idx)
{
	return c->enc[idx].frames;
}

uint32_t clip_cycle_frames(const struct clip *c, int idx)
{
	return c->enc[idx].cycle_frames;
}

const uint8_t *clip_payload(const struct clip *c, int idx, bool again,
			    uint32_t i, size_t *bytes)
{
	const struct encoding *e = &c->enc[idx];

	if (i >= e->frames) {
		*bytes = e->silence_bytes;
		return e->silence;
	}
	if (again && e->loops)
		i += e->frames;
	*bytes = e->at[i + 1] - e->at[i];
	return e->data + e->at[i];
}

uint8_t clip_level(const struct clip *c, int idx, uint32_t i)
{
	const struct encoding *e = &c->enc[idx];

	return i < e->frames ? e->level[i] : 127;
}

uint32_t clip_ms(const struct clip *c)
{
	return c->ms;
}

size_t clip_bytes(const struct clip *c)
{
	size_t n = sizeof(*c);

	for (size_t i = 0; i < c->n; i++) {
		const struct encoding *e = &c->enc[i];
		uint32_t packets = e->frames * (e->loops ? 2 : 1);

		n += e->at[packets] + packets * sizeof(*e->at) + e->frames +
		     e->silence_bytes;
	}
	return n;
}
