#include "commands_internal.h"

#include "config/values.h"
#include "controller/base/clock.h"
#include "controller/base/text.h"
#include "gpio/command.h"
#include "scheduler/civil_read.h"
#include "text_json.h"
#include "zones/sound/tone.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int command_refuse(struct turn *t, int status, const char *code,
		   const char *field, const char *fmt, ...)
{
	va_list ap;

	t->no->code = code;
	t->no->field = field;
	va_start(ap, fmt);
	vsnprintf(t->no->why.text, sizeof(t->no->why.text), fmt, ap);
	va_end(ap);
	text_clean(t->no->why.text);
	return status;
}

int command_only(struct turn *t, const char *allowed)
{
	const char *key;
	json_t *value;

	json_object_foreach(t->args, key, value)
	{
		size_t n = strlen(key);
		const char *p = allowed;
		bool found = false;

		while (n && !found && (p = strstr(p, key))) {
			found = (p == allowed || p[-1] == ' ') &&
				(p[n] == ' ' || !p[n]);
			p++;
		}
		/* An MQTT command carries its own id and time. */
		if (!found && strcmp(key, "time") && strcmp(key, "id"))
			return command_refuse(
				t, 400, "bad-request", key,
				"\"%.40s\" is not known here; allowed: "
				"%s",
				key, allowed);
	}
	return 0;
}

bool command_among(const int *v, size_t n, int i)
{
	for (size_t k = 0; k < n; k++)
		if (v[k] == i)
			return true;
	return false;
}

bool command_within(const struct caller *who, const int *zones, size_t n)
{
	if (!who->n_zones)
		return true;
	for (size_t i = 0; i < n; i++)
		if (!command_among(who->zones, who->n_zones, zones[i]))
			return false;
	return true;
}

int command_sounds(struct turn *t, const int *messages, size_t n)
{
	const struct caller *who = t->who;

	for (size_t i = 0; who->n_messages && i < n; i++)
		if (messages[i] < 0)
			return command_refuse(
				t, 403, "forbidden", "message",
				"%s may start certain messages only, no tone "
				"and no text; an admin may take \"messages\" "
				"out of its section of the configuration",
				who->actor);
		else if (!command_among(who->messages, who->n_messages,
					messages[i]))
			return command_refuse(
				t, 403, "forbidden", "message",
				"%s may not start the message \"%.63s\"; an "
				"admin may add it to \"messages\" of its "
				"section of the configuration",
				who->actor,
				t->s->config->messages[messages[i]].name);
	return 0;
}

int command_list(struct turn *t, const char *member, const char *what,
		 int (*find)(const struct config *c, const char *name),
		 size_t max, int *v, size_t *n)
{
	json_t *list = json_object_get(t->args, member), *x;
	size_t i;

	*n = 0;
	if (!json_is_array(list) || !json_array_size(list) ||
	    json_array_size(list) > max)
		return command_refuse(t, 400, "bad-request", member,
				      "\"%s\" must be a list of 1 to %zu %s "
				      "names",
				      member, max, what);
	json_array_foreach(list, i, x)
	{
		const char *name = json_string_value(x);
		const int k = name ? find(t->s->config, name) : -1;
		size_t o = 0;

		if (k < 0)
			return command_refuse(t, 404, "not-found", member,
					      "there is no %s \"%.63s\"; GET "
					      "/%ss lists them",
					      what, name ? name : "", what);
		while (o < *n && v[o] != k)
			o++;
		if (o == *n)
			v[(*n)++] = k;
	}
	return 0;
}

/* ------------------------------------------------------------------- page */

struct page_args {
	int zones[CONFIG_MAX_ZONES];
	size_t n_zones;
	const char *message, *tone, *text;
	struct clip *clip;
	uint8_t level;
	bool level_given;
	uint32_t cycles;
	bool cycles_given;
	uint32_t wait_ms;
};

static int page_zones(struct turn *t, struct page_args *a)
{
	int status = command_list(t, "zones", "zone", config_zone_find,
				  CONFIG_MAX_ZONES, a->zones, &a->n_zones);

	if (!status && !command_within(t->who, a->zones, a->n_zones))
		status = command_refuse(t, 403, "forbidden", "zones",
					"%s may not page all of these zones",
					t->who->actor);
	return status;
}

/** A name, or what is to be said. */
static const char *text_arg(const struct turn *t, const char *member)
{
	return json_string_value(json_object_get(t->args, member));
}

