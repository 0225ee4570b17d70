/**
 * A calendar: events with a text, once or again and again.
 *
 * Read from ICS as Google, Outlook, Nextcloud and holiday services write it,
 * or made of plain dates. Pure: text in, events between two instants out.
 * A finished calendar is only read; one thread at a time.
 */
#ifndef TOCSIN_CALENDAR_H
#define TOCSIN_CALENDAR_H

#include "scheduler/ics.h"
#include "scheduler/recur.h"
#include "scheduler/tz.h"

#include <stdbool.h>

/** Events of one calendar, and of a look at it. */
#define CALENDAR_MAX_EVENTS 10000
#define CALENDAR_MAX_SPANS 20000
/** Longest event, and most RDATEs and EXDATEs of one event. */
#define CALENDAR_MAX_DAYS 366
#define CALENDAR_MAX_DATES 1000
/** Rules that cannot be used, beyond which a calendar is refused. */
#define CALENDAR_MAX_BAD_RULES 50
/** Most time zones of one calendar. */
#define CALENDAR_MAX_ZONES 64

struct calendar;

/** A zone of the system by its name, or NULL; it becomes the calendar's. */
typedef struct tz *(calendar_zone_h)(const char *name, void *arg);

/** Makes an empty one; 0 or ENOMEM. */
int calendar_alloc(struct calendar **cp);

/** Frees it; NULL is fine. Returns NULL. */
struct calendar *calendar_free(struct calendar *c);

/**
 * Adds the events of an ICS text.
 *
 * An event that cannot be understood is told with its line and left out; what
 * is no calendar at all is refused.
 *
 * @param bad counts the events left out; may be NULL
 * @return 0; EBADMSG (told: nothing of it is used) or ENOMEM
 */
int calendar_read(struct calendar *c, const char *text, size_t size,
		  calendar_zone_h *zone, ics_problem_h *problem, void *arg,
		  size_t *bad);

/** Adds whole days (civil_day(), both included), every year if `yearly`. */
int calendar_add_days(struct calendar *c, int64_t first, int64_t last,
		      bool yearly, const char *text);

/** How many events it has. */
size_t calendar_size(const struct calendar *c);

/** When an event is. */
struct calendar_span {
	int64_t begin, end; /**< UTC seconds, the end not included */
	int64_t day, days;  /**< of a whole-day event: local days, how many */
	bool whole;
	int event;
};

/** SUMMARY, CATEGORIES ("" = none) and line of an event. */
const char *calendar_text(const struct calendar *c, int event);
const char *calendar_categories(const struct calendar *c, int event);
int calendar_line(const struct calendar *c, int event);

/** Does its SUMMARY or one of its categories fit a pattern ("Exam*", any
 *  case)? */
bool calendar_fits(const struct calendar *c, int event, const char *pattern);

/**
 * Events that touch the time from t1 to t2, in order of their begin.
 *
 * @param tz for events without a zone of their own
 * @return 0; E2BIG (room for `max` was not enough: the first are there),
 *         ENOMEM
 */
int calendar_expand(const struct calendar *c, const struct tz *tz, int64_t t1,
		    int64_t t2, struct calendar_span *v, size_t max, size_t *n);

#endif
