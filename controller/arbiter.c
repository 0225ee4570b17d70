#include "arbiter.h"

#include <string.h>

/* Row numbers in order of rank; the two kinds compete apart. */
struct lane {
	uint16_t at[ARB_MAX_BROADCASTS];
	size_t n;
};

static bool is_emergency(const struct arb_broadcast *b)
{
	return b->level >= ARB_EMERGENCY;
}

/* An emergency is never ducked, whatever its source says of itself. */
static bool is_background(const struct arb_broadcast *b)
{
	return b->background != ARB_FOREGROUND && !is_emergency(b);
}

static bool outranks(const struct arb_broadcast *a,
		     const struct arb_broadcast *b, bool tie_last)
{
	if (a->level != b->level)
		return a->level > b->level;
	if (a->live != b->live)
		return a->live;
	if (a->seq != b->seq)
		return (a->seq < b->seq) != tie_last;
	return a->id < b->id;
}

/* Inserts by halving: one that ranks last, the usual case, moves nothing. */
static void lane_insert(struct lane *l, const struct arb_world *w, uint16_t row)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (outranks(&w->b[row], &w->b[l->at[mid]], w->tie_last))
			hi = mid;
		else
			lo = mid + 1;
	}
	memmove(&l->at[lo + 1], &l->at[lo], (l->n - lo) * sizeof(l->at[0]));
	l->at[lo] = row;
	l->n++;
}

static unsigned words(const struct arb_world *w)
{
	return (w->n_outputs + 63) / 64;
}

/* Sets every output that exists; what lies beyond is never looked at. */
static void all_outputs(const struct arb_world *w, struct arb_set *s)
{
	unsigned odd = w->n_outputs % 64;

	for (unsigned i = 0; i < words(w); i++)
		s->w[i] = ~UINT64_C(0);
	if (odd)
		s->w[words(w) - 1] = (UINT64_C(1) << odd) - 1;
}

/* What b wants, of what exists; false when that is nothing. */
static bool wanted(const struct arb_world *w, const struct arb_broadcast *b,
		   struct arb_set *want)
{
	uint64_t bits = 0;

	all_outputs(w, want);
	for (unsigned i = 0; i < words(w); i++)
		bits |= want->w[i] &= b->outputs.w[i];
	return bits;
}

/* Moves what is both wanted and free to the row; the rest stays in want. */
static bool grant(const struct arb_world *w, struct arb_set *want,
		  struct arb_set *free, struct arb_row *row)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < words(w); i++) {
		uint64_t got = want->w[i] & free->w[i];

		free->w[i] &= ~got;
		want->w[i] &= ~got;
		row->granted.w[i] = got;
		bits |= got;
	}
	return bits;
}

static bool any(const struct arb_world *w, const struct arb_set *s)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < words(w); i++)
		bits |= s->w[i];
	return bits;
}

/* The first row of the lane before `end` that holds one of these outputs; -1
 * when none does. */
static int holder(const struct arb_world *w, const struct arb_verdict *v,
		  const struct lane *l, size_t end, const struct arb_set *s)
{
	for (size_t k = 0; k < end; k++) {
		const struct arb_set *held = &v->row[l->at[k]].granted;

		for (unsigned i = 0; i < words(w); i++)
			if (held->w[i] & s->w[i])
				return l->at[k];
	}
	return -1;
}

static void lose_some(const struct arb_broadcast *b, struct arb_row *row)
{
	row->state = ARB_PARTIAL;
	row->cause = b->started ? ARB_CAUSE_PREEMPTED : ARB_CAUSE_OUTRANKED;
}

static void lose(const struct arb_world *w, const struct arb_broadcast *b,
		 struct arb_row *row, uint64_t *wake)
{
	row->cause = b->started ? ARB_CAUSE_PREEMPTED : ARB_CAUSE_OUTRANKED;
	if (is_emergency(b)) {
		row->state = ARB_OVERRIDDEN;
	} else if (b->forever || is_background(b)) {
		row->state = ARB_WAIT;
	} else if (b->deadline > w->now) {
		row->state = ARB_WAIT;
		if (!*wake || b->deadline < *wake)
			*wake = b->deadline;
	} else {
		row->state = ARB_END;
		if (!b->started && b->deadline)
			row->cause = ARB_CAUSE_EXPIRED;
	}
}

static void decide_foreground(const struct arb_world *w, const struct lane *l,
			      struct arb_verdict *v)
{
	struct arb_set free, lost;

