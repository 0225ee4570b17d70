/* A new configuration: alarms stay by name, and what they do as far as it is
 * the same. */
#include "internal.h"

#include "controller/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void matrix_items_free(struct item *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].effect);
		free(v[i].input);
	}
	free(v);
}

int alarms_may_configure(const struct alarms *a, const struct config *c,
			 struct reason *why)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].s.state != ALARM_NORMAL &&
		    config_alarm_find(c, a->v[i].conf->name) < 0)
			return reason_set(
				why, EBUSY,
				"alarm \"%s\" is %s and not in the new "
				"configuration; reset it before it is removed",
				a->v[i].conf->name,
				alarm_state_name(a->v[i].s.state));
	return 0;
}

static bool same_text(const char *x, const char *y)
{
	return !x || !y ? x == y : !strcmp(x, y);
}

static bool same_zones(const struct config *c, const struct config_effect *x,
		       const struct config *d, const struct config_effect *y)
{
	if (x->n_zones != y->n_zones)
		return false;
	for (size_t i = 0; i < x->n_zones; i++) {
		bool found = false;

		for (size_t k = 0; k < y->n_zones && !found; k++)
			found = !strcmp(c->zones[x->zones[i]].name,
					d->zones[y->zones[k]].name);
		if (!found)
			return false;
	}
	return true;
}

static bool same_texts(char *const *x, size_t n, char *const *y, size_t n_y)
{
	if (n != n_y)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(x[i], y[i]))
			return false;
	return true;
}

static bool same_told(const struct config *c, const struct config_effect *x,
		      const struct config *d, const struct config_effect *y)
{
	if (x->n_to != y->n_to || !same_text(x->text, y->text))
		return false;
	for (size_t i = 0; i < x->n_to; i++)
		if (strcmp(c->notifies[x->to[i]].name,
			   d->notifies[y->to[i]].name))
			return false;
	return true;
}

/** Do two configurations mean the same effect? When it begins may differ. */
static bool same_effect(const struct config *c, const struct config_effect *x,
			const struct config *d, const struct config_effect *y)
{
	if (x->kind != y->kind)
		return false;
	switch (x->kind) {
	case EFFECT_BROADCAST:
		return x->level == y->level &&
		       !strcmp(c->messages[x->message].name,
			       d->messages[y->message].name) &&
		       same_zones(c, x, d, y);
	case EFFECT_DRIVE:
		return x->drive == y->drive &&
		       !strcmp(c->outputs[x->output].name,
			       d->outputs[y->output].name);
	case EFFECT_PUBLISH:
		return !strcmp(x->topic, y->topic) &&
		       same_text(x->payload, y->payload);
	case EFFECT_NOTIFY:
		return same_told(c, x, d, y);
	case EFFECT_DISPLAY:
		return same_text(x->text, y->text) &&
		       same_texts(x->phones, x->n_phones, y->phones,
				  y->n_phones);
	default:
		return same_texts(x->command, x->n_command, y->command,
				  y->n_command);
	}
}

/** What stays as it was goes on; what is new begins in its turn; what is left
 *  in old has to end. */
static void carry_over(struct item *x, const struct config *c, struct item *old,
		       const struct config *old_c)
{
	for (size_t k = 0; k < x->n_effects; k++)
		for (size_t o = 0; o < old->n_effects; o++) {
			if (old->effect[o].taken ||
			    !same_effect(c, &x->conf->effects[k], old_c,
					 &old->conf->effects[o]))
				continue;
			x->effect[k] = old->effect[o];
			old->effect[o] = (struct running){.taken = true};
			break;
		}
}

