#include "view.h"

#include "controller/base/clock.h"
#include "kept.h"
#include "scheduler/civil.h"
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** How far a schedule is looked ahead for its next bell. Years. */
#define YEARS 12
/** Days looked through for bells that meet, and most told. */
#define MEET_DAYS 14
#define MEET_MAX 20

static json_t *zones_json(const struct config *c, const int *v, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_string(c->zones[v[i]].name));
	return a;
}

static const char *zone_name(const struct config *c, int schedule)
{
	const char *own = c->schedules[schedule].timezone;

	return own ? own : c->timezone;
}

/** First bell that sounds after `now`; 0 = none within YEARS. */
static int64_t next_bell(const struct timetable *t, int schedule, int64_t now,
			 struct bell *found)
{
	static const int days[] = {2, 9, 62, 366};
	const size_t steps = sizeof(days) / sizeof(*days) + YEARS - 1;
	int64_t from = now;

	for (size_t k = 0; k < steps; k++) {
		const int64_t to = from + (k < 4 ? days[k] : 366) * CIVIL_DAY;
		struct bell *v = NULL;
		size_t n = 0;
		int err = timetable_expand(t, schedule, from, to, &v, &n);

		for (size_t i = 0; i < n; i++)
			if (v[i].verdict == BELL_RINGS) {
				*found = v[i];
				free(v);
				return found->at;
			}
		free(v);
		if (err)
			return 0;
		from = to;
	}
	return 0;
}

json_t *view_schedule(const struct timetable *t, const struct config *c,
		      int schedule, int64_t now)
{
	const struct config_schedule *s = &c->schedules[schedule];
	const int64_t skip = timetable_skipped(t, (size_t)schedule);
	char utc[CLOCK_TEXT_SIZE], local[CIVIL_TEXT], until[CLOCK_TEXT_SIZE];
	struct bell b;
	const bool any = next_bell(t, schedule, now, &b) != 0;

	return json_pack(
		"{s:s,s:s*,s:o,s:s,s:i,s:s*,s:s*,s:s*,s:s*}", "name", s->name,
		"message",
		s->n_message ? c->messages[s->message[0]].name : NULL, "zones",
		zones_json(c, s->zones, s->n_zones), "priority",
		config_level_name(c, s->level), "level", s->level, "timezone",
		zone_name(c, schedule), "next",
		any ? clock_format(utc, b.at * 1000000) : NULL, "next_local",
		any ? civil_text(local,
				 tz_local(timetable_zone(t, (size_t)schedule),
					  b.at))
		    : NULL,
		"skipped_until",
		skip > now ? clock_format(until, skip * 1000000) : NULL);
}

static json_t *bell_json(const struct timetable *t, const struct config *c,
			 const struct bell *b)
{
	char utc[CLOCK_TEXT_SIZE], local[CIVIL_TEXT], why[256];

	return json_pack(
		"{s:s*,s:s,s:s,s:s*,s:s,s:s,s:s*,s:o,s:s}", "schedule",
		b->schedule >= 0 ? c->schedules[b->schedule].name : NULL,
		"time", clock_format(utc, b->at * 1000000), "local",
		civil_text(local, tz_local(bell_zone(t, b), b->at)), "timezone",
		b->schedule >= 0 ? zone_name(c, b->schedule) : c->timezone,
		"verdict", bell_verdict_name(b->verdict), "why",
		timetable_why(t, b, why, sizeof(why)), "message",
		bell_message(t, b), "zones",
		zones_json(c, b->zones, b->n_zones), "priority",
		config_level_name(c, b->level));
}

json_t *view_bells(const struct timetable *t, const struct config *c,
		   int64_t t1, int64_t t2, bool all, size_t max,
		   struct reason *why)
{
	json_t *a = json_array();
	int64_t from = t1;

	/* Day by day, so that a dense plan is cut, not refused. */
	while (from < t2 && json_array_size(a) < max) {
		const int64_t to =
			from + CIVIL_DAY < t2 ? from + CIVIL_DAY : t2;
		struct bell *v = NULL;
		size_t n = 0;
		int err = timetable_expand(t, -1, from, to, &v, &n);

		if (err) {
			json_decref(a);
			reason_set(why, err, "%s",
				   err == E2BIG ? "too many bells in a day"
						: "not enough memory");
			return NULL;
		}
		for (size_t i = 0; i < n && json_array_size(a) < max; i++)
			if (all || v[i].verdict == BELL_RINGS)
				json_array_append_new(a,
						      bell_json(t, c, &v[i]));
		free(v);
		from = to;
	}
	return a;
}

