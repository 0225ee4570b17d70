/** The rule at the end of a TZif file: "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX TZ
 *  with the extensions of RFC 8536 3.3.1). Pure. Only tz.c includes this. */
#ifndef TOCSIN_TZ_POSIX_H
#define TOCSIN_TZ_POSIX_H

#include "tz.h"

#include <stdbool.h>

/** A day of the year and a time on it. */
struct tz_posix_day {
	char form; /**< 'M', 'J' or 'N' (a number from 0) */
	int month, week, day;
	int32_t second; /**< -167 h to 167 h */
};

struct tz_posix {
	bool dst;
	int32_t offset[2]; /**< east of UTC: standard, daylight */
	struct tz_posix_day begin, end;
};

/** Reads it; false when it is none. */
bool tz_posix_parse(struct tz_posix *r, const char *text);

/** Its two changes in a year, ascending. */
void tz_posix_year(const struct tz_posix *r, int year, struct tz_change two[2]);

#endif
