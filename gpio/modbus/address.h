/**
 * Where a bus is, as configured: "tcp:10.7.2.9:502" or
 * "rtu:/dev/ttyUSB0:9600:8E1". Pure; any thread.
 */
#ifndef TOCSIN_MODBUS_ADDRESS_H
#define TOCSIN_MODBUS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MBUS_ADDRESS_SIZE 320

struct mbus_address {
	bool serial;
	char host[254]; /**< a name or address without brackets; the device of
			   a serial line */
	uint16_t port;
	uint32_t baud;
	char parity;       /**< 'N', 'E' or 'O' */
	uint8_t data_bits; /**< 7 or 8 */
	uint8_t stop_bits; /**< 1 or 2 */
};

/** Reads one; without a port 502 is meant, without a frame "8E1" (the
 *  protocol's own default). False when it is none. */
bool mbus_address_read(struct mbus_address *a, const char *text);

/** Writes it in full, so that equal buses have equal texts. Returns buf. */
char *mbus_address_text(char buf[MBUS_ADDRESS_SIZE],
			const struct mbus_address *a);

/** What is allowed, for error texts. */
#define MBUS_ADDRESS_ALLOWED                                                   \
	"\"tcp:HOST:PORT\", like \"tcp:10.7.2.9:502\", or "                    \
	"\"rtu:DEVICE:BAUD:FRAME\", like \"rtu:/dev/ttyUSB0:9600:8E1\""

#endif
