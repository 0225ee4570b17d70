#include "field_internal.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"
#include "gpio/mqtt.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Changes of an input that are recorded one by one within BURST_MS; those
 *  beyond are told of together at its end. */
#define BURST 20
#define BURST_MS 1000

int field_alloc(struct field **fp, struct recorder *r, struct faults *fl,
		field_input_h *inputh, field_publish_h *publishh, void *arg)
{
	struct field *f = calloc(1, sizeof(*f));

	if (!f)
		return ENOMEM;
	f->recorder = r;
	f->faults = fl;
	f->inputh = inputh;
	f->publishh = publishh;
	f->arg = arg;
	tmr_init(&f->tmr);
	tmr_init(&f->out_tmr);
	*fp = f;
	return 0;
}

struct field *field_free(struct field *f)
{
	if (!f)
		return NULL;
	tmr_cancel(&f->tmr);
	tmr_cancel(&f->out_tmr);
	field_buses_free(f);
	for (size_t i = 0; i < f->n_in; i++) {
		line_in_free(f->in[i].line);
		input_many_clear(&f->in[i].many);
	}
	field_outputs_free(f);
	free(f->in);
	free(f);
	return NULL;
}

/* ----------------------------------------------------------------- inputs */

static void input_key(const struct in *x, char key[96])
{
	snprintf(key, 96, "input:%s", x->conf->name);
}

static uint64_t tell(const struct in *x, bool moved, const char *actor,
		     uint64_t cause, uint32_t unsaid)
{
	const struct input_value *v = &x->value;
	char key[96], more[64] = "";

	input_key(x, key);
	if (unsaid)
		snprintf(more, sizeof(more),
			 " after %u more changes in a second", unsaid);
	return record(x->field->recorder,
		      moved ? EVENT_INPUT_CHANGED : EVENT_INPUT_QUALITY, cause,
		      key, actor,
		      json_pack("{s:b,s:s,s:s,s:i}", "active", v->active,
				"quality", input_quality_name(v->quality),
				"raw", v->raw, "unsaid", (int)unsaid),
		      "input %s is %s (%s%s%s)%s", x->conf->name,
		      v->active ? "active" : "normal",
		      input_quality_name(v->quality), *v->why ? ": " : "",
		      v->why, more);
}

/** Whatever an input does, alarms hear of it; but what is written down, logged
 *  and published is bounded: a contact that chatters must not fill the journal.
 */
static bool say_it(struct in *x, uint64_t at_us)
{
	if (at_us - x->burst_us >= BURST_MS * UINT64_C(1000) && !x->unsaid) {
		x->burst_us = at_us;
		x->burst = 0;
	}
	if (x->burst++ < BURST)
		return true;
	x->unsaid++;
	return false;
}

/** What was not said of a second is said at its end. */
static void end_burst(struct in *x, uint64_t now)
{
	uint32_t unsaid = x->unsaid;

	if (!unsaid || now - x->burst_us < BURST_MS * UINT64_C(1000))
		return;
	x->unsaid = 0;
	x->burst_us = now;
	x->burst = 0;
	x->event = tell(x, true, NULL, 0, unsaid);
}

void field_changed(struct in *x, bool was_active, const char *actor,
		   uint64_t cause, uint64_t at_us)
{
	struct field *f = x->field;
	const struct input_value *v = &x->value;
	bool moved = v->active != was_active;
	char key[96];

	input_key(x, key);
	x->changed_wall_us = clock_wall_us();
	if (v->quality == INPUT_GOOD || v->quality == INPUT_UNKNOWN)
		fault_clear(f->faults, key);
	else
		fault_raise(f->faults, key,
			    v->quality == INPUT_STALE ? x->rule.max_age_ms
						      : x->conf->modbus.poll_ms,
			    "Check the sensor, its line or its publisher; the "
			    "last good value is kept meanwhile.",
			    "input %s: %s: %s", x->conf->name,
			    input_quality_name(v->quality), v->why);
	if (say_it(x, at_us))
		x->event = tell(x, moved, actor, cause, 0);
	f->inputh(x->index, x->event, at_us, f->arg);
	if (x->conf->kind != INPUT_PAIR)
		field_pairs(f, x);
}

