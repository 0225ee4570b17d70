#include "zones/engine/polycom.h"

#include "controller/base/wire.h"

#include <errno.h>

static bool is_op(uint8_t v)
{
	return v == POLYCOM_ALERT || v == POLYCOM_TRANSMIT || v == POLYCOM_END;
}

static void take_caller(char dst[POLYCOM_CALLER + 1], const uint8_t *src)
{
	size_t i;

	for (i = 0; i < POLYCOM_CALLER && src[i]; i++)
		dst[i] = src[i] >= ' ' && src[i] <= '~' ? (char)src[i] : '?';
	dst[i] = '\0';
}

int polycom_decode(struct polycom *p, const void *buf, size_t len)
{
	struct wire w = wire_reader(buf, len);
	struct polycom out = {0};
	const uint8_t *caller;
	uint8_t op = wire_u8(&w), length;

	out.channel = wire_u8(&w);
	out.serial = wire_u32(&w);
	length = wire_u8(&w);
	caller = wire_take(&w, POLYCOM_CALLER);
	if (!caller || !is_op(op) || length != POLYCOM_CALLER || !out.channel ||
	    out.channel > POLYCOM_MAX_CHANNEL)
		return EBADMSG;
	out.op = (enum polycom_op)op;
	take_caller(out.caller, caller);
	if (out.op == POLYCOM_TRANSMIT) {
		out.codec = wire_u8(&w);
		out.flags = wire_u8(&w);
		out.ts = wire_u32(&w);
		out.len = wire_left(&w);
		out.sound = w.p + w.pos;
		if (!wire_ok(&w) || !out.len)
			return EBADMSG;
	}
	*p = out;
	return 0;
}

size_t polycom_bytes(uint8_t codec, uint32_t samples)
{
	switch (codec) {
	case POLYCOM_PCMU:
	case POLYCOM_PCMA:
	case POLYCOM_G722:
		return samples;
	case POLYCOM_G726:
		return samples % 8 ? 0 : samples / 8 * 3;
	default:
		return 0;
	}
}

const uint8_t *polycom_frame(const struct polycom *p, uint32_t step,
			     const uint8_t **prev, size_t *len)
{
	size_t one = polycom_bytes(p->codec, step);

	if (!one && (p->len == 2 * polycom_bytes(p->codec, 160) ||
		     p->len == 2 * polycom_bytes(p->codec, 240)))
		one = p->len / 2;
	if (one && p->len == 2 * one) {
		*prev = p->sound;
		*len = one;
		return p->sound + one;
	}
	*prev = NULL;
	*len = p->len;
	return p->sound;
}

static void put_header(struct wire *w, const struct polycom *p)
{
	size_t n = strnlen(p->caller, POLYCOM_CALLER);

	wire_put_u8(w, (uint8_t)p->op);
	wire_put_u8(w, p->channel);
	wire_put_u32(w, p->serial);
	wire_put_u8(w, POLYCOM_CALLER);
	wire_put(w, p->caller, n);
	while (n++ < POLYCOM_CALLER)
		wire_put_u8(w, 0);
}

void polycom_header(uint8_t dst[POLYCOM_HEADER], const struct polycom *p)
{
	struct wire w = wire_writer(dst, POLYCOM_HEADER);

	put_header(&w, p);
}

void polycom_transmit(uint8_t dst[POLYCOM_SOUND], const struct polycom *p)
{
	struct wire w = wire_writer(dst, POLYCOM_SOUND);

	put_header(&w, p);
	wire_put_u8(&w, p->codec);
	wire_put_u8(&w, p->flags);
	wire_put_u32(&w, p->ts);
}
