/**
 * libre made safe: functions of libre that this executable replaces.
 *
 * LIBRE.md section 4: timers on the wall clock (B1), a quadratic parser (B2),
 * missing header checks (B8), automatic 3xx following (B7). The dynamic linker
 * takes our definitions because libre calls itself through its PLT; whether it
 * really does is proved at every start by guard_self_test().
 */
#ifndef TOCSIN_GUARD_H
#define TOCSIN_GUARD_H

#include "controller/base/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Largest SIP message looked at. */
#define GUARD_MAX_MESSAGE 16384
/** Longest start line, and most header lines. */
#define GUARD_MAX_START_LINE 2048
#define GUARD_MAX_HEADERS 100

enum guard_verdict {
	GUARD_PASS,
	GUARD_INCOMPLETE, /**< no end of headers yet (stream transports) */
	GUARD_JUNK,       /**< not SIP at all: dropped silently, counted */
	GUARD_BAD, /**< SIP with a mandatory header missing or doubled, or
			CSeq against the method: 400 when it is a request */
};

/** Looks at raw bytes in one pass, linear time. Pure. */
enum guard_verdict guard_inspect(const uint8_t *p, size_t len);

struct guard_counters {
	uint64_t passed, junk, bad, redirects_held;
};

/** Counters of this process. Control thread. */
void guard_counters(struct guard_counters *c);

/**
 * Proves that every guard is in force: starts a libre timer and compares its
 * clock with CLOCK_MONOTONIC, decodes one poisoned and one good message through
 * libre, and sees that a redirect would be held.
 *
 * @return 0, or ENOTSUP with the name of the guard that is not
 */
int guard_self_test(struct reason *why);

#endif
