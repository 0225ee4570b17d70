/**
 * What phones are to show: texts sent to them by SIP, tried a few times, and
 * what became of each in the journal. Control thread.
 */
#ifndef TOCSIN_DISPLAYS_H
#define TOCSIN_DISPLAYS_H

#include "recorder.h"
#include "sip/stack.h"

/** Texts on their way at once, and the longest of them. */
#define DISPLAYS_MAX 256
#define DISPLAYS_TEXT 256
/** How long an answer is waited for, how often it is tried, and the wait
 *  before each but the first. */
#define DISPLAYS_PATIENCE_MS 5000
#define DISPLAYS_TRIES 3
#define DISPLAYS_WAITS_MS                                                      \
	{                                                                      \
		2000, 10000                                                    \
	}

struct displays;

/** 0 or ENOMEM. */
int displays_alloc(struct displays **dp, struct recorder *r);

/** What is on its way is forgotten; before the stack is gone. Returns NULL. */
struct displays *displays_free(struct displays *d);

/** The stack to send with, NULL = none. */
void displays_stack(struct displays *d, struct stack *s);

/**
 * Shows a text on each of these phones: names of endpoints, or SIP URIs. What
 * is still on its way there about the same subject ("alarm:gas") is given up:
 * an older text must not follow a newer.
 */
void displays_show(struct displays *d, char *const *phones, size_t n,
		   const char *text, const char *subject, uint64_t cause);

#endif
