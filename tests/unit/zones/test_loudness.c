/* Loudness measured, aligned and limited: what R128's own meter says of it. */
#include "sound_util.h"
#include "zones/sound/loudness.h"

#include <ebur128.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pcm make(uint32_t rate, double seconds)
{
	struct pcm p = {.rate = rate, .n = (size_t)(rate * seconds)};

	p.v = calloc(p.n + 1, sizeof(*p.v));
	assert_non_null(p.v);
	return p;
}

static struct pcm sine(uint32_t rate, double seconds, double hz, double db)
{
	struct pcm p = make(rate, seconds);

	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)lrint(32767 * pow(10, db / 20) *
					sin(2 * M_PI * hz * (double)i / rate));
	return p;
}

/** Something like speech: bursts of noise with hard peaks. */
static struct pcm bursts(uint32_t rate, double seconds)
{
	struct pcm p = make(rate, seconds);
	uint32_t x = 1;

	for (size_t i = 0; i < p.n; i++) {
		double level = i / (rate / 4) % 2 ? 0.3 : 0.05;

		x = x * 1664525 + 1013904223;
		p.v[i] = (int16_t)((double)(int32_t)x / 65536 * level);
		if (i % (rate / 7) == 0)
			p.v[i] = i % 2 ? 30000 : -30000;
	}
	return p;
}

static double true_peak(const struct pcm *p)
{
	ebur128_state *st = ebur128_init(1, p->rate, EBUR128_MODE_TRUE_PEAK);
	double peak;

	assert_non_null(st);
	ebur128_add_frames_short(st, p->v, p->n);
	ebur128_true_peak(st, 0, &peak);
	ebur128_destroy(&st);
	return 20 * log10(peak);
}

/* BS.1770-4: a full-scale sine of 997 Hz in one channel is -3.01 LUFS. */
static void test_measure(void **state)
{
	struct pcm p = sine(48000, 5, 997, -20);
	struct loudness l;

	(void)state;
	assert_int_equal(loudness_measure(&p, &l), 0);
	assert_true(fabs(l.lufs - -23.0) < 0.1);
	assert_true(fabs(l.peak_db - -20) < 0.1);
	pcm_reset(&p);
	/* Shorter than a gating block. */
	p = sine(8000, 0.15, 997, -20);
	assert_int_equal(loudness_measure(&p, &l), 0);
	assert_true(fabs(l.lufs - -23.0) < 0.7);
	pcm_reset(&p);
	p = make(8000, 1);
	assert_int_equal(loudness_measure(&p, &l), 0);
	assert_true(isinf(l.lufs) && l.lufs < 0);
	pcm_reset(&p);
}

/* A sine whose samples all miss its crests: the peak is between them. */
static void test_peak_between_samples(void **state)
{
	struct pcm p = make(48000, 1);
	struct loudness l;

	(void)state;
	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)lrint(20000 *
					sin(M_PI / 2 * (double)i + M_PI / 4));
	assert_int_equal(loudness_measure(&p, &l), 0);
	assert_true(fabs(l.peak_db - 20 * log10(20000 / 32768.0)) < 0.3);
	pcm_reset(&p);
}

static void test_plain_gain(void **state)
{
	struct pcm p = sine(16000, 1, 440, -30), q = {0};

	(void)state;
	assert_int_equal(pcm_resample(&q, &p, 16000), 0);
	assert_int_equal(loudness_gain(&p, 0, -1), 0);
	assert_memory_equal(p.v, q.v, p.n * sizeof(*p.v));
	assert_int_equal(loudness_gain(&p, 20, -1), 0);
	for (size_t i = 0; i < p.n; i++)
		assert_true(abs(p.v[i] - 10 * q.v[i]) <= 1);
	pcm_reset(&p);
	pcm_reset(&q);
}

/* However much it is raised, no true peak passes the ceiling, and the gain
 * moves so slowly that it cannot click. */
static void test_limit(void **state)
{
	static const uint32_t rates[] = {8000, 16000, 48000};

	(void)state;
	for (size_t r = 0; r < 3; r++)
		for (int db = 3; db <= 24; db += 7) {
			struct pcm p = bursts(rates[r], 3), was = {0};
			double last = -1, most = 0;

			assert_int_equal(pcm_resample(&was, &p, rates[r]), 0);
			assert_int_equal(loudness_gain(&p, db, -1), 0);
			if (true_peak(&p) > -0.75)
				fail_msg("%u Hz, %d dB: peak %.2f dBTP",
					 rates[r], db, true_peak(&p));
			/* The gain where there is enough to see it by. */
			for (size_t i = 0; i < p.n; i++) {
				double g;

				if (abs(was.v[i]) < 1500) {
					last = -1;
					continue;
				}
				g = (double)p.v[i] / was.v[i];
				assert_true(g > 0);
				if (last > 0)
					most = fmax(most,
						    fabs(g - last) /
							    pow(10, db / 20.0));
				last = g;
			}
			/* All of it within 10 ms at the fastest. */
			assert_true(most < 2.2 / (0.01 * rates[r]) + 0.002);
			pcm_reset(&p);
			pcm_reset(&was);
		}
}

/* What is far from a peak is as loud as it was. */
static void test_limit_lets_go(void **state)
{
	struct pcm p = sine(8000, 4, 440, -20);
	double before;

	(void)state;
	p.v[16000] = 32000;
	before = sound_rms(p.v, 8000);
	assert_int_equal(loudness_gain(&p, 6, -1), 0);
	assert_true(fabs(sound_rms(p.v, 8000) / before - pow(10, 0.3)) < 0.01);
	assert_true(fabs(sound_rms(p.v + 20000, 8000) / before - pow(10, 0.3)) <
		    0.01);
	assert_true(abs(p.v[16000]) < 29300);
	pcm_reset(&p);
}

/* Shorter than the look-ahead. */
static void test_tiny(void **state)
{
	(void)state;
	for (size_t n = 0; n < 60; n++) {
		struct pcm p = make(8000, 1);

		p.n = n;
		for (size_t i = 0; i < n; i++)
			p.v[i] = i % 2 ? 32767 : -32768;
		assert_int_equal(loudness_gain(&p, 12, -1), 0);
		for (size_t i = 0; i < n; i++)
			assert_true(abs(p.v[i]) <= 29206);
		pcm_reset(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_peak_between_samples),
		cmocka_unit_test(test_plain_gain),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_lets_go),
		cmocka_unit_test(test_tiny),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
