/* Outputs of the field: who wants them, what they are, and where they are
 * written to. */
#include "field_internal.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Ranks within an interlock group. */
enum { RANK_OTHERS, RANK_ALARM };

static bool wanted(const struct field *f, const struct out *o)
{
	if (o->conf->role == ROLE_FAULT)
		return !fault_count(f->faults);
	return (o->driven || o->held || o->manual || o->followed) &&
	       !o->blocked;
}

static struct drive_rule rule_of(const struct out *o)
{
	return (struct drive_rule){
		.pulse_ms = o->conf->pulse_ms,
		.min_on_ms = o->conf->min_on_ms,
		.min_off_ms = o->conf->min_off_ms,
	};
}

void field_output_fault(struct field *f, const struct out *o, const char *why)
{
	char key[96];

	snprintf(key, sizeof(key), "point:%s", o->conf->name);
	if (!why)
		fault_clear(f->faults, key);
	else
		fault_raise(f->faults, key, FIELD_WATCH_MS,
			    o->conf->kind == OUTPUT_MQTT
				    ? "Check the device behind this topic."
			    : o->conf->kind == OUTPUT_MODBUS
				    ? "Check the Modbus device, its unit and "
				      "address, and who else writes there."
				    : "Check chip and line of this output and "
				      "who else holds it (gpioinfo).",
			    "output %s cannot be driven: %s", o->conf->name,
			    why);
}

static void open_out(struct field *f, struct out *o)
{
	struct reason why = {""};

	if (o->conf->kind != OUTPUT_GPIO || o->line)
		return;
	o->known = false;
	if (line_out_alloc(&o->line, o->conf->chip, o->conf->line,
			   o->conf->active_low, o->drive.level, &why))
		field_output_fault(f, o, why.text);
	else
		field_output_fault(f, o, NULL);
}

/** Writes a level to where the output is. */
static void show(struct field *f, struct out *o, const char *actor,
		 uint64_t cause)
{
	const bool level = o->drive.level;
	char subject[96];
	int err = 0;

	if (o->known && o->shown == level)
		return;
	if (o->conf->kind == OUTPUT_GPIO) {
		if (!o->line)
			return;
		err = line_out_set(o->line, level);
		field_output_fault(f, o, err ? strerror(err) : NULL);
		if (err) {
			o->line = line_out_free(o->line);
			return;
		}
	} else if (o->conf->kind == OUTPUT_MQTT) {
		f->publishh(o->conf->topic, level ? o->conf->on : o->conf->off,
			    f->arg);
		field_confirm_ask(o);
	} else if (o->conf->kind == OUTPUT_MODBUS) {
		field_bus_write(o, level);
	}
	if (level != o->shown) {
		snprintf(subject, sizeof(subject), "output:%s", o->conf->name);
		record(f->recorder, EVENT_OUTPUT_CHANGED, cause, subject, actor,
		       json_pack("{s:b}", "active", level), "output %s is %s",
		       o->conf->name, level ? "on" : "off");
	}
	o->known = true;
	o->shown = level;
}

/* --------------------------------------------------------- pulses, interlock
 */

/** Steps one; does it show another level now? */
static bool step(struct field *f, struct out *o, bool may, uint64_t now,
		 const char *actor, uint64_t cause)
{
	const struct drive_rule rule = rule_of(o);
	const bool asks = drive_asks(&o->drive, &rule, wanted(f, o), now);
	const bool moved = drive_step(&o->drive, &rule, asks,
				      may && !o->blocked, now, &o->wake_us);

	show(f, o, actor, cause);
	return moved;
}

static bool together(const struct out *a, const struct out *b)
{
	return text_same(a->conf->interlock, b->conf->interlock);
}

/** All of one interlock group: who must be off first, then who may be on. */
static void step_group(struct field *f, const struct out *one, uint64_t now,
		       const char *actor, uint64_t cause)
{
	struct drive_claim claim[CONFIG_MAX_INTERLOCK];
	struct out *member[CONFIG_MAX_INTERLOCK];
	size_t n = 0;
	bool free = true;
	int winner;

	for (size_t i = 0; i < f->n_out && n < CONFIG_MAX_INTERLOCK; i++) {
		struct out *o = &f->out[i];
		const struct drive_rule rule = rule_of(o);

		if (!together(o, one))
			continue;
		member[n] = o;
		claim[n++] = (struct drive_claim){
			.asks = drive_asks(&o->drive, &rule, wanted(f, o),
					   now) &&
				!o->blocked,
			.level = o->drive.level,
			.rank = o->driven ? RANK_ALARM : RANK_OTHERS,
		};
	}
	winner = drive_winner(claim, n);
	for (size_t i = 0; i < n; i++) {
		if ((int)i == winner)
			continue;
		step(f, member[i], false, now, actor, cause);
		free = free && !member[i]->drive.level;
		member[i]->behind =
			claim[i].asks ? member[winner]->conf->name : NULL;
	}
	if (winner < 0)
		return;
	member[winner]->behind = NULL;
	/* It begins when the last of the others has had its shortest time. */
	step(f, member[winner], free, now, actor, cause);
}

