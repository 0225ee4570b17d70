/**
 * Where alerts come from: a folder or a server, watched by a thread of its
 * own. Functions here: control thread.
 */
#ifndef TOCSIN_CAP_INBOX_H
#define TOCSIN_CAP_INBOX_H

#include "cap.h"
#include "controller/config/config.h"

/** Most files of a folder that are read. */
#define INBOX_MAX_FILES 1000

/** What one look brought. */
struct inbox_batch {
	struct inbox_batch *next;
	struct cap_alert **alerts; /**< the receiver takes those it sets NULL */
	size_t n_alerts;
	char error[256]; /**< why nothing could be looked at; "" */
	char bad[256];   /**< the first document that is no good; "" */
};

struct inbox;

/** There is something: see inbox_next(). */
typedef void(inbox_h)(struct inbox *i, void *arg);

/** Starts to look; c is copied. 0 or errno. */
int inbox_alloc(struct inbox **ip, const struct config_cap *c, inbox_h *h,
		void *arg);

/** The oldest batch, the caller's to free; NULL = none. */
struct inbox_batch *inbox_next(struct inbox *i);

void inbox_batch_free(struct inbox_batch *b);

/** Does it look at the same place in the same way? */
bool inbox_same(const struct inbox *i, const struct config_cap *c);

/** Begins its end; its handler is not called any more. */
void inbox_close(struct inbox *i);

/** Has it ended since? Then it is freed. Never waits. */
bool inbox_gone(struct inbox *i);

/** Closes it and waits. Returns NULL. */
struct inbox *inbox_free(struct inbox *i);

#endif
