/* Votes, window, delay, storm limit: by example, and against a slow oracle that
 * keeps the whole past. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/cause.h"

#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000)
#define INPUTS 3

static struct cause c;
static struct cause_input in[INPUTS];
static uint64_t now, wake;

static int begin(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	memset(in, 0, sizeof(in));
	for (size_t i = 0; i < INPUTS; i++)
		in[i].good = true;
	now = 0;
	return 0;
}

/** Moves input i (a digit) on '+' or off '-', good 'g' or bad 'b'. */
static bool at(uint64_t ms, const struct cause_rule *r, const char *moves)
{
	now = ms * MS;
	for (; *moves; moves += 2) {
		struct cause_input *x = &in[moves[1] - '0'];

		if (*moves == '+' || *moves == '-')
			x->active = *moves == '+';
		else
			x->good = *moves == 'g';
	}
	return cause_step(&c, r, in, INPUTS, now, &wake);
}

static void test_votes(void **state)
{
	const struct cause_rule any = {.votes = 1}, two = {.votes = 2},
				all = {.votes = 3};

	(void)state;
	assert_false(at(0, &any, ""));
	assert_true(at(1, &any, "+1"));
	assert_false(at(2, &any, "-1"));
	assert_false(at(3, &two, "+0"));
	assert_true(at(4, &two, "+2"));
	assert_int_equal(c.counting, 2);
	assert_false(at(5, &two, "-0"));
	assert_false(at(6, &all, "+0"));
	assert_true(at(7, &all, "+1"));
	assert_int_equal(wake, CAUSE_NEVER);
}

/* DESIGN rule 3. */
static void test_bad_quality_neither_raises_nor_ends(void **state)
{
	const struct cause_rule two = {.votes = 2};

	(void)state;
	assert_false(at(0, &two, "+0b0"));
	assert_false(at(1, &two, "+1"));
	assert_true(at(2, &two, "g0"));
	assert_true(at(3, &two, "b0b1"));
	assert_true(at(4, &two, "g1"));
	assert_false(at(5, &two, "-1"));
	/* What is bad still stands at active: one is sure, not two. */
	assert_false(at(6, &two, "+1"));
	assert_true(at(7, &two, "g0"));
}

static void test_two_knocks_within_a_time(void **state)
{
	const struct cause_rule knock = {.votes = 2, .within_ms = 30};

	(void)state;
	assert_false(at(100, &knock, "+0"));
	assert_false(at(101, &knock, "-0"));
	assert_int_equal(wake, 130 * MS);
	assert_false(at(130, &knock, "+1"));
	assert_false(at(131, &knock, "-1"));
	assert_true(at(159, &knock, "+0"));
	assert_true(at(159, &knock, "-0"));
	assert_int_equal(wake, 160 * MS);
	assert_false(at(160, &knock, ""));
	/* The same one twice is one vote. */
	assert_false(at(200, &knock, "+2"));
	assert_false(at(201, &knock, "-2"));
	assert_false(at(202, &knock, "+2"));
	cause_forget(&c, in, INPUTS);
	assert_false(at(203, &knock, "-2"));
	assert_int_equal(c.counting, 0);
	/* What is active counts however long ago that was. */
	assert_false(at(300, &knock, "+0"));
	assert_true(at(900, &knock, "+1"));
}

static void test_delay(void **state)
{
	const struct cause_rule slow = {.votes = 1, .delay_ms = 50};

	(void)state;
	assert_false(at(0, &slow, "+0"));
	assert_int_equal(wake, 50 * MS);
	assert_false(at(49, &slow, "-0"));
	assert_false(at(60, &slow, "+0"));
	assert_false(at(109, &slow, "+1-0"));
	assert_true(at(110, &slow, ""));
	assert_false(at(111, &slow, "-1"));
	/* Lost meanwhile: it waits until that is known again. */
	assert_false(at(200, &slow, "+0"));
	assert_false(at(300, &slow, "b0"));
	assert_true(at(301, &slow, "g0"));
}

