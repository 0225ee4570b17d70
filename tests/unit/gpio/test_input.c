#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/input.h"
#include "gpio/payload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct input_value v;
static struct input_rule rule;
static uint64_t now;

static int fresh(void **state)
{
	(void)state;
	memset(&v, 0, sizeof(v));
	memset(&rule, 0, sizeof(rule));
	now = 1000000;
	return 0;
}

/* A copy of exactly these bytes: no NUL to run into, sanitizers see more. */
static bool apply_bytes(const char *payload, size_t len)
{
	char *p = malloc(len ? len : 1);
	bool changed;

	assert_non_null(p);
	memcpy(p, payload, len);
	changed = input_apply(&v, &rule, p, len, ++now);
	free(p);
	return changed;
}

static bool apply(const char *payload)
{
	return apply_bytes(payload, strlen(payload));
}

#define is_good(payload, is_active)                                            \
	do {                                                                   \
		apply(payload);                                                \
		assert_int_equal(v.quality, INPUT_GOOD);                       \
		assert_int_equal(v.active, is_active);                         \
		assert_int_equal(v.read_us, now);                              \
		assert_string_equal(v.why, "");                                \
	} while (0)

/* A fault that says `says` and leaves everything else as it was. */
#define is_fault(payload, says)                                                \
	do {                                                                   \
		struct input_value before = v;                                 \
                                                                               \
		apply(payload);                                                \
		assert_int_equal(v.quality, INPUT_FAULT);                      \
		assert_non_null(strstr(v.why, says));                          \
		assert_int_equal(v.active, before.active);                     \
		assert_string_equal(v.raw, before.raw);                        \
		assert_int_equal(v.read_us, before.read_us);                   \
		assert_true(v.number == before.number ||                       \
			    (isnan(v.number) && isnan(before.number)));        \
	} while (0)

static void test_words(void **state)
{
	static const char *const on[] = {"1",     "true", "on",    "active",
					 "alarm", "open", "ALARM", " On\r\n"};
	static const char *const off[] = {"0",     "false",  "off",   "normal",
					  "clear", "closed", "False", "\tOFF "};

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		is_good(on[i], true);
		is_good(off[i], false);
	}
	is_good("on", true);
	is_fault("onn", "\"onn\"");
	is_fault("o", "\"o\"");
	is_fault("2", "\"2\"");
	is_fault("unavailable", "\"unavailable\"");
	is_fault("", "empty");
	is_fault(" \n", "empty");
	is_good("closed", false);
}

static void test_changes_are_told_once(void **state)
{
	(void)state;
	assert_true(apply("0")); /* unknown -> good */
	assert_int_equal(v.changed_us, now);
	assert_false(apply("0"));
	assert_int_equal(v.changed_us, now - 1);
	assert_int_equal(v.read_us, now);
	assert_true(apply("1"));
	assert_int_equal(v.changed_us, now);
	assert_false(apply("on"));
	assert_true(apply("?"));
	assert_int_equal(v.changed_us, now);
	assert_false(apply("??"));
	assert_string_equal(v.raw, "on");
	assert_true(v.active);
	assert_true(apply("on")); /* fault -> good, active all the time */
	assert_true(apply("?"));
	assert_true(apply("off"));
	assert_false(v.active);
}

static void test_match(void **state)
{
	(void)state;
	rule.match = "Offen";
	is_good("Offen", true);
	is_good("offen", false);
	is_good("Offen!", false);
	is_good(" Offen\n", true);
	is_good("on", false);
	is_fault("", "empty");
	rule.match = "1";
	is_good("1", true);
	rule.json = "v";
	is_good("{\"v\":1}", true);
	is_good("{\"v\":1.0}", true);
	is_good("{\"v\":\"1\"}", true);
	is_good("{\"v\":\" 1\"}", false);
	is_good("{\"v\":true}", false);
	rule.match = "true";
	is_good("{\"v\":true}", true);
}

static void test_above_has_hysteresis(void **state)
{
	(void)state;
	rule.has_above = true;
	rule.above = 40;
	rule.clear_below = 30;
	is_good("39.9", false);
	is_good("40", false);
	is_good("40.1", true);
	is_good("31", true);
	is_good("30", true);
	is_good("29.99", false);
	is_good("35", false);
	is_good("4.1e1", true);
	is_good("-1", false);
	assert_true(v.number == -1);
}

static void test_below_has_hysteresis(void **state)
{
	(void)state;
	rule.has_below = true;
	rule.below = 5;
	rule.clear_above = 10;
	is_good("5", false);
	is_good("4.9", true);
	is_good("10", true);
	is_good("10.1", false);
	is_good("7", false);
	is_good("-273.15", true);
}

