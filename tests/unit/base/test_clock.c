#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/clock.h"

#include <string.h>

#define S INT64_C(1000000)
#define WALL INT64_C(1795416900000000)

static void test_clocks_run(void **state)
{
	uint64_t a = clock_mono_us(), b = clock_mono_us();

	(void)state;
	assert_true(b >= a);
	assert_true(clock_mono_ms() >= b / 1000);
	assert_true(clock_wall_us() > INT64_C(1700000000) * S);
}

static void test_steps_are_told_once(void **state)
{
	struct clock_watch w;
	uint64_t mono = 5;
	int64_t wall = WALL;

	(void)state;
	clock_watch_init(&w, mono, wall);
	assert_int_equal(clock_watch_step(&w, mono, wall), 0);
	mono += 7 * S;
	wall += 7 * S;
	assert_int_equal(clock_watch_step(&w, mono, wall), 0);
	/* Ahead by an hour, back by two. */
	mono += S;
	wall += S + 3600 * S;
	assert_int_equal(clock_watch_step(&w, mono, wall), 3600 * S);
	assert_int_equal(clock_watch_step(&w, mono, wall), 0);
	wall -= 7200 * S;
	assert_int_equal(clock_watch_step(&w, mono, wall), -7200 * S);
	mono += 3600 * S;
	wall += 3600 * S;
	assert_int_equal(clock_watch_step(&w, mono, wall), 0);
}

static void test_the_least_step(void **state)
{
	struct clock_watch w;

	(void)state;
	clock_watch_init(&w, 0, WALL);
	assert_int_equal(clock_watch_step(&w, 0, WALL + CLOCK_STEP_MIN_US - 1),
			 0);
	clock_watch_init(&w, 0, WALL);
	assert_int_equal(clock_watch_step(&w, 0, WALL + CLOCK_STEP_MIN_US),
			 CLOCK_STEP_MIN_US);
	clock_watch_init(&w, 0, WALL);
	assert_int_equal(clock_watch_step(&w, 0, WALL - CLOCK_STEP_MIN_US),
			 -CLOCK_STEP_MIN_US);
}

/* NTP may slew at 500 ppm for hours; that is no step however much it adds. */
static void test_slewing_is_followed(void **state)
{
	struct clock_watch w;
	uint64_t mono = 0;
	int64_t wall = WALL;

	(void)state;
	clock_watch_init(&w, mono, wall);
	for (int i = 0; i < 100000; i++) {
		mono += S;
		wall += S + 500;
		assert_int_equal(clock_watch_step(&w, mono, wall), 0);
	}
	wall += 2 * S;
	assert_int_equal(clock_watch_step(&w, mono, wall), 2 * S);
}

static void test_wall_before_1970(void **state)
{
	struct clock_watch w;

	(void)state;
	/* A gateway without a battery: from 1970 to now by the first NTP. */
	clock_watch_init(&w, 100 * S, -5 * S);
	assert_int_equal(clock_watch_step(&w, 101 * S, WALL), WALL + 4 * S);
}

static void test_format(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} t[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{-1, "1969-12-31T23:59:59.999999Z"},
		{-S, "1969-12-31T23:59:59.000000Z"},
		{WALL + 123456, "2026-11-23T06:55:00.123456Z"},
		{INT64_C(951825600) * S + 7, "2000-02-29T12:00:00.000007Z"},
		{INT64_C(253402300799) * S, "9999-12-31T23:59:59.000000Z"},
	};
	char buf[CLOCK_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_ptr_equal(clock_format(buf, t[i].us), buf);
		assert_string_equal(buf, t[i].text);
	}
	/* Whatever comes, it stays within its buffer. */
	assert_true(strlen(clock_format(buf, INT64_MAX)) < sizeof(buf));
	assert_true(strlen(clock_format(buf, INT64_MIN)) < sizeof(buf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks_run),
		cmocka_unit_test(test_steps_are_told_once),
		cmocka_unit_test(test_the_least_step),
		cmocka_unit_test(test_slewing_is_followed),
		cmocka_unit_test(test_wall_before_1970),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
