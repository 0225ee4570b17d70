/**
 * Quiet hours of zones, put in force when they begin and end. What is an
 * emergency is never made softer (broadcast.h). Control thread.
 */
#ifndef TOCSIN_QUIETS_H
#define TOCSIN_QUIETS_H

#include "controller/broadcast.h"
#include "controller/recorder.h"
#include "schedules.h"

struct quiets;

int quiets_alloc(struct quiets **qp, struct broadcasts *b, struct schedules *s,
		 struct recorder *r);

struct quiets *quiets_free(struct quiets *q);

/** Takes a new configuration, after broadcasts_configure() and
 *  schedules_configure(). 0, or errno with the reason. */
int quiets_configure(struct quiets *q, const struct config *c,
		     struct reason *why);

/** Looks whether any begins or ends. Once a second; and at once when the clock
 *  was set. */
void quiets_watch(struct quiets *q);

/** What a zone is under: {window, volume_db or ceiling_db, until}; null when
 *  under nothing (new reference). */
json_t *quiets_zone_json(const struct quiets *q, int zone);

#endif
