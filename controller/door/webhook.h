/**
 * Webhooks in: signed requests of other machines that tell the value of
 * inputs, trigger alarms, or carry a verb they are allowed.
 *
 * The web thread has checked the signature (web/sign.h). Here it is decided
 * whether the request is new (DESIGN rule 4): its time is now within `window`,
 * it did not come before, and it was not signed before this daemon started,
 * whose memory of what came is gone. Control thread.
 */
#ifndef TOCSIN_WEBHOOK_H
#define TOCSIN_WEBHOOK_H

#include "controller/commands.h"
#include "controller/fault.h"
#include "controller/journal.h"

struct webhooks;

/** scope is read whenever a request comes. journal may be NULL. */
int webhooks_alloc(struct webhooks **wp, const struct command_scope *scope,
		   struct faults *f, struct journal *j);

struct webhooks *webhooks_free(struct webhooks *w);

/** Takes the configuration in force; what came before stays remembered. Tells
 *  the web of the names and keys. 0, or ENOMEM: then there are none. */
int webhooks_configure(struct webhooks *h, struct web *web);

/** Answers POST /hooks/NAME. */
void webhooks_request(struct webhooks *h, struct web_request *r);

/** All of them (new reference). */
json_t *webhooks_json(const struct webhooks *h);

/** Figures for /metrics. */
void webhooks_metrics(const struct webhooks *h, FILE *f);

#endif
