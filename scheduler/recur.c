#include "recur.h"

#include "civil.h"

#include <ctype.h>
#include <errno.h>
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct recur {
	struct icalrecurrencetype rule; /**< without COUNT */
	int count;                      /**< 0 = no end */
	int64_t start;                  /**< nothing is before it */
	int64_t origin;                 /**< what libical counts from */
};

struct part {
	const char *name;
	int min, max; /**< of its numbers; 0, 0 = it has none */
	bool zero;    /**< is 0 among them? */
};

enum {
	FREQ,
	UNTIL,
	COUNT,
	INTERVAL,
	BYMINUTE,
	BYHOUR,
	BYDAY,
	BYMONTHDAY,
	BYYEARDAY,
	BYWEEKNO,
	BYMONTH,
	BYSETPOS,
	WKST,
	PARTS
};

static const struct part parts[PARTS] = {
	[FREQ] = {"FREQ", 0, 0, false},
	[UNTIL] = {"UNTIL", 0, 0, false},
	[COUNT] = {"COUNT", 1, RECUR_MAX_COUNT, false},
	[INTERVAL] = {"INTERVAL", 1, RECUR_MAX_INTERVAL, false},
	[BYMINUTE] = {"BYMINUTE", 0, 59, true},
	[BYHOUR] = {"BYHOUR", 0, 23, true},
	[BYDAY] = {"BYDAY", 0, 0, false},
	[BYMONTHDAY] = {"BYMONTHDAY", -31, 31, false},
	[BYYEARDAY] = {"BYYEARDAY", -366, 366, false},
	[BYWEEKNO] = {"BYWEEKNO", -53, 53, false},
	[BYMONTH] = {"BYMONTH", 1, 12, false},
	[BYSETPOS] = {"BYSETPOS", -366, 366, false},
	[WKST] = {"WKST", 0, 0, false},
};

static const char *const frequencies[] = {"HOURLY", "DAILY", "WEEKLY",
					  "MONTHLY", "YEARLY"};

/** One rule while it is looked over. */
struct look {
	size_t values[PARTS]; /**< how many; 0 = the part is not there */
	size_t freq;          /**< of frequencies[] */
	bool nth;             /**< BYDAY has a number */
	bool back;            /**< BYMONTHDAY counts from the month's end */
	long pos;             /**< furthest of BYSETPOS */
};

/** Whole numbers in a list, each within its range. */
static bool numbers(const struct part *p, const char *v, size_t *n)
{
	for (*n = 1;; v++, (*n)++) {
		char *end;
		long x;

		if (!isdigit((unsigned char)v[*v == '-' || *v == '+']))
			return false;
		x = strtol(v, &end, 10);
		if (x < p->min || x > p->max || (!x && !p->zero))
			return false;
		v = end;
		if (*v != ',')
			return !*v;
	}
}

static bool weekday(const char *s)
{
	static const char *const names[] = {"MO", "TU", "WE", "TH",
					    "FR", "SA", "SU"};

	for (size_t i = 0; i < 7; i++)
		if (!strncmp(s, names[i], 2))
			return true;
	return false;
}

static bool weekdays(struct look *l, const char *v, size_t *n)
{
	for (*n = 1;; v++, (*n)++) {
		const char *begin = v;

		if (*v == '-' || *v == '+')
			v++;
		if (isdigit((unsigned char)*v)) {
			const long x = strtol(v, (char **)(uintptr_t)&v, 10);

			if (x < 1 || x > 53)
				return false;
			l->nth = true;
		} else if (v != begin) {
			return false;
		}
		if (!weekday(v))
			return false;
		v += 2;
		if (*v != ',')
			return !*v;
	}
}

static bool until(const char *v)
{
	const size_t n = strlen(v);

	if (n != 8 && n != 15 && n != 16)
		return false;
	for (size_t i = 0; i < n; i++)
		if (i == 8    ? v[i] != 'T'
		    : i == 15 ? v[i] != 'Z'
			      : !isdigit((unsigned char)v[i]))
			return false;
	return true;
}

