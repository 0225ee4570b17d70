/**
 * The address of a host's name, without anybody waiting: the system's resolver
 * (hosts file, DNS) in a thread of its own. Control thread.
 */
#ifndef TOCSIN_LOOKUP_H
#define TOCSIN_LOOKUP_H

#include "controller/base/compat.h"

struct lookup;

/** n addresses, without a port; 0 = there is none, and why. The object is gone
 *  after this. */
typedef void(lookup_h)(const struct sa *v, size_t n, const char *why,
		       void *arg);

/** Addresses told at most. */
#define LOOKUP_MAX 4

/** Looks a name up. The handler never runs before this returns. 0 or errno. */
int lookup_start(struct lookup **lp, const char *host, lookup_h *h, void *arg);

/** Forgets it; the handler is not called. Does not wait. NULL is fine. */
void lookup_end(struct lookup *l);

#endif
