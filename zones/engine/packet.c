#include "zones/engine/packet.h"

#include "controller/base/wire.h"

#include <errno.h>

int packet_decode(struct packet *p, const void *buf, size_t len)
{
	struct wire w = wire_reader(buf, len);
	uint8_t first = wire_u8(&w);
	uint8_t second = wire_u8(&w);
	struct packet out = {
		.marker = second & 0x80,
		.pt = second & 0x7f,
	};
	size_t pad = 0;

	out.seq = wire_u16(&w);
	out.ts = wire_u32(&w);
	out.ssrc = wire_u32(&w);
	if (first >> 6 != 2)
		return EBADMSG;
	wire_take(&w, (first & 0x0fu) * 4u);
	if (first & 0x10) {
		wire_u16(&w);
		wire_take(&w, wire_u16(&w) * 4u);
	}
	if (!wire_ok(&w))
		return EBADMSG;
	if (first & 0x20) {
		/* The last byte counts the padding, itself included: 0 is as
		 * wrong as more than there is. */
		pad = len > w.pos ? w.p[len - 1] : 0;
		if (!pad || pad > wire_left(&w))
			return EBADMSG;
	}
	out.len = wire_left(&w) - pad;
	out.payload = w.p + w.pos;
	*p = out;
	return 0;
}

void packet_header(uint8_t dst[PACKET_HEADER], const struct packet *p)
{
	struct wire w = wire_writer(dst, PACKET_HEADER);

	wire_put_u8(&w, 0x80);
	wire_put_u8(&w, (uint8_t)((p->marker ? 0x80 : 0) | (p->pt & 0x7f)));
	wire_put_u16(&w, p->seq);
	wire_put_u32(&w, p->ts);
	wire_put_u32(&w, p->ssrc);
}
