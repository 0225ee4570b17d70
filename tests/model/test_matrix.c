/* The alarm matrix's pure parts: effects against a deliberately naive model of
 * them, phases through every sequence of events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/matrix/effect.h"
#include "controller/matrix/mode.h"
#include "controller/matrix/phase.h"

#include <string.h>

/* xorshift64*: the same worlds on every machine. */
static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * UINT64_C(0x2545f4914f6cdd1d) >> 16) % below;
}

/* ----------------------------------------------------------------- effects */

#define TICK UINT64_C(1000)
#define TICKS 400

/* One world: what the alarm was, tick by tick. */
struct history {
	bool on[TICKS], acked[TICKS], admitted[TICKS];
	uint8_t phase[TICKS];
	uint32_t spell[TICKS];
	size_t spell_at[TICKS], phase_at[TICKS];
};

static void make_history(struct history *h)
{
	bool on = false, acked = false, admitted = draw(2);
	uint8_t phase = 0;
	uint32_t spell = 0;
	size_t spell_at = 0, phase_at = 0;

	for (size_t t = 0; t < TICKS; t++) {
		if (!on && !draw(10)) {
			on = true;
			acked = false;
			spell = 1;
			phase = 0;
			spell_at = phase_at = t;
		} else if (on && !draw(60)) {
			on = acked = false;
		} else if (on && !acked && !draw(15)) {
			acked = true;
		} else if (on && acked && !draw(12)) {
			acked = false;
			spell++;
			spell_at = t;
		} else if (on && phase < 3 && !draw(15)) {
			phase++;
			phase_at = t;
		}
		if (!draw(8))
			admitted = !admitted;
		h->on[t] = on;
		h->acked[t] = acked;
		h->admitted[t] = admitted;
		h->phase[t] = phase;
		h->spell[t] = spell;
		h->spell_at[t] = spell_at;
		h->phase_at[t] = phase_at;
	}
}

static bool in_phase(const struct history *h, const struct effect_rule *r,
		     size_t t)
{
	return h->on[t] && (!r->phases || r->phases >> h->phase[t] & 1);
}

/* Is it on at tick t? Told by looking back over the whole history each time,
 * from the words of the manual. `began` is what this said of earlier ticks. */
static bool naive(const struct history *h, const struct effect_rule *r,
		  size_t t, const size_t *began, const bool *was)
{
	const size_t after = r->after_ms, length = r->for_ms;
	size_t begin = t, base, spell;

	if (!in_phase(h, r, t))
		return false;
	if (r->end == EFFECT_TO_ACK && h->acked[t])
		return false;
	/* Running: until its own time. */
	if (t && was[t - 1])
		return r->end != EFFECT_TO_TIME || t - began[t - 1] < length;
	/* The stretch for which alarm and phases have let it be. */
	while (begin && in_phase(h, r, begin - 1) && h->spell[begin - 1] &&
	       h->on[begin - 1])
		begin--;
	base = r->phases ? h->phase_at[begin] : h->spell_at[begin];
	spell = h->spell[begin];
	/* It has had its turn of a spell when it ran in it, or was ended by an
	 * acknowledgement in it: the next turn counts from the next spell. */
	for (size_t k = begin; k < t; k++) {
		const bool ran_out =
			was[k] && !(k + 1 < t ? was[k + 1] : false);
		const bool ended =
			r->end == EFFECT_TO_ACK
				? h->acked[k]
				: r->end == EFFECT_TO_TIME && ran_out;
		size_t next = ended ? h->spell[k + (r->end == EFFECT_TO_TIME)]
				    : spell;

		if (!ended)
			continue;
		spell = next;
		/* Which spell comes after that, if it came. */
		base = SIZE_MAX;
		for (size_t m = k; m <= t; m++)
			if (h->spell[m] > spell) {
				base = h->spell_at[m];
				break;
			}
	}
	return base != SIZE_MAX && t >= base + after && h->admitted[t];
}

