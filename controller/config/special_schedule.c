/* Days, times of day, dates: what calendars and schedules are made of. */
#include "load.h"
#include "scheduler/civil.h"
#include "scheduler/civil_read.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DAY_S 86400
/** Yearly dates are kept as those of this year, which has a 29 February. */
#define LEAP_YEAR 1972

/* ------------------------------------------------------------------- texts */

static void set_texts(struct load *l, char ***field, size_t *count,
		      const struct config_value *val)
{
	char **v = load_calloc(l, val->n, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; v && i < val->n; i++) {
		if (!*val->v[i] || strlen(val->v[i]) > 200)
			load_refuse(l, val, val->v[i]);
		else if ((v[n] = load_strdup(l, val->v[i])))
			n++;
	}
	*field = v;
	*count = n;
}

static bool show_texts(char *const *v, size_t n, FILE *f)
{
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "{ ", f);
		schema_quote(f, v[i]);
	}
	if (n)
		fputs(" }", f);
	return n;
}

void set_match(struct load *l, void *obj, const struct config_value *val)
{
	struct config_calendar *c = obj;

	set_texts(l, &c->match, &c->n_match, val);
}

bool show_match(const struct config *c, const void *obj, FILE *f)
{
	const struct config_calendar *x = obj;

	(void)c;
	return show_texts(x->match, x->n_match, f);
}

void set_day_types(struct load *l, void *obj, const struct config_value *val)
{
	struct config_schedule *s = obj;

	for (size_t i = 0; i < val->n; i++)
		if (strcmp(val->v[i], "*") && !value_name(val->v[i])) {
			load_refuse(l, val, val->v[i]);
			return;
		}
	set_texts(l, &s->day_types, &s->n_day_types, val);
}

bool show_day_types(const struct config *c, const void *obj, FILE *f)
{
	const struct config_schedule *s = obj;

	(void)c;
	return show_texts(s->day_types, s->n_day_types, f);
}

void set_url(struct load *l, void *obj, const struct config_value *val)
{
	if (value_is_url(val->v[0]))
		load_text(l, (char **)((char *)obj + val->key->offset),
			  val->v[0]);
	else
		load_refuse(l, val, val->v[0]);
}

void set_own_timezone(struct load *l, void *obj, const struct config_value *val)
{
	const char *s = val->v[0];
	char path[SCAN_MAX_VALUE + 32];
	struct stat st;

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", s);
	if (!*s || *s == '/' || strstr(s, "..") || stat(path, &st) ||
	    !S_ISREG(st.st_mode))
		load_refuse(l, val, s);
	else
		load_text(l, (char **)(void *)((char *)obj + val->key->offset),
			  s);
}

/* ------------------------------------------------------------- quiet hours */

static void set_quiet(struct load *l, struct quiet **field, size_t *count,
		      const struct config_value *val)
{
	struct quiet *v = load_calloc(l, val->n, sizeof(*v));

	for (size_t i = 0; v && i < val->n; i++)
		if (quiet_parse(&v[*count], val->v[i]))
			++*count;
		else
			load_refuse(l, val, val->v[i]);
	*field = v;
}

static bool show_quiet(const struct quiet *v, size_t n, FILE *f)
{
	char text[QUIET_TEXT];

	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s\"%s\"", i ? ", " : "{ ",
			quiet_text(text, &v[i]));
	if (n)
		fputs(" }", f);
	return n;
}

void set_zone_quiet(struct load *l, void *obj, const struct config_value *val)
{
	struct config_zone *z = obj;

	set_quiet(l, &z->quiet, &z->n_quiet, val);
}

bool show_zone_quiet(const struct config *c, const void *obj, FILE *f)
{
	const struct config_zone *z = obj;

	(void)c;
	return show_quiet(z->quiet, z->n_quiet, f);
}

void set_schedule_quiet(struct load *l, void *obj,
			const struct config_value *val)
{
	struct config_schedule *s = obj;

	set_quiet(l, &s->quiet, &s->n_quiet, val);
}

bool show_schedule_quiet(const struct config *c, const void *obj, FILE *f)
{
	const struct config_schedule *s = obj;

	(void)c;
	return show_quiet(s->quiet, s->n_quiet, f);
}

/* -------------------------------------------------------------------- days */