static void on_time(void *arg);

static void await(struct field *f, uint64_t now)
{
	uint64_t next = DRIVE_NEVER;

	for (size_t i = 0; i < f->n_out; i++)
		next = f->out[i].wake_us < next ? f->out[i].wake_us : next;
	if (next == DRIVE_NEVER)
		tmr_cancel(&f->out_tmr);
	else
		tmr_start(&f->out_tmr,
			  next > now ? (next - now + 999) / 1000 : 0, on_time,
			  f);
}

/** Brings one output, and those it is interlocked with, to what is wanted. */
static void refresh(struct field *f, struct out *o, const char *actor,
		    uint64_t cause)
{
	const uint64_t now = clock_mono_us();

	if (o->conf->interlock)
		step_group(f, o, now, actor, cause);
	else
		step(f, o, true, now, actor, cause);
	await(f, now);
}

static void on_time(void *arg)
{
	struct field *f = arg;
	const uint64_t now = clock_mono_us();

	for (size_t i = 0; i < f->n_out; i++)
		if (f->out[i].wake_us <= now)
			refresh(f, &f->out[i], NULL, 0);
	await(f, now);
}

/* ------------------------------------------------------------ who wants them
 */

void field_output_drive(struct field *f, int output, bool on, bool off,
			uint64_t cause)
{
	struct out *o = &f->out[output];

	o->driven = on;
	o->blocked = off;
	refresh(f, o, NULL, cause);
}

void field_output_hold(struct field *f, int output, bool active, uint64_t cause)
{
	f->out[output].held = active;
	refresh(f, &f->out[output], NULL, cause);
}

void field_output_follow(struct field *f, int output, bool active)
{
	struct out *o = &f->out[output];

	if (o->followed == active)
		return;
	o->followed = active;
	refresh(f, o, NULL, 0);
}

int field_output_set(struct field *f, int output, bool active,
		     const char *actor, uint64_t cause)
{
	struct out *o = &f->out[output];

	if (o->conf->role == ROLE_FAULT)
		return EINVAL;
	/* It is asked for once each time. */
	if (active && o->conf->pulse_ms)
		return field_output_pulse(f, output, o->conf->pulse_ms, actor,
					  cause);
	o->manual = active;
	if (!active)
		drive_cancel(&o->drive);
	refresh(f, o, actor, cause);
	return 0;
}

int field_output_pulse(struct field *f, int output, uint32_t ms,
		       const char *actor, uint64_t cause)
{
	struct out *o = &f->out[output];
	const struct drive_rule rule = rule_of(o);

	if (o->conf->role == ROLE_FAULT || !ms || ms > FIELD_MAX_PULSE_MS)
		return EINVAL;
	drive_pulse(&o->drive, &rule, ms, clock_mono_us());
	refresh(f, o, actor, cause);
	return 0;
}

void field_fault_outputs(struct field *f)
{
	bool fine;

	/* A fault output that cannot be driven raises a fault itself, which
	 * those driven before it must show too. */
	if (f->busy)
		return;
	f->busy = true;
	do {
		fine = !fault_count(f->faults);
		for (size_t i = 0; i < f->n_out; i++)
			if (f->out[i].conf->role == ROLE_FAULT)
				refresh(f, &f->out[i], NULL, 0);
	} while (fine && fault_count(f->faults));
	f->busy = false;
}

/* ------------------------------------------------------------ coming, going */

static struct out *find_out(const struct field *f, const char *name)
{
	for (size_t i = 0; i < f->n_out; i++)
		if (!strcmp(f->out[i].conf->name, name))
			return &f->out[i];
	return NULL;
}

static bool still_there(const char *key, void *arg)
{
	const struct config *c = arg;

	return config_output_find(c, strchr(key, ':') + 1) >= 0;
}

/** What an output of before leaves to the new ones. */
static void hand_over(struct field *f, const struct config *c, struct out *out,
		      struct out *old)
{
	const struct config_output *conf = old->conf;
	int k = config_output_find(c, conf->name);

