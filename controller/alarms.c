#include "controller/matrix/internal.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_mode(uint64_t cause, void *arg)
{
	struct alarms *a = arg;

	for (size_t i = 0; i < a->n; i++) {
		struct item *x = &a->v[i];

		matrix_gate(x, cause);
		if (x->s.state != ALARM_NORMAL)
			effects_run(x, clock_mono_us(), "system", "");
	}
	matrix_await(a);
}

static void on_walk(void *arg)
{
	struct alarms *a = arg;

	for (size_t i = 0; i < a->n; i++)
		matrix_follow(&a->v[i], "system", 0, clock_mono_us());
	matrix_await(a);
}

int alarms_alloc(struct alarms **ap, struct broadcasts *b, struct field *f,
		 struct recorder *r, struct faults *fl, struct journal *j)
{
	struct alarms *a = calloc(1, sizeof(*a));

	if (!a)
		return ENOMEM;
	a->broadcasts = b;
	a->field = f;
	a->recorder = r;
	a->faults = fl;
	a->journal = j;
	tmr_init(&a->tmr);
	if (modes_alloc(&a->modes, f, r, j, on_mode, a) ||
	    programs_alloc(&a->programs, effects_hooked, a) ||
	    walk_alloc(&a->walk, b, r, fl, j, on_walk, a)) {
		alarms_free(a);
		return ENOMEM;
	}
	*ap = a;
	return 0;
}

struct alarms *alarms_free(struct alarms *a)
{
	if (!a)
		return NULL;
	tmr_cancel(&a->tmr);
	programs_free(a->programs);
	walk_free(a->walk);
	modes_free(a->modes);
	matrix_items_free(a->v, a->n);
	free(a);
	return NULL;
}

void alarms_publisher(struct alarms *a, alarms_publish_h *h, void *arg)
{
	a->publishh = h;
	a->arg = arg;
}

struct modes *alarms_modes(const struct alarms *a)
{
	return a->modes;
}

struct walk *alarms_walk(const struct alarms *a)
{
	return a->walk;
}

struct item *matrix_find(const struct alarms *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->v[i].conf->name, name))
			return &a->v[i];
	return NULL;
}

void matrix_subject(const struct item *x, char buf[96])
{
	snprintf(buf, 96, "alarm:%s", x->conf->name);
}

/* ------------------------------------------------------------------ steps */

static void note(struct item *x, enum alarm_event ev, const char *actor,
		 uint64_t cause, bool began)
{
	static const enum event_type type[ALARM_EVENTS] = {
		[ALARM_EV_CAUSE] = EVENT_ALARM_ACTIVE,
		[ALARM_EV_CLEAR] = EVENT_ALARM_STATE,
		[ALARM_EV_TRIGGER] = EVENT_ALARM_ACTIVE,
		[ALARM_EV_ACK] = EVENT_ALARM_ACKNOWLEDGED,
		[ALARM_EV_RESET] = EVENT_ALARM_RESET,
		[ALARM_EV_INHIBIT] = EVENT_ALARM_INHIBITED,
		[ALARM_EV_ENABLE] = EVENT_ALARM_ENABLED,
		[ALARM_EV_REMIND] = EVENT_ALARM_ACTIVE,
		[ALARM_EV_EXCLUDE] = EVENT_ALARM_EXCLUDED,
		[ALARM_EV_ADMIT] = EVENT_ALARM_ADMITTED,
	};
	char subject[96], until[CLOCK_TEXT_SIZE];

	matrix_subject(x, subject);
	/* An alarm that begins because it is admitted has begun. */
	x->event = record(
		x->owner->recorder, began ? EVENT_ALARM_ACTIVE : type[ev],
		cause, subject, actor,
		json_pack("{s:s,s:b,s:b}", "state",
			  alarm_state_name(x->s.state), "inhibited",
			  x->s.inhibited, "excluded", x->s.excluded),
		"alarm %s is %s%s%s%s%s", x->conf->name,
		alarm_state_name(x->s.state),
		ev == ALARM_EV_REMIND ? " again: it was acknowledged, and its "
					"cause is still there"
				      : "",
		x->s.excluded && x->s.state == ALARM_NORMAL
			? ", and causes start nothing in this mode or hour"
			: "",
		x->s.inhibited ? ", inhibited until " : "",
		x->s.inhibited ? clock_format(until, x->inhibit_until_wall_us)
			       : "");
}

