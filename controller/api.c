/*
 * The HTTP API of DESIGN 6.3: routes to verbs and views. Control thread, but
 * for the journal, which is read in a web thread.
 */
#include "control_internal.h"
#include "text_json.h"

#include "message/list.h"
#include "web/openapi.h"
#include "web/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/** A path cut at its slashes: /alarms/gas/ack -> alarms, gas, ack. */
struct parts {
	char buf[256];
	const char *part[4];
	size_t n;
};

static bool cut(struct parts *r, const char *path)
{
	char *save = NULL;

	r->n = 0;
	if (strlen(path) >= sizeof(r->buf))
		return false;
	snprintf(r->buf, sizeof(r->buf), "%s", path);
	for (char *p = strtok_r(r->buf, "/", &save); p;
	     p = strtok_r(NULL, "/", &save)) {
		if (r->n == 4)
			return false;
		r->part[r->n++] = p;
	}
	return true;
}

/* ------------------------------------------------------------------ views */

/** The oldest that is no warning, else the oldest warning. */
static json_t *worst_fault(const json_t *faults)
{
	json_t *x;
	size_t i;

	json_array_foreach(faults, i, x)
	{
		const char *grade =
			json_string_value(json_object_get(x, "grade"));

		if (grade && !strcmp(grade, "fault"))
			return x;
	}
	return json_array_get(faults, 0);
}

static json_t *status_json(struct control *c)
{
	const struct config *f = c->config;
	json_t *faults = faults_json(c->faults);
	json_t *worst = worst_fault(faults);
	char now[CLOCK_TEXT_SIZE], broker[300];
	json_t *o = json_pack(
		"{s:s,s:s,s:s,s:I,s:b,s:i,s:i,s:i,s:i,s:i,s:s,s:{s:i,s:b},s:s,"
		"s:s,"
		"s:i}",
		"site", f->site, "version", TOCSIN_VERSION, "role", "active",
		"uptime_s",
		(json_int_t)((clock_mono_us() - c->started_us) / 1000000),
		"realtime", media_realtime(c->media), "zones", (int)f->n_zones,
		"outputs", (int)sounds_count(c->sounds), "broadcasts",
		(int)broadcast_count(c->broadcasts), "alarms_active",
		(int)alarms_active(c->alarms), "faults",
		(int)fault_count(c->faults), "mqtt",
		!bridge_configured(c->bridge) ? "off"
		: bridge_connected(c->bridge) ? "connected"
					      : "away",
		"sip", "calls", c->stack ? (int)stack_calls(c->stack) : 0,
		"listening", c->stack != NULL, "time",
		clock_format(now, clock_wall_us()), "mode",
		modes_now(alarms_modes(c->alarms)), "walk_tests",
		(int)walk_count(alarms_walk(c->alarms)));

	bridge_broker(c->bridge, broker);
	if (*broker)
		json_object_set_new(o, "mqtt_broker", json_string(broker));
	json_object_set(o, "worst_fault", worst ? worst : json_null());
	json_decref(faults);
	return o;
}

static json_t *zone_json(struct control *c, size_t i)
{
	const struct config_zone *z = &c->config->zones[i];
	json_t *o = json_pack("{s:s,s:s*,s:i}", "name", z->name, "extension",
			      z->extension, "outputs", (int)z->n_outputs);

	broadcasts_zone_json(c->broadcasts, (int)i, o);
	json_object_set_new(o, "quiet", quiets_zone_json(c->quiets, (int)i));
	stored_zone_json(c->stored, (int)i, o);
	return o;
}

/** Each place where the zone's sound leaves to, and what was heard of it. */
static json_t *zone_sounds_json(struct control *c, int zone)
{
	const struct arb_set *set = sounds_zone(c->sounds, zone);
	json_t *a = json_array();

	for (unsigned i = 0; i < sounds_count(c->sounds); i++) {
		struct media_output_stats s;

		if (!arb_set_has(set, i))
			continue;
		media_output_stats(c->media, i, &s);
		json_array_append_new(
			a, json_pack("{s:o,s:b,s:o,s:I,s:I,s:o,s:o}", "output",
				     text_json(sounds_name(c->sounds, i)),
				     "sounding", s.sounding, "level_dbfs",
				     s.level < MEDIA_SILENT
					     ? json_integer(-(int)s.level)
					     : json_null(),
				     "packets", (json_int_t)s.packets, "errors",
				     (json_int_t)s.errors, "heard",
				     proof_output_json(c->proof, i), "call",
				     speakers_json(c->speakers, i)));
	}
	return a;
}

