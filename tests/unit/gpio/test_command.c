#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* 2026-11-23T06:55:00Z */
#define WALL INT64_C(1795416900000000)
#define MONO UINT64_C(90000000000)
#define S INT64_C(1000000)
#define MAX_AGE_MS 10000

static struct command_guard g;
static struct reason why;
static char id[64];
static int64_t wall;
static uint64_t mono;

static int fresh(void **state)
{
	(void)state;
	memset(&g, 0, sizeof(g));
	wall = WALL;
	mono = MONO;
	return 0;
}

static int check_retained(const char *payload, bool retain)
{
	memset(id, 'x', sizeof(id));
	why.text[0] = '\0';
	return command_check(&g, payload, strlen(payload), retain, wall, mono,
			     MAX_AGE_MS, id, &why);
}

static int check(const char *payload)
{
	return check_retained(payload, false);
}

/* A command that says it was sent `ago` microseconds before now. */
static int sent(const char *name, int64_t ago)
{
	char text[160];

	snprintf(text, sizeof(text), "{\"id\":\"%s\",\"time\":%.6f}", name,
		 (double)(wall - ago) / 1e6);
	return check(text);
}

static void pass(int64_t us)
{
	wall += us;
	mono += (uint64_t)us;
}

#define refused(call, error, says)                                             \
	do {                                                                   \
		assert_int_equal((call), (error));                             \
		if (!strstr(why.text, (says)))                                 \
			fail_msg("\"%s\" does not say \"%s\"", why.text,       \
				 (says));                                      \
	} while (0)

static void test_good_ones(void **state)
{
	(void)state;
	assert_int_equal(
		check("{\"id\":\"a-1\",\"time\":\"2026-11-23T06:55:00Z\"}"), 0);
	assert_string_equal(id, "a-1");
	assert_int_equal(check("{\"time\":\"2026-11-23T07:55:03.5+01:00\","
			       "\"id\":\"a-2\",\"zone\":[{\"x\":1}]}"),
			 0);
	assert_int_equal(check("{\"id\":\"a-3\",\"time\":1795416905}"), 0);
	assert_int_equal(check("{\"id\":\"a-4\",\"time\":1795416899.25}"), 0);
}

static void test_retained(void **state)
{
	const char *text = "{\"id\":\"r\",\"time\":1795416900}";

	(void)state;
	refused(check_retained(text, true), ESTALE, "retained");
	assert_string_equal(id, "r");
	/* It did not act: the same one, sent properly, does. */
	assert_int_equal(check(text), 0);
}

static void test_age(void **state)
{
	(void)state;
	assert_int_equal(sent("a", 10 * S), 0);
	refused(sent("b", 10 * S + 1000), ESTALE, "10.0 s ago");
	assert_string_equal(id, "b");
	refused(sent("c", 3600 * S), ESTALE, "3600.0 s ago, at most 10 s");
	assert_int_equal(sent("d", -10 * S), 0);
	refused(sent("e", -10 * S - 1000), ESTALE, "ahead");
	refused(sent("f", -86400 * S), ESTALE, "compare the clocks");
	/* What was refused as early is not remembered as done. */
	pass(2 * S);
	assert_int_equal(sent("e", -9 * S), 0);
}

static void test_repeated(void **state)
{
	(void)state;
	assert_int_equal(sent("a", 0), 0);
	refused(sent("a", 0), EALREADY, "\"a\" was handled already");
	assert_string_equal(id, "a");
	pass(5 * S);
	assert_int_equal(sent("b", 0), 0);
	refused(sent("a", 0), EALREADY, "new id");
	refused(sent("a", 5 * S), EALREADY, "new id");
	/* A clock set back makes the time fresh again, not the command. */
	pass(600 * S);
	wall -= 605 * S;
	refused(sent("a", 0), EALREADY, "new id");
	/* A counter that begins anew after an hour may. */
	mono += COMMAND_MEMORY_MS * UINT64_C(1000);
	assert_int_equal(sent("a", 0), 0);
}

static void test_two_messages_of_one_moment(void **state)
{
	(void)state;
	assert_int_equal(sent("a", 0), 0);
	mono -= 50;
	refused(sent("a", 0), EALREADY, "new id");
}

/* One each millisecond. */
static void send_many(const char *prefix, unsigned n, int64_t ago)
{
	char name[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s-%u", prefix, i);
		assert_int_equal(sent(name, ago), 0);
		pass(1000);
	}
}

/* Slow traffic: whoever left the memory has left its time as well. */
static void test_memory_turns_over(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3 * COMMAND_MEMORY; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n-%u", i);
		pass(S);
		assert_int_equal(sent(name, 9 * S), 0);
	}
	refused(sent("n-767", 0), EALREADY, "new id");
	assert_int_equal(sent("n-100", 0), 0);
}