/** Nobody may overlook that it is switched off. */
static void show_inhibited(const struct item *x)
{
	struct faults *f = x->owner->faults;
	char subject[80], until[CLOCK_TEXT_SIZE];

	snprintf(subject, sizeof(subject), "inhibit:%s", x->conf->name);
	if (x->s.inhibited)
		fault_warn(
			f, subject,
			"It is enabled by itself then; enable it sooner when "
			"the work is done.",
			"alarm %s is inhibited until %s by %s: its inputs "
			"start nothing",
			x->conf->name,
			clock_format(until, x->inhibit_until_wall_us),
			x->actor);
	else
		fault_clear(f, subject);
}

/** A contact that flaps meanwhile is told of once in this time. */
#define HELD_AGAIN_US UINT64_C(10000000)

/** Its cause is there, and nobody hears of it: the journal does. */
static void note_held(struct item *x, const char *actor, uint64_t cause)
{
	char subject[96], until[CLOCK_TEXT_SIZE], names[160] = "";
	const struct config_gate *g = &x->conf->gate;
	size_t used = 0;

	if (x->held_us && clock_mono_us() - x->held_us < HELD_AGAIN_US)
		return;
	x->held_us = clock_mono_us();
	matrix_subject(x, subject);
	for (size_t i = 0; i < g->n_modes && used < sizeof(names); i++)
		used += (size_t)snprintf(
			names + used, sizeof(names) - used, "%s%s",
			i ? ", " : " of ",
			x->owner->config->modes[g->modes[i]].name);
	if (x->s.inhibited)
		record(x->owner->recorder, EVENT_ALARM_HELD, cause, subject,
		       actor, NULL,
		       "alarm %s did not fire though its cause is there: it is "
		       "inhibited until %s",
		       x->conf->name,
		       clock_format(until, x->inhibit_until_wall_us));
	else
		record(x->owner->recorder, EVENT_ALARM_HELD, cause, subject,
		       actor, NULL,
		       "alarm %s did not fire though its cause is there: the "
		       "site is in mode %s, and it fires in its modes%s and "
		       "hours only",
		       x->conf->name, modes_now(x->owner->modes), names);
}

static bool is_acked(const struct item *x)
{
	return x->s.state == ALARM_ACKED || x->s.state == ALARM_LATCHED_ACKED;
}

/** A spell of its effects begins: see effect.h. */
static void begin_spell(struct item *x, bool first)
{
	x->spell = first ? 1 : x->spell + 1;
	x->spell_us = clock_mono_us();
}

static const char *because(const struct item *x, unsigned todo, char why[128])
{
	snprintf(why, 128, "alarm %s is %s", x->conf->name,
		 todo & ALARM_DO_STOP ? "normal again"
				      : alarm_state_name(x->s.state));
	return why;
}

static int step(struct item *x, enum alarm_event ev, const char *actor,
		uint64_t cause, uint64_t at_us, struct reason *why)
{
	const bool was_acked = is_acked(x);
	unsigned todo = alarm_step(&x->s, ev, why);
	char text[128], key[96];

	if (todo & ALARM_DO_REFUSE)
		return EBUSY;
	if (todo & ALARM_DO_HOLD)
		note_held(x, actor, cause);
	if (!(todo & ALARM_DO_NOTE))
		return 0;
	if (todo & (ALARM_DO_START | ALARM_DO_STOP))
		x->since_wall_us = clock_wall_us();
	snprintf(x->actor, sizeof(x->actor), "%s", actor);
	text_clean(x->actor);
	if (x->s.state == ALARM_ACKED)
		x->acked_us = clock_mono_us();
	x->held_us = 0;
	note(x, ev, actor, cause, todo & ALARM_DO_START);
	show_inhibited(x);
	if (todo & ALARM_DO_START) {
		begin_spell(x, true);
		phases_step(x, PHASE_EV_BEGIN, actor, x->event, NULL);
	} else if (was_acked && x->s.state == ALARM_ACTIVE) {
		begin_spell(x, false);
	}
	if (todo & ALARM_DO_STOP)
		phases_step(x, PHASE_EV_END, actor, x->event, NULL);
	/* Sound first: keeping the state may wait a moment, people may not. */
	effects_run(x, at_us, actor, because(x, todo, text));
	if (todo & ALARM_DO_AGAIN)
		effects_again(x);
	if (todo & ALARM_DO_STOP) {
		matrix_subject(x, key);
		fault_clear(x->owner->faults, key);
		snprintf(key, sizeof(key), "hook:%.80s", x->conf->name);
		fault_clear(x->owner->faults, key);
	}
	matrix_keep(x);
	return 0;
}

