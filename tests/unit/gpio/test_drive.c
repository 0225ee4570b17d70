/* gpio/drive.c: pulses, shortest times, interlocks; against a naive model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/drive.h"

#define MS UINT64_C(1000)

static uint64_t wake;

static bool at(struct drive *d, const struct drive_rule *r, bool want, bool may,
	       uint64_t ms)
{
	drive_step(d, r, drive_asks(d, r, want, ms * MS), may, ms * MS, &wake);
	return d->level;
}

static void test_plain_is_what_is_wanted(void **state)
{
	const struct drive_rule r = {0};
	struct drive d = {0};

	(void)state;
	assert_false(at(&d, &r, false, true, 1));
	assert_true(at(&d, &r, true, true, 1));
	assert_true(wake == DRIVE_NEVER);
	assert_false(at(&d, &r, true, false, 2));
	assert_false(at(&d, &r, false, true, 3));
}

static void test_a_pulse_is_once_for_each_wish(void **state)
{
	const struct drive_rule r = {.pulse_ms = 50};
	struct drive d = {0};

	(void)state;
	assert_true(at(&d, &r, true, true, 100));
	assert_true(wake == 150 * MS);
	assert_true(at(&d, &r, true, true, 149));
	assert_false(at(&d, &r, true, true, 150));
	assert_false(at(&d, &r, true, true, 900));
	at(&d, &r, false, true, 901);
	assert_true(at(&d, &r, true, true, 902));
	/* Who wanted it is gone; the pulse is whole all the same. */
	assert_true(at(&d, &r, false, true, 903));
	assert_false(at(&d, &r, false, true, 952));
	drive_pulse(&d, &r, 20, 960 * MS);
	assert_true(at(&d, &r, false, true, 960));
	drive_pulse(&d, &r, 100, 970 * MS);
	assert_true(at(&d, &r, false, true, 1069));
	assert_false(at(&d, &r, false, true, 1070));
	drive_pulse(&d, &r, 100, 1100 * MS);
	assert_true(at(&d, &r, false, true, 1100));
	drive_cancel(&d);
	assert_false(at(&d, &r, false, true, 1101));
}

static void test_shortest_times(void **state)
{
	const struct drive_rule r = {.min_on_ms = 30, .min_off_ms = 70};
	struct drive d = {.since_us = 1000 * MS};

	(void)state;
	assert_false(at(&d, &r, true, true, 1010));
	assert_true(wake == 1070 * MS);
	assert_true(at(&d, &r, true, true, 1070));
	assert_true(at(&d, &r, false, true, 1080));
	assert_true(wake == 1100 * MS);
	/* Not even an alarm that wants it off cuts a motor's shortest run. */
	assert_true(at(&d, &r, true, false, 1090));
	assert_false(at(&d, &r, false, true, 1100));
	assert_false(at(&d, &r, true, true, 1169));
	assert_true(at(&d, &r, true, true, 1170));
}

/* A pulse that could not begin in its time does not begin later. */
static void test_nothing_old_fires(void **state)
{
	const struct drive_rule r = {0};
	struct drive d = {0};

	(void)state;
	drive_pulse(&d, &r, 50, 100 * MS);
	assert_false(at(&d, &r, false, false, 100));
	assert_false(at(&d, &r, false, false, 150));
	assert_false(at(&d, &r, false, true, 151));
	drive_pulse(&d, &r, 50, 200 * MS);
	assert_false(at(&d, &r, false, false, 220));
	assert_true(at(&d, &r, false, true, 230));
	assert_false(at(&d, &r, false, true, 280));
	/* And one that was cut off does not come back for its rest. */
	drive_pulse(&d, &r, 50, 300 * MS);
	assert_true(at(&d, &r, false, true, 300));
	assert_false(at(&d, &r, false, false, 310));
	assert_false(at(&d, &r, false, true, 320));
}

static void test_winner(void **state)
{
	struct drive_claim v[3] = {{0}};

	(void)state;
	assert_int_equal(drive_winner(v, 3), -1);
	v[1].asks = v[2].asks = true;
	assert_int_equal(drive_winner(v, 3), 1);
	v[2].level = true;
	assert_int_equal(drive_winner(v, 3), 2);
	v[0] = (struct drive_claim){.asks = true, .rank = 1};
	assert_int_equal(drive_winner(v, 3), 0);
	v[0].asks = false;
	v[2].asks = false;
	assert_int_equal(drive_winner(v, 3), 1);
}

static uint64_t seed = 7;

static uint64_t draw(uint64_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * UINT64_C(0x2545f4914f6cdd1d) >> 16) % below;
}

/* Two interlocked outputs, as field_output.c steps them, for a long time of
 * wishes that come and go: never both, never shorter than they may be. */
static void test_interlocked_are_never_both_on(void **state)
{
	const struct drive_rule r[2] = {{.min_on_ms = 5, .min_off_ms = 3},
					{.pulse_ms = 7}};
	struct drive d[2] = {{0}, {0}};
	bool want[2] = {false, false};
	uint64_t on_since[2] = {0, 0};
	unsigned turns = 0;

	(void)state;
	for (uint64_t now = 1; now < 20000; now++) {
		struct drive_claim c[2];
		bool was[2] = {d[0].level, d[1].level};
		int winner;

		for (int i = 0; i < 2; i++) {
			if (!draw(6))
				want[i] = !want[i];
			c[i] = (struct drive_claim){
				.asks = drive_asks(&d[i], &r[i], want[i],
						   now * MS),
				.level = d[i].level,
				.rank = (uint8_t)draw(2),
			};
		}
		winner = drive_winner(c, 2);
		for (int i = 0; i < 2; i++)
			if (i != winner)
				drive_step(&d[i], &r[i], c[i].asks, false,
					   now * MS, &wake);
		if (winner >= 0)
			drive_step(&d[winner], &r[winner], c[winner].asks,
				   !d[!winner].level, now * MS, &wake);
		assert_false(d[0].level && d[1].level);
		for (int i = 0; i < 2; i++) {
			if (d[i].level && !was[i]) {
				on_since[i] = now;
				turns++;
			}
			if (!d[i].level && was[i])
				assert_true(now - on_since[i] >=
					    r[i].min_on_ms);
		}
	}
	assert_true(turns > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_is_what_is_wanted),
		cmocka_unit_test(test_a_pulse_is_once_for_each_wish),
		cmocka_unit_test(test_shortest_times),
		cmocka_unit_test(test_nothing_old_fires),
		cmocka_unit_test(test_winner),
		cmocka_unit_test(test_interlocked_are_never_both_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
