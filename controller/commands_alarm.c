/* Verbs about alarms, the site's mode and walk tests. */
#include "commands_internal.h"

#include "controller/base/clock.h"
#include "gpio/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------- ends */

static const char *text_at(const struct turn *t, const char *member)
{
	return json_string_value(json_object_get(t->args, member));
}

static int read_until(struct turn *t, uint64_t max_ms, uint64_t *ms)
{
	const char *text = text_at(t, "until");
	int64_t until = 0, left;

	if (!text || command_time(text, strlen(text), &until))
		return command_refuse(t, 400, "bad-request", "until",
				      "\"until\" must be a time like "
				      "2026-11-23T06:55:00Z");
	left = (until - clock_wall_us()) / 1000;
	if (left < 1000 || (uint64_t)left > max_ms)
		return command_refuse(t, 400, "bad-request", "until",
				      "\"until\" must be 1 s to %llu h from "
				      "now",
				      (unsigned long long)max_ms / 3600000);
	*ms = (uint64_t)left;
	return 0;
}

int command_end(struct turn *t, uint64_t max_ms, bool needed, uint64_t *ms)
{
	const char *text = text_at(t, "for");
	char *end = NULL;
	double v = text ? strtod(text, &end) : 0;
	double unit = !end                ? 0
		      : !strcmp(end, "s") ? 1e3
		      : !strcmp(end, "m") ? 6e4
		      : !strcmp(end, "h") ? 3.6e6
		      : !strcmp(end, "d") ? 8.64e7
					  : 0;

	*ms = 0;
	if (!json_object_get(t->args, "for")) {
		if (json_object_get(t->args, "until"))
			return read_until(t, max_ms, ms);
		if (!needed)
			return 0;
	} else if (json_object_get(t->args, "until")) {
		return command_refuse(t, 400, "bad-request", "until",
				      "give either \"for\" or \"until\"");
	}
	if (!(v * unit >= 1000) || v * unit > (double)max_ms)
		return command_refuse(
			t, 400, "bad-request", "for",
			"%s: \"for\" with 1s to %lluh, for example \"2h\", or "
			"\"until\" with a time",
			needed ? "it needs an end" : "its end",
			(unsigned long long)max_ms / 3600000);
	*ms = (uint64_t)(v * unit);
	return 0;
}

/* ------------------------------------------------------------------- alarms */

bool command_alarm_within(const struct caller *who,
			  const struct config_alarm *a)
{
	bool any = false;

	if (!who->n_zones)
		return true;
	for (size_t k = 0; k < a->n_effects; k++) {
		const struct config_effect *e = &a->effects[k];

		if (e->kind != EFFECT_BROADCAST)
			continue;
		if (!command_within(who, e->zones, e->n_zones))
			return false;
		any = true;
	}
	return any;
}

int command_alarm_sounds(struct turn *t, const struct config_alarm *a)
{
	int status = 0;

	for (size_t k = 0; !status && k < a->n_effects; k++)
		if (a->effects[k].kind == EFFECT_BROADCAST)
			status = command_sounds(t, &a->effects[k].message, 1);
	return status;
}

/** The alarm that is named and may be touched; -1 with *status. */
static int alarm_of(struct turn *t, int *status)
{
	int alarm = t->name ? config_alarm_find(t->s->config, t->name) : -1;

	*status = 0;
	if (alarm < 0) {
		*status = command_refuse(
			t, 404, "not-found", "name",
			"there is no alarm \"%.63s\"; GET /alarms lists them",
			t->name ? t->name : "");
	} else if (!command_alarm_within(t->who,
					 &t->s->config->alarms[alarm])) {
		*status = command_refuse(
			t, 403, "forbidden", NULL,
			"%s may not touch an alarm of other zones",
			t->who->actor);
		alarm = -1;
	}
	return alarm;
}

/** What came of it: the alarm, or why not. */
static int alarm_done(struct turn *t, int alarm, int err)
{
	if (err) {
		t->no->code = "refused";
		t->no->field = NULL;
		return err == EINVAL ? 400 : 409;
	}
	*t->reply = alarm_json(t->s->alarms, alarm);
	return 200;
}

