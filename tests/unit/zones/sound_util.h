/** Measuring sound in tests: level and power at a frequency. */
#ifndef SOUND_UTIL_H
#define SOUND_UTIL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/** Amplitude of the component at hz (a single DFT bin with a Hann window). */
static inline double sound_at(const int16_t *v, size_t n, double rate,
			      double hz)
{
	double re = 0, im = 0, sum = 0;

	for (size_t i = 0; i < n; i++) {
		double w = 0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)n);
		double a = 2 * M_PI * hz * (double)i / rate;

		re += w * v[i] * cos(a);
		im += w * v[i] * sin(a);
		sum += w;
	}
	return 2 * sqrt(re * re + im * im) / sum;
}

static inline double sound_rms(const int16_t *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];
	return n ? sqrt(sum / (double)n) : 0;
}

/** Pitch by rising zero crossings, exact for a clean tone. */
static inline double sound_pitch(const int16_t *v, size_t n, double rate)
{
	double first = -1, last = -1;
	size_t count = 0;

	for (size_t i = 1; i < n; i++)
		if (v[i - 1] < 0 && v[i] >= 0) {
			double at =
				(double)i - (double)v[i] / (v[i] - v[i - 1]);

			if (first < 0)
				first = at;
			else
				count++;
			last = at;
		}
	return count ? rate * (double)count / (last - first) : 0;
}

/** Largest jump between neighbouring samples. */
static inline int sound_jump(const int16_t *v, size_t n)
{
	int max = 0;

	for (size_t i = 1; i < n; i++) {
		int d = v[i] - v[i - 1];

		d = d < 0 ? -d : d;
		max = d > max ? d : max;
	}
	return max;
}

#endif
