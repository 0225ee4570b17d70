/**
 * A Modbus server's answer to one request: pure.
 *
 * Functions 1 to 6 and 15 of the MODBUS Application Protocol 1.1b3; of the
 * writing ones coils alone. What a stranger sends costs one pass over at most
 * 260 bytes.
 */
#ifndef TOCSIN_MODBUS_SERVE_H
#define TOCSIN_MODBUS_SERVE_H

#include "gpio/modbus/pdu.h"

/** Most coils that one request may write. */
#define MBUS_MAX_WRITE_BITS 1968

/** Exceptions that a server of ours gives. */
#define MBUS_ILLEGAL_FUNCTION 1
#define MBUS_ILLEGAL_ADDRESS 2
#define MBUS_ILLEGAL_VALUE 3
#define MBUS_FAILURE 4
#define MBUS_NO_PATH 10

/** What there is to read and write. */
struct mbus_image {
	/** 0 or 1; -1 = there is no such bit. Coils and discrete inputs. */
	int (*bit)(uint16_t address, void *arg);
	/** 0 to 65535; -1 = there is no such register. Input and holding. */
	int32_t (*word)(uint16_t address, void *arg);
	/** Writes a coil: 0, or the exception it is answered with. */
	uint8_t (*write)(uint16_t address, bool on, void *arg);
	void *arg;
};

/**
 * Answers a whole frame over TCP (mbus_frame_size() bytes).
 *
 * Another unit than ours is answered with MBUS_NO_PATH, which a person at the
 * other end understands, and is not carried out.
 *
 * @return bytes of the answer in out
 */
size_t mbus_serve(uint8_t unit, const struct mbus_image *img,
		  const uint8_t *frame, size_t n, uint8_t out[MBUS_MAX_FRAME]);

#endif