void matrix_gate(struct item *x, uint64_t cause)
{
	const bool may = modes_admit(x->owner->modes, &x->conf->gate);

	if (x->s.excluded == may)
		step(x, may ? ALARM_EV_ADMIT : ALARM_EV_EXCLUDE, "system",
		     cause, clock_mono_us(), NULL);
}

/* ------------------------------------------------------------------ causes */

size_t matrix_votes(const struct config_alarm *c)
{
	if (c->has_votes)
		return c->votes;
	return c->when_all && c->n_inputs ? c->n_inputs : 1;
}

static bool look(struct item *x)
{
	const struct config_alarm *c = x->conf;
	const struct cause_rule rule = {
		.votes = matrix_votes(c),
		.within_ms = c->within_ms,
		.delay_ms = c->delay_ms,
		/* A walk-test moves detectors as often as it likes. */
		.storm = x->s.inhibited ? 0 : c->storm,
		.storm_ms = c->storm_ms,
	};

	x->s.unsure = false;
	for (size_t i = 0; i < c->n_inputs; i++) {
		const struct input_value *v =
			field_input(x->owner->field, c->inputs[i]);

		/* What is walk-tested moves as it likes, and raises nothing. */
		x->input[i].active =
			v->active && !walk_tests(x->owner->walk, c->inputs[i]);
		x->input[i].good = v->quality == INPUT_GOOD;
		if (!x->input[i].good)
			x->s.unsure = true;
	}
	return cause_step(&x->cause, &rule, x->input, c->n_inputs,
			  clock_mono_us(), &x->wake_us);
}

static void show_storm(const struct item *x)
{
	struct faults *f = x->owner->faults;
	char subject[80];

	snprintf(subject, sizeof(subject), "storm:%s", x->conf->name);
	if (x->cause.storm)
		fault_raise(f, subject, 0,
			    "Find what makes its inputs come and go. It stays "
			    "active until they have been quiet for that time "
			    "or it is reset.",
			    "alarm %s was active more than %u times in %u s",
			    x->conf->name, x->conf->storm,
			    x->conf->storm_ms / 1000);
	else
		fault_clear(f, subject);
}

void matrix_follow(struct item *x, const char *actor, uint64_t cause,
		   uint64_t at_us)
{
	bool is = look(x);

	if (is != x->s.cause)
		step(x, is ? ALARM_EV_CAUSE : ALARM_EV_CLEAR, actor, cause,
		     at_us, NULL);
	show_storm(x);
	phases_causes(x, actor, cause);
}

/** When an acknowledged alarm asks again, CAUSE_NEVER when it does not. */
static uint64_t remind_us(const struct item *x)
{
	return x->s.state == ALARM_ACKED && x->conf->re_alarm_ms
		       ? x->acked_us + x->conf->re_alarm_ms * UINT64_C(1000)
		       : CAUSE_NEVER;
}

static void on_due(void *arg);

void matrix_await(struct alarms *a)
{
	uint64_t now = clock_mono_us(), next = CAUSE_NEVER;

	for (size_t i = 0; i < a->n; i++) {
		uint64_t remind = remind_us(&a->v[i]);

		uint64_t phase = phase_wake(&a->v[i].phase);

		next = a->v[i].wake_us < next ? a->v[i].wake_us : next;
		next = a->v[i].effects_us < next ? a->v[i].effects_us : next;
		next = phase < next ? phase : next;
		next = remind < next ? remind : next;
	}
	if (next == CAUSE_NEVER)
		tmr_cancel(&a->tmr);
	else
		tmr_start(&a->tmr, next > now ? (next - now + 999) / 1000 : 0,
			  on_due, a);
}

static void on_due(void *arg)
{
	struct alarms *a = arg;
	uint64_t now = clock_mono_us();

	for (size_t i = 0; i < a->n; i++) {
		struct item *x = &a->v[i];

		if (x->wake_us <= now)
			matrix_follow(x, "system", 0, now);
		if (remind_us(x) <= now)
			step(x, ALARM_EV_REMIND, "system", x->event, now, NULL);
		if (phase_wake(&x->phase) <= now) {
			phases_step(x, PHASE_EV_TIME, "system", 0, NULL);
			effects_run(x, now, "system", "the next phase began");
			matrix_keep(x);
			phases_causes(x, "system", 0);
		}
		if (x->effects_us <= now)
			effects_run(x, now, "system", "its time is over");
	}
	matrix_await(a);
}

