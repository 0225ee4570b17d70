#include "alarms.h"

#include "cause.h"
#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What became of one of an alarm's broadcasts. */
struct sounding {
	uint64_t id; /**< 0 = none: not begun, played to its end, or owed */
	bool owed;   /**< wanted, but could not start or lost its zones */
	bool taken;  /**< by the same one of a new configuration */
};

struct item {
	struct alarms *owner;
	const struct config_alarm *conf;
	struct alarm_snapshot s;
	struct cause cause;
	struct cause_input *input; /**< one per conf->inputs */
	uint64_t wake_us;          /**< its cause is to be looked at again */
	uint64_t acked_us;
	int64_t since_wall_us;
	uint64_t inhibit_until_us; /**< monotonic */
	int64_t inhibit_until_wall_us;
	char actor[80];
	uint64_t event;             /**< record of its last change */
	struct sounding *broadcast; /**< one per conf->broadcasts */
	size_t n_broadcasts;
};

struct alarms {
	struct broadcasts *broadcasts;
	struct field *field;
	struct recorder *recorder;
	struct faults *faults;
	struct journal *journal;
	const struct config *config;
	struct library *library;
	struct item *v;
	size_t n;
	struct tmr tmr; /**< to the next of what waits in the items */
};

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
	*ap = a;
	return 0;
}

static void items_free(struct item *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].broadcast);
		free(v[i].input);
	}
	free(v);
}

struct alarms *alarms_free(struct alarms *a)
{
	if (!a)
		return NULL;
	tmr_cancel(&a->tmr);
	items_free(a->v, a->n);
	free(a);
	return NULL;
}

static void subject_of(const struct item *x, char buf[96])
{
	snprintf(buf, 96, "alarm:%s", x->conf->name);
}

/* ------------------------------------------------------------ persistence */

