/* What of the alarms outlives a kill or a power cut, and how it comes back. */
#include "internal.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A monotonic time as wall time, and back: it outlives the process. */
static int64_t to_wall(uint64_t us)
{
	return clock_wall_us() + (int64_t)us - (int64_t)clock_mono_us();
}

static uint64_t to_mono(int64_t wall)
{
	const int64_t us = (int64_t)clock_mono_us() + wall - clock_wall_us();

	return us > 0 ? (uint64_t)us : 0;
}

static json_t *effects_state(const struct item *x)
{
	json_t *v = json_array();

	for (size_t k = 0; k < x->n_effects; k++) {
		const struct effect *e = &x->effect[k].e;

		json_array_append_new(
			v, json_pack("{s:s,s:I,s:I}", "state",
				     effect_state_name(e->state), "due",
				     (json_int_t)to_wall(e->due_us), "until",
				     (json_int_t)to_wall(e->until_us)));
	}
	return v;
}

static json_t *phase_state(const struct item *x)
{
	const struct phase *p = &x->phase;

	if (p->state == PHASE_OFF)
		return json_null();
	return json_pack("{s:s,s:b,s:I,s:I,s:I}", "name",
			 x->conf->phases[p->at].name, "held",
			 p->state == PHASE_HELD, "since",
			 (json_int_t)to_wall(p->since_us), "due",
			 (json_int_t)to_wall(p->due_us), "left",
			 (json_int_t)phase_left(p, clock_mono_us()));
}

void matrix_keep(const struct item *x)
{
	struct journal *j = x->owner->journal;
	char key[96], *text;
	json_t *o;

	if (!j)
		return;
	matrix_subject(x, key);
	if (x->s.state == ALARM_NORMAL) {
		journal_state(j, key, NULL);
	} else {
		o = json_pack("{s:s,s:s,s:I,s:I,s:I,s:o,s:o}", "state",
			      alarm_state_name(x->s.state), "actor", x->actor,
			      "since", (json_int_t)x->since_wall_us, "spell",
			      (json_int_t)x->spell, "spell_since",
			      (json_int_t)to_wall(x->spell_us), "effects",
			      effects_state(x), "phase", phase_state(x));
		text = json_dumps(o, JSON_COMPACT);
		journal_state(j, key, text);
		free(text);
		json_decref(o);
	}
	snprintf(key, sizeof(key), "inhibit:%s", x->conf->name);
	if (x->s.inhibited) {
		char until[32];

		snprintf(until, sizeof(until), "%lld",
			 (long long)x->inhibit_until_wall_us);
		journal_state(j, key, until);
	} else {
		journal_state(j, key, NULL);
	}
}

/* ------------------------------------------------------------------ restore */

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void restore_phase(struct item *x, const json_t *o)
{
	const struct phase_plan plan = phases_plan(x->conf);
	const char *name = json_string_value(json_object_get(o, "name"));
	const bool held = json_is_true(json_object_get(o, "held"));
	const uint64_t now = clock_mono_us();
	json_int_t left =
		held ? number(o, "left") : number(o, "due") - clock_wall_us();
	uint8_t at = 0;

	if (!name) {
		phase_step(&x->phase, &plan, PHASE_EV_BEGIN, now, NULL);
		return;
	}
	while (at + 1 < plan.n && strcmp(x->conf->phases[at].name, name))
		at++;
	phase_restore(&x->phase, &plan, at, held, left > 0 ? (uint64_t)left : 0,
		      now);
	x->phase.since_us = to_mono(number(o, "since"));
}

/** What is done once is not done again; what lasts goes on for the rest of its
 *  time. */
static void restore_effect(struct item *x, size_t k, const json_t *o)
{
	const enum config_effect_kind kind = x->conf->effects[k].kind;
	const char *name = json_string_value(json_object_get(o, "state"));
	const int state = name ? effect_state_by_name(name) : -1;
	struct running *r = &x->effect[k];

	r->e.spell = x->spell;
	if (state < 0) {
		/* Not known of another configuration's. */
		if (kind == EFFECT_PUBLISH || kind == EFFECT_HOOK)
			r->e.state = EFFECT_OVER;
		return;
	}
	r->e.state = (enum effect_state)state;
	r->e.due_us = to_mono(number(o, "due"));
	r->e.until_us = to_mono(number(o, "until"));
	r->owed = state == EFFECT_ON && kind == EFFECT_BROADCAST;
}