/* A flood must neither let a repetition through nor keep news out. */
static void test_flood(void **state)
{
	char repeated[100];
	int64_t then = wall;

	(void)state;
	assert_int_equal(sent("evacuate", 0), 0);
	snprintf(repeated, sizeof(repeated),
		 "{\"id\":\"evacuate\",\"time\":%.6f}", (double)then / 1e6);
	pass(S);
	send_many("flood", COMMAND_MEMORY - 1, 0);
	refused(check(repeated), EALREADY, "new id");
	pass(S);
	send_many("more", 2 * COMMAND_MEMORY, 0);
	refused(check(repeated), ESTALE, "more than 256 commands");
	pass(S);
	assert_int_equal(sent("news", 0), 0);
	/* Its own time puts an end to it, and with it to the caution. */
	pass(10 * S);
	refused(check(repeated), ESTALE, "s ago");
	pass(15 * S);
	assert_int_equal(sent("late", 10 * S), 0);
}

/* What is forgotten in between counts, whatever was sent later or earlier. */
static void test_flood_out_of_order(void **state)
{
	char repeated[100];

	(void)state;
	snprintf(repeated, sizeof(repeated),
		 "{\"id\":\"evacuate\",\"time\":%.6f}", (double)wall / 1e6);
	assert_int_equal(sent("delayed", 5 * S), 0);
	assert_int_equal(check(repeated), 0);
	assert_int_equal(sent("delayed-too", 5 * S), 0);
	pass(1000);
	send_many("flood", COMMAND_MEMORY, 0);
	refused(check(repeated), ESTALE, "more than 256 commands");
}

/* Times forgotten before the clock was put right say nothing any more. */
static void test_flood_before_a_clock_step(void **state)
{
	(void)state;
	send_many("flood", 2 * COMMAND_MEMORY, 0);
	pass(21 * S);
	wall -= 3600 * S;
	assert_int_equal(sent("news", 0), 0);
}

/* Sent with a time ahead it is fresh for up to twice the age. */
static void test_flood_after_one_from_ahead(void **state)
{
	char repeated[100];

	(void)state;
	snprintf(repeated, sizeof(repeated),
		 "{\"id\":\"evacuate\",\"time\":%.6f}",
		 (double)(wall + 10 * S) / 1e6);
	assert_int_equal(check(repeated), 0);
	send_many("flood", COMMAND_MEMORY, -10 * S);
	pass(20 * S - 1000 - COMMAND_MEMORY * 1000);
	refused(check(repeated), ESTALE, "more than 256 commands");
	pass(1000);
	refused(check(repeated), ESTALE, "more than 256 commands");
	pass(1000);
	refused(check(repeated), ESTALE, "s ago");
	assert_int_equal(sent("news", 0), 0);
}

static void test_ids(void **state)
{
	static const char *const bad[] = {
		"{\"id\":\"\",\"time\":1795416900}",
		"{\"id\":7,\"time\":1795416900}",
		"{\"id\":null,\"time\":1795416900}",
		"{\"id\":[\"a\"],\"time\":1795416900}",
		"{\"id\":\"a\\nb\",\"time\":1795416900}",
		"{\"id\":\"a\\u001bb\",\"time\":1795416900}",
		"{\"id\":\"a\\u007fb\",\"time\":1795416900}",
		"{\"id\":\"a b\",\"time\":1795416900}",
		"{\"id\":\"a/b\",\"time\":1795416900}",
		"{\"id\":\"+\",\"time\":1795416900}",
		"{\"id\":\"a#\",\"time\":1795416900}",
		"{\"id\":\"\xc3\xa4\",\"time\":1795416900}",
		"{\"id\":\"1234567890123456789012345678901234567890123456789"
		"012345678901234\",\"time\":1795416900}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		refused(check(bad[i]), EINVAL, "\"id\"");
		assert_string_equal(id, "");
	}
	refused(check("{\"time\":1795416900}"), EINVAL, "no \"id\"");
	assert_string_equal(id, "");
	assert_int_equal(
		check("{\"id\":\"123456789012345678901234567890123456789012345"
		      "678901234567890123\",\"time\":1795416900}"),
		0);
	assert_int_equal(strlen(id), 63);
}

