/**
 * Calls for help: a help point calls, is answered at once, waits its turn and
 * is given to the first operator who takes its call.
 *
 * What is done when is decided by the table in flow.h; this is what carries it
 * out: SIP, sound, operators (summons.h), faults, alarms and records. Control
 * thread.
 */
#ifndef TOCSIN_HELP_H
#define TOCSIN_HELP_H

#include "controller/alarms.h"
#include "controller/fault.h"
#include "controller/journal.h"
#include "controller/library.h"
#include "controller/operators/summons.h"
#include "controller/recorder.h"
#include "controller/sip/stack.h"

#include <jansson.h>
#include <stdio.h>

/** Calls for help at once. */
#define HELP_MAX MEDIA_HELP_LEGS

struct help;

/** 0 or ENOMEM. journal may be NULL. */
int help_alloc(struct help **hp, struct media *m, struct recorder *r,
	       struct faults *f, struct alarms *a, struct journal *j,
	       struct field *field);

/** Call after stack_free(), whose closed handler still comes here. Returns
 *  NULL. */
struct help *help_free(struct help *h);

/** A new configuration and library; calls in progress stay. After the summons
 *  and the alarms have it. */
void help_configure(struct help *h, const struct config *c, struct library *l);

/** Who rings operators; NULL = nobody any more, before they are freed. */
void help_summons(struct help *h, struct summons *s);

/** Tells of calls that were up when the daemon last ended without an end of
 *  theirs, and forgets them. At start. */
void help_restore(struct help *h);

/** Takes an offer that is a call for help: fills *a and returns true. */
bool help_offer(struct help *h, const struct page_offer *o,
		struct page_answer *a);

/** A report of the media engine about a leg from MEDIA_FIRST_HELP_LEG on. */
void help_report(struct help *h, const struct media_report *r);

/** Is it a call for help that is up? */
bool help_has(const struct help *h, uint64_t id);

enum help_sight { HELP_UNSEEN, HELP_RINGS, HELP_TALKS };

/** How calls for help stand: those of a help point by that name, of that
 *  caller; NULL = of any. One that talks outweighs one that waits. */
enum help_sight help_sees(const struct help *h, const char *point,
			  const char *caller);

/** Ends a call; ENOENT when it is not known. */
int help_hangup(struct help *h, uint64_t id, const char *actor);

/** Adds the calls to an array, as GET /calls shows them: who waits first, in
 *  their order. */
void help_json(const struct help *h, json_t *array);

/** Figures for Prometheus. */
void help_metrics(const struct help *h, FILE *f);

#endif
