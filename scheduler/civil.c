#include "civil.h"

#include <stdio.h>

/** Days of 400 years, which is when the calendar repeats. */
#define ERA INT64_C(146097)
/** From 0000-03-01 to 1970-01-01. */
#define EPOCH INT64_C(719468)

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Years are counted from March: the leap day is then the last of its year. */
int64_t civil_day(int year, int month, int day)
{
	int64_t m = month - 3, y = year + floor_div(m, 12), era, yoe, doy;

	m -= floor_div(m, 12) * 12;
	era = floor_div(y, 400);
	yoe = y - era * 400;
	doy = (153 * m + 2) / 5 + day - 1;
	return era * ERA + yoe * 365 + yoe / 4 - yoe / 100 + doy - EPOCH;
}

int64_t civil_day_of(int64_t local)
{
	return floor_div(local, CIVIL_DAY);
}

struct civil civil_of(int64_t local)
{
	const int64_t d = civil_day_of(local), z = d + EPOCH;
	const int64_t era = floor_div(z, ERA), doe = z - era * ERA;
	const int64_t yoe =
		(doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const int64_t m = (5 * doy + 2) / 153;

	return (struct civil){
		.year = (int)(yoe + era * 400 + (m >= 10)),
		.month = (int)(m < 10 ? m + 3 : m - 9),
		.day = (int)(doy - (153 * m + 2) / 5 + 1),
		.second = (int)(local - d * CIVIL_DAY),
	};
}

int civil_weekday(int64_t day)
{
	/* 1970-01-01 was a Thursday. */
	return (int)(((day + 3) % 7 + 7) % 7);
}

bool civil_valid(int year, int month, int day)
{
	struct civil c;

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > 31)
		return false;
	c = civil_of(civil_day(year, month, day) * CIVIL_DAY);
	return c.month == month;
}

char *civil_text(char buf[CIVIL_TEXT], int64_t local)
{
	const struct civil c = civil_of(local);
	const unsigned s = (unsigned)c.second;
	int n = snprintf(buf, CIVIL_TEXT, "%04u-%02u-%02u %02u:%02u",
			 (unsigned)c.year % 10000, (unsigned)c.month % 100,
			 (unsigned)c.day % 100, s / 3600 % 100, s / 60 % 60);

	if (s % 60)
		snprintf(buf + n, CIVIL_TEXT - (size_t)n, ":%02u", s % 60);
	return buf;
}
