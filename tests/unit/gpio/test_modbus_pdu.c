/* Frames, values and addresses of Modbus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/modbus/address.h"
#include "gpio/modbus/pdu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint16_t got[MBUS_MAX_BITS];

/* An answer of exactly these bytes: sanitizers see any more. */
static struct mbus_result answer(const struct mbus_request *rq,
				 const void *bytes, size_t n)
{
	uint8_t *p = malloc(n);
	struct mbus_result r;

	assert_non_null(p);
	memcpy(p, bytes, n);
	assert_int_equal(mbus_frame_size(p, n), n);
	r = mbus_answer(rq, p, n, got);
	free(p);
	return r;
}

#define ANSWER(rq, ...)                                                        \
	answer(rq, (const uint8_t[]){__VA_ARGS__},                             \
	       sizeof((const uint8_t[]){__VA_ARGS__}))

#define is_garbled(r, says)                                                    \
	do {                                                                   \
		struct mbus_result x_ = (r);                                   \
		char t_[200];                                                  \
		assert_int_equal(x_.status, MBUS_GARBLED);                     \
		mbus_result_text(t_, sizeof(t_), &rq, &x_);                    \
		assert_non_null(strstr(t_, says));                             \
	} while (0)

static void test_requests(void **state)
{
	uint8_t b[MBUS_MAX_FRAME];
	struct mbus_request rq = {
		.unit = 17, .table = MBUS_HOLDING, .address = 0x6b, .count = 3};

	(void)state;
	assert_int_equal(mbus_frame(b, 0x1234, &rq), 12);
	assert_memory_equal(b, "\x12\x34\0\0\0\6\x11\3\0\x6b\0\3", 12);
	rq.table = MBUS_COIL;
	mbus_frame(b, 1, &rq);
	assert_int_equal(b[7], 1);
	rq.table = MBUS_DISCRETE;
	mbus_frame(b, 1, &rq);
	assert_int_equal(b[7], 2);
	rq.table = MBUS_INPUT;
	mbus_frame(b, 1, &rq);
	assert_int_equal(b[7], 4);
	rq = (struct mbus_request){.unit = 1,
				   .table = MBUS_COIL,
				   .address = 172,
				   .write = true,
				   .value = 1};
	mbus_frame(b, 1, &rq);
	assert_memory_equal(b + 7, "\5\0\xac\xff\0", 5);
	rq.table = MBUS_HOLDING;
	rq.value = 3;
	mbus_frame(b, 1, &rq);
	assert_memory_equal(b + 7, "\6\0\xac\0\3", 5);
}

static void test_answers(void **state)
{
	struct mbus_request rq = {.unit = 1, .table = MBUS_COIL, .count = 10};

	(void)state;
	assert_int_equal(
		ANSWER(&rq, 0, 1, 0, 0, 0, 5, 1, 1, 2, 0x05, 0x02).status,
		MBUS_OK);
	assert_true(got[0] && !got[1] && got[2] && !got[8] && got[9]);
	rq = (struct mbus_request){.unit = 1, .table = MBUS_INPUT, .count = 2};
	assert_int_equal(
		ANSWER(&rq, 0, 1, 0, 0, 0, 7, 1, 4, 4, 1, 2, 0xfe, 3).status,
		MBUS_OK);
	assert_int_equal(got[0], 0x0102);
	assert_int_equal(got[1], 0xfe03);
	rq = (struct mbus_request){.unit = 1,
				   .table = MBUS_COIL,
				   .address = 172,
				   .write = true,
				   .value = 1};
	assert_int_equal(
		ANSWER(&rq, 0, 1, 0, 0, 0, 6, 1, 5, 0, 172, 0xff, 0).status,
		MBUS_OK);
	is_garbled(ANSWER(&rq, 0, 1, 0, 0, 0, 6, 1, 5, 0, 172, 0, 0),
		   "another write");
	is_garbled(ANSWER(&rq, 0, 1, 0, 0, 0, 6, 1, 5, 0, 171, 0xff, 0),
		   "another write");
	is_garbled(ANSWER(&rq, 0, 1, 0, 0, 0, 5, 1, 5, 0, 172, 0xff),
		   "not as long");
}

