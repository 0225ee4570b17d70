#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zones/engine/polycom.h"

#include <errno.h>
#include <string.h>

/* The advisory's own packets. */
static const uint8_t alert[] = {0x0f, 0x1a, 0xf2, 0x11, 0x15, 0x11, 0x0d,
				'M',  'e',  'l',  'o',  'd',  'y',  ' ',
				'M',  'e',  's',  'e',  'r',  'v'};
static const uint8_t first_sound[] = {0x09, 0x00, 0x6f, 0xca, 0x7b, 0xf5};

static const struct polycom melody = {
	.op = POLYCOM_ALERT,
	.channel = 26,
	.serial = 0xf2111511,
	.caller = "Melody Meserv",
	.codec = POLYCOM_G722,
	.ts = 0x6fca7bf5,
};

static void the_advisorys_alert_is_written(void **state)
{
	uint8_t buf[POLYCOM_HEADER];
	(void)state;

	polycom_header(buf, &melody);
	assert_memory_equal(buf, alert, sizeof(alert));
}

static void the_advisorys_first_transmit_is_written_and_read(void **state)
{
	struct polycom p = melody, out;
	uint8_t buf[POLYCOM_SOUND + 160];
	const uint8_t *frame, *prev;
	size_t len;
	(void)state;

	p.op = POLYCOM_TRANSMIT;
	memset(buf, 0x5a, sizeof(buf));
	polycom_transmit(buf, &p);
	assert_int_equal(buf[0], 0x10);
	assert_memory_equal(buf + 1, alert + 1, sizeof(alert) - 1);
	assert_memory_equal(buf + POLYCOM_HEADER, first_sound,
			    sizeof(first_sound));
	assert_int_equal(polycom_decode(&out, buf, sizeof(buf)), 0);
	assert_int_equal(out.op, POLYCOM_TRANSMIT);
	assert_int_equal(out.channel, 26);
	assert_int_equal(out.serial, 0xf2111511);
	assert_string_equal(out.caller, "Melody Meserv");
	assert_int_equal(out.codec, POLYCOM_G722);
	assert_int_equal(out.ts, 0x6fca7bf5);
	frame = polycom_frame(&out, 0, &prev, &len);
	assert_ptr_equal(frame, buf + POLYCOM_SOUND);
	assert_null(prev);
	assert_int_equal(len, 160);
}

static void short_callers_are_padded_and_cleaned(void **state)
{
	struct polycom p = melody, out;
	uint8_t buf[POLYCOM_HEADER];
	(void)state;

	strcpy(p.caller, "Hall");
	p.op = POLYCOM_END;
	polycom_header(buf, &p);
	assert_memory_equal(buf + 7, "Hall\0\0\0\0\0\0\0\0\0", 13);
	buf[8] = '\n';
	buf[9] = 0xe4;
	assert_int_equal(polycom_decode(&out, buf, sizeof(buf)), 0);
	assert_int_equal(out.op, POLYCOM_END);
	assert_string_equal(out.caller, "H??l");
}

static void what_is_no_packet_is_refused(void **state)
{
	uint8_t buf[POLYCOM_SOUND + 1];
	struct polycom p = melody, out;
	static const struct {
		size_t at;
		uint8_t v;
	} bad[] = {{0, 0x11}, {0, 0}, {1, 0}, {1, 51}, {6, 12}, {6, 14}};
	(void)state;

	p.op = POLYCOM_TRANSMIT;
	polycom_transmit(buf, &p);
	buf[POLYCOM_SOUND] = 0xff;
	assert_int_equal(polycom_decode(&out, buf, sizeof(buf)), 0);
	for (size_t n = 0; n <= POLYCOM_SOUND; n++)
		assert_int_equal(polycom_decode(&out, buf, n), EBADMSG);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint8_t was = buf[bad[i].at];

		buf[bad[i].at] = bad[i].v;
		assert_int_equal(polycom_decode(&out, buf, sizeof(buf)),
				 EBADMSG);
		buf[bad[i].at] = was;
	}
	buf[0] = POLYCOM_ALERT;
	assert_int_equal(polycom_decode(&out, buf, POLYCOM_HEADER), 0);
	assert_int_equal(polycom_decode(&out, buf, POLYCOM_HEADER - 1),
			 EBADMSG);
}

struct frame_case {
	uint8_t codec;
	size_t len;
	uint32_t step;
	size_t one;
	int two;
};

static void the_current_frame_is_found(void **state)
{
	static const struct frame_case v[] = {
		{POLYCOM_PCMU, 80, 0, 80, 0},
		{POLYCOM_PCMU, 160, 0, 160, 0},
		{POLYCOM_PCMU, 160, 80, 80, 1},
		{POLYCOM_PCMU, 240, 0, 240, 0},
		{POLYCOM_PCMU, 320, 0, 160, 1},
		{POLYCOM_PCMU, 480, 0, 240, 1},
		{POLYCOM_PCMU, 480, 480, 480, 0},
		{POLYCOM_G722, 480, 240, 240, 1},
		{POLYCOM_G726, 90, 0, 90, 0},
		{POLYCOM_G726, 180, 0, 90, 1},
		{POLYCOM_G726, 180, 240, 90, 1},
		{POLYCOM_PCMU, 321, 160, 321, 0},
		{0x55, 320, 160, 320, 0},
	};
	static const uint8_t sound[480];
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct polycom p = {.op = POLYCOM_TRANSMIT,
				    .codec = v[i].codec,
				    .sound = sound,
				    .len = v[i].len};
		const uint8_t *prev, *now;
		size_t len;

		now = polycom_frame(&p, v[i].step, &prev, &len);
		assert_int_equal(len, v[i].one);
		assert_ptr_equal(prev, v[i].two ? sound : NULL);
		assert_ptr_equal(now, sound + (v[i].two ? v[i].one : 0));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_advisorys_alert_is_written),
		cmocka_unit_test(
			the_advisorys_first_transmit_is_written_and_read),
		cmocka_unit_test(short_callers_are_padded_and_cleaned),
		cmocka_unit_test(what_is_no_packet_is_refused),
		cmocka_unit_test(the_current_frame_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
