#include "loop.h"

const char *loop_state_name(enum loop_state s)
{
	static const char *const name[] = {
		[LOOP_NORMAL] = "normal",
		[LOOP_ALARM] = "alarm",
		[LOOP_SHORT] = "short",
		[LOOP_OPEN] = "open",
	};

	return name[s];
}

static uint64_t hold_us(const struct loop_rule *r, enum loop_state s)
{
	return (s >= LOOP_SHORT ? r->fault_hold_ms : r->hold_ms) *
	       UINT64_C(1000);
}

uint64_t loop_due(const struct loop *l, const struct loop_rule *r)
{
	return l->pending ? l->since_us + hold_us(r, l->next) : 0;
}

bool loop_settle(struct loop *l, const struct loop_rule *r, uint64_t now_us)
{
	if (!l->pending || now_us < loop_due(l, r))
		return false;
	l->pending = false;
	l->known = true;
	l->state = l->next;
	return true;
}

bool loop_take_state(struct loop *l, const struct loop_rule *r,
		     enum loop_state s, uint64_t now_us)
{
	if (l->pending && l->next != s) {
		l->glitches++;
		l->pending = false;
	}
	if (l->known && l->state == s)
		return false;
	if (!l->pending) {
		l->pending = true;
		l->next = s;
		l->since_us = now_us;
	}
	return loop_settle(l, r, now_us);
}

bool loop_take(struct loop *l, const struct loop_rule *r, double x,
	       uint64_t now_us)
{
	const struct loop_window *in = &r->window[l->place];

	if (!l->placed || l->place >= r->n || x < in->low - r->hysteresis ||
	    x >= in->high + r->hysteresis) {
		l->place = 0;
		while (l->place + 1 < r->n && x >= r->window[l->place].high)
			l->place++;
		l->placed = true;
	}
	return loop_take_state(l, r, r->window[l->place].state, now_us);
}

void loop_lost(struct loop *l)
{
	l->known = l->pending = l->placed = false;
}