int command_alarm(struct turn *t)
{
	static const struct {
		const char *verb;
		enum alarm_event ev;
	} verbs[] = {
		{"trigger", ALARM_EV_TRIGGER}, {"ack", ALARM_EV_ACK},
		{"reset", ALARM_EV_RESET},     {"inhibit", ALARM_EV_INHIBIT},
		{"enable", ALARM_EV_ENABLE},
	};
	const bool inhibit = !strcmp(t->verb, "inhibit");
	uint64_t ms = 0;
	int alarm, status;
	size_t i = 0;

	status = command_only(t, inhibit ? "name for until" : "name");
	if (status)
		return status;
	alarm = alarm_of(t, &status);
	if (alarm < 0)
		return status;
	if (inhibit) {
		status = command_end(t, ALARM_MAX_INHIBIT_MS, true, &ms);
		if (status)
			return status;
	}
	while (strcmp(verbs[i].verb, t->verb))
		i++;
	if (verbs[i].ev == ALARM_EV_TRIGGER)
		status = command_alarm_sounds(t, &t->s->config->alarms[alarm]);
	if (status)
		return status;
	return alarm_done(t, alarm,
			  alarms_command(t->s->alarms, alarm, verbs[i].ev,
					 (uint32_t)ms, t->who->actor, 0,
					 t->who->at_us, &t->no->why));
}

int command_phase(struct turn *t)
{
	const enum phase_event ev =
		!strcmp(t->verb, "advance") ? PHASE_EV_ADVANCE
		: !strcmp(t->verb, "hold")  ? PHASE_EV_HOLD
					    : PHASE_EV_RELEASE;
	int alarm, status = command_only(t, "name");

	if (status)
		return status;
	alarm = alarm_of(t, &status);
	if (alarm < 0)
		return status;
	if (ev == PHASE_EV_ADVANCE)
		status = command_alarm_sounds(t, &t->s->config->alarms[alarm]);
	if (status)
		return status;
	return alarm_done(t, alarm,
			  alarms_phase(t->s->alarms, alarm, ev, t->who->actor,
				       &t->no->why));
}

/* --------------------------------------------------------------------- mode */

int command_mode(struct turn *t)
{
	struct modes *modes = alarms_modes(t->s->alarms);
	const char *mode = text_at(t, "mode");
	uint64_t ms;
	int status = command_only(t, "mode for until");

	if (status)
		return status;
	if (t->who->n_zones)
		return command_refuse(t, 403, "forbidden", NULL,
				      "%s is limited to zones, and the mode is "
				      "the whole site's",
				      t->who->actor);
	status = command_end(t, MODES_MAX_MS, false, &ms);
	if (status)
		return status;
	if (modes_set(modes, mode ? mode : "", ms, t->who->actor,
		      &t->no->why)) {
		t->no->code = "bad-request";
		t->no->field = "mode";
		return 400;
	}
	*t->reply = modes_json(modes);
	return 200;
}

/* --------------------------------------------------------------- walk tests */

struct walk_args {
	int inputs[1000], zones[CONFIG_MAX_ZONES];
	size_t n_inputs, n_zones;
	char scope[160];
};

static void add_inputs(struct walk_args *a, const struct config_alarm *x)
{
	for (size_t i = 0; i < x->n_inputs; i++) {
		size_t k = 0;

		while (k < a->n_inputs && a->inputs[k] != x->inputs[i])
			k++;
		if (k == a->n_inputs && k < 1000)
			a->inputs[a->n_inputs++] = x->inputs[i];
	}
}

static bool sounds_in(const struct config_alarm *a, int zone)
{
	for (size_t e = 0; e < a->n_effects; e++)
		for (size_t i = 0; i < a->effects[e].n_zones; i++)
			if (a->effects[e].zones[i] == zone)
				return true;
	return false;
}

/** Which inputs: those named, or an alarm's, or those of a zone's alarms. */
static int walk_scope(struct turn *t, struct walk_args *a)
{
	const struct config *c = t->s->config;
	const char *alarm = text_at(t, "alarm"), *zone = text_at(t, "zone");
	const int k = alarm ? config_alarm_find(c, alarm) : -1;
	const int z = zone ? config_zone_find(c, zone) : -1;

	if (!!json_object_get(t->args, "inputs") + !!alarm + !!zone != 1)
		return command_refuse(t, 400, "bad-request", "inputs",
				      "give one of \"inputs\", a list, "
				      "\"alarm\" and \"zone\"");
	if (!alarm && !zone) {
		snprintf(a->scope, sizeof(a->scope), "inputs");
		return command_list(t, "inputs", "input", config_input_find,
				    1000, a->inputs, &a->n_inputs);
	}
	if (alarm && k < 0)
		return command_refuse(
			t, 404, "not-found", "alarm",
			"there is no alarm \"%.63s\"; GET /alarms "
			"lists them",
			alarm);
	if (zone && z < 0)
		return command_refuse(t, 404, "not-found", "zone",
				      "there is no zone \"%.63s\"; GET /zones "
				      "lists them",
				      zone);
	snprintf(a->scope, sizeof(a->scope), "%s %s", alarm ? "alarm" : "zone",
		 alarm ? alarm : zone);
	for (size_t i = 0; i < c->n_alarms; i++)
		if (alarm ? (int)i == k : sounds_in(&c->alarms[i], z))
			add_inputs(a, &c->alarms[i]);
	return 0;
}