static json_t *zones_json(struct control *c)
{
	json_t *a = json_array();

	for (size_t i = 0; i < c->config->n_zones; i++)
		json_array_append_new(a, zone_json(c, i));
	return a;
}

/** GET /schedules/next: ?days=7, or ?date=2026-12-24 with all that does not
 *  sound; ?all=true. Answers in any case. */
static void schedules_next(struct control *c, struct web_request *r)
{
	const char *days = web_query(r, "days"), *date = web_query(r, "date");
	const char *all = web_query(r, "all");
	int64_t t[2] = {clock_wall_us() / 1000000, 0};
	struct reason why = {""};
	char *end = NULL;
	unsigned long n = days ? strtoul(days, &end, 10) : 7;
	json_t *rows;

	if (date && !schedules_day(c->schedules, date, t)) {
		web_reply_error(r, 400, "bad-request", "date",
				"\"date\" must be one like 2026-12-24");
		return;
	}
	if (days && (!*days || *end || !n || n > SCHEDULES_MAX_DAYS)) {
		web_reply_error(r, 400, "bad-request", "days",
				"\"days\" must be 1 to %d", SCHEDULES_MAX_DAYS);
		return;
	}
	if (!date)
		t[1] = t[0] + (int64_t)n * 86400;
	rows = schedules_next_json(c->schedules, t[0], t[1],
				   all ? !strcmp(all, "true") : date != NULL,
				   &why);
	if (rows)
		web_reply(r, 200, rows);
	else
		web_reply_error(r, 503, "busy", NULL, "%s", why.text);
}

/** Calls for help first. */
static json_t *calls_json(struct control *c)
{
	json_t *a = json_array(), *pages = paging_json(c->paging);

	help_json(c->help, a);
	json_array_extend(a, pages);
	json_decref(pages);
	return a;
}

static json_t *config_json(struct control *c)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	json_t *o;

	if (!f)
		return NULL;
	config_dump(c->config, f);
	fclose(f);
	o = json_pack("{s:s%}", "config", text, n);
	free(text);
	return o;
}

static void openapi(struct web_request *r)
{
	web_reply_text(r, 200, "application/json", openapi_text());
}

static void health(struct control *c, struct web_request *r)
{
	bool ok = control_healthy(c);

	web_reply_text(r, ok ? 200 : 503, "text/plain; charset=utf-8",
		       ok ? "ok\n" : "not ok\n");
}

static void metrics(struct control *c, struct web_request *r)
{
	char *text = metrics_text(c);

	if (!text) {
		web_reply_error(r, 503, "no-memory", NULL, "not enough memory");
		return;
	}
	web_reply_text(r, 200, "text/plain; version=0.0.4; charset=utf-8",
		       text);
	free(text);
}

/* ----------------------------------------------------------------- routing */

static void not_found(struct web_request *r)
{
	web_reply_error(r, 404, "not-found", NULL,
			"there is no such resource; GET "
			"/api/v1/openapi.json lists them");
}

static void on_done(int status, json_t *reply, const struct refusal *no,
		    void *arg)
{
	struct web_request *r = arg;

	if (status >= 300)
		web_reply_error(r, status, no->code, no->field, "%s",
				no->why.text);
	else
		web_reply(r, status, reply);
}

static void verb(struct control *c, struct web_request *r, const char *name,
		 const char *verb)
{
	struct caller who = {
		.actor = r->actor,
		.role = r->role,
		.zones = r->zones,
		.n_zones = r->n_zones,
		.messages = r->messages,
		.n_messages = r->n_messages,
		.at_us = r->at_us,
	};

	commands_ask(&c->scope, &who, verb, name, r->body, on_done, r);
}

