/**
 * What sounds by the clock: the plan, the moment, and what became of it.
 *
 * Everything up to one instant (kept in the journal's state) is done with: it
 * sounded, was skipped or was missed. So nothing sounds twice, through a
 * restart, a suspend or a clock set back. Control thread.
 */
#ifndef TOCSIN_SCHEDULES_H
#define TOCSIN_SCHEDULES_H

#include "controller/broadcast.h"
#include "controller/fault.h"
#include "controller/journal.h"
#include "controller/library.h"
#include "timetable.h"

/** After a longer outage only this much is looked through for what was
 *  missed. Seconds. */
#define SCHEDULES_LOOK_BACK (7 * 86400)
/** How often the time seen last is kept. Seconds. */
#define SCHEDULES_KEEP 300
/** Longest look ahead and most rows of one request. */
#define SCHEDULES_MAX_DAYS 366
#define SCHEDULES_MAX_ROWS 5000
/** Most occurrences that one command may skip. */
#define SCHEDULES_MAX_SKIP 1000

struct schedules;

int schedules_alloc(struct schedules **sp, struct broadcasts *b,
		    struct recorder *r, struct faults *f, struct journal *j);

struct schedules *schedules_free(struct schedules *s);

/** Takes what was kept before the start. After schedules_configure(). */
void schedules_restore(struct schedules *s);

/** Takes a new configuration; 0, or errno with the reason and the old one
 *  stays in force. */
int schedules_configure(struct schedules *s, const struct config *c,
			struct library *l, struct reason *why);

/** Somebody set the wall clock. */
void schedules_stepped(struct schedules *s);

/** What is due sounds. Once a second; in between it has its own timer. */
void schedules_watch(struct schedules *s);

/** Skips the next `count` bells of a schedule (0: none any more), or all up
 *  to `until` (UTC seconds, when count < 0). 0, or EINVAL with the reason. */
int schedules_skip(struct schedules *s, int schedule, int count, int64_t until,
		   const char *actor, struct reason *why);

/** Sounds a schedule's message now. As broadcast_start(); ENOENT with the
 *  reason also when it has no message of its own. */
int schedules_run(struct schedules *s, int schedule, const char *actor,
		  uint64_t at_us, struct broadcast_result *res);

/**
 * Makes a one-off change: takes c (freed when refused). Its kind, names, level
 * and times are set; id, actor and time of making are set here.
 *
 * A MOVE names a schedule and when its bell is (`from`): what that bell sounds
 * is taken over.
 *
 * @return its id; 0: *why tells
 */
uint32_t schedules_change(struct schedules *s, struct change *c,
			  const char *actor, struct reason *why);

/** Takes one back; false = there is none. */
bool schedules_unchange(struct schedules *s, uint32_t id, const char *actor);

/** One of them, NULL = there is none. */
const struct change *schedules_find_change(const struct schedules *s,
					   uint32_t id);

/**
 * A time as people give it: local ("2026-12-24T10:00", of a schedule's zone or,
 * with -1, the site's) or RFC 3339 with an offset.
 *
 * @return 0, or EINVAL with the reason (also: clocks are put forward over it)
 */
int schedules_instant(const struct schedules *s, int schedule, const char *text,
		      int64_t *at, struct reason *why);

/** May the clock be believed? If not, the fault "clock" says why. */
bool schedules_clock_good(struct schedules *s);

/** Type of a day of the site: "normal", or as changes and calendars say. */
const char *schedules_day_type(struct schedules *s, int64_t day);

/** Views (new references). */
json_t *schedules_changes_json(const struct schedules *s);
json_t *schedules_change_json(const struct schedules *s, uint32_t id);
json_t *schedules_json(const struct schedules *s);
json_t *schedule_json(const struct schedules *s, int schedule);
json_t *schedules_calendars_json(const struct schedules *s);

/** Bells after t1 and up to t2 (UTC seconds): rows, at most
 *  SCHEDULES_MAX_ROWS. all: those that do not sound too. NULL: *why. */
json_t *schedules_next_json(const struct schedules *s, int64_t t1, int64_t t2,
			    bool all, struct reason *why);

/** "2026-12-24" as the day's begin and end in the site's zone; false = none. */
bool schedules_day(const struct schedules *s, const char *date, int64_t t[2]);

#endif
