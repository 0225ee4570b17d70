/* ICS components into events, by libical, each with its line. */
#include "calendar_internal.h"

#include "civil.h"

#include <errno.h>
#include <libical/ical.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Most changes a VTIMEZONE of the text may make. */
#define MAX_ONSETS 2000

struct reading {
	struct calendar *c;
	calendar_zone_h *zone;
	ics_problem_h *problem;
	void *arg;
	size_t bad;
	size_t bad_rules;
	const struct ics_piece *p; /**< at hand */
};

static bool say(struct reading *r, const char *property, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Tells what is wrong with a property of the piece; false. */
static bool say(struct reading *r, const char *property, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->problem(ics_line(r->p, property), text, r->arg);
	return false;
}

static icalcomponent *parse(const struct ics_piece *p)
{
	return icalparser_parse_string(p->text);
}

static int64_t local_of(struct icaltimetype t)
{
	return civil_day(t.year, t.month, t.day) * CIVIL_DAY +
	       (t.is_date ? 0 : t.hour * 3600 + t.minute * 60 + t.second);
}

static bool sound_time(struct icaltimetype t)
{
	return !icaltime_is_null_time(t) && t.year >= RECUR_FIRST_YEAR &&
	       t.year <= RECUR_LAST_YEAR && civil_valid(t.year, t.month, t.day);
}

/* ------------------------------------------------------------------- zones */

static const struct tz *known_zone(const struct calendar *c, const char *name)
{
	for (size_t i = 0; i < c->n_zones; i++)
		if (!strcmp(c->zone[i].name, name))
			return c->zone[i].tz;
	return NULL;
}

/** Takes z, also when it does not succeed. */
static const struct tz *keep_zone(struct calendar *c, const char *name,
				  struct tz *z)
{
	char *copy = strdup(name);

	if (!copy || c->n_zones == CALENDAR_MAX_ZONES) {
		free(copy);
		tz_free(z);
		return NULL;
	}
	c->zone[c->n_zones].name = copy;
	c->zone[c->n_zones++].tz = z;
	return z;
}

/** By the system's tzdata: "Europe/Berlin", or with a prefix before it, as
 *  "/citadel.org/20210210_1/Europe/Berlin". */
static const struct tz *system_zone(struct reading *r, const char *name)
{
	const struct tz *z = known_zone(r->c, name);

	if (z)
		return z;
	for (const char *p = name; p; p = strchr(p, '/')) {
		struct tz *found;

		p += *p == '/';
		found = *p ? r->zone(p, r->arg) : NULL;
		if (found)
			return keep_zone(r->c, name, found);
		if (!*p)
			break;
	}
	return NULL;
}

struct onsets {
	struct tz_change v[MAX_ONSETS];
	size_t n;
	int32_t from, to;
	bool full;
};

static bool on_onset(int64_t local, void *arg)
{
	struct onsets *o = arg;

	if (o->n == MAX_ONSETS) {
		o->full = true;
		return false;
	}
	o->v[o->n++] = (struct tz_change){local - o->from, o->to};
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct tz_change *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/** STANDARD or DAYLIGHT: when it begins, each time (RFC 5545 3.6.5). */
static bool observance(struct reading *r, icalcomponent *o, struct onsets *on)
{
	icalproperty *p =
		icalcomponent_get_first_property(o, ICAL_TZOFFSETFROM_PROPERTY);
	const struct icaltimetype start = icalcomponent_get_dtstart(o);
	struct recur *recur = NULL;
	struct reason why;
	int64_t local;

	on->from = p ? icalproperty_get_tzoffsetfrom(p) : 0;
	p = icalcomponent_get_first_property(o, ICAL_TZOFFSETTO_PROPERTY);
	on->to = p ? icalproperty_get_tzoffsetto(p) : 0;
	if (!p || icaltime_is_null_time(start))
		return say(r, "BEGIN",
			   "a part of this time zone has no DTSTART or "
			   "TZOFFSETTO");
	/* Outlook begins in the year 1601. */
	local = local_of(start);
	if (start.year < RECUR_FIRST_YEAR)
		local = civil_day(RECUR_FIRST_YEAR, start.month, start.day) *
				CIVIL_DAY +
			civil_of(local).second;
	p = icalcomponent_get_first_property(o, ICAL_RRULE_PROPERTY);
	if (!p) {
		on_onset(local, on);
	} else {
		struct icalrecurrencetype rule = icalproperty_get_rrule(p);
		char *text = icalrecurrencetype_as_string_r(&rule);
		int err = text ? recur_parse(&recur, text, local, NULL, &why)
			       : ENOMEM;

		icalmemory_free_buffer(text);
		if (err)
			return say(r, "BEGIN", "a rule of this time zone: %s",
				   why.text);
		recur_each(recur, local,
			   civil_day(TZ_LAST_YEAR, 12, 31) * CIVIL_DAY,
			   on_onset, on);
		recur_free(recur);
	}
	for (p = icalcomponent_get_first_property(o, ICAL_RDATE_PROPERTY); p;
	     p = icalcomponent_get_next_property(o, ICAL_RDATE_PROPERTY)) {
		const struct icaltimetype t = icalproperty_get_rdate(p).time;

		if (!icaltime_is_null_time(t))
			on_onset(local_of(t), on);
	}
	return true;
}

/** A zone that only the text knows ("W. Europe Standard Time"). */
static bool read_zone(struct reading *r, icalcomponent *c)
{
	icalproperty *id =
		icalcomponent_get_first_property(c, ICAL_TZID_PROPERTY);
	const char *name = id ? icalproperty_get_tzid(id) : NULL;
	struct onsets *on;
	struct tz *z = NULL;
	int32_t before = 0;
	bool good = true;

	if (!name || system_zone(r, name))
		return true;
	on = calloc(1, sizeof(*on));
	if (!on)
		return false;
	for (icalcomponent *o =
		     icalcomponent_get_first_component(c, ICAL_ANY_COMPONENT);
	     o && good;
	     o = icalcomponent_get_next_component(c, ICAL_ANY_COMPONENT))
		if (icalcomponent_isa(o) == ICAL_XSTANDARD_COMPONENT ||
		    icalcomponent_isa(o) == ICAL_XDAYLIGHT_COMPONENT) {
			good = observance(r, o, on);
			if (icalcomponent_isa(o) == ICAL_XSTANDARD_COMPONENT)
				before = on->to;
		}
	qsort(on->v, on->n, sizeof(*on->v), by_time);
	if (good && on->full)
		good = say(r, "BEGIN",
			   "this time zone has more than %d changes",
			   MAX_ONSETS);
	if (good && (!on->n || tz_make(&z, before, on->v, on->n)))
		good = say(r, "BEGIN",
			   "this time zone has no sound STANDARD or DAYLIGHT");
	if (good && !keep_zone(r->c, name, z))
		good = say(r, "BEGIN", "more than %d time zones",
			   CALENDAR_MAX_ZONES);
	free(on);
	return good;
}

/* ------------------------------------------------------------------ events */

/** Zone of a time property; false = told. *tz NULL: floating. */
static bool zone_of(struct reading *r, icalproperty *p, const char *name,
		    struct icaltimetype t, const struct tz **tz)
{
	icalparameter *param;
	const char *id;

	*tz = NULL;
	if (t.is_date)
		return true;
	if (icaltime_is_utc(t)) {
		*tz = tz_of_utc();
		return true;
	}
	param = icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER);
	id = param ? icalparameter_get_tzid(param) : NULL;
	if (!id)
		return true;
	*tz = system_zone(r, id);
	if (*tz)
		return true;
	return say(
		r, name,
		"the time zone \"%.60s\" is not known: neither to the system "
		"(tzdata) nor in this calendar (VTIMEZONE)",
		id);
}

/** A time of an event in the event's own zone. */
static bool time_in(struct reading *r, icalproperty *p, const char *name,
		    struct icaltimetype t, const struct calendar_event *e,
		    int64_t *local)
{
	const struct tz *tz;
	int64_t at[2];

	if (!sound_time(t))
		return say(r, name, "%s is no date of the years %d to %d", name,
			   RECUR_FIRST_YEAR, RECUR_LAST_YEAR);
	if (!zone_of(r, p, name, t, &tz))
		return false;
	*local = local_of(t);
	/* A date takes off, or adds, at the event's time of day. */
	if (t.is_date && !e->whole)
		*local += civil_of(e->start).second;
	else if (tz && e->tz && tz != e->tz) {
		tz_utc(tz, *local, at);
		*local = tz_local(e->tz, at[0]);
	}
	return true;
}

static bool read_start(struct reading *r, icalcomponent *c,
		       struct calendar_event *e)
{
	icalproperty *p =
		icalcomponent_get_first_property(c, ICAL_DTSTART_PROPERTY);
	struct icaltimetype t;

	if (!p && ics_count(r->p, "DTSTART"))
		return say(r, "DTSTART",
			   "DTSTART cannot be read; write it like "
			   "20261224T075500Z");
	if (!p)
		return say(r, "BEGIN", "this event has no DTSTART");
	t = icalproperty_get_dtstart(p);
	if (!sound_time(t))
		return say(r, "DTSTART",
			   "DTSTART is no date of the years %d to %d",
			   RECUR_FIRST_YEAR, RECUR_LAST_YEAR);
	e->whole = t.is_date;
	e->start = local_of(t);
	return zone_of(r, p, "DTSTART", t, &e->tz);
}

static bool read_end(struct reading *r, icalcomponent *c,
		     struct calendar_event *e)
{
	icalproperty *p =
		icalcomponent_get_first_property(c, ICAL_DTEND_PROPERTY);
	int64_t end;

	e->length = e->whole ? CIVIL_DAY : 0;
	if (p) {
		if (!time_in(r, p, "DTEND", icalproperty_get_dtend(p), e, &end))
			return false;
		/* Some write the same day as the end of a day. */
		if (!e->whole || end > e->start)
			e->length = end - e->start;
	} else {
		p = icalcomponent_get_first_property(c, ICAL_DURATION_PROPERTY);
		if (p)
			e->length = icaldurationtype_as_int(
				icalproperty_get_duration(p));
	}
	if (e->whole)
		e->length = (e->length + CIVIL_DAY - 1) / CIVIL_DAY * CIVIL_DAY;
	if (e->length < 0 || e->length > CALENDAR_MAX_DAYS * CIVIL_DAY)
		return say(r, p ? icalproperty_get_property_name(p) : "DTEND",
			   "the event ends before it begins or is longer than "
			   "%d days",
			   CALENDAR_MAX_DAYS);
	return true;
}

static bool read_rule(struct reading *r, icalcomponent *c,
		      struct calendar_event *e)
{
	struct reason why;
	const char *line;
	char text[RECUR_MAX_TEXT + 2] = "";
	size_t n;

	if (icalcomponent_count_properties(c, ICAL_RRULE_PROPERTY) > 1)
		return say(r, "RRULE",
			   "more than one RRULE in an event (RFC "
			   "5545 3.8.5.3)");
	if (icalcomponent_get_first_property(c, ICAL_EXRULE_PROPERTY))
		return say(r, "EXRULE",
			   "EXRULE is not supported; use EXDATE (RFC 5545)");
	/* From the text: libical keeps only what it understands. */
	for (line = r->p->text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncasecmp(line, "RRULE:", 6) ||
		    !strncasecmp(line, "RRULE;", 6))
			break;
	}
	line = line ? strchr(line, ':') : NULL;
	if (!line)
		return true;
	n = strcspn(++line, "\n");
	if (n > RECUR_MAX_TEXT)
		return say(r, "RRULE",
			   "the rule has %zu bytes, at most %d are "
			   "allowed",
			   n, RECUR_MAX_TEXT);
	memcpy(text, line, n);
	if (!recur_parse(&e->recur, text, e->start, e->tz, &why))
		return true;
	r->bad_rules++;
	return say(r, "RRULE", "RRULE: %s", why.text);
}

