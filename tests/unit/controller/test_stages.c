/* Calling in stages: by example, and every way through small plans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/operators/stages.h"

#include <string.h>

#define MS UINT64_C(1000)

static const struct stages_rule two = {
	.n = 2,
	.stage = {{2, 20000, false}, {1, 40000, true}},
	.rounds = 2,
};

static struct stages s;

static struct stages_act at(uint64_t ms, enum stages_event ev, unsigned i)
{
	return stages_step(&s, &two, ev, i, ms * MS);
}

static void first_to_answer_has_it(void **state)
{
	struct stages_act a;
	(void)state;

	s = (struct stages){0};
	a = at(0, STAGES_EV_START, 0);
	assert_true(a.ring);
	assert_int_equal(s.due, 20000 * MS);
	a = at(3000, STAGES_EV_ANSWERED, 1);
	assert_true(a.taken);
	assert_int_equal(a.hang_up, 1);
	assert_int_equal(s.taker, 1);
	assert_int_equal(s.due, 0);
	/* The other one was as quick: too late. */
	a = at(3001, STAGES_EV_ANSWERED, 0);
	assert_false(a.taken || a.hang_up || a.ring);
	a = at(9000, STAGES_EV_STOP, 0);
	assert_int_equal(a.hang_up, 0);
	assert_int_equal(s.state, STAGES_OFF);
}

static void a_mailbox_takes_nothing(void **state)
{
	struct stages_act a;
	(void)state;

	s = (struct stages){0};
	at(0, STAGES_EV_START, 0);
	a = at(20000, STAGES_EV_DUE, 0);
	assert_int_equal(a.hang_up, 3);
	assert_true(a.ring);
	assert_int_equal(s.stage, 1);
	a = at(25000, STAGES_EV_ANSWERED, 0);
	assert_false(a.taken);
	a = at(60000, STAGES_EV_DUE, 0);
	assert_int_equal(a.hang_up, 1);
	assert_true(a.round_over && a.ring && !a.vain);
	assert_int_equal(s.stage, 0);
	at(80000, STAGES_EV_DUE, 0);
	/* A key before the answer is none. */
	assert_false(at(80001, STAGES_EV_KEY, 0).taken);
	at(81000, STAGES_EV_ANSWERED, 0);
	a = at(82000, STAGES_EV_KEY, 0);
	assert_true(a.taken);
}

static void refused_by_all_goes_on_after_a_pause(void **state)
{
	struct stages_act a;
	(void)state;

	s = (struct stages){0};
	at(0, STAGES_EV_START, 0);
	at(100, STAGES_EV_GONE, 0);
	assert_int_equal(s.state, STAGES_RING);
	at(200, STAGES_EV_GONE, 1);
	assert_int_equal(s.state, STAGES_PAUSE);
	assert_int_equal(s.due, STAGES_LEAST_MS * MS);
	assert_true(at(3000, STAGES_EV_DUE, 0).ring);
	at(10000, STAGES_EV_GONE, 0);
	assert_int_equal(s.due, 10000 * MS);
	a = at(10000, STAGES_EV_DUE, 0);
	assert_true(a.round_over);
	/* The second round is the last. */
	at(10100, STAGES_EV_GONE, 0);
	at(10100, STAGES_EV_GONE, 1);
	at(13000, STAGES_EV_DUE, 0);
	a = at(53000, STAGES_EV_DUE, 0);
	assert_true(a.vain && a.round_over && !a.ring);
	assert_int_equal(a.hang_up, 1);
	assert_int_equal(s.due, 0);
}

/** Every sequence of 7 events on plans of up to two stages of two numbers. */
static void walk(const struct stages_rule *r, struct stages from, uint32_t open,
		 bool taken, uint64_t now, unsigned left)
{
	/* No way into a state without a way out: something is due, or it is
	 * taken, over or off. */
	if (from.state == STAGES_RING || from.state == STAGES_PAUSE)
		assert_int_not_equal(from.due, 0);
	else
		assert_int_equal(from.due, 0);
	assert_int_equal(taken, from.state == STAGES_TAKEN);
	if (!left)
		return;
	for (unsigned ev = STAGES_EV_START; ev <= STAGES_EV_DUE; ev++)
		for (unsigned i = 0; i < 2; i++) {
			struct stages to = from;
			struct stages_act a;
			uint32_t up = open;
			bool has = taken;
			uint64_t then = now + 1000;

			if (ev == STAGES_EV_DUE) {
				if (!from.due || i)
					continue;
				then = from.due > now ? from.due : now;
			} else if (ev >= STAGES_EV_ANSWERED &&
				   ev <= STAGES_EV_GONE) {
				/* Only a call that is up can do something. */
				if (!(open >> i & 1))
					continue;
				if (ev == STAGES_EV_GONE)
					up &= ~(UINT32_C(1) << i);
			} else if (i) {
				continue;
			}
			a = stages_step(&to, r, (enum stages_event)ev, i, then);
			/* Nothing is hung up that is not up. */
			assert_int_equal(a.hang_up & ~up, 0);
			up &= ~a.hang_up;
			if (a.ring) {
				assert_int_equal(up, 0);
				up = (UINT32_C(1)
				      << r->stage[to.stage].n_ring) -
				     1;
			}
			if (a.taken) {
				assert_false(has);
				has = true;
				assert_int_equal(up, UINT32_C(1) << to.taker);
			}
			if (ev == STAGES_EV_STOP)
				/* Who took it keeps his call. */
				up = 0, has = false;
			if (to.state == STAGES_VAIN || to.state == STAGES_OFF ||
			    to.state == STAGES_PAUSE)
				assert_int_equal(up, 0);
			walk(r, to, up, has, then, left - 1);
		}
}

static void every_way(void **state)
{
	(void)state;
	for (unsigned plan = 0; plan < 16; plan++) {
		struct stages_rule r = {
			.n = 1 + (plan & 1),
			.stage = {{1 + (plan >> 1 & 1), 5000, plan >> 2 & 1},
				  {2, 7000, true}},
			.rounds = plan >> 3,
		};

		walk(&r, (struct stages){0}, 0, false, 1000000, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_to_answer_has_it),
		cmocka_unit_test(a_mailbox_takes_nothing),
		cmocka_unit_test(refused_by_all_goes_on_after_a_pause),
		cmocka_unit_test(every_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