static void test_effects_against_the_words(void **state)
{
	static struct history h;
	unsigned begins = 0;

	(void)state;
	seed = 20261123;
	for (unsigned world = 0; world < 4000; world++) {
		const struct effect_rule r = {
			.end = (enum effect_end)draw(3),
			.after_ms = draw(3) ? (uint32_t)draw(12) : 0,
			.for_ms = 1 + (uint32_t)draw(20),
			.phases = draw(2) ? (uint32_t)draw(15) : 0,
		};
		struct effect e = {0};
		size_t began[TICKS] = {0};
		bool was[TICKS] = {false}, on = false;

		make_history(&h);
		for (size_t t = 0; t < TICKS; t++) {
			const struct effect_view v = {
				.on = h.on[t],
				.acked = h.acked[t],
				.spell = h.spell[t],
				.spell_us = h.spell_at[t] * TICK,
				.phase = h.phase[t],
				.phase_us = h.phase_at[t] * TICK,
			};
			uint64_t wake;
			enum effect_do todo = effect_step(
				&e, &r, &v, h.admitted[t], t * TICK, &wake);
			bool want = naive(&h, &r, t, began, was);

			assert_false(todo == EFFECT_BEGIN && on);
			assert_false(todo == EFFECT_END && !on);
			on = todo == EFFECT_BEGIN || (todo != EFFECT_END && on);
			if (on != want)
				fail_msg("world %u tick %zu: is %d, want %d "
					 "(end %d after %u for %u phases %x)",
					 world, t, on, want, r.end, r.after_ms,
					 r.for_ms, r.phases);
			was[t] = on;
			began[t] = todo == EFFECT_BEGIN ? t
				   : t                  ? began[t - 1]
							: 0;
			begins += todo == EFFECT_BEGIN;
			/* Whoever sleeps until wake misses nothing. */
			assert_true(wake > t * TICK);
		}
	}
	assert_true(begins > 10000);
}

/* ------------------------------------------------------------------ phases */

struct run {
	struct phase p;
	uint64_t now;
};

static unsigned long visited;

/* Applies every event in every order, with time passing in between, and holds
 * each step against what is promised of phases. */
static void explore(const struct phase_plan *plan, struct run r, unsigned depth)
{
	static const uint64_t waits[] = {0, 400, 1000};

	visited++;
	if (!depth)
		return;
	for (int ev = 0; ev < PHASE_EVENTS; ev++)
		for (size_t w = 0; w < 3; w++) {
			struct run n = r;
			struct reason why = {""};
			uint64_t left, was_left;
			enum phase_do did;

			n.now += waits[w] * 1000;
			was_left = phase_left(&n.p, n.now);
			did = phase_step(&n.p, plan, (enum phase_event)ev,
					 n.now, &why);
			left = phase_left(&n.p, n.now);
			assert_int_equal(did == PHASE_REFUSED,
					 why.text[0] != 0);
			if (did != PHASE_CHANGED)
				assert_memory_equal(&n.p, &r.p, sizeof(n.p));
			if (ev == PHASE_EV_END) {
				assert_int_equal(n.p.state, PHASE_OFF);
			} else if (r.p.state == PHASE_OFF) {
				assert_int_equal(n.p.state != PHASE_OFF,
						 ev == PHASE_EV_BEGIN &&
							 plan->n);
				assert_int_equal(n.p.at, 0);
			} else {
				/* One by one, never back, never past. */
				assert_in_range(n.p.at, r.p.at, r.p.at + 1);
				assert_true(n.p.at < plan->n);
				assert_true(n.p.state != PHASE_OFF);
			}
			/* Time moves on what is timed, and only when over. */
			if (ev == PHASE_EV_TIME && n.p.at != r.p.at)
				assert_true(r.p.state == PHASE_TIMED &&
					    !was_left);
			/* A command or a cause always does, but at the end. */
			if ((ev == PHASE_EV_ADVANCE || ev == PHASE_EV_CAUSE) &&
			    r.p.state != PHASE_OFF)
				assert_int_equal(n.p.at != r.p.at,
						 r.p.state != PHASE_LAST);
			/* Held time is not lost, and not given. */
			if (ev == PHASE_EV_HOLD && did == PHASE_CHANGED) {
				assert_int_equal(n.p.state, PHASE_HELD);
				assert_true(left == was_left);
				assert_true(phase_wake(&n.p) == PHASE_NEVER);
			}
			if (ev == PHASE_EV_RELEASE && did == PHASE_CHANGED)
				assert_true(left == was_left &&
					    n.p.state == PHASE_TIMED);
			assert_int_equal(n.p.state == PHASE_LAST,
					 plan->n && n.p.state != PHASE_OFF &&
						 n.p.at + 1 == plan->n);
			/* What is kept comes back as it was. */
			if (n.p.state != PHASE_OFF) {
				struct phase again = {0};

				phase_restore(&again, plan, n.p.at,
					      n.p.state == PHASE_HELD, left,
					      n.now);
				assert_int_equal(again.state, n.p.state);
				assert_int_equal(again.at, n.p.at);
				assert_true(phase_left(&again, n.now) == left);
			}
			explore(plan, n, depth - 1);
		}
}

