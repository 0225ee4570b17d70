#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/wire.h"

static void test_reads_big_endian(void **state)
{
	static const uint8_t bytes[] = {0x80, 0xff, 0xfe, 0xde, 0xad,
					0xbe, 0xef, 'a',  'b'};
	struct wire w = wire_reader(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(wire_u8(&w), 0x80);
	assert_int_equal(wire_u16(&w), 0xfffe);
	assert_int_equal(wire_u32(&w), 0xdeadbeef);
	assert_int_equal(wire_left(&w), 2);
	assert_memory_equal(wire_take(&w, 2), "ab", 2);
	assert_int_equal(wire_left(&w), 0);
	assert_true(wire_ok(&w));
	assert_non_null(wire_take(&w, 0));
	assert_true(wire_ok(&w));
}

static void test_writes_what_it_reads(void **state)
{
	uint8_t buf[12];
	struct wire w = wire_writer(buf, sizeof(buf)), r;

	(void)state;
	wire_put_u8(&w, 0x12);
	wire_put_u16(&w, 0x8001);
	wire_put_u32(&w, 0xfedcba98);
	wire_put(&w, "xyz", 3);
	assert_true(wire_ok(&w));
	assert_int_equal(w.pos, 10);
	assert_int_equal(wire_left(&w), 2);
	r = wire_reader(buf, w.pos);
	assert_int_equal(wire_u8(&r), 0x12);
	assert_int_equal(wire_u16(&r), 0x8001);
	assert_int_equal(wire_u32(&r), 0xfedcba98);
	assert_memory_equal(wire_take(&r, 3), "xyz", 3);
	assert_true(wire_ok(&r) && !wire_left(&r));
}

/* Failing once is failing for good, though what follows would still fit. */
static void test_a_read_beyond_the_end_sticks(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct wire w = wire_reader(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(wire_u8(&w), 1);
	assert_int_equal(wire_u32(&w), 0);
	assert_false(wire_ok(&w));
	assert_int_equal(wire_left(&w), 0);
	assert_int_equal(wire_u8(&w), 0);
	assert_int_equal(wire_u16(&w), 0);
	assert_null(wire_take(&w, 0));
	assert_null(wire_take(&w, 1));
	assert_int_equal(w.pos, 1);
	assert_false(wire_ok(&w));
}

static void test_a_write_beyond_the_end_writes_nothing(void **state)
{
	uint8_t buf[4] = {9, 9, 9, 9};
	struct wire w = wire_writer(buf, 3);

	(void)state;
	wire_put_u16(&w, 0x0102);
	wire_put_u16(&w, 0x0304);
	assert_false(wire_ok(&w));
	wire_put_u8(&w, 5);
	wire_put(&w, "z", 1);
	assert_memory_equal(buf, ((uint8_t[]){1, 2, 9, 9}), 4);
}

static void test_huge_lengths_do_not_wrap(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct wire w = wire_reader(bytes, sizeof(bytes));

	(void)state;
	wire_u8(&w);
	assert_null(wire_take(&w, SIZE_MAX));
	assert_false(wire_ok(&w));
}

static void test_nothing_at_all(void **state)
{
	struct wire w = wire_reader(NULL, 0);

	(void)state;
	assert_true(wire_ok(&w));
	assert_int_equal(wire_left(&w), 0);
	assert_int_equal(wire_u8(&w), 0);
	assert_false(wire_ok(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_big_endian),
		cmocka_unit_test(test_writes_what_it_reads),
		cmocka_unit_test(test_a_read_beyond_the_end_sticks),
		cmocka_unit_test(test_a_write_beyond_the_end_writes_nothing),
		cmocka_unit_test(test_huge_lengths_do_not_wrap),
		cmocka_unit_test(test_nothing_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