static int page_text(struct turn *t, struct page_args *a)
{
	const char *voice = text_arg(t, "voice");

	if (!config_text_good(a->text))
		return command_refuse(
			t, 400, "bad-request", "text",
			"\"text\" must be 1 to %d bytes without control "
			"characters, with at least one letter or digit",
			CONFIG_MAX_SPOKEN);
	if (json_object_get(t->args, "voice") &&
	    (!voice || !config_voice_good(voice)))
		return command_refuse(
			t, 400, "bad-request", "voice",
			"\"voice\" must be 1 to 31 of letters, digits, "
			"\".\", \"_\", \"+\" and \"-\", beginning with a "
			"letter or digit");
	if (!t->later)
		return command_refuse(t, 503, "speech", "text",
				      "nothing speaks here now");
	if (t->said)
		a->clip = t->said->clip;
	return 0;
}

static int page_sound(struct turn *t, struct page_args *a)
{
	json_t *repeat = json_object_get(t->args, "repeat");
	int message, status;

	a->message = text_arg(t, "message");
	a->tone = text_arg(t, "tone");
	a->text = text_arg(t, "text");
	if (!a->message + !a->text + !(a->tone && !a->text) != 2)
		return command_refuse(
			t, 400, "bad-request", "message",
			"give one of \"message\" and \"tone\", a name, "
			"or \"text\"; a tone may stand before a text");
	if (!a->text && json_object_get(t->args, "voice"))
		return command_refuse(t, 400, "bad-request", "voice",
				      "\"voice\" needs \"text\"");
	if (a->message && !library_message(t->s->library, a->message))
		return command_refuse(
			t, 404, "not-found", "message",
			"there is no message \"%.63s\"; GET /messages "
			"lists them",
			a->message);
	message =
		a->message ? config_message_find(t->s->config, a->message) : -1;
	status = command_sounds(t, &message, 1);
	if (status)
		return status;
	if (a->tone && !library_tone(t->s->library, a->tone))
		return command_refuse(
			t, 404, "not-found", "tone",
			"there is no tone \"%.63s\"; GET /tones lists "
			"them",
			a->tone);
	if (a->text) {
		status = page_text(t, a);
		if (status)
			return status;
	} else {
		a->clip = a->message
				  ? library_message(t->s->library, a->message)
				  : library_tone(t->s->library, a->tone);
	}
	a->cycles = a->message ? library_cycles(t->s->library, a->message) : 1;
	if (json_is_integer(repeat) && json_integer_value(repeat) >= 1 &&
	    json_integer_value(repeat) <= 100000) {
		a->cycles = (uint32_t)json_integer_value(repeat);
		a->cycles_given = true;
	} else if (json_is_string(repeat) &&
		   !strcmp(json_string_value(repeat), "until-stopped")) {
		a->cycles = 0;
		a->cycles_given = true;
	} else if (repeat) {
		return command_refuse(
			t, 400, "bad-request", "repeat",
			"\"repeat\" must be a count of 1 to 100000 or "
			"\"until-stopped\"");
	}
	if (a->tone && !a->text && a->cycles != 1)
		a->clip = library_tone_loop(t->s->library, a->tone, &a->cycles);
	return 0;
}

static int page_urgency(struct turn *t, struct page_args *a,
			enum config_class otherwise)
{
	json_t *priority = json_object_get(t->args, "priority");
	json_t *wait = json_object_get(t->args, "wait_ms");
	char number[16];
	int level = t->s->config->levels[otherwise];

	if (json_is_integer(priority)) {
		snprintf(number, sizeof(number), "%lld",
			 (long long)json_integer_value(priority));
		level = config_level(t->s->config, number);
	} else if (json_is_string(priority)) {
		level = config_level(t->s->config, json_string_value(priority));
	} else if (priority) {
		level = -1;
	}
	if (level < 0)
		return command_refuse(
			t, 400, "bad-request", "priority",
			"\"priority\" must be evacuate, alert, emergency, "
			"urgent, page, bell, music or 0 to 255");
	a->level = (uint8_t)level;
	a->wait_ms = t->s->config->media.queue_ms;
	if (json_is_integer(wait) && json_integer_value(wait) >= 0 &&
	    json_integer_value(wait) <= 86400000)
		a->wait_ms = (uint32_t)json_integer_value(wait);
	else if (wait)
		return command_refuse(t, 400, "bad-request", "wait_ms",
				      "\"wait_ms\" must be 0 to 86400000");
	for (size_t i = 0; i < a->n_zones; i++)
		if (a->level < t->s->config->zones[a->zones[i]].min_level)
			return command_refuse(
				t, 403, "forbidden", "priority",
				"zone %s accepts priority %u and above "
				"only",
				t->s->config->zones[a->zones[i]].name,
				t->s->config->zones[a->zones[i]].min_level);
	return 0;
}