static bool hears(const struct config_alarm *a, int input)
{
	for (size_t i = 0; i < a->n_inputs; i++)
		if (a->inputs[i] == input)
			return true;
	return false;
}

/** May they be tested: by the caller, and as their alarms stand? */
static int walk_allowed(struct turn *t, const struct walk_args *a)
{
	const struct config *c = t->s->config;

	for (size_t i = 0; i < a->n_inputs; i++) {
		bool any = false;

		for (size_t k = 0; k < c->n_alarms; k++) {
			if (!hears(&c->alarms[k], a->inputs[i]))
				continue;
			any = true;
			if (!command_alarm_within(t->who, &c->alarms[k]))
				return command_refuse(
					t, 403, "forbidden", NULL,
					"%s may not touch an input of other "
					"zones",
					t->who->actor);
			if (alarm_snapshot(t->s->alarms, (int)k)->state !=
			    ALARM_NORMAL)
				return command_refuse(
					t, 409, "refused", NULL,
					"alarm %s is %s: reset it before its "
					"inputs are tested",
					c->alarms[k].name,
					alarm_state_name(
						alarm_snapshot(t->s->alarms,
							       (int)k)
							->state));
		}
		if (!any && t->who->n_zones)
			return command_refuse(t, 403, "forbidden", NULL,
					      "%s may not touch an input of no "
					      "zone",
					      t->who->actor);
	}
	return 0;
}

static int walk(struct turn *t, struct walk_args *a)
{
	struct walk *w = alarms_walk(t->s->alarms);
	const char *message = text_at(t, "message");
	struct walk_request rq = {
		.scope = a->scope,
		.inputs = a->inputs,
		.zones = a->zones,
		.message = message,
		.actor = t->who->actor,
	};
	uint64_t ms, id;
	int err, status = command_only(t, "inputs alarm zone for until zones "
					  "message");

	if (!status)
		status = walk_scope(t, a);
	if (!status && json_object_get(t->args, "zones"))
		status = command_list(t, "zones", "zone", config_zone_find,
				      CONFIG_MAX_ZONES, a->zones, &a->n_zones);
	if (!status && !command_within(t->who, a->zones, a->n_zones))
		status = command_refuse(t, 403, "forbidden", "zones",
					"%s may not page all of these zones",
					t->who->actor);
	if (!status && message && !library_message(t->s->library, message))
		status = command_refuse(t, 404, "not-found", "message",
					"there is no message \"%.63s\"; GET "
					"/messages lists them",
					message);
	if (!status && a->n_zones) {
		const int i =
			message ? config_message_find(t->s->config, message)
				: -1;

		status = command_sounds(t, &i, 1);
	}
	if (!status)
		status = walk_allowed(t, a);
	if (!status)
		status = command_end(t, WALK_MAX_MS, true, &ms);
	if (status)
		return status;
	rq.n_inputs = a->n_inputs;
	rq.n_zones = a->n_zones;
	rq.for_ms = (uint32_t)ms;
	err = walk_start(w, &rq, &id, &t->no->why);
	if (err) {
		t->no->code = "refused";
		return err == EINVAL ? 400 : err == ENOMEM ? 503 : 409;
	}
	*t->reply = walk_json(w, id);
	return 201;
}

int command_walk(struct turn *t)
{
	struct walk_args *a = calloc(1, sizeof(*a));
	int status = a ? walk(t, a)
		       : command_refuse(t, 503, "no-memory", NULL,
					"not enough memory");

	free(a);
	return status;
}

int command_walk_stop(struct turn *t)
{
	struct walk *w = alarms_walk(t->s->alarms);
	json_t *number = json_object_get(t->args, "walk_test");
	const uint64_t id = t->name ? strtoull(t->name, NULL, 10)
			    : json_is_integer(number)
				    ? (uint64_t)json_integer_value(number)
				    : 0;
	int status = command_only(t, "walk_test");

	if (status)
		return status;
	if (t->who->n_zones) {
		struct walk_args *a = calloc(1, sizeof(*a));

		if (!a)
			return command_refuse(t, 503, "no-memory", NULL,
					      "not enough memory");
		a->n_inputs = walk_inputs(w, id, a->inputs, 1000);
		status = walk_allowed(t, a);
		free(a);
		if (status == 403)
			return status;
	}
	if (walk_stop(w, id, t->who->actor))
		return command_refuse(t, 404, "not-found", "walk_test",
				      "no walk test of this number runs; GET "
				      "/walk-tests lists them");
	*t->reply = walk_json(w, id);
	return 200;
}
