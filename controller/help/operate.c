/*
 * What an operator's keys do while he talks with a help point.
 */
#include "controller/base/clock.h"
#include "controller/help/internal.h"

#include <stdio.h>

static void open_door(struct help_call *x, const struct config_door *d)
{
	struct help *h = x->owner;
	const char *output = h->config->outputs[d->output].name;
	char subject[80];
	json_t *fields = help_fields(x);

	snprintf(subject, sizeof(subject), "helppoint:%s", x->point);
	json_object_set_new(fields, "door", json_string(d->name));
	json_object_set_new(fields, "output", json_string(output));
	if (field_output_pulse(h->field, d->output, d->for_ms, x->operator,
			       x->id))
		record(h->recorder, EVENT_COMMAND_REFUSED, x->id, subject,
		       x->operator, fields,
		       "%.150s cannot open %s at %s: output %s obeys nobody",
		       x->operator, d->name, x->point, output);
	else
		record(h->recorder, EVENT_HELP_DOOR, x->id, subject,
		       x->operator, fields,
		       "%.150s opens %s at %s: output %s for %u ms",
		       x->operator, d->name, x->point, output, d->for_ms);
}

void help_operate(struct help_call *x, char key)
{
	struct help *h = x->owner;
	const int p = config_helppoint_find(h->config, x->point);
	const struct config_helppoint *point =
		p >= 0 ? &h->config->helppoints[p] : NULL;
	size_t door = 0;

	if (!point || x->flow.state != HELP_TALKING)
		return;
	switch (keypad_press(&x->keypad, key, clock_mono_ms(), point, &door)) {
	case KEYPAD_NOTHING:
		break;
	case KEYPAD_DOOR:
		open_door(x, &point->doors[door]);
		break;
	case KEYPAD_END:
		(void)help_hangup(h, x->id, x->operator);
		break;
	}
}
