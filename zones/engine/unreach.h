/**
 * What the network says about an address that cannot be reached (ICMP),
 * weighed: a phone that opens its port a moment late is no trouble, one that
 * never does is. Pure: the caller gives the time.
 */
#ifndef TOCSIN_UNREACH_H
#define TOCSIN_UNREACH_H

#include "zones/media.h"

#include <stdbool.h>
#include <stdint.h>

/** It is trouble when it is still said after this. */
#define UNREACH_AFTER_US (MEDIA_UNREACHABLE_MS * UINT64_C(1000))
/** It is over when it has not been said for this long. */
#define UNREACH_OVER_US 10000000

struct unreach {
	int err; /**< errno that was said last, 0 = none yet */
	uint64_t first_us, last_us;
	int told; /**< the last of unreach_changed() */
};

/** The network says it. */
void unreach_note(struct unreach *u, int err, uint64_t now);

/** What it said lately, 0 = nothing. */
int unreach_lately(const struct unreach *u, uint64_t now);

/** Has it become trouble, or is it over, since this was last true? Then
 *  u->told says which: errno, or 0. */
bool unreach_changed(struct unreach *u, uint64_t now);

#endif