bool view_day(const struct timetable *t, const char *date, int64_t at[2])
{
	int y, m, d, used = 0;
	int64_t two[2];

	if (sscanf(date, "%4d-%2d-%2d%n", &y, &m, &d, &used) != 3 ||
	    used != 10 || date[used] || !civil_valid(y, m, d) ||
	    y < RECUR_FIRST_YEAR || y > RECUR_LAST_YEAR)
		return false;
	/* A look begins behind its first instant. */
	tz_utc(timetable_site_zone(t), civil_day(y, m, d) * CIVIL_DAY, two);
	at[0] = two[0] - 1;
	tz_utc(timetable_site_zone(t), civil_day(y, m, d + 1) * CIVIL_DAY, two);
	at[1] = two[0] - 1;
	return true;
}

/* ------------------------------------------------------------------- checks */

struct plan {
	const struct config *c;
	struct timetable *t;
	struct calendar **cal;
	bool *unread; /**< its text is not there */
};

static void plan_reset(struct plan *p)
{
	timetable_free(p->t);
	for (size_t i = 0; p->cal && i < p->c->n_calendars; i++)
		calendar_free(p->cal[i]);
	free(p->cal);
	free(p->unread);
}

/** Reads every calendar here and now; *bad counts the files that are none. */
static int plan_make(struct plan *p, const struct config *c, bool strict,
		     config_error_h *h, void *arg, size_t *bad)
{
	struct reason why = {""};
	int err;

	*p = (struct plan){.c = c};
	p->cal = calloc(c->n_calendars + 1, sizeof(struct calendar *));
	p->unread = calloc(c->n_calendars + 1, sizeof(bool));
	if (!p->cal || !p->unread)
		return ENOMEM;
	err = timetable_alloc(&p->t, c, &why);
	if (err) {
		h(&(struct config_where){0}, why.text, arg);
		return err == ENOMEM ? err : EINVAL;
	}
	for (size_t i = 0; i < c->n_calendars; i++) {
		const struct config_calendar *x = &c->calendars[i];
		struct source_result r = {0};
		char text[800];
		struct source s;

		if (source_init(&s, x, c->state_dir))
			return ENOMEM;
		if (!x->url)
			source_read(&s, false, false, &r);
		p->unread[i] = x->url || !r.calendar;
		if (*r.error) {
			snprintf(text, sizeof(text), "%scalendar \"%s\": %s",
				 strict ? "" : "warning: ", x->name, r.error);
			h(&x->at, text, arg);
			*bad += strict;
		}
		if (!r.calendar)
			source_cached(&s, &r);
		p->cal[i] = r.calendar;
		timetable_calendar(p->t, i, r.calendar);
		source_reset(&s);
	}
	return 0;
}

/** How long a bell sounds, in seconds. */
static int64_t length_of(const struct config *c, struct library *l,
			 const struct bell *b)
{
	const char *name = c->messages[b->message].name;
	const struct clip *clip = library_message(l, name);
	const uint32_t cycles = library_cycles(l, name);
	const uint32_t most = c->schedules[b->schedule].for_ms;
	uint64_t ms =
		clip ? (uint64_t)clip_ms(clip) * (cycles ? cycles : 1) : 0;

	if (most && (!cycles || most < ms))
		ms = most;
	return (int64_t)(ms + 999) / 1000;
}

static bool share(const struct config *c, const struct bell *a,
		  const struct bell *b, const char **zone)
{
	for (size_t i = 0; i < a->n_zones; i++)
		for (size_t k = 0; k < b->n_zones; k++) {
			const struct media_set *x =
				&c->zones[a->zones[i]].outputs;
			const struct media_set *y =
				&c->zones[b->zones[k]].outputs;

			for (size_t w = 0; w < sizeof(x->w) / sizeof(x->w[0]);
			     w++)
				if (x->w[w] & y->w[w]) {
					*zone = c->zones[a->zones[i]].name;
					return true;
				}
		}
	return false;
}

