/** What a request's sender takes in the answer (RFC 3261 20.1). Pure. */
#ifndef TOCSIN_ACCEPT_H
#define TOCSIN_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>

struct sip_msg;

/** Does an Accept header's value cover "type/subtype"? Its "q" is not looked
 * at: there is but one thing to send. */
bool accept_covers(const char *value, size_t len, const char *type);

/** Does the request leave room for that type? One without Accept does. */
bool accept_wants(const struct sip_msg *msg, const char *type);

#endif
