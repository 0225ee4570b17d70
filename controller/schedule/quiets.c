#include "quiets.h"

#include "controller/base/clock.h"
#include "hours.h"
#include "scheduler/civil.h"
#include "zonefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hours {
	struct tz *tz; /**< NULL = no quiet hours */
	const struct quiet *now;
	struct window_span span;
};

struct quiets {
	struct broadcasts *broadcasts;
	struct schedules *schedules;
	struct recorder *recorder;
	const struct config *config;
	struct hours *v; /**< one per zone */
	size_t n;
	struct hours_look look;
};

int quiets_alloc(struct quiets **qp, struct broadcasts *b, struct schedules *s,
		 struct recorder *r)
{
	struct quiets *q = calloc(1, sizeof(*q));

	if (!q)
		return ENOMEM;
	q->broadcasts = b;
	q->schedules = s;
	q->recorder = r;
	*qp = q;
	return 0;
}

static void drop(struct hours *v, size_t n)
{
	for (size_t i = 0; v && i < n; i++)
		tz_free(v[i].tz);
	free(v);
}

struct quiets *quiets_free(struct quiets *q)
{
	if (!q)
		return NULL;
	drop(q->v, q->n);
	free(q);
	return NULL;
}

int quiets_configure(struct quiets *q, const struct config *c,
		     struct reason *why)
{
	struct hours *v = calloc(c->n_zones + 1, sizeof(*v));
	int err = v ? 0 : reason_set(why, ENOMEM, "not enough memory");

	for (size_t i = 0; !err && i < c->n_zones; i++) {
		const struct config_zone *z = &c->zones[i];

		if (!z->n_quiet)
			continue;
		v[i].tz = zonefile_load(z->timezone ? z->timezone : c->timezone,
					why);
		err = v[i].tz ? 0 : ENOENT;
	}
	if (err) {
		drop(v, c->n_zones);
		return err;
	}
	drop(q->v, q->n);
	q->v = v;
	q->n = c->n_zones;
	q->config = c;
	q->look.next = 0;
	quiets_watch(q);
	return 0;
}

static const char *on_type(int64_t day, void *arg)
{
	const struct quiets *q = arg;

	return schedules_day_type(q->schedules, day);
}

static void tell(struct quiets *q, size_t zone, const struct quiet *was)
{
	const struct config_zone *z = &q->config->zones[zone];
	const struct hours *h = &q->v[zone];
	char subject[CONFIG_MAX_NAME + 8], text[QUIET_TEXT], until[CIVIL_TEXT];

	snprintf(subject, sizeof(subject), "zone:%s", z->name);
	if (h->now)
		record(q->recorder, EVENT_ZONE_QUIET, 0, subject, "clock",
		       quiets_zone_json(q, (int)zone),
		       "quiet hours of zone %s: %s, until %s", z->name,
		       quiet_text(text, h->now),
		       civil_text(until, tz_local(h->tz, h->span.end)));
	else
		record(q->recorder, EVENT_ZONE_QUIET, 0, subject, "clock", NULL,
		       "quiet hours of zone %s are over: %s", z->name,
		       quiet_text(text, was));
}

static void look(struct quiets *q, size_t zone, int64_t now)
{
	const struct config_zone *z = &q->config->zones[zone];
	struct hours *h = &q->v[zone];
	const struct quiet_volume none = {.on = false};
	const struct quiet *was = h->now;

	if (!h->tz)
		return;
	/* By a clock that cannot be right nothing is made softer. */
	h->now = schedules_clock_good(q->schedules)
			 ? quiet_find(z->quiet, z->n_quiet, h->tz, now, on_type,
				      q, &h->span)
			 : NULL;
	for (size_t i = 0; i < z->n_quiet; i++)
		hours_until(&q->look, &z->quiet[i].window, h->tz);
	broadcasts_quiet(q->broadcasts, (int)zone,
			 h->now ? &h->now->volume : &none);
	if (was != h->now)
		tell(q, zone, was);
}

void quiets_watch(struct quiets *q)
{
	const int64_t now = clock_wall_us() / 1000000;

	if (!q->config || !hours_due(&q->look, now))
		return;
	for (size_t i = 0; i < q->n; i++)
		look(q, i, now);
}

json_t *quiets_zone_json(const struct quiets *q, int zone)
{
	const struct hours *h = &q->v[zone];
	char window[WINDOW_TEXT], until[CLOCK_TEXT_SIZE];

	if (!h->now)
		return json_null();
	return json_pack("{s:s,s:f,s:s}", "window",
			 window_text(window, &h->now->window),
			 h->now->volume.ceiling ? "ceiling_db" : "volume_db",
			 h->now->volume.cb / 10.0, "until",
			 clock_format(until, h->span.end * 1000000));
}
