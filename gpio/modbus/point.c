#include "gpio/modbus/point.h"

#include <math.h>
#include <string.h>

const char *mbus_table_name(enum mbus_table t)
{
	static const char *const name[] = {
		[MBUS_COIL] = "coil",
		[MBUS_DISCRETE] = "discrete",
		[MBUS_INPUT] = "input",
		[MBUS_HOLDING] = "holding",
	};

	return name[t];
}

static uint16_t swapped(uint16_t w)
{
	return (uint16_t)(w << 8 | w >> 8);
}

uint32_t mbus_bits(const struct mbus_format *f, const uint16_t *words)
{
	uint16_t high, low;

	if (mbus_type_words(f->type) == 1)
		return words[0];
	high = words[0];
	low = words[1];
	if (f->order == MBUS_CDAB || f->order == MBUS_DCBA) {
		high = words[1];
		low = words[0];
	}
	if (f->order == MBUS_BADC || f->order == MBUS_DCBA) {
		high = swapped(high);
		low = swapped(low);
	}
	return (uint32_t)high << 16 | low;
}

double mbus_number(const struct mbus_format *f, const uint16_t *words)
{
	uint32_t bits = mbus_bits(f, words);
	double x = bits;
	float single;

	switch (f->type) {
	case MBUS_S16:
		x = (int16_t)bits;
		break;
	case MBUS_S32:
		x = (int32_t)bits;
		break;
	case MBUS_F32:
		memcpy(&single, &bits, sizeof(single));
		x = single;
		break;
	default:
		break;
	}
	x = x * f->scale + f->offset;
	return isfinite(x) ? x : NAN;
}