static void on_line(bool level, uint64_t at_us, int err, const char *why,
		    void *arg)
{
	struct in *x = arg;
	struct input_value *v = &x->value;
	bool was = v->active, bad = v->quality != INPUT_GOOD;

	if (err) {
		if (input_lost(v, why, at_us))
			field_changed(x, was, NULL, 0, at_us);
		x->glitches += line_in_glitches(x->line);
		x->line = line_in_free(x->line);
		return;
	}
	v->active = level;
	v->quality = INPUT_GOOD;
	v->why[0] = '\0';
	v->number = level;
	v->read_us = at_us;
	snprintf(v->raw, sizeof(v->raw), "%d", level);
	if (level == was && !bad)
		return;
	v->changed_us = at_us;
	field_changed(x, was, NULL, 0, at_us);
}

uint32_t field_glitches(const struct in *x)
{
	return x->glitches + x->loop.glitches +
	       (x->line ? line_in_glitches(x->line) : 0);
}

static void open_line(struct in *x)
{
	const struct line_in_spec spec = {
		.chip = x->conf->chip,
		.line = x->conf->line,
		.active_low = x->conf->active_low,
		.bias = x->conf->bias,
		.debounce_ms = x->conf->debounce_ms,
	};
	struct reason why = {""};
	uint64_t now = clock_mono_us();
	bool was = x->value.active;

	if (x->conf->kind != INPUT_GPIO || x->line)
		return;
	if (line_in_alloc(&x->line, &spec, on_line, x, &why) &&
	    input_lost(&x->value, why.text, now))
		field_changed(x, was, NULL, 0, now);
}

static void rule_of(const struct config_input *c, struct input_rule *r)
{
	*r = (struct input_rule){
		.json = c->json,
		.match = c->match,
		.has_above = c->has_above,
		.has_below = c->has_below,
		.above = c->above,
		.clear_below = c->clear_below,
		.below = c->below,
		.clear_above = c->clear_above,
		.max_age_ms = c->max_age_ms,
	};
}

/** Do both read the same thing? Thresholds may differ. */
static bool same_source(const struct config_input *a,
			const struct config_input *b)
{
	const struct config_modbus *m = &a->modbus, *n = &b->modbus;

	if (m->bus && n->bus &&
	    (strcmp(m->bus, n->bus) || m->unit != n->unit ||
	     m->table != n->table ||
	     m->address[m->table] != n->address[m->table] ||
	     m->format.type != n->format.type ||
	     m->format.order != n->format.order))
		return false;
	if (a->loop.n != b->loop.n)
		return false;
	for (size_t i = 0; i < a->loop.n; i++)
		if (a->loop.window[i].high != b->loop.window[i].high ||
		    a->loop.window[i].state != b->loop.window[i].state)
			return false;
	return text_same(a->topic, b->topic) &&
	       text_same(a->webhook, b->webhook) &&
	       text_same(a->json, b->json) && text_same(a->chip, b->chip) &&
	       text_same(a->line, b->line);
}

static void forget_fault(struct field *f, const struct in *x)
{
	char key[96];

	input_key(x, key);
	fault_clear(f->faults, key);
}

static struct in *find_in(const struct field *f, const char *name)
{
	for (size_t i = 0; i < f->n_in; i++)
		if (!strcmp(f->in[i].conf->name, name))
			return &f->in[i];
	return NULL;
}

static bool still_there(const char *key, void *arg)
{
	const struct config *c = arg;

	return config_input_find(c, strchr(key, ':') + 1) >= 0;
}

