/* A loudspeaker's call: by example, and on long random walks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/speaker.h"

#define MS UINT64_C(1000)

static const struct speaker_rule plain = {
	.within_ms = 4000,
	.linger_ms = 3000,
	.check_ms = 30000,
};

static struct speaker s;

static unsigned at(uint64_t ms, const struct speaker_rule *r,
		   enum speaker_event ev)
{
	return speaker_step(&s, r, ev, ms * MS);
}

static void called_heard_and_left_in_time(void **state)
{
	(void)state;
	assert_int_equal(speaker_init(&s, &plain, 0), 0);
	assert_int_equal(at(0, &plain, SPEAKER_EV_DUE), SPEAKER_DO_ASK);
	assert_int_equal(at(10, &plain, SPEAKER_EV_REACHED), 0);
	assert_int_equal(at(100, &plain, SPEAKER_EV_WANT), SPEAKER_DO_CALL);
	assert_int_equal(s.due, 4100 * MS);
	assert_int_equal(at(200, &plain, SPEAKER_EV_ANSWERED), 0);
	assert_int_equal(s.state, SPEAKER_UP);
	assert_int_equal(s.due, 30200 * MS);
	assert_int_equal(at(30200, &plain, SPEAKER_EV_DUE), SPEAKER_DO_REFRESH);
	assert_int_equal(at(40000, &plain, SPEAKER_EV_UNWANT), 0);
	assert_int_equal(s.due, 43000 * MS);
	/* Wanted again in time: the call is still there. */
	assert_int_equal(at(42000, &plain, SPEAKER_EV_WANT), 0);
	assert_int_equal(at(50000, &plain, SPEAKER_EV_UNWANT), 0);
	assert_int_equal(at(53000, &plain, SPEAKER_EV_DUE), SPEAKER_DO_HANG_UP);
	assert_int_equal(s.state, SPEAKER_IDLE);
}

static void what_fails_is_tried_with_growing_pauses(void **state)
{
	static const unsigned pauses[] = {1000, 2000, 4000, 5000, 5000};
	uint64_t now = 0;
	(void)state;

	speaker_init(&s, &plain, 0);
	assert_int_equal(at(now, &plain, SPEAKER_EV_WANT), SPEAKER_DO_CALL);
	for (unsigned i = 0; i < 5; i++) {
		/* By refusal and by silence in turn. */
		if (i % 2) {
			now += 4000;
			assert_int_equal(at(now, &plain, SPEAKER_EV_DUE),
					 SPEAKER_DO_HANG_UP | SPEAKER_DO_LATE);
		} else {
			assert_int_equal(at(now, &plain, SPEAKER_EV_FAILED), 0);
		}
		assert_int_equal(s.state, SPEAKER_RETRY);
		assert_int_equal(s.due, (now + pauses[i]) * MS);
		now += pauses[i];
		assert_int_equal(at(now, &plain, SPEAKER_EV_DUE),
				 SPEAKER_DO_CALL);
	}
	/* What comes new does not wait for the pause. */
	at(now, &plain, SPEAKER_EV_FAILED);
	at(now, &plain, SPEAKER_EV_UNWANT);
	assert_int_equal(s.state, SPEAKER_IDLE);
	assert_int_equal(at(now, &plain, SPEAKER_EV_WANT), SPEAKER_DO_CALL);
	assert_int_equal(at(now, &plain, SPEAKER_EV_UNWANT),
			 SPEAKER_DO_HANG_UP);
}

static void one_that_hangs_up_is_called_again(void **state)
{
	(void)state;
	speaker_init(&s, &plain, 0);
	at(0, &plain, SPEAKER_EV_WANT);
	at(100, &plain, SPEAKER_EV_ANSWERED);
	/* Later: at once. Soon after its answer: it may do so for ever. */
	assert_int_equal(at(9000, &plain, SPEAKER_EV_FAILED), SPEAKER_DO_CALL);
	at(9100, &plain, SPEAKER_EV_ANSWERED);
	assert_int_equal(at(9200, &plain, SPEAKER_EV_FAILED), 0);
	assert_int_equal(s.due, 10200 * MS);
	at(10200, &plain, SPEAKER_EV_DUE);
	at(10300, &plain, SPEAKER_EV_ANSWERED);
	at(10400, &plain, SPEAKER_EV_FAILED);
	assert_int_equal(s.due, 12400 * MS);
	/* Nobody wants it any more. */
	at(11000, &plain, SPEAKER_EV_UNWANT);
	assert_int_equal(s.state, SPEAKER_IDLE);
}