static void test_unreadable(void **state)
{
	(void)state;
	refused(check(""), EINVAL, "unreadable JSON");
	assert_string_equal(id, "");
	refused(check("now!"), EINVAL, "unreadable JSON");
	refused(check("{\"id\":\"a\",\"time\":1795416900"), EINVAL,
		"unreadable JSON");
	refused(check("[\"a\",1795416900]"), EINVAL, "JSON object");
	refused(check("\"a\""), EINVAL, "JSON object");
	refused(check("{\"id\":\"a\",\"id\":\"b\",\"time\":1795416900}"),
		EINVAL, "duplicate");
	refused(check("[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]"), EINVAL,
		"deeper than 16");
	refused(check("{\"id\":\"\xff\"}"), EINVAL, "unreadable JSON");
	for (const char *c = why.text; *c; c++)
		assert_in_range(*c, 0x20, 0x7e);
}

static void test_times(void **state)
{
	(void)state;
	refused(check("{\"id\":\"a\"}"), EINVAL, "no \"time\": say when");
	refused(check("{\"id\":\"a\",\"time\":true}"), EINVAL, "RFC 3339");
	refused(check("{\"id\":\"a\",\"time\":null}"), EINVAL, "RFC 3339");
	refused(check("{\"id\":\"a\",\"time\":\"1795416900\"}"), EINVAL,
		"RFC 3339");
	refused(check("{\"id\":\"a\",\"time\":\"now\\u001b\"}"), EINVAL,
		"\"now?\"");
	refused(check("{\"id\":\"a\",\"time\":1795416900000}"), EINVAL,
		"milliseconds");
	refused(check("{\"id\":\"a\",\"time\":-1}"), EINVAL, "seconds");
	refused(check("{\"id\":\"a\",\"time\":1e300}"), EINVAL, "seconds");
	refused(check("{\"id\":\"a\",\"time\":0}"), ESTALE, "ago");
	assert_string_equal(id, "a");
}

static void test_rfc_3339(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1969-12-31T23:59:59.999999Z", -1},
		{"1970-01-01T01:30:00+01:30", 0},
		{"1969-12-31T20:00:00-04:00", 0},
		{"2026-11-23T06:55:00Z", WALL},
		{"2026-11-23t06:55:00z", WALL},
		{"2026-11-23 06:55:00.000Z", WALL},
		{"2026-11-23T06:55:00.1234569Z", WALL + 123456},
		{"2026-11-23T06:55:00.00000000000000000001Z", WALL},
		{"2000-02-29T12:00:00Z", INT64_C(951825600) * S},
		{"2100-03-01T00:00:00Z", INT64_C(4107542400) * S},
		{"2016-12-31T23:59:60Z", INT64_C(1483228800) * S},
		{"0001-01-01T00:00:00Z", INT64_C(-62135596800) * S},
		{"9999-12-31T23:59:59Z", INT64_C(253402300799) * S},
	};
	static const char *const bad[] = {
		"",
		"2026",
		"2026-11-23",
		"2026-11-23T06:55:00",
		"2026-11-23T06:55Z",
		"2026-11-23T06:55:00.Z",
		"2026-11-23T06:55:00,5Z",
		"2026-11-23T06:55:00ZZ",
		"2026-11-23T06:55:00Z ",
		" 2026-11-23T06:55:00Z",
		"2026-11-23T06:55:00+0100",
		"2026-11-23T06:55:00+01",
		"2026-11-23T06:55:00+24:00",
		"2026-11-23T06:55:00+01:60",
		"2026-13-23T06:55:00Z",
		"2026-00-23T06:55:00Z",
		"2026-11-31T06:55:00Z",
		"2026-11-00T06:55:00Z",
		"2026-02-29T06:55:00Z",
		"2100-02-29T06:55:00Z",
		"2026-11-23T24:00:00Z",
		"2026-11-23T06:60:00Z",
		"2026-11-23T06:55:61Z",
		"0000-01-01T00:00:00Z",
		"26-11-23T06:55:00Z",
		"2026-11-23_06:55:00Z",
		"2026-1-123T06:55:00Z",
		"-026-11-23T06:55:00Z",
	};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		us = 12345;
		if (command_time(good[i].text, strlen(good[i].text), &us) ||
		    us != good[i].us)
			fail_msg("%s: %lld", good[i].text, (long long)us);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		us = 12345;
		if (!command_time(bad[i], strlen(bad[i]), &us) || us != 12345)
			fail_msg("\"%s\" is taken for a time", bad[i]);
	}
	assert_int_equal(command_time("2026-11-23T06:55:00Z\0", 21, &us),
			 EINVAL);
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_good_ones),
		T(test_retained),
		T(test_age),
		T(test_repeated),
		T(test_two_messages_of_one_moment),
		T(test_memory_turns_over),
		T(test_flood),
		T(test_flood_out_of_order),
		T(test_flood_before_a_clock_step),
		T(test_flood_after_one_from_ahead),
		T(test_ids),
		T(test_unreadable),
		T(test_times),
		T(test_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
