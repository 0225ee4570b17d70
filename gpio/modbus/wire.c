#include "gpio/modbus/wire.h"

#include <errno.h>
#include <stdlib.h>

struct mbus_wire {
	struct mbus_tcp *tcp; /**< one of the two */
	struct mbus_rtu *rtu;
};

int mbus_wire_open(struct mbus_wire **wp, const struct mbus_address *a,
		   uint32_t timeout_ms, int wakefd, struct reason *why)
{
	struct mbus_wire *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return reason_set(why, ENOMEM, "not enough memory");
	if (a->serial)
		err = mbus_rtu_open(&w->rtu, a, why);
	else
		err = mbus_tcp_open(&w->tcp, a, timeout_ms, wakefd, why);
	if (err) {
		free(w);
		return err;
	}
	*wp = w;
	return 0;
}

struct mbus_wire *mbus_wire_close(struct mbus_wire *w)
{
	if (!w)
		return NULL;
	mbus_tcp_close(w->tcp);
	mbus_rtu_close(w->rtu);
	free(w);
	return NULL;
}

struct mbus_result mbus_wire_ask(struct mbus_wire *w,
				 const struct mbus_request *rq,
				 uint32_t timeout_ms, int wakefd,
				 uint16_t *values)
{
	return w->tcp ? mbus_tcp_ask(w->tcp, rq, timeout_ms, wakefd, values)
		      : mbus_rtu_ask(w->rtu, rq, timeout_ms, values);
}
