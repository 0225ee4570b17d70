/**
 * Proof of sound: multicasts are heard back where they leave, others who talk
 * on our groups and networks without a querier are found.
 *
 * Everything runs in the control thread, some times a second, on samples: at
 * 500 zones some 400 packets a second are looked at. What is wrong becomes a
 * fault: "heard:NAME", "foreign:NAME" of an output, "igmp:INTERFACE" and
 * "mld:INTERFACE" of a network.
 */
#ifndef TOCSIN_PROOF_H
#define TOCSIN_PROOF_H

#include "sounds.h"

struct proof;

/** Makes it; it watches nothing before proof_configure(). 0 or ENOMEM. */
int proof_alloc(struct proof **pp, struct media *m, const struct sounds *s,
		struct faults *f);

/** Leaves all groups, closes all taps; the faults stay. Returns NULL. */
struct proof *proof_free(struct proof *p);

/** Watches the outputs of a configuration: after sounds_apply(). It must live
 *  until the next. */
void proof_configure(struct proof *p, const struct config *c);

/** Interfaces came or went: after sounds_watch() said so. */
void proof_renew(struct proof *p);

/** What was heard of one output (new reference), null where nothing is. */
json_t *proof_output_json(const struct proof *p, unsigned index);

/** Interfaces that carry multicasts: how they are heard back, who asks there
 *  (new reference, an array). */
json_t *proof_interfaces_json(const struct proof *p);

/** Writes its metrics in Prometheus' text format. */
void proof_metrics(const struct proof *p, FILE *f);

#endif
