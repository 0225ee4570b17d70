/**
 * Modbus requests as a master sends them, and answers as it accepts them.
 * Pure; any thread. (MODBUS Application Protocol 1.1b3; Messaging on TCP/IP
 * 1.0b.)
 *
 * libmodbus frames the serial line. Over TCP it does not look at the unit of an
 * answer, but gateways do forward a late answer of one unit as that of the
 * next: an alarm of the wrong door. So TCP frames are read here.
 */
#ifndef TOCSIN_MODBUS_PDU_H
#define TOCSIN_MODBUS_PDU_H

#include "gpio/modbus/plan.h"

/** Longest PDU, and longest frame with its header over TCP, bytes. */
#define MBUS_MAX_PDU 253
#define MBUS_HEADER 7
#define MBUS_MAX_FRAME (MBUS_HEADER + MBUS_MAX_PDU)

enum mbus_status {
	MBUS_OK,
	MBUS_EXCEPTION, /**< the unit refused: code says why */
	MBUS_TIMEOUT,   /**< no answer */
	MBUS_GARBLED,   /**< an answer that does not fit; text says how */
	MBUS_LOST,      /**< no connection or line; text or err says why */
	MBUS_MISMATCH,  /**< an output does not read as it was written */
};

struct mbus_result {
	enum mbus_status status;
	uint8_t code;     /**< of an exception */
	int err;          /**< errno of MBUS_LOST, 0 = text says it */
	const char *text; /**< constant; NULL = none */
};

struct mbus_request {
	uint8_t unit;
	enum mbus_table table;
	uint16_t address;
	uint16_t count; /**< to read, within the limits of plan.h */
	bool write;     /**< one coil or holding register, of */
	uint16_t value; /**< 0 or not for a coil */
};

/** "illegal data address" and the like. */
const char *mbus_exception_text(uint8_t code);

/** Says a result in words: `no answer of unit 3`. Returns buf. */
char *mbus_result_text(char *buf, size_t size, const struct mbus_request *rq,
		       const struct mbus_result *r);

/** Writes a request as a TCP frame; returns its bytes. */
size_t mbus_frame(uint8_t buf[MBUS_MAX_FRAME], uint16_t transaction,
		  const struct mbus_request *rq);

/**
 * How long the frame is of which the first n bytes are there: its bytes, 0 when
 * more are needed to tell, -1 when this cannot be a frame at all.
 */
int mbus_frame_size(const uint8_t *p, size_t n);

/** Transaction of a whole frame. */
uint16_t mbus_frame_transaction(const uint8_t *p);

/**
 * Reads a whole frame of n bytes as the answer to a request.
 *
 * @param values room for rq->count: bits as 0 or 1, or registers; filled only
 *               when the result is MBUS_OK
 */
struct mbus_result mbus_answer(const struct mbus_request *rq, const uint8_t *p,
			       size_t n, uint16_t *values);

#endif