int field_configure(struct field *f, const struct config *c)
{
	struct in *in = calloc(c->n_inputs + 1, sizeof(*in));
	struct out *out = calloc(c->n_outputs + 1, sizeof(*out));
	struct in *old_in = f->in;
	size_t n_old_in = f->n_in;
	uint64_t now = clock_mono_us();

	if (!in || !out) {
		free(in);
		free(out);
		return ENOMEM;
	}
	for (size_t i = 0; i < c->n_inputs; i++) {
		struct in *old = find_in(f, c->inputs[i].name);

		in[i].field = f;
		in[i].index = (int)i;
		in[i].conf = &c->inputs[i];
		rule_of(&c->inputs[i], &in[i].rule);
		if (old && old->conf->kind == c->inputs[i].kind) {
			in[i].value = old->value;
			in[i].event = old->event;
			in[i].glitches = field_glitches(old);
			in[i].changed_wall_us = old->changed_wall_us;
			in[i].burst_us = old->burst_us;
			in[i].burst = old->burst;
			in[i].unsaid = old->unsaid;
			in[i].many = old->many;
			memset(&old->many, 0, sizeof(old->many));
			if (!same_source(old->conf, &c->inputs[i])) {
				/* The last value stands until the new source
				 * tells its own. */
				in[i].value.quality = INPUT_UNKNOWN;
				in[i].value.why[0] = '\0';
				in[i].value.changed_us = now;
				input_many_clear(&in[i].many);
				forget_fault(f, &in[i]);
			}
		} else if (c->inputs[i].kind == INPUT_VIRTUAL) {
			in[i].value.quality = INPUT_GOOD;
		}
		if (old && old->conf->kind != c->inputs[i].kind)
			forget_fault(f, &in[i]);
	}
	/* A line handler holds its struct's address, so lines are requested
	 * anew by their new owner; the value is kept, the level is re-read. */
	for (size_t i = 0; i < n_old_in; i++) {
		old_in[i].line = line_in_free(old_in[i].line);
		input_many_clear(&old_in[i].many);
	}
	f->in = in;
	f->n_in = c->n_inputs;
	field_outputs_take(f, c, out);
	free(old_in);
	fault_clear_prefix(f->faults, "input:", still_there, (void *)c);
	for (size_t i = 0; i < f->n_in; i++)
		open_line(&f->in[i]);
	field_buses_configure(f, c);
	field_pairs(f, NULL);
	field_outputs_open(f);
	return 0;
}

const struct input_value *field_input(const struct field *f, int input)
{
	return &f->in[input].value;
}

int field_input_set(struct field *f, int input, bool active, const char *actor,
		    uint64_t cause, uint64_t at_us)
{
	struct in *x = &f->in[input];
	bool was = x->value.active;

	if (x->conf->kind != INPUT_VIRTUAL)
		return EINVAL;
	x->value.quality = INPUT_GOOD;
	x->value.read_us = at_us;
	x->value.number = active;
	snprintf(x->value.raw, sizeof(x->value.raw), "%d", active);
	if (was == active)
		return 0;
	x->value.active = active;
	x->value.changed_us = at_us;
	field_changed(x, was, actor, cause, at_us);
	return 0;
}

/** Applies a message to a value of an input: its own, or that of one topic.
 *  True when active or quality changed. */
static bool hear(struct in *x, struct input_value *value, const char *topic,
		 const char *payload, size_t len, bool retain, uint64_t at_us)
{
	struct input_value v = *value;
	bool changed = input_apply(&v, &x->rule, payload, len, at_us);
	char subject[96];

	/* A retained message tells the state of a sensor, not news: it may
	 * clear, but it starts nothing (DESIGN rule 4). */
	if (!changed || !retain || !v.active || value->active) {
		*value = v;
		return changed;
	}
	input_key(x, subject);
	record(x->field->recorder, EVENT_INPUT_IGNORED, 0, subject, "mqtt",
	       NULL,
	       "input %s: retained message \"%.40s\" on %s says active; what "
	       "is retained starts nothing",
	       x->conf->name, v.raw, topic);
	/* But somebody must know: it may be true. */
	return input_lost(value,
			  "a retained message says active; it counts when it "
			  "is published anew",
			  at_us);
}

static bool hears_many(const struct in *x)
{
	return x->conf->kind == INPUT_MQTT && strpbrk(x->conf->topic, "+#");
}

void field_mqtt(struct field *f, const char *topic, const char *payload,
		size_t len, bool retain, uint64_t at_us)
{
	for (size_t i = 0; i < f->n_in; i++) {
		struct in *x = &f->in[i];
		const bool was = x->value.active;
		struct input_value *v = &x->value;
		bool changed;

		if (x->conf->kind != INPUT_MQTT ||
		    !mqtt_topic_match(x->conf->topic, topic))
			continue;
		if (hears_many(x))
			v = input_many_of(&x->many, topic);
		changed = v && hear(x, v, topic, payload, len, retain, at_us);
		if (hears_many(x))
			changed = input_many_sum(&x->many, &x->value, at_us);
		if (changed)
			field_changed(x, was, "mqtt", 0, at_us);
	}
	field_confirm_hear(f, topic, payload, len);
}

