/* The alarm's table: single cells by example, and all that can be reached from
 * a fresh alarm by search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/alarm.h"

#include <string.h>

#define START_NOTE (ALARM_DO_START | ALARM_DO_NOTE)
#define STOP_NOTE (ALARM_DO_STOP | ALARM_DO_NOTE)

static struct reason why;

static unsigned step(struct alarm_snapshot *s, enum alarm_event ev)
{
	why.text[0] = '\0';
	return alarm_step(s, ev, &why);
}

#define steps_to(s, ev, todo, to)                                              \
	do {                                                                   \
		assert_int_equal(step((s), (ev)), (todo));                     \
		assert_int_equal((s)->state, (to));                            \
	} while (0)

#define refuses(s, ev, says)                                                   \
	do {                                                                   \
		struct alarm_snapshot before = *(s);                           \
                                                                               \
		assert_int_equal(step((s), (ev)), ALARM_DO_REFUSE);            \
		assert_non_null(strstr(why.text, (says)));                     \
		assert_memory_equal(&before, (s), sizeof(before));             \
	} while (0)

/* ------------------------------------------------------------------ by example
 */

static void test_plain_alarm_follows_its_cause(void **state)
{
	struct alarm_snapshot s = {0};

	(void)state;
	steps_to(&s, ALARM_EV_CAUSE, START_NOTE, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_CAUSE, 0, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_CLEAR, STOP_NOTE, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_CLEAR, 0, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_CAUSE, START_NOTE, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_ACK, ALARM_DO_NOTE, ALARM_ACKED);
	steps_to(&s, ALARM_EV_CLEAR, STOP_NOTE, ALARM_NORMAL);
}

static void test_latch_holds_until_reset(void **state)
{
	struct alarm_snapshot s = {.latch = true};

	(void)state;
	steps_to(&s, ALARM_EV_CAUSE, START_NOTE, ALARM_ACTIVE);
	refuses(&s, ALARM_EV_RESET, "still active");
	steps_to(&s, ALARM_EV_CLEAR, ALARM_DO_NOTE, ALARM_LATCHED);
	steps_to(&s, ALARM_EV_ACK, ALARM_DO_NOTE, ALARM_LATCHED_ACKED);
	refuses(&s, ALARM_EV_ACK, "already acknowledged");
	steps_to(&s, ALARM_EV_RESET, STOP_NOTE, ALARM_NORMAL);
	refuses(&s, ALARM_EV_RESET, "not active");
	refuses(&s, ALARM_EV_ACK, "not active");
}

static void test_new_cause_alarms_again(void **state)
{
	struct alarm_snapshot s = {.latch = true};

	(void)state;
	steps_to(&s, ALARM_EV_CAUSE, START_NOTE, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_CLEAR, ALARM_DO_NOTE, ALARM_LATCHED);
	steps_to(&s, ALARM_EV_CAUSE, ALARM_DO_NOTE, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_ACK, ALARM_DO_NOTE, ALARM_ACKED);
	steps_to(&s, ALARM_EV_CAUSE, 0, ALARM_ACKED);
	steps_to(&s, ALARM_EV_CLEAR, ALARM_DO_NOTE, ALARM_LATCHED_ACKED);
	steps_to(&s, ALARM_EV_CAUSE, ALARM_DO_NOTE, ALARM_ACTIVE);
}

static void test_what_a_hand_began_a_reset_ends(void **state)
{
	struct alarm_snapshot s = {0};

	(void)state;
	steps_to(&s, ALARM_EV_TRIGGER, START_NOTE, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_TRIGGER, 0, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_CLEAR, 0, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_ACK, ALARM_DO_NOTE, ALARM_ACKED);
	steps_to(&s, ALARM_EV_CAUSE, ALARM_DO_NOTE, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_CLEAR, ALARM_DO_NOTE, ALARM_LATCHED);
	steps_to(&s, ALARM_EV_RESET, STOP_NOTE, ALARM_NORMAL);
	assert_false(s.manual);
	steps_to(&s, ALARM_EV_CAUSE, START_NOTE, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_CLEAR, STOP_NOTE, ALARM_NORMAL);
}

