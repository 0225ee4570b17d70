/**
 * Lamps: phones that watch a zone, an alarm or a station see it busy on a key
 * (RFC 4235 over RFC 6665). What a watched user is, and who may watch it, the
 * owner says; here are the subscriptions. Control thread.
 */
#ifndef TOCSIN_LAMP_H
#define TOCSIN_LAMP_H

#include "controller/sip/dialog_info.h"
#include "controller/sip/stack.h"

/** Subscriptions at once, and those of one endpoint. */
#define LAMP_MAX 1000
#define LAMP_MAX_PER_ENDPOINT 100
/** Seconds one holds: at least, and at most (what is granted to who names
 *  none). RFC 6665 4.2.1.1 lets us refuse only what is below an hour. */
#define LAMP_MIN_S 60
#define LAMP_MAX_S 3600
/** Between two NOTIFYs of one subscription, but for its last. */
#define LAMP_PACE_MS 200

struct lamp_handlers {
	/** May he watch it? 200, 403 or 404. */
	uint16_t (*may)(const char *user, const struct config_peer *who,
			void *arg);
	/** What it is now; of a user that may be watched. */
	enum lamp_state (*state)(const char *user, void *arg);
};

/** Who is asked; until then nothing may be watched. */
void lamp_handle(struct stack *s, const struct lamp_handlers *h, void *arg);

/** Something may have changed: all that is watched is looked at soon. */
void lamp_look(struct stack *s);

/** Ends all: who watches is told to come again (deactivated). */
void lamp_leave(struct stack *s);

/** A subscription, for people. */
struct lamp_view {
	const char *user;    /**< what is watched */
	const char *watcher; /**< "sip:201@10.7.0.10", "endpoint:desk" */
	enum lamp_state state;
	uint64_t until_us; /**< monotonic */
	uint32_t version;  /**< of the last document sent */
};

typedef void(lamp_view_h)(const struct lamp_view *v, void *arg);

/** Each, in no order. */
void lamp_list(const struct stack *s, lamp_view_h *h, void *arg);

#endif
