/**
 * People are called and told what it is about, until one of them takes it.
 *
 * One summons is made for each reason (an alarm, a call for help); its numbers
 * ring in stages (stages.h). Who answers about an alarm hears the message over
 * and over, and who takes the call has it until he hangs up. Who is called to
 * talk is given to the owner when he takes the call; where several want the
 * same number they take turns (turns.h). Control thread.
 */
#ifndef TOCSIN_SUMMONS_H
#define TOCSIN_SUMMONS_H

#include "controller/config/config.h"
#include "controller/fault.h"
#include "controller/library.h"
#include "controller/recorder.h"
#include "controller/sip/stack.h"

#include <jansson.h>

/** At once; calls within them are at most MEDIA_OWN_LEGS. */
#define SUMMONS_MAX (64 + MEDIA_HELP_LEGS)

struct summons;

enum summons_news {
	SUMMONS_RINGS,  /**< a stage rings: stage, round */
	SUMMONS_ROUND,  /**< nobody has taken it in a whole round */
	SUMMONS_TAKEN,  /**< by who; his sound is leg */
	SUMMONS_KEY,    /**< who has it pressed a key */
	SUMMONS_LEFT,   /**< who has it hung up */
	SUMMONS_LOST,   /**< who has it is gone without a word: why */
	SUMMONS_WANTED, /**< who has it is needed by what is more urgent (why):
			    give him away by summons_stop() soon */
	SUMMONS_GONE, /**< its operators are not in the configuration any more:
			   it is over */
};

struct summons_told {
	enum summons_news news;
	const char *who, *stage, *why; /**< "" where it has no meaning */
	unsigned round;                /**< from 1 */
	unsigned leg;                  /**< of the media engine */
	char key;
};

/** May stop its own summons, but for WANTED; and start it again but for RINGS,
 *  ROUND, TAKEN and WANTED. */
typedef void(summons_h)(const char *key, const struct summons_told *t,
			void *arg);

struct summons_request {
	const char *key;     /**< what it is about, unique: "alarm:gas" */
	int operators;       /**< index into config.operators */
	const char *message; /**< name of a message or tone they hear */
	const char *display; /**< shown to who is called; NULL = key */
	uint64_t cause;      /**< event that led to it */
	/** NULL: they only hear the message. Else who takes it is to talk: he
	 *  hears the message until he has pressed his key, rings in turn, goes
	 *  round after round, and has it until he hangs up. */
	summons_h *h;
	void *arg;
	uint8_t level;     /**< of one who is to talk: his place */
	uint64_t since_us; /**< and his age, monotonic */
};

/** 0 or ENOMEM. */
int summons_alloc(struct summons **sp, struct media *m, struct recorder *r,
		  struct faults *f);

/** Hangs up everywhere; before the media engine and the SIP stack are freed.
 *  Returns NULL. */
struct summons *summons_free(struct summons *s);

/** A new configuration. Where the numbers are other ones it begins anew, and it
 *  is over when its operators are gone; a call that was taken goes on. */
void summons_configure(struct summons *s, const struct config *c,
		       struct library *l);

/** The SIP stack to call with, NULL = none yet. */
void summons_stack(struct summons *s, struct stack *stack);

/** Calls. 0 (also when it is on already), ENOENT, ENOSPC, ENOMEM. No handler
 *  runs for TAKEN, LEFT, LOST or GONE before this returns. */
int summons_start(struct summons *s, const struct summons_request *rq);

/** What it was about is over: nobody is called any more. Who took a call about
 *  an alarm hears it to its end; who talks is hung up on. */
void summons_stop(struct summons *s, const char *key);

/** Who has it hears a message or tone, once, and nobody else any more; he is
 *  hung up on with that header by summons_stop(). For who is WANTED. */
void summons_part(struct summons *s, const char *key, const char *message,
		  const char *header);

/** A report of the media engine about a leg from MEDIA_FIRST_OWN_LEG on. */
void summons_report(struct summons *s, const struct media_report *r);

/** All that are on, as the API shows them (new reference). */
json_t *summons_json(const struct summons *s);

/** One of them, null when there is none of that key. */
json_t *summons_one_json(const struct summons *s, const char *key);

#endif
