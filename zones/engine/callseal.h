/**
 * SRTP of a call (RFC 3711): what is sent is sealed with our key, what comes is
 * opened with theirs. Made by the control side, used and handed back by the
 * media thread; nothing here allocates but callseal_alloc().
 */
#ifndef TOCSIN_CALLSEAL_H
#define TOCSIN_CALLSEAL_H

#include "zones/engine/seal.h"

/** Streams (SSRCs) of theirs under one key of which is known what came: with
 *  one more the one heard longest ago is forgotten. */
#define CALLSEAL_STREAMS 8
/** Packets that may come late: one older than this is a replay. */
#define CALLSEAL_WINDOW 64

struct callseal;

/** Both keys are on and roll. 0, ENOMEM or EIO. */
int callseal_alloc(struct callseal **cp, const struct media_srtp *out,
		   const struct media_srtp *in);

/** Frees it and wipes its keys; NULL is fine. */
void callseal_free(struct callseal *c);

/** With renewed keys: each direction whose key is the same goes on where it was
 *  in `old`, which is only fit to be freed then. */
void callseal_inherit(struct callseal *c, struct callseal *old);

/** As seal_packet() does. */
size_t callseal_send(struct callseal *c, uint8_t *packet, size_t len);

/**
 * Opens a packet in place, under whichever rollover counter it must be of.
 *
 * @return its length; 0 = not of their key, or here before
 */
size_t callseal_receive(struct callseal *c, uint8_t *packet, size_t len);

#endif
