/**
 * Which requests read all points of a bus: as few as can be. Pure.
 *
 * Points are read together when they are in one table of one unit, have the
 * same period, and the addresses nobody asked for between two of them are not
 * more than `gap`: a device may refuse, or react to, the reading of others.
 */
#ifndef TOCSIN_MODBUS_PLAN_H
#define TOCSIN_MODBUS_PLAN_H

#include "gpio/modbus/point.h"

/** What one request may ask for, by the protocol. */
#define MBUS_MAX_BITS 2000
#define MBUS_MAX_REGISTERS 125

struct mbus_limits {
	unsigned gap;       /**< addresses */
	unsigned registers; /**< of a request, 1 to MBUS_MAX_REGISTERS; bits
			       16 times that, at most MBUS_MAX_BITS */
};

/** One request and the points it reads: order[first] to [first + n - 1]. */
struct mbus_read {
	uint8_t unit;
	enum mbus_table table;
	uint16_t address, count;
	uint32_t poll_ms;
	size_t first, n;
};

/**
 * Plans the reads of n points. A point with `alone` shares a request only with
 * those of the very same addresses; one with no_readback is not read.
 *
 * @param order room for n: indices of points, by request
 * @param reads room for n
 * @return number of requests
 */
size_t mbus_plan(const struct mbus_point *p, size_t n,
		 const struct mbus_limits *limits, size_t *order,
		 struct mbus_read *reads);

#endif