void set_days(struct load *l, void *obj, const struct config_value *val)
{
	struct config_schedule *s = obj;
	const char *p = val->v[0];

	if (!civil_read_weekdays(p, strlen(p), &s->days))
		load_refuse(l, val, p);
}

bool show_days(const struct config *c, const void *obj, FILE *f)
{
	const struct config_schedule *s = obj;
	char text[CIVIL_WEEKDAYS_TEXT];

	(void)c;
	fprintf(f, "\"%s\"", civil_weekdays_text(text, s->days));
	return true;
}

/* ------------------------------------------------------------------- times */

static void show_clock(int32_t s, FILE *f)
{
	fprintf(f, "\"%02d:%02d", s / 3600 % 24, s / 60 % 60);
	if (s % 60)
		fprintf(f, ":%02d", s % 60);
	fputc('"', f);
}

static int by_number(const void *a, const void *b)
{
	const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

void set_times(struct load *l, void *obj, const struct config_value *val)
{
	struct config_schedule *s = obj;

	if (!val->n)
		load_refuse(l, val, "");
	s->at_times = load_calloc(l, val->n, sizeof(*s->at_times));
	for (size_t i = 0; s->at_times && i < val->n; i++) {
		const char *end = civil_read_clock(val->v[i],
						   &s->at_times[s->n_at_times]);

		if (end && !*end)
			s->n_at_times++;
		else
			load_refuse(l, val, val->v[i]);
	}
	if (s->at_times)
		qsort(s->at_times, s->n_at_times, sizeof(*s->at_times),
		      by_number);
}

bool show_times(const struct config *c, const void *obj, FILE *f)
{
	const struct config_schedule *s = obj;

	(void)c;
	for (size_t i = 0; i < s->n_at_times; i++) {
		fputs(i ? ", " : "{ ", f);
		show_clock(s->at_times[i], f);
	}
	if (s->n_at_times)
		fputs(" }", f);
	return s->n_at_times;
}

void set_clock(struct load *l, void *obj, const struct config_value *val)
{
	int32_t v;
	const char *end = civil_read_clock(val->v[0], &v);

	if (end && !*end)
		memcpy((char *)obj + val->key->offset, &v, sizeof(v));
	else
		load_refuse(l, val, val->v[0]);
}

bool show_every(const struct config *c, const void *obj, FILE *f)
{
	const struct config_schedule *s = obj;
	char text[VALUE_DURATION_SIZE];

	(void)c;
	if (s->every_s)
		fprintf(f, "\"%s\"",
			value_duration_text(text, s->every_s * UINT64_C(1000)));
	return s->every_s;
}

bool show_every_from(const struct config *c, const void *obj, FILE *f)
{
	const struct config_schedule *s = obj;

	(void)c;
	if (s->every_s)
		show_clock(s->from, f);
	return s->every_s;
}

bool show_every_to(const struct config *c, const void *obj, FILE *f)
{
	const struct config_schedule *s = obj;

	(void)c;
	if (s->every_s)
		show_clock(s->to, f);
	return s->every_s;
}

/* ------------------------------------------------------------------- dates */

/** "2026-12-24" or "12-24" at p; its end, NULL when it is none. */
static const char *date_at(const char *p, int64_t *day, bool *yearly)
{
	const char *end = civil_read_date(p, day);
	char dated[16];

	*yearly = !end;
	if (end)
		return end;
	snprintf(dated, sizeof(dated), "%d-%.5s", LEAP_YEAR, p);
	end = civil_read_date(dated, day);
	return end ? p + (end - dated) - 5 : NULL;
}

static bool dates_of(const char *s, struct config_days *v)
{
	const char *end = date_at(s, &v->first, &v->yearly);
	bool yearly;

	if (!end)
		return false;
	v->last = v->first;
	if (!*end)
		return true;
	if (strncmp(end, "..", 2))
		return false;
	end = date_at(end + 2, &v->last, &yearly);
	if (!end || *end || yearly != v->yearly)
		return false;
	/* "12-24..01-06" goes over the year's end. */
	if (yearly && v->last < v->first)
		v->last += 366; /* of a leap year */
	return v->last >= v->first && v->last - v->first < 366 * 20;
}

static void set_dates(struct load *l, struct config_days **field, size_t *count,
		      const struct config_value *val)
{
	struct config_days *v = load_calloc(l, val->n, sizeof(*v));

	for (size_t i = 0; v && i < val->n; i++) {
		if (dates_of(val->v[i], &v[*count]))
			++*count;
		else
			load_refuse(l, val, val->v[i]);
	}
	*field = v;
}

static void show_date(int64_t day, bool yearly, FILE *f)
{
	/* A yearly range over the year's end is kept as if two leap years
	 * followed one another. */
	const bool over = yearly && day > civil_day(LEAP_YEAR, 12, 31);
	const struct civil c = civil_of((over ? day - 366 : day) * CIVIL_DAY);

	if (!yearly)
		fprintf(f, "%04d-", c.year);
	fprintf(f, "%02d-%02d", c.month, c.day);
}

static bool show_dates(const struct config_days *v, size_t n, FILE *f)
{
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", \"" : "{ \"", f);
		show_date(v[i].first, v[i].yearly, f);
		if (v[i].last != v[i].first) {
			fputs("..", f);
			show_date(v[i].last, v[i].yearly, f);
		}
		fputc('"', f);
	}
	if (n)
		fputs(" }", f);
	return n;
}