/** A text whose words are missing: an emergency sounds all the same, as a
 *  tone; anything else only if a tone was asked for. */
static int page_said(struct turn *t, struct page_args *a)
{
	const bool urgent = a->level >= ARB_EMERGENCY;

	if (!a->text)
		return 0;
	if (!t->said) {
		*t->later = (struct announce_text){
			.text = a->text,
			.voice = text_arg(t, "voice"),
			.tone = a->tone,
			.urgent = urgent,
		};
		return COMMAND_LATER;
	}
	if (t->said->words)
		return 0;
	if (!urgent && !a->tone)
		return command_refuse(t, 503, "speech", "text", "%s",
				      t->said->why.text);
	if (!a->clip)
		a->clip =
			library_tone(t->s->library,
				     a->tone ? a->tone : LIBRARY_FALLBACK_TONE);
	return 0;
}

/** What a restart needs to say it again; NULL when its message says all. */
static json_t *page_words(const struct turn *t, const struct page_args *a)
{
	return a->text ? json_pack("{s:s,s:s*,s:s*}", "text", a->text, "voice",
				   text_arg(t, "voice"), "tone", a->tone)
		       : NULL;
}

static void page_name(const struct turn *t, const struct page_args *a,
		      char *what, size_t size)
{
	(void)t;
	if (a->text)
		snprintf(what, size, "text \"%.60s%s\"", a->text,
			 strlen(a->text) > 60 ? "..." : "");
	else
		snprintf(what, size, "%s %s", a->message ? "message" : "tone",
			 a->message ? a->message : a->tone);
}

static int page(struct turn *t)
{
	struct page_args *a = calloc(1, sizeof(*a));
	struct broadcast_result res = {0};
	char what[96];
	int status, err;

	if (!a)
		return command_refuse(t, 503, "no-memory", NULL,
				      "not enough memory");
	status =
		command_only(t, "zones message tone text voice priority repeat "
				"wait_ms");
	if (!status)
		status = page_zones(t, a);
	if (!status)
		status = page_sound(t, a);
	if (!status)
		status = page_urgency(t, a, CLASS_PAGE);
	if (!status)
		status = page_said(t, a);
	if (!status) {
		bool music = a->level <= t->s->config->levels[CLASS_MUSIC];
		struct broadcast_request rq = {
			.what = what,
			.message = a->text      ? t->said->message
				   : a->message ? a->message
						: a->tone,
			.level = a->level,
			.zones = a->zones,
			.n_zones = a->n_zones,
			.clip = a->clip,
			.cycles = a->cycles,
			.background = music,
			.how = broadcast_under(t->s->config),
			.resume = music ? RESUME_CONTINUE : RESUME_RESTART,
			.wait_ms = a->wait_ms,
			.lost_ms = a->wait_ms,
			.persist = a->level >= ARB_EMERGENCY,
			.words = page_words(t, a),
			.actor = t->who->actor,
			.at_us = t->who->at_us,
		};

		page_name(t, a, what, sizeof(what));
		err = broadcast_start(t->s->broadcasts, &rq, &res);
		json_decref(rq.words);
		if (err == EBUSY)
			status = command_refuse(t, 409, "outranked", NULL, "%s",
						res.why.text);
		else if (err == ENOENT)
			status = command_refuse(
				t, 409, "no-output", "zones",
				"these zones have no output now");
		else if (err)
			status = command_refuse(t, 503, "busy", NULL, "%s",
						res.why.text);
	}
	if (!status) {
		*t->reply = broadcast_json(t->s->broadcasts, res.id);
		if (!*t->reply)
			*t->reply =
				json_pack("{s:I}", "id", (json_int_t)res.id);
		if (a->text && *t->said->why.text)
			json_object_set_new(*t->reply, "warning",
					    text_json(t->said->why.text));
		status = 201;
	}
	free(a);
	return status;
}

