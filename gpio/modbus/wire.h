/**
 * A connection to a bus: over TCP by frames of our own (pdu.h says why), on a
 * serial line by libmodbus. Blocking; used by one thread.
 */
#ifndef TOCSIN_MODBUS_WIRE_H
#define TOCSIN_MODBUS_WIRE_H

#include "controller/base/reason.h"
#include "gpio/modbus/address.h"
#include "gpio/modbus/pdu.h"

struct mbus_wire;

/**
 * Opens the connection; at most timeout_ms, but for the resolving of a name.
 *
 * @param wakefd readable when it is to give up waiting, -1 = never
 * @return 0 or errno with the reason
 */
int mbus_wire_open(struct mbus_wire **wp, const struct mbus_address *a,
		   uint32_t timeout_ms, int wakefd, struct reason *why);

struct mbus_wire *mbus_wire_close(struct mbus_wire *w);

/**
 * Asks and waits for the answer, at most timeout_ms.
 *
 * After MBUS_LOST nothing works any more, unless err is ECANCELED: close it.
 *
 * @param wakefd readable when it is to give up waiting, which is MBUS_LOST with
 *               ECANCELED; -1 = never. A serial line is waited for nevertheless
 * @param values room for rq->count, filled only with MBUS_OK
 */
struct mbus_result mbus_wire_ask(struct mbus_wire *w,
				 const struct mbus_request *rq,
				 uint32_t timeout_ms, int wakefd,
				 uint16_t *values);

/* The two kinds; used by wire.c alone. */
struct mbus_tcp;
int mbus_tcp_open(struct mbus_tcp **tp, const struct mbus_address *a,
		  uint32_t timeout_ms, int wakefd, struct reason *why);
struct mbus_tcp *mbus_tcp_close(struct mbus_tcp *t);
struct mbus_result mbus_tcp_ask(struct mbus_tcp *t,
				const struct mbus_request *rq,
				uint32_t timeout_ms, int wakefd,
				uint16_t *values);

struct mbus_rtu;
int mbus_rtu_open(struct mbus_rtu **rp, const struct mbus_address *a,
		  struct reason *why);
struct mbus_rtu *mbus_rtu_close(struct mbus_rtu *r);
struct mbus_result mbus_rtu_ask(struct mbus_rtu *r,
				const struct mbus_request *rq,
				uint32_t timeout_ms, uint16_t *values);

#endif
