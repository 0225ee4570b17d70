/**
 * The kernel's filter before a tap: only what our own outputs send, or only
 * what others send to our groups and the queriers' questions, ever reach us.
 *
 * Pure: makes a program for SO_ATTACH_FILTER on a packet socket of type
 * SOCK_DGRAM, whose data begins at the IP header.
 */
#ifndef TOCSIN_WATCH_FILTER_H
#define TOCSIN_WATCH_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define FILTER_RANGES 32
#define FILTER_MAX 128
/** Bytes of a packet that are kept: all that fits into Ethernet, as a cut one
 *  can neither be opened nor decoded. */
#define FILTER_SNAP 1500

/** IPv4 groups from lo to hi, host order. */
struct filter_range {
	uint32_t lo, hi;
};

struct filter_want {
	bool outgoing; /**< what this host sends; else what others send */
	struct filter_range range[FILTER_RANGES];
	unsigned n;
	bool v6;      /**< IPv6 groups too, all of them */
	bool queries; /**< IGMP and MLD queries too */
};

/**
 * Puts IPv4 addresses (host order, sorted in place) into the ranges, the
 * nearest together where there are more than FILTER_RANGES: what lies between
 * is told apart later.
 */
void filter_ranges(struct filter_want *w, uint32_t *addr, unsigned n);

/** Writes the program; returns its length. */
unsigned filter_build(struct sock_filter prog[FILTER_MAX],
		      const struct filter_want *w);

#endif