/** The number in the path, else the member of that name; 0 = neither. */
static uint64_t id_of(const struct turn *t, const char *member)
{
	json_t *id = json_object_get(t->args, member);
	const char *text = t->name;

	if (!text)
		return json_is_integer(id) && json_integer_value(id) > 0
			       ? (uint64_t)json_integer_value(id)
			       : 0;
	if (!*text || strspn(text, "0123456789") != strlen(text))
		return 0;
	return strtoull(text, NULL, 10);
}

/** Ends one that is only being recorded; 404 when it is none of those. */
static int stop_stored(struct turn *t, uint64_t id)
{
	/* Without a limit it says whether there is one. */
	if (!stored_within(t->s->stored, id, NULL, 0))
		return command_refuse(t, 404, "not-found", "broadcast",
				      "there is no broadcast with this id; GET "
				      "/broadcasts lists them");
	if (!stored_within(t->s->stored, id, t->who->zones, t->who->n_zones))
		return command_refuse(
			t, 403, "forbidden", NULL,
			"%s may not stop what is to sound in other zones",
			t->who->actor);
	stored_drop(t->s->stored, id, t->who->actor);
	return 200;
}

static int stop(struct turn *t)
{
	uint64_t id = id_of(t, "broadcast");
	json_t *b;
	char why[128];
	int status = command_only(t, "broadcast");

	if (status)
		return status;
	status = 200;
	b = broadcast_json(t->s->broadcasts, id);
	if (!b)
		return stop_stored(t, id);
	if (!broadcast_within(t->s->broadcasts, id, t->who->zones,
			      t->who->n_zones))
		status = command_refuse(
			t, 403, "forbidden", NULL,
			"%s may not stop what sounds in other zones",
			t->who->actor);
	else if (!strncmp(json_string_value(json_object_get(b, "actor")),
			  "alarm:", 6))
		status = command_refuse(
			t, 409, "alarm", NULL,
			"it belongs to an alarm that is active; reset "
			"the alarm instead");
	if (status == 200) {
		snprintf(why, sizeof(why), "stopped by %s", t->who->actor);
		broadcast_stop(t->s->broadcasts, id, t->who->actor, 0, why);
	}
	json_decref(b);
	return status;
}

/* ----------------------------------------------------------------- volume */

static int volume(struct turn *t)
{
	json_t *db = json_object_get(t->args, "db");
	int zone = t->name ? config_zone_find(t->s->config, t->name) : -1;
	double cb = json_is_number(db) ? json_number_value(db) * 10 : NAN;
	int status = command_only(t, "name db");

	if (status)
		return status;
	if (zone < 0)
		return command_refuse(
			t, 404, "not-found", "name",
			"there is no zone \"%.63s\"; GET /zones lists "
			"them",
			t->name ? t->name : "");
	if (!command_within(t->who, &zone, 1))
		return command_refuse(t, 403, "forbidden", NULL,
				      "%s may not touch this zone",
				      t->who->actor);
	if (!(cb >= BROADCAST_MIN_VOLUME_CB && cb <= BROADCAST_MAX_VOLUME_CB))
		return command_refuse(
			t, 400, "bad-request", "db",
			"\"db\" must be a number from %d to %d, 0 is as "
			"configured",
			BROADCAST_MIN_VOLUME_CB / 10,
			BROADCAST_MAX_VOLUME_CB / 10);
	broadcasts_volume(t->s->broadcasts, zone, (int16_t)lrint(cb),
			  t->who->actor);
	*t->reply = json_pack("{s:s,s:f}", "name", t->name, "volume_db",
			      (double)lrint(cb) / 10);
	return 200;
}

static int hangup(struct turn *t)
{
	uint64_t id = id_of(t, "call");
	const char *name = paging_zone(t->s->paging, id);
	int zone = name ? config_zone_find(t->s->config, name) : -1;
	int status = command_only(t, "call");

	if (status)
		return status;
	if (name && !command_within(t->who, &zone, 1))
		return command_refuse(t, 403, "forbidden", NULL,
				      "%s may not end a call of other zones",
				      t->who->actor);
	if (!name && t->who->n_zones && help_has(t->s->help, id))
		return command_refuse(t, 403, "forbidden", NULL,
				      "%s may end calls of its own zones only",
				      t->who->actor);
	if (paging_hangup(t->s->paging, id, t->who->actor) &&
	    help_hangup(t->s->help, id, t->who->actor))
		return command_refuse(
			t, 404, "not-found", "id",
			"there is no such call; GET /calls lists them");
	return 200;
}