static bool read_dates(struct reading *r, icalcomponent *c,
		       struct calendar_event *e, icalproperty_kind kind)
{
	const bool rdate = kind == ICAL_RDATE_PROPERTY;
	const char *name = rdate ? "RDATE" : "EXDATE";

	/* libical drops what it cannot read; lists it takes apart. */
	if (icalcomponent_count_properties(c, kind) < ics_count(r->p, name))
		return say(r, name,
			   "%s cannot be read; write it like "
			   "20261224T075500Z",
			   name);

	for (icalproperty *p = icalcomponent_get_first_property(c, kind); p;
	     p = icalcomponent_get_next_property(c, kind)) {
		struct icaltimetype t;
		int64_t local;
		int err;

		if (rdate) {
			const struct icaldatetimeperiodtype x =
				icalproperty_get_rdate(p);

			t = icaltime_is_null_time(x.time) ? x.period.start
							  : x.time;
		} else {
			t = icalproperty_get_exdate(p);
		}
		if (!time_in(r, p, name, t, e, &local))
			return false;
		err = rdate ? calendar_date(&e->rdate, &e->n_rdates, local)
			    : calendar_date(&e->exdate, &e->n_exdates, local);
		if (err)
			return say(r, name, "more than %d of %s in one event",
				   CALENDAR_MAX_DATES, name);
	}
	return true;
}

