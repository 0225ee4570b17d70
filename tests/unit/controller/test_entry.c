/* What a caller types, and what becomes of those who guess. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "controller/entry/entry.h"
#include "controller/entry/pins.h"
#include "controller/sip/ban.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/** Types all of it; how often # ended something. */
static unsigned type(struct entry *e, const char *keys)
{
	unsigned n = 0;

	for (; *keys; keys++)
		n += entry_key(e, *keys);
	return n;
}

static void test_digits(void **state)
{
	struct entry e = {0};

	(void)state;
	assert_int_equal(type(&e, "12"), 0);
	assert_int_equal(type(&e, "34#"), 1);
	assert_string_equal(e.digits, "1234");
	assert_true(entry_is(&e, "1234"));
	assert_false(entry_is(&e, "123"));
	assert_false(entry_is(&e, "12345"));
	assert_false(entry_is(&e, "1235"));
	assert_false(entry_is(&e, ""));
	entry_again(&e);
	assert_string_equal(e.digits, "");
	/* * begins again, # alone and other keys say nothing. */
	assert_int_equal(type(&e, "#99*A56D7#"), 1);
	assert_string_equal(e.digits, "567");
	entry_again(&e);
	/* Too long is right nowhere, and stays in its bounds. */
	assert_int_equal(type(&e, "123456789012"), 0);
	assert_true(entry_is(&e, "123456789012"));
	type(&e, "345678901234567890");
	assert_int_equal(strlen(e.digits), ENTRY_MAX + 1);
	assert_false(entry_is(&e, "123456789012"));
}

static void test_one_press(void **state)
{
	struct entry e = {0};

	(void)state;
	assert_true(entry_press(&e, ENTRY_INFO, '1', 1000));
	assert_false(entry_press(&e, ENTRY_RTP, '1', 1020));
	/* 1 once more, by both ways */
	assert_true(entry_press(&e, ENTRY_INFO, '1', 1200));
	assert_false(entry_press(&e, ENTRY_RTP, '1', 1200 + ENTRY_SAME_MS - 1));
	assert_true(entry_press(&e, ENTRY_RTP, '2', 1800));
	assert_false(entry_press(&e, ENTRY_INFO, '2', 1900));
	/* late enough it is another */
	assert_true(entry_press(&e, ENTRY_INFO, '2', 1800 + ENTRY_SAME_MS));
	/* by one way alone each is one */
	assert_true(entry_press(&e, ENTRY_INFO, '2', 1801 + ENTRY_SAME_MS));
}

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage ss = {.ss_family = AF_INET};

	inet_pton(AF_INET, text, &((struct sockaddr_in *)&ss)->sin_addr);
	return ss;
}

static void test_lock_out(void **state)
{
	const struct sockaddr_storage pbx = address("10.7.0.10"),
				      other = address("10.7.0.11");
	const uint64_t now = 10000000;
	struct pins *p;
	uint32_t ms = 0;

	(void)state;
	assert_int_equal(pins_alloc(&p), 0);
	for (int i = 1; i < BAN_TRIES; i++)
		assert_int_equal(pins_wrong(p, &pbx, "sip:201", now), 0);
	/* who knows it is no guesser */
	pins_right(p, &pbx, "sip:201");
	for (int i = 1; i < BAN_TRIES; i++)
		assert_int_equal(pins_wrong(p, &pbx, "sip:201", now), 0);
	assert_int_equal(pins_wrong(p, &pbx, "sip:201", now), BAN_FIRST_MS);
	assert_true(pins_locked(p, &pbx, "sip:201", now + BAN_FIRST_MS - 1));
	assert_false(pins_locked(p, &pbx, "sip:201", now + BAN_FIRST_MS));
	/* his colleagues behind the same telephone system may go on */
	assert_false(pins_locked(p, &pbx, "sip:202", now));
	assert_false(pins_locked(p, &other, "sip:201", now));
	/* until another name for each guess gets the address locked out */
	for (unsigned i = 0; !ms; i++) {
		char name[16];

		assert_true(i <= BAN_TRIES_ADDRESS);
		snprintf(name, sizeof(name), "sip:%u", 300 + i);
		ms = pins_wrong(p, &pbx, name, now);
	}
	assert_true(pins_locked(p, &pbx, "sip:202", now));
	assert_false(pins_locked(p, &other, "sip:202", now));
	pins_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_one_press),
		cmocka_unit_test(test_lock_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
