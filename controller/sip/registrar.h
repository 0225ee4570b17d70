/**
 * The registrar: endpoints prove who they are, and are found then (RFC 3261
 * 10.3, RFC 8760). Between the files of the SIP stack. Control thread.
 */
#ifndef TOCSIN_REGISTRAR_H
#define TOCSIN_REGISTRAR_H

#include "controller/base/compat.h"
#include "controller/config/config.h"

/** REGISTERs and connections of one address a second, and at once. */
#define REGISTRAR_PER_S 20
#define REGISTRAR_BURST 200

struct listener;
struct registrar;
struct stack;

int registrar_alloc(struct registrar **rp, struct stack *s);

/** Frees it; NULL is fine. */
void registrar_free(struct registrar *r);

/** The stack has another configuration: contacts of endpoints that are still
 *  there stay. 0 or ENOMEM. */
int registrar_configure(struct registrar *r);

/** May somebody at that address try to register? */
bool registrar_admits(struct registrar *r, const struct sa *src);

/** Has an endpoint registered from that address? */
bool registrar_knows(const struct registrar *r, const struct sa *src);

/** Answers a REGISTER. */
void registrar_request(struct registrar *r, struct listener *l,
		       const struct sip_msg *msg);

/** Is a call for an endpoint? Then it is answered: with where the endpoint is
 *  (302), or that it is not there (480). */
bool registrar_redirect(struct registrar *r, struct listener *l,
			const struct sip_msg *msg);

/** The endpoint that sent an INVITE, proved by its password, as what it may do;
 *  NULL: it was answered. */
const struct config_peer *registrar_caller(struct registrar *r,
					   struct listener *l,
					   const struct sip_msg *msg);

#endif
