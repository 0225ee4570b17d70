/* Phased evacuation at work: phase.c (pure) decides. */
#include "internal.h"

#include "controller/base/clock.h"

#include <errno.h>

struct phase_plan phases_plan(const struct config_alarm *c)
{
	struct phase_plan p = {.n = (uint8_t)c->n_phases};

	_Static_assert(CONFIG_MAX_PHASES <=
			       sizeof(p.for_ms) / sizeof(p.for_ms[0]),
		       "see phase.h");
	for (size_t i = 0; i < c->n_phases; i++)
		p.for_ms[i] = c->phases[i].for_ms;
	return p;
}

static const char *because(enum phase_event ev)
{
	static const char *const text[PHASE_EVENTS] = {
		[PHASE_EV_BEGIN] = "it begins",
		[PHASE_EV_ADVANCE] = "somebody moved on",
		[PHASE_EV_HOLD] = "held: its time stands still",
		[PHASE_EV_RELEASE] = "released: its time goes on",
		[PHASE_EV_CAUSE] = "a further cause",
		[PHASE_EV_TIME] = "the time of the one before is over",
		[PHASE_EV_END] = "",
	};

	return text[ev];
}

int phases_step(struct item *x, enum phase_event ev, const char *actor,
		uint64_t cause, struct reason *why)
{
	const struct phase_plan plan = phases_plan(x->conf);
	const uint64_t now = clock_mono_us();
	const enum phase_do did = phase_step(&x->phase, &plan, ev, now, why);
	const struct config_phase *p = &x->conf->phases[x->phase.at];
	char subject[96];

	if (did == PHASE_REFUSED)
		return EBUSY;
	if (did == PHASE_NOTHING || x->phase.state == PHASE_OFF)
		return 0;
	matrix_subject(x, subject);
	x->event = record(
		x->owner->recorder, EVENT_ALARM_PHASE, cause ? cause : x->event,
		subject, actor,
		json_pack("{s:s,s:i,s:i,s:I,s:b}", "phase", p->name, "number",
			  x->phase.at + 1, "of", (int)x->conf->n_phases,
			  "left_s",
			  (json_int_t)(phase_left(&x->phase, now) / 1000000),
			  "held", x->phase.state == PHASE_HELD),
		"alarm %s is in phase %s, %d of %zu: %s", x->conf->name,
		p->name, x->phase.at + 1, x->conf->n_phases, because(ev));
	return 0;
}

static bool further_cause(const struct item *x)
{
	const struct config_phase *p;

	if (x->phase.state == PHASE_OFF)
		return false;
	p = &x->conf->phases[x->phase.at];
	if (p->votes && x->cause.counting >= p->votes)
		return true;
	for (size_t i = 0; i < p->n_inputs; i++) {
		const struct input_value *v =
			field_input(x->owner->field, p->inputs[i]);

		if (v->active && v->quality == INPUT_GOOD &&
		    !walk_tests(x->owner->walk, p->inputs[i]))
			return true;
	}
	return false;
}

void phases_causes(struct item *x, const char *actor, uint64_t cause)
{
	uint8_t at = x->phase.at;

	while (further_cause(x)) {
		phases_step(x, PHASE_EV_CAUSE, actor, cause, NULL);
		if (x->phase.at == at)
			return;
		at = x->phase.at;
		effects_run(x, clock_mono_us(), actor, "the next phase began");
		matrix_keep(x);
	}
}
