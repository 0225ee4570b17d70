/* Calendars and schedules: is there something, some time, somewhere? */
#include "load.h"
#include "scheduler/recur.h"
#include "scheduler/rule.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

static void check_calendar(struct load *l, size_t i)
{
	const struct config_calendar *c = &l->c->calendars[i];

	if (l->node[KIND_CALENDAR][i]->damaged)
		return;
	if (c->ics && c->url)
		problem_add(l->p, load_at(l, KIND_CALENDAR, i, "url"),
			    "calendar \"%s\" has both \"ics\" and \"url\"; use "
			    "one, or two calendars",
			    c->name);
	if (!load_given(l, KIND_CALENDAR, i, "ics") &&
	    !load_given(l, KIND_CALENDAR, i, "url") &&
	    !load_given(l, KIND_CALENDAR, i, "dates"))
		problem_add(l->p, c->at,
			    "calendar \"%s\" has no days: give it \"ics\", "
			    "\"url\" or \"dates\"",
			    c->name);
	if (c->day_type && !strcmp(c->day_type, "normal"))
		problem_add(l->p, load_at(l, KIND_CALENDAR, i, "day-type"),
			    "calendar \"%s\": \"normal\" is the type of days "
			    "that no calendar gives one",
			    c->name);
	if (c->n_match && !c->ics && !c->url)
		problem_add(l->p, load_at(l, KIND_CALENDAR, i, "match"),
			    "calendar \"%s\": \"match\" needs \"ics\" or "
			    "\"url\"",
			    c->name);
}

