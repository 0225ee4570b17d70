#include "tz_posix.h"

#include "civil.h"

#include <ctype.h>

/** A number of at most `max`; false when there is none. */
static bool number(const char **p, int max, int *v)
{
	*v = 0;
	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p); (*p)++) {
		*v = *v * 10 + **p - '0';
		if (*v > max)
			return false;
	}
	return true;
}

static bool take(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/** [+-]hh[:mm[:ss]] */
static bool time_of(const char **p, int max_hours, int32_t *seconds)
{
	int sign = 1, h, m = 0, s = 0;

	if (take(p, '-'))
		sign = -1;
	else
		take(p, '+');
	if (!number(p, max_hours, &h))
		return false;
	if (take(p, ':')) {
		if (!number(p, 59, &m))
			return false;
		if (take(p, ':') && !number(p, 59, &s))
			return false;
	}
	*seconds = sign * (h * 3600 + m * 60 + s);
	return true;
}

/** An abbreviation, "CET" or "<+03>"; its text is of no use here. */
static bool name(const char **p)
{
	const char *begin = *p;

	if (take(p, '<')) {
		while (**p && **p != '>')
			(*p)++;
		return take(p, '>');
	}
	while (isalpha((unsigned char)**p))
		(*p)++;
	return *p - begin >= 3;
}

static bool day(const char **p, struct tz_posix_day *d)
{
	d->second = 7200;
	if (take(p, 'M')) {
		d->form = 'M';
		if (!number(p, 12, &d->month) || !d->month || !take(p, '.') ||
		    !number(p, 5, &d->week) || !d->week || !take(p, '.') ||
		    !number(p, 6, &d->day))
			return false;
	} else {
		d->form = take(p, 'J') ? 'J' : 'N';
		if (!number(p, 365, &d->day) || (d->form == 'J' && !d->day))
			return false;
	}
	return !take(p, '/') || time_of(p, 167, &d->second);
}

bool tz_posix_parse(struct tz_posix *r, const char *text)
{
	const char *p = text;
	int32_t west;

	*r = (struct tz_posix){0};
	if (!name(&p) || !time_of(&p, 24, &west))
		return false;
	r->offset[0] = -west;
	if (!*p)
		return true;
	r->dst = true;
	if (!name(&p))
		return false;
	r->offset[1] = r->offset[0] + 3600;
	if (*p && *p != ',') {
		if (!time_of(&p, 24, &west))
			return false;
		r->offset[1] = -west;
	}
	return take(&p, ',') && day(&p, &r->begin) && take(&p, ',') &&
	       day(&p, &r->end) && !*p;
}

static int64_t local_of(const struct tz_posix_day *d, int year)
{
	const bool leap = civil_valid(year, 2, 29);
	int64_t n = civil_day(year, 1, 1);

	if (d->form == 'J') {
		/* 1 to 365: the leap day has no number. */
		n += d->day - 1 + (leap && d->day >= 60);
	} else if (d->form == 'N') {
		n += d->day;
	} else {
		/* Sunday is 0 here, and 6 in civil_weekday(). */
		const int want = (d->day + 6) % 7;

		n = civil_day(year, d->month, 1);
		n += (want - civil_weekday(n) + 7) % 7 + (d->week - 1) * 7;
		/* The fifth is the last. */
		while (n >= civil_day(year, d->month + 1, 1))
			n -= 7;
	}
	return n * CIVIL_DAY + d->second;
}

void tz_posix_year(const struct tz_posix *r, int year, struct tz_change two[2])
{
	const struct tz_change on = {local_of(&r->begin, year) - r->offset[0],
				     r->offset[1]};
	const struct tz_change off = {local_of(&r->end, year) - r->offset[1],
				      r->offset[0]};

	two[on.at > off.at] = on;
	two[on.at <= off.at] = off;
}
