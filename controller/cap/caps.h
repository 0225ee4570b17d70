/**
 * Public alerts in force: what comes in is heard once, and ends with its time,
 * its Cancel or its Update. Control thread.
 *
 * What was seen is kept in the journal, so that a restart neither repeats an
 * alert nor loses one that came meanwhile; at the very first look nothing
 * sounds (DESIGN rule 4). While the clock is not believed alerts wait.
 */
#ifndef TOCSIN_CAPS_H
#define TOCSIN_CAPS_H

#include "controller/commands.h"
#include "controller/fault.h"
#include "controller/journal.h"

/** Alerts remembered of one feed, and those that wait for their time. */
#define CAPS_SEEN 500
#define CAPS_PENDING 200

struct caps;

/** scope is read whenever something happens. journal may be NULL. */
int caps_alloc(struct caps **cp, const struct command_scope *scope,
	       struct faults *f, struct journal *j);

/** Ends the feeds; what sounds goes on. Returns NULL. */
struct caps *caps_free(struct caps *c);

/** Takes the configuration in force; a feed that did not change stays. 0 or
 *  ENOMEM: then some are not looked at. */
int caps_configure(struct caps *c);

/** Ends what has expired, begins what takes effect. Once a second. */
void caps_watch(struct caps *c);

/** All feeds (new reference). */
json_t *caps_json(const struct caps *c);

/** Figures for /metrics. */
void caps_metrics(const struct caps *c, FILE *f);

#endif
