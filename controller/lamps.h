/**
 * What a lamp on a phone means: zones, alarms, help points and endpoints seen
 * by who subscribes to their numbers (sip/lamp.h). Control thread.
 */
#ifndef TOCSIN_LAMPS_H
#define TOCSIN_LAMPS_H

#include "commands.h"
#include "sip/lamp.h"

#include <jansson.h>

struct lamps_seen;

/** scope must outlive it. 0 or ENOMEM. */
int lamps_seen_alloc(struct lamps_seen **lp, const struct command_scope *scope);

/** Before its stack is gone: who watches is told to come again. Returns NULL.
 */
struct lamps_seen *lamps_seen_free(struct lamps_seen *l);

/** The stack that serves them (NULL = none), with its configuration in force.
 */
void lamps_seen_stack(struct lamps_seen *l, struct stack *s);

/** Something may have happened: what is watched is looked at soon. */
void lamps_seen_look(struct lamps_seen *l);

/** GET /lamps. */
json_t *lamps_seen_json(const struct lamps_seen *l);

#endif