static int by_number(const void *a, const void *b)
{
	const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

/** Joins "at" and "every" into one ascending list. */
static void join_times(struct load *l, struct config_schedule *s)
{
	const int32_t step = (int32_t)s->every_s;
	const int32_t to = s->to < s->from ? s->to + DAY_S : s->to;
	const size_t most = s->n_at_times +
			    (step ? (size_t)((to - s->from) / step) + 1 : 0);
	size_t n = 0;

	s->times = load_calloc(l, most + 1, sizeof(*s->times));
	if (!s->times)
		return;
	for (size_t i = 0; i < s->n_at_times; i++)
		s->times[n++] = s->at_times[i];
	for (int32_t t = s->from; step && t <= to; t += step)
		s->times[n++] = t;
	qsort(s->times, n, sizeof(*s->times), by_number);
	for (size_t i = 0; i < n; i++)
		if (!s->n_times || s->times[s->n_times - 1] != s->times[i])
			s->times[s->n_times++] = s->times[i];
}

static void check_when(struct load *l, size_t i)
{
	struct config_schedule *s = &l->c->schedules[i];
	const bool clock = s->n_at_times || s->every_s;

	if (!clock && !s->rrule && !s->n_events &&
	    !load_given(l, KIND_SCHEDULE, i, "at") &&
	    !load_given(l, KIND_SCHEDULE, i, "every") &&
	    !load_given(l, KIND_SCHEDULE, i, "events"))
		problem_add(l->p, s->at,
			    "schedule \"%s\" never sounds: give it \"at\", "
			    "\"every\", \"rrule\" or \"events\"",
			    s->name);
	if (!s->rrule != !s->start &&
	    load_given(l, KIND_SCHEDULE, i, "rrule") !=
		    load_given(l, KIND_SCHEDULE, i, "start"))
		problem_add(l->p,
			    load_at(l, KIND_SCHEDULE, i,
				    s->rrule ? "rrule" : "start"),
			    "schedule \"%s\": \"rrule\" and \"start\" need "
			    "each other",
			    s->name);
	if (!s->every_s &&
	    (load_given(l, KIND_SCHEDULE, i, "from") ||
	     load_given(l, KIND_SCHEDULE, i, "to")) &&
	    !load_given(l, KIND_SCHEDULE, i, "every"))
		problem_add(l->p, load_at(l, KIND_SCHEDULE, i, "from"),
			    "schedule \"%s\": \"from\" and \"to\" need "
			    "\"every\"",
			    s->name);
	if (s->n_rules && !s->n_events)
		problem_add(l->p, s->rules[0].at,
			    "schedule \"%s\": an event section needs "
			    "\"events\", a calendar",
			    s->name);
	if (s->n_events && (s->rrule || s->every_s))
		problem_add(l->p, load_at(l, KIND_SCHEDULE, i, "events"),
			    "schedule \"%s\": \"events\" goes with \"at\" "
			    "only; use a second schedule for the rest",
			    s->name);
	if (s->rrule && s->start) {
		struct recur *r = NULL;
		struct reason why;

		/* With any start it was looked at before. */
		if (recur_parse(&r, s->rrule, s->start, NULL, &why))
			problem_add(l->p, load_at(l, KIND_SCHEDULE, i, "rrule"),
				    "schedule \"%s\": %s", s->name, why.text);
		recur_free(r);
	}
	join_times(l, s);
	if (s->n_times > RULE_MAX_TIMES)
		problem_add(l->p, s->at,
			    "schedule \"%s\" has %zu times a day, at most %d "
			    "are allowed",
			    s->name, s->n_times, RULE_MAX_TIMES);
}

static void check_sound(struct load *l, size_t i, int message,
			const struct config_where *at)
{
	const struct config_schedule *s = &l->c->schedules[i];
	const struct config_message *m = &l->c->messages[message];

	if (!m->cycles && !m->for_ms && !s->for_ms)
		problem_add(l->p, *at,
			    "schedule \"%s\": message \"%s\" repeats without "
			    "end (%s:%d), so it would never stop: give the "
			    "schedule \"for\", like for = \"10m\"",
			    s->name, m->name, m->at.file, m->at.line);
}

static void check_zones(struct load *l, size_t i, const int *zones, size_t n,
			uint8_t level, struct config_where at)
{
	for (size_t k = 0; k < n; k++) {
		const struct config_zone *z = &l->c->zones[zones[k]];

		if (level < z->min_level)
			problem_add(l->p, at,
				    "schedule \"%s\": its level %u is not let "
				    "into zone \"%s\", which takes %u and "
				    "above (%s:%d)",
				    l->c->schedules[i].name, level, z->name,
				    z->min_level, z->at.file, z->at.line);
	}
}

static void check_what(struct load *l, size_t i)
{
	const struct config_schedule *s = &l->c->schedules[i];
	bool all_message = s->n_rules > 0, all_zones = s->n_rules > 0;

	for (size_t k = 0; k < s->n_rules; k++) {
		const struct config_event *e = &s->rules[k];
		const uint8_t level = e->level ? e->level : s->level;

		all_message = all_message && e->n_message;
		all_zones = all_zones && e->n_zones;
		if (e->n_message)
			check_sound(l, i, e->message[0], &e->at);
		check_zones(l, i, e->zones, e->n_zones, level, e->at);
	}
	if (!s->n_message && !load_given(l, KIND_SCHEDULE, i, "message") &&
	    !all_message)
		problem_add(
			l->p, s->at,
			"schedule \"%s\": \"message\" is missing%s", s->name,
			s->n_rules ? "; or give every event section one" : "");
	if (!s->n_zones && !load_given(l, KIND_SCHEDULE, i, "zones") &&
	    !all_zones)
		problem_add(l->p, s->at,
			    "schedule \"%s\": \"zones\" is missing", s->name);
	if (s->n_message)
		check_sound(
			l, i, s->message[0],
			&(struct config_where){
				load_at(l, KIND_SCHEDULE, i, "message").file,
				load_at(l, KIND_SCHEDULE, i, "message").line});
	check_zones(l, i, s->zones, s->n_zones, s->level,
		    load_at(l, KIND_SCHEDULE, i, "priority"));
}

static void check_types(struct load *l, size_t i)
{
	const struct config *c = l->c;
	const struct config_schedule *s = &c->schedules[i];

	for (size_t k = 0; k < s->n_day_types; k++) {
		bool known = !strcmp(s->day_types[k], "normal") ||
			     !strcmp(s->day_types[k], "*");

		for (size_t j = 0; j < c->n_calendars && !known; j++)
			known = c->calendars[j].day_type &&
				!strcmp(c->calendars[j].day_type,
					s->day_types[k]);
		if (!known)
			problem_warn(l->p,
				     load_at(l, KIND_SCHEDULE, i, "day-type"),
				     "schedule \"%s\": no calendar gives days "
				     "the type \"%s\", so it sounds only on "
				     "days that are given it by hand",
				     s->name, s->day_types[k]);
	}
}

/** Whether two windows overlap is one question, asked of zones too. */
static void check_quiet(struct load *l, enum config_kind kind, size_t i,
			const char *name, const struct quiet *v, size_t n)
{
	const char *what = kind == KIND_ZONE ? "zone" : "schedule";
	char a[QUIET_TEXT], b[QUIET_TEXT];

	for (size_t k = 1; k < n; k++)
		for (size_t j = 0; j < k; j++) {
			if (!window_overlap(&v[j].window, &v[k].window))
				continue;
			problem_add(l->p, load_at(l, kind, i, "quiet"),
				    "%s \"%s\": quiet hours \"%s\" and \"%s\" "
				    "overlap: only one may apply at a time",
				    what, name, quiet_text(a, &v[j]),
				    quiet_text(b, &v[k]));
		}
}

static void check_zone_quiet(struct load *l, size_t i)
{
	const struct config_zone *z = &l->c->zones[i];

	check_quiet(l, KIND_ZONE, i, z->name, z->quiet, z->n_quiet);
	if (z->n_quiet && !z->n_own)
		problem_add(l->p, load_at(l, KIND_ZONE, i, "quiet"),
			    "zone \"%s\": \"quiet\" is about a zone's own "
			    "outputs, and it has none; give it to the zones "
			    "it contains",
			    z->name);
}

void load_check_schedules(struct load *l)
{
	for (size_t i = 0; i < l->c->n_zones; i++)
		if (!l->node[KIND_ZONE][i]->damaged)
			check_zone_quiet(l, i);
	for (size_t i = 0; i < l->c->n_calendars; i++)
		check_calendar(l, i);
	for (size_t i = 0; i < l->c->n_schedules; i++) {
		if (l->node[KIND_SCHEDULE][i]->damaged) {
			join_times(l, &l->c->schedules[i]);
			continue;
		}
		check_when(l, i);
		check_what(l, i);
		check_types(l, i);
		check_quiet(l, KIND_SCHEDULE, i, l->c->schedules[i].name,
			    l->c->schedules[i].quiet,
			    l->c->schedules[i].n_quiet);
	}
}
