/** What the journal keeps of the plan, read beside a daemon that runs. */
#ifndef TOCSIN_KEPT_H
#define TOCSIN_KEPT_H

#include "timetable.h"

#define KEPT_SKIP "schedule-skip:"
#define KEPT_CHANGE "schedule-change:"

/**
 * Puts what was skipped and changed by hand into a timetable.
 *
 * @param s gets the changes and must outlive t; changes_reset() it
 * @return 0, or errno with the reason: nothing could be read. No journal at
 *         all is no error
 */
int kept_read(const struct config *c, struct timetable *t, struct changes *s,
	      struct reason *why);

#endif
