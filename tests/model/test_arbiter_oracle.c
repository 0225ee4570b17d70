/* The arbiter against a deliberately naive one: sort the wanters of every
 * output, look who is first. Random worlds from fixed seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/arbiter.h"

#include <stdlib.h>
#include <string.h>

#define NOW UINT64_C(5000000)

static struct arb_broadcast rows[ARB_MAX_BROADCASTS];
static struct arb_verdict got, want;
static bool tie_last;

/* xorshift64*: the same worlds on every machine. */
static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * UINT64_C(0x2545f4914f6cdd1d) >> 16) % below;
}

/* ----------------------------------------------------------------- the oracle
 */

static int is_fg(const struct arb_broadcast *b)
{
	return b->level >= 200 || b->background == ARB_FOREGROUND;
}

/* For qsort over row numbers: foreground first, then by rank. */
static int by_rank(const void *x, const void *y)
{
	const struct arb_broadcast *a = &rows[*(const int *)x];
	const struct arb_broadcast *b = &rows[*(const int *)y];

	if (is_fg(a) != is_fg(b))
		return is_fg(b) - is_fg(a);
	if (a->level != b->level)
		return b->level - a->level;
	if (a->live != b->live)
		return b->live - a->live;
	return (a->seq < b->seq) == tie_last ? 1 : -1;
}

/* Is a, as one that beats, more urgent than the one known so far? */
static bool beats_more(int a, int known)
{
	const struct arb_broadcast *x = &rows[a], *y;

	if (known < 0)
		return true;
	y = &rows[known];
	if (x->level != y->level)
		return x->level > y->level;
	if (x->live != y->live)
		return x->live;
	return a != known && (x->seq > y->seq) == tie_last;
}

static void oracle(const struct arb_world *w)
{
	static int heard[ARB_MAX_BROADCASTS], missing[ARB_MAX_BROADCASTS],
		by[ARB_MAX_BROADCASTS];

	memset(heard, 0, sizeof(heard));
	memset(missing, 0, sizeof(missing));
	memset(by, -1, sizeof(by));
	memset(&want, 0, sizeof(want));
	tie_last = w->tie_last;
	for (unsigned o = 0; o < w->n_outputs; o++) {
		int l[ARB_MAX_BROADCASTS], n = 0;
		int fg = -1, bg = -1;
		enum arb_background how = ARB_FOREGROUND;

		for (size_t i = 0; i < w->n; i++)
			if (arb_set_has(&w->b[i].outputs, o))
				l[n++] = (int)i;
		qsort(l, (size_t)n, sizeof(l[0]), by_rank);
		for (int k = 0; k < n; k++) {
			int i = l[k], winner;

			if (is_fg(&rows[i]) ? fg < 0 : bg < 0) {
				arb_set_add(&want.row[i].granted, o);
				if (is_fg(&rows[i])) {
					fg = i;
					heard[i]++;
					continue;
				}
				bg = i;
				if (fg >= 0)
					how = rows[fg].level >= 200
						      ? ARB_PAUSE
						      : rows[i].background;
				if (how != ARB_PAUSE) {
					heard[i]++;
					continue;
				}
				winner = fg;
			} else {
				winner = is_fg(&rows[i]) ? fg : bg;
			}
			missing[i]++;
			if (beats_more(winner, by[i]))
				by[i] = winner;
		}
		want.out[o].fg = (int16_t)fg;
		want.out[o].bg = (int16_t)bg;
		want.out[o].bg_how = how;
	}
	for (size_t i = 0; i < w->n; i++) {
		const struct arb_broadcast *b = &w->b[i];
		struct arb_row *r = &want.row[i];

		r->by = by[i] < 0 ? 0 : rows[by[i]].id;
		r->cause =
			b->started ? ARB_CAUSE_PREEMPTED : ARB_CAUSE_OUTRANKED;
		if (!heard[i] && !missing[i]) {
			r->state = ARB_END;
			r->cause = ARB_CAUSE_NO_OUTPUT;
		} else if (!missing[i]) {
			r->state = ARB_PLAY;
			r->cause = ARB_CAUSE_NONE;
		} else if (heard[i]) {
			r->state = ARB_PARTIAL;
		} else if (b->level >= 200) {
			r->state = ARB_OVERRIDDEN;
		} else if (!is_fg(b) || b->forever) {
			r->state = ARB_WAIT;
		} else if (b->deadline > w->now) {
			r->state = ARB_WAIT;
			if (!want.wake || b->deadline < want.wake)
				want.wake = b->deadline;
		} else {
			r->state = ARB_END;
			if (!b->started && b->deadline)
				r->cause = ARB_CAUSE_EXPIRED;
		}
	}
}

/* ----------------------------------------------------------------- the worlds
 */