size_t field_webhook(struct field *f, const char *webhook, const char *payload,
		     size_t len, const char *actor, uint64_t at_us,
		     json_t *told)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_in; i++) {
		struct in *x = &f->in[i];
		const bool was = x->value.active;

		if (x->conf->kind != INPUT_WEBHOOK ||
		    strcmp(x->conf->webhook, webhook))
			continue;
		if (input_apply(&x->value, &x->rule, payload, len, at_us))
			field_changed(x, was, actor, 0, at_us);
		json_array_append_new(told, field_input_json(f, (int)i));
		n++;
	}
	return n;
}

void field_mqtt_state(struct field *f, bool connected)
{
	static const char away[] = "the MQTT broker is away";
	uint64_t now = clock_mono_us();

	if (!connected)
		field_confirm_away(f);
	for (size_t i = 0; i < f->n_in; i++) {
		struct in *x = &f->in[i];
		bool was = x->value.active;

		if (x->conf->kind != INPUT_MQTT)
			continue;
		input_many_lost(&x->many, connected ? NULL : away, now);
		if (!connected) {
			if (input_lost(&x->value, away, now))
				field_changed(x, was, NULL, 0, now);
		} else if (x->value.quality != INPUT_UNKNOWN) {
			/* The broker is no fault any more, or it is another
			 * one; what the sensor says is not known, and its
			 * max-age runs from now. */
			x->value.quality = INPUT_UNKNOWN;
			x->value.changed_us = now;
			snprintf(x->value.why, sizeof(x->value.why),
				 "nothing received since the broker is back");
			field_changed(x, was, NULL, 0, now);
		}
	}
	if (connected)
		field_outputs_connected(f);
}

/** Is the value older than max-age allows? True when that is new. */
static bool age(struct in *x, uint64_t now)
{
	if (x->conf->kind != INPUT_MQTT && x->conf->kind != INPUT_WEBHOOK)
		return false;
	if (!x->many.n)
		return input_age(&x->value, &x->rule, now);
	return input_many_age(&x->many, &x->rule, now) &&
	       input_many_sum(&x->many, &x->value, now);
}

void field_watch(struct field *f)
{
	uint64_t now = clock_mono_us();

	for (size_t i = 0; i < f->n_in; i++) {
		struct in *x = &f->in[i];
		bool was = x->value.active;

		open_line(x);
		if (age(x, now))
			field_changed(x, was, NULL, 0, now);
		end_burst(x, now);
	}
	field_confirm_watch(f);
	field_outputs_watch(f);
}

/* ------------------------------------------------------------------- JSON */

static const char *const input_kinds[] = {"virtual", "mqtt", "gpio",
					  "modbus",  "pair", "webhook"};

json_t *field_input_json(const struct field *f, int input)
{
	const struct in *x = &f->in[input];
	const struct input_value *v = &x->value;
	char changed_at[CLOCK_TEXT_SIZE];

	return json_pack(
		"{s:s,s:s,s:b,s:s,s:o,s:s,s:I,s:s*,s:s*,s:o*}", "name",
		x->conf->name, "kind", input_kinds[x->conf->kind], "active",
		v->active, "quality", input_quality_name(v->quality), "value",
		v->read_us && isfinite(v->number) ? json_real(v->number)
						  : json_null(),
		"raw", v->raw, "glitches", (json_int_t)field_glitches(x), "why",
		*v->why ? v->why : NULL, "changed",
		x->changed_wall_us
			? clock_format(changed_at, x->changed_wall_us)
			: NULL,
		"topics",
		hears_many(x) ? json_integer((json_int_t)x->many.n) : NULL);
}

json_t *field_inputs_json(const struct field *f)
{
	json_t *a = json_array();

	for (size_t i = 0; i < f->n_in; i++)
		json_array_append_new(a, field_input_json(f, (int)i));
	return a;
}
