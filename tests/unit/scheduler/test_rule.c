/* What every rule for a clock change says, and rules that are refused. */
#include "sched_util.h"

#include <errno.h>

#define MAX 64

/** Occurrences as "UTC(how) ..." in a text. */
static const char *expand(const struct rule *r, const char *zone,
			  const char *from, const char *to)
{
	static char text[4096];
	struct rule_time v[MAX];
	struct tz *z = zone_of(zone);
	char one[CIVIL_TEXT];
	size_t n, used = 0;

	assert_int_equal(rule_expand(r, z, at(from), at(to), v, MAX, &n), 0);
	*text = '\0';
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%s%s", i ? ", " : "",
					 civil_text(one, v[i].at) + 5,
					 v[i].how == RULE_MOVED     ? "m"
					 : v[i].how == RULE_SKIPPED ? "s"
					 : v[i].how == RULE_AGAIN   ? "2"
								    : "");
	tz_free(z);
	return text;
}

static const int32_t half_past_two[] = {9000};
/* 00:00 to 04:00, every half hour. */
static const int32_t night[] = {0,    1800,  3600,  5400, 7200,
				9000, 10800, 12600, 14400};

static void test_gap(void **state)
{
	struct rule r = {
		.days = RULE_ALL_DAYS, .time = half_past_two, .n_times = 1};

	(void)state;
	/* At 03:00, when the clocks are put forward, and once. */
	assert_string_equal(
		expand(&r, "Europe/Berlin", "2027-03-27", "2027-03-30"),
		"03-27 01:30, 03-28 01:00m, 03-29 00:30");
	r.gap = RULE_GAP_SKIP;
	assert_string_equal(
		expand(&r, "Europe/Berlin", "2027-03-27", "2027-03-30"),
		"03-27 01:30, 03-28 01:00s, 03-29 00:30");
	/* Those moved onto one that is there anyway are one. */
	r.gap = RULE_GAP_NEXT;
	r.time = night;
	r.n_times = 9;
	assert_string_equal(expand(&r, "Europe/Berlin", "2027-03-27 22:59",
				   "2027-03-28 02:00"),
			    "03-27 23:00, 03-27 23:30, 03-28 00:00, "
			    "03-28 00:30, 03-28 01:00, 03-28 01:30, "
			    "03-28 02:00");
}

static void test_fold(void **state)
{
	struct rule r = {
		.days = RULE_ALL_DAYS, .time = half_past_two, .n_times = 1};

	(void)state;
	assert_string_equal(expand(&r, "Europe/Berlin", "2027-10-30 12:00",
				   "2027-10-31 12:00"),
			    "10-31 00:30");
	r.fold = RULE_FOLD_SECOND;
	assert_string_equal(expand(&r, "Europe/Berlin", "2027-10-30 12:00",
				   "2027-10-31 12:00"),
			    "10-31 01:302");
	r.fold = RULE_FOLD_BOTH;
	assert_string_equal(expand(&r, "Europe/Berlin", "2027-10-30 12:00",
				   "2027-10-31 12:00"),
			    "10-31 00:30, 10-31 01:302");
	/* Every half hour, and none is left out. */
	r.time = night;
	r.n_times = 9;
	assert_string_equal(expand(&r, "Europe/Berlin", "2027-10-30 23:29",
				   "2027-10-31 02:00"),
			    "10-30 23:30, 10-31 00:00, 10-31 00:30, "
			    "10-31 01:002, 10-31 01:302, 10-31 02:00");
}

static void test_days(void **state)
{
	static const int32_t late[] = {23 * 3600, 25 * 3600};
	static const int32_t noon[] = {43200};
	static const struct rule_range only[] = {{0, 0}};
	struct rule_range days = {civil_day(2028, 2, 29),
				  civil_day(2028, 3, 1)};
	struct rule r = {.days = 1 << 4, .time = late, .n_times = 2};

	(void)state;
	/* Friday night goes on into Saturday. */
	assert_string_equal(expand(&r, "UTC", "2026-11-26", "2026-11-30"),
			    "11-27 23:00, 11-28 01:00");
	/* The window begins behind what is at its begin, and has its end. */
	assert_string_equal(
		expand(&r, "UTC", "2026-11-27 23:00", "2026-11-28 01:00"),
		"11-28 01:00");
	r = (struct rule){.days = RULE_ALL_DAYS,
			  .time = noon,
			  .n_times = 1,
			  .range = &days,
			  .n_ranges = 1};
	assert_string_equal(expand(&r, "UTC", "2028-02-01", "2028-03-31"),
			    "02-29 12:00, 03-01 12:00");
	r.range = only;
	assert_string_equal(expand(&r, "UTC", "2028-02-01", "2028-03-31"), "");
	/* New Year, on both sides of it. */
	r = (struct rule){.days = RULE_ALL_DAYS, .time = night, .n_times = 1};
	assert_string_equal(
		expand(&r, "Asia/Tokyo", "2026-12-31", "2027-01-01 15:00"),
		"12-31 15:00, 01-01 15:00");
}