static void test_lost_source_forbids_reset(void **state)
{
	struct alarm_snapshot s = {.latch = true};

	(void)state;
	steps_to(&s, ALARM_EV_CAUSE, START_NOTE, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_CLEAR, ALARM_DO_NOTE, ALARM_LATCHED);
	s.unsure = true;
	refuses(&s, ALARM_EV_RESET, "quality");
	s.unsure = false;
	steps_to(&s, ALARM_EV_RESET, STOP_NOTE, ALARM_NORMAL);
}

static void test_inhibited_alarm_starts_nothing(void **state)
{
	struct alarm_snapshot s = {0};

	(void)state;
	steps_to(&s, ALARM_EV_ENABLE, 0, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_INHIBIT, ALARM_DO_NOTE, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_CAUSE, ALARM_DO_HOLD, ALARM_NORMAL);
	refuses(&s, ALARM_EV_TRIGGER, "inhibited");
	steps_to(&s, ALARM_EV_ENABLE, START_NOTE, ALARM_ACTIVE);
	refuses(&s, ALARM_EV_INHIBIT, "active");
	steps_to(&s, ALARM_EV_CLEAR, STOP_NOTE, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_INHIBIT, ALARM_DO_NOTE, ALARM_NORMAL);
	/* Prolonged: the caller has a new end to record. */
	steps_to(&s, ALARM_EV_INHIBIT, ALARM_DO_NOTE, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_CAUSE, ALARM_DO_HOLD, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_CLEAR, 0, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_ENABLE, ALARM_DO_NOTE, ALARM_NORMAL);
}

static void test_an_excluded_alarm_obeys_hands_only(void **state)
{
	struct alarm_snapshot s = {.latch = true};

	(void)state;
	steps_to(&s, ALARM_EV_EXCLUDE, ALARM_DO_NOTE, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_CAUSE, ALARM_DO_HOLD, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_CAUSE, 0, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_TRIGGER, START_NOTE, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_CLEAR, ALARM_DO_NOTE, ALARM_LATCHED);
	steps_to(&s, ALARM_EV_RESET, STOP_NOTE, ALARM_NORMAL);
	/* The mode changes while its cause is there: it is news then. */
	steps_to(&s, ALARM_EV_CAUSE, ALARM_DO_HOLD, ALARM_NORMAL);
	steps_to(&s, ALARM_EV_ADMIT, START_NOTE, ALARM_ACTIVE);
	/* And what began goes on, whatever the mode is. */
	steps_to(&s, ALARM_EV_EXCLUDE, 0, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_CLEAR, ALARM_DO_NOTE, ALARM_LATCHED);
	steps_to(&s, ALARM_EV_CAUSE, ALARM_DO_NOTE, ALARM_ACTIVE);
}

static void test_acknowledged_is_asked_again(void **state)
{
	struct alarm_snapshot s = {.latch = true};

	(void)state;
	steps_to(&s, ALARM_EV_CAUSE, START_NOTE, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_REMIND, 0, ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_ACK, ALARM_DO_NOTE, ALARM_ACKED);
	steps_to(&s, ALARM_EV_REMIND, ALARM_DO_AGAIN | ALARM_DO_NOTE,
		 ALARM_ACTIVE);
	steps_to(&s, ALARM_EV_ACK, ALARM_DO_NOTE, ALARM_ACKED);
	steps_to(&s, ALARM_EV_CLEAR, ALARM_DO_NOTE, ALARM_LATCHED_ACKED);
	steps_to(&s, ALARM_EV_REMIND, 0, ALARM_LATCHED_ACKED);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < ALARM_STATES; i++)
		assert_int_equal(alarm_state_by_name(
					 alarm_state_name((enum alarm_state)i)),
				 i);
	assert_int_equal(alarm_state_by_name("asleep"), -1);
	assert_int_equal(alarm_state_by_name(""), -1);
}