static void test_storm(void **state)
{
	const struct cause_rule few = {.votes = 1, .storm = 2, .storm_ms = 100};

	(void)state;
	for (unsigned t = 0; t <= 200; t += 100) {
		assert_true(at(t, &few, "+0"));
		assert_false(at(t + 1, &few, "-0"));
		assert_true(at(t + 50, &few, "+0"));
		assert_false(at(t + 51, &few, "-0"));
	}
	assert_true(at(299, &few, "+0"));
	assert_true(c.storm);
	assert_true(at(310, &few, "-0"));
	assert_int_equal(wake, 410 * MS);
	assert_true(at(390, &few, "+0"));
	assert_true(at(391, &few, "-0"));
	assert_true(at(490, &few, ""));
	assert_false(at(491, &few, ""));
	assert_false(c.storm);
	assert_true(at(492, &few, "+0"));
	assert_true(at(493, &few, "+0"));
	assert_false(at(494, &few, "-0"));
	assert_true(at(495, &few, "+0"));
	assert_false(at(496, &few, "-0"));
	assert_true(at(497, &few, "+0"));
	assert_true(at(498, &few, "-0"));
	/* A person may end it. */
	cause_forget(&c, in, INPUTS);
	assert_false(at(499, &few, ""));
}

/* The rule said again from the whole past, ms by ms, quality good or bad. */
static void test_oracle(void **state)
{
	enum { SPAN = 400 };
	static bool act[SPAN][INPUTS], good[SPAN][INPUTS];
	unsigned fired = 0;

	(void)state;
	srand(1);
	for (int run = 0; run < 2000; run++) {
		const struct cause_rule r = {
			.votes = 1 + (size_t)rand() % INPUTS,
			.within_ms = rand() % 2 ? (uint32_t)(rand() % 20) : 0,
			.delay_ms = rand() % 2 ? (uint32_t)(rand() % 20) : 0,
		};
		bool known[INPUTS] = {false}, raw = false, met = false;
		int edge[INPUTS] = {-SPAN, -SPAN, -SPAN}, since = 0;

		begin(NULL);
		for (int t = 0; t < SPAN; t++) {
			size_t sure = 0, held = 0;

			for (int i = 0; i < INPUTS; i++) {
				bool is;

				act[t][i] = t && act[t - 1][i];
				good[t][i] = !t || good[t - 1][i];
				if (rand() % 12 == 0)
					good[t][i] = !good[t][i];
				/* Only a good reading changes the value. */
				if (good[t][i] && rand() % 8 == 0)
					act[t][i] = !act[t][i];
				if (!act[t][i])
					known[i] = false;
				else if (good[t][i] && !known[i]) {
					known[i] = true;
					edge[i] = t;
				}
				is = t - edge[i] < (int)r.within_ms;
				held += act[t][i] || is;
				sure += (act[t][i] && good[t][i]) || is;
				in[i].active = act[t][i];
				in[i].good = good[t][i];
			}
			if (held < r.votes)
				met = raw = false;
			else if (!met && sure >= r.votes) {
				met = true;
				since = t;
			}
			if (met && sure >= r.votes &&
			    t - since >= (int)r.delay_ms)
				raw = true;
			fired += raw;
			assert_int_equal(cause_step(&c, &r, in, INPUTS,
						    (uint64_t)t * MS, &wake),
					 raw);
			assert_int_equal(c.counting, held);
			/* A wake is never in the past, or it would spin. */
			assert_true(wake > (uint64_t)t * MS);
		}
	}
	assert_true(fired > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_votes, begin),
		cmocka_unit_test_setup(test_bad_quality_neither_raises_nor_ends,
				       begin),
		cmocka_unit_test_setup(test_two_knocks_within_a_time, begin),
		cmocka_unit_test_setup(test_delay, begin),
		cmocka_unit_test_setup(test_storm, begin),
		cmocka_unit_test(test_oracle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