static void test_bad_answers(void **state)
{
	struct mbus_request rq = {
		.unit = 3, .table = MBUS_HOLDING, .address = 9, .count = 1};
	struct mbus_result r;
	char text[200];

	(void)state;
	memset(got, 0x55, sizeof(got));
	is_garbled(ANSWER(&rq, 0, 1, 0, 0, 0, 5, 4, 3, 2, 0, 1),
		   "another unit");
	is_garbled(ANSWER(&rq, 0, 1, 0, 0, 0, 5, 3, 4, 2, 0, 1),
		   "another function");
	is_garbled(ANSWER(&rq, 0, 1, 0, 0, 0, 4, 3, 3, 2, 0), "not as long");
	is_garbled(ANSWER(&rq, 0, 1, 0, 0, 0, 6, 3, 3, 2, 0, 1, 2),
		   "not as long");
	is_garbled(ANSWER(&rq, 0, 1, 0, 0, 0, 7, 3, 3, 4, 0, 1, 0, 1),
		   "not as long");
	is_garbled(ANSWER(&rq, 0, 1, 0, 0, 0, 3, 3, 3, 0), "not as long");
	is_garbled(ANSWER(&rq, 0, 1, 0, 0, 0, 4, 3, 0x83, 2, 2), "exception");
	is_garbled(ANSWER(&rq, 0, 1, 0, 0, 0, 3, 3, 0x83, 0), "exception");
	r = ANSWER(&rq, 0, 1, 0, 0, 0, 3, 3, 0x83, 2);
	assert_int_equal(r.status, MBUS_EXCEPTION);
	assert_string_equal(mbus_result_text(text, sizeof(text), &rq, &r),
			    "unit 3, holding 9: exception 2: illegal data "
			    "address: it has no such address");
	assert_int_equal(got[0], 0x5555); /* nothing is made up */
	for (unsigned code = 0; code < 256; code++)
		assert_non_null(mbus_exception_text((uint8_t)code));
}

static void test_frame_size(void **state)
{
	const uint8_t good[] = {0, 1, 0, 0, 0, 3, 1, 0x81, 2};
	uint8_t b[16];

	(void)state;
	for (size_t n = 0; n < 6; n++)
		assert_int_equal(mbus_frame_size(good, n), 0);
	assert_int_equal(mbus_frame_size(good, 6), 9);
	memcpy(b, good, sizeof(good));
	b[3] = 1; /* another protocol */
	assert_int_equal(mbus_frame_size(b, 9), -1);
	memcpy(b, good, sizeof(good));
	b[5] = 2; /* too short for anything */
	assert_int_equal(mbus_frame_size(b, 9), -1);
	b[4] = 0;
	b[5] = 254;
	assert_int_equal(mbus_frame_size(b, 9), 260);
	b[5] = 255;
	assert_int_equal(mbus_frame_size(b, 9), -1);
}

/* ------------------------------------------------------------------- values */

static double number(enum mbus_type type, enum mbus_order order, uint16_t a,
		     uint16_t b)
{
	const struct mbus_format f = {.type = type, .order = order, .scale = 1};
	const uint16_t w[2] = {a, b};

	return mbus_number(&f, w);
}

#define is(x, y) assert_true((x) == (y))