/* -------------------------------------------------------------- schedules */

/** Is all that a schedule sounds in within the caller's zones? */
static bool schedule_within(const struct caller *who,
			    const struct config_schedule *s)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (!command_within(who, s->rules[i].zones,
				    s->rules[i].n_zones))
			return false;
	return command_within(who, s->zones, s->n_zones);
}

static int skip_args(struct turn *t, int *count, int64_t *until)
{
	json_t *n = json_object_get(t->args, "count");
	const char *text = json_string_value(json_object_get(t->args, "until"));

	*until = 0;
	*count = 1;
	if (n && (!json_is_integer(n) || json_integer_value(n) < 0 ||
		  json_integer_value(n) > SCHEDULES_MAX_SKIP))
		return command_refuse(t, 400, "bad-request", "count",
				      "\"count\" must be 0 (skip none) to %d",
				      SCHEDULES_MAX_SKIP);
	if (n)
		*count = (int)json_integer_value(n);
	if (!json_object_get(t->args, "until"))
		return 0;
	if (n)
		return command_refuse(t, 400, "bad-request", "until",
				      "give either \"count\" or \"until\"");
	if (!text || command_time(text, strlen(text), until))
		return command_refuse(t, 400, "bad-request", "until",
				      "\"until\" must be a time like "
				      "2026-12-24T06:55:00Z");
	*until /= 1000000;
	*count = -1;
	return 0;
}

static int run_schedule(struct turn *t, int i)
{
	struct broadcast_result res;
	int err = schedules_run(t->s->schedules, i, t->who->actor,
				t->who->at_us, &res);

	if (err == EBUSY)
		return command_refuse(t, 409, "outranked", NULL, "%s",
				      res.why.text);
	if (err == ENOENT)
		return command_refuse(t, 409, "no-output", NULL, "%s",
				      res.why.text);
	if (err)
		return command_refuse(t, 503, "busy", NULL, "%s", res.why.text);
	*t->reply = broadcast_json(t->s->broadcasts, res.id);
	if (!*t->reply)
		*t->reply = json_pack("{s:I}", "id", (json_int_t)res.id);
	return 201;
}

static int no_schedule(struct turn *t)
{
	return command_refuse(
		t, 404, "not-found", "name",
		"there is no schedule \"%.63s\"; GET /schedules lists "
		"them",
		t->name ? t->name : "");
}

/** May the caller start all that a schedule sounds? */
static int schedule_sounds(struct turn *t, const struct config_schedule *s)
{
	int status = command_sounds(t, s->message, s->n_message);

	for (size_t i = 0; !status && i < s->n_rules; i++)
		status = command_sounds(t, s->rules[i].message,
					s->rules[i].n_message);
	return status;
}

static int not_his_schedule(struct turn *t)
{
	return command_refuse(t, 403, "forbidden", NULL,
			      "%s may not touch a schedule of other zones",
			      t->who->actor);
}

static int schedule_verb(struct turn *t)
{
	const bool run = !strcmp(t->verb, "run");
	int i = t->name ? config_schedule_find(t->s->config, t->name) : -1;
	int status = command_only(t, run ? "name" : "name count until"), count;
	int64_t until;

	if (status)
		return status;
	if (i < 0)
		return no_schedule(t);
	if (!schedule_within(t->who, &t->s->config->schedules[i]))
		return not_his_schedule(t);
	if (run) {
		status = schedule_sounds(t, &t->s->config->schedules[i]);
		return status ? status : run_schedule(t, i);
	}
	status = skip_args(t, &count, &until);
	if (status)
		return status;
	if (schedules_skip(t->s->schedules, i, count, until, t->who->actor,
			   &t->no->why)) {
		t->no->code = "bad-request";
		t->no->field = count < 0 ? "until" : "count";
		return 400;
	}
	*t->reply = schedule_json(t->s->schedules, i);
	return 200;
}

/* --------------------------------------------------------- one-off changes */

