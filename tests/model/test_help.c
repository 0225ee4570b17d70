/* Calls for help: every way through the table of states and events, with the
 * world it acts on; and every small world of calls that want the same people.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/help/flow.h"
#include "controller/operators/turns.h"

#include <string.h>

/* ------------------------------------------------------------------- flow */

/** What the table's actions have made of the world. */
struct world {
	struct help_flow flow;
	bool up;      /**< the point is in a call with us */
	bool hung_up; /**< we have hung up on it */
	bool rung;    /**< operators are rung for it, or one has it */
	bool has;     /**< an operator has it */
	bool bridged; /**< they hear one another */
	bool parted;  /**< each hears why he is parted from the other */
	bool open;    /**< it was told that it came, and not yet how it ended */
	unsigned escalated;
};

static bool same(const struct world *a, const struct world *b)
{
	return a->flow.state == b->flow.state &&
	       a->flow.escalated == b->flow.escalated && a->up == b->up &&
	       a->hung_up == b->hung_up && a->rung == b->rung &&
	       a->has == b->has && a->bridged == b->bridged &&
	       a->open == b->open && a->parted == b->parted &&
	       a->escalated == b->escalated;
}

static void check(const struct world *w)
{
	const enum help_state s = w->flow.state;

	/* No call is forgotten: as long as it is up somebody is rung, or has
	 * it, or it is on its way in or out. */
	assert_int_equal(w->up, s != HELP_NONE);
	assert_int_equal(w->rung, s == HELP_WAITING || s == HELP_TALKING ||
					  s == HELP_YIELDING);
	/* Who is needed elsewhere is let go, and until then hears why. */
	assert_int_equal(w->has, s == HELP_TALKING || s == HELP_YIELDING);
	assert_int_equal(w->parted, s == HELP_YIELDING);
	/* They hear one another while one has it, and at no other time. */
	assert_int_equal(w->bridged, s == HELP_TALKING);
	assert_int_equal(w->hung_up, s == HELP_ENDING);
	/* Each is told once, and its end once. */
	assert_int_equal(w->open, s == HELP_OFFERED || s == HELP_WAITING ||
					  s == HELP_TALKING ||
					  s == HELP_YIELDING);
	assert_true(w->escalated <= 1);
}

static bool may(const struct world *w, enum help_event ev)
{
	switch (ev) {
	case HELP_EV_OFFERED:
		return !w->up;
	case HELP_EV_SOUND:
	case HELP_EV_CLOSED:
		return w->up;
	default:
		/* Also those that come too late. */
		return true;
	}
}

static struct world after(struct world w, enum help_event ev)
{
	const enum help_state was = w.flow.state;
	struct help_step s;

	if (ev == HELP_EV_OFFERED)
		w.up = true;
	if (ev == HELP_EV_CLOSED)
		w.up = w.hung_up = false;
	/* The operator's side of it. */
	if (ev == HELP_EV_TAKEN && w.rung)
		w.has = true;
	if ((ev == HELP_EV_LEFT || ev == HELP_EV_LOST) && w.has)
		w.has = w.bridged = w.parted = false;
	s = help_flow_step(&w.flow, ev);
	assert_int_equal(s.todo >= 2 * HELP_DO_LAST, 0);
	if (s.todo & (HELP_DO_UNQUEUE | HELP_DO_RELEASE))
		w.rung = w.has = w.bridged = w.parted = false;
	if (s.todo & HELP_DO_BRIDGE) {
		assert_true(w.has);
		w.bridged = true;
		w.escalated = 0;
	}
	if (s.todo & HELP_DO_PART) {
		assert_true(w.bridged && !w.hung_up);
		w.bridged = false;
		w.parted = true;
	}
	if (s.todo & HELP_DO_QUEUE) {
		assert_false(w.rung);
		w.rung = true;
		w.escalated = 0;
	}
	if (s.todo & HELP_DO_ESCALATE) {
		assert_int_equal(was, HELP_WAITING);
		w.escalated++;
	}
	if (s.todo & HELP_DO_HANG_UP) {
		assert_true(w.up && !w.hung_up);
		w.hung_up = true;
	}
	if (s.todo & HELP_DO_FORGET) {
		assert_false(w.up);
		w.escalated = 0;
	}
	switch (s.news) {
	case HELP_NEWS_OFFERED:
		assert_false(w.open);
		w.open = true;
		break;
	case HELP_NEWS_ABANDONED:
		/* Nobody had it when it went. */
		assert_true(was == HELP_OFFERED || was == HELP_WAITING);
		assert_true(w.open);
		w.open = false;
		break;
	case HELP_NEWS_ENDED:
		assert_true(w.open);
		w.open = false;
		break;
	default:
		break;
	}
	if (w.flow.state == HELP_ENDING)
		w.escalated = 0;
	return w;
}

