#include "phase.h"

#include <stddef.h>

typedef enum phase_do(cell)(struct phase *p, const struct phase_plan *plan,
			    uint64_t now_us, struct reason *why);

static void enter(struct phase *p, const struct phase_plan *plan, uint8_t at,
		  uint64_t now_us)
{
	p->at = at;
	p->since_us = now_us;
	p->left_us = 0;
	p->due_us = 0;
	if (at + 1 >= plan->n) {
		p->state = PHASE_LAST;
	} else if (plan->for_ms[at]) {
		p->state = PHASE_TIMED;
		p->due_us = now_us + plan->for_ms[at] * UINT64_C(1000);
	} else {
		p->state = PHASE_OPEN;
	}
}

static enum phase_do nothing(struct phase *p, const struct phase_plan *plan,
			     uint64_t now_us, struct reason *why)
{
	(void)p;
	(void)plan;
	(void)now_us;
	(void)why;
	return PHASE_NOTHING;
}

static enum phase_do begin(struct phase *p, const struct phase_plan *plan,
			   uint64_t now_us, struct reason *why)
{
	(void)why;
	if (!plan->n)
		return PHASE_NOTHING;
	enter(p, plan, 0, now_us);
	return PHASE_CHANGED;
}

static enum phase_do end(struct phase *p, const struct phase_plan *plan,
			 uint64_t now_us, struct reason *why)
{
	(void)plan;
	(void)now_us;
	(void)why;
	*p = (struct phase){0};
	return PHASE_CHANGED;
}

static enum phase_do next(struct phase *p, const struct phase_plan *plan,
			  uint64_t now_us, struct reason *why)
{
	(void)why;
	enter(p, plan, (uint8_t)(p->at + 1), now_us);
	return PHASE_CHANGED;
}

static enum phase_do due(struct phase *p, const struct phase_plan *plan,
			 uint64_t now_us, struct reason *why)
{
	return now_us >= p->due_us ? next(p, plan, now_us, why) : PHASE_NOTHING;
}

static enum phase_do hold(struct phase *p, const struct phase_plan *plan,
			  uint64_t now_us, struct reason *why)
{
	(void)plan;
	(void)why;
	p->left_us = p->due_us > now_us ? p->due_us - now_us : 0;
	p->due_us = 0;
	p->state = PHASE_HELD;
	return PHASE_CHANGED;
}

static enum phase_do release(struct phase *p, const struct phase_plan *plan,
			     uint64_t now_us, struct reason *why)
{
	(void)plan;
	(void)why;
	p->due_us = now_us + p->left_us;
	p->left_us = 0;
	p->state = PHASE_TIMED;
	return PHASE_CHANGED;
}

static enum phase_do refuse(struct reason *why, const char *text)
{
	reason_set(why, 0, "%s", text);
	return PHASE_REFUSED;
}

#define REFUSAL(name, text)                                                    \
	static enum phase_do name(struct phase *p,                             \
				  const struct phase_plan *plan,               \
				  uint64_t now_us, struct reason *why)         \
	{                                                                      \
		(void)p;                                                       \
		(void)plan;                                                    \
		(void)now_us;                                                  \
		return refuse(why, text);                                      \
	}
REFUSAL(not_on, "the alarm is in no phase: it is normal or has none")
REFUSAL(no_time, "this phase is not by time: there is nothing to hold")
REFUSAL(held_before, "it is held already")
REFUSAL(not_held, "it is not held")
REFUSAL(no_next, "it is in its last phase")

/* clang-format off */
static cell *const table[PHASE_STATES][PHASE_EVENTS] = {
	[PHASE_OFF] = {
		[PHASE_EV_BEGIN] = begin,
		[PHASE_EV_ADVANCE] = not_on,
		[PHASE_EV_HOLD] = not_on,
		[PHASE_EV_RELEASE] = not_on,
		[PHASE_EV_CAUSE] = nothing,
		[PHASE_EV_TIME] = nothing,
		[PHASE_EV_END] = nothing,
	},
	[PHASE_TIMED] = {
		[PHASE_EV_BEGIN] = nothing,
		[PHASE_EV_ADVANCE] = next,
		[PHASE_EV_HOLD] = hold,
		[PHASE_EV_RELEASE] = not_held,
		[PHASE_EV_CAUSE] = next,
		[PHASE_EV_TIME] = due,
		[PHASE_EV_END] = end,
	},
	[PHASE_OPEN] = {
		[PHASE_EV_BEGIN] = nothing,
		[PHASE_EV_ADVANCE] = next,
		[PHASE_EV_HOLD] = no_time,
		[PHASE_EV_RELEASE] = not_held,
		[PHASE_EV_CAUSE] = next,
		[PHASE_EV_TIME] = nothing,
		[PHASE_EV_END] = end,
	},
	[PHASE_HELD] = {
		[PHASE_EV_BEGIN] = nothing,
		[PHASE_EV_ADVANCE] = next,
		[PHASE_EV_HOLD] = held_before,
		[PHASE_EV_RELEASE] = release,
		[PHASE_EV_CAUSE] = next,
		[PHASE_EV_TIME] = nothing,
		[PHASE_EV_END] = end,
	},
	[PHASE_LAST] = {
		[PHASE_EV_BEGIN] = nothing,
		[PHASE_EV_ADVANCE] = no_next,
		[PHASE_EV_HOLD] = no_next,
		[PHASE_EV_RELEASE] = not_held,
		[PHASE_EV_CAUSE] = nothing,
		[PHASE_EV_TIME] = nothing,
		[PHASE_EV_END] = end,
	},
};
/* clang-format on */

enum phase_do phase_step(struct phase *p, const struct phase_plan *plan,
			 enum phase_event ev, uint64_t now_us,
			 struct reason *why)
{
	return table[p->state][ev](p, plan, now_us, why);
}

void phase_restore(struct phase *p, const struct phase_plan *plan, uint8_t at,
		   bool held, uint64_t left_us, uint64_t now_us)
{
	if (!plan->n)
		return;
	enter(p, plan, at < plan->n ? at : (uint8_t)(plan->n - 1), now_us);
	if (p->state != PHASE_TIMED)
		return;
	/* After a clock that lost its time more may seem to be left. */
	if (left_us < p->due_us - now_us)
		p->due_us = now_us + left_us;
	if (held)
		hold(p, plan, now_us, NULL);
}

uint64_t phase_wake(const struct phase *p)
{
	return p->state == PHASE_TIMED ? p->due_us : PHASE_NEVER;
}

uint64_t phase_left(const struct phase *p, uint64_t now_us)
{
	if (p->state == PHASE_HELD)
		return p->left_us;
	return p->state == PHASE_TIMED && p->due_us > now_us
		       ? p->due_us - now_us
		       : 0;
}
