/* The alarms as the API and MQTT show them. */
#include "internal.h"

#include "controller/base/clock.h"
#include "controller/text_json.h"

#include <stdio.h>

static const char *const kinds[EFFECT_KINDS] = {
	[EFFECT_BROADCAST] = "broadcast", [EFFECT_DRIVE] = "drive",
	[EFFECT_PUBLISH] = "publish",     [EFFECT_HOOK] = "hook",
	[EFFECT_CALL] = "call",           [EFFECT_NOTIFY] = "notify",
	[EFFECT_DISPLAY] = "display",
};

size_t alarms_active(const struct alarms *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += a->v[i].s.state != ALARM_NORMAL;
	return n;
}

const struct alarm_snapshot *alarm_snapshot(const struct alarms *a, int alarm)
{
	return &a->v[alarm].s;
}

/** What it does, in words. */
static json_t *effect_what(const struct config *c,
			   const struct config_effect *e)
{
	static const char *const to[] = {"on", "off", "pulse"};

	switch (e->kind) {
	case EFFECT_BROADCAST:
		return json_sprintf("message %s", c->messages[e->message].name);
	case EFFECT_DRIVE:
		return json_sprintf("output %s %s", c->outputs[e->output].name,
				    to[e->drive]);
	case EFFECT_PUBLISH:
		return text_json(e->topic);
	case EFFECT_CALL:
		return json_sprintf("operators %s",
				    c->operators[e->operators].name);
	case EFFECT_NOTIFY:
		return text_json(c->notifies[e->to[0]].name);
	case EFFECT_DISPLAY:
		return text_json(e->phones[0]);
	default:
		return text_json(e->command[0]);
	}
}

static json_t *effects_json(const struct item *x)
{
	const uint64_t now = clock_mono_us();
	json_t *v = json_array();

	for (size_t k = 0; k < x->n_effects; k++) {
		const struct effect *e = &x->effect[k].e;
		json_t *o = json_pack(
			"{s:s,s:o,s:s}", "kind",
			kinds[x->conf->effects[k].kind], "what",
			effect_what(x->owner->config, &x->conf->effects[k]),
			"state", effect_state_name(e->state));

		if (e->state == EFFECT_WAITING && e->due_us > now)
			json_object_set_new(
				o, "due_s",
				json_integer((json_int_t)((e->due_us - now) /
							  1000000)));
		json_array_append_new(v, o);
	}
	return v;
}

/** NULL = it has none. */
static json_t *phase_json(const struct item *x)
{
	const struct phase *p = &x->phase;

	if (!x->conf->n_phases)
		return NULL;
	if (p->state == PHASE_OFF)
		return json_null();
	return json_pack(
		"{s:s,s:i,s:i,s:b,s:o}", "name", x->conf->phases[p->at].name,
		"number", p->at + 1, "of", (int)x->conf->n_phases, "held",
		p->state == PHASE_HELD, "left_s",
		p->state == PHASE_TIMED || p->state == PHASE_HELD
			? json_integer(
				  (json_int_t)(phase_left(p, clock_mono_us()) /
					       1000000))
			: json_null());
}

json_t *alarm_json(const struct alarms *a, int alarm)
{
	const struct item *x = &a->v[alarm];
	char since[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	json_t *inputs = json_array(), *sounds = json_array();
	size_t votes = matrix_votes(x->conf);
	char when[48] = "any";

	for (size_t i = 0; i < x->conf->n_inputs; i++)
		json_array_append_new(
			inputs,
			json_string(
				a->config->inputs[x->conf->inputs[i]].name));
	for (size_t i = 0; i < x->n_effects; i++)
		if (x->effect[i].id)
			json_array_append_new(
				sounds,
				json_integer((json_int_t)x->effect[i].id));
	if (votes > 1)
		snprintf(when, sizeof(when), "%zu of %zu", votes,
			 x->conf->n_inputs);
	return json_pack(
		"{s:s,s:s,s:I,s:b,s:b,s:s,s:b,s:b,s:b,s:o,s:o,s:o,s:o*,s:s*,s:"
		"s*,"
		"s:s*}",
		"name", x->conf->name, "when", when, "counting",
		(json_int_t)x->cause.counting, "pending",
		x->cause.met && !x->cause.raw, "storm", x->cause.storm, "state",
		alarm_state_name(x->s.state), "cause", x->s.cause, "latch",
		x->s.latch, "excluded", x->s.excluded, "inputs", inputs,
		"broadcasts", sounds, "effects", effects_json(x), "phase",
		phase_json(x), "since",
		x->since_wall_us ? clock_format(since, x->since_wall_us) : NULL,
		"actor", *x->actor ? x->actor : NULL, "inhibited_until",
		x->s.inhibited ? clock_format(until, x->inhibit_until_wall_us)
			       : NULL);
}

json_t *alarms_json(const struct alarms *a)
{
	json_t *v = json_array();

	for (size_t i = 0; i < a->n; i++)
		json_array_append_new(v, alarm_json(a, (int)i));
	return v;
}
