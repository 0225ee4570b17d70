/**
 * Zones of zones, resolved to the outputs they sound on. Pure: no clock, no
 * I/O, no allocation; any thread.
 */
#ifndef TOCSIN_ZONE_H
#define TOCSIN_ZONE_H

#include "zones/media.h"

/** A zone as it was configured. Indices of zones count in the array given to
 *  zone_resolve(); others are ignored. */
struct zone_def {
	const int *own; /**< outputs of its own, 0..MEDIA_MAX_OUTPUTS-1 */
	size_t n_own;
	bool all;         /**< "*": every zone that has outputs of its own */
	const int *zones; /**< contained zones */
	size_t n_zones;
	const int *except; /**< zones whose outputs are taken off again */
	size_t n_except;

	/* Filled by zone_resolve(). */
	struct media_set outputs;
	size_t n_outputs;

	/* Its own marks. */
	unsigned char state;
	int via;
};

/** Zone path[0] contains (or excepts) path[1], ... and path[n - 1] path[0]. */
typedef void(zone_cycle_h)(const int *path, size_t n, void *arg);

/**
 * Fills the outputs of every zone.
 *
 * A zone's outputs are those of all zones it contains, without those of all
 * zones it excepts, and its own in any case. "*" contains no zone by name and
 * so closes no circle; an exception does.
 *
 * @param defs the zones
 * @param n    how many
 * @param path room for n indices
 * @param h    called for every circle; the link that closes it counts as empty
 * @return number of circles
 */
size_t zone_resolve(struct zone_def *defs, size_t n, int *path, zone_cycle_h *h,
		    void *arg);

/** Outputs in a set. */
size_t zone_count(const struct media_set *s);

/** Is every output of a in b too? */
bool zone_within(const struct media_set *a, const struct media_set *b);

#endif
