#include "timetable.h"

#include "days.h"
#include "scheduler/civil.h"
#include "zonefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Ranges of days of one look. */
#define MAX_RANGES 4096

struct entry {
	struct tz *tz; /**< NULL = the site's */
	struct recur *recur;
	int64_t skip_until;
};

struct timetable {
	const struct config *c;
	struct tz *site;
	struct entry *v;
	const struct calendar **cal;
	const struct changes *changes;
};

/** Events of all calendars around the time of a look. */
struct spans {
	struct calendar_span *v;
	size_t n;
};

struct look {
	const struct timetable *t;
	int64_t t1, t2;
	struct spans *span; /**< one per calendar */
	struct bell *v;
	size_t n, room;
	int err;
};

int timetable_alloc(struct timetable **tp, const struct config *c,
		    struct reason *why)
{
	struct timetable *t = calloc(1, sizeof(*t));
	int err = ENOMEM;

	if (!t)
		return reason_set(why, ENOMEM, "not enough memory");
	t->c = c;
	t->v = calloc(c->n_schedules + 1, sizeof(*t->v));
	t->cal = calloc(c->n_calendars + 1, sizeof(*t->cal));
	t->site = zonefile_load(c->timezone, why);
	if (!t->site)
		err = ENOENT;
	else if (t->v && t->cal)
		err = 0;
	for (size_t i = 0; i < c->n_schedules && !err; i++) {
		const struct config_schedule *s = &c->schedules[i];

		if (s->timezone) {
			t->v[i].tz = zonefile_load(s->timezone, why);
			err = t->v[i].tz ? 0 : ENOENT;
		}
		if (!err && s->rrule)
			err = recur_parse(&t->v[i].recur, s->rrule, s->start,
					  timetable_zone(t, i), why);
	}
	if (err)
		timetable_free(t);
	else
		*tp = t;
	return err;
}

struct timetable *timetable_free(struct timetable *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; t->v && i < t->c->n_schedules; i++) {
		tz_free(t->v[i].tz);
		recur_free(t->v[i].recur);
	}
	tz_free(t->site);
	free(t->v);
	free(t->cal);
	free(t);
	return NULL;
}

void timetable_calendar(struct timetable *t, size_t i, const struct calendar *c)
{
	t->cal[i] = c;
}

void timetable_changes(struct timetable *t, const struct changes *s)
{
	t->changes = s;
}

static const struct change *change_of(const struct timetable *t,
				      const struct bell *b)
{
	return b->change >= 0 ? t->changes->v[b->change] : NULL;
}

const char *bell_message(const struct timetable *t, const struct bell *b)
{
	const struct change *c = change_of(t, b);

	if (b->message >= 0)
		return t->c->messages[b->message].name;
	return c && *c->message ? c->message : NULL;
}

const struct tz *bell_zone(const struct timetable *t, const struct bell *b)
{
	return b->schedule >= 0 ? timetable_zone(t, (size_t)b->schedule)
				: t->site;
}

void timetable_skip(struct timetable *t, size_t schedule, int64_t until)
{
	t->v[schedule].skip_until = until;
}

int64_t timetable_skipped(const struct timetable *t, size_t schedule)
{
	return t->v[schedule].skip_until;
}

const struct tz *timetable_site_zone(const struct timetable *t)
{
	return t->site;
}

const struct tz *timetable_zone(const struct timetable *t, size_t schedule)
{
	return t->v[schedule].tz ? t->v[schedule].tz : t->site;
}

/* ----------------------------------------------------------------- calendars
 */

static bool wanted(const struct config_calendar *c, const struct calendar *cal,
		   int event)
{
	/* Those written in the configuration have no line. */
	if (!c->n_match || !calendar_line(cal, event))
		return true;
	for (size_t i = 0; i < c->n_match; i++)
		if (calendar_fits(cal, event, c->match[i]))
			return true;
	return false;
}

