#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zones/engine/packet.h"

#include <errno.h>
#include <string.h>

static void header_round_trip(void **state)
{
	struct packet in = {.marker = true,
			    .pt = 8,
			    .seq = 0xfffe,
			    .ts = 0x01020304,
			    .ssrc = 0xa0b0c0d0};
	static const uint8_t want[] = {0x80, 0x88, 0xff, 0xfe, 1,    2,   3,
				       4,    0xa0, 0xb0, 0xc0, 0xd0, 0x55};
	struct packet out;
	uint8_t buf[13];
	(void)state;

	packet_header(buf, &in);
	buf[12] = 0x55;
	assert_memory_equal(buf, want, sizeof(want));
	assert_int_equal(packet_decode(&out, buf, sizeof(buf)), 0);
	assert_true(out.marker);
	assert_int_equal(out.pt, 8);
	assert_int_equal(out.seq, 0xfffe);
	assert_int_equal(out.ts, 0x01020304);
	assert_int_equal(out.ssrc, 0xa0b0c0d0);
	assert_int_equal(out.len, 1);
	assert_ptr_equal(out.payload, buf + 12);
}

/** Two CSRCs, an extension of one word, three bytes of padding. */
static const uint8_t full[] = {
	0xb2, 0x00, 0, 1,    0,    0, 0, 2, 0, 0, 0, 3,    1,    1,    1, 1, 2,
	2,    2,    2, 0xbe, 0xde, 0, 1, 9, 9, 9, 9, 0x11, 0x22, 0x33, 0, 0, 3};

static void all_parts_are_skipped(void **state)
{
	struct packet p;
	(void)state;

	assert_int_equal(packet_decode(&p, full, sizeof(full)), 0);
	assert_int_equal(p.len, 3);
	assert_memory_equal(p.payload, "\x11\x22\x33", 3);
	assert_int_equal(p.ssrc, 3);
}

static void cut_short_is_refused(void **state)
{
	struct packet p;
	(void)state;

	for (size_t n = 0; n < 28; n++)
		assert_int_equal(packet_decode(&p, full, n), EBADMSG);
}

static void bad_ones_are_refused(void **state)
{
	uint8_t b[sizeof(full)];
	struct packet p;
	(void)state;

	memcpy(b, full, sizeof(b));
	b[0] = 0x72; /* version 1 */
	assert_int_equal(packet_decode(&p, b, sizeof(b)), EBADMSG);
	memcpy(b, full, sizeof(b));
	b[sizeof(b) - 1] = 0; /* padding of nothing */
	assert_int_equal(packet_decode(&p, b, sizeof(b)), EBADMSG);
	b[sizeof(b) - 1] = 7; /* one more than there is */
	assert_int_equal(packet_decode(&p, b, sizeof(b)), EBADMSG);
	b[sizeof(b) - 1] = 6; /* all of it */
	assert_int_equal(packet_decode(&p, b, sizeof(b)), 0);
	assert_int_equal(p.len, 0);
	memcpy(b, full, sizeof(b));
	b[23] = 0xff; /* extension beyond the end */
	assert_int_equal(packet_decode(&p, b, sizeof(b)), EBADMSG);
	memcpy(b, full, sizeof(b));
	b[0] = 0xbf; /* 15 CSRCs */
	assert_int_equal(packet_decode(&p, b, sizeof(b)), EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_round_trip),
		cmocka_unit_test(all_parts_are_skipped),
		cmocka_unit_test(cut_short_is_refused),
		cmocka_unit_test(bad_ones_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
