/**
 * Hearing back where packet sockets are not allowed: UDP sockets that have
 * joined the groups, and get what this host loops back to itself and what
 * others send. That proves less: what was heard has passed this host's
 * firewall, but not its queue to the wire, nor the wire.
 *
 * Not thread-safe: one owner.
 */
#ifndef TOCSIN_WATCH_LOOP_H
#define TOCSIN_WATCH_LOOP_H

#include "zones/watch/tap.h"

#include <netinet/in.h>

struct loop;

/** Makes an empty set for an interface; 0 or ENOMEM. */
int loop_alloc(struct loop **lp, unsigned ifindex);

/** Leaves and closes. NULL is fine. Returns NULL. */
struct loop *loop_free(struct loop *l);

/** Hears one group and port; 0 or errno. */
int loop_add(struct loop *l, const struct sockaddr_storage *group);

/** From now on one RTP packet in mask + 1 of each stream is kept. */
void loop_sample(struct loop *l, uint16_t mask);

/** As tap_read(); what is own is not known here. */
int loop_read(struct loop *l, unsigned most, tap_h *h, void *arg,
	      uint64_t *drops);

#endif
