/* Offsets, gaps and folds of real zones, and files that are none. */
#include "sched_util.h"

static void test_dates(void **state)
{
	static const struct {
		int y, m, d;
		int64_t day;
		int weekday;
	} t[] = {{1970, 1, 1, 0, 3},       {2000, 2, 29, 11016, 1},
		 {2026, 11, 23, 20780, 0}, {2100, 3, 1, 47541, 0},
		 {1900, 3, 1, -25508, 3},  {1969, 12, 31, -1, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		const struct civil c = civil_of(t[i].day * CIVIL_DAY + 61);

		assert_int_equal(civil_day(t[i].y, t[i].m, t[i].d), t[i].day);
		assert_int_equal(civil_weekday(t[i].day), t[i].weekday);
		assert_int_equal(c.year, t[i].y);
		assert_int_equal(c.month, t[i].m);
		assert_int_equal(c.day, t[i].d);
		assert_int_equal(c.second, 61);
	}
	assert_true(civil_valid(2028, 2, 29));
	assert_false(civil_valid(2100, 2, 29));
	assert_false(civil_valid(2026, 4, 31));
	/* Every day of 400 years, there and back. */
	for (int64_t d = civil_day(1900, 1, 1); d < civil_day(2300, 1, 1);
	     d++) {
		const struct civil c = civil_of(d * CIVIL_DAY);

		assert_int_equal(civil_day(c.year, c.month, c.day), d);
		assert_true(civil_valid(c.year, c.month, c.day));
	}
}

static void test_gap_and_fold(void **state)
{
	static const struct {
		const char *zone, *local;
		enum tz_kind kind;
		const char *first, *second; /* UTC */
	} t[] = {
		{"Europe/Berlin", "2027-03-28 01:59", TZ_ONCE,
		 "2027-03-28 00:59", "2027-03-28 00:59"},
		{"Europe/Berlin", "2027-03-28 02:00", TZ_GAP,
		 "2027-03-28 01:00", "2027-03-28 01:00"},
		{"Europe/Berlin", "2027-03-28 02:59:59", TZ_GAP,
		 "2027-03-28 01:00", "2027-03-28 01:00"},
		{"Europe/Berlin", "2027-03-28 03:00", TZ_ONCE,
		 "2027-03-28 01:00", "2027-03-28 01:00"},
		{"Europe/Berlin", "2027-10-31 02:30", TZ_FOLD,
		 "2027-10-31 00:30", "2027-10-31 01:30"},
		{"Europe/Berlin", "2027-10-31 03:00", TZ_ONCE,
		 "2027-10-31 02:00", "2027-10-31 02:00"},
		/* Beyond the table of the file: the rule at its end. */
		{"Europe/Berlin", "2150-03-29 02:30", TZ_GAP,
		 "2150-03-29 01:00", "2150-03-29 01:00"},
		{"America/New_York", "2150-11-01 01:30", TZ_FOLD,
		 "2150-11-01 05:30", "2150-11-01 06:30"},
		/* Half an hour. */
		{"Australia/Lord_Howe", "2027-10-03 02:15", TZ_GAP,
		 "2027-10-02 15:30", "2027-10-02 15:30"},
		/* A day that was left out. */
		{"Pacific/Apia", "2011-12-30 12:00", TZ_GAP, "2011-12-30 10:00",
		 "2011-12-30 10:00"},
		{"Asia/Kolkata", "2027-03-28 02:30", TZ_ONCE,
		 "2027-03-27 21:00", "2027-03-27 21:00"},
		{"UTC", "2027-03-28 02:30", TZ_ONCE, "2027-03-28 02:30",
		 "2027-03-28 02:30"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct tz *z = zone_of(t[i].zone);
		int64_t got[2];

		assert_int_equal(tz_utc(z, at(t[i].local), got), t[i].kind);
		assert_int_equal(got[0], at(t[i].first));
		assert_int_equal(got[1], at(t[i].second));
		tz_free(z);
	}
}

static void test_bad_files(void **state)
{
	static char good[TZ_MAX_FILE], bad[TZ_MAX_FILE];
	struct reason why;
	struct tz *z = NULL;
	FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
	size_t n;

	(void)state;
	assert_non_null(f);
	n = fread(good, 1, sizeof(good), f);
	fclose(f);
	/* Cut anywhere: refused, or (in the rule's end) whole. */
	for (size_t k = 0; k < n; k += 7)
		assert_int_not_equal(tz_parse(&z, good, k, &why), 0);
	/* Any byte spoilt: no harm. */
	for (size_t k = 0; k < n; k += 3) {
		memcpy(bad, good, n);
		bad[k] ^= 0xff;
		if (!tz_parse(&z, bad, n, &why))
			z = tz_free(z);
	}
	assert_int_not_equal(tz_parse(&z, "no zone", 7, &why), 0);
	assert_non_null(strstr(why.text, "TZif"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_gap_and_fold),
		cmocka_unit_test(test_bad_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
