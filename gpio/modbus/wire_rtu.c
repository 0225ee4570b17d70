/* A serial line through libmodbus. */
#include "gpio/modbus/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <modbus/modbus.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/select.h>
#include <unistd.h>

struct mbus_rtu {
	modbus_t *ctx;
};

static int say_why(struct reason *why, int err, const char *device)
{
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return reason_set(why, err,
				  "%.100s is not there: plug the adapter in, "
				  "or correct the name of the device",
				  device);
	case EACCES:
		return reason_set(
			why, err,
			"%.100s: permission denied: let the service's "
			"user into the device's group (dialout)",
			device);
	case EWOULDBLOCK:
		return reason_set(why, EBUSY,
				  "%.100s is in use by another program",
				  device);
	default:
		return reason_set(why, err, "%.100s: %s", device,
				  strerror(err));
	}
}

int mbus_rtu_open(struct mbus_rtu **rp, const struct mbus_address *a,
		  struct reason *why)
{
	struct mbus_rtu *r = calloc(1, sizeof(*r));
	int err = 0;

	if (!r)
		return reason_set(why, ENOMEM, "not enough memory");
	r->ctx = modbus_new_rtu(a->host, (int)a->baud, a->parity, a->data_bits,
				a->stop_bits);
	if (!r->ctx || modbus_connect(r->ctx)) {
		err = say_why(why, errno, a->host);
		goto out;
	}
	/* libmodbus waits with select(). */
	if (modbus_get_socket(r->ctx) >= FD_SETSIZE)
		err = reason_set(why, EMFILE, "%.100s: too many files are open",
				 a->host);
	else if (flock(modbus_get_socket(r->ctx), LOCK_EX | LOCK_NB))
		err = say_why(why, errno, a->host);
out:
	if (err)
		mbus_rtu_close(r);
	else
		*rp = r;
	return err;
}

struct mbus_rtu *mbus_rtu_close(struct mbus_rtu *r)
{
	if (!r)
		return NULL;
	if (r->ctx) {
		modbus_close(r->ctx);
		modbus_free(r->ctx);
	}
	free(r);
	return NULL;
}

/** What libmodbus makes of a failure. */
static struct mbus_result why_failed(int err)
{
	struct mbus_result r = {.status = MBUS_LOST, .err = err};

	if (err == ETIMEDOUT) {
		r.status = MBUS_TIMEOUT;
	} else if (err > MODBUS_ENOBASE &&
		   err < MODBUS_ENOBASE + MODBUS_EXCEPTION_MAX) {
		r.status = MBUS_EXCEPTION;
		r.code = (uint8_t)(err - MODBUS_ENOBASE);
	} else if (err > MODBUS_ENOBASE) {
		r.status = MBUS_GARBLED;
		r.text = modbus_strerror(err);
	} else if (err == ECONNRESET || err == EIO) {
		r.err = 0;
		r.text = "the serial line was unplugged";
	}
	return r;
}

static int read_bits(modbus_t *ctx, const struct mbus_request *rq,
		     uint16_t *values)
{
	uint8_t bit[MBUS_MAX_BITS];
	int n;

	if (rq->table == MBUS_COIL)
		n = modbus_read_bits(ctx, rq->address, rq->count, bit);
	else
		n = modbus_read_input_bits(ctx, rq->address, rq->count, bit);
	for (int i = 0; i < n; i++)
		values[i] = bit[i] != 0;
	return n;
}

static int transact(modbus_t *ctx, const struct mbus_request *rq,
		    uint16_t *values)
{
	if (rq->write && rq->table == MBUS_COIL)
		return modbus_write_bit(ctx, rq->address, rq->value != 0);
	if (rq->write)
		return modbus_write_register(ctx, rq->address, rq->value);
	if (mbus_is_bit(rq->table))
		return read_bits(ctx, rq, values);
	if (rq->table == MBUS_INPUT)
		return modbus_read_input_registers(ctx, rq->address, rq->count,
						   values);
	return modbus_read_registers(ctx, rq->address, rq->count, values);
}

struct mbus_result mbus_rtu_ask(struct mbus_rtu *r,
				const struct mbus_request *rq,
				uint32_t timeout_ms, uint16_t *values)
{
	struct mbus_result res = {.status = MBUS_OK};
	int n;

	modbus_set_response_timeout(r->ctx, timeout_ms / 1000,
				    timeout_ms % 1000 * 1000);
	if (modbus_set_slave(r->ctx, rq->unit))
		return (struct mbus_result){.status = MBUS_GARBLED,
					    .text = "a serial line has units 0 "
						    "to 247"};
	n = transact(r->ctx, rq, values);
	if (n < 0)
		res = why_failed(errno);
	else if (!rq->write && n != rq->count)
		res = (struct mbus_result){.status = MBUS_GARBLED,
					   .text = "it is not as long as what "
						   "was asked for"};
	/* What is left of a bad answer is no part of the next. */
	if (res.status == MBUS_TIMEOUT || res.status == MBUS_GARBLED)
		modbus_flush(r->ctx);
	return res;
}
