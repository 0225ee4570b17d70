/**
 * Streams of others that are heard in zones: a legacy gateway's multicast.
 *
 * Between the media engine, which says that somebody began to talk, and the
 * broadcasts, which decide what becomes of it. While he talks there is one live
 * broadcast; who outranks it interrupts it, and it goes on where he is by then.
 * Watches interfaces and what is not heard, and names both as faults.
 * Control thread.
 */
#ifndef TOCSIN_SOURCES_H
#define TOCSIN_SOURCES_H

#include "controller/broadcast.h"
#include "controller/config/config.h"
#include "controller/fault.h"
#include "controller/recorder.h"
#include "controller/stored.h"
#include "zones/media.h"

#include <jansson.h>
#include <stdio.h>

struct sources;

/** Makes an empty list; all given objects must outlive it. */
int sources_alloc(struct sources **sp, struct media *m, struct broadcasts *b,
		  struct stored *st, struct recorder *r, struct faults *f);

/** Call after media_free(). Returns NULL. */
struct sources *sources_free(struct sources *s);

/** Takes a new configuration, after broadcasts_configure(). A source that did
 *  not change is not touched. 0 or ENOMEM, and then nothing changed. */
int sources_configure(struct sources *s, const struct config *c);

/** Looks for interfaces, tries again what failed, and sees what was not heard;
 *  call once a second. */
void sources_watch(struct sources *s);

/** A report of the media engine about a leg above MEDIA_CALL_LEGS. */
void sources_report(struct sources *s, const struct media_report *r);

/** All, in the order of the configuration (new reference). */
json_t *sources_json(const struct sources *s);

/** Their counters in Prometheus' format. */
void sources_metrics(const struct sources *s, FILE *f);

#endif
