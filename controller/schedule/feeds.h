/**
 * The calendars of a configuration, kept fresh: a worker thread reads files
 * and asks servers, one at a time; what it brings is swapped in by the control
 * thread. Control thread.
 */
#ifndef TOCSIN_FEEDS_H
#define TOCSIN_FEEDS_H

#include "controller/config/config.h"
#include "controller/fault.h"
#include "controller/recorder.h"
#include "scheduler/calendar.h"

#include <jansson.h>

/** How often a file is looked at. */
#define FEEDS_FILE_S 10
/** A server that did not answer is asked again after this. */
#define FEEDS_RETRY_S 60
/** How long the first look at all calendars may take before bells sound
 *  without them. */
#define FEEDS_PATIENCE_S 30

struct feeds;

/** A calendar was read anew. */
typedef void(feeds_h)(void *arg);

int feeds_alloc(struct feeds **fp, struct recorder *r, struct faults *fl,
		feeds_h *h, void *arg);

/** Waits for the worker. Returns NULL. */
struct feeds *feeds_free(struct feeds *f);

/** Takes the calendars of a configuration; those that did not change stay. 0
 *  or ENOMEM (nothing changed). */
int feeds_configure(struct feeds *f, const struct config *c);

/** The calendar of that number of the configuration; NULL = not yet read. */
const struct calendar *feeds_calendar(const struct feeds *f, size_t i);

/** Has each been looked at once, or was it waited for long enough? */
bool feeds_ready(const struct feeds *f);

/** Starts what is due. Once a second. */
void feeds_watch(struct feeds *f);

/** All of them (new reference). */
json_t *feeds_json(const struct feeds *f);

#endif
