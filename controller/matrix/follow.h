/**
 * Outputs that follow inputs, alarms, zones and faults. What happened is looked
 * at once when the turn in which it happened is over. Control thread.
 */
#ifndef TOCSIN_FOLLOW_H
#define TOCSIN_FOLLOW_H

#include "controller/commands.h"
#include "controller/event.h"
#include "controller/fault.h"

struct follow;

/** scope and faults must outlive it. 0 or ENOMEM. */
int follow_alloc(struct follow **fp, const struct command_scope *scope,
		 struct faults *f);

/** Returns NULL. */
struct follow *follow_free(struct follow *f);

/** Something happened: a recorder_sink_h. */
void follow_event(const struct event *e, void *arg);

#endif
