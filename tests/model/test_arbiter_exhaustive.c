/* The arbiter against named properties, over every small world.
 *
 * A world: 3 outputs and up to 4 broadcasts, each wanting any subset of them
 * at one of 4 levels (two of them emergencies), as live, recorded, ducking or
 * pausing background sound.
 *
 * What is left out loses nothing: rows stand in order of rank class with seq
 * rising, because other orders of rows are proven to change nothing and ties to
 * follow seq both ways; and of worlds of 4 that differ by the outputs' names
 * only, the first stands for all (those of up to 3 are all there).
 *
 * What a row has behind it (started, four kinds of patience: 8 pasts) is drawn
 * for all rows by the world's number; then a row is given another one, and that
 * is proven to concern this row alone. Worlds of up to 3 go through all orders
 * and all pasts of each row, those of 4 through one other order and one other
 * past of one row, in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/arbiter.h"

#include <stdlib.h>
#include <string.h>

#define OUTPUTS 3
#define ALL 7u
#define ROWS 4
#define NOW 1000
#define PATIENCES 4

static const uint8_t level[4] = {250, 200, 100, 60};

struct world {
	struct arb_broadcast b[ROWS];
	size_t n;
	bool tie_last;
};

/* A verdict, small enough to keep and compare. */
struct verdict {
	struct {
		enum arb_state state;
		enum arb_cause cause;
		uint64_t by;
		unsigned granted;
	} row[ROWS];
	struct {
		uint64_t fg, bg;
		enum arb_background how;
	} out[OUTPUTS];
	uint64_t wake;
};

/* Instrumented, a sample does: the whole is for the plain build. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EACH 31
#else
#define EACH 1
#endif

static uint64_t n_worlds, n_named, n_decisions;

/* ------------------------------------------------------------------ helpers */

static void show(const struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		print_error("  id %d seq %d level %d %s background %d outputs "
			    "%x started %d deadline %d forever %d\n",
			    (int)w->b[i].id, (int)w->b[i].seq, w->b[i].level,
			    w->b[i].live ? "live" : "recorded",
			    (int)w->b[i].background,
			    (unsigned)w->b[i].outputs.w[0], w->b[i].started,
			    (int)w->b[i].deadline, w->b[i].forever);
}

#define holds(w, property)                                                     \
	do {                                                                   \
		if (!(property)) {                                             \
			show(w);                                               \
			fail_msg("%s: does not hold: %s", __func__,            \
				 #property);                                   \
		}                                                              \
	} while (0)

static void decide_at(const struct world *w, uint64_t now, struct verdict *d)
{
	static struct arb_verdict v;
	struct arb_world a = {
		.now = now,
		.tie_last = w->tie_last,
		.n_outputs = OUTPUTS,
		.n = w->n,
		.b = w->b,
	};

	arbiter_decide(&a, &v);
	n_decisions++;
	for (size_t i = 0; i < w->n; i++) {
		d->row[i].state = v.row[i].state;
		d->row[i].cause = v.row[i].cause;
		d->row[i].by = v.row[i].by;
		d->row[i].granted = (unsigned)v.row[i].granted.w[0];
	}
	for (unsigned o = 0; o < OUTPUTS; o++) {
		d->out[o].fg = v.out[o].fg < 0 ? 0 : w->b[v.out[o].fg].id;
		d->out[o].bg = v.out[o].bg < 0 ? 0 : w->b[v.out[o].bg].id;
		d->out[o].how = v.out[o].bg_how;
	}
	d->wake = v.wake;
}

static void decide(const struct world *w, struct verdict *d)
{
	decide_at(w, NOW, d);
}

static bool emergency(const struct arb_broadcast *b)
{
	return b->level >= 200;
}

static bool background(const struct arb_broadcast *b)
{
	return b->background && !emergency(b);
}

static unsigned wants(const struct arb_broadcast *b)
{
	return (unsigned)b->outputs.w[0] & ALL;
}

/* The rule as it is written in DESIGN: level, live, first come. */
static bool more_urgent(const struct world *w, const struct arb_broadcast *a,
			const struct arb_broadcast *b)
{
	if (a->level > b->level)
		return true;
	if (a->level < b->level)
		return false;
	if (a->live && !b->live)
		return true;
	if (!a->live && b->live)
		return false;
	return w->tie_last ? a->seq > b->seq : a->seq < b->seq;
}

static const struct arb_broadcast *by_id(const struct world *w, uint64_t id)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->b[i].id == id)
			return &w->b[i];
	return NULL;
}