static bool get(struct control *c, struct web_request *r, const struct parts *p)
{
	const char *what = p->n ? p->part[0] : "";
	json_t *body = NULL;

	if (p->n == 2 && !strcmp(what, "zones")) {
		int z = config_zone_find(c->config, p->part[1]);

		body = z >= 0 ? zone_json(c, (size_t)z) : NULL;
		if (body)
			json_object_set_new(body, "sounds",
					    zone_sounds_json(c, z));
	} else if (p->n == 2 && !strcmp(what, "broadcasts")) {
		uint64_t id = strtoull(p->part[1], NULL, 10);

		body = broadcast_json(c->broadcasts, id);
		if (!body)
			body = stored_json(c->stored, id);
	} else if (p->n == 2 && !strcmp(what, "alarms")) {
		int a = config_alarm_find(c->config, p->part[1]);

		body = a >= 0 ? alarm_json(c->alarms, a) : NULL;
	} else if (p->n == 2 && !strcmp(what, "walk-tests")) {
		body = walk_json(alarms_walk(c->alarms),
				 strtoull(p->part[1], NULL, 10));
	} else if (p->n == 2 && !strcmp(what, "schedules") &&
		   !strcmp(p->part[1], "next")) {
		schedules_next(c, r);
		return true;
	} else if (p->n == 2 && !strcmp(what, "schedules")) {
		int s = config_schedule_find(c->config, p->part[1]);

		body = s >= 0 ? schedule_json(c->schedules, s) : NULL;
	} else if (p->n != 1) {
		return false;
	} else if (!strcmp(what, "status")) {
		body = status_json(c);
	} else if (!strcmp(what, "zones")) {
		body = zones_json(c);
	} else if (!strcmp(what, "broadcasts")) {
		body = broadcasts_json(c->broadcasts);
		stored_list_json(c->stored, body);
	} else if (!strcmp(what, "alarms")) {
		body = alarms_json(c->alarms);
	} else if (!strcmp(what, "mode")) {
		body = modes_json(alarms_modes(c->alarms));
	} else if (!strcmp(what, "walk-tests")) {
		body = walks_json(alarms_walk(c->alarms));
	} else if (!strcmp(what, "inputs")) {
		body = field_inputs_json(c->field);
	} else if (!strcmp(what, "outputs")) {
		body = field_outputs_json(c->field);
	} else if (!strcmp(what, "tones")) {
		body = message_tones_json();
	} else if (!strcmp(what, "sources")) {
		body = sources_json(c->sources);
	} else if (!strcmp(what, "music")) {
		body = musics_json(c->musics);
	} else if (!strcmp(what, "interfaces")) {
		body = proof_interfaces_json(c->proof);
	} else if (!strcmp(what, "schedule-changes")) {
		body = schedules_changes_json(c->schedules);
	} else if (!strcmp(what, "schedules")) {
		body = schedules_json(c->schedules);
	} else if (!strcmp(what, "calendars")) {
		body = schedules_calendars_json(c->schedules);
	} else if (!strcmp(what, "faults")) {
		body = faults_json(c->faults);
	} else if (!strcmp(what, "webhooks")) {
		body = webhooks_json(c->webhooks);
	} else if (!strcmp(what, "notify")) {
		body = notify_json(c->notify);
	} else if (!strcmp(what, "cap")) {
		body = caps_json(c->caps);
	} else if (!strcmp(what, "accounts")) {
		body = accounts_json(c->accounts);
	} else if (!strcmp(what, "lamps")) {
		body = lamps_seen_json(c->lamps);
	} else if (!strcmp(what, "endpoints")) {
		body = endpoints_json(c->endpoints);
	} else if (!strcmp(what, "calls")) {
		body = calls_json(c);
	} else if (!strcmp(what, "summons")) {
		body = summons_json(c->summons);
	} else if (!strcmp(what, "config")) {
		body = config_json(c);
	} else if (!strcmp(what, "tokens")) {
		body = tokens_json(c);
	} else if (!strcmp(what, "openapi.json")) {
		openapi(r);
		return true;
	}
	if (!body)
		return false;
	web_reply(r, 200, body);
	return true;
}

static void reload(struct control *c, struct web_request *r)
{
	record(c->recorder, EVENT_COMMAND, 0, "config", r->actor, NULL,
	       "reload asked for by %s", r->actor);
	control_reload(c);
	web_reply(r, 202, json_pack("{s:s}", "state", "loading"));
}

