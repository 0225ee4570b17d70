#include "pcm.h"

#include <errno.h>
#include <speex/speex_resampler.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLE_QUALITY 8

void pcm_reset(struct pcm *p)
{
	if (!p)
		return;
	free(p->v);
	*p = (struct pcm){0};
}

int pcm_peak(const struct pcm *p)
{
	int peak = 0;

	for (size_t i = 0; i < p->n; i++) {
		int v = abs((int)p->v[i]);

		if (v > peak)
			peak = v;
	}
	return peak;
}

static int copy(struct pcm *dst, const struct pcm *src)
{
	dst->v = malloc(src->n * sizeof(*dst->v) + 1);
	if (!dst->v)
		return ENOMEM;
	memcpy(dst->v, src->v, src->n * sizeof(*dst->v));
	dst->n = src->n;
	dst->rate = src->rate;
	return 0;
}

/** Feeds all of src and then silence until dst is full. */
static void run_resampler(SpeexResamplerState *r, struct pcm *dst,
			  const struct pcm *src)
{
	static const int16_t zeros[256];
	size_t in = 0, out = 0;

	while (out < dst->n) {
		bool rest = in < src->n;
		spx_uint32_t n_in =
			rest ? (src->n - in > 65536
					? 65536
					: (spx_uint32_t)(src->n - in))
			     : 256;
		spx_uint32_t n_out = dst->n - out > 65536
					     ? 65536
					     : (spx_uint32_t)(dst->n - out);

		speex_resampler_process_int(r, 0, rest ? src->v + in : zeros,
					    &n_in, dst->v + out, &n_out);
		if (rest)
			in += n_in;
		out += n_out;
		if (!n_in && !n_out)
			break;
	}
}

int pcm_resample(struct pcm *dst, const struct pcm *src, uint32_t rate)
{
	SpeexResamplerState *r;
	int err;

	*dst = (struct pcm){0};
	if (src->rate == rate)
		return copy(dst, src);
	dst->n =
		(size_t)(((uint64_t)src->n * rate + src->rate - 1) / src->rate);
	dst->rate = rate;
	dst->v = calloc(dst->n + 1, sizeof(*dst->v));
	r = speex_resampler_init(1, src->rate, rate, RESAMPLE_QUALITY, &err);
	if (!dst->v || !r) {
		pcm_reset(dst);
		if (r)
			speex_resampler_destroy(r);
		return ENOMEM;
	}
	/* The filter's delay is left out: lengths stay exact. */
	speex_resampler_skip_zeros(r);
	run_resampler(r, dst, src);
	speex_resampler_destroy(r);
	return 0;
}

int pcm_append(struct pcm *dst, const struct pcm *src)
{
	struct pcm at_rate = {0};
	int16_t *v;

	if (!dst->rate)
		dst->rate = src->rate;
	if (dst->rate != src->rate) {
		if (pcm_resample(&at_rate, src, dst->rate))
			return ENOMEM;
		src = &at_rate;
	}
	v = realloc(dst->v, (dst->n + src->n + 1) * sizeof(*v));
	if (v) {
		memcpy(v + dst->n, src->v, src->n * sizeof(*v));
		dst->v = v;
		dst->n += src->n;
	}
	pcm_reset(&at_rate);
	return v ? 0 : ENOMEM;
}

int pcm_append_silence(struct pcm *dst, uint32_t ms)
{
	size_t n = (size_t)((uint64_t)ms * dst->rate / 1000);
	int16_t *v = realloc(dst->v, (dst->n + n + 1) * sizeof(*v));

	if (!v)
		return ENOMEM;
	memset(v + dst->n, 0, n * sizeof(*v));
	dst->v = v;
	dst->n += n;
	return 0;
}
