/* An account's registration: every sequence of answers up to a depth, with
 * three registrars; what must hold after each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/sip/enrol.h"

#define MS UINT64_C(1000)
#define DEPTH 17
#define RULE_ASK_MS 8000

static const struct enrol_rule rule = {.registrars = 3, .ask_ms = RULE_ASK_MS};
static unsigned long steps, moves, losses;

static void check_told(int before, int after, const struct enrol_act *a)
{
	if (before == after)
		assert_int_equal(a->told, ENROL_SAME);
	else if (after < 0)
		assert_int_equal(a->told, ENROL_LOST);
	else if (before < 0)
		assert_int_equal(a->told, ENROL_REGISTERED);
	else
		assert_int_equal(a->told, ENROL_MOVED);
	moves += a->told == ENROL_MOVED;
	losses += a->told == ENROL_LOST;
}

static void check_wait(const struct enrol *e, uint64_t now)
{
	assert_true(e->due > now);
	/* Never longer than the longest back-off, or the next question. */
	assert_true(e->due - now <= ENROL_BACK_OFF_MAX_MS * MS);
	if (e->with >= 0) {
		assert_true(e->due <= e->renew_at);
		assert_true(e->due <= e->ask_at);
		assert_true(e->ask_at - now <= RULE_ASK_MS * MS);
	}
}

static void check_action(const struct enrol *e, const struct enrol_act *a,
			 uint64_t now)
{
	assert_true(a->registrar < rule.registrars);
	switch (a->act) {
	case ENROL_DO_REGISTER:
		/* The first that may be tried, or the one that has it. */
		for (unsigned i = 0; i < a->registrar; i++)
			assert_true(e->v[i].at > now ||
				    (int)a->registrar == e->with);
		assert_true(e->with < 0 || (int)a->registrar <= e->with);
		break;
	case ENROL_DO_ASK:
		assert_int_equal(a->registrar, e->with);
		assert_true(e->missed < ENROL_MISSES);
		break;
	case ENROL_DO_LEAVE:
		assert_int_not_equal(a->registrar, e->with);
		break;
	case ENROL_DO_NOTHING:
		break;
	}
}

static void check_back_off(const struct enrol *was, const struct enrol *e,
			   uint64_t now)
{
	for (unsigned i = 0; i < rule.registrars; i++) {
		if (e->v[i].at == was->v[i].at || !e->v[i].at)
			continue;
		assert_true(e->v[i].at >= now + ENROL_BACK_OFF_MS * MS);
		assert_true(e->v[i].at <= now + ENROL_BACK_OFF_MAX_MS * MS);
	}
}

static void walk(const struct enrol *from, uint64_t now, unsigned depth);

static void take(const struct enrol *from, enum enrol_event ev, uint64_t now,
		 unsigned depth)
{
	const struct enrol_news news = {.granted_ms = 40000,
					.hold_ms = depth % 3 ? 0 : 90000,
					.random = depth * 2654435761u};
	struct enrol e = *from;
	const struct enrol_act a = enrol_step(&e, &rule, ev, &news, now);

	steps++;
	assert_int_equal(a.act, e.doing);
	check_told(from->with, e.with, &a);
	check_back_off(from, &e, now);
	if (e.stopped) {
		assert_int_equal(e.with, -1);
		assert_int_equal(e.due, 0);
		assert_int_equal(a.act, ev == ENROL_EV_STOP && from->with >= 0
						? ENROL_DO_LEAVE
						: ENROL_DO_NOTHING);
	} else {
		check_action(&e, &a, now);
		if (a.act == ENROL_DO_NOTHING)
			check_wait(&e, now);
		else
			assert_int_equal(e.due, 0);
	}
	if (depth)
		walk(&e, now, depth - 1);
}

static void walk(const struct enrol *e, uint64_t now, unsigned depth)
{
	switch (e->doing) {
	case ENROL_DO_NOTHING:
		if (e->stopped)
			return;
		take(e, ENROL_EV_DUE, e->due > now ? e->due : now, depth);
		break;
	case ENROL_DO_REGISTER:
		take(e, ENROL_EV_GRANTED, now + 5 * MS, depth);
		take(e, ENROL_EV_REFUSED, now + 5 * MS, depth);
		take(e, ENROL_EV_UNREACHED, now + 3000 * MS, depth);
		break;
	case ENROL_DO_ASK:
		take(e, ENROL_EV_ALIVE, now + 5 * MS, depth);
		take(e, ENROL_EV_ANEW, now + 900 * MS, depth);
		take(e, ENROL_EV_UNREACHED, now + 3000 * MS, depth);
		break;
	case ENROL_DO_LEAVE:
		take(e, ENROL_EV_ALIVE, now + 5 * MS, depth);
		take(e, ENROL_EV_UNREACHED, now + 3000 * MS, depth);
		break;
	}
	if (!e->stopped && depth < 3)
		take(e, ENROL_EV_STOP, now, depth);
}

static void every_sequence(void **state)
{
	struct enrol e;

	(void)state;
	enrol_init(&e);
	walk(&e, 1000 * MS, DEPTH);
	assert_true(steps > 50000 && moves > 100 && losses > 100);
}

/* A registrar that falls silent is given up within 20 s, whatever it was asked
 * when. */
static void silence_is_noticed(void **state)
{
	const struct enrol_news news = {.granted_ms = 3600000, .random = 7};
	struct enrol e;
	struct enrol_act a;
	uint64_t now = 1000 * MS, silent;

	(void)state;
	enrol_init(&e);
	(void)enrol_step(&e, &rule, ENROL_EV_DUE, &news, now);
	a = enrol_step(&e, &rule, ENROL_EV_GRANTED, &news, now);
	silent = now;
	while (a.told != ENROL_LOST) {
		if (a.act == ENROL_DO_NOTHING) {
			now = e.due;
			a = enrol_step(&e, &rule, ENROL_EV_DUE, &news, now);
		} else {
			now += 3000 * MS;
			a = enrol_step(&e, &rule, ENROL_EV_UNREACHED, &news,
				       now);
		}
	}
	assert_true(now - silent <= 20000 * MS);
	/* And the next is asked in the same breath. */
	assert_int_equal(a.act, ENROL_DO_REGISTER);
	assert_int_equal(a.registrar, 1);
}

/* What came for something that is over changes nothing. */
static void late_answers_do_nothing(void **state)
{
	const struct enrol_news news = {.granted_ms = 60000};
	struct enrol e;
	struct enrol_act a;

	(void)state;
	enrol_init(&e);
	a = enrol_step(&e, &rule, ENROL_EV_GRANTED, &news, 5);
	assert_int_equal(a.act, ENROL_DO_NOTHING);
	assert_int_equal(e.with, -1);
	(void)enrol_step(&e, &rule, ENROL_EV_DUE, &news, 5);
	a = enrol_step(&e, &rule, ENROL_EV_DUE, &news, 6);
	assert_int_equal(a.act, ENROL_DO_NOTHING);
	assert_int_equal(e.doing, ENROL_DO_REGISTER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sequence),
		cmocka_unit_test(silence_is_noticed),
		cmocka_unit_test(late_answers_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