/** Gives it to the schedules; takes c, NULL = no memory. */
static int make_change(struct turn *t, struct change *c)
{
	uint32_t id = 0;

	if (c)
		id = schedules_change(t->s->schedules, c, t->who->actor,
				      &t->no->why);
	else
		reason_set(&t->no->why, ENOMEM, "not enough memory");
	if (!id) {
		t->no->code = c ? "refused" : "no-memory";
		return c ? 409 : 503;
	}
	*t->reply = schedules_change_json(t->s->schedules, id);
	return 201;
}

/** A time of the arguments; 0 with *at. */
static int time_arg(struct turn *t, const char *member, int schedule,
		    int64_t *at)
{
	const char *text = text_arg(t, member);
	struct reason why = {""};

	if (!text)
		return command_refuse(
			t, 400, "bad-request", member,
			"\"%s\" must be a time like 2026-12-24T10:00", member);
	if (schedules_instant(t->s->schedules, schedule, text, at, &why))
		return command_refuse(t, 400, "bad-request", member, "%s",
				      why.text);
	return 0;
}

static int bell_args(struct turn *t, struct page_args *a, uint64_t *for_ms)
{
	const char *length = text_arg(t, "for");
	int status = command_only(t, "at message zones priority for");

	if (!status)
		status = page_zones(t, a);
	if (!status && !text_arg(t, "message"))
		status = command_refuse(
			t, 400, "bad-request", "message",
			"\"message\" must be the name of a message");
	if (!status)
		status = page_sound(t, a);
	if (!status)
		status = page_urgency(t, a, CLASS_BELL);
	if (!status && a->n_zones > CHANGES_MAX_ZONES)
		status = command_refuse(
			t, 400, "bad-request", "zones",
			"name at most %d zones, or a zone of zones",
			CHANGES_MAX_ZONES);
	*for_ms = 0;
	if (!status && json_object_get(t->args, "for") &&
	    (!length || !value_duration(length, for_ms) || !*for_ms ||
	     *for_ms > 86400000))
		status = command_refuse(
			t, 400, "bad-request", "for",
			"\"for\" must be a duration up to 24h, like "
			"\"10m\"");
	return status;
}

/** An extra bell. */
static int bell_verb(struct turn *t)
{
	struct page_args *a = calloc(1, sizeof(*a));
	struct change *c;
	uint64_t for_ms;
	int64_t at = 0;
	int status;

	if (!a)
		return command_refuse(t, 503, "no-memory", NULL,
				      "not enough memory");
	status = bell_args(t, a, &for_ms);
	if (!status)
		status = time_arg(t, "at", -1, &at);
	if (!status) {
		c = change_alloc(CHANGE_BELL, a->n_zones);
		for (size_t i = 0; c && i < a->n_zones; i++)
			snprintf(c->zones[c->n_zones++], CONFIG_MAX_NAME, "%s",
				 t->s->config->zones[a->zones[i]].name);
		if (c) {
			snprintf(c->message, sizeof(c->message), "%s",
				 a->message);
			c->at = at;
			c->level = a->level;
			c->for_ms = (uint32_t)for_ms;
		}
		status = make_change(t, c);
	}
	free(a);
	return status;
}

/** A bell at another time. */
static int move_verb(struct turn *t)
{
	const int i =
		t->name ? config_schedule_find(t->s->config, t->name) : -1;
	struct change *c;
	int64_t from = 0, to = 0;
	int status = command_only(t, "name from to");

	if (status)
		return status;
	if (i < 0)
		return no_schedule(t);
	if (!schedule_within(t->who, &t->s->config->schedules[i]))
		return not_his_schedule(t);
	status = schedule_sounds(t, &t->s->config->schedules[i]);
	if (!status)
		status = time_arg(t, "from", i, &from);
	if (!status)
		status = time_arg(t, "to", i, &to);
	if (status)
		return status;
	c = change_alloc(CHANGE_MOVE, 0);
	if (c) {
		snprintf(c->schedule, sizeof(c->schedule), "%s", t->name);
		c->from = from;
		c->at = to;
	}
	return make_change(t, c);
}

/** "2026-12-24" */
static bool day_arg(const struct turn *t, const char *member, int64_t *day)
{
	const char *text = text_arg(t, member);
	const char *end = text ? civil_read_date(text, day) : NULL;

	return end && !*end;
}