/* --------------------------------------------------- everything within reach
 */

/* A snapshot as a number: state, cause, unsure, manual, inhibited, latch,
 * excluded. */
#define SNAPSHOTS (ALARM_STATES * 64)

static struct alarm_snapshot unpack(unsigned n)
{
	return (struct alarm_snapshot){
		.state = (enum alarm_state)(n / 64),
		.cause = n & 1,
		.unsure = n >> 1 & 1,
		.manual = n >> 2 & 1,
		.inhibited = n >> 3 & 1,
		.latch = n >> 4 & 1,
		.excluded = n >> 5 & 1,
	};
}

static unsigned pack(const struct alarm_snapshot *s)
{
	return s->state * 64u + s->cause + s->unsure * 2u + s->manual * 4u +
	       s->inhibited * 8u + s->latch * 16u + s->excluded * 32u;
}

static bool within_reach[SNAPSHOTS];

/* Events in any order, quality changing at any time, latch as configured. */
static int explore(void **state)
{
	unsigned todo[SNAPSHOTS], n = 0;

	(void)state;
	for (unsigned latch = 0; latch < 2; latch++) {
		todo[n++] = latch * 16;
		within_reach[latch * 16] = true;
	}
	while (n) {
		unsigned from = todo[--n];

		for (int ev = 0; ev <= ALARM_EVENTS; ev++) {
			struct alarm_snapshot s = unpack(from);

			if (ev == ALARM_EVENTS)
				s.unsure = !s.unsure;
			else
				alarm_step(&s, (enum alarm_event)ev, NULL);
			if (!within_reach[pack(&s)]) {
				within_reach[pack(&s)] = true;
				todo[n++] = pack(&s);
			}
		}
	}
	return 0;
}

#define each_reachable(from, ev)                                               \
	for (unsigned from = 0; from < SNAPSHOTS; from++)                      \
		for (int ev = 0; within_reach[from] && ev < ALARM_EVENTS; ev++)

static void test_start_and_stop_alternate(void **state)
{
	(void)state;
	each_reachable(from, ev)
	{
		struct alarm_snapshot s = unpack(from), was = s;
		unsigned todo = step(&s, (enum alarm_event)ev);

		/* They run in every state but normal: so START leaves normal,
		 * STOP enters it, and neither comes otherwise. */
		assert_int_equal(!!(todo & ALARM_DO_START),
				 was.state == ALARM_NORMAL &&
					 s.state != ALARM_NORMAL);
		assert_int_equal(!!(todo & ALARM_DO_STOP),
				 was.state != ALARM_NORMAL &&
					 s.state == ALARM_NORMAL);
	}
}

static void test_only_clear_without_latch_and_reset_stop(void **state)
{
	(void)state;
	each_reachable(from, ev)
	{
		struct alarm_snapshot s = unpack(from), was = s;

		if (!(step(&s, (enum alarm_event)ev) & ALARM_DO_STOP))
			continue;
		if (ev == ALARM_EV_CLEAR) {
			assert_true(was.cause && !was.latch && !was.manual);
		} else {
			assert_int_equal(ev, ALARM_EV_RESET);
			assert_true(!was.cause && !was.unsure);
		}
	}
}