static void test_two_windows_are_held_apart(void **state)
{
	(void)state;
	rule.has_above = rule.has_below = true;
	rule.above = 40;
	rule.clear_below = 30;
	rule.below = 5;
	rule.clear_above = 10;
	is_good("20", false);
	is_good("41", true);
	is_good("8",
		false); /* the high one cleared, the low one never tripped */
	is_good("4", true);
	is_good("9", true);
	is_good("35", false);
	is_good("41", true);
	is_good("4", true);
	is_good("12", false);
	/* A fault between does not forget which window holds. */
	is_good("41", true);
	is_fault("x", "not a number");
	is_good("31", true);
	is_fault("x", "not a number");
	is_good("8", false);
	/* The rule changed while active: it does not clear by that alone. */
	is_good("41", true);
	rule.above = 60;
	rule.clear_below = 50;
	is_good("55", true);
	is_good("45", false);
}

static void test_what_is_no_number(void **state)
{
	static const char *const bad[] = {
		"nan", "inf",  "-inf",  "0x10",     "1e999",    "1,5",
		"1 2", "12a",  "--1",   "1e",       "+",        ".",
		"e5",  "true", "1.2.3", "infinity", "\xd9\xa1", "1\xc2\xa0"};
	char digits[80];

	(void)state;
	rule.has_above = true;
	rule.above = rule.clear_below = 10;
	is_good("11", true);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_fault(bad[i], "not a number");
	memset(digits, '1', sizeof(digits));
	digits[79] = '\0';
	is_fault(digits, "not a number");
	apply_bytes("1\0002", 3);
	assert_int_equal(v.quality, INPUT_FAULT);
	is_good("+12.5", true);
	is_good(".5", false);
	rule.has_above = false;
	is_good("on", true);
	assert_true(isnan(v.number));
	is_good("1", true);
	assert_true(v.number == 1);
}

static void test_json_path(void **state)
{
	(void)state;
	rule.json = "a.list.1.value";
	rule.has_above = true;
	rule.above = rule.clear_below = 40;
	is_good("{\"a\":{\"list\":[0,{\"value\":41}]}}", true);
	is_good("{\"a\":{\"list\":[0,{\"value\":\"39.5\"}]}}", false);
	assert_true(v.number == 39.5);
	assert_string_equal(v.raw, "39.5");
	is_good("{\"a\":{\"list\":[0,{\"value\":4.25e1}]}}", true);
	assert_string_equal(v.raw, "42.5");
	is_fault("{\"a\":{\"list\":[0]}}", "no \"a.list.1.value\"");
	is_fault("{\"a\":{\"list\":{\"1\":0}}}", "no \"a.list.1.value\"");
	is_fault("{\"a\":null}", "no \"a.list.1.value\"");
	is_fault("41", "no \"a.list.1.value\"");
	is_fault("{\"a\":{\"list\":[0,{\"value\":null}]}}", "is null");
	is_fault("{\"a\":{\"list\":[0,{\"value\":[41]}]}}", "is an array");
	is_fault("{\"a\":{\"list\":[0,{\"value\":{}}]}}", "is an object");
	is_fault("{\"a\":{\"list\":[0,{\"value\":true}]}}", "not a number");
	is_fault("{\"a\":{\"list\":[0,{\"value\":\"41 \"}]}}", "not a number");
	is_fault("{\"a\":{\"list\":[0,{\"value\":\"\"}]}}", "empty");
	rule.json = "0";
	is_good("[\"50\"]", true);
	is_fault("[]", "no \"0\"");
	rule.json = "-1";
	is_fault("[1]", "no \"-1\"");
	rule.json = "18446744073709551616";
	is_fault("[1]", "no \"18446744073709551616\"");
	rule.json = "";
	is_fault("[1]", "no \"\"");
	is_good("{\"\":50}", true);
	rule.json = "a.";
	is_fault("{\"a\":50}", "no \"a.\"");
}

static void test_json_words(void **state)
{
	(void)state;
	rule.json = "state";
	is_good("{\"state\":true}", true);
	is_good("{\"state\":false}", false);
	is_good("{\"state\":1}", true);
	is_good("{\"state\":0.0}", false);
	is_good("{\"state\":\"ALARM\"}", true);
	is_fault("{\"state\":7}", "\"7\"");
}

static void test_broken_json(void **state)
{
	static char big[PAYLOAD_MAX + 2];

	(void)state;
	rule.json = "v";
	is_good("{\"v\":1}", true);
	is_fault("{\"v\":1", "unreadable JSON");
	is_fault("{\"v\":1}}", "unreadable JSON");
	is_fault("{\"v\":01}", "unreadable JSON");
	is_fault("", "unreadable JSON");
	is_fault("{\"v\":\"\xff\"}", "unreadable JSON");
	is_fault("{\"v\":1e999}", "unreadable JSON");
	is_fault("{\"v\":99999999999999999999999}", "unreadable JSON");
	memset(big, ' ', sizeof(big) - 1);
	memcpy(big, "{\"v\":0}", 7);
	is_fault(big, "at most 65536");
	big[PAYLOAD_MAX] = '\0';
	is_good(big, false);
}

