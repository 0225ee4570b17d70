#include "gpio/modbus/serve.h"

#include "controller/base/wire.h"

#include <string.h>

struct ask {
	const struct mbus_image *img;
	struct wire in;  /**< behind the function */
	struct wire out; /**< the same */
};

/** Reads address and count; 0 or an exception. */
static uint8_t range(struct ask *a, uint16_t *address, uint16_t *count,
		     unsigned most)
{
	*address = wire_u16(&a->in);
	*count = wire_u16(&a->in);
	if (!wire_ok(&a->in) || !*count || *count > most)
		return MBUS_ILLEGAL_VALUE;
	return *address + *count > 65536 ? MBUS_ILLEGAL_ADDRESS : 0;
}

static uint8_t read_bits(struct ask *a)
{
	uint16_t address, count;
	uint8_t e = range(a, &address, &count, MBUS_MAX_BITS), *p;

	if (e)
		return e;
	if (wire_left(&a->in))
		return MBUS_ILLEGAL_VALUE;
	wire_put_u8(&a->out, (uint8_t)((count + 7) / 8));
	p = wire_take(&a->out, (count + 7u) / 8);
	if (!p)
		return MBUS_FAILURE;
	memset(p, 0, (count + 7u) / 8);
	for (unsigned i = 0; i < count; i++) {
		int bit = a->img->bit((uint16_t)(address + i), a->img->arg);

		if (bit < 0)
			return MBUS_ILLEGAL_ADDRESS;
		p[i / 8] |= (uint8_t)((bit != 0) << i % 8);
	}
	return 0;
}

static uint8_t read_words(struct ask *a)
{
	uint16_t address, count;
	uint8_t e = range(a, &address, &count, MBUS_MAX_REGISTERS);

	if (e)
		return e;
	if (wire_left(&a->in))
		return MBUS_ILLEGAL_VALUE;
	wire_put_u8(&a->out, (uint8_t)(count * 2));
	for (unsigned i = 0; i < count; i++) {
		int32_t w = a->img->word((uint16_t)(address + i), a->img->arg);

		if (w < 0)
			return MBUS_ILLEGAL_ADDRESS;
		wire_put_u16(&a->out, (uint16_t)w);
	}
	return 0;
}

static uint8_t write_one(struct ask *a)
{
	uint16_t address = wire_u16(&a->in), value = wire_u16(&a->in);
	uint8_t e;

	if (!wire_ok(&a->in) || wire_left(&a->in) || (value && value != 0xff00))
		return MBUS_ILLEGAL_VALUE;
	e = a->img->write(address, value != 0, a->img->arg);
	wire_put_u16(&a->out, address);
	wire_put_u16(&a->out, value);
	return e;
}

static uint8_t write_many(struct ask *a)
{
	uint16_t address, count;
	uint8_t e = range(a, &address, &count, MBUS_MAX_WRITE_BITS), bytes;
	const uint8_t *p;

	if (e)
		return e;
	bytes = wire_u8(&a->in);
	p = wire_take(&a->in, bytes);
	if (!p || wire_left(&a->in) || bytes != (count + 7) / 8)
		return MBUS_ILLEGAL_VALUE;
	for (unsigned i = 0; i < count && !e; i++)
		e = a->img->write((uint16_t)(address + i),
				  p[i / 8] >> i % 8 & 1, a->img->arg);
	wire_put_u16(&a->out, address);
	wire_put_u16(&a->out, count);
	return e;
}

static uint8_t carry_out(struct ask *a, uint8_t function)
{
	switch (function) {
	case 1:
	case 2:
		return read_bits(a);
	case 3:
	case 4:
		return read_words(a);
	case 5:
		return write_one(a);
	case 15:
		return write_many(a);
	default:
		return MBUS_ILLEGAL_FUNCTION;
	}
}

size_t mbus_serve(uint8_t unit, const struct mbus_image *img,
		  const uint8_t *frame, size_t n, uint8_t out[MBUS_MAX_FRAME])
{
	struct ask a = {
		.img = img,
		.in = wire_reader(frame, n),
		.out = wire_writer(out, MBUS_MAX_FRAME),
	};
	uint8_t to, function, e;

	wire_take(&a.in, 6);
	to = wire_u8(&a.in);
	function = wire_u8(&a.in);
	memcpy(wire_take(&a.out, 4), frame, 4); /* transaction, protocol */
	wire_take(&a.out, 2);
	wire_put_u8(&a.out, to);
	wire_put_u8(&a.out, function);
	e = to == unit ? carry_out(&a, function) : MBUS_NO_PATH;
	if (e || !wire_ok(&a.out)) {
		a.out = wire_writer(out, MBUS_MAX_FRAME);
		wire_take(&a.out, MBUS_HEADER);
		wire_put_u8(&a.out, function | 0x80);
		wire_put_u8(&a.out, e ? e : MBUS_FAILURE);
	}
	out[4] = (uint8_t)((a.out.pos - 6) >> 8);
	out[5] = (uint8_t)(a.out.pos - 6);
	return a.out.pos;
}
