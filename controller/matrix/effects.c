/* An alarm's effects: when is effect.c's (pure), what is here. */
#include "internal.h"

#include "controller/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What there is to do for each kind. */
struct type {
	void (*begin)(struct item *x, size_t k, uint64_t at_us);
	void (*end)(struct item *x, size_t k, const char *actor,
		    const char *why);
};

/* -------------------------------------------------------------- broadcasts */

static void on_broadcast(uint64_t id, enum broadcast_news news,
			 enum arb_cause cause, uint64_t by, const char *text,
			 void *arg)
{
	struct alarms *a = arg;

	(void)by;
	(void)text;
	if (news != BROADCAST_GONE)
		return;
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < a->v[i].n_effects; k++) {
			struct running *s = &a->v[i].effect[k];

			if (s->id != id)
				continue;
			s->id = 0;
			/* Not at its end: its zones went with a reload. */
			s->owed = cause != ARB_CAUSE_NONE;
		}
}

/** Starts one; *why is filled when it cannot. */
static void sound(struct item *x, size_t k, uint64_t at_us, struct reason *why)
{
	struct alarms *a = x->owner;
	struct running *s = &x->effect[k];
	const struct config_effect *d = &x->conf->effects[k];
	const char *message = a->config->messages[d->message].name;
	struct broadcast_result res;
	char what[80], subject[96];
	int err;
	struct broadcast_request rq = {
		.what = what,
		.message = message,
		.level = d->level,
		.zones = d->zones,
		.n_zones = d->n_zones,
		.clip = library_message(a->library, message),
		.cycles = library_cycles(a->library, message),
		.forever = true,
		.actor = subject,
		.cause = x->event,
		.at_us = at_us,
		.h = on_broadcast,
		.arg = a,
	};

	matrix_subject(x, subject);
	snprintf(what, sizeof(what), "message %s", message);
	/* Tried again: no record a second of what is known. */
	err = fault_find(a->faults, subject)
		      ? broadcast_probe(a->broadcasts, &rq, &res)
		      : 0;
	if (!err)
		err = broadcast_start(a->broadcasts, &rq, &res);
	s->id = err ? 0 : res.id;
	s->owed = err != 0;
	if (err)
		reason_set(why, err, "alarm %s could not start %s: %s",
			   x->conf->name, what, res.why.text);
}

void effects_owed(struct item *x, uint64_t at_us)
{
	struct faults *f = x->owner->faults;
	struct reason why = {""};
	char subject[96];

	for (size_t k = 0; k < x->n_effects; k++)
		if (x->effect[k].owed)
			sound(x, k, at_us, &why);
	matrix_subject(x, subject);
	if (*why.text)
		fault_raise(f, subject, 0,
			    "Remove the cause; it is tried again every second, "
			    "and the alarm's other effects go on.",
			    "%s", why.text);
	else
		fault_clear(f, subject);
}

static void begin_broadcast(struct item *x, size_t k, uint64_t at_us)
{
	x->effect[k].owed = !x->effect[k].id;
	effects_owed(x, at_us);
}

static void end_broadcast(struct item *x, size_t k, const char *actor,
			  const char *why)
{
	struct running *s = &x->effect[k];
	const uint64_t id = s->id;

	s->id = 0;
	s->owed = false;
	if (id)
		broadcast_stop(x->owner->broadcasts, id, actor, x->event, why);
	effects_owed(x, clock_mono_us());
}

void effects_again(struct item *x)
{
	for (size_t k = 0; k < x->n_effects; k++)
		if (x->conf->effects[k].kind == EFFECT_BROADCAST &&
		    x->effect[k].e.state == EFFECT_ON)
			x->effect[k].owed = !x->effect[k].id;
	effects_owed(x, clock_mono_us());
}

/* ----------------------------------------------------------------- outputs */

static bool wants(const struct item *x, int output, bool off)
{
	for (size_t o = 0; !off && o < x->conf->n_outputs; o++)
		if (x->conf->outputs[o] == output && x->s.state != ALARM_NORMAL)
			return true;
	for (size_t k = 0; k < x->n_effects; k++) {
		const struct config_effect *e = &x->conf->effects[k];

		if (e->kind == EFFECT_DRIVE && e->output == output &&
		    x->effect[k].e.state == EFFECT_ON &&
		    e->drive == (off ? DRIVE_OFF : DRIVE_ON))
			return true;
	}
	return false;
}

