/* G.711 against the formula of the ITU written out, L16, and formats. */
#include "zones/sound/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** ITU-T G.711 mu-law by its segments: 16 bit in, bias 132. */
static uint8_t naive_ulaw(int s)
{
	int sign = s < 0 ? 0x80 : 0, e = 7, v = abs(s) + 132;

	if (v > 32767)
		v = 32767;
	while (e && !(v & (0x80 << e)))
		e--;
	return (uint8_t) ~(sign | e << 4 | (v >> (e + 3) & 15));
}

static int naive_from_ulaw(uint8_t u)
{
	int e, v;

	u = (uint8_t)~u;
	e = u >> 4 & 7;
	v = (((u & 15) << 3) + 132) << e;
	v -= 132;
	return u & 0x80 ? -v : v;
}

static int naive_from_alaw(uint8_t a)
{
	int e, v;

	a ^= 0x55;
	e = a >> 4 & 7;
	v = (a & 15) << 4 | 8;
	if (e)
		v = (v + 0x100) << (e - 1);
	return a & 0x80 ? v : -v;
}

/* Every value decodes as the ITU says; librem keeps the two zeros of mu-law
 * apart (2 and -2), so that both survive a round trip. */
static void test_decode(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		uint8_t b = (uint8_t)i;
		int16_t v;

		codec_decode(CODEC_PCMU, &v, &b, 1);
		assert_int_equal(v, i == 0xff   ? 2
				    : i == 0x7f ? -2
						: naive_from_ulaw(b));
		codec_decode(CODEC_PCMA, &v, &b, 1);
		assert_int_equal(v, naive_from_alaw(b));
	}
}

/** ITU-T G.711 A-law as the ITU's software tools write it: the magnitude in
 *  ones' complement, the even bits inverted. */
static uint8_t naive_alaw(int s)
{
	int v = (s < 0 ? ~s : s) >> 4, e = 1;

	if (v > 15) {
		while (v > 31) {
			v >>= 1;
			e++;
		}
		v = e << 4 | (v & 15);
	}
	return (uint8_t)((v | (s < 0 ? 0 : 0x80)) ^ 0x55);
}

static void test_encode(void **state)
{
	(void)state;
	for (int s = -32768; s <= 32767; s++) {
		int16_t in = (int16_t)s;
		uint8_t u, a;

		codec_encode(CODEC_PCMU, &u, &in, 1);
		codec_encode(CODEC_PCMA, &a, &in, 1);
		if (u != naive_ulaw(s) || a != naive_alaw(s))
			fail_msg("%d: mu-law %02x, not %02x; A-law %02x, not "
				 "%02x",
				 s, u, naive_ulaw(s), a, naive_alaw(s));
	}
}

static void test_lowest_sample(void **state)
{
	int16_t in = -32768, out;
	uint8_t b;

	(void)state;
	codec_encode(CODEC_PCMU, &b, &in, 1);
	codec_decode(CODEC_PCMU, &out, &b, 1);
	assert_int_equal(out, -32124);
	codec_encode(CODEC_PCMA, &b, &in, 1);
	codec_decode(CODEC_PCMA, &out, &b, 1);
	assert_int_equal(out, -32256);
}

/* Decoded and encoded again is the same byte: passing through twice costs
 * nothing. */
static void test_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		uint8_t b = (uint8_t)i, again;
		int16_t v;

		codec_decode(CODEC_PCMU, &v, &b, 1);
		codec_encode(CODEC_PCMU, &again, &v, 1);
		assert_int_equal(again, i);
		codec_decode(CODEC_PCMA, &v, &b, 1);
		codec_encode(CODEC_PCMA, &again, &v, 1);
		assert_int_equal(again, i);
	}
}

static void test_l16(void **state)
{
	const int16_t in[3] = {0x1234, -2, -32768};
	const uint8_t wire[6] = {0x12, 0x34, 0xff, 0xfe, 0x80, 0x00};
	uint8_t b[6];
	int16_t out[3];

	(void)state;
	codec_encode(CODEC_L16, b, in, 3);
	assert_memory_equal(b, wire, 6);
	codec_decode(CODEC_L16, out, b, 3);
	assert_memory_equal(out, in, sizeof(in));
}

/* Silence is the positive zero of each law. */
static void test_silence(void **state)
{
	static const uint8_t zero[] = {0xff, 0xd5, 0x00};
	static const size_t bytes[] = {10, 10, 20};
	uint8_t b[21];

	(void)state;
	for (int c = 0; c <= CODEC_L16; c++) {
		memset(b, 0x33, sizeof(b));
		codec_silence((enum codec)c, b, 10);
		for (size_t i = 0; i < bytes[c]; i++)
			assert_int_equal(b[i], zero[c]);
		assert_int_equal(b[bytes[c]], 0x33);
	}
}

static void test_formats(void **state)
{
	struct format f, g;

	(void)state;
	format_default(&f, CODEC_PCMA, 48000);
	assert_int_equal(f.pt, 8);
	assert_int_equal(f.rate, 8000);
	assert_int_equal(format_bytes(&f), 160);
	format_default(&f, CODEC_L16, 44100);
	assert_int_equal(f.pt, 11);
	assert_int_equal(format_samples(&f), 441);
	assert_int_equal(format_bytes(&f), 882);
	format_default(&f, CODEC_L16, 16000);
	assert_int_equal(f.pt, 96);
	assert_int_equal(format_bytes(&f), 640);
	g = f;
	assert_true(format_equal(&f, &g));
	g.gain_cb = 1;
	assert_false(format_equal(&f, &g));
	g = f;
	g.pt = 97;
	assert_true(format_equal(&f, &g));
	/* RFC 3551 4.5.2: 160 ticks for 320 samples. */
	format_default(&f, CODEC_G722, 0);
	assert_int_equal(f.pt, 9);
	assert_int_equal(format_samples(&f), 320);
	assert_int_equal(format_ticks(&f), 160);
	assert_int_equal(format_bytes(&f), 160);
	format_default(&f, CODEC_OPUS, 0);
	assert_int_equal(format_samples(&f), 960);
	assert_int_equal(format_ticks(&f), 960);
	format_default(&f, CODEC_L16, 32000);
	assert_int_equal(f.ptime_ms, 20);
	format_default(&f, CODEC_L16, 48000);
	assert_int_equal(f.ptime_ms, 10);
	assert_int_equal(format_bytes(&f), 960);
	assert_int_equal(codec_by_name("PcMu"), CODEC_PCMU);
	assert_int_equal(codec_by_name("G722"), CODEC_G722);
	assert_int_equal(codec_by_name("opus"), CODEC_OPUS);
	assert_int_equal(codec_by_name("g729"), -1);
	assert_int_equal(codec_by_name(NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_lowest_sample),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_l16),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