static int look_at_part(struct look *l, char *text, struct reason *why)
{
	char *value = strchr(text, '=');
	size_t i = 0, n = 1;
	bool good;

	if (!value || !value[1])
		return reason_set(why, EINVAL,
				  "\"%.60s\" in the rule has no value; parts "
				  "look like BYMONTH=12",
				  text);
	*value++ = '\0';
	while (i < PARTS && strcmp(parts[i].name, text))
		i++;
	if (i == PARTS)
		return reason_set(
			why, EINVAL,
			"\"%.40s\" is not known in a rule here; allowed: FREQ, "
			"UNTIL, COUNT, INTERVAL, BYMINUTE, BYHOUR, BYDAY, "
			"BYMONTHDAY, BYYEARDAY, BYMONTH, BYSETPOS, "
			"WKST",
			text);
	if (l->values[i])
		return reason_set(why, EINVAL, "%s is in the rule twice", text);
	if (i == FREQ) {
		const size_t all = sizeof(frequencies) / sizeof(*frequencies);

		while (l->freq < all && strcmp(frequencies[l->freq], value))
			l->freq++;
		good = l->freq < all;
	} else if (i == UNTIL) {
		good = until(value);
	} else if (i == BYDAY) {
		good = weekdays(l, value, &n);
	} else if (i == WKST) {
		good = strlen(value) == 2 && weekday(value);
	} else {
		good = numbers(&parts[i], value, &n) &&
		       (n == 1 || (i != COUNT && i != INTERVAL));
	}
	l->values[i] = n;
	for (char *s = i == BYSETPOS ? value : NULL; s;
	     s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL)
		l->pos = labs(strtol(s, NULL, 10)) > l->pos
				 ? labs(strtol(s, NULL, 10))
				 : l->pos;
	l->back |= i == BYMONTHDAY && strchr(value, '-');
	if (good)
		return 0;
	if (i == FREQ)
		return reason_set(why, EINVAL,
				  "FREQ=%.20s: allowed are HOURLY, DAILY, "
				  "WEEKLY, MONTHLY and YEARLY; a bell within "
				  "the hour has \"every\"",
				  value);
	if (i == UNTIL)
		return reason_set(why, EINVAL,
				  "UNTIL=%.20s: write it like 20261224 or "
				  "20261224T075500Z",
				  value);
	if (i == BYDAY || i == WKST)
		return reason_set(why, EINVAL,
				  "%s=%.40s: days are MO, TU, WE, TH, FR, SA, "
				  "SU, in BYDAY also with a number from 1 to "
				  "53 or -53 to -1 before",
				  text, value);
	return reason_set(why, EINVAL,
			  "%s=%.40s: allowed are numbers from %d "
			  "to %d%s",
			  text, value, parts[i].min, parts[i].max,
			  parts[i].zero || parts[i].min > 0 ? "" : ", not 0");
}

/** What is well formed, but RFC 5545 forbids or nobody could bound. */
static int look_at_whole(const struct look *l, struct reason *why)
{
	enum { HOURLY, DAILY, WEEKLY, MONTHLY, YEARLY };
	const size_t *v = l->values;
	const bool days = v[BYMONTHDAY] || v[BYYEARDAY] || v[BYMONTH] ||
			  v[BYSETPOS] || v[BYHOUR];

	if (!v[FREQ])
		return reason_set(why, EINVAL,
				  "the rule has no FREQ; write it like "
				  "FREQ=WEEKLY;BYDAY=MO");
	if (v[COUNT] && v[UNTIL])
		return reason_set(why, EINVAL,
				  "the rule has both COUNT and UNTIL; one is "
				  "allowed");
	if (l->freq == HOURLY && days)
		return reason_set(why, EINVAL,
				  "FREQ=HOURLY goes with BYDAY and BYMINUTE "
				  "only; use FREQ=DAILY with BYHOUR");
	/* libical 3.0 loses days of the last week of some years. */
	if (v[BYWEEKNO])
		return reason_set(
			why, EINVAL,
			"BYWEEKNO is not supported; every second week "
			"is FREQ=WEEKLY;INTERVAL=2");
	if (v[BYYEARDAY] && l->freq != YEARLY)
		return reason_set(why, EINVAL,
				  "BYYEARDAY needs FREQ=YEARLY here");
	if (l->back && l->freq == DAILY)
		return reason_set(why, EINVAL,
				  "BYMONTHDAY from the month's end needs "
				  "FREQ=MONTHLY or YEARLY here");
	if (v[BYMONTHDAY] && l->freq == WEEKLY)
		return reason_set(why, EINVAL,
				  "BYMONTHDAY does not go with FREQ=WEEKLY "
				  "(RFC 5545 3.3.10)");
	if (l->nth && l->freq < MONTHLY)
		return reason_set(why, EINVAL,
				  "a number before a day of BYDAY needs "
				  "FREQ=MONTHLY or YEARLY (RFC 5545 3.3.10)");
	if (v[BYSETPOS] && l->freq < WEEKLY)
		return reason_set(why, EINVAL,
				  "BYSETPOS needs FREQ=WEEKLY, MONTHLY or "
				  "YEARLY here");
	if (l->nth && v[BYMONTHDAY])
		return reason_set(why, EINVAL,
				  "a number before a day of BYDAY does not go "
				  "with BYMONTHDAY here");
	/* Only what is sure to be there: libical looks for the rest for
	 * thousands of years. */
	if (v[BYSETPOS] &&
	    (!v[BYDAY] || l->nth || v[BYMONTHDAY] || v[BYYEARDAY]))
		return reason_set(why, EINVAL,
				  "BYSETPOS goes with BYDAY, its days without "
				  "numbers, and without BYMONTHDAY and "
				  "BYYEARDAY here");
	if (v[BYSETPOS] &&
	    (size_t)l->pos > v[BYDAY] * (l->freq == WEEKLY ? 1
					 : l->freq == MONTHLY || v[BYMONTH]
						 ? 4
						 : 52))
		return reason_set(why, EINVAL,
				  "BYSETPOS=%ld is more than there are days of "
				  "BYDAY in every period",
				  l->pos);
	if (v[BYSETPOS] && (v[BYHOUR] > 1 || v[BYMINUTE] > 1))
		return reason_set(why, EINVAL,
				  "BYSETPOS goes with one BYHOUR and one "
				  "BYMINUTE only: it counts days here");
	return 0;
}

