#include "zones/engine/polyphase.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/** Filter length at the lower of the two rates, and its -6 dB edge as a part of
 *  that rate's Nyquist frequency: the window keeps what lies behind the edge
 *  more than 60 dB down. Telephone sound is to lose no time (2 ms); wide band
 *  sound keeps 7 kHz of 16 kHz for 3 ms. */
#define TAPS 32
#define CUTOFF 0.90
#define WIDE_RATE 16000
#define WIDE_TAPS 96
#define WIDE_CUTOFF 0.94
#define KAISER_BETA 7.0

struct polyphase {
	uint32_t up, down; /**< to/from, reduced */
	unsigned taps;
	float h[]; /**< [up][taps], oldest sample first */
};

static uint32_t gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t t = a % b;

		a = b;
		b = t;
	}
	return a;
}

/** Modified Bessel function of the first kind, order 0. */
static double bessel0(double x)
{
	double sum = 1, term = 1;

	for (int k = 1; k < 40; k++) {
		term *= (x / (2 * k)) * (x / (2 * k));
		sum += term;
	}
	return sum;
}

static double kernel(double t, double cutoff, double half)
{
	double x = M_PI * t * cutoff;
	double sinc = fabs(x) < 1e-9 ? 1 : sin(x) / x;
	double r = t / half;

	if (r <= -1 || r >= 1)
		return 0;
	return sinc * bessel0(KAISER_BETA * sqrt(1 - r * r)) /
	       bessel0(KAISER_BETA);
}

int polyphase_alloc(struct polyphase **pp, uint32_t from, uint32_t to)
{
	struct polyphase *p;
	bool wide = from >= WIDE_RATE && to >= WIDE_RATE;
	double cutoff = wide ? WIDE_CUTOFF : CUTOFF, half;
	uint32_t g;
	unsigned taps = wide ? WIDE_TAPS : TAPS;

	if (!pp || from < 8000 || from > 48000 || to < 8000 || to > 48000)
		return EINVAL;
	if (from > to) {
		cutoff = cutoff * to / from;
		taps = (unsigned)(((uint64_t)taps * from + to - 1) / to);
	}
	if (taps > POLYPHASE_MAX_TAPS)
		return EINVAL;
	g = gcd(from, to);
	p = malloc(sizeof(*p) + (size_t)(to / g) * taps * sizeof(p->h[0]));
	if (!p)
		return ENOMEM;
	p->up = to / g;
	p->down = from / g;
	p->taps = taps;
	half = taps / 2.0;
	for (uint32_t ph = 0; ph < p->up; ph++) {
		float *h = p->h + (size_t)ph * taps;
		double sum = 0;

		for (unsigned k = 0; k < taps; k++) {
			double t = (double)k - (half - 1) - (double)ph / p->up;

			h[k] = (float)kernel(t, cutoff, half);
			sum += (double)h[k];
		}
		/* Each phase passes a constant unchanged, so that no phase
		 * ripple is heard as a tone. */
		for (unsigned k = 0; k < taps; k++)
			h[k] = (float)((double)h[k] / sum);
	}
	*pp = p;
	return 0;
}

struct polyphase *polyphase_free(struct polyphase *p)
{
	free(p);
	return NULL;
}

unsigned polyphase_history(const struct polyphase *p)
{
	return p->taps;
}

void polyphase_run(const struct polyphase *p, int16_t *out, size_t n,
		   const int16_t *in)
{
	uint32_t phase = 0;

	in -= p->taps;
	for (size_t i = 0; i < n; i++) {
		const float *h = p->h + (size_t)phase * p->taps;
		float sum = 0;

		for (unsigned k = 0; k < p->taps; k++)
			sum += h[k] * (float)in[k];
		out[i] = sum > 32767    ? 32767
			 : sum < -32768 ? -32768
					: (int16_t)lrintf(sum);
		phase += p->down;
		in += phase / p->up;
		phase %= p->up;
	}
}