static void two_unanswered_questions_tell(void **state)
{
	(void)state;
	speaker_init(&s, &plain, 0);
	assert_int_equal(at(0, &plain, SPEAKER_EV_DUE), SPEAKER_DO_ASK);
	assert_int_equal(at(4000, &plain, SPEAKER_EV_MISSED), 0);
	assert_int_equal(s.due, 9000 * MS);
	assert_int_equal(at(9000, &plain, SPEAKER_EV_DUE), SPEAKER_DO_ASK);
	assert_int_equal(at(13000, &plain, SPEAKER_EV_MISSED), SPEAKER_DO_GONE);
	/* Told once. */
	at(18000, &plain, SPEAKER_EV_DUE);
	assert_int_equal(at(22000, &plain, SPEAKER_EV_MISSED), 0);
	at(27000, &plain, SPEAKER_EV_REACHED);
	at(60000, &plain, SPEAKER_EV_MISSED);
	assert_int_equal(at(70000, &plain, SPEAKER_EV_MISSED), SPEAKER_DO_GONE);
}

static uint32_t random_now = 1;

static unsigned roll(unsigned n)
{
	random_now = random_now * 1664525 + 1013904223;
	return (random_now >> 8) % n;
}

/* One call at a time, none forgotten, and from everywhere a way to go on. */
static void walks(void **state)
{
	(void)state;
	for (unsigned walk = 0; walk < 3000; walk++) {
		const struct speaker_rule r = {
			.keep = roll(3) == 0,
			.within_ms = 500 + roll(5000),
			.linger_ms = roll(5000),
			.check_ms = 5000 + roll(30000),
		};
		uint64_t now = 1000000;
		unsigned todo = speaker_init(&s, &r, now);
		bool open = false, wanted = false, answered = false;

		for (unsigned i = 0; i < 60; i++) {
			enum speaker_event ev;

			if (todo & SPEAKER_DO_HANG_UP) {
				assert_true(open);
				open = answered = false;
			}
			if (todo & SPEAKER_DO_CALL) {
				assert_false(open);
				open = true;
			}
			if (todo & SPEAKER_DO_REFRESH)
				assert_true(open && answered);
			if (todo & SPEAKER_DO_ASK)
				assert_false(open);
			todo = 0;
			assert_int_equal(open, s.state == SPEAKER_CALLING ||
						       s.state == SPEAKER_UP);
			assert_int_equal(answered, s.state == SPEAKER_UP);
			assert_int_equal(s.wanted, wanted);
			/* Who is wanted is called, soon. */
			if ((wanted || r.keep) && i > 0)
				assert_int_not_equal(s.state, SPEAKER_IDLE);
			if (s.state == SPEAKER_RETRY)
				assert_true(s.due <=
					    now + SPEAKER_RETRY_IDLE_MS * MS);
			if (s.state == SPEAKER_CALLING)
				assert_true(s.due <= now + r.within_ms * MS);
			switch (roll(6)) {
			case 0:
				wanted = !wanted;
				ev = wanted ? SPEAKER_EV_WANT
					    : SPEAKER_EV_UNWANT;
				now += roll(2000) * MS;
				break;
			case 1:
				if (!open || answered)
					continue;
				ev = SPEAKER_EV_ANSWERED;
				answered = true;
				break;
			case 2:
				if (!open)
					continue;
				ev = SPEAKER_EV_FAILED;
				open = answered = false;
				break;
			case 3:
				ev = SPEAKER_EV_MISSED;
				break;
			case 4:
				ev = SPEAKER_EV_REACHED;
				break;
			default:
				now = s.due > now ? s.due : now;
				ev = SPEAKER_EV_DUE;
				break;
			}
			todo = speaker_step(&s, &r, ev, now);
		}
		/* Left alone it hangs up, unless it is kept. */
		if (todo & SPEAKER_DO_CALL)
			open = true;
		if (todo & SPEAKER_DO_HANG_UP)
			open = false;
		if (wanted)
			(void)speaker_step(&s, &r, SPEAKER_EV_UNWANT, now);
		for (unsigned i = 0; i < 3 && s.state != SPEAKER_IDLE; i++)
			(void)speaker_step(&s, &r, SPEAKER_EV_DUE, s.due);
		if (!r.keep)
			assert_int_equal(s.state, SPEAKER_IDLE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(called_heard_and_left_in_time),
		cmocka_unit_test(what_fails_is_tried_with_growing_pauses),
		cmocka_unit_test(one_that_hangs_up_is_called_again),
		cmocka_unit_test(two_unanswered_questions_tell),
		cmocka_unit_test(walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