	/* Its topic is retained: nobody else would take it back. */
	if (conf->kind == OUTPUT_MQTT && old->shown &&
	    (k < 0 || out[k].conf->kind != OUTPUT_MQTT ||
	     strcmp(out[k].conf->topic, conf->topic)))
		f->publishh(conf->topic, conf->off, f->arg);
	if (k >= 0 && out[k].conf->kind == OUTPUT_GPIO &&
	    text_same(out[k].conf->chip, conf->chip) &&
	    text_same(out[k].conf->line, conf->line) &&
	    out[k].conf->active_low == conf->active_low) {
		out[k].line = old->line;
		out[k].shown = old->shown;
		out[k].known = old->known;
	} else {
		line_out_free(old->line);
	}
}

void field_outputs_take(struct field *f, const struct config *c,
			struct out *out)
{
	struct out *old_out = f->out;
	size_t n_old = f->n_out;

	for (size_t i = 0; i < c->n_outputs; i++) {
		struct out *old = find_out(f, c->outputs[i].name);

		out[i].conf = &c->outputs[i];
		out[i].wake_us = DRIVE_NEVER;
		out[i].drive.since_us = clock_mono_us();
		if (!old)
			continue;
		out[i].driven = old->driven;
		out[i].blocked = old->blocked;
		out[i].held = old->held;
		out[i].manual = old->manual;
		out[i].followed = old->followed;
		out[i].drive = old->drive;
		if (old->conf->kind == c->outputs[i].kind)
			out[i].shown = old->shown;
		if (text_same(old->conf->confirm, c->outputs[i].confirm))
			out[i].confirm = old->confirm;
	}
	for (size_t i = 0; i < n_old; i++)
		hand_over(f, c, out, &old_out[i]);
	f->out = out;
	f->n_out = c->n_outputs;
	free(old_out);
	fault_clear_prefix(f->faults, "point:", still_there, (void *)c);
}

void field_outputs_open(struct field *f)
{
	for (size_t i = 0; i < f->n_out; i++) {
		struct out *o = &f->out[i];
		const struct drive_rule rule = rule_of(o);

		/* A line is requested with the level it will have. */
		if (!o->conf->interlock)
			drive_step(&o->drive, &rule,
				   drive_asks(&o->drive, &rule, wanted(f, o),
					      clock_mono_us()),
				   !o->blocked, clock_mono_us(), &o->wake_us);
		open_out(f, o);
		refresh(f, o, NULL, 0);
	}
}

void field_outputs_connected(struct field *f)
{
	for (size_t i = 0; i < f->n_out; i++)
		if (f->out[i].conf->kind == OUTPUT_MQTT) {
			f->out[i].known = false;
			refresh(f, &f->out[i], NULL, 0);
		}
}

void field_outputs_watch(struct field *f)
{
	for (size_t i = 0; i < f->n_out; i++) {
		struct out *o = &f->out[i];

		if (o->conf->kind != OUTPUT_GPIO)
			continue;
		/* A chip that went and came back has forgotten it. */
		if (o->line)
			o->known = false;
		else
			open_out(f, o);
		show(f, o, NULL, 0);
	}
}

void field_outputs_free(struct field *f)
{
	for (size_t i = 0; i < f->n_out; i++) {
		struct out *o = &f->out[i];

		line_out_leave(o->line, o->conf->on_exit == EXIT_KEEP
						? o->shown
						: o->conf->on_exit == EXIT_ON);
	}
	free(f->out);
}

/* -------------------------------------------------------------------- views */

static const char *const kinds[] = {"virtual", "mqtt", "gpio", "modbus"};

json_t *field_output_json(const struct field *f, int output)
{
	const struct out *o = &f->out[output];
	const char *const by[] = {
		o->driven ? "alarm" : NULL,
		o->held ? "zone" : NULL,
		o->manual ? "hand" : NULL,
		o->followed ? "follow" : NULL,
		o->drive.pulse_us > clock_mono_us() ? "pulse" : NULL,
	};
	json_t *who = json_array();

	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++)
		if (by[i])
			json_array_append_new(who, json_string(by[i]));
	return json_pack("{s:s,s:s,s:s,s:b,s:b,s:o,s:s*}", "name",
			 o->conf->name, "kind", kinds[o->conf->kind], "role",
			 o->conf->role == ROLE_FAULT ? "fault" : "plain",
			 "active", o->drive.level, "forced_off", o->blocked,
			 "by", who, "behind", o->behind);
}

json_t *field_outputs_json(const struct field *f)
{
	json_t *a = json_array();

	for (size_t i = 0; i < f->n_out; i++)
		json_array_append_new(a, field_output_json(f, (int)i));
	return a;
}