static void test_changes_are_noted_refusals_change_nothing(void **state)
{
	(void)state;
	each_reachable(from, ev)
	{
		struct alarm_snapshot s = unpack(from), was = s;
		unsigned todo = step(&s, (enum alarm_event)ev);

		if (todo & ALARM_DO_REFUSE) {
			assert_int_equal(todo, ALARM_DO_REFUSE);
			assert_int_equal(pack(&s), from);
			assert_true(why.text[0]);
			assert_true(ev != ALARM_EV_CAUSE &&
				    ev != ALARM_EV_CLEAR);
			continue;
		}
		assert_false(why.text[0]);
		/* Prolonged inhibition and a cause that joins a trigger are
		 * news as well. */
		assert_int_equal(!!(todo & ALARM_DO_NOTE),
				 s.state != was.state ||
					 s.manual != was.manual ||
					 s.inhibited != was.inhibited ||
					 (s.excluded != was.excluded &&
					  was.state == ALARM_NORMAL) ||
					 ev == ALARM_EV_INHIBIT ||
					 (ev == ALARM_EV_CAUSE && !was.cause &&
					  was.state == ALARM_ACTIVE));
		if (ev == ALARM_EV_CAUSE)
			assert_true(s.cause);
		else if (ev == ALARM_EV_CLEAR)
			assert_false(s.cause);
		else
			assert_int_equal(s.cause, was.cause);
		assert_int_equal(s.unsure, was.unsure);
		assert_int_equal(s.latch, was.latch);
	}
}

static void test_no_cause_goes_unheard(void **state)
{
	(void)state;
	for (unsigned n = 0; n < SNAPSHOTS; n++) {
		struct alarm_snapshot s = unpack(n);

		if (!within_reach[n])
			continue;
		if (s.state == ALARM_NORMAL)
			assert_true(!s.manual &&
				    (!s.cause || s.inhibited || s.excluded));
		else
			assert_false(s.inhibited);
		if (s.state == ALARM_ACTIVE || s.state == ALARM_ACKED)
			assert_true(s.cause || s.manual);
		if (s.state == ALARM_LATCHED || s.state == ALARM_LATCHED_ACKED)
			assert_true(!s.cause && (s.latch || s.manual));
	}
}

/* A new cause or trigger always asks for a person again. */
static void test_news_make_it_active(void **state)
{
	(void)state;
	each_reachable(from, ev)
	{
		struct alarm_snapshot s = unpack(from), was = s;

		if ((ev == ALARM_EV_CAUSE && !was.cause) ||
		    ev == ALARM_EV_TRIGGER) {
			bool held = was.state == ALARM_NORMAL &&
				    (was.inhibited ||
				     (was.excluded && ev == ALARM_EV_CAUSE));
			unsigned todo = step(&s, (enum alarm_event)ev);

			assert_int_equal(s.state,
					 held ? ALARM_NORMAL : ALARM_ACTIVE);
			/* And if not, somebody is told why. */
			assert_int_equal(!!(todo & ALARM_DO_HOLD),
					 held && ev == ALARM_EV_CAUSE);
		}
	}
}

