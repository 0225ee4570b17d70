#include "changes.h"

#include "controller/base/clock.h"
#include "scheduler/civil.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"bell", "move", "day-type"};

struct change *change_alloc(enum change_kind kind, size_t n_zones)
{
	struct change *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->kind = kind;
	c->schedule_i = -1;
	c->zones = calloc(n_zones + 1, sizeof(*c->zones));
	c->zone_i = calloc(n_zones + 1, sizeof(*c->zone_i));
	if (!c->zones || !c->zone_i)
		return change_free(c);
	return c;
}

struct change *change_free(struct change *c)
{
	if (!c)
		return NULL;
	free(c->zones);
	free(c->zone_i);
	free(c);
	return NULL;
}

void change_resolve(struct change *c, const struct config *config)
{
	c->schedule_i =
		*c->schedule ? config_schedule_find(config, c->schedule) : -1;
	c->n_zone_i = 0;
	for (size_t i = 0; i < c->n_zones; i++) {
		const int z = config_zone_find(config, c->zones[i]);

		if (z >= 0)
			c->zone_i[c->n_zone_i++] = z;
	}
}

/* ------------------------------------------------------------------- state */

static void take_text(char *to, size_t size, const json_t *o,
		      const char *member)
{
	const char *s = json_string_value(json_object_get(o, member));

	snprintf(to, size, "%s", s ? s : "");
}

static int64_t take_number(const json_t *o, const char *member)
{
	return json_integer_value(json_object_get(o, member));
}

struct change *change_read(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);
	json_t *zones = json_object_get(o, "zones"), *z;
	const char *kind = json_string_value(json_object_get(o, "kind"));
	struct change *c = NULL;
	size_t i;

	for (int k = 0; kind && k < 3; k++)
		if (!strcmp(kind, kinds[k]) &&
		    json_array_size(zones) <= CHANGES_MAX_ZONES)
			c = change_alloc((enum change_kind)k,
					 json_array_size(zones));
	if (c) {
		take_text(c->actor, sizeof(c->actor), o, "actor");
		take_text(c->schedule, sizeof(c->schedule), o, "schedule");
		take_text(c->message, sizeof(c->message), o, "message");
		take_text(c->day_type, sizeof(c->day_type), o, "day_type");
		json_array_foreach(zones, i, z)
			snprintf(c->zones[c->n_zones++], CONFIG_MAX_NAME, "%s",
				 json_is_string(z) ? json_string_value(z) : "");
		c->id = (uint32_t)take_number(o, "id");
		c->made = take_number(o, "made");
		c->at = take_number(o, "at");
		c->from = take_number(o, "from");
		c->level = (uint8_t)take_number(o, "level");
		c->for_ms = (uint32_t)take_number(o, "for_ms");
		c->first = take_number(o, "first");
		c->last = take_number(o, "last");
	}
	json_decref(o);
	return c;
}

static json_t *zones_json(const struct change *c)
{
	json_t *a = json_array();

	for (size_t i = 0; i < c->n_zones; i++)
		json_array_append_new(a, json_string(c->zones[i]));
	return a;
}

char *change_write(const struct change *c)
{
	json_t *o = json_pack(
		"{s:s,s:I,s:s,s:I,s:I,s:s,s:I,s:s,s:o,s:i,s:I,s:s,s:I,s:I}",
		"kind", kinds[c->kind], "id", (json_int_t)c->id, "actor",
		c->actor, "made", (json_int_t)c->made, "at", (json_int_t)c->at,
		"schedule", c->schedule, "from", (json_int_t)c->from, "message",
		c->message, "zones", zones_json(c), "level", (int)c->level,
		"for_ms", (json_int_t)c->for_ms, "day_type", c->day_type,
		"first", (json_int_t)c->first, "last", (json_int_t)c->last);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return text;
}

/* -------------------------------------------------------------------- views */

static void set_time(json_t *o, const char *utc_name, const char *local_name,
		     int64_t at, const struct tz *tz)
{
	char utc[CLOCK_TEXT_SIZE], local[CIVIL_TEXT];

	json_object_set_new(o, utc_name,
			    json_string(clock_format(utc, at * 1000000)));
	json_object_set_new(o, local_name,
			    json_string(civil_text(local, tz_local(tz, at))));
}

static void set_day(json_t *o, const char *name, int64_t day)
{
	char text[CIVIL_TEXT];

	json_object_set_new(
		o, name,
		json_sprintf("%.10s", civil_text(text, day * CIVIL_DAY)));
}

json_t *change_json(const struct change *c, const struct tz *tz)
{
	char made[CLOCK_TEXT_SIZE];
	json_t *o = json_pack("{s:I,s:s,s:s,s:s}", "id", (json_int_t)c->id,
			      "kind", kinds[c->kind], "actor", c->actor, "made",
			      clock_format(made, c->made * 1000000));

	if (c->kind == CHANGE_DAY_TYPE) {
		json_object_set_new(o, "day_type", json_string(c->day_type));
		set_day(o, "first", c->first);
		set_day(o, "last", c->last);
		return o;
	}
	set_time(o, "time", "local", c->at, tz);
	json_object_set_new(o, "message", json_string(c->message));
	json_object_set_new(o, "zones", zones_json(c));
	json_object_set_new(o, "level", json_integer(c->level));
	if (c->for_ms)
		json_object_set_new(o, "for_ms", json_integer(c->for_ms));
	if (c->kind == CHANGE_MOVE) {
		json_object_set_new(o, "schedule", json_string(c->schedule));
		set_time(o, "from", "from_local", c->from, tz);
	}
	return o;
}

int64_t change_end(const struct change *c, const struct tz *tz)
{
	int64_t at[2];

	if (c->kind != CHANGE_DAY_TYPE)
		return c->from > c->at ? c->from : c->at;
	/* Schedules of a zone further west still have that day. */
	tz_utc(tz, (c->last + 1) * CIVIL_DAY, at);
	return at[1] + CIVIL_DAY;
}

/* --------------------------------------------------------------------- list */

bool changes_put(struct changes *s, struct change *c)
{
	size_t i = s->n;

	if (s->n == CHANGES_MAX)
		return false;
	/* What was kept comes in any order. */
	for (; i && s->v[i - 1]->id > c->id; i--)
		s->v[i] = s->v[i - 1];
	s->v[i] = c;
	s->n++;
	if (c->id > s->last)
		s->last = c->id;
	return true;
}

int changes_find(const struct changes *s, uint32_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i]->id == id)
			return (int)i;
	return -1;
}

void changes_drop(struct changes *s, size_t i)
{
	change_free(s->v[i]);
	memmove(&s->v[i], &s->v[i + 1], (--s->n - i) * sizeof(s->v[0]));
}

void changes_reset(struct changes *s)
{
	while (s->n)
		changes_drop(s, s->n - 1);
}
