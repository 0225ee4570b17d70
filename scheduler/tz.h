/**
 * A time zone: when it changed its offset from UTC, and when it will. Pure:
 * the caller brings the bytes of the system's tzdata (TZif, RFC 8536).
 *
 * glibc knows one zone for the whole process and libical's reader of tzdata
 * ends in 2037, so this is our own. All functions but tz_parse(), tz_make()
 * and tz_free() only read: any thread.
 */
#ifndef TOCSIN_TZ_H
#define TOCSIN_TZ_H

#include "controller/base/reason.h"

#include <stddef.h>
#include <stdint.h>

/** Changes are known up to the end of this year; the last offset stays. */
#define TZ_LAST_YEAR 2200
/** Most changes of one zone, 2200 included. */
#define TZ_MAX_CHANGES 4096
/** Longest file read. */
#define TZ_MAX_FILE 65536

struct tz;

/** From `at` (UTC seconds) on, local time is UTC + offset seconds. */
struct tz_change {
	int64_t at;
	int32_t offset;
};

/** How often a local time happens. */
enum tz_kind {
	TZ_ONCE,
	TZ_GAP,  /**< never: clocks were put forward over it */
	TZ_FOLD, /**< twice: clocks were put back over it */
};

/** Reads a TZif file; 0, EBADMSG with the reason, ENOMEM. */
int tz_parse(struct tz **zp, const void *data, size_t size, struct reason *why);

/** A zone from its changes, ascending; before the first it is `before`. 0,
 *  EINVAL (not ascending, too many) or ENOMEM. */
int tz_make(struct tz **zp, int32_t before, const struct tz_change *v,
	    size_t n);

/** Frees it; NULL is fine. Returns NULL. */
struct tz *tz_free(struct tz *z);

/** UTC itself; never freed. */
const struct tz *tz_of_utc(void);

/** Seconds to add to a UTC time to get the local one. */
int32_t tz_offset(const struct tz *z, int64_t utc);

/** The local time of a UTC time. */
int64_t tz_local(const struct tz *z, int64_t utc);

/**
 * When a local time happens.
 *
 * @param at TZ_ONCE: both the same. TZ_FOLD: the first and the second time.
 *           TZ_GAP: both the instant at which clocks were put forward
 */
enum tz_kind tz_utc(const struct tz *z, int64_t local, int64_t at[2]);

#endif
