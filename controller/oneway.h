/**
 * Calls of which nothing is heard, and callers that are at fault for it: a
 * fault for each, until he is heard again or has not called so for an hour.
 * Control thread.
 */
#ifndef TOCSIN_ONEWAY_H
#define TOCSIN_ONEWAY_H

#include "fault.h"
#include "oneway_judge.h"

/** Callers whose fault stands; a further one takes the place of the oldest. */
#define ONEWAY_CALLERS 32
#define ONEWAY_KEPT_MS 3600000

/** Takes over what was agreed; a leg that still has its socket says where we
 *  wait. */
void oneway_agreed(struct oneway_facts *f, const struct media_leg *l);

struct oneway;

/** 0 or ENOMEM. */
int oneway_alloc(struct oneway **op, struct faults *f);

/** NULL is fine. Returns NULL. */
struct oneway *oneway_free(struct oneway *o);

/** Nothing is heard of a caller. detect_ms: how long that lasted. */
void oneway_silent(struct oneway *o, const char *caller,
		   const struct oneway_verdict *v, uint32_t detect_ms);

/** He is heard. */
void oneway_heard(struct oneway *o, const char *caller);

#endif
