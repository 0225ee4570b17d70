/* What is kept of a recording: the words, without silence and clicks around
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zones/sound/trim.h"

#include <math.h>
#include <stdlib.h>

#define RATE 8000
#define MS (RATE / 1000)

/** A recording of so many ms, with hum at -60 dBFS all over it. */
static struct pcm room(unsigned ms)
{
	struct pcm p = {.n = ms * MS, .rate = RATE};

	p.v = calloc(p.n + 1, sizeof(*p.v));
	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)lrint(46 * sin(2 * M_PI * 50 * i / RATE));
	return p;
}

static void sound(struct pcm *p, unsigned from_ms, unsigned ms, double peak)
{
	for (size_t i = 0; i < ms * MS; i++)
		p->v[from_ms * MS + i] =
			(int16_t)lrint(peak * sin(2 * M_PI * 440 * i / RATE));
}

static void words_are_found(void **state)
{
	struct pcm p = room(6000);
	struct trim_span s;
	(void)state;

	sound(&p, 1500, 400, 8000);
	sound(&p, 3000, 500, 300); /* -44 dBFS: he speaks low */
	trim_find(&p, &s);
	assert_int_equal(s.spoken_ms, 2000);
	assert_int_equal(s.from, (1500 - TRIM_BEFORE_MS) * MS);
	assert_int_equal(s.to, (3500 + TRIM_AFTER_MS) * MS);
	free(p.v);
}

static void clicks_at_the_ends_are_not(void **state)
{
	struct pcm p = room(6000);
	struct trim_span s;
	(void)state;

	sound(&p, 0, 40, 32000);
	sound(&p, 2000, 1000, 1000);
	sound(&p, 4000, TRIM_CLICK_MS, 32000);
	sound(&p, 5990, 10, 32000);
	trim_find(&p, &s);
	assert_int_equal(s.spoken_ms, 1000);
	assert_int_equal(s.from, (2000 - TRIM_BEFORE_MS) * MS);
	/* A short sound close to words is one of their own. */
	sound(&p, 3100, 30, 4000);
	trim_find(&p, &s);
	assert_int_equal(s.spoken_ms, 1130);
	free(p.v);
}

static void nothing_said(void **state)
{
	struct pcm p = room(3000), none = {.rate = RATE};
	struct trim_span s = {1, 2, 3};
	(void)state;

	trim_find(&p, &s);
	assert_int_equal(s.spoken_ms, 0);
	assert_int_equal(s.from, 0);
	assert_int_equal(s.to, 0);
	sound(&p, 1000, 50, 30000);
	trim_find(&p, &s);
	assert_int_equal(s.spoken_ms, 0);
	trim_find(&none, &s);
	assert_int_equal(s.spoken_ms, 0);
	free(p.v);
}

static void cut_without_clicks(void **state)
{
	struct pcm p = room(3000);
	struct trim_span s;
	(void)state;

	sound(&p, 0, 3000, 8000);
	trim_find(&p, &s);
	/* From end to end: nothing is cut, to the last sample. */
	assert_int_equal(s.from, 0);
	assert_int_equal(s.to, p.n);
	trim_cut(&p, &s);
	assert_int_equal(p.v[4], lrint(8000 * sin(2 * M_PI * 440 * 4 / RATE)));
	s.from = 18 * MS + 3;
	s.to = 2018 * MS;
	trim_cut(&p, &s);
	assert_int_equal(p.n, s.to - s.from);
	assert_int_equal(p.v[0], 0);
	assert_int_equal(p.v[p.n - 1], 0);
	for (size_t i = 1; i < 5 * MS; i++)
		assert_true(abs(p.v[i] - p.v[i - 1]) < 3000);
	free(p.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_found),
		cmocka_unit_test(clicks_at_the_ends_are_not),
		cmocka_unit_test(nothing_said),
		cmocka_unit_test(cut_without_clicks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
