/**
 * All schedules of a configuration as one plan: what sounds between two
 * instants, and what does not and why. Pure once made: no clock, no I/O.
 */
#ifndef TOCSIN_TIMETABLE_H
#define TOCSIN_TIMETABLE_H

#include "changes.h"
#include "controller/config/config.h"
#include "scheduler/calendar.h"
#include "scheduler/rule.h"

/** Bells of one look. */
#define TIMETABLE_MAX 100000

struct timetable;

enum bell_verdict {
	BELL_RINGS,
	BELL_GAP,      /**< its local time is left out that day */
	BELL_EXCEPT,   /**< an event of an `except` calendar */
	BELL_NOT_ON,   /**< no event of its `only-on` calendars */
	BELL_DAY_TYPE, /**< the day is of another type */
	BELL_NO_FIT,   /**< its event fits nothing and the schedule has no
			  message */
	BELL_SKIPPED,  /**< somebody said so */
	BELL_MOVED,    /**< and that it sounds at another time */
};

struct bell {
	int64_t at;    /**< UTC seconds */
	int64_t local; /**< as the schedule says it */
	int schedule;  /**< -1: an extra bell */
	int change;    /**< that made or decided it, -1 = none */
	enum rule_how how;
	enum bell_verdict verdict;
	int calendar, event; /**< that decided or caused it; -1 = none */
	int message;         /**< -1 = none, or of a change: bell_message() */
	const int *zones;
	size_t n_zones;
	uint8_t level;
};

/** Makes it; the configuration must outlive it. Zones and rules are read. */
int timetable_alloc(struct timetable **tp, const struct config *c,
		    struct reason *why);

struct timetable *timetable_free(struct timetable *t);

/** The calendar of that number is now this one (not owned, NULL = none). */
void timetable_calendar(struct timetable *t, size_t i,
			const struct calendar *c);

/** These one-off changes are in force (not owned; resolved for its
 *  configuration). Call it again when they change. */
void timetable_changes(struct timetable *t, const struct changes *s);

/** Name of what a bell sounds, NULL = nothing. */
const char *bell_message(const struct timetable *t, const struct bell *b);

/** Zone of a bell's local time. */
const struct tz *bell_zone(const struct timetable *t, const struct bell *b);

/** Nothing of a schedule up to and including this instant; 0 = nothing is
 *  skipped. */
void timetable_skip(struct timetable *t, size_t schedule, int64_t until);

int64_t timetable_skipped(const struct timetable *t, size_t schedule);

/**
 * Bells after t1 and up to t2 in order of time, those that do not sound
 * included.
 *
 * @param schedule only of this one; -1 = all
 * @param v        free() it
 * @return 0, E2BIG (too many: look at less time) or ENOMEM
 */
int timetable_expand(const struct timetable *t, int schedule, int64_t t1,
		     int64_t t2, struct bell **v, size_t *n);

/** Why a bell sounds or does not: one plain sentence. Returns buf. */
char *timetable_why(const struct timetable *t, const struct bell *b, char *buf,
		    size_t size);

/** Type of a local day of the site: "normal", or as changes and calendars say.
 *  "normal" too when memory is short. */
const char *timetable_day_type(const struct timetable *t, int64_t day);

/** Zone a schedule's local times are of. */
const struct tz *timetable_zone(const struct timetable *t, size_t schedule);

/** Zone of the site. */
const struct tz *timetable_site_zone(const struct timetable *t);

/** "rings", "gap", "except", ... */
const char *bell_verdict_name(enum bell_verdict v);

#endif
