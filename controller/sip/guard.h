/**
 * libre made safe: functions of libre that this executable replaces.
 *
 * LIBRE.md section 4: timers on the wall clock (B1), a quadratic parser (B2),
 * missing header checks (B8), automatic 3xx following (B7), lines on stderr for
 * whatever a stranger sends (B9), listening where another already does. The
 * dynamic linker takes our definitions because libre calls itself through its
 * PLT; whether it really does is proved at every start by guard_self_test().
 */
#ifndef TOCSIN_GUARD_H
#define TOCSIN_GUARD_H

#include "controller/base/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sip_msg;

/** Largest SIP message looked at: header section, and Content-Length. */
#define GUARD_MAX_MESSAGE 16384
/** Longest start line and longest header, folded lines together. */
#define GUARD_MAX_START_LINE 2048
#define GUARD_MAX_HEADERS 100
/** Most commas in all headers: libre makes an object for each list member. */
#define GUARD_MAX_COMMAS 256

enum guard_verdict {
	GUARD_PASS,
	GUARD_INCOMPLETE, /**< no end of headers yet (stream transports) */
	GUARD_JUNK,       /**< not SIP at all: dropped silently, counted */
	GUARD_BAD, /**< SIP with a malformed request line, a mandatory header
			missing, doubled or malformed, or CSeq against the
			method: 400 (another version: 505) to a request */
};

/** What is wrong with a message: the reason phrase of the answer. */
struct guard_finding {
	enum guard_verdict verdict;
	bool request;    /**< by its start line */
	bool bad_line;   /**< GUARD_BAD for its request line */
	const char *why; /**< GUARD_BAD: a static text, else NULL */
};

/** Looks at raw bytes in one pass, linear time. Pure. */
struct guard_finding guard_examine(const uint8_t *p, size_t len);

/** guard_examine()'s verdict alone. */
enum guard_verdict guard_inspect(const uint8_t *p, size_t len);

/** Has it only bytes that a URI may have (RFC 3986 2)? Pure. */
bool guard_uri_legal(const char *p, size_t len);

/**
 * Why a request that libre hands out is to be refused; NULL when it is in
 * order. Such a request carries no method: no transaction or session takes it.
 */
const char *guard_bad_reason(const struct sip_msg *msg);

/** The status it is to be answered with: 400, or 505. */
uint16_t guard_bad_status(const struct sip_msg *msg);

/** GUARD_BAD's why for a version that is not SIP/2.0. */
extern const char guard_other_version[];

struct guard_counters {
	uint64_t passed, junk, bad, redirects_held;
};

/** Counters of this process. Control thread. */
void guard_counters(struct guard_counters *c);

/**
 * Proves that every guard is in force: starts a libre timer and compares its
 * clock with CLOCK_MONOTONIC, listens twice on one address, hands libre's own
 * receiver one bad and one good request, answers an INVITE of libre's with a
 * redirect and sees it held, and gives the decoder a poisoned message.
 *
 * @return 0, or ENOTSUP with the name of the guard that is not
 */
int guard_self_test(struct reason *why);

#endif
