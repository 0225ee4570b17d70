/* Zones of zones against a naive oracle. */
#include "zones/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct told {
	int path[8][16];
	size_t len[8], n;
};

static void hear(const int *path, size_t n, void *arg)
{
	struct told *t = arg;

	assert_true(t->n < 8 && n <= 16);
	memcpy(t->path[t->n], path, n * sizeof(*path));
	t->len[t->n++] = n;
}

static void never(const int *path, size_t n, void *arg)
{
	(void)path;
	(void)n;
	(void)arg;
	fail();
}

static void test_nested(void **state)
{
	static const int own0[] = {0}, own1[] = {1, 1023}, own2[] = {2};
	static const int mix[] = {0, 1}, top[] = {3, 2}, not1[] = {1};
	struct zone_def z[] = {
		{.own = own0, .n_own = 1},
		{.own = own1, .n_own = 2},
		{.own = own2, .n_own = 1},
		{.zones = mix, .n_zones = 2},
		{.zones = top, .n_zones = 2, .except = not1, .n_except = 1},
		{.all = true},
		{.all = true, .except = not1, .n_except = 1},
		{.n_own = 0},
		/* Its own stay, whatever is taken off. */
		{.own = own0,
		 .n_own = 1,
		 .all = true,
		 .except = mix,
		 .n_except = 2},
	};
	int path[9];

	(void)state;
	assert_int_equal(zone_resolve(z, 9, path, never, NULL), 0);
	assert_int_equal(z[1].n_outputs, 2);
	assert_int_equal(z[3].n_outputs, 3);
	assert_true(media_set_has(&z[3].outputs, 1023));
	assert_int_equal(z[4].n_outputs, 2);
	assert_true(media_set_has(&z[4].outputs, 0));
	assert_true(media_set_has(&z[4].outputs, 2));
	assert_int_equal(z[5].n_outputs, 4);
	assert_int_equal(z[6].n_outputs, 2);
	assert_int_equal(z[7].n_outputs, 0);
	assert_int_equal(z[8].n_outputs, 2);
	assert_true(zone_within(&z[4].outputs, &z[5].outputs));
	assert_false(zone_within(&z[5].outputs, &z[4].outputs));
	/* A second time gives the same. */
	assert_int_equal(zone_resolve(z, 9, path, never, NULL), 0);
	assert_int_equal(z[5].n_outputs, 4);
}

static void test_circles(void **state)
{
	static const int to1[] = {1}, to2[] = {2}, to0and3[] = {0, 3},
			 self[] = {4}, own[] = {7};
	struct zone_def z[] = {
		{.zones = to1, .n_zones = 1},
		{.zones = to2, .n_zones = 1},
		{.zones = to0and3, .n_zones = 2},
		{.own = own, .n_own = 1},
		{.zones = self, .n_zones = 1},
		/* Through an exception. */
		{.all = true, .except = (const int[]){6}, .n_except = 1},
		{.zones = (const int[]){5}, .n_zones = 1},
	};
	struct told t = {.n = 0};
	int path[7];

	(void)state;
	assert_int_equal(zone_resolve(z, 7, path, hear, &t), 3);
	assert_int_equal(t.len[0], 3);
	assert_int_equal(t.path[0][0], 0);
	assert_int_equal(t.path[0][1], 1);
	assert_int_equal(t.path[0][2], 2);
	assert_int_equal(t.len[1], 1);
	assert_int_equal(t.path[1][0], 4);
	assert_int_equal(t.len[2], 2);
	/* What is not part of the circle is there all the same. */
	assert_true(media_set_has(&z[0].outputs, 7));
}

static uint32_t seed = 1;

static unsigned dice(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/** By the words of the contract, again and again, without any cleverness. */
static bool sounds_on(const struct zone_def *z, size_t n, int zone, int out)
{
	const struct zone_def *d = &z[zone];
	bool in = false;

	for (size_t i = 0; i < d->n_own; i++)
		if (d->own[i] == out)
			return true;
	for (size_t i = 0; i < d->n_except; i++)
		if (sounds_on(z, n, d->except[i], out))
			return false;
	for (size_t i = 0; i < d->n_zones; i++)
		in = in || sounds_on(z, n, d->zones[i], out);
	for (size_t i = 0; d->all && i < n; i++)
		for (size_t k = 0; k < z[i].n_own; k++)
			in = in || z[i].own[k] == out;
	return in;
}

#define N 12

static void test_random(void **state)
{
	int own[N][3], zones[N][4], except[N][2], path[N];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct zone_def z[N] = {{0}};

		for (int i = 0; i < N; i++) {
			z[i].n_own = dice(3);
			z[i].n_zones = i ? dice(4) : 0;
			z[i].n_except = i ? dice(3) : 0;
			z[i].all = !dice(5);
			for (size_t k = 0; k < z[i].n_own; k++)
				own[i][k] = (int)dice(20);
			/* Only smaller ones: no circles. */
			for (size_t k = 0; k < z[i].n_zones; k++)
				zones[i][k] = (int)dice((unsigned)i);
			for (size_t k = 0; k < z[i].n_except; k++)
				except[i][k] = (int)dice((unsigned)i);
			z[i].own = own[i];
			z[i].zones = zones[i];
			z[i].except = except[i];
		}
		zone_resolve(z, N, path, never, NULL);
		for (int i = 0; i < N; i++) {
			size_t n = 0;

			for (int o = 0; o < 20; o++) {
				const bool on = sounds_on(z, N, i, o);

				n += on;
				assert_int_equal(media_set_has(&z[i].outputs,
							       (unsigned)o),
						 on);
			}
			assert_int_equal(z[i].n_outputs, n);
		}
	}
}

/** The longest chain there can be. */
static void test_chain(void **state)
{
	static struct zone_def z[1000];
	static int next[1000], path[1000];
	static const int own[] = {5};

	(void)state;
	for (int i = 0; i < 999; i++) {
		next[i] = i + 1;
		z[i].zones = &next[i];
		z[i].n_zones = 1;
	}
	z[999].own = own;
	z[999].n_own = 1;
	assert_int_equal(zone_resolve(z, 1000, path, never, NULL), 0);
	assert_true(media_set_has(&z[0].outputs, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
