/**
 * The site's mode in force: set by hand, by a key switch, by the hours.
 * What was set by hand outlives a restart until its end. Control thread.
 */
#ifndef TOCSIN_MODES_H
#define TOCSIN_MODES_H

#include "controller/field.h"
#include "controller/journal.h"
#include "controller/matrix/mode.h"

#include <jansson.h>
#include <stdio.h>

struct modes;

/** Longest that a mode is set for with an end: 366 days. */
#define MODES_MAX_MS (UINT64_C(366) * 24 * 3600 * 1000)

/** Another mode is in force; cause is its record. */
typedef void(modes_change_h)(uint64_t cause, void *arg);

/** 0 or ENOMEM. journal may be NULL. */
int modes_alloc(struct modes **mp, struct field *f, struct recorder *r,
		struct journal *j, modes_change_h *h, void *arg);

struct modes *modes_free(struct modes *m);

/** Takes a new configuration; the mode stays by name. 0 or ENOMEM. Calls no
 *  handler: its owner looks at all anew. */
int modes_configure(struct modes *m, const struct config *c);

/** Takes what the journal kept; once, after the first modes_configure(). */
void modes_restore(struct modes *m);

/** An input changed: is it a key? */
void modes_input(struct modes *m, int input, uint64_t event);

/** Looks at the hours and at the end of what was set; once a second. */
void modes_watch(struct modes *m);

/**
 * Somebody sets it.
 *
 * @param name   a mode, or "auto": what was set ends
 * @param for_ms 0 = no end
 * @return 0, or ENOENT with the reason
 */
int modes_set(struct modes *m, const char *name, uint64_t for_ms,
	      const char *actor, struct reason *why);

/** Its name. */
const char *modes_now(const struct modes *m);

/** May what has this gate begin now? */
bool modes_admit(const struct modes *m, const struct config_gate *g);

/** {mode, by, since, actor, until?, modes} (new reference). */
json_t *modes_json(const struct modes *m);

void modes_metrics(const struct modes *m, FILE *out);

#endif
