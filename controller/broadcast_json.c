/* How broadcasts are shown: in the API, over MQTT, in causes. */
#include "broadcast_internal.h"

#include "controller/base/clock.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char *state_name(enum arb_state s)
{
	switch (s) {
	case ARB_PLAY:
		return "playing";
	case ARB_PARTIAL:
		return "partial";
	case ARB_OVERRIDDEN:
		return "overridden";
	case ARB_WAIT:
		return "waiting";
	case ARB_END:
		break;
	}
	return "ended";
}

const char *broadcast_title(const struct broadcasts *b, uint64_t id)
{
	static char text[200];
	const struct broadcast *x = id ? broadcast_find(b, id) : NULL;

	if (!x)
		return "";
	snprintf(text, sizeof(text), "%s (%s) by %s", x->what,
		 config_level_name(b->config, x->level), x->actor);
	return text;
}

size_t broadcast_count(const struct broadcasts *b)
{
	return b->n;
}

static json_t *brief(const struct broadcasts *b, const struct broadcast *x)
{
	char since[CLOCK_TEXT_SIZE];

	return json_pack(
		"{s:I,s:s,s:s*,s:s,s:i,s:s,s:s,s:b}", "id", (json_int_t)x->id,
		"what", x->what, "message",
		/* A text's name is of use to a restart only. */
		*x->message && strncmp(x->message, "text:", 5) ? x->message
							       : NULL,
		"priority", config_level_name(b->config, x->level), "level",
		x->level, "actor", x->actor, "since",
		clock_format(since, x->since_wall_us), "live", x->live);
}

static json_t *full(const struct broadcasts *b, const struct broadcast *x)
{
	json_t *o = brief(b, x), *zones = json_array();

	for (size_t i = 0; i < x->n_zones; i++)
		json_array_append_new(zones, json_string(x->zones[i]));
	json_object_set_new(o, "zones", zones);
	json_object_set_new(o, "state", json_string(state_name(x->row.state)));
	if (x->row.cause != ARB_CAUSE_NONE)
		json_object_set_new(o, "cause",
				    json_string(arbiter_cause(x->row.cause)));
	if (x->row.by)
		json_object_set_new(o, "by",
				    json_integer((json_int_t)x->row.by));
	json_object_set_new(o, "event", json_integer((json_int_t)x->event));
	return o;
}

json_t *broadcasts_json(const struct broadcasts *b)
{
	json_t *a = json_array();

	for (size_t i = 0; i < b->n; i++)
		if (!b->v[i]->over)
			json_array_append_new(a, full(b, b->v[i]));
	return a;
}

json_t *broadcast_json(const struct broadcasts *b, uint64_t id)
{
	const struct broadcast *x = broadcast_find(b, id);

	return x ? full(b, x) : NULL;
}

bool broadcast_within(const struct broadcasts *b, uint64_t id, const int *zones,
		      size_t n_zones)
{
	const struct broadcast *x = broadcast_find(b, id);

	return x && config_zones_within(b->config, x->zones, x->n_zones, zones,
					n_zones);
}

static bool overlap(const struct arb_set *a, const struct arb_set *c)
{
	for (size_t i = 0; i < ARB_MAX_OUTPUTS / 64; i++)
		if (a->w[i] & c->w[i])
			return true;
	return false;
}

int broadcasts_zone_level(const struct broadcasts *b, int zone)
{
	const struct arb_set *set = sounds_zone(b->sounds, zone);
	int level = -1;

	for (size_t i = 0; i < b->n; i++) {
		const struct broadcast *x = b->v[i];

		if (!x->over && x->heard && x->level > level &&
		    overlap(&x->row.granted, set))
			level = x->level;
	}
	return level;
}

/** What all outputs of a zone are set to; null when they differ. */
static json_t *volume_json(const struct broadcasts *b, int zone)
{
	const struct arb_set *set = sounds_zone(b->sounds, zone);
	int cb = INT_MIN;

	for (unsigned i = 0; i < sounds_count(b->sounds); i++) {
		int owner = sounds_owner(b->sounds, i);

		if (owner < 0 || !arb_set_has(set, i))
			continue;
		if (cb != INT_MIN && cb != b->volume[owner])
			return json_null();
		cb = b->volume[owner];
	}
	return cb == INT_MIN ? json_null() : json_real(cb / 10.0);
}

void broadcasts_zone_json(const struct broadcasts *b, int zone, json_t *obj)
{
	const struct arb_set *set = sounds_zone(b->sounds, zone);
	const struct broadcast *top = NULL;
	json_t *waiting = json_array();
	unsigned level = 127;

	/* Shown is the most urgent that sounds anywhere in the zone. */
	for (size_t i = 0; i < b->n; i++) {
		const struct broadcast *x = b->v[i];

		if (x->over || !overlap(&x->outputs, set))
			continue;
		if (!x->heard)
			json_array_append_new(waiting,
					      json_integer((json_int_t)x->id));
		else if (overlap(&x->row.granted, set) &&
			 (!top || x->level > top->level))
			top = x;
	}
	for (unsigned i = 0; i < sounds_count(b->sounds); i++)
		if (arb_set_has(set, i)) {
			struct media_output_stats s;

			media_output_stats(b->media, i, &s);
			if (s.sounding && s.level < level)
				level = s.level;
		}
	json_object_set_new(obj, "playing", top ? brief(b, top) : json_null());
	json_object_set_new(obj, "waiting", waiting);
	json_object_set_new(obj, "level_dbfs",
			    level < 127 ? json_integer(-(int)level)
					: json_null());
	json_object_set_new(obj, "volume_db", volume_json(b, zone));
}
