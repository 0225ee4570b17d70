/**
 * SIP over TLS: our certificate, whom we trust, and whose name a server we call
 * must prove. libre 1 checks no certificate at all (LIBRE.md B4), libre 2 takes
 * the address for the name: tls_start_tcp() is ours here. Control thread.
 *
 * TLS 1.2 and later. Calls to an address whose name nobody said are refused.
 */
#ifndef TOCSIN_SECURE_H
#define TOCSIN_SECURE_H

#include "controller/base/compat.h"
#include "controller/base/reason.h"
#include "controller/config/config.h"

/** A context with sip.tls-cert and sip.tls-ca. 0, or errno with the reason. */
int secure_alloc(struct tls **tp, const struct config_sip *c,
		 struct reason *why);

/** Reads the files again, for connections to come. As secure_alloc(). */
int secure_load(struct tls *t, const struct config_sip *c, struct reason *why);

/** Whoever is at that address and port must prove this name (RFC 5922), or
 *  this numeric address. The last that is said counts. */
void secure_expect(const struct sa *to, const char *name);

/** What was wrong with the certificate that should have proved this name in
 *  the last connection; "" = nothing. */
const char *secure_complaint(const char *name);

/** Is the guard over libre's TLS in force? 0, or ENOTSUP with the reason. */
int secure_self_test(struct reason *why);

#endif
