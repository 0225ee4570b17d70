/* Supervised loops among the inputs, and pairs of inputs that are one. */
#include "field_internal.h"

#include "controller/base/clock.h"

#include <stdio.h>

void field_loop_state(struct in *x, bool fresh, double number, const char *raw,
		      uint64_t at_us)
{
	struct input_value *v = &x->value;
	bool was = v->active, changed = false;
	char why[64];

	if (x->loop.known && x->loop.state <= LOOP_ALARM) {
		changed = input_take(v, x->loop.state == LOOP_ALARM, number,
				     raw, at_us);
	} else if (x->loop.known && fresh) {
		snprintf(why, sizeof(why), "the loop is %s (%s)",
			 loop_state_name(x->loop.state), raw);
		input_lost(v, why, at_us);
		changed = true;
	}
	if (changed)
		field_changed(x, was, NULL, 0, at_us);
}

/** The pair takes part in what its inputs are now. */
static void look_at(struct in *x, uint64_t at_us)
{
	const struct in *a = &x->field->in[x->conf->pair[0]];
	const struct in *b = &x->field->in[x->conf->pair[1]];
	const struct in *bad = a->value.quality >= INPUT_STALE   ? a
			       : b->value.quality >= INPUT_STALE ? b
								 : NULL;
	bool was = x->value.active, fresh;
	char text[160];

	if (bad) {
		loop_lost(&x->loop);
		snprintf(text, sizeof(text), "input %s: %s", bad->conf->name,
			 bad->value.why);
		if (input_lost(&x->value, text, at_us))
			field_changed(x, was, NULL, 0, at_us);
		return;
	}
	if (a->value.quality != INPUT_GOOD || b->value.quality != INPUT_GOOD)
		return;
	snprintf(text, sizeof(text), "%d%d", a->value.active, b->value.active);
	fresh = loop_take(&x->loop, &x->conf->loop,
			  a->value.active * 2 + b->value.active, at_us);
	field_loop_state(x, fresh, a->value.active * 2 + b->value.active, text,
			 at_us);
}

static void on_due(void *arg);

static void wait_for_pairs(struct field *f)
{
	uint64_t now = clock_mono_us(), first = 0;

	for (size_t i = 0; i < f->n_in; i++) {
		const struct in *x = &f->in[i];
		uint64_t due = x->conf->kind == INPUT_PAIR
				       ? loop_due(&x->loop, &x->conf->loop)
				       : 0;

		if (due && (!first || due < first))
			first = due;
	}
	if (!first)
		tmr_cancel(&f->tmr);
	else
		tmr_start(&f->tmr, first > now ? (first - now + 999) / 1000 : 0,
			  on_due, f);
}

static void on_due(void *arg)
{
	struct field *f = arg;
	uint64_t now = clock_mono_us();

	for (size_t i = 0; i < f->n_in; i++)
		if (f->in[i].conf->kind == INPUT_PAIR && f->in[i].loop.pending)
			look_at(&f->in[i], now);
	wait_for_pairs(f);
}

void field_pairs(struct field *f, const struct in *part)
{
	bool any = false;

	for (size_t i = 0; i < f->n_in; i++) {
		struct in *x = &f->in[i];

		if (x->conf->kind != INPUT_PAIR ||
		    (part && part->index != x->conf->pair[0] &&
		     part->index != x->conf->pair[1]))
			continue;
		look_at(x, clock_mono_us());
		any = true;
	}
	if (any)
		wait_for_pairs(f);
}
