/**
 * Days and dates of the Gregorian calendar, no zone. Pure.
 *
 * A day is its number since 1970-01-01; a local time is seconds since
 * 1970-01-01T00:00 on the wall it is read from, whatever its zone.
 */
#ifndef TOCSIN_CIVIL_H
#define TOCSIN_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define CIVIL_DAY INT64_C(86400)

struct civil {
	int year;   /**< 1 to 9999 */
	int month;  /**< 1 to 12 */
	int day;    /**< 1 to 31 */
	int second; /**< of the day */
};

/** Number of a date's day. Months out of range carry into the year. */
int64_t civil_day(int year, int month, int day);

/** A local time cut into its parts. */
struct civil civil_of(int64_t local);

/** The day a local time is in. */
int64_t civil_day_of(int64_t local);

/** 0 = Monday ... 6 = Sunday. */
int civil_weekday(int64_t day);

/** Is there such a date? */
bool civil_valid(int year, int month, int day);

/** Room for civil_text(): "2026-12-24 07:55:00". */
#define CIVIL_TEXT 24

/** Writes a local time; without its seconds when they are 0. Returns buf. */
char *civil_text(char buf[CIVIL_TEXT], int64_t local);

#endif
