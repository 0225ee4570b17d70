/**
 * Commands by MQTT, tocsin/<site>/command/<verb>, and by webhooks: which of
 * them may act.
 *
 * DESIGN rule 4: nothing old fires. A broker keeps, delays and repeats, so a
 * command proves that it is new by its time and its id. Pure: no clock, no I/O.
 */
#ifndef TOCSIN_COMMAND_GUARD_H
#define TOCSIN_COMMAND_GUARD_H

#include "controller/base/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Ids remembered against repetition, and for how long: 1 h. */
#define COMMAND_MEMORY 256
#define COMMAND_MEMORY_MS 3600000u

/** Zeroed before its first use. One thread. */
struct command_guard {
	struct {
		char id[64];
		uint64_t at_us;  /**< monotonic, when it was let through */
		int64_t time_us; /**< wall, when it says that it was sent */
	} seen[COMMAND_MEMORY];
	unsigned next;
	/* What was forgotten early under a flood: nothing sent up to then may
	 * act, for it might be a repetition. */
	int64_t forgot_time_us;
	uint64_t forgot_at_us;
};

/**
 * May this command act? Retained, stale, future, repeated, nameless and
 * unreadable ones may not. One that may is remembered.
 *
 * @param payload     {"id": "...", "time": RFC 3339 or Unix seconds, ...}, the
 *                    id of 1-63 printable ASCII characters without blank and
 *                    without / + # (it names the topic of the reply)
 * @param now_wall_us wall clock, us since 1970 UTC
 * @param now_us      monotonic clock
 * @param max_age_ms  how long ago, and how far ahead, it may have been sent
 * @param id          gets the id (64 bytes), "" when there was none that is fit
 * @return 0, or EINVAL (not a fit command), ESTALE (retained, or its time is
 *         not now) or EALREADY (repeated), with the reason
 */
int command_check(struct command_guard *g, const char *payload, size_t len,
		  bool retain, int64_t now_wall_us, uint64_t now_us,
		  uint32_t max_age_ms, char id[64], struct reason *why);

/** The part of command_check() that follows once id and time are known: by
 *  whatever door something comes. As it, but for EINVAL. */
int command_pass(struct command_guard *g, const char *id, int64_t time_us,
		 int64_t now_wall_us, uint64_t now_us, uint32_t max_age_ms,
		 struct reason *why);

/**
 * Reads an RFC 3339 time (section 5.6, offset Z or +hh:mm; fractions below the
 * microsecond are cut; a leap second counts as the next one).
 *
 * @return 0 or EINVAL
 */
int command_time(const char *text, size_t len, int64_t *wall_us);

#endif