static void load_spans(struct look *l, size_t i)
{
	const struct timetable *t = l->t;
	struct spans *s = &l->span[i];
	size_t n = 0, kept = 0;

	if (!t->cal[i])
		return;
	s->v = calloc(CALENDAR_MAX_SPANS, sizeof(*s->v));
	if (!s->v) {
		l->err = ENOMEM;
		return;
	}
	/* Whole days are compared as days: a zone may be a day away. */
	l->err = calendar_expand(t->cal[i], t->site, l->t1 - 3 * CIVIL_DAY,
				 l->t2 + 3 * CIVIL_DAY, s->v,
				 CALENDAR_MAX_SPANS, &n);
	for (size_t k = 0; k < n; k++)
		if (wanted(&t->c->calendars[i], t->cal[i], s->v[k].event))
			s->v[kept++] = s->v[k];
	s->n = kept;
}

/** Does a span touch the local day of a zone? */
static bool touches(const struct calendar_span *s, const struct tz *tz,
		    int64_t day)
{
	int64_t from[2], to[2];

	if (s->whole)
		return day >= s->day && day < s->day + s->days;
	tz_utc(tz, day * CIVIL_DAY, from);
	tz_utc(tz, (day + 1) * CIVIL_DAY, to);
	return s->begin < to[0] && (s->end > from[0] || s->begin >= from[0]);
}

/** The event of a calendar that covers a bell, NULL = none. */
static const struct calendar_span *covering(const struct look *l, int calendar,
					    const struct tz *tz,
					    const struct bell *b)
{
	const struct spans *s = &l->span[calendar];
	const int64_t day = civil_day_of(tz_local(tz, b->at));

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].whole ? touches(&s->v[i], tz, day)
				  : s->v[i].begin <= b->at &&
					    (b->at < s->v[i].end ||
					     b->at == s->v[i].begin))
			return &s->v[i];
	return NULL;
}

/** Type of a bell's day and what made it so. */
static const char *day_type(const struct look *l, const struct tz *tz,
			    int64_t day, int *calendar, int *event, int *change)
{
	const struct changes *s = l->t->changes;
	const struct config *c = l->t->c;

	/* Of several the one made last. */
	for (size_t i = s ? s->n : 0; i--;)
		if (s->v[i]->kind == CHANGE_DAY_TYPE && day >= s->v[i]->first &&
		    day <= s->v[i]->last) {
			*change = (int)i;
			return s->v[i]->day_type;
		}
	for (size_t i = 0; i < c->n_calendars; i++) {
		if (!c->calendars[i].day_type)
			continue;
		for (size_t k = 0; k < l->span[i].n; k++)
			if (touches(&l->span[i].v[k], tz, day)) {
				*calendar = (int)i;
				*event = l->span[i].v[k].event;
				return c->calendars[i].day_type;
			}
	}
	return "normal";
}

const char *timetable_day_type(const struct timetable *t, int64_t day)
{
	struct look l = {
		.t = t, .t1 = day * CIVIL_DAY, .t2 = (day + 1) * CIVIL_DAY};
	int calendar, event, change;
	const char *type = "normal";

	l.span = calloc(t->c->n_calendars + 1, sizeof(*l.span));
	if (!l.span)
		return type;
	for (size_t i = 0; i < t->c->n_calendars; i++)
		if (t->c->calendars[i].day_type)
			load_spans(&l, i);
	type = day_type(&l, t->site, day, &calendar, &event, &change);
	for (size_t i = 0; i < t->c->n_calendars; i++)
		free(l.span[i].v);
	free(l.span);
	return type;
}

static bool allows(const struct config_schedule *s, const char *type)
{
	for (size_t i = 0; i < s->n_day_types; i++)
		if (!strcmp(s->day_types[i], "*") ||
		    !strcmp(s->day_types[i], type))
			return true;
	return !s->n_day_types && !strcmp(type, "normal");
}

/** Was it moved to another time? *change says by what. */
static bool moved(const struct timetable *t, const struct bell *b, int *change)
{
	for (size_t i = 0; t->changes && i < t->changes->n; i++) {
		const struct change *c = t->changes->v[i];

		if (c->kind != CHANGE_MOVE || c->schedule_i != b->schedule ||
		    c->from != b->at)
			continue;
		*change = (int)i;
		return true;
	}
	return false;
}