static int look_over(const char *text, struct reason *why)
{
	struct look l = {{0}, 0, false, false, 0};
	char buf[RECUR_MAX_TEXT + 1];
	char *save = NULL;
	size_t n = strlen(text);
	int err;

	if (n > RECUR_MAX_TEXT)
		return reason_set(why, EINVAL,
				  "the rule has %zu bytes, at most %d are "
				  "allowed",
				  n, RECUR_MAX_TEXT);
	for (size_t i = 0; i <= n; i++)
		buf[i] = (char)toupper((unsigned char)text[i]);
	for (char *p = strtok_r(buf, ";", &save); p;
	     p = strtok_r(NULL, ";", &save)) {
		err = look_at_part(&l, p, why);
		if (err)
			return err;
	}
	return look_at_whole(&l, why);
}

static struct icaltimetype to_ical(int64_t local)
{
	const struct civil c = civil_of(local);
	struct icaltimetype t = icaltime_null_time();

	t.year = c.year;
	t.month = c.month;
	t.day = c.day;
	t.hour = c.second / 3600;
	t.minute = c.second / 60 % 60;
	t.second = c.second % 60;
	return t;
}

static int64_t from_ical(struct icaltimetype t)
{
	return civil_day(t.year, t.month, t.day) * CIVIL_DAY + t.hour * 3600 +
	       t.minute * 60 + t.second;
}

/** UNTIL as a local time; a date holds to its end. */
static void localise_until(struct icalrecurrencetype *rule, const struct tz *tz)
{
	struct icaltimetype *u = &rule->until;
	int64_t local;

	if (icaltime_is_null_time(*u))
		return;
	local = from_ical(*u);
	if (u->is_date)
		local += CIVIL_DAY - 1;
	else if (icaltime_is_utc(*u))
		local = tz_local(tz ? tz : tz_of_utc(), local);
	*u = to_ical(local);
}

static bool given(const short *by)
{
	return by[0] != ICAL_RECURRENCE_ARRAY_MAX;
}

static void set_one(short *by, int v)
{
	by[0] = (short)v;
	by[1] = ICAL_RECURRENCE_ARRAY_MAX;
}

static int by_value(const void *a, const void *b)
{
	return *(const short *)a - *(const short *)b;
}

/** A list without what is in it twice; in order unless libical made one. */
static void tidy(short *v, size_t max, bool sort)
{
	size_t n = 0, kept = 0;

	while (n < max && v[n] != ICAL_RECURRENCE_ARRAY_MAX)
		n++;
	if (sort)
		qsort(v, n, sizeof(*v), by_value);
	for (size_t i = 0; i < n; i++) {
		bool known = false;

		for (size_t k = 0; k < kept && !known; k++)
			known = v[k] == v[i];
		if (!known)
			v[kept++] = v[i];
	}
	if (kept < max)
		v[kept] = ICAL_RECURRENCE_ARRAY_MAX;
}