#define MAX_WORLDS 256

static void every_way_through_the_table(void **state)
{
	static struct world seen[MAX_WORLDS];
	bool out[MAX_WORLDS] = {false};
	unsigned n = 1, of_state[HELP_STATES] = {0};
	bool more = true;
	(void)state;

	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < n; i++) {
		check(&seen[i]);
		of_state[seen[i].flow.state]++;
		for (enum help_event ev = 0; ev < HELP_EVENTS; ev++) {
			struct world w;
			unsigned k = 0;

			if (!may(&seen[i], ev))
				continue;
			w = after(seen[i], ev);
			while (k < n && !same(&seen[k], &w))
				k++;
			assert_true(k < MAX_WORLDS);
			if (k == n)
				seen[n++] = w;
		}
	}
	for (unsigned s = 0; s < HELP_STATES; s++)
		assert_int_not_equal(of_state[s], 0);
	/* From each there is a way back to where no call is. */
	out[0] = true;
	while (more) {
		more = false;
		for (unsigned i = 0; i < n; i++)
			for (enum help_event ev = 0;
			     ev < HELP_EVENTS && !out[i]; ev++) {
				struct world w;

				if (!may(&seen[i], ev))
					continue;
				w = after(seen[i], ev);
				for (unsigned k = 0; k < n; k++)
					out[i] |= out[k] && same(&seen[k], &w);
				more |= out[i];
			}
	}
	for (unsigned i = 0; i < n; i++)
		assert_true(out[i]);
}

/** An operator that is lost: the call waits again, and rings anew. */
static void lost_waits_again(void **state)
{
	struct world w = {0};
	(void)state;

	w = after(w, HELP_EV_OFFERED);
	w = after(w, HELP_EV_SOUND);
	w = after(w, HELP_EV_VAIN);
	assert_int_equal(w.escalated, 1);
	w = after(w, HELP_EV_VAIN);
	assert_int_equal(w.escalated, 1);
	w = after(w, HELP_EV_TAKEN);
	w = after(w, HELP_EV_LOST);
	assert_int_equal(w.flow.state, HELP_WAITING);
	assert_true(w.rung && !w.has);
	/* It has begun to wait anew: that nobody comes is news again. */
	w = after(w, HELP_EV_VAIN);
	assert_int_equal(w.escalated, 1);
}

/** Whose operator is needed elsewhere waits again; however that comes about,
 *  and also if its operator hangs up when he hears it. */
static void preempted_waits_again(void **state)
{
	static const enum help_event ways[] = {HELP_EV_CEDED, HELP_EV_LEFT,
					       HELP_EV_LOST};
	(void)state;

	for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct world w = {0};

		w = after(w, HELP_EV_OFFERED);
		w = after(w, HELP_EV_SOUND);
		w = after(w, HELP_EV_TAKEN);
		w = after(w, HELP_EV_WANTED);
		assert_int_equal(w.flow.state, HELP_YIELDING);
		assert_true(w.parted);
		w = after(w, ways[i]);
		assert_int_equal(w.flow.state, HELP_WAITING);
		assert_true(w.rung && !w.has);
		w = after(w, HELP_EV_TAKEN);
		assert_true(w.bridged);
	}
}