/** Does it sound? Sets the verdict and what decided. */
static void judge(const struct look *l, struct bell *b)
{
	const struct config_schedule *s = &l->t->c->schedules[b->schedule];
	const struct tz *tz = timetable_zone(l->t, (size_t)b->schedule);
	int calendar = -1, event = -1, change = -1;
	const char *type;

	if (b->verdict != BELL_RINGS)
		return;
	if (b->how == RULE_SKIPPED) {
		b->verdict = BELL_GAP;
		return;
	}
	type = day_type(l, tz, civil_day_of(tz_local(tz, b->at)), &calendar,
			&event, &change);
	if (!allows(s, type)) {
		b->verdict = BELL_DAY_TYPE;
		b->calendar = calendar;
		b->event = event;
		b->change = change;
		return;
	}
	for (size_t i = 0; i < s->n_except; i++) {
		const struct calendar_span *x =
			covering(l, s->except[i], tz, b);

		if (x) {
			b->verdict = BELL_EXCEPT;
			b->calendar = s->except[i];
			b->event = x->event;
			return;
		}
	}
	for (size_t i = 0; i < s->n_only_on; i++)
		if (covering(l, s->only_on[i], tz, b))
			break;
		else if (i + 1 == s->n_only_on) {
			b->verdict = BELL_NOT_ON;
			return;
		}
	if (b->at <= l->t->v[b->schedule].skip_until)
		b->verdict = BELL_SKIPPED;
	else if (moved(l->t, b, &b->change))
		b->verdict = BELL_MOVED;
}

/* ----------------------------------------------------------------- schedules
 */

static void add(struct look *l, const struct bell *b)
{
	if (l->n == TIMETABLE_MAX) {
		l->err = E2BIG;
		return;
	}
	if (l->n == l->room) {
		const size_t room = l->room ? l->room * 2 : 256;
		void *v = realloc(l->v, room * sizeof(*l->v));

		if (!v) {
			l->err = ENOMEM;
			return;
		}
		l->v = v;
		l->room = room;
	}
	l->v[l->n++] = *b;
}

/** Adds every time of a rule as a bell made after a model. */
static void add_rule(struct look *l, const struct rule *r, const struct tz *tz,
		     const struct bell *model)
{
	size_t room = 512, n = 0;
	struct rule_time *v = NULL;
	int err = E2BIG;

	while (err == E2BIG && room <= TIMETABLE_MAX * 2) {
		free(v);
		v = calloc(room, sizeof(*v));
		if (!v) {
			l->err = ENOMEM;
			return;
		}
		err = rule_expand(r, tz, l->t1, l->t2, v, room, &n);
		room *= 8;
	}
	if (err)
		l->err = err;
	for (size_t i = 0; i < n && !l->err; i++) {
		struct bell b = *model;

		b.at = v[i].at;
		b.local = v[i].local;
		b.how = v[i].how;
		judge(l, &b);
		add(l, &b);
	}
	free(v);
}

static void by_rule(struct look *l, size_t i, const struct bell *model)
{
	const struct config_schedule *s = &l->t->c->schedules[i];
	const struct tz *tz = timetable_zone(l->t, i);
	struct rule_range *ranges = NULL;
	struct rule r = {
		.days = s->days,
		.time = s->times,
		.n_times = s->n_times,
		.recur = l->t->v[i].recur,
		.gap = s->gap,
		.fold = s->fold,
	};

	if (s->n_dates) {
		const int y1 = civil_of(l->t1).year - 1;
		const int y2 = civil_of(l->t2).year + 1;

		ranges = calloc(MAX_RANGES, sizeof(*ranges));
		if (!ranges) {
			l->err = ENOMEM;
			return;
		}
		for (size_t k = 0; k < s->n_dates; k++)
			r.n_ranges += days_of_years(&s->dates[k], y1, y2,
						    ranges + r.n_ranges,
						    MAX_RANGES - r.n_ranges);
		r.range = ranges;
		/* None this year is not "all". */
		if (!r.n_ranges)
			ranges[r.n_ranges++] = (struct rule_range){1, 0};
	}
	add_rule(l, &r, tz, model);
	free(ranges);
}

/** What an event sounds: by the first section it fits. */
static void dress(const struct timetable *t, const struct config_schedule *s,
		  struct bell *b)
{
	const struct calendar *cal = t->cal[b->calendar];
	bool fits = !s->n_rules;

