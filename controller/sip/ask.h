/**
 * Asks whether a SIP device is there: one OPTIONS (RFC 3261 11). Control
 * thread.
 */
#ifndef TOCSIN_ASK_H
#define TOCSIN_ASK_H

#include "controller/base/reason.h"
#include "controller/sip/stack.h"

struct ask;

/** status: of the answer, whatever it is: somebody is there; 0 = nobody is.
 *  The object is gone after this. */
typedef void(ask_h)(struct ask *a, uint16_t status, void *arg);

/**
 * Asks. No handler runs before this returns.
 *
 * @param within_ms how long an answer is waited for
 * @return 0, or as dial_start() with the reason
 */
int ask_start(struct ask **ap, struct stack *s, const char *uri,
	      uint32_t within_ms, ask_h *h, void *arg, struct reason *why);

/** Forgets the question; the handler is not called. NULL is fine. */
void ask_end(struct ask *a);

#endif