static void test_json_depth(void **state)
{
	char deep[4096] = "";

	(void)state;
	rule.json = "v";
	/* Brackets in text are none. */
	is_good("{\"v\":1,\"t\":\"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[["
		"[[[[[[[\"}",
		true);
	strcpy(deep, "{\"v\":0,\"d\":");
	for (int i = 0; i < PAYLOAD_MAX_DEPTH - 1; i++)
		strcat(deep, "[");
	for (int i = 0; i < PAYLOAD_MAX_DEPTH - 1; i++)
		strcat(deep, "]");
	strcat(deep, "}");
	is_good(deep, false);
	strcpy(deep, "{\"v\":1,\"d\":");
	for (int i = 0; i < PAYLOAD_MAX_DEPTH; i++)
		strcat(deep, "[");
	for (int i = 0; i < PAYLOAD_MAX_DEPTH; i++)
		strcat(deep, "]");
	strcat(deep, "}");
	is_fault(deep, "deeper than 16");
	memset(deep, '[', sizeof(deep) - 1);
	is_fault(deep, "deeper than 16");
}

/* Whatever is shown can stand in JSON, a log line, a terminal. */
static void test_shown_text_is_printable(void **state)
{
	char longer[300];

	(void)state;
	rule.match = "x";
	is_good("23 \xc2\xb0"
		"C\x1b[2J",
		false);
	assert_string_equal(v.raw, "23 ??C?[2J");
	memset(longer, 'y', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	is_good(longer, false);
	assert_int_equal(strlen(v.raw), sizeof(v.raw) - 1);
	rule.match = NULL;
	is_fault("\xe2\x82\xac\n\x07", "\"????");
	rule.json = "gr\xc3\xb6\xc3\x9f"
		    "e";
	is_fault("{}", "no \"gr????e\"");
	input_lost(&v, "chip\ngone", now);
	assert_string_equal(v.why, "chip?gone");
}

static void test_age(void **state)
{
	(void)state;
	rule.max_age_ms = 30000;
	is_good("1", true);
	assert_false(input_age(&v, &rule, now));
	assert_false(input_age(&v, &rule, now - 10));
	assert_false(input_age(&v, &rule, now + 30000000));
	assert_true(input_age(&v, &rule, now + 30000001));
	assert_int_equal(v.quality, INPUT_STALE);
	assert_int_equal(v.changed_us, now + 30000001);
	assert_true(v.active); /* lost is not clear */
	assert_non_null(strstr(v.why, "30 s"));
	assert_false(input_age(&v, &rule, now + 40000000));
	assert_true(apply("1"));
	assert_int_equal(v.quality, INPUT_GOOD);
	/* The same value again and again is news enough. */
	now += 20000000;
	assert_false(apply("1"));
	assert_false(input_age(&v, &rule, now + 20000000));
	rule.max_age_ms = 0;
	assert_false(input_age(&v, &rule, UINT64_MAX));
}

static void test_age_of_what_never_spoke(void **state)
{
	(void)state;
	rule.max_age_ms = 5000;
	assert_false(input_age(&v, &rule, now));
	assert_false(input_age(&v, &rule, now + 5000000));
	assert_true(input_age(&v, &rule, now + 5000001));
	assert_int_equal(v.quality, INPUT_STALE);
	assert_non_null(strstr(v.why, "nothing was ever received"));
	assert_false(v.active);
}

static void test_lost(void **state)
{
	(void)state;
	rule.max_age_ms = 1000;
	is_good("1", true);
	assert_true(input_lost(&v, "the broker is away", now + 5));
	assert_int_equal(v.quality, INPUT_FAULT);
	assert_int_equal(v.changed_us, now + 5);
	assert_true(v.active);
	assert_false(input_lost(&v, "the broker is still away", now + 9));
	assert_string_equal(v.why, "the broker is still away");
	assert_int_equal(v.changed_us, now + 5);
	/* A fault does not become a mere staleness. */
	assert_false(input_age(&v, &rule, now + 5000000));
	is_good("0", false);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(input_quality_name(INPUT_UNKNOWN), "unknown");
	assert_string_equal(input_quality_name(INPUT_GOOD), "good");
	assert_string_equal(input_quality_name(INPUT_STALE), "stale");
	assert_string_equal(input_quality_name(INPUT_FAULT), "fault");
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_words),
		T(test_changes_are_told_once),
		T(test_match),
		T(test_above_has_hysteresis),
		T(test_below_has_hysteresis),
		T(test_two_windows_are_held_apart),
		T(test_what_is_no_number),
		T(test_json_path),
		T(test_json_words),
		T(test_broken_json),
		T(test_json_depth),
		T(test_shown_text_is_printable),
		T(test_age),
		T(test_age_of_what_never_spoke),
		T(test_lost),
		T(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