static void restore_effects(struct item *x, const json_t *o)
{
	const json_t *v = json_object_get(o, "effects");
	const bool same = json_array_size(v) == x->n_effects;

	x->spell = (uint32_t)number(o, "spell");
	x->spell += !x->spell;
	x->spell_us = to_mono(number(o, "spell_since"));
	restore_phase(x, json_object_get(o, "phase"));
	for (size_t k = 0; k < x->n_effects; k++)
		restore_effect(x, k, same ? json_array_get(v, k) : NULL);
	for (size_t k = 0; k < x->n_effects; k++)
		if (x->conf->effects[k].kind == EFFECT_DRIVE)
			effects_drive(x->owner, x->conf->effects[k].output,
				      x->event);
}

static void restore_alarm(const char *key, const char *value, void *arg)
{
	struct alarms *a = arg;
	struct item *x = matrix_find(a, strchr(key, ':') + 1);
	json_t *o = json_loads(value, 0, NULL);
	const char *state = "", *actor = "system";
	json_int_t since = 0;
	char subject[96];
	int s;

	if (!x) {
		record(a->recorder, EVENT_ALARM_RESTORED, 0, key, "system",
		       NULL,
		       "%s was not normal when the daemon ended, but the "
		       "configuration does not have it any more: it cannot "
		       "sound",
		       key);
		journal_state(a->journal, key, NULL);
		json_decref(o);
		return;
	}
	if (!o || json_unpack(o, "{s:s,s:s,s:I}", "state", &state, "actor",
			      &actor, "since", &since))
		state = "active"; /* unreadable: better loud than silent */
	s = alarm_state_by_name(state);
	/* Its cause may be gone or not yet read again; in any case only a
	 * named reset ends what was active (DESIGN rule 6). */
	x->s.state = s == ALARM_ACKED || s == ALARM_LATCHED_ACKED
			     ? ALARM_LATCHED_ACKED
			     : ALARM_LATCHED;
	x->s.manual = true;
	x->s.inhibited = false;
	x->since_wall_us = since ? since : clock_wall_us();
	snprintf(x->actor, sizeof(x->actor), "%s", actor);
	text_clean(x->actor);
	matrix_subject(x, subject);
	x->event = record(
		a->recorder, EVENT_ALARM_RESTORED, 0, subject, "system",
		json_pack("{s:s}", "state", alarm_state_name(x->s.state)),
		"alarm %s was %s when the daemon ended; it sounds "
		"again until it is reset",
		x->conf->name, state);
	restore_effects(x, o);
	json_decref(o);
	effects_run(x, clock_mono_us(), "system", "");
	effects_owed(x, clock_mono_us());
	matrix_keep(x);
	x->s.cause = false;
	matrix_follow(x, "system", x->event, clock_mono_us());
	matrix_await(a);
}

static void restore_inhibit(const char *key, const char *value, void *arg)
{
	struct alarms *a = arg;
	struct item *x = matrix_find(a, strchr(key, ':') + 1);
	int64_t until = strtoll(value, NULL, 10);
	int64_t left = until - clock_wall_us();

	/* After a clock that lost its time the end may seem far away. */
	if (left > ALARM_MAX_INHIBIT_MS * INT64_C(1000))
		left = 0;
	if (!x || left <= 0 || x->s.state != ALARM_NORMAL) {
		journal_state(a->journal, key, NULL);
		return;
	}
	left = left < 1000 ? 1 : left / 1000;
	alarms_command(a, (int)(x - a->v), ALARM_EV_INHIBIT, (uint32_t)left,
		       "system", 0, clock_mono_us(), NULL);
}

void alarms_restore(struct alarms *a)
{
	if (!a->journal)
		return;
	modes_restore(a->modes);
	walk_restore(a->walk);
	journal_state_load(a->journal, "inhibit:", restore_inhibit, a);
	journal_state_load(a->journal, "alarm:", restore_alarm, a);
}
