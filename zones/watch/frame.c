#include "zones/watch/frame.h"

#include "controller/base/wire.h"

#include <errno.h>
#include <netinet/in.h>

#define IGMP_QUERY 0x11
#define MLD_QUERY 130
#define HOP_BY_HOP 0
#define FRAGMENT 0x3fff /* more fragments, offset */

/** Ones' complement sum, RFC 1071. */
static uint32_t sum(uint32_t s, const uint8_t *p, size_t n)
{
	for (; n > 1; n -= 2, p += 2)
		s += (uint32_t)(p[0] << 8 | p[1]);
	if (n)
		s += (uint32_t)(p[0] << 8);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

/** RFC 3376 4.1.1 and 4.1.7: above 127 it is a small floating point number. */
static uint32_t short_time(uint8_t v)
{
	return v < 128 ? v : ((v & 0x0fu) | 0x10u) << ((v >> 4 & 7u) + 3u);
}

/** The same of 16 bits, RFC 3810 5.1.3. */
static uint32_t long_time(uint16_t v)
{
	return v < 32768 ? v
			 : ((v & 0x0fffu) | 0x1000u) << ((v >> 12 & 7u) + 3u);
}

static int igmp(struct frame *f, const uint8_t *p, size_t len)
{
	struct wire w = wire_reader(p, len);
	uint8_t type = wire_u8(&w), code = wire_u8(&w);
	uint32_t group;

	wire_u16(&w);
	group = wire_u32(&w);
	if (!wire_ok(&w) || type != IGMP_QUERY || sum(0, p, len) != 0xffff)
		return EBADMSG;
	/* RFC 3376 7.1: told apart by length, and by the code field. */
	if (len == 8) {
		f->version = code ? 2 : 1;
		f->response_ms = code ? code * 100u : 10000;
	} else if (len >= 12) {
		wire_u8(&w);
		f->version = 3;
		f->response_ms = short_time(code) * 100;
		f->interval_ms = short_time(wire_u8(&w)) * 1000;
	} else {
		return EBADMSG;
	}
	f->kind = FRAME_QUERY;
	f->general = !group;
	return 0;
}

static int mld(struct frame *f, const uint8_t *p, size_t len)
{
	const uint8_t pseudo[8] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len, 0,
				   0, 0, IPPROTO_ICMPV6};
	static const uint8_t none[16];
	struct wire w = wire_reader(p, len);
	uint8_t type = wire_u8(&w);
	const uint8_t *group;
	uint16_t code;
	uint32_t s;

	wire_u8(&w);
	wire_u16(&w);
	code = wire_u16(&w);
	wire_u16(&w);
	group = wire_take(&w, 16);
	s = sum(sum(sum(0, f->src, 16), f->dst, 16), pseudo, sizeof(pseudo));
	if (!group || type != MLD_QUERY || sum(s, p, len) != 0xffff)
		return EBADMSG;
	if (len == 24) {
		f->version = 1;
		f->response_ms = code;
	} else if (len >= 28) {
		wire_u8(&w);
		f->version = 2;
		f->response_ms = long_time(code);
		f->interval_ms = short_time(wire_u8(&w)) * 1000;
	} else {
		return EBADMSG;
	}
	f->kind = FRAME_QUERY;
	f->general = !memcmp(group, none, 16);
	return 0;
}

static int udp(struct frame *f, struct wire *w, size_t whole)
{
	uint16_t len;

	f->sport = wire_u16(w);
	f->dport = wire_u16(w);
	len = wire_u16(w);
	wire_u16(w);
	if (!wire_ok(w) || len < 8 || len > whole)
		return EBADMSG;
	f->kind = FRAME_UDP;
	f->len = len - 8u < wire_left(w) ? len - 8u : wire_left(w);
	f->data = w->p + w->pos;
	return 0;
}

static int v4(struct frame *f, struct wire *w)
{
	size_t head = (wire_u8(w) & 0x0fu) * 4u, total;
	uint16_t offset;
	uint8_t proto;

	wire_u8(w);
	total = wire_u16(w);
	wire_u16(w);
	offset = wire_u16(w);
	wire_u8(w);
	proto = wire_u8(w);
	wire_u16(w);
	wire_take(w, 8);
	if (!wire_ok(w) || head < 20 || total < head || offset & FRAGMENT)
		return EBADMSG;
	f->family = AF_INET;
	memcpy(f->src, w->p + 12, 4);
	memcpy(f->dst, w->p + 16, 4);
	wire_take(w, head - 20);
	if (!wire_ok(w))
		return EBADMSG;
	if (proto == IPPROTO_UDP)
		return udp(f, w, total - head);
	if (proto != IPPROTO_IGMP || total - head > wire_left(w))
		return EBADMSG;
	return igmp(f, w->p + w->pos, total - head);
}

static int v6(struct frame *f, struct wire *w)
{
	size_t total;
	uint8_t next;

	wire_u32(w);
	total = wire_u16(w);
	next = wire_u8(w);
	wire_u8(w);
	wire_take(w, 32);
	if (!wire_ok(w))
		return EBADMSG;
	f->family = AF_INET6;
	memcpy(f->src, w->p + 8, 16);
	memcpy(f->dst, w->p + 24, 16);
	if (next == HOP_BY_HOP) {
		size_t more;

		next = wire_u8(w);
		more = wire_u8(w) * 8u + 8u;
		wire_take(w, more - 2);
		if (!wire_ok(w) || total < more)
			return EBADMSG;
		total -= more;
	}
	if (next == IPPROTO_UDP)
		return udp(f, w, total);
	if (next != IPPROTO_ICMPV6 || total > wire_left(w))
		return EBADMSG;
	return mld(f, w->p + w->pos, total);
}

int frame_decode(struct frame *f, const void *ip, size_t len)
{
	struct wire w = wire_reader(ip, len);
	struct frame out = {0};
	int err = EBADMSG;

	if (len && w.p[0] >> 4 == 4)
		err = v4(&out, &w);
	else if (len && w.p[0] >> 4 == 6)
		err = v6(&out, &w);
	if (!err)
		*f = out;
	return err;
}
