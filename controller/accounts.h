/**
 * Accounts at a PBX, as the rest of the daemon sees them: events, faults, and
 * what the API shows. Control thread.
 */
#ifndef TOCSIN_ACCOUNTS_H
#define TOCSIN_ACCOUNTS_H

#include "fault.h"
#include "recorder.h"
#include "sip/account.h"

#include <jansson.h>
#include <stdio.h>

/** So long an account may be without a registration before that is a fault:
 *  the next registrar is tried within this. */
#define ACCOUNTS_GRACE_MS 10000

struct accounts;

/** 0 or ENOMEM. */
int accounts_alloc(struct accounts **pp, struct recorder *r, struct faults *f);

/** Before its stack is gone; NULL is fine. Returns NULL. */
struct accounts *accounts_free(struct accounts *p);

/** Takes a configuration and the stack that serves it (NULL = none). */
void accounts_configure(struct accounts *p, const struct config *c,
			struct stack *s);

/** Once a second: who is still not registered. */
void accounts_watch(struct accounts *p);

/** GET /accounts. */
json_t *accounts_json(const struct accounts *p);

/** For Prometheus. */
void accounts_metrics(const struct accounts *p, FILE *f);

#endif
