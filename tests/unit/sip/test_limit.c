/* Token buckets for sources, in bounded memory. */
#include "controller/sip/limit.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool take(struct limit *l, uint32_t host, uint64_t ms)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)ms),
				.sin_addr.s_addr = htonl(host)};

	return limit_take(l, (struct sockaddr *)&a, ms);
}

static unsigned drain(struct limit *l, uint32_t host, uint64_t ms)
{
	unsigned n = 0;

	while (n < 10000 && take(l, host, ms))
		n++;
	return n;
}

static void test_bucket(void **state)
{
	struct limit *l;

	(void)state;
	assert_int_equal(limit_alloc(&l, 5, 10, 1), 0);
	assert_int_equal(drain(l, 1, 1000), 10);
	assert_int_equal(drain(l, 2, 1000), 10); /* each its own */
	assert_false(take(l, 1, 1199));
	assert_true(take(l, 1, 1200)); /* nothing is lost between looks */
	assert_false(take(l, 1, 1200));
	assert_int_equal(drain(l, 1, 2200), 5);
	assert_int_equal(drain(l, 1, 900000000), 10); /* never above burst */
	/* time that does not move, or goes back, gives nothing */
	assert_false(take(l, 1, 900000000));
	assert_false(take(l, 1, 5));
	assert_true(take(l, 1, 900000200));
	assert_null(limit_free(l));
	assert_null(limit_free(NULL));
}

static void test_families(void **state)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr un = {.sa_family = AF_UNIX};
	struct limit *l;

	(void)state;
	assert_int_equal(limit_alloc(&l, 1, 1, 1), 0);
	assert_true(limit_take(l, (struct sockaddr *)&six, 0));
	assert_false(limit_take(l, (struct sockaddr *)&six, 0));
	assert_true(take(l, 0, 0)); /* 0.0.0.0 is not :: */
	assert_false(limit_take(l, &un, 0));
	limit_free(l);
}

/* A flood of addresses does not hand a talker new tokens while it talks, and
 * who comes back after a while has a full bucket. */
static void test_flood(void **state)
{
	struct limit *l;
	uint32_t i;

	(void)state;
	assert_int_equal(limit_alloc(&l, 1, 3, 42), 0);
	assert_int_equal(drain(l, 7, 100000), 3);
	for (i = 0; i < 100000; i++) {
		(void)take(l, 0x0a000000 + i, 100000 + i / 1000);
		assert_false(take(l, 7, 100000 + i / 1000));
	}
	limit_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
