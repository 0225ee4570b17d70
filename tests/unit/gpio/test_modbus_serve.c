/* A server's answers, to what is asked well and to what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/modbus/serve.h"

#include <stdlib.h>
#include <string.h>

static uint8_t out[MBUS_MAX_FRAME];
static unsigned writes, last_address;
static bool last_on;
static uint8_t refuse;

/* Bits 0 to 2999 but 13, registers 0 to 199 but 13. */
static int bit(uint16_t a, void *arg)
{
	(void)arg;
	return a < 3000 && a != 13 ? a % 3 == 0 : -1;
}

static int32_t word(uint16_t a, void *arg)
{
	(void)arg;
	return a < 200 && a != 13 ? a * 257 : -1;
}

static uint8_t put(uint16_t a, bool on, void *arg)
{
	(void)arg;
	if (a >= 100)
		return MBUS_ILLEGAL_ADDRESS;
	writes++;
	last_address = a;
	last_on = on;
	return refuse;
}

static const struct mbus_image image = {.bit = bit, .word = word, .write = put};

static size_t serve(const void *bytes, size_t n)
{
	uint8_t *p = malloc(n);
	size_t len;

	assert_non_null(p);
	memcpy(p, bytes, n);
	assert_int_equal(mbus_frame_size(p, n), n);
	len = mbus_serve(7, &image, p, n, out);
	assert_memory_equal(out, bytes, 4);
	assert_int_equal(out[4] << 8 | out[5], len - 6);
	assert_int_equal(out[6], p[6]);
	free(p);
	return len;
}

#define SERVE(...)                                                             \
	serve((const uint8_t[]){__VA_ARGS__},                                  \
	      sizeof((const uint8_t[]){__VA_ARGS__}))

#define refused(code, function, ...)                                           \
	do {                                                                   \
		assert_int_equal(SERVE(__VA_ARGS__), 9);                       \
		assert_int_equal(out[7], (function) | 0x80);                   \
		assert_int_equal(out[8], code);                                \
	} while (0)

static void test_reads(void **state)
{
	struct mbus_request rq = {.unit = 7,
				  .table = MBUS_DISCRETE,
				  .address = 20,
				  .count = 2000};
	static uint16_t got[2000];
	uint8_t f[MBUS_MAX_FRAME];
	size_t n;

	(void)state;
	/* What the client of pdu.h asks, it understands. */
	n = mbus_frame(f, 77, &rq);
	n = serve(f, n);
	assert_int_equal(n, 9 + 250);
	assert_int_equal(mbus_answer(&rq, out, n, got).status, MBUS_OK);
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(got[i], (i + 20) % 3 == 0);
	rq = (struct mbus_request){
		.unit = 7, .table = MBUS_INPUT, .address = 20, .count = 125};
	n = mbus_frame(f, 78, &rq);
	n = serve(f, n);
	assert_int_equal(n, 9 + 250);
	assert_int_equal(mbus_answer(&rq, out, n, got).status, MBUS_OK);
	for (unsigned i = 0; i < 125; i++)
		assert_int_equal(got[i], (i + 20) * 257);
	rq = (struct mbus_request){.unit = 7,
				   .table = MBUS_COIL,
				   .address = 9,
				   .write = true,
				   .value = 1};
	n = mbus_frame(f, 79, &rq);
	n = serve(f, n);
	assert_int_equal(mbus_answer(&rq, out, n, NULL).status, MBUS_OK);
	assert_int_equal(last_address, 9);
	assert_true(last_on);
}

static void test_refusals(void **state)
{
	(void)state;
	refused(MBUS_NO_PATH, 3, 0, 1, 0, 0, 0, 6, 8, 3, 0, 0, 0, 1);
	refused(MBUS_ILLEGAL_FUNCTION, 6, 0, 1, 0, 0, 0, 6, 7, 6, 0, 0, 0, 1);
	refused(MBUS_ILLEGAL_FUNCTION, 43, 0, 1, 0, 0, 0, 5, 7, 43, 14, 1, 0);
	refused(MBUS_ILLEGAL_VALUE, 1, 0, 1, 0, 0, 0, 6, 7, 1, 0, 0, 0, 0);
	refused(MBUS_ILLEGAL_VALUE, 1, 0, 1, 0, 0, 0, 6, 7, 1, 0, 0, 7, 0xd1);
	refused(MBUS_ILLEGAL_VALUE, 3, 0, 1, 0, 0, 0, 6, 7, 3, 0, 0, 0, 126);
	refused(MBUS_ILLEGAL_VALUE, 3, 0, 1, 0, 0, 0, 5, 7, 3, 0, 0, 0);
	refused(MBUS_ILLEGAL_VALUE, 3, 0, 1, 0, 0, 0, 7, 7, 3, 0, 0, 0, 1, 0);
	refused(MBUS_ILLEGAL_ADDRESS, 3, 0, 1, 0, 0, 0, 6, 7, 3, 0, 10, 0, 9);
	refused(MBUS_ILLEGAL_ADDRESS, 3, 0, 1, 0, 0, 0, 6, 7, 3, 255, 255, 0,
		2);
	refused(MBUS_ILLEGAL_ADDRESS, 2, 0, 1, 0, 0, 0, 6, 7, 2, 11, 0xb7, 0,
		2);
	writes = 0;
	refused(MBUS_ILLEGAL_VALUE, 5, 0, 1, 0, 0, 0, 6, 7, 5, 0, 1, 1, 0);
	refused(MBUS_ILLEGAL_ADDRESS, 5, 0, 1, 0, 0, 0, 6, 7, 5, 0, 100, 0, 0);
	/* Count and bytes differ; bytes that are not there; too many. */
	refused(MBUS_ILLEGAL_VALUE, 15, 0, 1, 0, 0, 0, 8, 7, 15, 0, 0, 0, 9, 1,
		0);
	refused(MBUS_ILLEGAL_VALUE, 15, 0, 1, 0, 0, 0, 8, 7, 15, 0, 0, 0, 9, 2,
		0);
	refused(MBUS_ILLEGAL_VALUE, 15, 0, 1, 0, 0, 0, 8, 7, 15, 0, 0, 7, 0xb1,
		1, 0);
	assert_int_equal(writes, 0);
	refuse = MBUS_FAILURE;
	refused(MBUS_FAILURE, 5, 0, 1, 0, 0, 0, 6, 7, 5, 0, 1, 255, 0);
	refuse = 0;
}

static void test_writes_many(void **state)
{
	(void)state;
	writes = 0;
	assert_int_equal(
		SERVE(0, 1, 0, 0, 0, 9, 7, 15, 0, 3, 0, 10, 2, 0xff, 0x01), 12);
	assert_memory_equal(out + 7, "\x0f\0\3\0\x0a", 5);
	assert_int_equal(writes, 10);
	assert_int_equal(last_address, 12);
	assert_false(last_on);
	/* The first that does not exist ends it. */
	writes = 0;
	refused(MBUS_ILLEGAL_ADDRESS, 15, 0, 1, 0, 0, 0, 8, 7, 15, 0, 98, 0, 8,
		1, 255);
	assert_int_equal(writes, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_writes_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