static void check_meeting(const struct plan *p, struct library *l, int64_t now,
			  config_error_h *h, void *arg)
{
	const struct config *c = p->c;
	const uint8_t music = c->levels[CLASS_MUSIC];
	struct {
		int a, b;
	} told[MEET_MAX];
	struct bell *v = NULL;
	size_t n = 0, n_told = 0;

	if (timetable_expand(p->t, -1, now, now + MEET_DAYS * CIVIL_DAY, &v,
			     &n) == E2BIG)
		timetable_expand(p->t, -1, now, now + CIVIL_DAY, &v, &n);
	for (size_t i = 0; i < n; i++) {
		int64_t end;

		if (v[i].verdict != BELL_RINGS || v[i].level <= music)
			continue;
		end = v[i].at + length_of(c, l, &v[i]);
		for (size_t k = i + 1;
		     k < n && v[k].at < end && n_told < MEET_MAX; k++) {
			const struct config_schedule *a =
				&c->schedules[v[i].schedule];
			const struct config_schedule *b =
				&c->schedules[v[k].schedule];
			char local[CIVIL_TEXT], text[512];
			const char *zone;
			bool known = false;

			if (v[k].verdict != BELL_RINGS || v[k].level <= music ||
			    !share(c, &v[i], &v[k], &zone))
				continue;
			for (size_t j = 0; j < n_told; j++)
				known |= told[j].a == v[i].schedule &&
					 told[j].b == v[k].schedule;
			if (known)
				continue;
			told[n_told].a = v[i].schedule;
			told[n_told++].b = v[k].schedule;
			civil_text(
				local,
				tz_local(timetable_zone(p->t,
							(size_t)v[k].schedule),
					 v[k].at));
			snprintf(text, sizeof(text),
				 "warning: schedule \"%s\" still sounds in "
				 "zone \"%s\" when \"%s\" (%s:%d) begins on "
				 "%s: %s",
				 a->name, zone, b->name, b->at.file, b->at.line,
				 local,
				 v[k].level > v[i].level ? "it is cut off"
				 : b->busy == BUSY_DROP  ? "that one is dropped"
							 : "that one waits");
			h(&a->at, text, arg);
		}
	}
	free(v);
}

static void check_never(const struct plan *p, int64_t now, config_error_h *h,
			void *arg)
{
	for (size_t i = 0; i < p->c->n_schedules; i++) {
		const struct config_schedule *s = &p->c->schedules[i];
		bool unread = s->n_events && p->unread[s->events[0]];
		char text[256];
		struct bell b;

		for (size_t k = 0; k < s->n_only_on; k++)
			unread |= p->unread[s->only_on[k]];
		for (size_t k = 0; s->n_day_types && k < p->c->n_calendars; k++)
			unread |= p->unread[k];
		if (unread || next_bell(p->t, (int)i, now, &b))
			continue;
		snprintf(text, sizeof(text),
			 "warning: schedule \"%s\" never sounds in the next %d "
			 "years",
			 s->name, YEARS);
		h(&s->at, text, arg);
	}
}

int view_check(const struct config *c, struct library *l, bool strict,
	       config_error_h *h, void *arg)
{
	const int64_t now = clock_wall_us() / 1000000;
	struct plan p;
	size_t bad = 0;
	int err = plan_make(&p, c, strict, h, arg, &bad);

	if (!err && !bad) {
		check_never(&p, now, h, arg);
		check_meeting(&p, l, now, h, arg);
	}
	plan_reset(&p);
	return err ? err : bad ? EINVAL : 0;
}

static void on_problem(const struct config_where *at, const char *text,
		       void *arg)
{
	(void)arg;
	if (at->file)
		fprintf(stderr, "%s:%d: ", at->file, at->line);
	fprintf(stderr, "%s\n", text);
}

int view_dry_run(const struct config *c, const char *date, FILE *f)
{
	struct changes changes = {.n = 0};
	struct reason unread = {""};
	struct plan p;
	struct bell *v = NULL;
	size_t n = 0, bad = 0;
	int64_t day[2];
	int err = plan_make(&p, c, false, on_problem, NULL, &bad);

	if (!err && !view_day(p.t, date, day)) {
		fprintf(stderr,
			"tocsind: \"%s\" is no date; write it like "
			"2026-12-24\n",
			date);
		err = EINVAL;
	}
	/* Told only: the plan itself is good. */
	if (!err && kept_read(c, p.t, &changes, &unread))
		fprintf(stderr,
			"tocsind: what was changed by hand is not shown: %s\n",
			unread.text);
	if (!err)
		err = timetable_expand(p.t, -1, day[0], day[1], &v, &n);
	for (size_t i = 0; i < n; i++) {
		const struct config_schedule *s =
			v[i].schedule >= 0 ? &c->schedules[v[i].schedule]
					   : NULL;
		const char *zone = s && s->timezone ? s->timezone : "";
		const char *message = bell_message(p.t, &v[i]);
		char local[CIVIL_TEXT], why[256];

		fprintf(f, "%s%s%s  %s  %s: %s: %s\n",
			civil_text(local,
				   tz_local(bell_zone(p.t, &v[i]), v[i].at)),
			*zone ? " " : "", zone,
			v[i].verdict == BELL_RINGS ? "sounds" : "silent",
			s ? s->name : "one-off", message ? message : "-",
			timetable_why(p.t, &v[i], why, sizeof(why)));
	}
	if (!err && !n)
		fprintf(f, "nothing is planned on %s\n", date);
	free(v);
	plan_reset(&p);
	changes_reset(&changes);
	return err;
}
