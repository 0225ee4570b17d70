/**
 * One who is told: a bounded queue and a thread that empties it.
 *
 * The control thread puts events in and reads how it fares; the thread alone
 * talks to the outside, and may wait there. An event is in the queue until the
 * other side has it. Functions here: control thread, unless said otherwise.
 */
#ifndef TOCSIN_TARGET_H
#define TOCSIN_TARGET_H

#include "controller/config/config.h"
#include "controller/event.h"

/** Events that wait for one. */
#define TARGET_QUEUE 1000
/** First and longest wait after a failure, ms. */
#define TARGET_RETRY_MS 1000
#define TARGET_MAX_RETRY_MS 60000
/** How long anything may take on the other side, ms. */
#define TARGET_TIMEOUT_MS 10000

struct target;

/** Settings and what a sender sees; the thread's, and constant. */
struct target_conf {
	const struct config_notify *c; /**< own copy */
	const char *site;
	_Atomic bool *stop; /**< true: give up at once */
	int cancel;         /**< eventfd: readable then */
};

/** What makes a kind. All in the target's thread. */
struct target_kind {
	/** NULL on ENOMEM. */
	void *(*open)(const struct target_conf *t);
	void (*close)(void *link);
	/**
	 * Sends the first of the events, in order.
	 *
	 * @param n in: events there are, 1 or more; out: how many are done
	 *          with, whatever is returned
	 * @return 0; EACCES: the *n were refused for good; else try again
	 */
	int (*send)(void *link, const struct event *const *e, size_t *n,
		    struct reason *why);
	/** Once a second while nothing is to be sent: is it still there? 0 or
	 *  why not; -1: nobody knows. May be NULL. */
	int (*look)(void *link, struct reason *why);
	size_t batch;       /**< most events at once */
	uint32_t gather_ms; /**< wait for more after the first */
	bool spaced;        /**< interval_s between two */
};

extern const struct target_kind target_post, target_mail, target_syslog;

/** How it fares. */
struct target_state {
	size_t waiting;
	uint64_t sent, refused, lost;
	int64_t last_wall_us; /**< when something was sent, 0 = never */
	char error[256];      /**< what is wrong now; "" */
};

/** Starts the thread; c is copied. 0, ENOMEM or EAGAIN. */
int target_alloc(struct target **tp, const struct config_notify *c,
		 const char *site);

/** Begins its end: what waits is tried once more, for up to 1 s. */
void target_close(struct target *t);

/** Has it ended since target_close()? Then it is freed. Never waits. */
bool target_gone(struct target *t);

/** Closes and waits for it, up to 1 s more than what it is about takes to be
 *  given up. Returns NULL. */
struct target *target_free(struct target *t);

/** Queues a copy; the oldest is lost when it is full. */
void target_put(struct target *t, const struct event *e);

void target_state(struct target *t, struct target_state *s);

/** Is it about the same in all that counts? */
bool target_same(const struct target *t, const struct config_notify *c,
		 const char *site);

/** Seconds since the event, any thread. */
double target_age_s(const struct event *e);

#endif
