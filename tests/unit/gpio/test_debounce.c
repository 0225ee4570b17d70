/* debounce.c: what bounces does not count, what holds does, once. */
#include "gpio/debounce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define MS UINT64_C(1000)

static void a_level_counts_when_it_held(void **state)
{
	struct debounce d;

	(void)state;
	debounce_init(&d, 20 * MS, false, 1000 * MS);
	assert_false(d.level);
	assert_int_equal(debounce_due(&d), 0);
	assert_false(debounce_settle(&d, 5000 * MS));

	debounce_edge(&d, true, 6000 * MS);
	assert_int_equal(debounce_due(&d), 6020 * MS);
	assert_false(debounce_settle(&d, 6020 * MS - 1));
	assert_false(d.level);
	assert_true(debounce_settle(&d, 6020 * MS));
	assert_true(d.level);
	assert_int_equal(d.level_us, 6000 * MS);
	/* Once. */
	assert_false(debounce_settle(&d, 6021 * MS));
	assert_int_equal(debounce_due(&d), 0);
}

static void bouncing_starts_anew(void **state)
{
	struct debounce d;
	uint64_t t = 1000 * MS;

	(void)state;
	debounce_init(&d, 20 * MS, false, 0);
	for (unsigned i = 0; i < 11; i++, t += 10 * MS) {
		assert_false(debounce_settle(&d, t));
		debounce_edge(&d, i % 2 == 0, t);
	}
	t -= 10 * MS;
	assert_true(d.raw);
	assert_int_equal(d.glitches, 5);
	assert_int_equal(debounce_due(&d), t + 20 * MS);
	assert_true(debounce_settle(&d, t + 20 * MS));
	assert_int_equal(d.level_us, t);
}

static void a_glitch_is_nothing(void **state)
{
	struct debounce d;

	(void)state;
	debounce_init(&d, 20 * MS, true, 0);
	debounce_edge(&d, false, 100 * MS);
	assert_false(debounce_settle(&d, 119 * MS));
	debounce_edge(&d, true, 119 * MS);
	assert_int_equal(debounce_due(&d), 0);
	assert_false(debounce_settle(&d, 10000 * MS));
	assert_true(d.level);
}

/* Read late, a press that held is not lost behind its release. */
static void what_held_between_two_late_edges_counts(void **state)
{
	struct debounce d;

	(void)state;
	debounce_init(&d, 20 * MS, false, 0);
	debounce_edge(&d, true, 100 * MS);
	assert_true(debounce_settle(&d, 150 * MS));
	assert_int_equal(d.level_us, 100 * MS);
	debounce_edge(&d, false, 150 * MS);
	assert_true(debounce_settle(&d, 170 * MS));
	assert_false(d.level);
}

/* Two edges to the same level: one in between was lost, it bounced. */
static void the_same_edge_twice_starts_anew(void **state)
{
	struct debounce d;

	(void)state;
	debounce_init(&d, 20 * MS, false, 0);
	debounce_edge(&d, true, 100 * MS);
	debounce_edge(&d, true, 115 * MS);
	assert_false(debounce_settle(&d, 120 * MS));
	assert_true(debounce_settle(&d, 135 * MS));
	assert_int_equal(d.level_us, 115 * MS);
}

static void a_reading_repairs_a_lost_edge(void **state)
{
	struct debounce d;

	(void)state;
	debounce_init(&d, 20 * MS, true, 0);
	debounce_reading(&d, true, 1000 * MS);
	assert_int_equal(debounce_due(&d), 0);
	debounce_reading(&d, false, 2000 * MS);
	assert_int_equal(debounce_due(&d), 2020 * MS);
	/* One more of the same does not put it off. */
	debounce_reading(&d, false, 2019 * MS);
	assert_true(debounce_settle(&d, 2020 * MS));
	assert_false(d.level);
}

static void without_a_period_every_edge_counts(void **state)
{
	struct debounce d;

	(void)state;
	debounce_init(&d, 0, false, 0);
	for (unsigned i = 1; i <= 10; i++) {
		assert_false(debounce_settle(&d, i));
		debounce_edge(&d, i % 2, i);
		assert_true(debounce_settle(&d, i));
		assert_int_equal(d.level, i % 2);
		assert_int_equal(d.level_us, i);
	}
	debounce_edge(&d, false, 11);
	assert_false(debounce_settle(&d, 11));
}

/* An edge with a time after "now" must not settle by wrapping around. */
static void an_edge_from_the_future_waits(void **state)
{
	struct debounce d;

	(void)state;
	debounce_init(&d, 20 * MS, false, 0);
	debounce_edge(&d, true, 100 * MS);
	assert_false(debounce_settle(&d, 99 * MS));
	debounce_init(&d, 0, false, 0);
	debounce_edge(&d, true, 100 * MS);
	assert_false(debounce_settle(&d, 99 * MS));
	assert_true(debounce_settle(&d, 100 * MS));
}

/* Against the definition, with edges at random. */
static void random_edges_follow_the_definition(void **state)
{
	enum { PERIOD = 7, END = 4000 };

	(void)state;
	srand(7);
	for (int round = 0; round < 50; round++) {
		bool level = false, expected = false;
		unsigned held = PERIOD;
		struct debounce d;

		debounce_init(&d, PERIOD, false, 0);
		for (unsigned t = 1; t < END; t++) {
			held++;
			if (held >= PERIOD)
				expected = level;
			debounce_settle(&d, t);
			assert_int_equal(d.level, expected);
			if (rand() % (round + 2) == 0) {
				level = !level;
				debounce_edge(&d, level, t);
				held = 0;
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_level_counts_when_it_held),
		cmocka_unit_test(bouncing_starts_anew),
		cmocka_unit_test(a_glitch_is_nothing),
		cmocka_unit_test(what_held_between_two_late_edges_counts),
		cmocka_unit_test(the_same_edge_twice_starts_anew),
		cmocka_unit_test(a_reading_repairs_a_lost_edge),
		cmocka_unit_test(without_a_period_every_edge_counts),
		cmocka_unit_test(an_edge_from_the_future_waits),
		cmocka_unit_test(random_edges_follow_the_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
