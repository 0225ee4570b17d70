/* Windows of the week: their text, and when they apply. */
#include "sched_util.h"

#include "scheduler/window.h"

#include <errno.h>

static struct window window_of(const char *text)
{
	struct reason why = {""};
	struct window w;

	if (window_parse(&w, text, &why))
		fail_msg("%s", why.text);
	return w;
}

static void test_texts(void **state)
{
	static const struct {
		const char *text, *canonical;
	} t[] = {
		{"mon-fri 22:00-06:00", "mon-fri 22:00-06:00"},
		{"  sat, sun  08:00-18:30:15 ", "sat,sun 08:00-18:30:15"},
		{"22:00-06:00", "22:00-06:00"},
		{"fri-mon", "mon,fri-sun"},
		{"mon-sun", "mon-sun"},
		{"00:00-24:00", "mon-sun"},
		{"00:00-00:00", "mon-sun"},
		{"08:00-08:00", "08:00-08:00"},
		{"on exam", "on exam"},
		{"mon on exam , normal", "mon on exam,normal"},
		{"mon 18:00-24:00 on a.b-c_d", "mon 18:00-24:00 on a.b-c_d"},
		{"tue 23:00-00:00", "tue 23:00-24:00"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct window w = window_of(t[i].text), again;
		char text[WINDOW_TEXT];

		assert_string_equal(window_text(text, &w), t[i].canonical);
		again = window_of(text);
		assert_memory_equal(&w, &again, sizeof(w));
	}
}

static void test_bad_texts(void **state)
{
	static const char *const t[] = {
		"",
		" ",
		"exam",
		"mon-fri 8:00-18:00",
		"22-06",
		"22:00",
		"22:00-",
		"22:00-25:00",
		"24:00-06:00",
		"mo-fr",
		"mon-fri;22:00-06:00",
		"mon on",
		"on ",
		"mon on ,",
		"mon on exam,",
		"on ex am",
		"mon 22:00-06:00 exam",
		"mon tue",
		"22:00-24:30",
		"22:00-06:00x",
		"mon-fri 22:00 - 06:00",
		"on 0123456789012345678901234567890123456789012345678901234567"
		"890123456789",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct reason why = {""};
		struct window w;

		if (window_parse(&w, t[i], &why) != EINVAL)
			fail_msg("\"%s\" was taken", t[i]);
		assert_non_null(strstr(why.text, WINDOW_ALLOWED));
	}
}

/** A Monday to Sunday, one of whose days is of a type. */
static const char *exam_on(int64_t day, void *arg)
{
	return day == *(int64_t *)arg ? "exam" : "normal";
}

static void test_weekdays_and_types(void **state)
{
	struct tz *z = zone_of("Europe/Berlin");
	int64_t wednesday = civil_day(2026, 11, 25);
	static const struct {
		const char *window, *local;
		bool in;
	} t[] = {
		{"mon-fri 22:00-06:00", "2026-11-23 21:59:59", false},
		{"mon-fri 22:00-06:00", "2026-11-23 22:00", true},
		{"mon-fri 22:00-06:00", "2026-11-24 05:59:59", true},
		{"mon-fri 22:00-06:00", "2026-11-24 06:00", false},
		/* Of Friday, on Saturday. */
		{"mon-fri 22:00-06:00", "2026-11-28 05:00", true},
		{"mon-fri 22:00-06:00", "2026-11-28 22:00", false},
		{"mon-fri 22:00-06:00", "2026-11-23 05:00", false},
		{"sun", "2026-11-29 00:00", true},
		{"sun", "2026-11-29 23:59:59", true},
		{"sun", "2026-11-30 00:00", false},
		{"08:00-18:00 on exam", "2026-11-25 12:00", true},
		{"08:00-18:00 on exam", "2026-11-26 12:00", false},
		{"08:00-18:00 on normal", "2026-11-25 12:00", false},
		{"08:00-18:00 on normal,exam", "2026-11-25 12:00", true},
		/* It goes on behind midnight, whatever that day is. */
		{"22:00-06:00 on exam", "2026-11-26 05:00", true},
		{"22:00-06:00 on exam", "2026-11-25 05:00", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		const struct window w = window_of(t[i].window);
		int64_t utc[2];

		tz_utc(z, at(t[i].local), utc);
		if (window_covers(&w, z, utc[0], exam_on, &wednesday, NULL) !=
		    t[i].in)
			fail_msg("\"%s\" at %s", t[i].window, t[i].local);
	}
	tz_free(z);
}

/** Begin and end around a change of the clocks. */
static void test_change_of_clocks(void **state)
{
	static const struct {
		const char *zone, *window, *inside; /* UTC */
		const char *begin, *end;            /* UTC */
	} t[] = {
		/* Put forward over its end, its begin, all of it but the end.*/
		{"Europe/Berlin", "22:00-02:30", "2027-03-28 00:00",
		 "2027-03-27 21:00", "2027-03-28 01:00"},
		{"Europe/Berlin", "02:30-06:00", "2027-03-28 01:00",
		 "2027-03-28 01:00", "2027-03-28 04:00"},
		{"Europe/Berlin", "22:00-06:00", "2027-03-28 02:00",
		 "2027-03-27 21:00", "2027-03-28 04:00"},
		/* Put back: the first time counts, and nothing twice. */
		{"Europe/Berlin", "22:00-02:30", "2027-10-30 21:00",
		 "2027-10-30 20:00", "2027-10-31 00:30"},
		{"Europe/Berlin", "02:30-06:00", "2027-10-31 01:10",
		 "2027-10-31 00:30", "2027-10-31 05:00"},
		/* A day that did not happen. */
		{"Pacific/Apia", "22:00-06:00", "2011-12-30 09:00",
		 "2011-12-30 08:00", "2011-12-30 10:00"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct tz *z = zone_of(t[i].zone);
		const struct window w = window_of(t[i].window);
		struct window_span s;

		assert_true(
			window_covers(&w, z, at(t[i].inside), NULL, NULL, &s));
		assert_int_equal(s.begin, at(t[i].begin));
		assert_int_equal(s.end, at(t[i].end));
		assert_false(
			window_covers(&w, z, s.begin - 1, NULL, NULL, NULL) &&
			s.end - s.begin < 86000);
		assert_int_equal(window_change(&w, 1, z, s.begin - 1), s.begin);
		assert_int_equal(window_change(&w, 1, z, s.end - 1), s.end);
		tz_free(z);
	}
}

static void test_overlap(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} t[] = {
		{"mon-fri 08:00-18:00", "mon-fri 18:00-22:00", false},
		{"mon-fri 08:00-18:00", "fri 17:59-22:00", true},
		{"mon-fri 08:00-18:00", "sat,sun", false},
		{"fri 22:00-06:00", "sat", true},
		{"fri 22:00-06:00", "sat 06:00-24:00", false},
		{"sun 22:00-06:00", "mon 05:00-08:00", true},
		{"08:00-18:00 on exam", "08:00-18:00 on normal", false},
		{"08:00-18:00 on exam", "08:00-18:00", true},
		{"08:00-18:00 on exam,trip", "12:00-13:00 on a,trip", true},
		{"08:00-18:00 on exam", "12:00-13:00 on examination", false},
		/* The day behind it may be of the other type. */
		{"22:00-06:00 on exam", "05:00-08:00 on normal", true},
		{"22:00-06:00", "22:00-06:00", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		const struct window a = window_of(t[i].a);
		const struct window b = window_of(t[i].b);

		if (window_overlap(&a, &b) != t[i].overlap ||
		    window_overlap(&b, &a) != t[i].overlap)
			fail_msg("%s / %s", t[i].a, t[i].b);
	}
}

/* -------------------------------------------------------------- properties */

static uint64_t seed = 7;

static uint32_t next_random(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/** The first instant at which the wall shows a local time or a later one,
 *  found by walking there. */
static int64_t passage(const struct tz *z, int64_t local)
{
	int64_t t = local - 16 * 3600;

	while (tz_local(z, t) < local)
		t += 60;
	return t;
}

static bool walked(const struct window *w, const struct tz *z, int64_t t)
{
	const int64_t today = civil_day_of(tz_local(z, t));

	for (int64_t d = today - 2; d <= today + 1; d++)
		if (w->days >> civil_weekday(d) & 1 &&
		    t >= passage(z, d * CIVIL_DAY + w->from) &&
		    t < passage(z, d * CIVIL_DAY + w->to))
			return true;
	return false;
}

/** Around every change of the clocks of many zones, against walking. */
static void test_property(void **state)
{
	static const char *const zones[] = {
		"Europe/Berlin",       "America/New_York",  "Asia/Kolkata",
		"Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca",
		"America/St_Johns",    "Asia/Tehran",       "Pacific/Chatham",
		"America/Havana",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		struct tz *z = zone_of(zones[i]);

		for (int n = 0; n < 12; n++) {
			struct window w = {
				.days = (uint8_t)(1 + next_random(127)),
				.from = (int32_t)next_random(1440) * 60,
			};
			int64_t t = civil_day(1990, 1, 1) * CIVIL_DAY +
				    next_random(50 * 365) * CIVIL_DAY;
			const int64_t change = t;
			int64_t next;

			w.to = w.from + 60 * (1 + (int32_t)next_random(1440));
			/* To the next change of the clocks, if one is near. */
			while (t < change + 250 * CIVIL_DAY &&
			       tz_offset(z, t) == tz_offset(z, change))
				t += 3600;
			t -= 2 * CIVIL_DAY;
			next = window_change(&w, 1, z, t - 1);
			for (int64_t end = t + 4 * CIVIL_DAY; t < end;
			     t += 600) {
				const bool in = window_covers(&w, z, t, NULL,
							      NULL, NULL);

				if (in != walked(&w, z, t))
					fail_msg("%s at %lld", zones[i],
						 (long long)t);
				/* Nothing changes between two changes. */
				if (t < next)
					continue;
				while (next <= t) {
					const int64_t at = next;

					next = window_change(&w, 1, z, at);
					assert_true(next > at);
				}
				if (next > t + 600)
					assert_int_equal(
						in, window_covers(
							    &w, z, next - 1,
							    NULL, NULL, NULL));
			}
		}
		tz_free(z);
	}
}

/** Windows that do not overlap never apply at once. */
static void test_disjoint(void **state)
{
	struct tz *z = zone_of("Europe/Berlin");
	int pairs = 0;

	(void)state;
	for (int n = 0; n < 3000; n++) {
		struct window v[2];
		int64_t t;

		for (int i = 0; i < 2; i++) {
			v[i] = (struct window){
				.days = (uint8_t)(1 + next_random(127)),
				.from = (int32_t)next_random(96) * 900};
			v[i].to = v[i].from +
				  900 * (1 + (int32_t)next_random(48));
		}
		if (window_overlap(&v[0], &v[1]))
			continue;
		pairs++;
		/* Two weeks with both changes of the clocks. */
		for (int week = 0; week < 2; week++) {
			t = civil_day(2027, week ? 10 : 3, 25) * CIVIL_DAY;
			for (int k = 0; k < 7 * 96; k++, t += 900)
				assert_false(window_covers(&v[0], z, t, NULL,
							   NULL, NULL) &&
					     window_covers(&v[1], z, t, NULL,
							   NULL, NULL));
		}
	}
	assert_true(pairs > 100);
	tz_free(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_bad_texts),
		cmocka_unit_test(test_weekdays_and_types),
		cmocka_unit_test(test_change_of_clocks),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_property),
		cmocka_unit_test(test_disjoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