/** Days of another type. */
static int day_type_verb(struct turn *t)
{
	const char *type = text_arg(t, "type");
	struct change *c;
	int64_t first, last;
	int status = command_only(t, "type first last");

	if (status)
		return status;
	if (t->who->n_zones)
		return command_refuse(
			t, 403, "forbidden", NULL,
			"%s may not change days: they are all zones'",
			t->who->actor);
	if (!type || !value_name(type))
		return command_refuse(
			t, 400, "bad-request", "type",
			"\"type\" must be the name of a type of day");
	if (!day_arg(t, "first", &first))
		return command_refuse(
			t, 400, "bad-request", "first",
			"\"first\" must be a date like 2026-12-24");
	last = first;
	if (json_object_get(t->args, "last") && !day_arg(t, "last", &last))
		return command_refuse(
			t, 400, "bad-request", "last",
			"\"last\" must be a date like 2026-12-24");
	c = change_alloc(CHANGE_DAY_TYPE, 0);
	if (c) {
		snprintf(c->day_type, sizeof(c->day_type), "%s", type);
		c->first = first;
		c->last = last;
	}
	return make_change(t, c);
}

static int unchange_verb(struct turn *t)
{
	const uint64_t id = id_of(t, "change");
	const struct change *c =
		id <= UINT32_MAX
			? schedules_find_change(t->s->schedules, (uint32_t)id)
			: NULL;
	int status = command_only(t, "change");

	if (status)
		return status;
	if (!c)
		return command_refuse(t, 404, "not-found", "change",
				      "there is no such one-off change; GET "
				      "/schedule-changes lists them");
	if (t->who->n_zones &&
	    (!c->n_zone_i || !command_within(t->who, c->zone_i, c->n_zone_i)))
		return command_refuse(
			t, 403, "forbidden", NULL,
			"%s may not take this back: it is about other "
			"zones",
			t->who->actor);
	schedules_unchange(t->s->schedules, (uint32_t)id, t->who->actor);
	return 200;
}

static int music_verb(struct turn *t)
{
	const char *what = t->verb + strlen("music-");
	enum music_verb v = !strcmp(what, "start")  ? MUSIC_START
			    : !strcmp(what, "stop") ? MUSIC_STOP
						    : MUSIC_NEXT;
	const int *zones;
	size_t n;
	int status = command_only(t, "name");

	if (status)
		return status;
	n = t->name ? music_zones(t->s->musics, t->name, &zones) : 0;
	if (!n)
		return command_refuse(
			t, 404, "not-found", "name",
			"there is no music \"%.63s\"; GET /music lists "
			"all",
			t->name ? t->name : "");
	if (!command_within(t->who, zones, n))
		return command_refuse(
			t, 403, "forbidden", NULL,
			"%s may not touch the music of other zones",
			t->who->actor);
	if (music_do(t->s->musics, t->name, v, t->who->actor, &t->no->why)) {
		t->no->code = "refused";
		return 409;
	}
	*t->reply = music_json(t->s->musics, t->name);
	return 200;
}

static const struct {
	const char *verb;
	int (*run)(struct turn *t);
} verbs[] = {
	{"page", page},
	{"stop", stop},
	{"trigger", command_alarm},
	{"ack", command_alarm},
	{"reset", command_alarm},
	{"inhibit", command_alarm},
	{"enable", command_alarm},
	{"advance", command_phase},
	{"hold", command_phase},
	{"release", command_phase},
	{"mode", command_mode},
	{"walk-test", command_walk},
	{"walk-test-stop", command_walk_stop},
	{"input", command_point},
	{"output", command_point},
	{"hangup", hangup},
	{"skip", schedule_verb},
	{"run", schedule_verb},
	{"volume", volume},
	{"bell", bell_verb},
	{"move", move_verb},
	{"day-type", day_type_verb},
	{"unchange", unchange_verb},
	{"music-start", music_verb},
	{"music-stop", music_verb},
	{"music-next", music_verb},
};

bool commands_known(const char *verb)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].verb, verb))
			return true;
	return false;
}