/* ------------------------------------------------------------------ turns */

#define CALLS 3
#define NUMBERS 2
/** Ways in which all lines can be: TURNS_LINES to the power of their count. */
#define WORLDS 46656

static const char *const number[NUMBERS] = {"sip:1@10.0.0.1", "sip:2@10.0.0.2"};

static bool rings_after(const struct turns_call *was,
			const struct turns_call *c)
{
	for (unsigned k = 0; k < NUMBERS; k++)
		if (c->ring >> k & 1 ||
		    (was->line[k].now == TURNS_RINGS && !(c->hold >> k & 1)))
			return true;
	return false;
}

/** Does it want the number that another has on its line k? */
static bool wants(const struct turns_call *c, const struct turns_call *of,
		  unsigned k)
{
	for (unsigned j = 0; j < NUMBERS; j++)
		if (c->line[j].now == TURNS_WAITS &&
		    !strcmp(c->line[j].number, of->line[k].number))
			return true;
	return false;
}

/** Looks at who is taken away from whom. was has the order of c. */
static void check_away(const struct turns_call *was, const struct turns_call *c)
{
	unsigned ceded = 0, needy = 0;

	for (unsigned i = 0; i < CALLS; i++) {
		const bool needs =
			c[i].pressing || !rings_after(&was[i], &c[i]);
		bool could = false, done = false;

		for (unsigned v = 0; v < CALLS; v++)
			for (unsigned k = 0; k < NUMBERS; k++) {
				const enum turns_line now = was[v].line[k].now;
				const bool cede = c[v].cede >> k & 1;

				if (!wants(&was[i], &c[v], k))
					continue;
				could |= now == TURNS_TALKS &&
					 was[v].level < was[i].level;
				/* Also who is on the way to it, or to one
				 * before it. */
				done |= cede || now == TURNS_YIELDS;
			}
		needy += needs && could;
		/* Who could have somebody gets him. */
		assert_true(!needs || !could || done);
	}
	for (unsigned v = 0; v < CALLS; v++)
		for (unsigned k = 0; k < NUMBERS; k++) {
			bool urgent = false;

			if (!(c[v].cede >> k & 1))
				continue;
			ceded++;
			/* Only who talks, only for what is more urgent and has
			 * nobody else. */
			assert_int_equal(was[v].line[k].now, TURNS_TALKS);
			for (unsigned i = 0; i < CALLS; i++)
				urgent |= was[i].level > was[v].level &&
					  wants(&was[i], &c[v], k) &&
					  (c[i].pressing ||
					   !rings_after(&was[i], &c[i]));
			assert_true(urgent);
		}
	/* No more than are needed. */
	assert_true(ceded <= needy);
}

/** Carries out what was decided and looks at each number. */
static void decide_and_check(struct turns_call *c, const unsigned *age)
{
	struct turns_call was[CALLS];
	struct turns_call *v[CALLS];

	memcpy(was, c, sizeof(was));
	for (unsigned i = 0; i < CALLS; i++)
		v[i] = &c[i];
	turns_decide(v, CALLS);
	check_away(was, c);
	for (unsigned k = 0; k < NUMBERS; k++) {
		int first = -1;
		unsigned rings = 0, engaged = 0;

		for (unsigned i = 0; i < CALLS; i++) {
			const enum turns_line now = was[i].line[k].now;
			const bool ring = c[i].ring >> k & 1;
			const bool hold = c[i].hold >> k & 1;
			const bool wants =
				now == TURNS_WAITS || now == TURNS_RINGS;

			/* Only who waits can begin, who rings can be held. */
			assert_true(!ring || now == TURNS_WAITS);
			assert_true(!hold || now == TURNS_RINGS);
			engaged += now >= TURNS_ENGAGED;
			rings += ring || (now == TURNS_RINGS && !hold);
			if (wants &&
			    (first < 0 || was[i].level > was[first].level ||
			     (was[i].level == was[first].level &&
			      age[i] < age[first])))
				first = (int)i;
		}
		if (engaged) {
			assert_int_equal(rings, 0);
			continue;
		}
		/* It rings for one, and for none only if nobody wants it. */
		assert_int_equal(rings, first >= 0);
		if (first >= 0)
			assert_true(c[first].ring >> k & 1 ||
				    (was[first].line[k].now == TURNS_RINGS &&
				     !(c[first].hold >> k & 1)));
	}
}

