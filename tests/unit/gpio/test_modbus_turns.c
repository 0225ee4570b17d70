/* Whose turn it is: a bus in the mind, its clock moved by what each turn
 * costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/modbus/turns.h"

#include <stdlib.h>
#include <string.h>

#define MS 1000u
#define TIMEOUT (500 * MS)
#define ANSWER (2 * MS)
#define N 12
#define UNITS 4

static struct turn turn[N];
static struct turn_unit unit[UNITS];
static struct turns t;
static uint64_t now, served[N];
static unsigned times[N];

static void begin(size_t n, uint64_t period)
{
	memset(turn, 0, sizeof(turn));
	memset(unit, 0, sizeof(unit));
	memset(times, 0, sizeof(times));
	now = 1000 * MS;
	for (size_t i = 0; i < n; i++) {
		turn[i] = (struct turn){.due_us = now, .period_us = period};
		served[i] = now;
	}
	t = (struct turns){
		.turn = turn,
		.n = n,
		.unit = unit,
		.n_units = UNITS,
		.retries = 2,
		.back_off_us = 1000 * MS,
		.max_back_off_us = 10000 * MS,
	};
}

/* One turn of the bus; the index, N when it only waited. */
static size_t go(const bool *dead)
{
	uint64_t when;
	size_t i = turns_next(&t, now, &when);

	if (i == t.n) {
		assert_true(when > now);
		assert_true(when != TURNS_NEVER);
		now = when;
		return N;
	}
	assert_true(turn[i].due_us <= now);
	now += dead[turn[i].unit] ? TIMEOUT : ANSWER;
	turns_done(&t, i, dead[turn[i].unit] ? TURN_SILENT : TURN_GOOD, now);
	served[i] = now;
	times[i]++;
	return i;
}

static void test_each_by_its_own_period(void **state)
{
	const bool dead[UNITS] = {false};
	uint64_t start;

	(void)state;
	begin(3, 100 * MS);
	turn[1].period_us = 1000 * MS;
	turn[2].period_us = 5000 * MS;
	start = now;
	while (now < start + 10000 * MS - 50 * MS)
		go(dead);
	assert_int_equal(times[0], 100);
	assert_int_equal(times[1], 10);
	assert_int_equal(times[2], 2);
}

/* Between two turns of silent units everything else that is due has its
 * turn. */
static void test_silent_units_delay_by_one_timeout(void **state)
{
	(void)state;
	srand(3);
	for (int round = 0; round < 300; round++) {
		bool dead[UNITS] = {false};
		size_t last = N;
		uint64_t last_began = 0;

		begin(N, 100 * MS);
		for (size_t i = 0; i < N; i++) {
			turn[i].unit = (size_t)rand() % UNITS;
			turn[i].period_us =
				(uint64_t)(1 + rand() % 40) * 10 * MS;
		}
		for (size_t u = 1; u < UNITS; u++)
			dead[u] = rand() % 2;
		for (int k = 0; k < 400; k++) {
			uint64_t began = now, when;
			size_t i = turns_next(&t, now, &when);
			bool silent = i < t.n && dead[turn[i].unit];

			/* One that was not known to be silent is found out
			 * now: that cannot be foreseen. */
			if (silent && last < N && unit[turn[i].unit].fails)
				for (size_t x = 0; x < t.n; x++)
					/* Due when the last silence ended and
					 * still not served: that is a delay of
					 * two. */
					assert_false(
						!dead[turn[x].unit] &&
						turn[x].due_us <=
							last_began + TIMEOUT &&
						served[x] <
							last_began + TIMEOUT &&
						turn[x].due_us <= began);
			if (silent) {
				last = i;
				last_began = began;
			}
			go(dead);
		}
		/* Nobody starves, the dead are asked again now and then. */
		for (size_t i = 0; i < N; i++)
			if (!dead[turn[i].unit])
				assert_true(times[i] > 0);
		for (size_t u = 0; u < UNITS; u++)
			if (dead[u])
				assert_true(unit[u].not_before_us <=
					    now + t.max_back_off_us);
	}
}

static void test_retries_then_back_off(void **state)
{
	const bool dead[UNITS] = {true};
	const bool back[UNITS] = {false};
	uint64_t gap[6], last;

	(void)state;
	begin(2, 100 * MS);
	for (int i = 0; i < 3; i++) {
		assert_false(turns_unit_failed(&t, 0));
		go(dead);
	}
	assert_true(turns_unit_failed(&t, 0));
	for (int i = 0; i < 6; i++) {
		last = now;
		assert_int_equal(go(dead), N); /* left alone */
		gap[i] = now - last;
		assert_true(go(dead) < N);
	}
	assert_int_equal(gap[0], 1000 * MS);
	assert_int_equal(gap[1], 2000 * MS);
	assert_int_equal(gap[2], 4000 * MS);
	assert_int_equal(gap[3], 8000 * MS);
	assert_int_equal(gap[4], 10000 * MS);
	assert_int_equal(gap[5], 10000 * MS);
	/* Once one is answered, all of the unit is asked at once. */
	assert_int_equal(go(back), N);
	last = now;
	go(back);
	go(back);
	assert_int_equal(now, last + 2 * ANSWER);
	assert_int_equal(unit[0].fails + turn[0].fails + turn[1].fails, 0);
}

static void test_refusals_are_of_the_turn(void **state)
{
	uint64_t when;

	(void)state;
	begin(2, 100 * MS);
	for (int i = 0; i < 3; i++) {
		assert_false(turns_failed(&t, 0));
		turns_done(&t, 0, TURN_REFUSED, now);
	}
	assert_true(turns_failed(&t, 0));
	assert_false(turns_unit_failed(&t, 0));
	assert_int_equal(turns_next(&t, now, &when), 1);
	turns_done(&t, 1, TURN_GOOD, now);
	assert_int_equal(turns_next(&t, now, &when), 2);
	assert_int_equal(when, now + 100 * MS);
	/* One that is read seldom is not read more often for being refused. */
	begin(1, 60000 * MS);
	for (int i = 0; i < 3; i++)
		turns_done(&t, 0, TURN_REFUSED, now);
	assert_int_equal(turn[0].due_us, now + 60000 * MS);
}

static void test_writes_first(void **state)
{
	uint64_t when;

	(void)state;
	begin(3, 100 * MS);
	turn[2] =
		(struct turn){.unit = 1, .urgent = true, .due_us = TURNS_NEVER};
	now += 50 * MS;
	turns_urge(&t, 2, now);
	assert_int_equal(turns_next(&t, now, &when), 2);
	turns_done(&t, 2, TURN_GOOD, now);
	assert_int_equal(turn[2].due_us, TURNS_NEVER);
	/* Of a silent unit too, once. */
	for (int i = 0; i < 5; i++) {
		turns_urge(&t, 2, now);
		turns_done(&t, 2, TURN_SILENT, now);
	}
	turns_done(&t, 0, TURN_GOOD, now);
	turns_done(&t, 1, TURN_GOOD, now);
	assert_int_equal(turns_next(&t, now, &when), 3);
	turns_urge(&t, 2, now);
	assert_int_equal(turns_next(&t, now, &when), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_by_its_own_period),
		cmocka_unit_test(test_silent_units_delay_by_one_timeout),
		cmocka_unit_test(test_retries_then_back_off),
		cmocka_unit_test(test_refusals_are_of_the_turn),
		cmocka_unit_test(test_writes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
