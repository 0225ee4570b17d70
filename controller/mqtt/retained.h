/**
 * Which topics of ours the broker retains, so that what they tell of does not
 * outlive it: not a reload, and not a process that was killed.
 *
 * The owner says all it has to say in a pass; what was there before and is not
 * said in it is no more. Control thread.
 */
#ifndef TOCSIN_MQTT_RETAINED_H
#define TOCSIN_MQTT_RETAINED_H

#include <stdbool.h>
#include <stddef.h>

/** Topics remembered, at most; beyond it they are not taken back. */
#define RETAINED_MAX 20000

struct retained;

/** A topic to be taken back: publish nothing there, retained. */
typedef void(retained_h)(const char *topic, void *arg);

/** 0 or ENOMEM. */
int retained_alloc(struct retained **rp);

struct retained *retained_free(struct retained *r);

/** We publish there now; empty: nothing is retained any more. */
void retained_said(struct retained *r, const char *topic, bool empty);

/** The broker has something there. */
void retained_found(struct retained *r, const char *topic);

/** A new pass begins: nothing is said yet. */
void retained_begin(struct retained *r);

/** Hands out, and forgets, what was not said since the pass began. */
void retained_sweep(struct retained *r, retained_h *h, void *arg);

/** Topics known. */
size_t retained_count(const struct retained *r);

#endif
