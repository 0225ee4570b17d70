#include "civil_read.h"

#include "civil.h"
#include "recur.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const weekdays[] = {"mon", "tue", "wed", "thu",
				       "fri", "sat", "sun"};

const char *civil_read_clock(const char *p, int32_t *seconds)
{
	int v[3] = {0}, i;

	for (i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)p[0]) ||
		    !isdigit((unsigned char)p[1]))
			return NULL;
		v[i] = (p[0] - '0') * 10 + p[1] - '0';
		p += 2;
		if (*p != ':' || i == 2)
			break;
		p++;
		if (i == 0 && !isdigit((unsigned char)*p))
			return NULL;
	}
	*seconds = v[0] * 3600 + v[1] * 60 + v[2];
	/* Hours alone are none. */
	return i && v[0] < 24 && v[1] < 60 && v[2] < 60 ? p : NULL;
}

const char *civil_read_date(const char *p, int64_t *day)
{
	int y, m, d, used = 0;

	if (sscanf(p, "%4d-%2d-%2d%n", &y, &m, &d, &used) != 3 || used != 10)
		return NULL;
	/* A sign or a space is none of a date's. */
	for (int i = 0; i < used; i++)
		if (!isdigit((unsigned char)p[i]) && p[i] != '-')
			return NULL;
	if (!civil_valid(y, m, d) || y < RECUR_FIRST_YEAR ||
	    y > RECUR_LAST_YEAR)
		return NULL;
	*day = civil_day(y, m, d);
	return p + used;
}

bool civil_read_local(const char *text, int64_t *local)
{
	int32_t clock;
	int64_t day;
	const char *p = civil_read_date(text, &day);

	p = p && (*p == ' ' || *p == 'T') ? civil_read_clock(p + 1, &clock)
					  : NULL;
	if (!p || *p)
		return false;
	*local = day * CIVIL_DAY + clock;
	return true;
}

static int weekday_of(const char *s, size_t n)
{
	for (int i = 0; i < 7; i++)
		if (n == 3 && !strncmp(weekdays[i], s, 3))
			return i;
	return -1;
}

bool civil_read_weekdays(const char *p, size_t n, uint8_t *days)
{
	const char *end = p + n;

	*days = 0;
	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const size_t part = (size_t)((comma ? comma : end) - p);
		const char *dash = memchr(p, '-', part);
		const size_t head = dash ? (size_t)(dash - p) : part;
		const int a = weekday_of(p, head);
		const int b = dash ? weekday_of(dash + 1, part - head - 1) : a;

		if (a < 0 || b < 0)
			return false;
		for (int i = a;; i = (i + 1) % 7) {
			*days |= (uint8_t)(1u << i);
			if (i == b)
				break;
		}
		p += part + (comma != NULL);
		while (p < end && *p == ' ')
			p++;
	}
	return *days;
}

char *civil_weekdays_text(char buf[CIVIL_WEEKDAYS_TEXT], uint8_t days)
{
	size_t n = 0;

	buf[0] = '\0';
	for (int i = 0; i < 7; i++) {
		int last = i;

		if (!(days >> i & 1))
			continue;
		while (last < 6 && days >> (last + 1) & 1)
			last++;
		if (last < i + 2)
			last = i;
		n += (size_t)snprintf(buf + n, CIVIL_WEEKDAYS_TEXT - n,
				      "%s%s%s%s", n ? "," : "", weekdays[i],
				      last > i ? "-" : "",
				      last > i ? weekdays[last] : "");
		i = last;
	}
	return buf;
}