static void every_small_world_of_turns(void **state)
{
	static const unsigned order[6][CALLS] = {{0, 1, 2}, {0, 2, 1},
						 {1, 0, 2}, {1, 2, 0},
						 {2, 0, 1}, {2, 1, 0}};
	static const unsigned power[CALLS * NUMBERS] = {1,   6,    36,
							216, 1296, 7776};
	(void)state;

	for (unsigned levels = 0; levels < 8; levels++)
		for (unsigned o = 0; o < 6; o++)
			for (unsigned lines = 0; lines < WORLDS; lines++) {
				struct turns_call c[CALLS] = {{0}};

				for (unsigned i = 0; i < CALLS; i++) {
					c[i].level =
						levels >> i & 1 ? 200 : 150;
					c[i].since_us = order[o][i];
					c[i].n = NUMBERS;
					c[i].pressing = lines % 4 == i;
					for (unsigned k = 0; k < NUMBERS; k++) {
						c[i].line[k].number = number[k];
						c[i].line[k].now =
							lines /
							power[i * NUMBERS + k] %
							TURNS_LINES;
					}
				}
				decide_and_check(c, order[o]);
			}
}

/** Who is on the way is enough: no second one is taken away meanwhile. */
static void one_at_a_time(void **state)
{
	struct turns_call urgent = {.level = 200, .n = 2};
	struct turns_call low[2] = {{.level = 150, .n = 1, .since_us = 1},
				    {.level = 150, .n = 1, .since_us = 2}};
	struct turns_call *v[] = {&low[0], &urgent, &low[1]};
	(void)state;

	for (unsigned k = 0; k < 2; k++) {
		urgent.line[k].number = low[k].line[0].number = number[k];
		urgent.line[k].now = TURNS_WAITS;
		low[k].line[0].now = TURNS_TALKS;
	}
	turns_decide(v, 3);
	/* Of two that are as urgent, the younger. */
	assert_int_equal(low[0].cede, 0);
	assert_int_equal(low[1].cede, 1);
	low[1].line[0].now = TURNS_YIELDS;
	turns_decide(v, 3);
	assert_int_equal(low[0].cede | low[1].cede, 0);
}

/** More numbers than are told apart: the most urgent ring all the same. */
static void many_numbers(void **state)
{
	static struct turns_call c[TURNS_MAX_NUMBERS + 10];
	static struct turns_call *v[TURNS_MAX_NUMBERS + 10];
	static char name[TURNS_MAX_NUMBERS + 10][16];
	const unsigned n = TURNS_MAX_NUMBERS + 10;
	(void)state;

	for (unsigned i = 0; i < n; i++) {
		c[i] = (struct turns_call){.level = 1, .since_us = i, .n = 1};
		c[i].line[0].now = TURNS_WAITS;
		name[i][0] = (char)('0' + i / 100);
		name[i][1] = (char)('0' + i / 10 % 10);
		name[i][2] = (char)('0' + i % 10);
		c[i].line[0].number = name[i];
		v[n - 1 - i] = &c[i];
	}
	turns_decide(v, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(c[i].ring, i < TURNS_MAX_NUMBERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_through_the_table),
		cmocka_unit_test(lost_waits_again),
		cmocka_unit_test(preempted_waits_again),
		cmocka_unit_test(every_small_world_of_turns),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(many_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
