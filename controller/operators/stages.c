#include "controller/operators/stages.h"

#include <string.h>

#define MS UINT64_C(1000)

/** Every number that rings or has answered, but for `but`. */
static uint32_t up(const struct stages *s, unsigned but)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < STAGES_MAX_RING; i++)
		if (i != but && (s->leg[i] == STAGES_RINGING ||
				 s->leg[i] == STAGES_ANSWERED))
			bits |= UINT32_C(1) << i;
	return bits;
}

static void forget_legs(struct stages *s)
{
	memset(s->leg, 0, sizeof(s->leg));
}

static void ring(struct stages *s, const struct stages_rule *r, uint64_t now,
		 struct stages_act *a)
{
	forget_legs(s);
	for (unsigned i = 0; i < r->stage[s->stage].n_ring; i++)
		s->leg[i] = STAGES_RINGING;
	s->state = STAGES_RING;
	s->begun = now;
	s->due = now + r->stage[s->stage].for_ms * MS;
	a->ring = true;
}

static void next(struct stages *s, const struct stages_rule *r, uint64_t now,
		 struct stages_act *a)
{
	a->hang_up |= up(s, STAGES_MAX_RING);
	forget_legs(s);
	if (++s->stage < r->n) {
		ring(s, r, now, a);
		return;
	}
	s->stage = 0;
	s->round++;
	a->round_over = true;
	if (r->rounds && s->round >= r->rounds) {
		s->state = STAGES_VAIN;
		s->due = 0;
		a->vain = true;
	} else {
		ring(s, r, now, a);
	}
}

static void take(struct stages *s, unsigned i, struct stages_act *a)
{
	a->hang_up = up(s, i);
	a->taken = true;
	forget_legs(s);
	s->leg[i] = STAGES_ANSWERED;
	s->state = STAGES_TAKEN;
	s->taker = i;
	s->due = 0;
}

/** All of the stage are gone: on to the next, but not without a pause. */
static void look(struct stages *s, uint64_t now)
{
	const uint64_t least = s->begun + STAGES_LEAST_MS * MS;

	if (up(s, STAGES_MAX_RING))
		return;
	s->state = STAGES_PAUSE;
	s->due = least > now ? least : now;
}

struct stages_act stages_step(struct stages *s, const struct stages_rule *r,
			      enum stages_event ev, unsigned i, uint64_t now)
{
	struct stages_act a = {0};

	if (ev == STAGES_EV_START) {
		if (s->state == STAGES_OFF && r->n) {
			s->stage = s->round = 0;
			ring(s, r, now, &a);
		}
		return a;
	}
	if (ev == STAGES_EV_STOP) {
		/* Who has it hears it to the end; who still rings does not. */
		if (s->state != STAGES_TAKEN)
			a.hang_up = up(s, STAGES_MAX_RING);
		*s = (struct stages){.state = STAGES_OFF};
		return a;
	}
	if (ev == STAGES_EV_DUE) {
		if (s->state == STAGES_RING || s->state == STAGES_PAUSE)
			next(s, r, now, &a);
		return a;
	}
	if (i >= STAGES_MAX_RING || s->state != STAGES_RING ||
	    s->leg[i] == STAGES_NONE || s->leg[i] == STAGES_GONE)
		return a;
	switch (ev) {
	case STAGES_EV_ANSWERED:
		s->leg[i] = STAGES_ANSWERED;
		if (!r->stage[s->stage].confirm)
			take(s, i, &a);
		break;
	case STAGES_EV_KEY:
		if (s->leg[i] == STAGES_ANSWERED)
			take(s, i, &a);
		break;
	case STAGES_EV_GONE:
		s->leg[i] = STAGES_GONE;
		look(s, now);
		break;
	default:
		break;
	}
	return a;
}
