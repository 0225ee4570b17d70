/**
 * What one may do through the API, in words: the scopes of a machine's token.
 * A person's role is a set of them. Pure, any thread.
 */
#ifndef TOCSIN_BASE_SCOPE_H
#define TOCSIN_BASE_SCOPE_H

#include <stddef.h>

enum scope {
	SCOPE_METRICS = 1 << 0,   /**< GET /metrics */
	SCOPE_VIEW = 1 << 1,      /**< all else that is read */
	SCOPE_PAGE = 1 << 2,      /**< begin and end broadcasts */
	SCOPE_ALARMS = 1 << 3,    /**< alarms, the mode, walk tests */
	SCOPE_POINTS = 1 << 4,    /**< inputs and outputs */
	SCOPE_SCHEDULES = 1 << 5, /**< the plan of bells */
	SCOPE_SOUND = 1 << 6,     /**< volumes and music */
	SCOPE_CALLS = 1 << 7,     /**< calls */
	SCOPE_MESSAGES = 1 << 8,  /**< change the message library */
	SCOPE_ADMIN = 1 << 9,     /**< configuration, traces, tokens */
};

#define SCOPES_VIEWER (SCOPE_METRICS | SCOPE_VIEW)
#define SCOPES_ADMIN ((SCOPE_ADMIN << 1) - 1)
#define SCOPES_OPERATOR (SCOPES_ADMIN & ~SCOPE_ADMIN)
/** What acts. */
#define SCOPES_ACTING (SCOPES_ADMIN & ~SCOPES_VIEWER)

/** Names of all, for texts. */
#define SCOPE_NAMES                                                            \
	"metrics, view, page, alarms, points, schedules, sound, calls, "       \
	"messages, admin"
#define SCOPE_TEXT 96

/** The scope of a name, with what it brings along (view: metrics; admin: all);
 *  0 = there is none. */
unsigned scope_find(const char *name);

/** Names of a set, as "metrics, view"; "none" for none. Returns buf. */
char *scope_text(unsigned scopes, char buf[SCOPE_TEXT]);

/** The n-th scope's name, NULL behind the last. */
const char *scope_name(size_t n);

#endif
