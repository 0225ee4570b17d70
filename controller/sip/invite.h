/**
 * What an INVITE of ours says, kept to be said again. Control thread.
 */
#ifndef TOCSIN_INVITE_H
#define TOCSIN_INVITE_H

#include "controller/sip/account_internal.h"
#include "controller/sip/dial.h"

struct invite {
	char *uri, *display, *from, *user, *route, *headers;
};

/** laddr: From's, where it goes through no account. respri: its
 *  Resource-Priority, NULL = none. ENOMEM leaves what is to be forgotten. */
int invite_keep(struct invite *i, const struct dial_request *rq,
		const struct account_route *r, const struct sa *laddr,
		const char *respri);

/** Frees what it has; zeroed is fine. */
void invite_forget(struct invite *i);

#endif
