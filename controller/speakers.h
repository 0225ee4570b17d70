/**
 * SIP loudspeakers: outputs of sound that are called.
 *
 * When a broadcast is to sound on them all are called at once; each carries it
 * from the moment it answers, in step with all other outputs, and none waits
 * for another. One that does not answer is a fault and is called again while
 * something is to sound. While they are not called they are asked now and then
 * whether they are there. Control thread.
 */
#ifndef TOCSIN_SPEAKERS_H
#define TOCSIN_SPEAKERS_H

#include "config/config.h"
#include "fault.h"
#include "sip/stack.h"
#include "sounds.h"

#include <jansson.h>

struct speakers;

/** An output came or went: its route is to be said again. */
typedef void(speakers_h)(const struct arb_set *outputs, void *arg);

/** 0 or ENOMEM. Given objects must outlive it. */
int speakers_alloc(struct speakers **sp, struct sounds *s, struct faults *f,
		   speakers_h *h, void *arg);

/** Hangs up everywhere. Before the SIP stack is freed. Returns NULL. */
struct speakers *speakers_free(struct speakers *s);

/** Takes a new configuration: call after sounds_apply(). Calls to speakers that
 *  did not change stay. 0 or ENOMEM. */
int speakers_configure(struct speakers *s, const struct config *c);

/** The SIP stack to call with, NULL = none yet. */
void speakers_stack(struct speakers *s, struct stack *stack);

/** Says what is to sound now: for each output its level, -1 = nothing. */
void speakers_update(struct speakers *s, const int16_t *level, unsigned n);

/** The network says that nobody takes the sound: is the call still there? */
void speakers_trouble(struct speakers *s, unsigned output);

/** What is known of an output's call, null for one that is no speaker. */
json_t *speakers_json(const struct speakers *s, unsigned output);

/** Calls that are up, and speakers that are known not to work. */
struct speakers_counters {
	unsigned speakers, up, faulty;
	uint64_t calls, answered, failed;
};

void speakers_counters(const struct speakers *s, struct speakers_counters *c);

#endif
