/** The plan as JSON, and looked over for what is not meant. */
#ifndef TOCSIN_VIEW_H
#define TOCSIN_VIEW_H

#include "controller/library.h"
#include "timetable.h"

#include <jansson.h>

/** One schedule: what, where, its next bell after `now` (new reference). */
json_t *view_schedule(const struct timetable *t, const struct config *c,
		      int schedule, int64_t now);

/** Bells as rows {schedule, time, local, timezone, verdict, why, message,
 *  zones, priority}; NULL with the reason. */
json_t *view_bells(const struct timetable *t, const struct config *c,
		   int64_t t1, int64_t t2, bool all, size_t max,
		   struct reason *why);

/** Begin and end of a day of the site, "2026-12-24"; false = no date. */
bool view_day(const struct timetable *t, const char *date, int64_t at[2]);

/**
 * Reads all calendar files and looks the plan over: at --check, at start and
 * in the worker of a reload.
 *
 * @param strict a calendar file that cannot be used is an error, not a warning
 * @return 0, EINVAL (told) or ENOMEM
 */
int view_check(const struct config *c, struct library *l, bool strict,
	       config_error_h *h, void *arg);

/** Prints what would sound on a day and why (tocsind --dry-run). 0 or EINVAL,
 *  the reason printed. */
int view_dry_run(const struct config *c, const char *date, FILE *f);

#endif