void set_calendar_dates(struct load *l, void *obj,
			const struct config_value *val)
{
	struct config_calendar *c = obj;

	set_dates(l, &c->dates, &c->n_dates, val);
}

bool show_calendar_dates(const struct config *c, const void *obj, FILE *f)
{
	const struct config_calendar *x = obj;

	(void)c;
	return show_dates(x->dates, x->n_dates, f);
}

void set_schedule_dates(struct load *l, void *obj,
			const struct config_value *val)
{
	struct config_schedule *s = obj;

	set_dates(l, &s->dates, &s->n_dates, val);
}

bool show_schedule_dates(const struct config *c, const void *obj, FILE *f)
{
	const struct config_schedule *s = obj;

	(void)c;
	return show_dates(s->dates, s->n_dates, f);
}

/* ------------------------------------------------------------- recurrences */

void set_rrule(struct load *l, void *obj, const struct config_value *val)
{
	struct config_schedule *s = obj;
	load_text(l, &s->rrule, val->v[0]);
}

void set_start(struct load *l, void *obj, const struct config_value *val)
{
	struct config_schedule *s = obj;

	if (!civil_read_local(val->v[0], &s->start))
		load_refuse(l, val, val->v[0]);
}

bool show_start(const struct config *c, const void *obj, FILE *f)
{
	const struct config_schedule *s = obj;
	char text[CIVIL_TEXT];

	(void)c;
	if (s->start)
		fprintf(f, "\"%s\"", civil_text(text, s->start));
	return s->start;
}

/* ------------------------------------------------------------------ events */

void *open_event(struct load *l, void *parent, const struct scan_node *n)
{
	const struct config_section *sub =
		schema_section(schema_kind(KIND_SCHEDULE), "event");
	struct config_schedule *s = parent;
	struct config_event *e;

	if (s->n_rules == sub->max) {
		problem_add(l->p, n->at,
			    "schedule \"%s\" has more than %zu event sections: "
			    "that is the most",
			    s->name, sub->max);
		return NULL;
	}
	if (!s->rules)
		s->rules = load_calloc(l, sub->max, sizeof(*e));
	if (!s->rules)
		return NULL;
	e = &s->rules[s->n_rules++];
	e->at = n->at;
	e->pattern = load_strdup(l, n->title);
	return e;
}

const void *nth_event(const struct config *c, const void *parent, size_t i)
{
	const struct config_schedule *s = parent;

	(void)c;
	return i < s->n_rules ? &s->rules[i] : NULL;
}

void title_event(struct load *l, void *obj, const struct config_value *title)
{
	(void)obj;
	if (!*title->v[0] || strlen(title->v[0]) > 200)
		problem_add(l->p, title->at,
			    "%sa pattern is 1 to 200 bytes, like \"Exam*\"",
			    title->where);
}

bool show_event_level(const struct config *c, const void *obj, FILE *f)
{
	const struct config_event *e = obj;

	(void)c;
	if (e->level)
		fprintf(f, "%u", e->level);
	return e->level;
}
