/** Times of day, weekdays and dates as people write them. Pure. */
#ifndef TOCSIN_CIVIL_READ_H
#define TOCSIN_CIVIL_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** "07:55" or "07:55:30" at p, up to 23:59:59; its end, NULL when there is
 *  none. */
const char *civil_read_clock(const char *p, int32_t *seconds);

/** "2026-12-24" at p, of the years that recurrences know; its end, or NULL. */
const char *civil_read_date(const char *p, int64_t *day);

/** A whole text "2026-12-24 07:55" (or with a T, with seconds) as a local
 *  time. */
bool civil_read_local(const char *text, int64_t *local);

/** n bytes of "mon-fri,sun" as bits, bit 0 = Monday; "fri-mon" goes over the
 *  week's end. */
bool civil_read_weekdays(const char *p, size_t n, uint8_t *days);

/** Room for civil_weekdays_text(): "mon,tue,wed,thu,fri,sat,sun". */
#define CIVIL_WEEKDAYS_TEXT 28

/** Writes them, three and more in a row as "mon-fri". Returns buf. */
char *civil_weekdays_text(char buf[CIVIL_WEEKDAYS_TEXT], uint8_t days);

#endif
