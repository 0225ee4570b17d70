/**
 * When something happens: days, times of day, recurrences, in a time zone.
 *
 * Pure: rules in, occurrences between two instants out. What a rule says about
 * local times that do not happen, or happen twice, is decided here and only
 * here.
 */
#ifndef TOCSIN_RULE_H
#define TOCSIN_RULE_H

#include "scheduler/recur.h"
#include "scheduler/tz.h"

/** Most times of one day (one a minute). */
#define RULE_MAX_TIMES 1440
/** Latest time: a night's plan goes on behind midnight. Seconds. */
#define RULE_LAST_TIME (2 * 86400 - 1)
/** All seven. */
#define RULE_ALL_DAYS 0x7f

/** A local time that is left out because clocks are put forward over it. */
enum rule_gap {
	RULE_GAP_NEXT, /**< happens when the clocks are put forward */
	RULE_GAP_SKIP, /**< does not happen that day */
};

/** A local time that comes twice because clocks are put back over it. */
enum rule_fold {
	RULE_FOLD_FIRST,
	RULE_FOLD_SECOND,
	RULE_FOLD_BOTH,
};

/** Days, both included. */
struct rule_range {
	int64_t first, last;
};

struct rule {
	uint8_t days;        /**< bit 0 = Monday */
	const int32_t *time; /**< seconds of the day, ascending */
	size_t n_times;
	const struct recur *recur; /**< NULL = none */
	const int64_t *rdate;      /**< local times beside it */
	size_t n_rdates;
	const int64_t *exdate; /**< local times taken off, or (at midnight of
				  a rule without one) whole days */
	size_t n_exdates;
	const struct rule_range *range; /**< only on these days; none = all */
	size_t n_ranges;
	enum rule_gap gap;
	enum rule_fold fold;
};

enum rule_how {
	RULE_AS_SAID,
	RULE_MOVED,   /**< from a gap to its end */
	RULE_SKIPPED, /**< it lies in a gap and does not happen */
	RULE_AGAIN,   /**< second time of a fold */
};

struct rule_time {
	int64_t at;    /**< UTC seconds */
	int64_t local; /**< as the rule says it */
	enum rule_how how;
};

/**
 * Occurrences after t1 and up to t2, ascending in `at`; no instant is there
 * twice. Of two rules' times at one instant the one that was not moved stays.
 * Skipped ones are there too, with the end of their gap as `at`; they do not
 * take the place of another.
 *
 * @param v   room for `max`
 * @return 0; E2BIG (v is full or a recurrence took too long: what is there is
 *         good), ENOMEM
 */
int rule_expand(const struct rule *r, const struct tz *tz, int64_t t1,
		int64_t t2, struct rule_time *v, size_t max, size_t *n);

#endif