static void tidy_all(struct icalrecurrencetype *r)
{
	tidy(r->by_minute, ICAL_BY_MINUTE_SIZE, true);
	tidy(r->by_hour, ICAL_BY_HOUR_SIZE, true);
	tidy(r->by_day, ICAL_BY_DAY_SIZE, false);
	tidy(r->by_month_day, ICAL_BY_MONTHDAY_SIZE, true);
	tidy(r->by_year_day, ICAL_BY_YEARDAY_SIZE, true);
	tidy(r->by_month, ICAL_BY_MONTH_SIZE, true);
	tidy(r->by_set_pos, ICAL_BY_SETPOS_SIZE, true);
}

/**
 * Says what the rule leaves to its start, so that it can begin elsewhere too.
 *
 * FREQ=YEARLY;BYMONTHDAY=1 is the first of every month (RFC 5545 3.3.10, the
 * table), though libical 3.0 takes the month of the start.
 */
static void complete(struct icalrecurrencetype *rule, struct civil start)
{
	const bool day = given(rule->by_day),
		   monthday = given(rule->by_month_day);

	if (rule->freq == ICAL_YEARLY_RECURRENCE && !given(rule->by_year_day) &&
	    !given(rule->by_month)) {
		if (monthday) {
			for (short m = 1; m <= 12; m++)
				rule->by_month[m - 1] = m;
			rule->by_month[12] = ICAL_RECURRENCE_ARRAY_MAX;
		} else if (!day) {
			set_one(rule->by_month, start.month);
		}
	}
	if (!day && !monthday &&
	    (rule->freq == ICAL_MONTHLY_RECURRENCE ||
	     (rule->freq == ICAL_YEARLY_RECURRENCE &&
	      !given(rule->by_year_day))))
		set_one(rule->by_month_day, start.day);
	if (rule->freq != ICAL_HOURLY_RECURRENCE && !given(rule->by_hour))
		set_one(rule->by_hour, start.second / 3600);
	if (!given(rule->by_minute))
		set_one(rule->by_minute, start.second / 60 % 60);
	set_one(rule->by_second, start.second % 60);
}

/**
 * A start on one of the days of BYDAY, in the same week: from another day
 * libical 3.0 takes the Sunday before for the one of the week.
 */
static int64_t weekly_origin(const struct icalrecurrencetype *rule,
			     int64_t start)
{
	const int first = (int)rule->week_start - 1; /* 0 = Sunday */
	const int64_t day = civil_day_of(start);
	const int today = ((civil_weekday(day) + 1) % 7 - first + 7) % 7;
	int best = 7;

	for (size_t i = 0; i < ICAL_BY_DAY_SIZE &&
			   rule->by_day[i] != ICAL_RECURRENCE_ARRAY_MAX;
	     i++) {
		const int d = (int)icalrecurrencetype_day_day_of_week(
				      rule->by_day[i]) -
			      1;
		const int pos = (d - first + 7) % 7;

		best = pos < best ? pos : best;
	}
	return best == 7 ? start : start + (best - today) * CIVIL_DAY;
}

/** Is there a month of BYMONTH with a day of BYMONTHDAY? */
static bool has_day(const struct icalrecurrencetype *rule)
{
	static const int most[] = {31, 29, 31, 30, 31, 30,
				   31, 31, 30, 31, 30, 31};

	if (!given(rule->by_month) || !given(rule->by_month_day))
		return true;
	for (size_t i = 0; i < ICAL_BY_MONTH_SIZE &&
			   rule->by_month[i] != ICAL_RECURRENCE_ARRAY_MAX;
	     i++)
		for (size_t k = 0;
		     k < ICAL_BY_MONTHDAY_SIZE &&
		     rule->by_month_day[k] != ICAL_RECURRENCE_ARRAY_MAX;
		     k++)
			if (abs(rule->by_month_day[k]) <=
			    most[(rule->by_month[i] - 1) % 12])
				return true;
	return false;
}

/** Does it ever happen? Found out once: libical looks far ahead for it. */
static bool happens(const struct recur *r)
{
	icalrecur_iterator *it;
	struct icaltimetype t;

	if (!has_day(&r->rule))
		return false;
	it = icalrecur_iterator_new(r->rule, to_ical(r->origin));
	if (!it)
		return false;
	t = icalrecur_iterator_next(it);
	icalrecur_iterator_free(it);
	return !icaltime_is_null_time(t);
}

