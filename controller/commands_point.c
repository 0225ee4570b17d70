/* Verbs about inputs and outputs of the field. */
#include "commands_internal.h"

#include <errno.h>
#include <string.h>

static bool drives(const struct config_alarm *a, int output)
{
	for (size_t i = 0; i < a->n_effects; i++)
		if (a->effects[i].kind == EFFECT_DRIVE &&
		    a->effects[i].output == output)
			return true;
	return command_among(a->outputs, a->n_outputs, output);
}

/** A point belongs to the zones of the alarms that name it. */
static bool point_within(const struct turn *t, bool in, int point)
{
	const struct config *c = t->s->config;
	bool any = false;

	if (!t->who->n_zones)
		return true;
	for (size_t i = 0; i < c->n_alarms; i++) {
		const struct config_alarm *a = &c->alarms[i];

		if (in ? !command_among(a->inputs, a->n_inputs, point)
		       : !drives(a, point))
			continue;
		if (!command_alarm_within(t->who, a))
			return false;
		any = true;
	}
	return any;
}

/** Refuses unless the caller may start what the alarms of an input sound. */
static int input_sounds(struct turn *t, int input)
{
	const struct config *c = t->s->config;
	int status = 0;

	for (size_t i = 0; !status && i < c->n_alarms; i++)
		if (command_among(c->alarms[i].inputs, c->alarms[i].n_inputs,
				  input))
			status = command_alarm_sounds(t, &c->alarms[i]);
	return status;
}

int command_point(struct turn *t)
{
	json_t *active = json_object_get(t->args, "active");
	bool in = !strcmp(t->verb, "input");
	int i = !t->name ? -1
		: in     ? config_input_find(t->s->config, t->name)
			 : config_output_find(t->s->config, t->name);
	uint64_t ms = 0;
	int err, status = command_only(t, in ? "name active"
					     : "name active for until");

	if (status)
		return status;
	if (i < 0)
		return command_refuse(
			t, 404, "not-found", "name",
			"there is no %s \"%.63s\"; GET /%ss lists them",
			t->verb, t->name ? t->name : "", t->verb);
	if (!point_within(t, in, i))
		return command_refuse(t, 403, "forbidden", NULL,
				      "%s may not touch an %s of other zones",
				      t->who->actor, t->verb);
	if (!json_is_boolean(active))
		return command_refuse(t, 400, "bad-request", "active",
				      "\"active\" must be true or false");
	if (in && json_is_true(active))
		status = input_sounds(t, i);
	else if (!in)
		status = command_end(t, FIELD_MAX_PULSE_MS, false, &ms);
	if (status)
		return status;
	if (ms && !json_is_true(active))
		return command_refuse(t, 400, "bad-request", "for",
				      "what has an end is a pulse: \"active\" "
				      "must be true");
	if (in)
		err = field_input_set(t->s->field, i, json_is_true(active),
				      t->who->actor, 0, t->who->at_us);
	else if (ms)
		err = field_output_pulse(t->s->field, i, (uint32_t)ms,
					 t->who->actor, 0);
	else
		err = field_output_set(t->s->field, i, json_is_true(active),
				       t->who->actor, 0);
	if (err)
		return command_refuse(
			t, 409, "refused", "name",
			in ? "input %s is no virtual input; its value "
			     "comes from the field"
			   : "output %s shows faults; it obeys nobody",
			t->name);
	*t->reply = in ? field_input_json(t->s->field, i)
		       : field_output_json(t->s->field, i);
	return 200;
}