static void draw_row(struct arb_broadcast *b, size_t i, unsigned n_outputs)
{
	static const uint8_t level[] = {0,   10,  60,  100, 150, 199,
					200, 201, 220, 250, 255};
	unsigned wanted = (unsigned)draw(4);

	memset(b, 0, sizeof(*b));
	b->id = i * 1000 + draw(1000) + 1;
	/* Unique, in no order of the rows. */
	b->seq = draw(1u << 20) << 10 | i;
	b->level = draw(3) ? level[draw(sizeof(level))] : (uint8_t)draw(256);
	b->live = draw(2);
	b->background = draw(3) ? ARB_FOREGROUND : (enum arb_background)draw(3);
	b->started = draw(2);
	b->forever = !draw(4);
	b->deadline = draw(3) ? NOW - 500 + draw(1000) : 0;
	if (wanted == 0) /* all, and what does not exist */
		memset(&b->outputs, 0xff, sizeof(b->outputs));
	else if (wanted == 1) /* a neighbourhood */
		for (unsigned k = 0, at = (unsigned)draw(n_outputs + 8); k < 9;
		     k++)
			arb_set_add(&b->outputs, (at + k) % ARB_MAX_OUTPUTS);
	else if (wanted == 2) /* any */
		for (unsigned o = 0; o < n_outputs; o++)
			if (draw(2))
				arb_set_add(&b->outputs, o);
	if (wanted == 3 && draw(10)) /* one; seldom none */
		arb_set_add(&b->outputs, (unsigned)draw(n_outputs));
}

static void compare(const struct arb_world *w, unsigned long number)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct arb_row *a = &got.row[i], *b = &want.row[i];

		if (a->state != b->state || a->cause != b->cause ||
		    a->by != b->by ||
		    memcmp(&a->granted, &b->granted, sizeof(a->granted)))
			fail_msg("world %lu row %zu: state %d cause %d by "
				 "%llu, oracle: %d %d %llu",
				 number, i, (int)a->state, (int)a->cause,
				 (unsigned long long)a->by, (int)b->state,
				 (int)b->cause, (unsigned long long)b->by);
	}
	for (unsigned o = 0; o < w->n_outputs; o++)
		if (got.out[o].fg != want.out[o].fg ||
		    got.out[o].bg != want.out[o].bg ||
		    got.out[o].bg_how != want.out[o].bg_how)
			fail_msg("world %lu output %u: %d %d %d, oracle: %d %d "
				 "%d",
				 number, o, got.out[o].fg, got.out[o].bg,
				 (int)got.out[o].bg_how, want.out[o].fg,
				 want.out[o].bg, (int)want.out[o].bg_how);
	assert_int_equal(got.wake, want.wake);
}

static void try_world(unsigned n_outputs, size_t n, unsigned long number)
{
	struct arb_world w = {
		.now = NOW,
		.tie_last = draw(2),
		.n_outputs = n_outputs,
		.n = n,
		.b = rows,
	};

	for (size_t i = 0; i < n; i++)
		draw_row(&rows[i], i, n_outputs);
	/* Nothing of an old verdict may show through. */
	memset(&got, 0xa5, sizeof(got));
	arbiter_decide(&w, &got);
	oracle(&w);
	compare(&w, number);
}

static void test_random_worlds(void **state)
{
	(void)state;
	seed = 20261123;
	for (unsigned long k = 0; k < 50000; k++)
		try_world(1 + (unsigned)draw(64), draw(21), k);
}

static void test_edges_of_words(void **state)
{
	static const unsigned outputs[] = {1,   63,  64,  65,  127,
					   128, 129, 960, 1023};

	(void)state;
	seed = 271828;
	for (unsigned long k = 0; k < 2000; k++)
		try_world(outputs[k % 9], draw(21), k);
}

static void test_largest_worlds(void **state)
{
	(void)state;
	seed = 314159;
	for (unsigned long k = 0; k < 25; k++)
		try_world(ARB_MAX_OUTPUTS, ARB_MAX_BROADCASTS, k);
}

static void test_nothing(void **state)
{
	struct arb_world w = {.now = NOW, .b = rows};

	(void)state;
	memset(&got, 0xa5, sizeof(got));
	arbiter_decide(&w, &got);
	assert_int_equal(got.wake, 0);
	w.n = 1;
	memset(&rows[0], 0, sizeof(rows[0]));
	rows[0].level = 255;
	arb_set_add(&rows[0].outputs, 0);
	arbiter_decide(&w, &got);
	assert_int_equal(got.row[0].state, ARB_END);
	assert_int_equal(got.row[0].cause, ARB_CAUSE_NO_OUTPUT);
}

static void test_causes_have_words(void **state)
{
	(void)state;
	for (int a = ARB_CAUSE_NONE; a <= ARB_CAUSE_NO_OUTPUT; a++)
		for (int b = ARB_CAUSE_NONE; b < a; b++)
			assert_string_not_equal(
				arbiter_cause((enum arb_cause)a),
				arbiter_cause((enum arb_cause)b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_worlds),
		cmocka_unit_test(test_edges_of_words),
		cmocka_unit_test(test_largest_worlds),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_causes_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