void effects_drive(struct alarms *a, int output, uint64_t cause)
{
	bool on = false, off = false;

	for (size_t i = 0; i < a->n; i++) {
		on = on || wants(&a->v[i], output, false);
		off = off || wants(&a->v[i], output, true);
	}
	field_output_drive(a->field, output, on, off, cause);
}

static void begin_drive(struct item *x, size_t k, uint64_t at_us)
{
	const struct config_effect *e = &x->conf->effects[k];

	(void)at_us;
	if (e->drive == DRIVE_PULSE)
		field_output_pulse(x->owner->field, e->output, e->pulse_ms,
				   NULL, x->event);
	else
		effects_drive(x->owner, e->output, x->event);
}

static void end_drive(struct item *x, size_t k, const char *actor,
		      const char *why)
{
	(void)actor;
	(void)why;
	effects_drive(x->owner, x->conf->effects[k].output, x->event);
}

/* -------------------------------------------------------- messages, programs
 */

static void publish(struct item *x, const char *topic, const char *payload,
		    bool retain)
{
	struct alarms *a = x->owner;
	char subject[96];

	matrix_subject(x, subject);
	record(a->recorder, EVENT_ALARM_EFFECT, x->event, subject, NULL, NULL,
	       "alarm %s publishes \"%.60s\" on %.80s", x->conf->name, payload,
	       topic);
	if (a->publishh)
		a->publishh(topic, payload, retain, a->arg);
}

static void begin_publish(struct item *x, size_t k, uint64_t at_us)
{
	const struct config_effect *e = &x->conf->effects[k];

	(void)at_us;
	publish(x, e->topic, e->payload, e->retain);
}

static void end_publish(struct item *x, size_t k, const char *actor,
			const char *why)
{
	const struct config_effect *e = &x->conf->effects[k];

	(void)actor;
	(void)why;
	if (e->end_payload)
		publish(x, e->topic, e->end_payload, e->retain);
}

static void begin_hook(struct item *x, size_t k, uint64_t at_us)
{
	struct alarms *a = x->owner;
	const struct config_effect *e = &x->conf->effects[k];
	const char *phase = x->phase.state == PHASE_OFF
				    ? ""
				    : x->conf->phases[x->phase.at].name;
	char subject[96], time[CLOCK_TEXT_SIZE];
	char *env[7] = {NULL};
	int n = 0, err = ENOMEM;

	(void)at_us;
	matrix_subject(x, subject);
	clock_format(time, clock_wall_us());
	if (asprintf(&env[n], "TOCSIN_SITE=%s", a->config->site) >= 0 &&
	    asprintf(&env[++n], "TOCSIN_ALARM=%s", x->conf->name) >= 0 &&
	    asprintf(&env[++n], "TOCSIN_STATE=%s",
		     alarm_state_name(x->s.state)) >= 0 &&
	    asprintf(&env[++n], "TOCSIN_PHASE=%s", phase) >= 0 &&
	    asprintf(&env[++n], "TOCSIN_ACTOR=%s", x->actor) >= 0 &&
	    asprintf(&env[++n], "TOCSIN_EVENT=%llu",
		     (unsigned long long)x->event) >= 0 &&
	    asprintf(&env[++n], "TOCSIN_TIME=%s", time) >= 0) {
		n++;
		err = programs_run(a->programs, subject, e->command,
				   e->n_command, env, (size_t)n, e->limit_ms);
	}
	for (int i = 0; i < n; i++)
		free(env[i]);
	if (err)
		effects_hooked(subject, e->command[0], err,
			       err == EAGAIN ? "too many programs wait already"
					     : strerror(err),
			       a);
	else
		record(a->recorder, EVENT_ALARM_EFFECT, x->event, subject, NULL,
		       NULL, "alarm %s runs %.100s", x->conf->name,
		       e->command[0]);
}

void effects_hooked(const char *subject, const char *program, int err,
		    const char *why, void *arg)
{
	struct alarms *a = arg;
	const char *name = strchr(subject, ':') + 1;
	const struct item *x = matrix_find(a, name);
	char key[96];

	record(a->recorder,
	       err ? EVENT_ALARM_EFFECT_FAILED : EVENT_ALARM_EFFECT, 0, subject,
	       NULL, NULL, "%.100s of alarm %s %s%s", program, name,
	       err ? "failed: " : "is done", err ? why : "");
	/* What is reset meanwhile has nobody left to clear the fault. */
	if (!err || !x || x->s.state == ALARM_NORMAL)
		return;
	snprintf(key, sizeof(key), "hook:%.80s", name);
	fault_raise(a->faults, key, 0,
		    "Run the program by hand as the daemon's user and see what "
		    "it says. A reset of the alarm takes this fault off the "
		    "list.",
		    "alarm %s: its hook failed: %s", name, why);
}

