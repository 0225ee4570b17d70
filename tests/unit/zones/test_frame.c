/* Frames of packet sockets, against checksums reckoned the slow way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zones/engine/frame.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static struct frame_way a_way(void)
{
	struct frame_way w = {
		.mac = {2, 0, 0, 0x11, 0x22, 0x33},
		.port = 40002,
		.group = {.sin_family = AF_INET, .sin_port = htons(5004)},
		.ttl = 8,
		.dscp = 46,
	};

	inet_pton(AF_INET, "10.7.0.2", &w.source);
	inet_pton(AF_INET, "239.192.7.1", &w.group.sin_addr);
	return w;
}

static unsigned be(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/** RFC 1071, word by word; 0xffff for data that holds its own sum. */
static unsigned naive(const uint8_t *p, size_t n, unsigned s)
{
	for (size_t i = 0; i < n; i++) {
		s += i & 1 ? p[i] : (unsigned)p[i] << 8;
		s = (s & 0xffff) + (s >> 16);
	}
	return s;
}

static void the_head_is_right(void **state)
{
	static const uint8_t want[] = {
		0x01, 0x00, 0x5e, 0x40, 0x07, 0x01, /* 239.192.7.1 */
		2,    0,    0,    0x11, 0x22, 0x33, 0x08, 0x00, 0x45, 0xb8,
	};
	struct frame_way w = a_way();
	uint8_t h[FRAME_HEAD];
	(void)state;

	frame_head(h, &w);
	assert_memory_equal(h, want, sizeof(want));
	assert_int_equal(h[14 + 8], 8);
	assert_int_equal(h[14 + 9], 17);
	assert_memory_equal(h + 26, &w.source, 4);
	assert_memory_equal(h + 30, &w.group.sin_addr, 4);
	assert_int_equal(be(h + 34), 40002);
	assert_int_equal(be(h + 36), 5004);
}

/** In one piece and in two, of every length and much content. */
static void sums_and_lengths(void **state)
{
	struct frame_way w = a_way();
	(void)state;

	srand(7);
	for (unsigned len = 12; len < 1480; len++) {
		uint8_t one[FRAME_HEAD + 1480], first[FRAME_HEAD + 12];
		uint8_t pseudo[4] = {0, 17};
		struct iovec v = {one, FRAME_HEAD + len};
		struct iovec two[] = {{first, sizeof(first)},
				      {one + sizeof(first), len - 12}};

		frame_head(one, &w);
		/* Runs of ones are where carries go wrong. */
		for (unsigned i = 0; i < len; i++)
			one[FRAME_HEAD + i] =
				len % 3 ? (uint8_t)rand() : (uint8_t)0xff;
		memcpy(first, one, sizeof(first));
		frame_finish(&v, 1);
		frame_finish(two, 2);
		assert_memory_equal(first, one, FRAME_HEAD);
		assert_int_equal(be(one + 16), 28 + len);
		assert_int_equal(be(one + 38), 8 + len);
		assert_int_equal(naive(one + 14, 20, 0), 0xffff);
		pseudo[2] = one[38];
		pseudo[3] = one[39];
		assert_int_equal(naive(one + 34, 8 + len,
				       naive(one + 26, 8, naive(pseudo, 4, 0))),
				 0xffff);
		assert_int_not_equal(be(one + 40), 0);
	}
}

/** Data whose sum is nothing has all ones, for nothing means no sum. */
static void no_sum_is_never_said(void **state)
{
	struct frame_way w = a_way();
	uint8_t f[FRAME_HEAD + 12] = {0};
	struct iovec v = {f, sizeof(f)};
	unsigned s;
	(void)state;

	frame_head(f, &w);
	frame_finish(&v, 1);
	s = be(f + 40);
	f[FRAME_HEAD] = (uint8_t)(s >> 8);
	f[FRAME_HEAD + 1] = (uint8_t)s;
	frame_finish(&v, 1);
	assert_int_equal(be(f + 40), 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_is_right),
		cmocka_unit_test(sums_and_lengths),
		cmocka_unit_test(no_sum_is_never_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
