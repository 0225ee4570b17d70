#include "loudness.h"

#include <ebur128.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** What a measurement needs at least: R128's gating block. */
#define WINDOW_MS 400
/** Of the limiter. */
#define LOOK_MS 5
#define RELEASE_MS 30
/** Peaks between samples: three points, each from so many neighbours. */
#define PHASES 4
#define TAPS 16

/** Windowed sinc at -TAPS/2+1 .. TAPS/2 from a point k/PHASES behind. */
static void make_filter(float f[PHASES][TAPS])
{
	for (int k = 0; k < PHASES; k++)
		for (int t = 0; t < TAPS; t++) {
			double x = t - (TAPS / 2 - 1) - k / (double)PHASES;
			double w = 0.5 + 0.5 * cos(M_PI * x / (TAPS / 2.0));

			f[k][t] = (float)(fabs(x) < 1e-9
						  ? 1
						  : sin(M_PI * x) / (M_PI * x) *
							    w);
		}
}

/** Highest magnitude from sample i up to the next; only looked for where one
 *  of the two is above `worth`: between lesser ones there is no peak. */
static float peak_at(const struct pcm *p, size_t i, float worth,
		     float (*const f)[TAPS])
{
	float peak = fabsf((float)p->v[i]);
	float next = i + 1 < p->n ? fabsf((float)p->v[i + 1]) : 0;

	if (peak <= worth && next <= worth)
		return peak;
	for (int k = 1; k < PHASES; k++) {
		float sum = 0;

		for (int t = 0; t < TAPS; t++) {
			size_t at = i + (size_t)t - (TAPS / 2 - 1);

			/* Below the first it wraps far beyond the last. */
			if (at < p->n)
				sum += f[k][t] * (float)p->v[at];
		}
		peak = fmaxf(peak, fabsf(sum));
	}
	return peak;
}

int loudness_measure(const struct pcm *p, struct loudness *l)
{
	ebur128_state *st = ebur128_init(1, p->rate, EBUR128_MODE_I);
	size_t least = (size_t)p->rate * WINDOW_MS / 1000 + 1, fed = 0;
	float filter[PHASES][TAPS], peak = 0, worth = (float)pcm_peak(p) / 2;
	int err = 0;

	l->lufs = l->peak_db = -HUGE_VAL;
	if (!st)
		return ENOMEM;
	do {
		err = ebur128_add_frames_short(st, p->v, p->n);
		fed += p->n;
	} while (!err && p->n && fed < least);
	if (!err)
		err = ebur128_loudness_global(st, &l->lufs);
	ebur128_destroy(&st);
	make_filter(filter);
	for (size_t i = 0; !err && i < p->n; i++)
		peak = fmaxf(peak, peak_at(p, i, worth, filter));
	if (peak > 0)
		l->peak_db = 20 * log10((double)peak / 32768);
	return err ? ENOMEM : 0;
}

/** g becomes at each place the least of g within `half` around it. */
static int spread(float *g, size_t n, size_t half)
{
	size_t *queue = malloc((2 * half + 2) * sizeof(*queue));
	float *held = malloc((2 * half + 2) * sizeof(*held));
	size_t head = 0, tail = 0, in = 0, size = 2 * half + 2;

	if (!queue || !held) {
		free(queue);
		free(held);
		return ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		for (; in < n && in <= i + half; in++) {
			while (head != tail &&
			       held[(tail + size - 1) % size] >= g[in])
				tail = (tail + size - 1) % size;
			queue[tail] = in;
			held[tail] = g[in];
			tail = (tail + 1) % size;
		}
		while (queue[head] + half < i)
			head = (head + 1) % size;
		/* Read from here on only as held: it may be overwritten. */
		g[i] = held[head];
	}
	free(queue);
	free(held);
	return 0;
}

/** Lets go slowly, then rounds the corners with a mean over `half` to both
 *  sides: as each place knows the least around it, no mean passes it. */
static int smooth(float *g, size_t n, size_t half, uint32_t rate)
{
	float back = 1 - expf(-1000.0f / ((float)rate * RELEASE_MS));
	float *raw = malloc(n * sizeof(*raw));
	double total;

	if (!raw)
		return ENOMEM;
	for (size_t i = 1; i < n; i++)
		g[i] = fminf(g[i], g[i - 1] + (1 - g[i - 1]) * back);
	memcpy(raw, g, n * sizeof(*raw));
	total = (double)raw[0] * (double)half;
	for (size_t k = 0; k <= half; k++)
		total += (double)raw[k < n ? k : n - 1];
	for (size_t i = 0; i < n; i++) {
		size_t in = i + half + 1;

		g[i] = (float)(total / (double)(2 * half + 1));
		total += (double)raw[in < n ? in : n - 1] -
			 (double)raw[i > half ? i - half : 0];
	}
	free(raw);
	return 0;
}

static void scale(struct pcm *p, double gain, const float *g)
{
	for (size_t i = 0; i < p->n; i++) {
		double v = p->v[i] * gain * (g ? (double)g[i] : 1);

		p->v[i] = v > 32767    ? 32767
			  : v < -32768 ? -32768
				       : (int16_t)lrint(v);
	}
}

int loudness_gain(struct pcm *p, double gain_db, double ceiling_db)
{
	double gain = pow(10, gain_db / 20);
	float top = (float)(32768 * pow(10, ceiling_db / 20) / gain);
	float filter[PHASES][TAPS], *g;
	size_t half = (size_t)p->rate * LOOK_MS / 1000;
	bool passes = false;
	int err = 0;

	if (!p->n)
		return 0;
	if ((float)pcm_peak(p) <= top / 2) {
		scale(p, gain, NULL);
		return 0;
	}
	g = malloc(p->n * sizeof(*g));
	if (!g)
		return ENOMEM;
	make_filter(filter);
	for (size_t i = 0; i < p->n; i++) {
		float peak = peak_at(p, i, top / 2, filter);

		g[i] = peak > top ? top / peak : 1;
		passes = passes || peak > top;
	}
	if (passes)
		err = spread(g, p->n, half);
	if (passes && !err)
		err = smooth(g, p->n, half, p->rate);
	if (!err && (passes || gain_db < 0 || gain_db > 0))
		scale(p, gain, passes ? g : NULL);
	free(g);
	return err;
}
