#include "gpio/modbus/pdu.h"

#include "controller/base/wire.h"

#include <stdio.h>
#include <string.h>

#define COIL_ON 0xff00

static uint8_t function_of(const struct mbus_request *rq)
{
	static const uint8_t reading[] = {
		[MBUS_COIL] = 1,
		[MBUS_DISCRETE] = 2,
		[MBUS_INPUT] = 4,
		[MBUS_HOLDING] = 3,
	};

	if (rq->write)
		return rq->table == MBUS_COIL ? 5 : 6;
	return reading[rq->table];
}

static uint16_t value_of(const struct mbus_request *rq)
{
	if (!rq->write)
		return rq->count;
	if (rq->table == MBUS_COIL)
		return rq->value ? COIL_ON : 0;
	return rq->value;
}

const char *mbus_exception_text(uint8_t code)
{
	static const char *const text[] = {
		[1] = "illegal function: it has no such table, or cannot be "
		      "written",
		[2] = "illegal data address: it has no such address",
		[3] = "illegal data value",
		[4] = "device failure",
		[5] = "acknowledge: it needs longer",
		[6] = "busy",
		[7] = "negative acknowledge",
		[8] = "memory parity error",
		[10] = "the gateway has no path to it",
		[11] = "the gateway got no answer of it",
	};

	if (code < sizeof(text) / sizeof(text[0]) && text[code])
		return text[code];
	return "of no known meaning";
}

char *mbus_result_text(char *buf, size_t size, const struct mbus_request *rq,
		       const struct mbus_result *r)
{
	const char *table = mbus_table_name(rq->table);

	switch (r->status) {
	case MBUS_OK:
		snprintf(buf, size, "fine");
		break;
	case MBUS_EXCEPTION:
		snprintf(buf, size, "unit %u, %s %u: exception %u: %s",
			 rq->unit, table, rq->address, r->code,
			 mbus_exception_text(r->code));
		break;
	case MBUS_TIMEOUT:
		snprintf(buf, size, "unit %u does not answer (time-out)",
			 rq->unit);
		break;
	case MBUS_GARBLED:
		snprintf(buf, size, "unit %u, %s %u: bad answer: %s", rq->unit,
			 table, rq->address, r->text ? r->text : "unreadable");
		break;
	case MBUS_LOST:
		snprintf(buf, size, "%s",
			 r->text  ? r->text
			 : r->err ? strerror(r->err)
				  : "no connection");
		break;
	case MBUS_MISMATCH:
		snprintf(buf, size,
			 "unit %u, %s %u does not read as it was written",
			 rq->unit, table, rq->address);
		break;
	}
	return buf;
}

size_t mbus_frame(uint8_t buf[MBUS_MAX_FRAME], uint16_t transaction,
		  const struct mbus_request *rq)
{
	struct wire w = wire_writer(buf, MBUS_MAX_FRAME);

	wire_put_u16(&w, transaction);
	wire_put_u16(&w, 0); /* protocol: Modbus */
	wire_put_u16(&w, 6); /* bytes from here on */
	wire_put_u8(&w, rq->unit);
	wire_put_u8(&w, function_of(rq));
	wire_put_u16(&w, rq->address);
	wire_put_u16(&w, value_of(rq));
	return w.pos;
}

int mbus_frame_size(const uint8_t *p, size_t n)
{
	struct wire w = wire_reader(p, n);
	uint16_t protocol, length;

	if (n < 6)
		return 0;
	wire_u16(&w);
	protocol = wire_u16(&w);
	length = wire_u16(&w);
	/* A unit, a function, and at least one byte more. */
	if (protocol || length < 3 || length > 1 + MBUS_MAX_PDU)
		return -1;
	return 6 + length;
}

uint16_t mbus_frame_transaction(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static struct mbus_result garbled(const char *text)
{
	return (struct mbus_result){.status = MBUS_GARBLED, .text = text};
}

static struct mbus_result read_values(const struct mbus_request *rq,
				      struct wire *w, uint16_t *values)
{
	bool bits = mbus_is_bit(rq->table);
	size_t bytes = bits ? (rq->count + 7u) / 8 : rq->count * 2u;
	const uint8_t *p;

	if (wire_u8(w) != bytes || wire_left(w) != bytes)
		return garbled("it is not as long as what was asked for");
	p = wire_take(w, bytes);
	for (size_t i = 0; i < rq->count; i++)
		values[i] = bits ? p[i / 8] >> i % 8 & 1
				 : (uint16_t)(p[2 * i] << 8 | p[2 * i + 1]);
	return (struct mbus_result){.status = MBUS_OK};
}

static struct mbus_result read_echo(const struct mbus_request *rq,
				    struct wire *w)
{
	uint16_t address = wire_u16(w), value = wire_u16(w);

	if (!wire_ok(w) || wire_left(w))
		return garbled("it is not as long as the echo of a write");
	if (address != rq->address || value != value_of(rq))
		return garbled("it is the echo of another write");
	return (struct mbus_result){.status = MBUS_OK};
}

struct mbus_result mbus_answer(const struct mbus_request *rq, const uint8_t *p,
			       size_t n, uint16_t *values)
{
	struct wire w = wire_reader(p, n);
	uint8_t unit, function;

	wire_take(&w, 6);
	unit = wire_u8(&w);
	function = wire_u8(&w);
	if (!wire_ok(&w))
		return garbled("it is too short");
	if (unit != rq->unit)
		return garbled("it comes of another unit");
	if (function == (function_of(rq) | 0x80)) {
		uint8_t code = wire_u8(&w);

		if (!wire_ok(&w) || wire_left(&w) || !code)
			return garbled("an exception of a wrong length");
		return (struct mbus_result){.status = MBUS_EXCEPTION,
					    .code = code};
	}
	if (function != function_of(rq))
		return garbled("it answers another function");
	return rq->write ? read_echo(rq, &w) : read_values(rq, &w, values);
}
