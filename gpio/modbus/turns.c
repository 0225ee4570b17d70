#include "gpio/modbus/turns.h"

static bool is_due(const struct turns *t, size_t i, uint64_t now_us)
{
	return t->turn[i].due_us <= now_us;
}

/** Is anything of a unit that answers still waiting for its turn? */
static bool anything_owed(const struct turns *t, uint64_t now_us)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->turn[i].owed && is_due(t, i, now_us) &&
		    !t->unit[t->turn[i].unit].fails)
			return true;
	return false;
}

static uint64_t may_begin(const struct turns *t, size_t i)
{
	const struct turn *x = &t->turn[i];
	uint64_t after = t->unit[x->unit].not_before_us;

	return x->due_us > after ? x->due_us : after;
}

size_t turns_next(const struct turns *t, uint64_t now_us, uint64_t *when_us)
{
	bool owed = anything_owed(t, now_us);
	size_t best = t->n;

	*when_us = TURNS_NEVER;
	for (size_t i = 0; i < t->n; i++) {
		const struct turn *x = &t->turn[i];
		uint64_t begin = may_begin(t, i);

		if (begin < *when_us)
			*when_us = begin;
		if (begin > now_us || (owed && t->unit[x->unit].fails))
			continue;
		if (best == t->n || x->urgent > t->turn[best].urgent ||
		    (x->urgent == t->turn[best].urgent &&
		     x->due_us < t->turn[best].due_us))
			best = i;
	}
	return best;
}

static uint64_t back_off(const struct turns *t, unsigned fails)
{
	uint64_t wait = t->back_off_us;

	for (unsigned i = t->retries + 1; i < fails; i++) {
		if (wait >= t->max_back_off_us / 2)
			return t->max_back_off_us;
		wait *= 2;
	}
	return wait < t->max_back_off_us ? wait : t->max_back_off_us;
}

/** It answers again: what was put off is due now. */
static void revive(struct turns *t, size_t unit, uint64_t now_us)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->turn[i].unit == unit && t->turn[i].fails) {
			t->turn[i].fails = 0;
			if (t->turn[i].due_us != TURNS_NEVER)
				t->turn[i].due_us = now_us;
		}
}

static void next_period(struct turn *x, uint64_t now_us)
{
	if (!x->period_us) {
		x->due_us = TURNS_NEVER;
		return;
	}
	x->due_us += x->period_us;
	/* Periods that are past are left out, the beat stays. */
	if (x->due_us <= now_us)
		x->due_us +=
			(now_us - x->due_us) / x->period_us * x->period_us +
			x->period_us;
}

static void silent(struct turns *t, struct turn *x, uint64_t now_us)
{
	struct turn_unit *u = &t->unit[x->unit];

	u->fails++;
	u->not_before_us = now_us;
	if (u->fails > t->retries)
		u->not_before_us += back_off(t, u->fails);
	for (size_t i = 0; i < t->n; i++)
		if (!t->unit[t->turn[i].unit].fails && is_due(t, i, now_us))
			t->turn[i].owed = true;
}

void turns_done(struct turns *t, size_t i, enum turn_outcome how,
		uint64_t now_us)
{
	struct turn *x = &t->turn[i];
	struct turn_unit *u = &t->unit[x->unit];
	uint64_t wait;

	x->owed = false;
	if (how != TURN_SILENT) {
		bool was = u->fails > t->retries;

		u->fails = 0;
		u->not_before_us = 0;
		if (was)
			revive(t, x->unit, now_us);
	} else {
		silent(t, x, now_us);
	}
	if (how == TURN_GOOD) {
		x->fails = 0;
		next_period(x, now_us);
		return;
	}
	x->fails++;
	wait = x->fails > t->retries ? back_off(t, x->fails) : 0;
	/* One that is read seldom is not read more often for being refused. */
	if (wait && wait < x->period_us)
		wait = x->period_us;
	x->due_us = now_us + wait;
}

void turns_urge(struct turns *t, size_t i, uint64_t now_us)
{
	t->turn[i].due_us = now_us;
	t->unit[t->turn[i].unit].not_before_us = 0;
}

bool turns_failed(const struct turns *t, size_t i)
{
	return t->turn[i].fails > t->retries;
}

bool turns_unit_failed(const struct turns *t, size_t unit)
{
	return t->unit[unit].fails > t->retries;
}