static bool same_row(const struct verdict *a, size_t i, const struct verdict *b,
		     size_t k)
{
	return a->row[i].state == b->row[k].state &&
	       a->row[i].cause == b->row[k].cause &&
	       a->row[i].by == b->row[k].by &&
	       a->row[i].granted == b->row[k].granted;
}

static bool same_outputs(const struct verdict *a, const struct verdict *b)
{
	for (unsigned o = 0; o < OUTPUTS; o++)
		if (a->out[o].fg != b->out[o].fg ||
		    a->out[o].bg != b->out[o].bg ||
		    a->out[o].how != b->out[o].how)
			return false;
	return true;
}

static void without(const struct world *w, size_t k, struct world *rest)
{
	*rest = *w;
	rest->n--;
	memmove(&rest->b[k], &rest->b[k + 1],
		(rest->n - k) * sizeof(rest->b[0]));
}

/* Outputs where background row i is silent under a foreground. */
static unsigned paused(const struct verdict *d, uint64_t id)
{
	unsigned p = 0;

	for (unsigned o = 0; o < OUTPUTS; o++)
		if (d->out[o].bg == id && d->out[o].how == ARB_PAUSE)
			p |= 1u << o;
	return p;
}

/* --------------------------------------------------- properties, each world */

static void one_foreground_and_it_is_maximal(const struct world *w,
					     const struct verdict *d)
{
	for (unsigned o = 0; o < OUTPUTS; o++) {
		const struct arb_broadcast *best[2] = {NULL, NULL};

		for (size_t i = 0; i < w->n; i++) {
			const struct arb_broadcast *b = &w->b[i];
			int k = background(b);

			if ((wants(b) >> o & 1) &&
			    (!best[k] || more_urgent(w, b, best[k])))
				best[k] = b;
		}
		holds(w, d->out[o].fg == (best[0] ? best[0]->id : 0));
		holds(w, d->out[o].bg == (best[1] ? best[1]->id : 0));
	}
	for (size_t i = 0; i < w->n; i++) {
		unsigned has = 0;

		for (unsigned o = 0; o < OUTPUTS; o++)
			if (d->out[o].fg == w->b[i].id ||
			    d->out[o].bg == w->b[i].id)
				has |= 1u << o;
		holds(w, d->row[i].granted == has);
	}
}

static void background_gives_way(const struct world *w, const struct verdict *d)
{
	for (unsigned o = 0; o < OUTPUTS; o++) {
		const struct arb_broadcast *fg = by_id(w, d->out[o].fg);
		const struct arb_broadcast *bg = by_id(w, d->out[o].bg);

		if (!bg || !fg)
			holds(w, d->out[o].how == ARB_FOREGROUND);
		else if (emergency(fg))
			holds(w, d->out[o].how == ARB_PAUSE);
		else
			holds(w, d->out[o].how == bg->background);
	}
}

static void emergency_never_refused_queued_or_ducked(const struct world *w,
						     const struct verdict *d)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct arb_broadcast *by = by_id(w, d->row[i].by);

		if (!emergency(&w->b[i]) || !wants(&w->b[i]))
			continue;
		holds(w, d->row[i].state == ARB_PLAY ||
				 d->row[i].state == ARB_PARTIAL ||
				 d->row[i].state == ARB_OVERRIDDEN);
		holds(w, !by || emergency(by));
		for (unsigned o = 0; o < OUTPUTS; o++)
			holds(w, d->out[o].bg != w->b[i].id);
	}
}

static void every_loser_one_cause_no_winner_any(const struct world *w,
						const struct verdict *d)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct arb_broadcast *b = &w->b[i];
		unsigned heard = d->row[i].granted & ~paused(d, b->id);
		enum arb_cause lost =
			b->started ? ARB_CAUSE_PREEMPTED : ARB_CAUSE_OUTRANKED;
		enum arb_state state;
		enum arb_cause cause;

		if (!wants(b)) {
			state = ARB_END;
			cause = ARB_CAUSE_NO_OUTPUT;
		} else if (heard == wants(b)) {
			state = ARB_PLAY;
			cause = ARB_CAUSE_NONE;
		} else if (heard) {
			state = ARB_PARTIAL;
			cause = lost;
		} else if (emergency(b)) {
			state = ARB_OVERRIDDEN;
			cause = lost;
		} else if (background(b) || b->forever || b->deadline > NOW) {
			state = ARB_WAIT;
			cause = lost;
		} else {
			state = ARB_END;
			cause = b->started    ? ARB_CAUSE_PREEMPTED
				: b->deadline ? ARB_CAUSE_EXPIRED
					      : ARB_CAUSE_OUTRANKED;
		}
		holds(w, d->row[i].state == state);
		holds(w, d->row[i].cause == cause);
		holds(w, d->row[i].state != ARB_END || !d->row[i].granted);
	}
}

