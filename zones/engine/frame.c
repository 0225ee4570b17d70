#include "zones/engine/frame.h"

#include <arpa/inet.h>
#include <string.h>

#define ETHERNET 14
#define IP 20
#define UDP 8
#define PROTOCOL_UDP 17

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void frame_head(uint8_t head[FRAME_HEAD], const struct frame_way *w)
{
	const uint8_t *group = (const uint8_t *)&w->group.sin_addr;
	uint8_t *ip = head + ETHERNET, *udp = ip + IP;

	memset(head, 0, FRAME_HEAD);
	head[0] = 0x01;
	head[2] = 0x5e;
	head[3] = group[1] & 0x7f;
	head[4] = group[2];
	head[5] = group[3];
	memcpy(head + 6, w->mac, 6);
	put16(head + 12, 0x0800);
	ip[0] = 0x45;
	ip[1] = (uint8_t)(w->dscp << 2);
	/* Not to be fragmented: then its identification says nothing and may
	 * stay 0 (RFC 6864 section 4.1). */
	put16(ip + 6, 0x4000);
	ip[8] = w->ttl;
	ip[9] = PROTOCOL_UDP;
	memcpy(ip + 12, &w->source, 4);
	memcpy(ip + 16, &w->group.sin_addr, 4);
	put16(udp, w->port);
	memcpy(udp + 2, &w->group.sin_port, 2);
}

/** One's complement sum of bytes as 16 bit words in the machine's own order,
 *  which is as good (RFC 1071 section 2 B). */
static uint64_t sum(const uint8_t *p, size_t n)
{
	uint64_t s = 0;
	uint16_t last = 0;

	for (; n >= 4; p += 4, n -= 4) {
		uint32_t v;

		memcpy(&v, p, 4);
		s += v;
	}
	if (n >= 2) {
		uint16_t v;

		memcpy(&v, p, 2);
		s += v;
		p += 2;
		n -= 2;
	}
	if (n)
		memcpy(&last, p, 1);
	return s + last;
}

static uint16_t fold(uint64_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

void frame_finish(const struct iovec *v, size_t n)
{
	uint8_t *head = v[0].iov_base, *ip = head + ETHERNET, *udp = ip + IP;
	size_t len = v[0].iov_len - FRAME_HEAD;
	uint64_t s;
	uint16_t c;

	for (size_t i = 1; i < n; i++)
		len += v[i].iov_len;
	put16(ip + 2, (unsigned)(IP + UDP + len));
	put16(ip + 10, 0);
	c = fold(sum(ip, IP));
	memcpy(ip + 10, &c, 2);
	put16(udp + 4, (unsigned)(UDP + len));
	put16(udp + 6, 0);
	/* The pseudo header: both addresses, protocol, length. */
	s = sum(ip + 12, 8) + htons(PROTOCOL_UDP) +
	    htons((uint16_t)(UDP + len));
	s += sum(udp, v[0].iov_len - ETHERNET - IP);
	/* Pieces of odd length stand at the end only: RTP headers, SRTP tags
	 * and the samples of every codec but Opus are even, and Opus is one
	 * piece behind an even header. */
	for (size_t i = 1; i < n; i++)
		s += sum(v[i].iov_base, v[i].iov_len);
	c = fold(s);
	/* 0 would say that there is none. */
	if (!c)
		c = 0xffff;
	memcpy(udp + 6, &c, 2);
}