static void test_phases_exhaustively(void **state)
{
	static const struct phase_plan plans[] = {
		{.n = 0},
		{.for_ms = {0}, .n = 1},
		{.for_ms = {1000, 0, 500}, .n = 4},
		{.for_ms = {500, 500}, .n = 3},
	};
	struct run r = {.now = 5000000};

	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		explore(&plans[i], r, 5);
	assert_true(visited > 1000000);
}

static void test_a_phase_that_is_gone_is_the_last(void **state)
{
	const struct phase_plan plan = {.for_ms = {1000}, .n = 2};
	struct phase p = {0};

	(void)state;
	phase_restore(&p, &plan, 9, false, 5, 1000);
	assert_int_equal(p.state, PHASE_LAST);
	/* A clock that lost its time does not stretch a phase. */
	phase_restore(&p, &plan, 0, false, UINT64_MAX, 1000);
	assert_true(phase_left(&p, 1000) == 1000000);
}

/* ------------------------------------------------------------------- modes */

static void test_modes(void **state)
{
	struct mode_choice none = {-1, MODE_BY_DEFAULT}, x;

	(void)state;
	/* Every set of two modes' keys and hours, and what was set by hand. */
	for (unsigned n = 0; n < 256; n++)
		for (int hand = -1; hand < 2; hand++)
			for (int last = -1; last < 2; last++) {
				struct mode_view v[2];
				int want = -1;

				for (int i = 0; i < 2; i++)
					v[i] = (struct mode_view){
						.has_key = n >> i & 1,
						.key = n >> (2 + i) & 1,
						.known = n >> (4 + i) & 1,
						.hours = n >> (6 + i) & 1,
					};
				x = (struct mode_choice){last, MODE_BY_KEY};
				x = mode_decide(v, 2, hand,
						last < 0 ? none : x);
				for (int i = 1; i >= 0; i--)
					if (v[i].hours)
						want = i;
				want = want < 0 ? 0 : want;
				for (int i = 1; i >= 0; i--)
					if (v[i].has_key &&
					    (v[i].known ? v[i].key : last == i))
						want = i;
				want = hand >= 0 ? hand : want;
				assert_int_equal(x.mode, want);
			}
	for (int i = MODE_BY_DEFAULT; i <= MODE_BY_HAND; i++)
		assert_true(strlen(mode_by_name((enum mode_by)i)) > 0);
	for (int i = 0; i < EFFECT_STATES; i++)
		assert_int_equal(effect_state_by_name(effect_state_name(
					 (enum effect_state)i)),
				 i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_effects_against_the_words),
		cmocka_unit_test(test_phases_exhaustively),
		cmocka_unit_test(test_a_phase_that_is_gone_is_the_last),
		cmocka_unit_test(test_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
