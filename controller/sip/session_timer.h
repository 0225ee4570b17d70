/**
 * Session timers (RFC 4028): how long a dialog lives without a refresh, and who
 * refreshes it. Pure: headers in, terms and headers out; the caller has the
 * clock.
 */
#ifndef TOCSIN_SESSION_TIMER_H
#define TOCSIN_SESSION_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Shortest interval taken, and what is taken when nothing is said (RFC 4028
 *  section 5). */
#define SESSION_MIN_S 90u
/** Longest that is believed; more is cut. */
#define SESSION_MAX_S 86400u

/** Room for the header lines of a request or an answer. */
#define SESSION_LINES_SIZE 128

enum session_refresher { SESSION_ANYBODY, SESSION_UAC, SESSION_UAS };

/** What a message says of it. */
struct session_said {
	bool timer;         /**< "timer" in Supported or Require */
	bool malformed;     /**< a value that is no number: 400 */
	uint32_t expires_s; /**< Session-Expires, 0 = none */
	enum session_refresher refresher;
	uint32_t min_s; /**< Min-SE, 0 = none */
};

/** What holds in a dialog. */
struct session_terms {
	uint32_t interval_s; /**< 0 = it lives until somebody ends it */
	bool we_refresh;
};

/** "1800;refresher=uac" into *said. False (and malformed) for what is no
 *  number. */
bool session_read_expires(struct session_said *said, const char *p, size_t len);

/** "90" of Min-SE into *said; the same. */
bool session_read_min(struct session_said *said, const char *p, size_t len);

/**
 * Answers an INVITE, the first or a later one.
 *
 * @param ours_s what we like, 0 = no session timers
 * @param lines  header lines of the answer with CRLF, "" = none
 * @return 200 with *t and the lines of the 2xx; 400; 422 with its Min-SE
 */
uint16_t session_answer(const struct session_said *said, uint32_t ours_s,
			struct session_terms *t,
			char lines[SESSION_LINES_SIZE]);

/**
 * The header lines of an INVITE of ours.
 *
 * @param now    what holds in its dialog; an interval of 0: none does yet
 * @param ours_s what we like; 0 writes none
 * @param min_s  Min-SE that a 422 told, 0 = none
 */
void session_offer(const struct session_terms *now, uint32_t ours_s,
		   uint32_t min_s, char lines[SESSION_LINES_SIZE]);

/** The 2xx to an INVITE of ours has come: what holds now; less than
 *  SESSION_MIN_S counts as that. */
void session_agreed(const struct session_said *said, struct session_terms *t);

enum session_act { SESSION_WAIT, SESSION_REFRESH, SESSION_END };

/**
 * What to do `since_ms` after the last refresh, having tried `tries` times to
 * refresh since: at half the interval, again at half of what is left, and the
 * end min(32 s, a third) before it is over (RFC 4028 section 10).
 *
 * @param wait_ms until when to ask again, also after SESSION_REFRESH; 0 with
 *                SESSION_END, and with SESSION_WAIT where there is no end
 */
enum session_act session_next(const struct session_terms *t, uint64_t since_ms,
			      unsigned tries, uint64_t *wait_ms);

#endif