static void the_cause_names_the_most_urgent_winner(const struct world *w,
						   const struct verdict *d)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct arb_broadcast *b = &w->b[i], *best = NULL;
		unsigned mute = paused(d, b->id);
		unsigned lost = wants(b) & ~d->row[i].granted;

		for (size_t k = 0; k < w->n; k++) {
			const struct arb_broadcast *x = &w->b[k];
			unsigned there = wants(x) & (background(x)   ? lost
						     : background(b) ? mute
								     : lost);

			if (x != b && there &&
			    (background(b) != background(x) ||
			     more_urgent(w, x, b)) &&
			    background(b) >= background(x) &&
			    (!best || more_urgent(w, x, best)))
				best = x;
		}
		holds(w, d->row[i].by == (best ? best->id : 0));
	}
}

static void wakes_for_the_first_deadline(const struct world *w,
					 const struct verdict *d)
{
	uint64_t first = 0;

	for (size_t i = 0; i < w->n; i++)
		if (d->row[i].state == ARB_WAIT && !w->b[i].forever &&
		    !background(&w->b[i]) &&
		    (!first || w->b[i].deadline < first))
			first = w->b[i].deadline;
	holds(w, d->wake == first);
	holds(w, !d->wake || d->wake > NOW);
}

/* ---------------------------------- properties over a world and its variants
 */

/* Leaves the rows from n on where they are. */
static bool moves_first(const uint8_t perm[4], size_t n)
{
	for (size_t i = n; i < 4; i++)
		if (perm[i] != i)
			return false;
	return true;
}

static void input_order_is_irrelevant(const struct world *w,
				      const struct verdict *d)
{
	static const uint8_t perm[24][4] = {
		{0, 1, 2, 3}, {0, 1, 3, 2}, {0, 2, 1, 3}, {0, 2, 3, 1},
		{0, 3, 1, 2}, {0, 3, 2, 1}, {1, 0, 2, 3}, {1, 0, 3, 2},
		{1, 2, 0, 3}, {1, 2, 3, 0}, {1, 3, 0, 2}, {1, 3, 2, 0},
		{2, 0, 1, 3}, {2, 0, 3, 1}, {2, 1, 0, 3}, {2, 1, 3, 0},
		{2, 3, 0, 1}, {2, 3, 1, 0}, {3, 0, 1, 2}, {3, 0, 2, 1},
		{3, 1, 0, 2}, {3, 1, 2, 0}, {3, 2, 0, 1}, {3, 2, 1, 0},
	};
	struct world p = *w;
	struct verdict e;

	/* For fewer rows, the orders that leave the last in place. */
	for (size_t k = 1; k < 24; k++) {
		if (w->n < ROWS ? !moves_first(perm[k], w->n)
				: (n_worlds + k) % 23)
			continue;
		for (size_t i = 0; i < w->n; i++)
			p.b[i] = w->b[perm[k][i]];
		decide(&p, &e);
		for (size_t i = 0; i < w->n; i++)
			holds(w, same_row(d, perm[k][i], &e, i));
		holds(w, same_outputs(d, &e) && e.wake == d->wake);
	}
}

static void ties_follow_arrival(const struct world *w)
{
	struct world last = *w, reversed = *w;
	struct verdict a, b;

	last.tie_last = true;
	for (size_t i = 0; i < w->n; i++)
		reversed.b[i].seq = 100 - w->b[i].seq;
	decide(&last, &a);
	decide(&reversed, &b);
	for (size_t i = 0; i < w->n; i++)
		holds(w, same_row(&a, i, &b, i));
	holds(w, same_outputs(&a, &b));
	one_foreground_and_it_is_maximal(&last, &a);
	the_cause_names_the_most_urgent_winner(&last, &a);
}

