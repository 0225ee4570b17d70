#include "zones/engine/packet.h"

#include "controller/base/wire.h"

#include <errno.h>

size_t packet_head(const void *buf, size_t len)
{
	struct wire w = wire_reader(buf, len);
	const uint8_t first = wire_u8(&w);

	wire_take(&w, PACKET_HEADER - 1 + (first & 0x0fu) * 4u);
	if (first & 0x10) {
		wire_u16(&w);
		wire_take(&w, wire_u16(&w) * 4u);
	}
	return wire_ok(&w) && first >> 6 == 2 ? w.pos : 0;
}

int packet_decode(struct packet *p, const void *buf, size_t len)
{
	const size_t head = packet_head(buf, len);
	struct wire w = wire_reader(buf, len);
	const uint8_t first = wire_u8(&w);
	const uint8_t second = wire_u8(&w);
	size_t pad = 0;

	if (!head)
		return EBADMSG;
	if (first & 0x20) {
		/* The last byte counts the padding, itself included: 0 is as
		 * wrong as more than there is. */
		pad = len > head ? w.p[len - 1] : 0;
		if (!pad || pad > len - head)
			return EBADMSG;
	}
	p->marker = second & 0x80;
	p->pt = second & 0x7f;
	p->seq = wire_u16(&w);
	p->ts = wire_u32(&w);
	p->ssrc = wire_u32(&w);
	p->len = len - head - pad;
	p->payload = w.p + head;
	return 0;
}

uint16_t packet_seq(const uint8_t *packet)
{
	return (uint16_t)(packet[2] << 8 | packet[3]);
}

uint32_t packet_ssrc(const uint8_t *packet)
{
	return (uint32_t)packet[8] << 24 | (uint32_t)packet[9] << 16 |
	       (uint32_t)packet[10] << 8 | packet[11];
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