	all_outputs(w, &free);
	for (size_t k = 0; k < l->n; k++) {
		const struct arb_broadcast *b = &w->b[l->at[k]];
		struct arb_row *row = &v->row[l->at[k]];

		if (!wanted(w, b, &lost)) {
			row->state = ARB_END;
			row->cause = ARB_CAUSE_NO_OUTPUT;
			continue;
		}
		if (!grant(w, &lost, &free, row))
			lose(w, b, row, &v->wake);
		else if (any(w, &lost))
			lose_some(b, row);
		else
			continue;
		row->by = w->b[holder(w, v, l, k, &lost)].id;
	}
	for (size_t k = 0; k < l->n; k++) {
		const struct arb_row *row = &v->row[l->at[k]];

		for (unsigned i = 0; i < words(w); i++)
			for (uint64_t m = row->granted.w[i]; m; m &= m - 1)
				v->out[i * 64 + (unsigned)__builtin_ctzll(m)]
					.fg = (int16_t)l->at[k];
	}
}

/* Puts a background row on its outputs. Gives those where it is paused; false
 * when it is heard on none. */
static bool place_background(const struct arb_world *w, struct arb_verdict *v,
			     uint16_t at, struct arb_set *paused)
{
	const struct arb_broadcast *b = &w->b[at];
	const struct arb_row *row = &v->row[at];
	bool heard = false;

	for (unsigned i = 0; i < words(w); i++) {
		paused->w[i] = 0;
		for (uint64_t m = row->granted.w[i]; m; m &= m - 1) {
			struct arb_output *out =
				&v->out[i * 64 + (unsigned)__builtin_ctzll(m)];

			out->bg = (int16_t)at;
			if (out->fg < 0)
				out->bg_how = ARB_FOREGROUND;
			else if (is_emergency(&w->b[out->fg]) ||
				 b->background == ARB_PAUSE)
				out->bg_how = ARB_PAUSE;
			else
				out->bg_how = ARB_DUCK;
			if (out->bg_how == ARB_PAUSE)
				paused->w[i] |= m & -m;
			else
				heard = true;
		}
	}
	return heard;
}

static void decide_background(const struct arb_world *w, const struct lane *fg,
			      const struct lane *bg, struct arb_verdict *v)
{
	struct arb_set free, lost, paused;

	all_outputs(w, &free);
	for (size_t k = 0; k < bg->n; k++) {
		uint16_t at = bg->at[k];
		const struct arb_broadcast *b = &w->b[at];
		struct arb_row *row = &v->row[at];
		int by_fg, by_bg;

		if (!wanted(w, b, &lost)) {
			row->state = ARB_END;
			row->cause = ARB_CAUSE_NO_OUTPUT;
			continue;
		}
		grant(w, &lost, &free, row);
		if (!place_background(w, v, at, &paused))
			lose(w, b, row, &v->wake);
		else if (any(w, &lost) || any(w, &paused))
			lose_some(b, row);
		else
			continue;
		by_fg = holder(w, v, fg, fg->n, &paused);
		by_bg = holder(w, v, bg, k, &lost);
		if (by_fg < 0 ||
		    (by_bg >= 0 &&
		     outranks(&w->b[by_bg], &w->b[by_fg], w->tie_last)))
			by_fg = by_bg;
		row->by = w->b[by_fg].id;
	}
}

void arbiter_decide(const struct arb_world *w, struct arb_verdict *v)
{
	struct lane fg, bg;

	/* Not by initialisers: those would clear both arrays as well. */
	fg.n = bg.n = 0;
	for (size_t i = 0; i < w->n; i++) {
		memset(&v->row[i], 0, sizeof(v->row[i]));
		lane_insert(is_background(&w->b[i]) ? &bg : &fg, w,
			    (uint16_t)i);
	}
	for (unsigned i = 0; i < w->n_outputs; i++)
		v->out[i] = (struct arb_output){-1, -1, ARB_FOREGROUND};
	v->wake = 0;
	decide_foreground(w, &fg, v);
	decide_background(w, &fg, &bg, v);
}

const char *arbiter_cause(enum arb_cause cause)
{
	switch (cause) {
	case ARB_CAUSE_NONE:
		break;
	case ARB_CAUSE_PREEMPTED:
		return "preempted by a more urgent broadcast";
	case ARB_CAUSE_OUTRANKED:
		return "a more urgent broadcast has its outputs";
	case ARB_CAUSE_EXPIRED:
		return "waited for its outputs until its time was over";
	case ARB_CAUSE_NO_OUTPUT:
		return "none of its zones has an output";
	}
	return "nothing is in its way";
}