	for (size_t i = 0; i < s->n_rules; i++) {
		const struct config_event *e = &s->rules[i];

		if (!calendar_fits(cal, b->event, e->pattern))
			continue;
		fits = true;
		if (e->n_message)
			b->message = e->message[0];
		if (e->n_zones) {
			b->zones = e->zones;
			b->n_zones = e->n_zones;
		}
		if (e->level)
			b->level = e->level;
		break;
	}
	if (b->message < 0 || !b->n_zones || (!fits && !s->n_message))
		b->verdict = BELL_NO_FIT;
}

static bool dated(const struct config_schedule *s, int64_t day)
{
	const int year = civil_of(day * CIVIL_DAY).year;
	struct rule_range v[4 * DAYS_PIECES];

	for (size_t i = 0; i < s->n_dates; i++) {
		const size_t n = days_of_years(&s->dates[i], year - 1, year + 1,
					       v, 4 * DAYS_PIECES);

		for (size_t k = 0; k < n; k++)
			if (day >= v[k].first && day <= v[k].last)
				return true;
	}
	return !s->n_dates;
}

static void by_events(struct look *l, size_t i, const struct bell *model)
{
	const struct config_schedule *s = &l->t->c->schedules[i];
	const struct tz *tz = timetable_zone(l->t, i);
	const struct spans *sp = &l->span[s->events[0]];

	for (size_t k = 0; k < sp->n && !l->err; k++) {
		const struct calendar_span *x = &sp->v[k];
		struct bell b = *model;

		b.calendar = s->events[0];
		b.event = x->event;
		dress(l->t, s, &b);
		if (x->whole) {
			const struct rule_range days = {x->day,
							x->day + x->days - 1};
			const struct rule r = {
				.days = s->days,
				.time = s->at_times,
				.n_times = s->n_at_times,
				.range = &days,
				.n_ranges = 1,
				.gap = s->gap,
				.fold = s->fold,
			};

			if (dated(s, x->day))
				add_rule(l, &r, tz, &b);
			continue;
		}
		b.at = x->begin;
		b.local = tz_local(tz, b.at);
		if (b.at <= l->t1 || b.at > l->t2 ||
		    !(s->days >> civil_weekday(civil_day_of(b.local)) & 1) ||
		    !dated(s, civil_day_of(b.local)))
			continue;
		judge(l, &b);
		add(l, &b);
	}
}

/** Extra bells, and those that were moved, at their new time. */
static void by_changes(struct look *l, int schedule)
{
	const struct changes *s = l->t->changes;

	for (size_t i = 0; s && i < s->n && !l->err; i++) {
		const struct change *c = s->v[i];
		const struct bell b = {
			.at = c->at,
			.local = tz_local(
				c->schedule_i >= 0
					? timetable_zone(l->t,
							 (size_t)c->schedule_i)
					: l->t->site,
				c->at),
			.schedule = c->schedule_i,
			.change = (int)i,
			.calendar = -1,
			.event = -1,
			.message = -1,
			.zones = c->zone_i,
			.n_zones = c->n_zone_i,
			.level = c->level,
		};

		if (c->kind != CHANGE_DAY_TYPE && c->at > l->t1 &&
		    c->at <= l->t2 &&
		    (schedule < 0 || schedule == c->schedule_i))
			add(l, &b);
	}
}

static int order(const void *a, const void *b)
{
	const struct bell *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->schedule != y->schedule)
		return x->schedule < y->schedule ? -1 : 1;
	if (x->verdict != y->verdict)
		return x->verdict < y->verdict ? -1 : 1;
	return (x->event > y->event) - (x->event < y->event);
}

