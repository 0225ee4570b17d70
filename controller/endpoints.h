/**
 * Endpoints that register here, as the rest of the daemon sees them: events,
 * faults, what survives a restart, and what the API shows. Control thread.
 */
#ifndef TOCSIN_ENDPOINTS_H
#define TOCSIN_ENDPOINTS_H

#include "fault.h"
#include "journal.h"
#include "recorder.h"
#include "sip/location.h"

#include <jansson.h>

/** So long after its first configuration an endpoint may take to register. */
#define ENDPOINTS_GRACE_MS 90000

struct endpoints;

/** j may be NULL: then nothing survives a restart. 0 or ENOMEM. */
int endpoints_alloc(struct endpoints **ep, struct recorder *r, struct faults *f,
		    struct journal *j);

/** Before stack_free()'s stack is gone; NULL is fine. Returns NULL. */
struct endpoints *endpoints_free(struct endpoints *e);

/** Takes a configuration and the stack that serves it (NULL = none). A stack
 *  seen for the first time gets the contacts of before a restart. 0 or ENOMEM.
 */
int endpoints_configure(struct endpoints *e, const struct config *c,
			struct stack *s);

/** Once a second: who is still not registered. */
void endpoints_watch(struct endpoints *e);

/** GET /endpoints. */
json_t *endpoints_json(const struct endpoints *e);

/** GET /sip: registrations in short, bans, counters. */
json_t *endpoints_sip_json(const struct endpoints *e);

#endif
