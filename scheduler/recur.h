/**
 * RRULE (RFC 5545 3.3.10) by libical, with a bound on the work.
 *
 * All times are local ones (civil.h): what they are in UTC is the business of
 * whoever knows the zone. One thread at a time.
 */
#ifndef TOCSIN_RECUR_H
#define TOCSIN_RECUR_H

#include "controller/base/reason.h"
#include "scheduler/tz.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest rule, bytes. */
#define RECUR_MAX_TEXT 500
/** Largest COUNT and INTERVAL. */
#define RECUR_MAX_COUNT 10000
#define RECUR_MAX_INTERVAL 1000
/** Occurrences looked at in one go. */
#define RECUR_MAX_STEPS 200000
/** First and last year of occurrences. */
#define RECUR_FIRST_YEAR 1900
#define RECUR_LAST_YEAR TZ_LAST_YEAR

struct recur;

/**
 * Reads a rule such as "FREQ=MONTHLY;BYDAY=1MO;COUNT=12".
 *
 * Refused, with what is allowed: FREQ=SECONDLY and MINUTELY, BYSECOND,
 * BYWEEKNO, RSCALE, a part given twice or out of its range, COUNT with UNTIL,
 * and what would have to be searched for without end.
 *
 * @param start first local time; the rule's hour, weekday, ... unless it names
 *              them
 * @param tz    what an UNTIL in UTC means in local time; NULL = UTC
 * @return 0, EINVAL with the reason, ENOMEM
 */
int recur_parse(struct recur **rp, const char *text, int64_t start,
		const struct tz *tz, struct reason *why);

/** Frees it; NULL is fine. Returns NULL. */
struct recur *recur_free(struct recur *r);

/** One local time; false = enough. */
typedef bool(recur_h)(int64_t local, void *arg);

/**
 * Hands out the local times from `from` to before `to`, ascending.
 *
 * @return 0, E2BIG after RECUR_MAX_STEPS (the rest is not handed out), ENOMEM
 */
int recur_each(const struct recur *r, int64_t from, int64_t to, recur_h *h,
	       void *arg);

#endif