/* What happens when the verdict is carried out. */
static void apply(const struct world *w, const struct verdict *d,
		  struct world *next)
{
	*next = *w;
	next->n = 0;
	for (size_t i = 0; i < w->n; i++) {
		if (d->row[i].state == ARB_END)
			continue;
		next->b[next->n] = w->b[i];
		if (d->row[i].state == ARB_PLAY ||
		    d->row[i].state == ARB_PARTIAL)
			next->b[next->n].started = true;
		next->n++;
	}
}

static void deciding_again_changes_nothing(const struct world *w,
					   const struct verdict *d)
{
	struct world next;
	struct verdict e;
	size_t k = 0;

	apply(w, d, &next);
	decide(&next, &e);
	for (size_t i = 0; i < w->n; i++) {
		if (d->row[i].state == ARB_END)
			continue;
		holds(w, d->row[i].state == e.row[k].state);
		holds(w, d->row[i].granted == e.row[k].granted);
		holds(w, d->row[i].by == e.row[k].by);
		/* What began in part has begun: it lacks the rest from now on
		 * because it is preempted there. */
		if (d->row[i].state == ARB_PARTIAL)
			holds(w, e.row[k].cause == ARB_CAUSE_PREEMPTED);
		else
			holds(w, d->row[i].cause == e.row[k].cause);
		k++;
	}
	holds(w, same_outputs(d, &e) && d->wake == e.wake);
}

static void lower_never_affects_higher(const struct world *w,
				       const struct verdict *d)
{
	struct world rest;
	struct verdict e;

	for (size_t k = 0; k < w->n; k++) {
		const struct arb_broadcast *gone = &w->b[k];

		without(w, k, &rest);
		decide(&rest, &e);
		for (size_t i = 0; i < rest.n; i++) {
			const struct arb_broadcast *b = &rest.b[i];
			bool above = background(b) == background(gone)
					     ? more_urgent(w, b, gone)
					     : background(gone);

			/* What holds nothing affects nobody at all. */
			if (above || !d->row[k].granted)
				holds(w, same_row(d, i + (i >= k), &e, i));
		}
		if (!d->row[k].granted)
			holds(w, same_outputs(d, &e));
	}
}

static void all_is_back_after_the_emergencies(const struct world *w,
					      const struct verdict *d)
{
	struct world next, after;
	struct verdict e;

	apply(w, d, &next);
	after = next;
	after.n = 0;
	for (size_t i = 0; i < next.n; i++)
		if (!emergency(&next.b[i]))
			after.b[after.n++] = next.b[i];
	if (after.n == next.n)
		return;
	decide(&after, &e);
	one_foreground_and_it_is_maximal(&after, &e);
	for (size_t i = 0; i < after.n; i++) {
		bool alone = true;

		for (size_t k = 0; k < after.n; k++)
			if (k != i && (wants(&after.b[k]) & wants(&after.b[i])))
				alone = false;
		if (alone)
			holds(w, e.row[i].state == ARB_PLAY);
	}
	/* The highest emergency alone ends: the one below it is back. */
	for (size_t k = 0; k < next.n; k++) {
		without(&next, k, &after);
		if (!emergency(&next.b[k]))
			continue;
		decide(&after, &e);
		one_foreground_and_it_is_maximal(&after, &e);
		emergency_never_refused_queued_or_ducked(&after, &e);
	}
}

static void set_past(struct arb_broadcast *b, unsigned past)
{
	b->started = past & 1;
	b->forever = past / 2 == 3;
	b->deadline = past / 2 == 1 ? NOW - 1 : past / 2 == 2 ? NOW + b->id : 0;
}

static void a_rows_past_concerns_it_alone(const struct world *w,
					  const struct verdict *d)
{
	for (size_t k = 0; k < w->n; k++) {
		struct world x = *w;
		struct verdict e;

		if (w->n == ROWS && n_worlds % ROWS != k)
			continue;
		for (unsigned past = 0; past < 2 * PATIENCES; past++) {
			if (w->n == ROWS && (n_worlds / ROWS + past) % 8)
				continue;
			set_past(&x.b[k], past);
			decide(&x, &e);
			for (size_t i = 0; i < w->n; i++)
				holds(w, i == k || same_row(d, i, &e, i));
			holds(w, same_outputs(d, &e));
			every_loser_one_cause_no_winner_any(&x, &e);
			emergency_never_refused_queued_or_ducked(&x, &e);
			wakes_for_the_first_deadline(&x, &e);
		}
	}
}