static void test_numbers(void **state)
{
	const struct mbus_format scaled = {
		.type = MBUS_S16, .scale = 0.1, .offset = -40};
	const uint16_t w[2] = {0xffff, 0};

	(void)state;
	is(number(MBUS_U16, MBUS_ABCD, 65535, 9), 65535.0);
	is(number(MBUS_S16, MBUS_ABCD, 65535, 9), -1.0);
	is(number(MBUS_S16, MBUS_ABCD, 0x8000, 9), -32768.0);
	is(number(MBUS_U32, MBUS_ABCD, 0x0102, 0x0304), 16909060.0);
	is(number(MBUS_U32, MBUS_CDAB, 0x0304, 0x0102), 16909060.0);
	is(number(MBUS_U32, MBUS_BADC, 0x0201, 0x0403), 16909060.0);
	is(number(MBUS_U32, MBUS_DCBA, 0x0403, 0x0201), 16909060.0);
	is(number(MBUS_U32, MBUS_ABCD, 0xffff, 0xffff), 4294967295.0);
	is(number(MBUS_S32, MBUS_ABCD, 0xffff, 0xffff), -1.0);
	is(number(MBUS_S32, MBUS_DCBA, 0xfeff, 0xffff), -2.0);
	is(number(MBUS_F32, MBUS_ABCD, 0x4148, 0), 12.5);
	is(number(MBUS_F32, MBUS_DCBA, 0, 0x4841), 12.5);
	is(mbus_number(&scaled, w), -40.1);
	assert_true(isnan(number(MBUS_F32, MBUS_ABCD, 0x7fc0, 0)));
	assert_true(isnan(number(MBUS_F32, MBUS_ABCD, 0x7f80, 0)));
	assert_true(isnan(number(MBUS_F32, MBUS_ABCD, 0xff80, 0)));
	assert_true(isnan(number(MBUS_F32, MBUS_ABCD, 0x7f80, 1)));
}

/* ---------------------------------------------------------------- addresses */

#define reads_as(text, full)                                                   \
	do {                                                                   \
		char b_[MBUS_ADDRESS_SIZE];                                    \
		struct mbus_address a_;                                        \
		assert_true(mbus_address_read(&a_, text));                     \
		assert_string_equal(mbus_address_text(b_, &a_), full);         \
		assert_true(mbus_address_read(&a_, full));                     \
	} while (0)

static void test_addresses(void **state)
{
	static const char *const bad[] = {
		"",
		"tcp:",
		"10.7.2.9:502",
		"udp:10.7.2.9:502",
		"tcp:a b:502",
		"tcp:h:0",
		"tcp:h:65536",
		"tcp:h:5x",
		"tcp:h:",
		"tcp:[fd00::1:502",
		"tcp:[zz]:502",
		"tcp:[fd00::1]x",
		"rtu:",
		"rtu:ttyUSB0:9600:8E1",
		"rtu:/dev/ttyUSB0",
		"rtu:/dev/ttyUSB0:9601:8E1",
		"rtu:/dev/ttyUSB0:9600:9E1",
		"rtu:/dev/ttyUSB0:9600:8e1",
		"rtu:/dev/ttyUSB0:9600:8E3",
		"rtu:/dev/ttyUSB0:9600:",
		"rtu:/dev/ttyUSB0:9600:8E1:1",
		"rtu:/dev/ttyUSB0::8E1",
	};
	char longest[600];
	struct mbus_address a;

	(void)state;
	reads_as("tcp:10.7.2.9:502", "tcp:10.7.2.9:502");
	reads_as("tcp:plc-1.site", "tcp:plc-1.site:502");
	reads_as("tcp:[fd00::1]:1502", "tcp:[fd00::1]:1502");
	reads_as("tcp:[fd00::1]", "tcp:[fd00::1]:502");
	reads_as("rtu:/dev/ttyUSB0:9600", "rtu:/dev/ttyUSB0:9600:8E1");
	reads_as("rtu:/dev/serial/by-id/x:115200:7O2",
		 "rtu:/dev/serial/by-id/x:115200:7O2");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(mbus_address_read(&a, bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "tcp:", 4);
	assert_false(mbus_address_read(&a, longest));
	memcpy(longest, "rtu:/", 5);
	memcpy(longest + 580, ":9600:8E1", 9);
	assert_false(mbus_address_read(&a, longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_bad_answers),
		cmocka_unit_test(test_frame_size),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