static bool hears(const struct config_alarm *c, int input)
{
	for (size_t k = 0; k < c->n_inputs; k++)
		if (c->inputs[k] == input)
			return true;
	for (size_t p = 0; p < c->n_phases; p++)
		for (size_t k = 0; k < c->phases[p].n_inputs; k++)
			if (c->phases[p].inputs[k] == input)
				return true;
	return false;
}

void alarms_input(struct alarms *a, int input, uint64_t event, uint64_t at_us)
{
	char actor[80];

	snprintf(actor, sizeof(actor), "input:%s",
		 a->config->inputs[input].name);
	modes_input(a->modes, input, event);
	walk_input(a->walk, input, field_input(a->field, input)->active, event);
	for (size_t i = 0; i < a->n; i++) {
		struct item *x = &a->v[i];

		if (hears(x->conf, input))
			matrix_follow(x, actor, event, at_us);
	}
	matrix_await(a);
}

/** A reset refused for the quality of an input says of which. */
static void name_unsure(const struct item *x, struct reason *why)
{
	const struct alarms *a = x->owner;

	if (x->s.state == ALARM_NORMAL || x->s.cause)
		return;
	for (size_t i = 0; i < x->conf->n_inputs; i++) {
		int in = x->conf->inputs[i];
		enum input_quality q = field_input(a->field, in)->quality;

		if (q == INPUT_GOOD)
			continue;
		reason_set(why, 0,
			   "input \"%s\" is %s, so nobody knows that the cause "
			   "is gone: have it report (see the faults) or take "
			   "it out of the configuration, then reset",
			   a->config->inputs[in].name,
			   q == INPUT_UNKNOWN ? "unknown: it has not reported"
					      : input_quality_name(q));
		return;
	}
}

int alarms_command(struct alarms *a, int alarm, enum alarm_event ev,
		   uint32_t for_ms, const char *actor, uint64_t cause,
		   uint64_t at_us, struct reason *why)
{
	struct item *x = &a->v[alarm];
	uint64_t until = x->inhibit_until_us;
	int64_t until_wall = x->inhibit_until_wall_us;
	bool was_normal = x->s.state == ALARM_NORMAL;
	int err;

	if (ev == ALARM_EV_RESET || ev == ALARM_EV_INHIBIT)
		cause_forget(&x->cause, x->input, x->conf->n_inputs);
	matrix_follow(x, actor, cause, at_us);
	/* Forgetting what was over was the reset. */
	if (ev == ALARM_EV_RESET && !was_normal && x->s.state == ALARM_NORMAL) {
		matrix_await(a);
		return 0;
	}
	if (ev == ALARM_EV_INHIBIT) {
		if (!for_ms || for_ms > ALARM_MAX_INHIBIT_MS)
			return reason_set(why, EINVAL,
					  "an inhibition needs an end: 1 s to "
					  "31 days from now");
		x->inhibit_until_us = clock_mono_us() + for_ms * UINT64_C(1000);
		x->inhibit_until_wall_us =
			clock_wall_us() + for_ms * INT64_C(1000);
	}
	err = step(x, ev, actor, cause, at_us, why);
	if (err && ev == ALARM_EV_RESET)
		name_unsure(x, why);
	if (err && ev == ALARM_EV_INHIBIT) {
		x->inhibit_until_us = until;
		x->inhibit_until_wall_us = until_wall;
	}
	matrix_await(a);
	return err;
}

int alarms_phase(struct alarms *a, int alarm, enum phase_event ev,
		 const char *actor, struct reason *why)
{
	struct item *x = &a->v[alarm];
	const int err = phases_step(x, ev, actor, 0, why);

	if (err)
		return err;
	effects_run(x, clock_mono_us(), actor, "the next phase began");
	matrix_keep(x);
	phases_causes(x, actor, 0);
	matrix_await(a);
	return 0;
}

void alarms_watch(struct alarms *a)
{
	uint64_t now = clock_mono_us();

	modes_watch(a->modes);
	walk_watch(a->walk);
	for (size_t i = 0; i < a->n; i++) {
		struct item *x = &a->v[i];
		bool owed = false;

		if (x->s.inhibited && x->inhibit_until_us <= now)
			step(x, ALARM_EV_ENABLE, "system", 0, now, NULL);
		matrix_gate(x, 0);
		/* The hours of an effect may have come. */
		if (x->s.state != ALARM_NORMAL)
			effects_run(x, now, "system", "its time is over");
		for (size_t k = 0; k < x->n_effects; k++)
			owed = owed || x->effect[k].owed;
		if (owed)
			effects_owed(x, now);
	}
	matrix_await(a);
}