static void a_deadline_ends_the_wait(const struct world *w,
				     const struct verdict *d)
{
	struct verdict e;

	if (!d->wake)
		return;
	decide_at(w, d->wake - 1, &e);
	for (size_t i = 0; i < w->n; i++)
		holds(w, same_row(d, i, &e, i));
	decide_at(w, d->wake, &e);
	for (size_t i = 0; i < w->n; i++)
		if (d->row[i].state == ARB_WAIT && !w->b[i].forever &&
		    !background(&w->b[i]) && w->b[i].deadline == d->wake)
			holds(w, e.row[i].state == ARB_END);
		else
			holds(w, same_row(d, i, &e, i));
	holds(w, same_outputs(d, &e));
}

/* --------------------------------------------------------------- the worlds */

static unsigned rename_outputs(unsigned set, const uint8_t to[OUTPUTS])
{
	return (set & 1) << to[0] | (set >> 1 & 1) << to[1] |
	       (set >> 2 & 1) << to[2];
}

/* Is this the first of those that differ only by the outputs' names? */
static bool is_canonical(const struct world *w)
{
	static const uint8_t to[5][OUTPUTS] = {
		{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (size_t p = 0; p < 5; p++)
		for (size_t i = 0; i < w->n; i++) {
			unsigned was = wants(&w->b[i]);
			unsigned is = rename_outputs(was, to[p]);

			if (is < was)
				return false;
			if (is > was)
				break;
		}
	return true;
}

static void check(struct world *w)
{
	uint64_t past = n_worlds * UINT64_C(0x9e3779b97f4a7c15) >> 40;
	struct verdict d;

	n_named++;
	if (w->n == ROWS && !is_canonical(w))
		return;
	if (n_worlds++ % EACH)
		return;
	for (size_t i = 0; i < w->n; i++, past >>= 3)
		set_past(&w->b[i], past & 7);
	decide(w, &d);
	one_foreground_and_it_is_maximal(w, &d);
	background_gives_way(w, &d);
	emergency_never_refused_queued_or_ducked(w, &d);
	every_loser_one_cause_no_winner_any(w, &d);
	the_cause_names_the_most_urgent_winner(w, &d);
	wakes_for_the_first_deadline(w, &d);
	lower_never_affects_higher(w, &d);
	deciding_again_changes_nothing(w, &d);
	all_is_back_after_the_emergencies(w, &d);
	a_deadline_ends_the_wait(w, &d);
	ties_follow_arrival(w);
	input_order_is_irrelevant(w, &d);
	a_rows_past_concerns_it_alone(w, &d);
}

/* Chooses row i of n; rank classes never rise. */
static void choose(struct world *w, size_t i, unsigned from_class)
{
	if (i == w->n) {
		check(w);
		return;
	}
	for (unsigned c = from_class; c < 8; c++) {
		struct arb_broadcast *b = &w->b[i];
		/* A live source is never background; of recorded ones there
		 * are three. */
		unsigned kinds = c % 2 ? 3 : 1;

		b->id = i + 1;
		b->seq = 10 + i;
		b->level = level[c / 2];
		b->live = c % 2 == 0;
		for (unsigned k = 0; k < kinds; k++)
			/* Wanting nothing that exists: in the smaller worlds
			 * only. Outputs that do not exist count for nothing. */
			for (unsigned set = w->n == ROWS; set <= ALL; set++) {
				b->background = (enum arb_background)k;
				b->outputs.w[0] = set | (i % 2 ? 0x58 : 0);
				choose(w, i + 1, c);
			}
	}
}

static void test_every_small_world(void **state)
{
	(void)state;
	for (size_t n = 0; n <= ROWS; n++) {
		struct world w = {.n = n};

		choose(&w, 0, 0);
	}
	/* 6,170 sequences of kinds times 7^4 sets, and those of
	 * fewer rows: an enumeration that became thin proves nothing. */
	assert_int_equal(n_named, 15356251);
	print_message("%llu worlds standing for %llu, %llu decisions\n",
		      (unsigned long long)n_worlds / EACH,
		      (unsigned long long)n_named,
		      (unsigned long long)n_decisions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_small_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