/** The record goes to them by its `to`: see notify_event(). */
static void begin_notify(struct item *x, size_t k, uint64_t at_us)
{
	const struct config *c = x->owner->config;
	const struct config_effect *e = &x->conf->effects[k];
	json_t *to = json_array();
	char subject[96], text[200];

	(void)at_us;
	for (size_t i = 0; i < e->n_to; i++)
		json_array_append_new(to,
				      json_string(c->notifies[e->to[i]].name));
	matrix_subject(x, subject);
	snprintf(text, sizeof(text), "it is %s, by %s",
		 alarm_state_name(x->s.state), x->actor);
	record(x->owner->recorder, EVENT_ALARM_TOLD, x->event, subject,
	       x->actor, json_pack("{s:o}", "to", to), "alarm %s: %s",
	       x->conf->name, e->text ? e->text : text);
}

/** Programs have a limit of their own, and what is told is told: half a message
 *  sent helps nobody. */
static void end_nothing(struct item *x, size_t k, const char *actor,
			const char *why)
{
	(void)x;
	(void)k;
	(void)actor;
	(void)why;
}

/* ---------------------------------------------------------------- displays
 */

static void show(struct item *x, size_t k, const char *text)
{
	const struct config_effect *e = &x->conf->effects[k];
	char subject[96];

	matrix_subject(x, subject);
	if (x->owner->displays)
		displays_show(x->owner->displays, e->phones, e->n_phones, text,
			      subject, x->event);
}

static void begin_display(struct item *x, size_t k, uint64_t at_us)
{
	const struct config_effect *e = &x->conf->effects[k];
	char text[DISPLAYS_TEXT];

	(void)at_us;
	snprintf(text, sizeof(text), "Alarm %s is %s, by %s", x->conf->name,
		 alarm_state_name(x->s.state), x->actor);
	show(x, k, e->text ? e->text : text);
}

static void end_display(struct item *x, size_t k, const char *actor,
			const char *why)
{
	const struct config_effect *e = &x->conf->effects[k];
	char text[DISPLAYS_TEXT];

	snprintf(text, sizeof(text), "Alarm %s is over: %.80s by %.60s",
		 x->conf->name, why, actor);
	if (!e->end_text || *e->end_text)
		show(x, k, e->end_text ? e->end_text : text);
}

void alarms_displays(struct alarms *a, struct displays *d)
{
	a->displays = d;
}

/* ------------------------------------------------------------------- calls
 */

/** "alarm:gas"; of a second call "alarm:gas/2". */
static void call_key(const struct item *x, size_t k, char key[96])
{
	unsigned nth = 1;

	for (size_t i = 0; i < k; i++)
		nth += x->conf->effects[i].kind == EFFECT_CALL;
	if (nth > 1)
		snprintf(key, 96, "alarm:%.70s/%u", x->conf->name, nth);
	else
		snprintf(key, 96, "alarm:%.70s", x->conf->name);
}

static void begin_call(struct item *x, size_t k, uint64_t at_us)
{
	struct alarms *a = x->owner;
	const struct config_alarm *c = x->conf;
	const char *message = LIBRARY_FALLBACK_TONE;
	int m = c->effects[k].message;
	char key[96];

	(void)at_us;
	for (size_t i = 0; m < 0 && i < c->n_effects; i++)
		if (c->effects[i].kind == EFFECT_BROADCAST)
			m = c->effects[i].message;
	if (m >= 0)
		message = a->config->messages[m].name;
	call_key(x, k, key);
	if (!a->summons ||
	    summons_start(a->summons,
			  &(struct summons_request){
				  .key = key,
				  .operators = c->effects[k].operators,
				  .message = message,
				  .cause = x->event,
			  }))
		record(a->recorder, EVENT_ALARM_EFFECT_FAILED, x->event, key,
		       NULL, NULL, "alarm %s: too many are called already",
		       c->name);
}

