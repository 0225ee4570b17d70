/* Quiet hours: their text, and what they make of a volume. */
#include "sched_util.h"

#include "scheduler/quiet.h"

static void test_texts(void **state)
{
	static const struct {
		const char *text, *canonical;
		bool ceiling;
		int cb;
	} t[] = {
		{"mon-fri 22:00-06:00 -12dB", "mon-fri 22:00-06:00 -12dB",
		 false, -120},
		{"sun max -20.5dB", "sun max -20.5dB", true, -205},
		{"20:00-24:00 on exam -6dB", "20:00-24:00 on exam -6dB", false,
		 -60},
		{"mon-sun +3dB", "mon-sun 3dB", false, 30},
		{"on exam max 0dB", "on exam max 0dB", true, 0},
	};
	static const char *const bad[] = {
		"",          "-12dB",          "mon-fri",      "mon -12",
		"mon -41dB", "mon 13dB",       "mon 1e1dB",    "mon nandB",
		"mon  dB",   "8:00-9:00 -6dB", "mon min -6dB", "max -6dB",
		"mon -6db",  "mon -6dB ",      "mon 0x1dB",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct quiet q, again;
		char text[QUIET_TEXT];

		assert_true(quiet_parse(&q, t[i].text));
		assert_int_equal(q.volume.ceiling, t[i].ceiling);
		assert_int_equal(q.volume.cb, t[i].cb);
		assert_string_equal(quiet_text(text, &q), t[i].canonical);
		assert_true(quiet_parse(&again, text));
		assert_memory_equal(&q, &again, sizeof(q));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct quiet q;

		if (quiet_parse(&q, bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void test_volumes(void **state)
{
	static const struct {
		struct quiet_volume q;
		int cb, is;
	} t[] = {
		{{false, false, -120}, -30, -30},
		{{true, false, -120}, -30, -150},
		{{true, true, -200}, -30, -200},
		{{true, true, -200}, -300, -300},
		{{true, false, -400}, -300, -400},
		{{true, false, 100}, 100, 120},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_int_equal(quiet_apply(&t[i].q, (int16_t)t[i].cb),
				 t[i].is);
}

static void test_find(void **state)
{
	struct tz *z = zone_of("Europe/Berlin");
	struct window_span span;
	struct quiet v[2];

	(void)state;
	assert_true(quiet_parse(&v[0], "mon-fri 22:00-06:00 -12dB"));
	assert_true(quiet_parse(&v[1], "sat,sun 22:00-08:00 max -20dB"));
	/* A Sunday in summer; the clocks are put back in the night. */
	assert_ptr_equal(
		quiet_find(v, 2, z, at("2027-10-30 20:00"), NULL, NULL, &span),
		&v[1]);
	assert_int_equal(span.begin, at("2027-10-30 20:00"));
	assert_int_equal(span.end, at("2027-10-31 07:00"));
	assert_null(
		quiet_find(v, 2, z, at("2027-10-31 07:00"), NULL, NULL, NULL));
	assert_null(
		quiet_find(v, 2, z, at("2027-10-29 19:59"), NULL, NULL, NULL));
	assert_ptr_equal(quiet_find(v, 2, z, at("2027-10-30 03:59:59"), NULL,
				    NULL, NULL),
			 &v[0]);
	tz_free(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
