/**
 * What a packet seen on the wire is: a datagram to one of our groups, or a
 * querier's question who listens (IGMP, RFC 1112, 2236, 3376; MLD, RFC 2710,
 * 3810). Pure; any thread.
 */
#ifndef TOCSIN_WATCH_FRAME_H
#define TOCSIN_WATCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum frame_kind {
	FRAME_UDP,
	FRAME_QUERY, /**< of IGMP or MLD */
};

struct frame {
	enum frame_kind kind;
	sa_family_t family;
	uint8_t src[16], dst[16]; /**< IPv4: the first four bytes */

	/* FRAME_UDP */
	uint16_t sport, dport;
	const uint8_t *data; /**< inside the decoded bytes */
	size_t len;          /**< of data; less than was sent when it was cut */

	/* FRAME_QUERY */
	uint8_t version;      /**< IGMP 1-3, MLD 1-2 */
	bool general;         /**< asks for all groups, not for one */
	uint32_t interval_ms; /**< between its general queries; 0 = not told */
	uint32_t response_ms; /**< members have this long to answer */
};

/**
 * Decodes one packet from its IP header on.
 *
 * UDP may be cut at the end (a capture keeps the beginning only); fragments
 * are refused, as only the first one says whose it is. Queries must be whole,
 * and their checksum right.
 *
 * @return 0, or EBADMSG: neither of the two, or broken
 */
int frame_decode(struct frame *f, const void *ip, size_t len);

#endif