int timetable_expand(const struct timetable *t, int schedule, int64_t t1,
		     int64_t t2, struct bell **v, size_t *n)
{
	struct look l = {.t = t, .t1 = t1, .t2 = t2};

	*v = NULL;
	*n = 0;
	l.span = calloc(t->c->n_calendars + 1, sizeof(*l.span));
	if (!l.span)
		return ENOMEM;
	for (size_t i = 0; i < t->c->n_calendars && !l.err; i++)
		load_spans(&l, i);
	for (size_t i = 0; i < t->c->n_schedules && !l.err; i++) {
		const struct config_schedule *s = &t->c->schedules[i];
		const struct bell model = {
			.schedule = (int)i,
			.change = -1,
			.calendar = -1,
			.event = -1,
			.message = s->n_message ? s->message[0] : -1,
			.zones = s->zones,
			.n_zones = s->n_zones,
			.level = s->level,
		};

		if (schedule >= 0 && (size_t)schedule != i)
			continue;
		if (s->n_events)
			by_events(&l, i, &model);
		else
			by_rule(&l, i, &model);
	}
	if (!l.err)
		by_changes(&l, schedule);
	for (size_t i = 0; i < t->c->n_calendars; i++)
		free(l.span[i].v);
	free(l.span);
	if (l.err) {
		free(l.v);
		return l.err;
	}
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), order);
	*v = l.v;
	*n = l.n;
	return 0;
}

/* --------------------------------------------------------------------- words
 */

const char *bell_verdict_name(enum bell_verdict v)
{
	static const char *const names[] = {
		[BELL_RINGS] = "rings",       [BELL_GAP] = "gap",
		[BELL_EXCEPT] = "except",     [BELL_NOT_ON] = "not-on",
		[BELL_DAY_TYPE] = "day-type", [BELL_NO_FIT] = "no-fit",
		[BELL_SKIPPED] = "skipped",   [BELL_MOVED] = "moved",
	};

	return names[v];
}

static const char *how_text(enum rule_how how)
{
	return how == RULE_MOVED   ? "; clocks are put forward over its time, "
				     "so it sounds when they are"
	       : how == RULE_AGAIN ? "; the second time, clocks having been "
				     "put back"
				   : "";
}

char *timetable_why(const struct timetable *t, const struct bell *b, char *buf,
		    size_t size)
{
	const struct change *change = change_of(t, b);
	const struct tz *zone = bell_zone(t, b);
	char local[CIVIL_TEXT];
	const struct config *c = t->c;
	const char *calendar =
		b->calendar >= 0 ? c->calendars[b->calendar].name : "";
	const char *event =
		b->calendar >= 0 && b->event >= 0 && t->cal[b->calendar]
			? calendar_text(t->cal[b->calendar], b->event)
			: "";

	switch (b->verdict) {
	case BELL_RINGS:
		if (change && change->kind == CHANGE_MOVE)
			snprintf(
				buf, size, "moved here from %s by %s",
				civil_text(local, tz_local(zone, change->from)),
				change->actor);
		else if (change)
			snprintf(buf, size, "a one-off bell by %s",
				 change->actor);
		else if (b->calendar >= 0)
			snprintf(buf, size, "event \"%.80s\" of %s%s", event,
				 calendar, how_text(b->how));
		else
			snprintf(buf, size, "its time%s", how_text(b->how));
		break;
	case BELL_GAP:
		snprintf(buf, size,
			 "clocks are put forward over this time (gap = "
			 "\"skip\")");
		break;
	case BELL_EXCEPT:
		snprintf(buf, size, "except %s: \"%.80s\"", calendar, event);
		break;
	case BELL_NOT_ON:
		snprintf(buf, size, "no event of its only-on calendars");
		break;
	case BELL_DAY_TYPE:
		if (change)
			snprintf(buf, size, "the day is of type %s by %s",
				 change->day_type, change->actor);
		else if (b->calendar >= 0)
			snprintf(buf, size,
				 "the day is of type %s by %s: \"%.80s\"",
				 c->calendars[b->calendar].day_type, calendar,
				 event);
		else
			snprintf(buf, size, "the day is normal");
		break;
	case BELL_NO_FIT:
		snprintf(buf, size,
			 "event \"%.80s\" of %s fits none of its event "
			 "sections",
			 event, calendar);
		break;
	case BELL_SKIPPED:
		snprintf(buf, size, "skipped by hand");
		break;
	case BELL_MOVED:
		snprintf(buf, size, "moved to %s by %s",
			 change ? civil_text(local, tz_local(zone, change->at))
				: "another time",
			 change ? change->actor : "somebody");
		break;
	}
	return buf;
}