/** The phase stays by name, else by its place, with its time. */
static void carry_phase(struct item *x, const struct item *old)
{
	const struct phase_plan plan = phases_plan(x->conf);
	const uint64_t now = clock_mono_us();
	size_t at = old->phase.at, k = 0;

	x->phase = (struct phase){0};
	if (x->s.state == ALARM_NORMAL || !plan.n)
		return;
	while (old->conf->n_phases && k < plan.n &&
	       strcmp(x->conf->phases[k].name, old->conf->phases[at].name))
		k++;
	phase_restore(&x->phase, &plan, (uint8_t)(k < plan.n ? k : at),
		      old->phase.state == PHASE_HELD,
		      old->phase.state == PHASE_TIMED ||
				      old->phase.state == PHASE_HELD
			      ? phase_left(&old->phase, now)
			      : UINT64_MAX,
		      now);
	x->phase.since_us = old->phase.since_us ? old->phase.since_us : now;
}

/** What is known of inputs that stay. */
static void carry_inputs(struct item *x, const struct config *c,
			 const struct item *old, const struct config *old_c)
{
	for (size_t k = 0; k < x->conf->n_inputs; k++)
		for (size_t o = 0; o < old->conf->n_inputs; o++)
			if (!strcmp(c->inputs[x->conf->inputs[k]].name,
				    old_c->inputs[old->conf->inputs[o]].name))
				x->input[k] = old->input[o];
}

int alarms_configure(struct alarms *a, const struct config *c,
		     struct library *l)
{
	struct item *v = calloc(c->n_alarms + 1, sizeof(*v)), *old_v;
	uint64_t now = clock_mono_us();
	size_t old_n;

	if (!v)
		return ENOMEM;
	for (size_t i = 0; i < c->n_alarms; i++) {
		v[i].effect = calloc(c->alarms[i].n_effects + 1,
				     sizeof(*v[i].effect));
		v[i].input =
			calloc(c->alarms[i].n_inputs + 1, sizeof(*v[i].input));
		if (!v[i].effect || !v[i].input) {
			matrix_items_free(v, i + 1);
			return ENOMEM;
		}
	}
	/* From here on nothing fails. */
	for (size_t i = 0; i < c->n_alarms; i++) {
		struct running *own = v[i].effect;
		struct cause_input *input = v[i].input;
		const struct config_alarm *conf = &c->alarms[i];
		struct item *old = matrix_find(a, conf->name);

		if (old)
			v[i] = *old;
		v[i].owner = a;
		v[i].conf = conf;
		v[i].s.latch = conf->latch;
		v[i].n_effects = conf->n_effects;
		v[i].effect = own;
		v[i].input = input;
		if (old) {
			carry_inputs(&v[i], c, old, a->config);
			carry_over(&v[i], c, old, a->config);
			carry_phase(&v[i], old);
		}
	}
	old_v = a->v;
	old_n = a->n;
	a->v = v;
	a->n = c->n_alarms;
	a->config = c;
	a->library = l;
	modes_configure(a->modes, c);
	walk_configure(a->walk, c, l);
	/* What replaces a broadcast starts before it ends: no gap. */
	for (size_t i = 0; i < a->n; i++) {
		struct item *x = &a->v[i];

		matrix_gate(x, 0);
		matrix_follow(x, "system", 0, now);
		effects_run(x, now, "system", "changed by a reload");
		effects_owed(x, now);
	}
	for (size_t i = 0; i < old_n; i++)
		for (size_t k = 0; k < old_v[i].n_effects; k++)
			if (old_v[i].effect[k].id)
				broadcast_stop(a->broadcasts,
					       old_v[i].effect[k].id, "system",
					       0,
					       "changed in its alarm by a "
					       "reload");
	for (size_t i = 0; i < old_n; i++)
		effects_left(&old_v[i]);
	/* Of two that call the same for one alarm the new one goes on. */
	alarms_caller(a, a->summons);
	for (size_t i = 0; i < old_n; i++) {
		char subject[80];

		snprintf(subject, sizeof(subject), "inhibit:%s",
			 old_v[i].conf->name);
		if (!matrix_find(a, old_v[i].conf->name))
			fault_clear(a->faults, subject);
	}
	matrix_items_free(old_v, old_n);
	for (size_t i = 0; i < c->n_outputs; i++)
		effects_drive(a, (int)i, 0);
	matrix_await(a);
	return 0;
}
