/**
 * RTP packets (RFC 3550 section 5.1). Pure; any thread.
 */
#ifndef TOCSIN_PACKET_H
#define TOCSIN_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Length of the header we write: no CSRC, no extension. */
#define PACKET_HEADER 12

struct packet {
	bool marker;
	uint8_t pt;
	uint16_t seq;
	uint32_t ts, ssrc;
	const uint8_t *payload; /**< inside the decoded bytes */
	size_t len;             /**< without the padding */
};

/**
 * Decodes one datagram. CSRC list and header extension are skipped, padding is
 * stripped.
 *
 * @return 0, or EBADMSG: not version 2, cut short, or padded beyond itself
 */
int packet_decode(struct packet *p, const void *buf, size_t len);

/** Bytes before the payload, CSRC list and extension included; 0 = no RTP. */
size_t packet_head(const void *buf, size_t len);

/** Of a packet of at least PACKET_HEADER bytes. */
uint16_t packet_seq(const uint8_t *packet);
uint32_t packet_ssrc(const uint8_t *packet);

/** Writes the 12 byte header of p; its payload and len are not looked at. */
void packet_header(uint8_t dst[PACKET_HEADER], const struct packet *p);

#endif
