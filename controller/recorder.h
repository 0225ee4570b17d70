/**
 * Where everything that happens is said once.
 *
 * record() numbers an event and puts it aside; the log, the journal, the live
 * view and MQTT get it when the control thread has finished the turn it is in,
 * so that recording never stands between a trigger and its sound.
 * Control thread.
 */
#ifndef TOCSIN_RECORDER_H
#define TOCSIN_RECORDER_H

#include "event.h"
#include "journal.h"

#include <jansson.h>
#include <stdint.h>

struct recorder;

/** Gets every event, in order of id. */
typedef void(recorder_sink_h)(const struct event *e, void *arg);

/** Makes a recorder on the running libre loop. journal may be NULL: ids then
 *  count from 1 and nothing is kept. 0 or ENOMEM. */
int recorder_alloc(struct recorder **rp, struct journal *journal);

/** Hands out what waits, then frees. Returns NULL. */
struct recorder *recorder_free(struct recorder *r);

/** Adds a receiver (at most 4). */
void recorder_sink(struct recorder *r, recorder_sink_h *h, void *arg);

/**
 * Records an event.
 *
 * @param cause   id of the event that led to it, 0 = none
 * @param subject "alarm:gas"
 * @param actor   "input:gate-2"; NULL = "system"
 * @param data    more fields as an object, or NULL; the reference is taken
 * @return the event's id
 */
uint64_t record(struct recorder *r, enum event_type type, uint64_t cause,
		const char *subject, const char *actor, json_t *data,
		const char *fmt, ...) __attribute__((format(printf, 7, 8)));

/** Hands out what waits now. */
void recorder_flush(struct recorder *r);

#endif