/** Runs the verb of a route on what its path names. */
static void run_verb(struct control *c, struct web_request *r,
		     const struct route *route, const char *name)
{
	char part[256];

	if (name)
		snprintf(part, sizeof(part), "%.*s", (int)strcspn(name, "/"),
			 name);
	verb(c, r, name ? part : NULL, route->verb);
}

void api_request(struct web_request *r, void *arg)
{
	struct control *c = arg;
	const char *name;
	const struct route *route = route_find(r->method, r->path, &name);
	struct parts p;
	bool known = false;

	if (!strcmp(r->path, "/healthz")) {
		health(c, r);
		return;
	}
	if (!strcmp(r->path, "/metrics")) {
		metrics(c, r);
		return;
	}
	if (!strncmp(r->path, "/hooks/", 7) && !strcmp(r->method, "POST")) {
		webhooks_request(c->webhooks, r);
		return;
	}
	if (!route || !cut(&p, r->path)) {
		not_found(r);
		return;
	}
	if (route->verb) {
		run_verb(c, r, route, name);
		return;
	}
	if (p.n == 1 && !strcmp(p.part[0], "session")) {
		known = session_request(c, r);
	} else if (p.n && !strcmp(p.part[0], "messages")) {
		known = messages_request(c, r, p.part, p.n);
	} else if (p.n && !strcmp(p.part[0], "sip")) {
		known = api_sip(c, r, p.part, p.n);
	} else if (!strcmp(r->method, "GET")) {
		known = get(c, r, &p);
	} else if (!strcmp(r->path, "/reload")) {
		reload(c, r);
		known = true;
	}
	if (!known)
		not_found(r);
}

/* ----------------------------------------------------------------- journal */

const char *const api_blocking_paths[] = {"/journal", NULL};

static int bad(json_t **body, const char *field, const char *text)
{
	*body = json_pack("{s:{s:s,s:s,s:s}}", "error", "code", "bad-request",
			  "message", text, "field", field);
	return 400;
}

/** RFC 3339 in UTC or seconds since 1970 -> microseconds; -1 when neither. */
static int64_t parse_time(const char *text)
{
	struct tm tm = {0};
	char *end;
	double v;

	end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (end) {
		if (*end == '.')
			end += 1 + strspn(end + 1, "0123456789");
		return strcmp(end, "Z") && *end
			       ? -1
			       : (int64_t)timegm(&tm) * 1000000;
	}
	v = strtod(text, &end);
	return *end || !(v >= 0) || v > 1e11 ? -1 : (int64_t)(v * 1e6);
}

int api_blocking(const struct web_request *r, json_t **body, void *arg)
{
	struct control *c = arg;
	struct journal_query q = {.limit = 100, .newest_first = true};
	const char *v;
	struct reason why = {""};
	char *end;

	v = web_query(r, "after");
	if (v) {
		q.after = strtoull(v, &end, 10);
		q.newest_first = false;
		if (*end || !*v)
			return bad(body, "after", "\"after\" must be an id");
	}
	v = web_query(r, "since");
	if (v) {
		q.since_us = parse_time(v);
		if (q.since_us < 0)
			return bad(body, "since",
				   "\"since\" must be a time in UTC like "
				   "2026-11-23T06:55:00Z or seconds since "
				   "1970");
	}
	v = web_query(r, "limit");
	if (v) {
		unsigned long n = strtoul(v, &end, 10);

		if (*end || !n || n > JOURNAL_LIMIT)
			return bad(body, "limit",
				   "\"limit\" must be 1 to 1000");
		q.limit = (uint32_t)n;
	}
	v = web_query(r, "type");
	if (v)
		snprintf(q.type, sizeof(q.type), "%s", v);
	v = web_query(r, "subject");
	if (v)
		snprintf(q.subject, sizeof(q.subject), "%s", v);
	if (!c->journal || journal_query(c->journal, &q, body, &why)) {
		*body = json_pack(
			"{s:{s:s,s:s}}", "error", "code", "journal", "message",
			c->journal ? why.text : "the journal is not open");
		return 503;
	}
	return 200;
}
