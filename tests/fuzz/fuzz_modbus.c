/* Modbus frames of a stranger: as a master's request, and as the answer to a
 * request of ours that the first bytes choose. */
#include "gpio/modbus/serve.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int bit(uint16_t a, void *arg)
{
	(void)arg;
	return a % 7 == 6 ? -1 : a & 1;
}

static int32_t word(uint16_t a, void *arg)
{
	(void)arg;
	return a % 7 == 6 ? -1 : a;
}

static uint8_t put(uint16_t a, bool on, void *arg)
{
	(void)arg;
	return a % 7 == 6 ? 2 : on ? 4 : 0;
}

static void as_request(const uint8_t *p, size_t n)
{
	const struct mbus_image img = {.bit = bit, .word = word, .write = put};
	uint8_t out[MBUS_MAX_FRAME];
	size_t len = mbus_serve(p[6], &img, p, n, out);

	if (len < 9 || len > sizeof(out) ||
	    mbus_frame_size(out, len) != (int)len)
		abort();
}

static void as_answer(const uint8_t *p, size_t n, const uint8_t *choice)
{
	struct mbus_request rq = {
		.unit = p[6],
		.table = choice[0] % 4,
		.address = (uint16_t)(choice[1] << 8 | choice[2]),
		.write = choice[0] & 4,
		.value = choice[3],
	};
	unsigned most =
		mbus_is_bit(rq.table) ? MBUS_MAX_BITS : MBUS_MAX_REGISTERS;
	uint16_t *values;
	struct mbus_result r;
	char text[200];

	rq.count = (uint16_t)(1 + (choice[3] << 4 | choice[0] >> 4) % most);
	if (rq.write) {
		rq.count = 1;
		rq.table = choice[0] & 8 ? MBUS_COIL : MBUS_HOLDING;
	}
	values = malloc(rq.count * sizeof(*values));
	r = mbus_answer(&rq, p, n, values);
	mbus_result_text(text, sizeof(text), &rq, &r);
	if (r.status == MBUS_OK && mbus_is_bit(rq.table) && !rq.write)
		for (unsigned i = 0; i < rq.count; i++)
			if (values[i] > 1)
				abort();
	free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int n;

	if (size < 4)
		return 0;
	n = mbus_frame_size(data + 4, size - 4);
	if (n <= 0 || (size_t)n > size - 4)
		return 0;
	as_request(data + 4, (size_t)n);
	as_answer(data + 4, (size_t)n, data);
	return 0;
}
