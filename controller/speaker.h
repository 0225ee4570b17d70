/**
 * A SIP loudspeaker's call as a state and what an event does to it. Pure: no
 * clock, no I/O.
 */
#ifndef TOCSIN_SPEAKER_H
#define TOCSIN_SPEAKER_H

#include <stdbool.h>
#include <stdint.h>

enum speaker_state {
	SPEAKER_IDLE,    /**< not called; asked now and then */
	SPEAKER_CALLING, /**< the INVITE is out */
	SPEAKER_UP,      /**< answered: sound goes there */
	SPEAKER_RETRY,   /**< could not be had; called again at `due` */
};

enum speaker_event {
	SPEAKER_EV_WANT,     /**< something is to sound there */
	SPEAKER_EV_UNWANT,   /**< nothing is any more */
	SPEAKER_EV_ANSWERED, /**< of the call */
	SPEAKER_EV_FAILED,   /**< the call was refused, not reached, or ended */
	SPEAKER_EV_REACHED,  /**< the question was answered */
	SPEAKER_EV_MISSED,   /**< it was not */
	SPEAKER_EV_DUE,      /**< `due` has come */
};

/** What is to be done, as bits. */
enum {
	SPEAKER_DO_CALL = 1,
	SPEAKER_DO_HANG_UP = 2, /**< BYE or CANCEL */
	SPEAKER_DO_REFRESH = 4, /**< ask within the call */
	SPEAKER_DO_ASK = 8,     /**< ask without one */
	SPEAKER_DO_LATE = 16,   /**< tell: it did not answer in time */
	SPEAKER_DO_GONE = 32,   /**< tell: two questions went unanswered */
};

struct speaker_rule {
	bool keep;
	uint32_t within_ms, linger_ms, check_ms;
};

struct speaker {
	enum speaker_state state;
	bool wanted;
	unsigned tries;  /**< in vain, since the last answer */
	unsigned missed; /**< questions, since the last answer */
	uint64_t up_us;  /**< when it answered last */
	uint64_t due;    /**< monotonic us of its next SPEAKER_EV_DUE */
};

/** Longest time between two tries: while something is to sound, and else. */
#define SPEAKER_RETRY_MS 5000
#define SPEAKER_RETRY_IDLE_MS 15000
/** A call that ends sooner after its answer is a try in vain. */
#define SPEAKER_SHORT_MS 5000
/** A question is asked again so long after one that went unanswered. */
#define SPEAKER_ASK_AGAIN_MS 5000

/** A speaker as it begins: asked, or with `keep` called, at once. Returns what
 *  is to be done. */
unsigned speaker_init(struct speaker *s, const struct speaker_rule *r,
		      uint64_t now);

/** Takes an event. Returns what is to be done, HANG_UP before CALL. */
unsigned speaker_step(struct speaker *s, const struct speaker_rule *r,
		      enum speaker_event ev, uint64_t now);

#endif
