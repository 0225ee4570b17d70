/**
 * Who stays in after a log-in: a table of sessions by the digest of their
 * token. Pure but for the random numbers; the caller has the lock and the
 * clock (monotonic microseconds). The token itself is kept nowhere.
 */
#ifndef TOCSIN_WEB_SESSION_H
#define TOCSIN_WEB_SESSION_H

#include <stdbool.h>
#include <stdint.h>

/** Bytes of a token or of a CSRF token as text, with its NUL. */
#define SESSION_TOKEN 65

struct sessions;

/** What its owner may know of a session. */
struct session_view {
	char user[256];
	char csrf[SESSION_TOKEN];
	unsigned idle_s; /**< until it ends when nothing is asked */
	unsigned ends_s; /**< until it ends in any case */
};

/** NULL without memory. */
struct sessions *sessions_alloc(void);
struct sessions *sessions_free(struct sessions *s);

/**
 * A new session of a user whose password has this hash. When there are too
 * many, of the user or of all, the one that was asked nothing for longest ends.
 * @return 0 with its token, EIO (no random numbers), ENOMEM
 */
int session_open(struct sessions *s, const char *user, const char *hash,
		 uint64_t now_us, char token[SESSION_TOKEN]);

/** Is there this session? Then it was used now, and *v says what it is. */
bool session_use(struct sessions *s, const char *token, uint64_t now_us,
		 struct session_view *v);

/** Ends it; nothing when there is none. */
void session_close(struct sessions *s, const char *token);

/** Ends all but those for which still() says that the user has that hash. */
void sessions_keep(struct sessions *s,
		   bool (*still)(const char *user, const char *hash, void *arg),
		   void *arg);

#endif
