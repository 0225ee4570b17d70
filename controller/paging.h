/**
 * Pages: a SIP call to a zone's extension becomes a broadcast, at once or,
 * where the zone is record-then-play, when what was said is recorded
 * (stored.h).
 *
 * Between SIP (which asks) and the broadcasts (which decide): who may page
 * what, the go-ahead tone, what a preempted caller hears, and every way in
 * which a page ends. Control thread.
 */
#ifndef TOCSIN_PAGING_H
#define TOCSIN_PAGING_H

#include "alarms.h"
#include "broadcast.h"
#include "fault.h"
#include "help/help.h"
#include "library.h"
#include "sip/stack.h"
#include "stored.h"

#include <jansson.h>

/** Heard by who is displaced where preempted-message cannot be. */
#define PAGING_PREEMPTED_TONE "preempted"

struct paging;

int paging_alloc(struct paging **pp, struct media *m, struct broadcasts *b,
		 struct stored *s, struct alarms *a, struct recorder *r,
		 struct faults *f);

/** Call after stack_free(), whose closed handler still comes here. */
struct paging *paging_free(struct paging *p);

/** Takes a new configuration and library; calls in progress stay. */
void paging_configure(struct paging *p, const struct config *c,
		      struct library *l);

/** Who is asked first about a call: it may be one for help. */
void paging_help(struct paging *p, struct help *h);

/** What the stack asks; give it with the paging object as argument. */
extern const struct stack_handlers paging_handlers;

/** A report of the media engine about a leg. */
void paging_report(struct paging *p, const struct media_report *r);

/** Ends a call; ENOENT when it is not known. */
int paging_hangup(struct paging *p, uint64_t id, const char *actor);

/** Name of the zone that a call pages, "" = none (yet); NULL when the call is
 *  not known. */
const char *paging_zone(const struct paging *p, uint64_t id);

/** Is a call of that caller ("endpoint:desk") up? */
bool paging_has_caller(const struct paging *p, const char *caller);

json_t *paging_json(const struct paging *p);

#endif
