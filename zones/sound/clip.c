#include "clip.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct encoding {
	struct format fmt;
	size_t bytes; /**< of one packet */
	uint32_t frames, cycle_frames;
	uint8_t *data;  /**< frames * bytes */
	uint8_t *level; /**< one per frame */
	uint8_t *silence;
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

/** Encodes pcm, which has the format's rate already. */
static int encode(struct encoding *e, const struct pcm *pcm, uint32_t gap_ms)
{
	uint32_t samples = format_samples(&e->fmt);
	size_t padded;
	int16_t *v;

	e->bytes = format_bytes(&e->fmt);
	if (!samples || pcm->n > UINT32_MAX - samples)
		return EINVAL;
	e->frames = (uint32_t)((pcm->n + samples - 1) / samples);
	e->cycle_frames =
		e->frames + (gap_ms + e->fmt.ptime_ms - 1) / e->fmt.ptime_ms;
	padded = (size_t)e->frames * samples;
	v = calloc(padded, sizeof(*v));
	e->data = malloc((size_t)e->frames * e->bytes);
	e->level = malloc(e->frames);
	e->silence = malloc(e->bytes);
	if (!v || !e->data || !e->level || !e->silence) {
		free(v);
		return ENOMEM;
	}
	if (e->fmt.gain_cb)
		apply_gain(v, pcm->v, pcm->n, e->fmt.gain_cb);
	else
		memcpy(v, pcm->v, pcm->n * sizeof(*v));
	codec_encode(e->fmt.codec, e->data, v, padded);
	codec_silence(e->fmt.codec, e->silence, samples);
	for (uint32_t i = 0; i < e->frames; i++)
		e->level[i] = level_of(v + (size_t)i * samples, samples);
	free(v);
	return 0;
}

static void clip_free(struct clip *c)
{
	for (size_t i = 0; i < c->n; i++) {
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

const uint8_t *clip_payload(const struct clip *c, int idx, uint32_t i)
{
	const struct encoding *e = &c->enc[idx];

	return i < e->frames ? e->data + (size_t)i * e->bytes : e->silence;
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

	for (size_t i = 0; i < c->n; i++)
		n += (size_t)c->enc[i].frames * (c->enc[i].bytes + 1) +
		     c->enc[i].bytes;
	return n;
}
