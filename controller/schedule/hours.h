/**
 * When windows of the week are looked at: once as the next of them begins or
 * ends, once a minute, because types of days change by calendars and by hand,
 * and when the clock was set back. Pure.
 */
#ifndef TOCSIN_HOURS_H
#define TOCSIN_HOURS_H

#include "scheduler/window.h"

#define HOURS_LOOK_S 60

struct hours_look {
	int64_t seen, next; /**< UTC seconds; next 0 = at once */
};

/** Is it time? Then hours_until() is to be told of every window. */
static inline bool hours_due(struct hours_look *l, int64_t now)
{
	if (l->next && now >= l->seen && now < l->next)
		return false;
	l->seen = now;
	l->next = now + HOURS_LOOK_S;
	return true;
}

/** The next look is not after this one's next begin or end. */
static inline void hours_until(struct hours_look *l, const struct window *w,
			       const struct tz *tz)
{
	const int64_t next = window_change(w, 1, tz, l->seen);

	if (next < l->next)
		l->next = next;
}

#endif
