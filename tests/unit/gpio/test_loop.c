/* Supervised loops against a naive reading of their history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/loop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000u

static const struct loop_rule plain = {
	.window = {{-INFINITY, 2, LOOP_SHORT},
		   {2, 5, LOOP_ALARM},
		   {5, 9, LOOP_NORMAL},
		   {9, INFINITY, LOOP_OPEN}},
	.n = 4,
	.hold_ms = 200,
	.fault_hold_ms = 1000,
};

static struct loop l;
static uint64_t now;

static bool at(const struct loop_rule *r, unsigned ms, double x)
{
	now += ms * MS;
	return loop_take(&l, r, x, now);
}

static int fresh(void **state)
{
	(void)state;
	memset(&l, 0, sizeof(l));
	now = 5000 * MS;
	return 0;
}

static void test_windows(void **state)
{
	static const struct {
		double x;
		enum loop_state is;
	} at_[] = {{-1e300, LOOP_SHORT}, {1.999, LOOP_SHORT},
		   {2, LOOP_ALARM},      {4.999, LOOP_ALARM},
		   {5, LOOP_NORMAL},     {8.999, LOOP_NORMAL},
		   {9, LOOP_OPEN},       {INFINITY, LOOP_OPEN}};
	struct loop_rule r = plain;

	(void)state;
	r.hold_ms = r.fault_hold_ms = 0;
	for (size_t i = 0; i < 8; i++) {
		fresh(NULL);
		assert_true(at(&r, 0, at_[i].x));
		assert_int_equal(l.state, at_[i].is);
	}
}

static void test_hold(void **state)
{
	(void)state;
	assert_false(at(&plain, 0, 7));
	assert_false(l.known); /* not even normal is taken on trust */
	assert_int_equal(loop_due(&l, &plain), now + 200 * MS);
	assert_false(at(&plain, 199, 7));
	assert_true(at(&plain, 1, 7));
	assert_int_equal(l.state, LOOP_NORMAL);
	assert_int_equal(loop_due(&l, &plain), 0);
	/* A cable is cut: it sweeps through alarm. */
	assert_false(at(&plain, 10, 3));
	assert_false(at(&plain, 190, 1));
	assert_false(at(&plain, 999, 1));
	assert_int_equal(l.state, LOOP_NORMAL);
	assert_true(at(&plain, 1, 1));
	assert_int_equal(l.state, LOOP_SHORT);
	assert_int_equal(l.glitches, 1);
	/* Without a reading. */
	assert_false(at(&plain, 0, 3));
	assert_false(loop_settle(&l, &plain, now + 199 * MS));
	assert_true(loop_settle(&l, &plain, now + 200 * MS));
	assert_false(loop_settle(&l, &plain, now + 300 * MS));
	assert_int_equal(l.state, LOOP_ALARM);
	loop_lost(&l);
	assert_false(at(&plain, 0, 3));
	assert_false(l.known);
}

static void test_hysteresis(void **state)
{
	struct loop_rule r = plain;

	(void)state;
	r.hold_ms = r.fault_hold_ms = 0;
	r.hysteresis = 0.5;
	at(&r, 0, 7);
	assert_false(at(&r, 1, 4.5));
	assert_true(at(&r, 1, 4.4));
	assert_int_equal(l.state, LOOP_ALARM);
	assert_false(at(&r, 1, 5.4));
	assert_true(at(&r, 1, 5.5));
	assert_int_equal(l.state, LOOP_NORMAL);
	assert_false(at(&r, 1, 9.4));
	assert_true(at(&r, 1, 9.5));
	assert_int_equal(l.state, LOOP_OPEN);
	/* Far away it is where it is. */
	assert_true(at(&r, 1, 3));
	assert_int_equal(l.state, LOOP_ALARM);
}

static enum loop_state where(double x)
{
	return x < 2   ? LOOP_SHORT
	       : x < 5 ? LOOP_ALARM
	       : x < 9 ? LOOP_NORMAL
		       : LOOP_OPEN;
}

static void test_against_history(void **state)
{
	(void)state;
	srand(11);
	for (int round = 0; round < 300; round++) {
		enum loop_state run = LOOP_OPEN, settled = LOOP_OPEN;
		uint64_t since = 0;
		bool known = false, any = false;

		fresh(NULL);
		for (int k = 0; k < 200; k++) {
			double x = rand() % (round % 2 ? 110 : 60) / 10.0;
			bool told = at(&plain, (unsigned)rand() % 150, x);
			enum loop_state s = where(x);
			uint64_t hold = s >= LOOP_SHORT ? 1000 * MS : 200 * MS;
			bool is_new;

			if (!any || s != run) {
				run = s;
				since = now;
			}
			any = true;
			is_new =
				(!known || s != settled) && now - since >= hold;
			if (is_new) {
				known = true;
				settled = s;
			}
			assert_int_equal(told, is_new);
			assert_int_equal(l.known, known);
			if (known)
				assert_int_equal(l.state, settled);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_windows, fresh),
		cmocka_unit_test_setup(test_hold, fresh),
		cmocka_unit_test_setup(test_hysteresis, fresh),
		cmocka_unit_test_setup(test_against_history, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