int recur_parse(struct recur **rp, const char *text, int64_t start,
		const struct tz *tz, struct reason *why)
{
	struct recur *r;
	const int year = civil_of(start).year;
	int err = look_over(text, why);

	if (err)
		return err;
	if (year < RECUR_FIRST_YEAR || year > RECUR_LAST_YEAR)
		return reason_set(why, EINVAL,
				  "it starts in the year %d; allowed are %d to "
				  "%d",
				  year, RECUR_FIRST_YEAR, RECUR_LAST_YEAR);
	r = calloc(1, sizeof(*r));
	if (!r)
		return reason_set(why, ENOMEM, "not enough memory");
	r->start = start;
	r->rule = icalrecurrencetype_from_string(text);
	if (r->rule.freq == ICAL_NO_RECURRENCE) {
		free(r);
		return reason_set(why, EINVAL,
				  "the rule \"%.100s\" cannot be read (RFC "
				  "5545 3.3.10)",
				  text);
	}
	r->count = r->rule.count;
	r->rule.count = 0;
	tidy_all(&r->rule);
	complete(&r->rule, civil_of(start));
	r->origin = r->rule.freq == ICAL_WEEKLY_RECURRENCE
			    ? weekly_origin(&r->rule, start)
			    : start;
	/* The times of day are in the rule now: none of the first day's may
	 * be lost. */
	if (r->rule.freq != ICAL_HOURLY_RECURRENCE)
		r->origin = civil_day_of(r->origin) * CIVIL_DAY;
	else
		r->origin -= civil_of(start).second % 3600;
	localise_until(&r->rule, tz);
	if (!happens(r)) {
		free(r);
		return reason_set(why, EINVAL,
				  "the rule \"%.100s\" never happens: no such "
				  "day, or it ends before it begins",
				  text);
	}
	*rp = r;
	return 0;
}

struct recur *recur_free(struct recur *r)
{
	free(r);
	return NULL;
}

/**
 * Where to begin so that little is found before `from`: whole steps behind the
 * start. libical's own jump forward loses the step's count in some rules.
 */
static int64_t begin(const struct recur *r, int64_t from)
{
	const struct civil a = civil_of(r->origin), b = civil_of(from);
	const int n = r->rule.interval;
	int64_t step = 0;
	int k;

	if (r->count || from <= r->origin)
		return r->origin;
	switch (r->rule.freq) {
	case ICAL_HOURLY_RECURRENCE:
		step = n * INT64_C(3600);
		break;
	case ICAL_DAILY_RECURRENCE:
		step = n * CIVIL_DAY;
		break;
	case ICAL_WEEKLY_RECURRENCE:
		step = n * 7 * CIVIL_DAY;
		break;
	case ICAL_MONTHLY_RECURRENCE:
		k = ((b.year - a.year) * 12 + b.month - a.month) / n - 1;
		return k < 1 ? r->origin
			     : civil_day(a.year, a.month + k * n, 1) *
					       CIVIL_DAY +
				       a.second;
	default:
		k = (b.year - a.year) / n - 1;
		return k < 1 ? r->origin
			     : civil_day(a.year + k * n, 1, 1) * CIVIL_DAY +
				       a.second;
	}
	k = (int)((from - r->origin) / step) - 1;
	return k < 1 ? r->origin : r->origin + k * step;
}

int recur_each(const struct recur *r, int64_t from, int64_t to, recur_h *h,
	       void *arg)
{
	const int64_t last = civil_day(RECUR_LAST_YEAR + 1, 1, 1) * CIVIL_DAY;
	icalrecur_iterator *it;
	int err = 0;
	size_t steps = 0;
	int left = r->count;

	if (to > last)
		to = last;
	if (from >= to || to <= r->start)
		return 0;
	it = icalrecur_iterator_new(r->rule, to_ical(begin(r, from)));
	if (!it)
		return 0; /* libical found that it never happens */
	for (;;) {
		const struct icaltimetype t = icalrecur_iterator_next(it);
		int64_t local;

		if (icaltime_is_null_time(t))
			break;
		local = from_ical(t);
		if (local >= to)
			break;
		if (++steps > RECUR_MAX_STEPS) {
			err = E2BIG;
			break;
		}
		if (local < r->start)
			continue;
		if (local >= from && !h(local, arg))
			break;
		if (left && !--left)
			break;
	}
	icalrecur_iterator_free(it);
	return err;
}
