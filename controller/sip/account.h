/**
 * Accounts: extensions of a PBX that we are. They register with the first of
 * their registrars that answers, notice its silence, and come back to an
 * earlier one; calls from there page by the account's rule, calls of ours to
 * its domain go through it. Control thread.
 *
 * enrol.c decides; here are the requests.
 */
#ifndef TOCSIN_ACCOUNT_H
#define TOCSIN_ACCOUNT_H

#include "controller/sip/stack.h"

/** How long an answer to a request of an account is waited for. */
#define ACCOUNT_PATIENCE_MS 3000
/** How long the end of the daemon waits for registrars to let go. */
#define ACCOUNT_LEAVE_MS 500

/** What an account is doing, for people. */
struct account_view {
	const char *name;
	bool registered;
	const char *registrar; /**< registered with, or tried last; "" = none */
	uint64_t since_us;     /**< monotonic: registered, or not, since */
	uint64_t next_us;      /**< next attempt or renewal, 0 = one is out */
	uint64_t until_us;     /**< the registration ends; 0 = none */
	const char *error;     /**< of the last attempt that failed; "" = none
				*/
	uint64_t registrations, failures; /**< answers of either kind */
};

struct account_handlers {
	/** Registered, with another registrar, or no longer. */
	void (*changed)(const struct account_view *v, bool moved, void *arg);
	/** An attempt failed; told when its reason changes. */
	void (*failed)(const struct account_view *v, void *arg);
};

/** Who is told; until then nobody is. */
void account_handle(struct stack *s, const struct account_handlers *h,
		    void *arg);

/** The i-th account as configured; false behind the last. */
bool account_see(const struct stack *s, size_t i, struct account_view *v);

/** Takes all registrations back, and waits until that is done or
 *  ACCOUNT_LEAVE_MS are over: the loop turns meanwhile. */
void account_leave(struct stack *s);

#endif
