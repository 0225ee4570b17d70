/**
 * One request to a SIP device, outside of any call: is it there (OPTIONS, RFC
 * 3261 11), or show a text (MESSAGE, RFC 3428). A challenge is answered where
 * it goes through an account. Control thread.
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

/** Sends a text (UTF-8, at most ASK_MAX_TEXT bytes, else EMSGSIZE) to be shown.
 *  As ask_start(). */
#define ASK_MAX_TEXT 1000
int ask_message(struct ask **ap, struct stack *s, const char *uri,
		const char *text, uint32_t within_ms, ask_h *h, void *arg,
		struct reason *why);

/** Forgets the question; the handler is not called. NULL is fine. */
void ask_end(struct ask *a);

#endif
