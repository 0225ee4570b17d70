/** The events of a calendar, shared by calendar.c and calendar_read.c. */
#ifndef TOCSIN_CALENDAR_INTERNAL_H
#define TOCSIN_CALENDAR_INTERNAL_H

#include "calendar.h"

struct calendar_event {
	char *text, *categories, *uid;
	int line;
	bool whole;      /**< days, not hours */
	bool override;   /**< takes the place of one occurrence of its uid */
	bool cancelled;  /**< and leaves it empty */
	int64_t instead; /**< which, as a local time */
	int64_t start;   /**< local time */
	int64_t length;  /**< seconds; of a whole-day event its days * 86400 */
	const struct tz *tz; /**< NULL = of who asks */
	struct recur *recur;
	int64_t *rdate, *exdate;
	size_t n_rdates, n_exdates;
};

struct calendar {
	struct calendar_event *v;
	size_t n, room;
	struct {
		char *name;
		struct tz *tz;
	} zone[CALENDAR_MAX_ZONES];
	size_t n_zones;
};

/** An empty event at the end; NULL on ENOMEM. */
struct calendar_event *calendar_new(struct calendar *c);

/** Takes the last one off again. */
void calendar_drop(struct calendar *c);

/** Adds to a list of local times; 0, ENOSPC or ENOMEM. */
int calendar_date(int64_t **v, size_t *n, int64_t local);

#endif
