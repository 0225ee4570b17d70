/**
 * People are called and told what it is about, until one of them takes it.
 *
 * One summons is made for each reason (an alarm); its numbers ring in stages
 * (stages.h), who answers hears the message over and over, and who takes the
 * call has it until he hangs up. Control thread.
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
#define SUMMONS_MAX 64

struct summons;

enum summons_news {
	SUMMONS_TAKEN, /**< who has it, and how: text */
	SUMMONS_VAIN,  /**< all rounds were in vain */
};

typedef void(summons_h)(const char *key, enum summons_news news,
			const char *text, void *arg);

/** 0 or ENOMEM. */
int summons_alloc(struct summons **sp, struct media *m, struct recorder *r,
		  struct faults *f, summons_h *h, void *arg);

/** Hangs up everywhere; before the media engine and the SIP stack are freed.
 *  Returns NULL. */
struct summons *summons_free(struct summons *s);

/** A new configuration; who is being called goes on by the old numbers until
 *  the stage ends, and is over when his operators are gone. */
void summons_configure(struct summons *s, const struct config *c,
		       struct library *l);

/** The SIP stack to call with, NULL = none yet. */
void summons_stack(struct summons *s, struct stack *stack);

/**
 * Calls.
 *
 * @param key       what it is about, unique: "alarm:gas"
 * @param operators index into config.operators
 * @param message   name of a message or tone they hear
 * @param cause     event that led to it
 * @return 0 (also when it is on already), ENOENT, ENOSPC, ENOMEM
 */
int summons_start(struct summons *s, const char *key, int operators,
		  const char *message, uint64_t cause);

/** What it was about is over: nobody is called any more; a call that was taken
 *  goes on. */
void summons_stop(struct summons *s, const char *key);

/** A report of the media engine about a leg from MEDIA_FIRST_OWN_LEG on. */
void summons_report(struct summons *s, const struct media_report *r);

/** All that are on, as the API shows them (new reference). */
json_t *summons_json(const struct summons *s);

/** One of them, null when there is none of that key. */
json_t *summons_one_json(const struct summons *s, const char *key);

#endif
