/**
 * What a field point is on a Modbus bus, and how its registers become a number.
 * Pure; any thread.
 *
 * Addresses are those of the protocol, from 0: the register that a data sheet
 * calls 40001 is holding 0.
 */
#ifndef TOCSIN_MODBUS_POINT_H
#define TOCSIN_MODBUS_POINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mbus_table { MBUS_COIL, MBUS_DISCRETE, MBUS_INPUT, MBUS_HOLDING };

/** "coil", "discrete", "input", "holding". */
const char *mbus_table_name(enum mbus_table t);

/** Coils and discrete inputs; the others have registers of 16 bits. */
static inline bool mbus_is_bit(enum mbus_table t)
{
	return t <= MBUS_DISCRETE;
}

enum mbus_type { MBUS_U16, MBUS_S16, MBUS_U32, MBUS_S32, MBUS_F32 };

/** Order of the four bytes of two registers, a the most significant. */
enum mbus_order { MBUS_ABCD, MBUS_CDAB, MBUS_BADC, MBUS_DCBA };

/** Registers that a type takes: 1 or 2. */
static inline unsigned mbus_type_words(enum mbus_type t)
{
	return t >= MBUS_U32 ? 2 : 1;
}

/** How registers are understood. */
struct mbus_format {
	enum mbus_type type;
	enum mbus_order order; /**< of a type of two registers */
	double scale, offset;  /**< number = raw * scale + offset */
};

/** The 16 or 32 bits of a value, its words put in order. */
uint32_t mbus_bits(const struct mbus_format *f, const uint16_t *words);

/** The number, scaled; NaN when the registers hold none (NaN, infinity) or it
 *  does not stay finite. */
double mbus_number(const struct mbus_format *f, const uint16_t *words);

/** One thing to read, or to write and read back. */
struct mbus_point {
	uint8_t unit;
	enum mbus_table table;
	uint16_t address;
	uint8_t count;    /**< bits or registers, 1 or 2 */
	uint32_t poll_ms; /**< how often it is read (an output: read back) */
	bool alone;       /**< never read together with others */
	bool output;      /**< a coil or one holding register that is written */
	bool no_readback; /**< it cannot be read: written anew every poll_ms */
	uint16_t safe;    /**< what an output is left with at the end */
};

#endif