static bool read_override(struct reading *r, icalcomponent *c,
			  struct calendar_event *e)
{
	icalproperty *p =
		icalcomponent_get_first_property(c, ICAL_RECURRENCEID_PROPERTY);

	if (!p)
		return true;
	if (icalproperty_get_first_parameter(p, ICAL_RANGE_PARAMETER))
		return say(r, "RECURRENCE-ID",
			   "RANGE=THISANDFUTURE is not supported; end the "
			   "first event with UNTIL and begin a second one");
	e->override = true;
	return time_in(r, p, "RECURRENCE-ID", icalproperty_get_recurrenceid(p),
		       e, &e->instead);
}

static bool read_texts(icalcomponent *c, struct calendar_event *e)
{
	const char *s = icalcomponent_get_summary(c), *u;
	char all[512] = "";
	size_t used = 0;

	e->text = strdup(s ? s : "");
	u = icalcomponent_get_uid(c);
	e->uid = strdup(u ? u : "");
	for (icalproperty *p = icalcomponent_get_first_property(
		     c, ICAL_CATEGORIES_PROPERTY);
	     p && used < sizeof(all);
	     p = icalcomponent_get_next_property(c, ICAL_CATEGORIES_PROPERTY)) {
		const char *one = icalproperty_get_categories(p);

		if (one)
			used += (size_t)snprintf(all + used, sizeof(all) - used,
						 "%s%s", used ? "," : "", one);
	}
	e->categories = strdup(all);
	return e->text && e->uid && e->categories;
}