static void keep(const struct item *x)
{
	struct journal *j = x->owner->journal;
	char key[96], *text;
	json_t *o;

	if (!j)
		return;
	subject_of(x, key);
	if (x->s.state == ALARM_NORMAL) {
		journal_state(j, key, NULL);
	} else {
		o = json_pack("{s:s,s:s,s:I}", "state",
			      alarm_state_name(x->s.state), "actor", x->actor,
			      "since", (json_int_t)x->since_wall_us);
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

/* ---------------------------------------------------------------- effects */

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
		for (size_t k = 0; k < a->v[i].n_broadcasts; k++) {
			struct sounding *s = &a->v[i].broadcast[k];

			if (s->id != id)
				continue;
			s->id = 0;
			/* Not at its end: its zones went with a reload. */
			s->owed = cause != ARB_CAUSE_NONE;
		}
}

/** Starts one; *why is filled when it cannot. */
static int sound(struct item *x, size_t k, uint64_t at_us, struct reason *why)
{
	struct alarms *a = x->owner;
	struct sounding *s = &x->broadcast[k];
	const struct config_alarm_broadcast *d = &x->conf->broadcasts[k];
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

	subject_of(x, subject);
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
	return err;
}

/** Starts all that are owed; one fault stands while any still is. */
static void sound_owed(struct item *x, uint64_t at_us)
{
	struct faults *f = x->owner->faults;
	struct reason why = {""};
	char subject[96];

	for (size_t k = 0; k < x->n_broadcasts; k++)
		if (x->broadcast[k].owed)
			sound(x, k, at_us, &why);
	subject_of(x, subject);
	if (*why.text)
		fault_raise(f, subject, 0,
			    "Remove the cause; it is tried again every second, "
			    "and the alarm's other effects go on.",
			    "%s", why.text);
	else
		fault_clear(f, subject);
}

/** An output is on while any alarm that names it is not normal. */
static void drive_output(struct alarms *a, int output, uint64_t cause)
{
	bool on = false;

	for (size_t k = 0; k < a->n && !on; k++)
		for (size_t o = 0; o < a->v[k].conf->n_outputs; o++)
			on = on || (a->v[k].conf->outputs[o] == output &&
				    a->v[k].s.state != ALARM_NORMAL);
	field_output_drive(a->field, output, on, cause);
}

static void drive_outputs(struct alarms *a, const struct item *x)
{
	for (size_t i = 0; i < x->conf->n_outputs; i++)
		drive_output(a, x->conf->outputs[i], x->event);
}

static void start_effects(struct item *x, uint64_t at_us)
{
	for (size_t k = 0; k < x->n_broadcasts; k++)
		x->broadcast[k].owed = !x->broadcast[k].id;
	sound_owed(x, at_us);
	drive_outputs(x->owner, x);
}

static void stop_effects(struct item *x, const char *actor)
{
	struct alarms *a = x->owner;
	char subject[96], why[128];

	subject_of(x, subject);
	snprintf(why, sizeof(why), "alarm %s is normal again", x->conf->name);
	for (size_t k = 0; k < x->n_broadcasts; k++) {
		uint64_t id = x->broadcast[k].id;

		x->broadcast[k] = (struct sounding){0};
		if (id)
			broadcast_stop(a->broadcasts, id, actor, x->event, why);
	}
	fault_clear(a->faults, subject);
	drive_outputs(a, x);
}

/* ------------------------------------------------------------------ steps */

static void note(struct item *x, enum alarm_event ev, const char *actor,
		 uint64_t cause)
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
	};
	char subject[96], until[CLOCK_TEXT_SIZE];

	subject_of(x, subject);
	x->event = record(
		x->owner->recorder, type[ev], cause, subject, actor,
		json_pack("{s:s,s:b}", "state", alarm_state_name(x->s.state),
			  "inhibited", x->s.inhibited),
		"alarm %s is %s%s%s%s", x->conf->name,
		alarm_state_name(x->s.state),
		ev == ALARM_EV_REMIND ? " again: it was acknowledged, and its "
					"cause is still there"
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

static int step(struct item *x, enum alarm_event ev, const char *actor,
		uint64_t cause, uint64_t at_us, struct reason *why)
{
	unsigned todo = alarm_step(&x->s, ev, why);

	if (todo & ALARM_DO_REFUSE)
		return EBUSY;
	if (todo & ALARM_DO_NOTE) {
		if (todo & (ALARM_DO_START | ALARM_DO_STOP))
			x->since_wall_us = clock_wall_us();
		snprintf(x->actor, sizeof(x->actor), "%s", actor);
		text_clean(x->actor);
		if (x->s.state == ALARM_ACKED)
			x->acked_us = clock_mono_us();
		note(x, ev, actor, cause);
		show_inhibited(x);
	}
	/* Sound first: keeping the state may wait a moment, people may not. */
	if (todo & (ALARM_DO_START | ALARM_DO_AGAIN))
		start_effects(x, at_us);
	if (todo & ALARM_DO_STOP)
		stop_effects(x, actor);
	if (todo & ALARM_DO_NOTE)
		keep(x);
	return 0;
}

/* ------------------------------------------------------------------ causes */

static size_t votes_of(const struct config_alarm *c)
{
	if (c->has_votes)
		return c->votes;
	return c->when_all && c->n_inputs ? c->n_inputs : 1;
}

static bool look(struct item *x)
{
	const struct config_alarm *c = x->conf;
	const struct cause_rule rule = {
		.votes = votes_of(c),
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

		x->input[i].active = v->active;
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

/** Brings an alarm to what its inputs say. */
static void follow(struct item *x, const char *actor, uint64_t cause,
		   uint64_t at_us)
{
	bool is = look(x);

	if (is != x->s.cause)
		step(x, is ? ALARM_EV_CAUSE : ALARM_EV_CLEAR, actor, cause,
		     at_us, NULL);
	show_storm(x);
}

/** When an acknowledged alarm asks again, CAUSE_NEVER when it does not. */
static uint64_t remind_us(const struct item *x)
{
	return x->s.state == ALARM_ACKED && x->conf->re_alarm_ms
		       ? x->acked_us + x->conf->re_alarm_ms * UINT64_C(1000)
		       : CAUSE_NEVER;
}

static void on_due(void *arg);

static void await_next(struct alarms *a)
{
	uint64_t now = clock_mono_us(), next = CAUSE_NEVER;

	for (size_t i = 0; i < a->n; i++) {
		uint64_t remind = remind_us(&a->v[i]);

		next = a->v[i].wake_us < next ? a->v[i].wake_us : next;
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
			follow(x, "system", 0, now);
		if (remind_us(x) <= now)
			step(x, ALARM_EV_REMIND, "system", x->event, now, NULL);
	}
	await_next(a);
}

void alarms_input(struct alarms *a, int input, uint64_t event, uint64_t at_us)
{
	char actor[80];

	snprintf(actor, sizeof(actor), "input:%s",
		 a->config->inputs[input].name);
	for (size_t i = 0; i < a->n; i++) {
		struct item *x = &a->v[i];
		bool mine = false;

		for (size_t k = 0; k < x->conf->n_inputs; k++)
			mine = mine || x->conf->inputs[k] == input;
		if (mine)
			follow(x, actor, event, at_us);
	}
	await_next(a);
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
	follow(x, actor, cause, at_us);
	/* Forgetting what was over was the reset. */
	if (ev == ALARM_EV_RESET && !was_normal && x->s.state == ALARM_NORMAL) {
		await_next(a);
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
	await_next(a);
	return err;
}

void alarms_watch(struct alarms *a)
{
	uint64_t now = clock_mono_us();

	for (size_t i = 0; i < a->n; i++) {
		struct item *x = &a->v[i];
		bool owed = false;

		if (x->s.inhibited && x->inhibit_until_us <= now)
			step(x, ALARM_EV_ENABLE, "system", 0, now, NULL);
		for (size_t k = 0; k < x->n_broadcasts; k++)
			owed = owed || x->broadcast[k].owed;
		if (owed)
			sound_owed(x, now);
	}
}

/* ----------------------------------------------------------- configuration */

static struct item *find(const struct alarms *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->v[i].conf->name, name))
			return &a->v[i];
	return NULL;
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

/** Do two configurations mean the same broadcast? */
static bool same_sound(const struct config *c,
		       const struct config_alarm_broadcast *x,
		       const struct config *d,
		       const struct config_alarm_broadcast *y)
{
	if (x->level != y->level || x->n_zones != y->n_zones ||
	    strcmp(c->messages[x->message].name, d->messages[y->message].name))
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

/** What stays as it was sounds on; what is new in an alarm that is not normal
 *  is owed; what is left in old has to end. */
static void carry_over(struct item *x, const struct config *c, struct item *old,
		       const struct config *old_c)
{
	for (size_t k = 0; k < x->n_broadcasts; k++) {
		bool found = false;

		for (size_t o = 0; o < old->n_broadcasts && !found; o++) {
			if (old->broadcast[o].taken ||
			    !same_sound(c, &x->conf->broadcasts[k], old_c,
					&old->conf->broadcasts[o]))
				continue;
			found = true;
			x->broadcast[k] = old->broadcast[o];
			old->broadcast[o] = (struct sounding){.taken = true};
		}
		x->broadcast[k].owed = x->s.state != ALARM_NORMAL &&
				       (!found || x->broadcast[k].owed);
	}
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
		v[i].broadcast = calloc(c->alarms[i].n_broadcasts + 1,
					sizeof(*v[i].broadcast));
		v[i].input =
			calloc(c->alarms[i].n_inputs + 1, sizeof(*v[i].input));
		if (!v[i].broadcast || !v[i].input) {
			items_free(v, i + 1);
			return ENOMEM;
		}
	}
	/* From here on nothing fails. */
	for (size_t i = 0; i < c->n_alarms; i++) {
		struct sounding *own = v[i].broadcast;
		struct cause_input *input = v[i].input;
		const struct config_alarm *conf = &c->alarms[i];
		struct item *old = find(a, conf->name);

		if (old)
			v[i] = *old;
		v[i].owner = a;
		v[i].conf = conf;
		v[i].s.latch = conf->latch;
		v[i].n_broadcasts = conf->n_broadcasts;
		v[i].broadcast = own;
		v[i].input = input;
		if (old) {
			carry_inputs(&v[i], c, old, a->config);
			carry_over(&v[i], c, old, a->config);
		}
	}
	old_v = a->v;
	old_n = a->n;
	a->v = v;
	a->n = c->n_alarms;
	a->config = c;
	a->library = l;
	/* What replaces a broadcast starts before it ends: no gap. */
	for (size_t i = 0; i < a->n; i++) {
		follow(&a->v[i], "system", 0, now);
		if (a->v[i].s.state != ALARM_NORMAL)
			sound_owed(&a->v[i], now);
	}
	for (size_t i = 0; i < old_n; i++)
		for (size_t k = 0; k < old_v[i].n_broadcasts; k++)
			if (old_v[i].broadcast[k].id)
				broadcast_stop(a->broadcasts,
					       old_v[i].broadcast[k].id,
					       "system", 0,
					       "changed in its alarm by a "
					       "reload");
	for (size_t i = 0; i < old_n; i++) {
		char subject[80];

		snprintf(subject, sizeof(subject), "inhibit:%s",
			 old_v[i].conf->name);
		if (!find(a, old_v[i].conf->name))
			fault_clear(a->faults, subject);
	}
	items_free(old_v, old_n);
	for (size_t i = 0; i < c->n_outputs; i++)
		drive_output(a, (int)i, 0);
	await_next(a);
	return 0;
}

static void restore_alarm(const char *key, const char *value, void *arg)
{
	struct alarms *a = arg;
	struct item *x = find(a, strchr(key, ':') + 1);
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
	subject_of(x, subject);
	x->event = record(
		a->recorder, EVENT_ALARM_RESTORED, 0, subject, "system",
		json_pack("{s:s}", "state", alarm_state_name(x->s.state)),
		"alarm %s was %s when the daemon ended; it sounds "
		"again until it is reset",
		x->conf->name, state);
	json_decref(o);
	start_effects(x, clock_mono_us());
	keep(x);
	x->s.cause = false;
	follow(x, "system", x->event, clock_mono_us());
	await_next(a);
}

static void restore_inhibit(const char *key, const char *value, void *arg)
{
	struct alarms *a = arg;
	struct item *x = find(a, strchr(key, ':') + 1);
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
	journal_state_load(a->journal, "inhibit:", restore_inhibit, a);
	journal_state_load(a->journal, "alarm:", restore_alarm, a);
}

/* ------------------------------------------------------------------- JSON */

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

json_t *alarm_json(const struct alarms *a, int alarm)
{
	const struct item *x = &a->v[alarm];
	char since[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	json_t *inputs = json_array(), *sounds = json_array();
	size_t votes = votes_of(x->conf);
	char when[48] = "any";

	for (size_t i = 0; i < x->conf->n_inputs; i++)
		json_array_append_new(
			inputs,
			json_string(
				a->config->inputs[x->conf->inputs[i]].name));
	for (size_t i = 0; i < x->n_broadcasts; i++)
		if (x->broadcast[i].id)
			json_array_append_new(
				sounds,
				json_integer((json_int_t)x->broadcast[i].id));
	if (votes > 1)
		snprintf(when, sizeof(when), "%zu of %zu", votes,
			 x->conf->n_inputs);
	return json_pack(
		"{s:s,s:s,s:I,s:b,s:b,s:s,s:b,s:b,s:o,s:o,s:s*,s:s*,s:s*}",
		"name", x->conf->name, "when", when, "counting",
		(json_int_t)x->cause.counting, "pending",
		x->cause.met && !x->cause.raw, "storm", x->cause.storm, "state",
		alarm_state_name(x->s.state), "cause", x->s.cause, "latch",
		x->s.latch, "inputs", inputs, "broadcasts", sounds, "since",
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