/* What each event may change at all, and what it refuses with which words. */
static void test_each_event_does_its_own_and_no_more(void **state)
{
	static const char *const refusal[ALARM_EVENTS] = {
		[ALARM_EV_TRIGGER] = "is inhibited",
		[ALARM_EV_INHIBIT] = "reset it before",
	};

	(void)state;
	each_reachable(from, ev)
	{
		struct alarm_snapshot s = unpack(from), was = s, to = s;
		unsigned todo = step(&s, (enum alarm_event)ev);
		bool acked = was.state == ALARM_ACKED ||
			     was.state == ALARM_LATCHED_ACKED;
		bool normal = was.state == ALARM_NORMAL;
		const char *says = refusal[ev];
		bool no = false;

		switch ((enum alarm_event)ev) {
		case ALARM_EV_CAUSE:
			to.cause = true;
			if (!was.cause && !was.inhibited &&
			    (!was.excluded || !normal))
				to.state = ALARM_ACTIVE;
			break;
		case ALARM_EV_CLEAR:
			to.cause = false;
			if (normal || !was.cause)
				break;
			if (!was.latch && !was.manual)
				to.state = ALARM_NORMAL;
			else
				to.state = acked ? ALARM_LATCHED_ACKED
						 : ALARM_LATCHED;
			break;
		case ALARM_EV_TRIGGER:
			no = was.inhibited;
			to.manual = true;
			to.state = ALARM_ACTIVE;
			break;
		case ALARM_EV_ACK:
			no = normal || acked;
			says = normal ? "not active" : "already acknowledged";
			to.state = was.state == ALARM_ACTIVE
					   ? ALARM_ACKED
					   : ALARM_LATCHED_ACKED;
			break;
		case ALARM_EV_RESET:
			no = normal || was.cause || was.unsure;
			says = normal      ? "not active"
			       : was.cause ? "still active"
					   : "quality";
			to.manual = false;
			to.state = ALARM_NORMAL;
			break;
		case ALARM_EV_INHIBIT:
			no = !normal;
			to.inhibited = true;
			break;
		case ALARM_EV_ENABLE:
			to.inhibited = false;
			if (was.inhibited && was.cause && !was.excluded)
				to.state = ALARM_ACTIVE;
			break;
		case ALARM_EV_REMIND:
			if (was.state == ALARM_ACKED)
				to.state = ALARM_ACTIVE;
			break;
		case ALARM_EV_EXCLUDE:
			to.excluded = true;
			break;
		case ALARM_EV_ADMIT:
			to.excluded = false;
			if (normal && was.excluded && was.cause &&
			    !was.inhibited)
				to.state = ALARM_ACTIVE;
			break;
		case ALARM_EVENTS:
			fail();
		}
		assert_int_equal(todo == ALARM_DO_REFUSE, no);
		if (no)
			assert_non_null(strstr(why.text, says));
		else
			assert_int_equal(pack(&s), pack(&to));
	}
}

/* When the causes are gone and the inputs good, a reset is enough. */
static void test_a_way_out_of_every_state(void **state)
{
	unsigned n = 0;

	(void)state;
	for (unsigned k = 0; k < SNAPSHOTS; k++) {
		struct alarm_snapshot s = unpack(k);

		if (!within_reach[k])
			continue;
		n++;
		if (s.cause)
			step(&s, ALARM_EV_CLEAR);
		s.unsure = false;
		if (s.state != ALARM_NORMAL)
			step(&s, ALARM_EV_RESET);
		if (s.inhibited)
			step(&s, ALARM_EV_ENABLE);
		assert_int_equal(s.state, ALARM_NORMAL);
		assert_false(s.cause || s.manual || s.inhibited);
	}
	assert_true(n > 30);
	print_message("%u snapshots within reach\n", n);
}

/* Also what cannot be reached (a journal may say anything) has its cell. */
static void test_every_cell_is_written(void **state)
{
	(void)state;
	for (unsigned n = 0; n < SNAPSHOTS; n++)
		for (int ev = 0; ev < ALARM_EVENTS; ev++) {
			struct alarm_snapshot s = unpack(n);

			assert_in_range(step(&s, (enum alarm_event)ev), 0, 63);
			assert_in_range(s.state, 0, ALARM_STATES - 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_alarm_follows_its_cause),
		cmocka_unit_test(test_latch_holds_until_reset),
		cmocka_unit_test(test_new_cause_alarms_again),
		cmocka_unit_test(test_what_a_hand_began_a_reset_ends),
		cmocka_unit_test(test_lost_source_forbids_reset),
		cmocka_unit_test(test_inhibited_alarm_starts_nothing),
		cmocka_unit_test(test_an_excluded_alarm_obeys_hands_only),
		cmocka_unit_test(test_acknowledged_is_asked_again),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_start_and_stop_alternate),
		cmocka_unit_test(test_only_clear_without_latch_and_reset_stop),
		cmocka_unit_test(
			test_changes_are_noted_refusals_change_nothing),
		cmocka_unit_test(test_no_cause_goes_unheard),
		cmocka_unit_test(test_news_make_it_active),
		cmocka_unit_test(test_each_event_does_its_own_and_no_more),
		cmocka_unit_test(test_a_way_out_of_every_state),
		cmocka_unit_test(test_every_cell_is_written),
	};

	return cmocka_run_group_tests(tests, explore, NULL);
}
