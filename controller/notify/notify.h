/**
 * Who is told of events: by HTTP, by e-mail, by syslog (DESIGN: events feed
 * the hooks). Control thread.
 */
#ifndef TOCSIN_NOTIFY_H
#define TOCSIN_NOTIFY_H

#include "controller/config/config.h"
#include "controller/event.h"
#include "controller/fault.h"

#include <jansson.h>
#include <stdio.h>

struct notify;

int notify_alloc(struct notify **np, struct faults *f);

/** Ends all; what waits is tried once more, up to 1 s each. Returns NULL. */
struct notify *notify_free(struct notify *n);

/** Takes the configuration in force; who did not change keeps his queue. 0 or
 *  ENOMEM: then some are not told. */
int notify_configure(struct notify *n, const struct config *c);

/** Tells those whose `events` it fits, and whom an alarm's effect names: a
 *  recorder_sink_h. */
void notify_event(const struct event *e, void *arg);

/** Raises and clears faults. Once a second. */
void notify_watch(struct notify *n);

/** All of them (new reference). */
json_t *notify_json(const struct notify *n);

/** Figures for /metrics. */
void notify_metrics(const struct notify *n, FILE *f);

#endif