static bool read_event(struct reading *r, icalcomponent *c,
		       struct calendar_event *e)
{
	e->line = r->p->line[0];
	e->cancelled = icalcomponent_get_status(c) == ICAL_STATUS_CANCELLED;
	return read_texts(c, e) && read_start(r, c, e) && read_end(r, c, e) &&
	       read_override(r, c, e) && read_rule(r, c, e) &&
	       read_dates(r, c, e, ICAL_RDATE_PROPERTY) &&
	       read_dates(r, c, e, ICAL_EXDATE_PROPERTY);
}

static int on_zone_piece(const struct ics_piece *p, void *arg)
{
	struct reading *r = arg;
	icalcomponent *c;

	if (strcasecmp(p->name, "VTIMEZONE"))
		return 0;
	r->p = p;
	c = parse(p);
	if (c && !read_zone(r, c))
		r->bad++;
	if (c)
		icalcomponent_free(c);
	return 0;
}

static int on_event_piece(const struct ics_piece *p, void *arg)
{
	struct reading *r = arg;
	struct calendar_event *e;
	icalcomponent *c;

	if (strcasecmp(p->name, "VEVENT"))
		return 0;
	r->p = p;
	/* Each may take a moment to be found out. */
	if (r->bad_rules > CALENDAR_MAX_BAD_RULES) {
		say(r, "BEGIN", "more than %d rules that cannot be used",
		    CALENDAR_MAX_BAD_RULES);
		return EBADMSG;
	}
	if (r->c->n == CALENDAR_MAX_EVENTS) {
		say(r, "BEGIN", "more than %d events", CALENDAR_MAX_EVENTS);
		return EBADMSG;
	}
	e = calendar_new(r->c);
	c = parse(p);
	if (!e) {
		if (c)
			icalcomponent_free(c);
		return ENOMEM;
	}
	if (!c)
		say(r, "BEGIN", "this event cannot be read (RFC 5545)");
	if (!c || !read_event(r, c, e)) {
		calendar_drop(r->c);
		r->bad++;
	}
	if (c)
		icalcomponent_free(c);
	return 0;
}

static void no_word(int line, const char *text, void *arg)
{
	(void)line;
	(void)text;
	(void)arg;
}

static void pass_problem(int line, const char *text, void *arg)
{
	struct reading *r = arg;

	r->problem(line, text, r->arg);
}

int calendar_read(struct calendar *c, const char *text, size_t size,
		  calendar_zone_h *zone, ics_problem_h *problem, void *arg,
		  size_t *bad)
{
	struct reading r = {.c = c,
			    .zone = zone,
			    .problem = problem ? problem : no_word,
			    .arg = arg};
	int err;

	/* Zones first: Outlook writes them before, others behind. */
	err = ics_cut(text, size, on_zone_piece, pass_problem, &r);
	if (!err)
		err = ics_cut(text, size, on_event_piece, no_word, &r);
	if (err)
		while (c->n)
			calendar_drop(c);
	if (bad)
		*bad = r.bad;
	return err;
}