static void end_call(struct item *x, size_t k, const char *actor,
		     const char *why)
{
	char key[96];

	(void)actor;
	(void)why;
	call_key(x, k, key);
	if (x->owner->summons)
		summons_stop(x->owner->summons, key);
}

void effects_left(struct item *old)
{
	for (size_t k = 0; k < old->n_effects; k++) {
		const enum config_effect_kind kind = old->conf->effects[k].kind;

		if (old->effect[k].e.state != EFFECT_ON)
			continue;
		if (kind == EFFECT_PUBLISH)
			end_publish(old, k, "system", "");
		else if (kind == EFFECT_CALL)
			end_call(old, k, "system", "");
		else if (kind == EFFECT_DISPLAY)
			end_display(old, k, "system",
				    "not configured any more");
	}
}

void alarms_caller(struct alarms *a, struct summons *s)
{
	a->summons = s;
	for (size_t i = 0; s && i < a->n; i++)
		for (size_t k = 0; k < a->v[i].n_effects; k++)
			if (a->v[i].conf->effects[k].kind == EFFECT_CALL &&
			    a->v[i].effect[k].e.state == EFFECT_ON)
				begin_call(&a->v[i], k, 0);
}

/* --------------------------------------------------------------------- all */

/** A kind more is a row here, its section and keys in schema_alarm.c, its
 * checks in check_effect.c and its name in view.c. */
static const struct type types[EFFECT_KINDS] = {
	[EFFECT_BROADCAST] = {begin_broadcast, end_broadcast},
	[EFFECT_DRIVE] = {begin_drive, end_drive},
	[EFFECT_PUBLISH] = {begin_publish, end_publish},
	[EFFECT_HOOK] = {begin_hook, end_nothing},
	[EFFECT_CALL] = {begin_call, end_call},
	[EFFECT_NOTIFY] = {begin_notify, end_nothing},
	[EFFECT_DISPLAY] = {begin_display, end_display},
};

static enum effect_do look(struct item *x, size_t k,
			   const struct effect_view *view, uint64_t now)
{
	const struct config_effect *c = &x->conf->effects[k];
	const struct effect_rule rule = {
		.end = c->until == UNTIL_ACK    ? EFFECT_TO_ACK
		       : c->until == UNTIL_TIME ? EFFECT_TO_TIME
						: EFFECT_TO_RESET,
		.after_ms = c->after_ms,
		.for_ms = c->until_ms,
		.phases = c->phase_bits,
	};
	uint64_t wake;
	enum effect_do todo =
		effect_step(&x->effect[k].e, &rule, view,
			    modes_admit(x->owner->modes, &c->gate), now, &wake);

	x->effects_us = wake < x->effects_us ? wake : x->effects_us;
	return todo;
}

void effects_run(struct item *x, uint64_t at_us, const char *actor,
		 const char *why)
{
	const struct effect_view view = {
		.on = x->s.state != ALARM_NORMAL,
		.acked = x->s.state == ALARM_ACKED ||
			 x->s.state == ALARM_LATCHED_ACKED,
		.spell = x->spell,
		.spell_us = x->spell_us,
		.phase = x->phase.at,
		.phase_us = x->phase.since_us,
	};
	const struct config_effect *c = x->conf->effects;
	enum effect_do todo[CONFIG_MAX_EFFECTS] = {EFFECT_NOTHING};
	bool moved = false;

	x->effects_us = EFFECT_NEVER;
	for (size_t k = 0; k < x->n_effects; k++) {
		todo[k] = look(x, k, &view, clock_mono_us());
		moved = moved || todo[k] != EFFECT_NOTHING;
	}
	/* Sound first; and what follows in another phase before what it
	 * follows ends: no gap. */
	for (size_t k = 0; k < x->n_effects; k++)
		if (todo[k] == EFFECT_BEGIN && c[k].kind == EFFECT_BROADCAST)
			types[c[k].kind].begin(x, k, at_us);
	for (size_t k = 0; k < x->n_effects; k++)
		if (todo[k] == EFFECT_END)
			types[c[k].kind].end(x, k, actor, why);
	for (size_t k = 0; k < x->n_effects; k++)
		if (todo[k] == EFFECT_BEGIN && c[k].kind != EFFECT_BROADCAST)
			types[c[k].kind].begin(x, k, at_us);
	for (size_t i = 0; i < x->conf->n_outputs; i++)
		effects_drive(x->owner, x->conf->outputs[i], x->event);
	if (moved)
		matrix_keep(x);
}