static int run(struct turn *t)
{
	const struct command_scope *s = t->s;
	const char *given = json_string_value(json_object_get(t->args, "name"));
	int status;

	*t->reply = NULL;
	memset(t->no, 0, sizeof(*t->no));
	if (!t->name && given)
		t->name = given;
	if (t->who->role == WEB_VIEWER) {
		status = command_refuse(t, 403, "forbidden", NULL,
					"%s may look, not act", t->who->actor);
	} else {
		status = t->args && !json_is_object(t->args)
				 ? command_refuse(
					   t, 400, "bad-request", NULL,
					   "the arguments must be an object")
				 : 404;
		for (size_t i = 0;
		     status == 404 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
			if (!strcmp(verbs[i].verb, t->verb)) {
				status = verbs[i].run(t);
				break;
			}
		if (status == 404 && !t->no->code)
			command_refuse(t, 404, "not-found", NULL,
				       "there is no command \"%.40s\"",
				       t->verb);
	}
	if (status >= 300)
		record(s->recorder, EVENT_COMMAND_REFUSED, 0, "command",
		       t->who->actor,
		       json_pack("{s:s,s:i}", "verb", t->verb, "status",
				 status),
		       "%s %s refused: %s", t->verb, t->name ? t->name : "",
		       t->no->why.text);
	return status;
}

int commands_run(const struct command_scope *s, const struct caller *who,
		 const char *verb, const char *name, json_t *args,
		 json_t **reply, struct refusal *no)
{
	struct turn t = {s, who, verb, name, args, reply, no, NULL, NULL};

	return run(&t);
}

/* ------------------------------------------------------- what takes a while */

/** A command whose text is being spoken. */
struct waiting {
	const struct command_scope *s;
	struct caller who; /**< its own copies */
	char verb[32], *name;
	json_t *args;
	unsigned generation;
	command_done_h *h;
	void *arg;
};

static void waiting_free(struct waiting *w)
{
	free((char *)(uintptr_t)w->who.actor);
	free((int *)(uintptr_t)w->who.zones);
	free((int *)(uintptr_t)w->who.messages);
	free(w->name);
	json_decref(w->args);
	free(w);
}

static struct waiting *wait_for(const struct turn *t, command_done_h *h,
				void *arg)
{
	struct waiting *w = calloc(1, sizeof(*w));
	int *zones = calloc(t->who->n_zones + 1, sizeof(*zones));
	int *messages = calloc(t->who->n_messages + 1, sizeof(*messages));

	if (!w || !zones || !messages) {
		free(w);
		free(zones);
		free(messages);
		return NULL;
	}
	w->s = t->s;
	w->who = *t->who;
	if (t->who->n_zones)
		memcpy(zones, t->who->zones, t->who->n_zones * sizeof(*zones));
	w->who.zones = zones;
	if (t->who->n_messages)
		memcpy(messages, t->who->messages,
		       t->who->n_messages * sizeof(*messages));
	w->who.messages = messages;
	w->who.actor = strdup(t->who->actor);
	snprintf(w->verb, sizeof(w->verb), "%s", t->verb);
	w->name = t->name ? strdup(t->name) : NULL;
	w->args = json_incref(t->args);
	w->generation = announce_generation(t->s->announce);
	w->h = h;
	w->arg = arg;
	if (!w->who.actor || (t->name && !w->name)) {
		waiting_free(w);
		return NULL;
	}
	return w;
}

static void on_said(const struct announced *said, void *arg)
{
	struct waiting *w = arg;
	struct announce_text none;
	json_t *reply = NULL;
	struct refusal no = {0};
	struct turn t = {w->s,   &w->who, w->verb, w->name, w->args,
			 &reply, &no,     said,    &none};
	int status;

	/* Numbers mean something else under another configuration. */
	if ((w->who.n_zones || w->who.n_messages) &&
	    w->generation != announce_generation(w->s->announce))
		status = command_refuse(
			&t, 409, "changed", NULL,
			"the configuration changed meanwhile; ask "
			"again");
	else
		status = run(&t);
	w->h(status, reply, &no, w->arg);
	waiting_free(w);
}

void commands_ask(const struct command_scope *s, const struct caller *who,
		  const char *verb, const char *name, json_t *args,
		  command_done_h *h, void *arg)
{
	struct announce_text text = {0};
	json_t *reply = NULL;
	struct refusal no = {0};
	struct turn t = {s,    who,  verb,
			 name, args, &reply,
			 &no,  NULL, s->announce ? &text : NULL};
	struct waiting *w;
	int status = run(&t);

	if (status != COMMAND_LATER) {
		h(status, reply, &no, arg);
		return;
	}
	w = wait_for(&t, h, arg);
	if (!w)
		reason_set(&no.why, ENOMEM, "not enough memory");
	else if (!announce_say(s->announce, &text, on_said, w, &no.why))
		return;
	if (w)
		waiting_free(w);
	no.code = "busy";
	h(503, NULL, &no, arg);
}
