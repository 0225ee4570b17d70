#include "effect.h"

#include <string.h>

static const char *const names[EFFECT_STATES] = {
	[EFFECT_IDLE] = "idle",
	[EFFECT_WAITING] = "waiting",
	[EFFECT_ON] = "on",
	[EFFECT_OVER] = "over",
};

static enum effect_do leave(struct effect *e, enum effect_state to)
{
	const bool was = e->state == EFFECT_ON;

	e->state = to;
	return was ? EFFECT_END : EFFECT_NOTHING;
}

static void await(struct effect *e, const struct effect_rule *r,
		  const struct effect_view *a, uint64_t from_us)
{
	e->state = EFFECT_WAITING;
	e->spell = a->spell;
	e->due_us = from_us + r->after_ms * UINT64_C(1000);
}

/** A new spell: who is done with has another turn. */
static void look_at_spell(struct effect *e, const struct effect_rule *r,
			  const struct effect_view *a)
{
	if (e->state == EFFECT_IDLE)
		await(e, r, a, r->phases ? a->phase_us : a->spell_us);
	else if (e->state == EFFECT_OVER && e->spell != a->spell)
		await(e, r, a, a->spell_us);
	e->spell = a->spell;
}

enum effect_do effect_step(struct effect *e, const struct effect_rule *r,
			   const struct effect_view *a, bool admitted,
			   uint64_t now_us, uint64_t *wake_us)
{
	*wake_us = EFFECT_NEVER;
	if (!a->on || (r->phases && !(r->phases >> a->phase & 1)))
		return leave(e, EFFECT_IDLE);
	look_at_spell(e, r, a);
	if (r->end == EFFECT_TO_ACK && a->acked)
		return leave(e, EFFECT_OVER);
	if (e->state == EFFECT_WAITING) {
		if (now_us < e->due_us) {
			*wake_us = e->due_us;
			return EFFECT_NOTHING;
		}
		if (!admitted)
			return EFFECT_NOTHING;
		e->state = EFFECT_ON;
		e->until_us = now_us + r->for_ms * UINT64_C(1000);
		if (r->end == EFFECT_TO_TIME)
			*wake_us = e->until_us;
		return EFFECT_BEGIN;
	}
	if (e->state == EFFECT_ON && r->end == EFFECT_TO_TIME) {
		if (now_us >= e->until_us)
			return leave(e, EFFECT_OVER);
		*wake_us = e->until_us;
	}
	return EFFECT_NOTHING;
}

const char *effect_state_name(enum effect_state s)
{
	return names[s];
}

int effect_state_by_name(const char *name)
{
	for (int i = 0; i < EFFECT_STATES; i++)
		if (!strcmp(name, names[i]))
			return i;
	return -1;
}
