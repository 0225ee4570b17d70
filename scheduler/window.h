/**
 * A time of the week: "mon-fri 22:00-06:00", "sat,sun", "08:00-18:00 on exam".
 *
 * Weekdays (all, when none are named), a time of day (the whole day, when none
 * is named; one that ends before it begins ends on the next day), and types of
 * day. A window belongs to the day on which it begins: "fri 22:00-06:00" goes
 * on into Saturday, whatever Saturday's type is.
 *
 * Local times. One that comes twice, because clocks are put back, means the
 * first; one that is left out, because they are put forward, means the moment
 * at which they are. So windows that do not overlap on the wall never do, and
 * none begins or ends twice.
 *
 * Pure: no clock, no allocation; a value that may be copied. Any thread.
 */
#ifndef TOCSIN_WINDOW_H
#define TOCSIN_WINDOW_H

#include "controller/base/reason.h"
#include "scheduler/tz.h"

#include <stdbool.h>

/** Room for the types of one window and for window_text(). */
#define WINDOW_TYPES 128
#define WINDOW_TEXT 192
/** What a value may be, for messages. */
#define WINDOW_ALLOWED                                                         \
	"windows like \"mon-fri 22:00-06:00\", \"sat,sun\" or \"08:00-18:00 "  \
	"on exam\""

struct window {
	uint8_t days;             /**< bit 0 = Monday */
	int32_t from, to;         /**< seconds of the day; to may be on the next
				     day: from < to <= from + 86400 */
	char types[WINDOW_TYPES]; /**< "exam,holiday"; "" = days of any type */
};

/** When a window applies, [begin, end) in UTC seconds. */
struct window_span {
	int64_t begin, end;
};

/** Type of a local day (civil_day()): "normal", or as calendars say. */
typedef const char *(window_type_h)(int64_t day, void *arg);

/** Reads one; 0, or EINVAL with the reason. */
int window_parse(struct window *w, const char *text, struct reason *why);

/** Writes it such that it is read as the same. Returns buf. */
char *window_text(char buf[WINDOW_TEXT], const struct window *w);

/**
 * Does it apply at an instant?
 *
 * @param tz   of its local times
 * @param type NULL: every day is "normal"
 * @param span where it does; may be NULL
 */
bool window_covers(const struct window *w, const struct tz *tz, int64_t utc,
		   window_type_h *type, void *arg, struct window_span *span);

/** First of n windows that applies, -1 = none. */
int window_find(const struct window *v, size_t n, const struct tz *tz,
		int64_t utc, window_type_h *type, void *arg,
		struct window_span *span);

/** First instant after utc at which one of n windows begins or ends on days of
 *  any type, within 8 days; INT64_MAX = none. */
int64_t window_change(const struct window *v, size_t n, const struct tz *tz,
		      int64_t utc);

/** Could both apply at one time? Of windows of different types on one day: no.
 */
bool window_overlap(const struct window *a, const struct window *b);

/** Does it name a type of day? Calls h for each, until h returns false. */
bool window_types(const struct window *w,
		  bool (*h)(const char *type, void *arg), void *arg);

#endif