static const char *recur(const char *text, const char *start, const char *from,
			 const char *to)
{
	static char out[4096];
	struct recur *x = NULL;
	struct reason why = {""};
	struct rule r = {0};

	if (recur_parse(&x, text, at(start), NULL, &why)) {
		snprintf(out, sizeof(out), "! %s", why.text);
		return out;
	}
	r.recur = x;
	snprintf(out, sizeof(out), "%s", expand(&r, "UTC", from, to));
	recur_free(x);
	return out;
}

static void test_recurrences(void **state)
{
	(void)state;
	assert_string_equal(recur("FREQ=YEARLY", "2024-02-29 12:00",
				  "2025-01-01", "2033-01-01"),
			    "02-29 12:00, 02-29 12:00");
	assert_string_equal(recur("FREQ=MONTHLY;BYDAY=-1FR", "2026-01-01 07:55",
				  "2026-11-01", "2027-01-31"),
			    "11-27 07:55, 12-25 07:55, 01-29 07:55");
	assert_string_equal(recur("FREQ=MONTHLY", "2026-01-31 08:00",
				  "2026-02-01", "2026-06-30"),
			    "03-31 08:00, 05-31 08:00");
	assert_string_equal(recur("FREQ=DAILY;UNTIL=20261124",
				  "2026-11-23 9:00", "2026-11-01",
				  "2027-01-01"),
			    "11-23 09:00, 11-24 09:00");
	assert_string_equal(recur("FREQ=WEEKLY;COUNT=2;BYDAY=SU,MO",
				  "2026-11-23 09:00", "2026-11-01",
				  "2027-01-01"),
			    "11-23 09:00, 11-29 09:00");
}

static void test_refused(void **state)
{
	static const struct {
		const char *rule, *why;
	} t[] = {
		{"FREQ=SECONDLY", "HOURLY, DAILY"},
		{"FREQ=MINUTELY", "\"every\""},
		{"BYDAY=MO", "no FREQ"},
		{"", "no FREQ"},
		{"FREQ=WEEKLY;FREQ=DAILY", "twice"},
		{"FREQ=DAILY;COUNT=10001", "1 to 10000"},
		{"FREQ=DAILY;COUNT=99999999999999999999", "1 to 10000"},
		{"FREQ=DAILY;INTERVAL=0", "1 to 1000"},
		{"FREQ=DAILY;COUNT=1;UNTIL=20270101", "both"},
		{"FREQ=DAILY;UNTIL=tomorrow", "20261224"},
		{"FREQ=DAILY;BYSECOND=1", "not known"},
		{"FREQ=DAILY;RSCALE=CHINESE", "not known"},
		{"FREQ=YEARLY;BYWEEKNO=1", "INTERVAL=2"},
		{"FREQ=WEEKLY;BYDAY=XX", "MO, TU"},
		{"FREQ=WEEKLY;BYDAY=1MO", "MONTHLY"},
		{"FREQ=MONTHLY;BYDAY=54MO", "1 to"},
		{"FREQ=MONTHLY;BYMONTHDAY=32", "-31"},
		{"FREQ=MONTHLY;BYMONTHDAY=0", "not 0"},
		{"FREQ=HOURLY;BYMONTH=2", "HOURLY"},
		{"FREQ=DAILY;;BYDAY", "no value"},
		/* What never happens, of which libical would not tire. */
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never"},
		{"FREQ=DAILY;BYMONTH=4,6;BYMONTHDAY=31", "never"},
		{"FREQ=DAILY;UNTIL=20200101", "never"},
		{"FREQ=DAILY;INTERVAL=7;BYDAY=TU", "never"},
		{"FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=2", "without numbers"},
		{"FREQ=MONTHLY;BYDAY=FR;BYSETPOS=5", "in every period"},
		{"FREQ=MONTHLY;BYDAY=5FR;BYMONTHDAY=1", "BYMONTHDAY"},
	};
	char huge[RECUR_MAX_TEXT + 100];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		const char *said = recur(t[i].rule, "2026-11-23 09:00",
					 "2026-11-01", "2027-01-01");

		if (*said != '!' || !strstr(said, t[i].why))
			fail_msg("%s: %s", t[i].rule, said);
	}
	memset(huge, 'X', sizeof(huge));
	huge[sizeof(huge) - 1] = '\0';
	assert_non_null(strstr(
		recur(huge, "2026-11-23 09:00", "2026-11-01", "2027-01-01"),
		"at most 500"));
}

static void test_full(void **state)
{
	struct rule r = {.days = RULE_ALL_DAYS, .time = night, .n_times = 9};
	struct rule_time v[3];
	size_t n;

	(void)state;
	assert_int_equal(
		rule_expand(&r, tz_of_utc(), 0, 7 * CIVIL_DAY, v, 3, &n),
		E2BIG);
	assert_int_equal(n, 3);
	assert_int_equal(rule_expand(&r, tz_of_utc(), 10, 10, v, 3, &n), 0);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_recurrences),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
