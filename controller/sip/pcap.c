#include "pcap.h"

#include "controller/base/wire.h"

#include <netinet/in.h>

#define MAGIC 0xa1b2c3d4u /* microseconds, in the byte order of who wrote */
#define LINKTYPE_RAW 101  /* IPv4 or IPv6 by its first four bits */
#define IPV4_HEAD 20
#define IPV6_HEAD 40
#define UDP_HEAD 8
#define UDP 17
#define LARGEST_IP 65535

size_t pcap_head(uint8_t buf[PCAP_HEAD])
{
	struct wire w = wire_writer(buf, PCAP_HEAD);

	wire_put_u32(&w, MAGIC);
	wire_put_u16(&w, 2);
	wire_put_u16(&w, 4);
	wire_put_u32(&w, 0);
	wire_put_u32(&w, 0);
	wire_put_u32(&w, LARGEST_IP);
	wire_put_u32(&w, LINKTYPE_RAW);
	return PCAP_HEAD;
}

/** RFC 1071: the sum of 16-bit words, not yet folded. */
static uint64_t sum(uint64_t at, const void *data, size_t len)
{
	struct wire w = wire_reader(data, len);

	while (wire_left(&w) > 1)
		at += wire_u16(&w);
	if (wire_left(&w))
		at += (uint64_t)wire_u8(&w) << 8;
	return at;
}

static uint16_t checksum(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

struct end {
	uint8_t addr[16];
	uint16_t port; /**< network order */
};

static void end_of(struct end *e, const struct sockaddr_storage *ss, bool six)
{
	*e = (struct end){.port = 0};
	if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)ss;

		e->port = a->sin6_port;
		if (six)
			memcpy(e->addr, &a->sin6_addr, 16);
	} else if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *a = (const struct sockaddr_in *)ss;

		e->port = a->sin_port;
		if (!six)
			memcpy(e->addr, &a->sin_addr, 4);
	}
}

static void put_ipv4(struct wire *w, const struct end *from,
		     const struct end *to, uint16_t len, uint16_t n)
{
	uint8_t *p = w->p + w->pos;
	struct wire check;

	wire_put_u8(w, 0x45);
	wire_put_u8(w, 0);
	wire_put_u16(w, (uint16_t)(IPV4_HEAD + len));
	wire_put_u16(w, n);
	wire_put_u16(w, 0);
	wire_put_u8(w, 64);
	wire_put_u8(w, UDP);
	wire_put_u16(w, 0);
	wire_put(w, from->addr, 4);
	wire_put(w, to->addr, 4);
	check = wire_writer(p + 10, 2);
	wire_put_u16(&check, checksum(sum(0, p, IPV4_HEAD)));
}

static void put_ipv6(struct wire *w, const struct end *from,
		     const struct end *to, uint16_t len)
{
	wire_put_u32(w, 0x60000000u);
	wire_put_u16(w, len);
	wire_put_u8(w, UDP);
	wire_put_u8(w, 64);
	wire_put(w, from->addr, 16);
	wire_put(w, to->addr, 16);
}

/** RFC 768; RFC 8200 8.1 for IPv6, which wants one. Zero means none. */
static void put_udp(struct wire *w, const struct end *from,
		    const struct end *to, uint16_t len,
		    const struct calltrace_message *m)
{
	uint8_t *p = w->p + w->pos;
	const uint16_t pseudo[2] = {htons(UDP), htons(len)};
	uint64_t all = sum(0, from->addr, 16);
	struct wire check;
	uint16_t c;

	wire_put(w, &from->port, 2);
	wire_put(w, &to->port, 2);
	wire_put_u16(w, len);
	wire_put_u16(w, 0);
	all = sum(all, to->addr, 16);
	all = sum(all, pseudo, sizeof(pseudo));
	all = sum(all, p, UDP_HEAD);
	all = sum(all, m->text, m->kept);
	c = checksum(all);
	check = wire_writer(p + 6, 2);
	wire_put_u16(&check, c ? c : 0xffff);
}

size_t pcap_message(uint8_t buf[PCAP_MESSAGE_HEAD],
		    const struct calltrace_message *m, uint16_t n)
{
	const bool six =
		m->from.ss_family == AF_INET6 && m->to.ss_family == AF_INET6;
	const size_t ip = six ? IPV6_HEAD : IPV4_HEAD;
	const size_t most = LARGEST_IP - IPV6_HEAD - UDP_HEAD;
	const size_t size = m->size < most ? m->size : most;
	const uint16_t len = (uint16_t)(UDP_HEAD + size);
	struct wire w = wire_writer(buf, PCAP_MESSAGE_HEAD);
	struct end from, to;

	end_of(&from, &m->from, six);
	end_of(&to, &m->to, six);
	wire_put_u32(&w, (uint32_t)(m->wall_us / 1000000));
	wire_put_u32(&w, (uint32_t)(m->wall_us % 1000000));
	wire_put_u32(&w, (uint32_t)(ip + UDP_HEAD + m->kept));
	wire_put_u32(&w, (uint32_t)(ip + len));
	if (six)
		put_ipv6(&w, &from, &to, len);
	else
		put_ipv4(&w, &from, &to, len, n);
	put_udp(&w, &from, &to, len, m);
	return w.pos;
}
