/**
 * Ethernet frames around RTP packets, for outputs that leave by a packet
 * socket: the kernel's IP and UDP layers cost about as much as all the rest.
 *
 * Pure functions; any thread.
 */
#ifndef TOCSIN_FRAME_H
#define TOCSIN_FRAME_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/** Bytes before the RTP packet: Ethernet, IPv4 without options, UDP. */
#define FRAME_HEAD 42

/** From whom, to which group; source in network order. */
struct frame_way {
	uint8_t mac[6];
	struct in_addr source;
	uint16_t port; /**< source port, host order */
	struct sockaddr_in group;
	uint8_t ttl, dscp;
};

/** Makes what is the same in every frame of an output. The group's hardware
 *  address is that of RFC 1112 section 6.4. */
void frame_head(uint8_t head[FRAME_HEAD], const struct frame_way *w);

/** Writes the lengths and checksums (RFC 791, RFC 768) into the head at the
 *  beginning of v[0]; what follows it in v[0..n-1] is the UDP payload. */
void frame_finish(const struct iovec *v, size_t n);

#endif
