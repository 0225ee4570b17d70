/* event.c, text_json.c: names, and JSON whatever bytes a peer sent. */
#include "controller/base/log.h"
#include "controller/event.h"
#include "controller/text_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_go_there_and_back(void **state)
{
	(void)state;
	for (int t = 0; t < EVENT_TYPE_COUNT; t++) {
		const char *name = event_type_name((enum event_type)t);

		assert_non_null(name);
		assert_int_equal(event_type_by_name(name), t);
	}
	assert_string_equal(event_type_name(EVENT_FAULT_RAISED),
			    "fault.raised");
	assert_int_equal(event_type_by_name("fault"), -1);
	assert_int_equal(event_type_by_name(""), -1);
	assert_int_equal(event_type_level(EVENT_CONFIG_REFUSED),
			 LOG_LEVEL_ERROR);
	assert_int_equal(event_type_level(EVENT_CALL_HELD), LOG_LEVEL_INFO);
	assert_string_equal(event_type_name(EVENT_TYPE_COUNT), "unknown");
}

static struct event sample(void)
{
	return (struct event){.id = 42,
			      .cause = 41,
			      .wall_us = INT64_C(1763881200123456),
			      .mono_us = 5,
			      .type = EVENT_ALARM_ACTIVE,
			      .subject = "alarm:gas",
			      .actor = "input:gate-2",
			      .text = "gas is active",
			      .data = "{\"inputs\":[\"gate-2\"],\"n\":1}"};
}

static const char *str(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void every_field_is_there(void **state)
{
	struct event e = sample();
	json_t *o = event_json(&e);

	(void)state;
	assert_non_null(o);
	assert_int_equal(json_integer_value(json_object_get(o, "id")), 42);
	assert_int_equal(json_integer_value(json_object_get(o, "cause")), 41);
	assert_string_equal(str(o, "time"), "2025-11-23T07:00:00.123456Z");
	assert_string_equal(str(o, "type"), "alarm.active");
	assert_string_equal(str(o, "subject"), "alarm:gas");
	assert_string_equal(str(o, "actor"), "input:gate-2");
	assert_string_equal(str(o, "text"), "gas is active");
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(o, "data"), "n")),
			 1);
	assert_int_equal(json_object_size(o), 8);
	json_decref(o);
}

static void empty_cause_and_data_are_left_out(void **state)
{
	struct event e = sample();
	json_t *o;

	(void)state;
	e.cause = 0;
	e.data[0] = '\0';
	o = event_json(&e);
	assert_non_null(o);
	assert_null(json_object_get(o, "cause"));
	assert_null(json_object_get(o, "data"));
	json_decref(o);
}

static void bad_data_is_shown_not_lost(void **state)
{
	static const char *const bad[] = {"{\"a\":", "[1]", "7", "\xff\xfe",
					  "{\"a\":\"\xc3\"}"};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct event e = sample();
		json_t *o, *d;

		strcpy(e.data, bad[i]);
		o = event_json(&e);
		assert_non_null(o);
		d = json_object_get(o, "data");
		assert_true(json_is_object(d));
		assert_non_null(str(d, "unparsed"));
		json_decref(o);
	}
}

static void is_text(const char *in, const char *out)
{
	json_t *s = text_json(in);

	assert_non_null(s);
	assert_string_equal(json_string_value(s), out);
	json_decref(s);
}

#define R "?"

static void what_is_no_utf8_is_replaced(void **state)
{
	(void)state;
	is_text("", "");
	is_text("plain", "plain");
	is_text("a\nb\x1b[31m", "a?b?[31m"); /* controls */
	is_text("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	is_text("\xe2\x82\xac \xf0\x9f\x94\xa5",
		"\xe2\x82\xac \xf0\x9f\x94\xa5");
	is_text("\xfc", R);                              /* Latin-1 */
	is_text("a\xc3", "a" R);                         /* cut at the end */
	is_text("a\xe2\x82", "a" R R);                   /* cut */
	is_text("\xc3(", R "(");                         /* no continuation */
	is_text("\xc0\xaf", R R);                        /* overlong '/' */
	is_text("\xe0\x80\xaf", R R R);                  /* overlong */
	is_text("\xf0\x80\x80\xaf", R R R R);            /* overlong */
	is_text("\xed\xa0\x80", R R R);                  /* surrogate */
	is_text("\xf4\x90\x80\x80", R R R R);            /* above U+10FFFF */
	is_text("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"); /* U+10FFFF */
	is_text("\x80\xbf", R R);                        /* stray */
}

/* Every pair of bytes, and every one behind a three-byte lead: jansson checks
 * what it is given, so a slip here is a NULL. */
static void no_bytes_make_it_fail(void **state)
{
	(void)state;
	for (int a = 1; a < 256; a++)
		for (int b = 1; b < 256; b++) {
			struct event e = sample();
			const char t[] = {(char)a, (char)b, '\x80',
					  '\xbf',  (char)a, '\0'};
			json_t *o;

			strcpy(e.text, t);
			strcpy(e.subject, t + 1);
			strcpy(e.actor, t + 4);
			o = event_json(&e);
			assert_non_null(o);
			assert_non_null(str(o, "text"));
			assert_non_null(str(o, "subject"));
			json_decref(o);
		}
}

static void a_long_bad_text_is_cut(void **state)
{
	char in[TEXT_JSON_MAX + 100];
	json_t *s;

	(void)state;
	memset(in, 0xff, sizeof(in) - 1);
	in[sizeof(in) - 1] = '\0';
	s = text_json(in);
	assert_non_null(s);
	assert_true(json_string_length(s) == TEXT_JSON_MAX);
	json_decref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_there_and_back),
		cmocka_unit_test(every_field_is_there),
		cmocka_unit_test(empty_cause_and_data_are_left_out),
		cmocka_unit_test(bad_data_is_shown_not_lost),
		cmocka_unit_test(what_is_no_utf8_is_replaced),
		cmocka_unit_test(no_bytes_make_it_fail),
		cmocka_unit_test(a_long_bad_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
