/**
 * One Modbus bus as its master: a thread that asks, and handlers in ours.
 *
 * A bus is a TCP server (a device, or a gateway with units behind it) or a
 * serial line. Its thread reads every point by its period in as few requests as
 * can be (plan.h), writes outputs and reads them back, and connects anew with
 * back-off (turns.h says who waits for whom). It hands readings to the thread
 * that made the object, which must run libre's loop.
 *
 * What cannot be read is said so; nothing is ever made up. An answer that is
 * refused or missing is passed over `retries` times before it is told of.
 */
#ifndef TOCSIN_MODBUS_BUS_H
#define TOCSIN_MODBUS_BUS_H

#include "controller/base/reason.h"
#include "gpio/modbus/address.h"
#include "gpio/modbus/pdu.h"

/** Most points of a bus. */
#define MBUS_MAX_POINTS 2000
/** Readings that wait for our thread; beyond it only the newest of each point
 *  is kept. */
#define MBUS_QUEUE 1024
/** How long mbus_free() waits for outputs to be left safe. */
#define MBUS_FAREWELL_MS 1000

struct mbus;

struct mbus_timing {
	uint32_t timeout_ms;  /**< for an answer, and for a connection */
	unsigned retries;     /**< failures in a row that are passed over */
	uint32_t back_off_ms; /**< before a silent unit is asked again; doubled
				 each time up to the next */
	uint32_t max_back_off_ms;
	struct mbus_limits limits;
};

/** A point was read; or could not be, which text says. */
struct mbus_reading {
	size_t point; /**< index into the points of mbus_points() */
	enum mbus_status status;
	uint16_t words[2]; /**< with MBUS_OK and MBUS_MISMATCH; a bit is 0 or 1
			    */
	uint64_t at_us;    /**< monotonic, when the answer came */
	const char *text;  /**< why, "" with MBUS_OK */
};

typedef void(mbus_reading_h)(const struct mbus_reading *r, void *arg);

/** Connected, or not (text says why): told on every change. */
typedef void(mbus_state_h)(bool connected, const char *text, void *arg);

struct mbus_counters {
	uint64_t requests, timeouts, exceptions, garbled, connects;
};

/** Starts the thread; it connects when it has points. 0, ENOMEM or what the
 *  system says. */
int mbus_alloc(struct mbus **bp, const struct mbus_address *a,
	       mbus_reading_h *readingh, mbus_state_h *stateh, void *arg);

/** Asks it to end, without waiting: before the mbus_free() of many, so that all
 *  end at the same time. */
void mbus_stop(struct mbus *b);

/**
 * Ends it. Outputs that are on are written to their safe value first, for which
 * it waits at most MBUS_FAREWELL_MS when `wait` is set; else, and beyond it,
 * that is left to the thread, which then ends by itself. No handler is called
 * any more. Returns NULL.
 */
struct mbus *mbus_free(struct mbus *b, bool wait);

/**
 * Takes new points and timing, at once. Readings of the old points are not
 * delivered any more. An output that is not among them any more is written to
 * its safe value; one that is keeps its value until mbus_write().
 *
 * 0, EINVAL (more than MBUS_MAX_POINTS) or ENOMEM (nothing changed).
 */
int mbus_points(struct mbus *b, const struct mbus_point *p, size_t n,
		const struct mbus_timing *t);

/** Writes an output, before anything is read. Told of by a reading: MBUS_OK
 *  once it was read back. */
void mbus_write(struct mbus *b, size_t point, uint16_t value);

void mbus_counters(const struct mbus *b, struct mbus_counters *c);

#endif
