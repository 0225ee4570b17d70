/* Outputs on the broker whose device says what it did: what is not confirmed in
 * time, or contradicted for as long, is a fault. */
#include "field_internal.h"

#include "controller/base/clock.h"
#include "gpio/mqtt.h"
#include "gpio/payload.h"

#include <stdio.h>
#include <string.h>

void field_confirm_ask(struct out *o)
{
	if (o->conf->confirm)
		o->confirm.since_us = clock_mono_us();
}

void field_confirm_away(struct field *f)
{
	for (size_t i = 0; i < f->n_out; i++) {
		struct out *o = &f->out[i];

		o->confirm.since_us = 0;
		o->confirm.heard = false;
	}
}

/* Is the payload this text? */
static bool is_text(const struct out *o, const char *text, const char *payload,
		    size_t len, char raw[64])
{
	const struct input_rule rule = {.json = o->conf->confirm_json,
					.match = text};
	struct input_value v = {0};

	input_apply(&v, &rule, payload, len, 1);
	snprintf(raw, 64, "%s", v.quality == INPUT_GOOD ? v.raw : v.why);
	return v.active;
}

void field_confirm_hear(struct field *f, const char *topic, const char *payload,
			size_t len)
{
	for (size_t i = 0; i < f->n_out; i++) {
		struct out *o = &f->out[i];
		struct field_confirm *c = &o->confirm;
		char raw[64];
		int says = -1;

		if (!o->conf->confirm || strcmp(o->conf->confirm, topic))
			continue;
		if (is_text(o, o->conf->confirm_on, payload, len, raw))
			says = 1;
		else if (is_text(o, o->conf->confirm_off, payload, len, raw))
			says = 0;
		/* It begins to contradict now: a device may take its time. */
		if (c->heard && c->says == o->shown && says != o->shown)
			c->since_us = clock_mono_us();
		c->heard = true;
		c->says = says;
		payload_printable(c->text, sizeof(c->text), raw, strlen(raw));
		if (says == o->shown)
			field_output_fault(f, o, NULL);
	}
}

void field_confirm_watch(struct field *f)
{
	uint64_t now = clock_mono_us();

	for (size_t i = 0; i < f->n_out; i++) {
		const struct out *o = &f->out[i];
		const struct field_confirm *c = &o->confirm;
		char why[200];

		if (!o->conf->confirm || !c->since_us ||
		    (c->heard && c->says == o->shown) ||
		    now - c->since_us < o->conf->confirm_ms * UINT64_C(1000))
			continue;
		if (c->heard)
			snprintf(why, sizeof(why),
				 "\"%.40s\" was published, but %.60s says "
				 "\"%s\"",
				 o->shown ? o->conf->on : o->conf->off,
				 o->conf->confirm, c->text);
		else
			snprintf(why, sizeof(why),
				 "\"%.40s\" was published, but %.60s says "
				 "nothing",
				 o->shown ? o->conf->on : o->conf->off,
				 o->conf->confirm);
		field_output_fault(f, o, why);
	}
}
