/* The pure part: decoding and judging what a client sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_unescape(const char *in, const char *out)
{
	char buf[128];

	snprintf(buf, sizeof(buf), "%s", in);
	assert_int_equal(request_unescape(buf), strlen(out));
	assert_string_equal(buf, out);
}

static void test_unescape(void **state)
{
	(void)state;
	check_unescape("", "");
	check_unescape("/a/b", "/a/b");
	check_unescape("%41%6a%6A", "Ajj");
	check_unescape("a%20b%2Fc", "a b/c");
	check_unescape("%C3%A4", "\xc3\xa4");
	/* What is none gives a character that nobody accepts. */
	check_unescape("%", "\x01");
	check_unescape("%4", "\x01"
			     "4");
	check_unescape("%zz", "\x01zz");
	check_unescape("%4z", "\x01"
			      "4z");
	check_unescape("a%00b", "a\x01"
				"b");
	check_unescape("%%41", "\x01"
			       "A");
	/* Once only. */
	check_unescape("%2541", "%41");
}

static void check_path(const char *url, const char *expect)
{
	char path[256];

	if (!expect) {
		assert_false(request_path(url, path));
		return;
	}
	assert_true(request_path(url, path));
	assert_string_equal(path, expect);
}

static void test_path(void **state)
{
	char url[400];

	(void)state;
	check_path("/", "/");
	check_path("///", "/");
	check_path("/a/b", "/a/b");
	check_path("//a///b//", "/a/b");
	check_path("/...", "/...");
	check_path("/a..b/.c", "/a..b/.c");
	check_path("/\xc3\xa4", "/\xc3\xa4");
	check_path("", NULL);
	check_path("a", NULL);
	check_path("/..", NULL);
	check_path("/.", NULL);
	check_path("/a/../b", NULL);
	check_path("/a/..", NULL);
	check_path("/a/./b", NULL);
	check_path("/a\x01", NULL);
	check_path("/a\n", NULL);
	check_path("/a\x7f", NULL);
	check_path("/\xff", NULL);
	check_path("/\xc0\xaf", NULL);
	memset(url, 'a', sizeof(url));
	url[0] = '/';
	url[255] = '\0';
	check_path(url, url);
	url[255] = 'a';
	url[256] = '\0';
	check_path(url, NULL);
}

static void test_route(void **state)
{
	(void)state;
	assert_string_equal(request_route("/api/v1/zones/all"), "/zones/all");
	assert_string_equal(request_route("/api/v1/metrics"), "/metrics");
	assert_string_equal(request_route("/metrics"), "/metrics");
	assert_string_equal(request_route("/healthz"), "/healthz");
	assert_null(request_route("/api/v1"));
	assert_null(request_route("/api/v10/x"));
	assert_null(request_route("/zones"));
	assert_null(request_route("/"));
}

static void test_media_type(void **state)
{
	(void)state;
	assert_true(request_is_json("application/json"));
	assert_true(request_is_json("Application/JSON; charset=utf-8"));
	assert_true(request_is_json("application/json ;x"));
	assert_false(request_is_json("application/jsonx"));
	assert_false(request_is_json("application/json-patch+json"));
	assert_false(request_is_json("text/plain"));
	assert_false(request_is_json(""));
}

static void test_origin(void **state)
{
	(void)state;
	assert_true(request_same_origin("https://a:8443", "a:8443"));
	assert_true(request_same_origin("http://A", "a"));
	assert_false(request_same_origin("https://a:8443", "a"));
	assert_false(request_same_origin("https://a.evil", "a"));
	assert_false(request_same_origin("null", "null"));
	assert_false(request_same_origin("", ""));
	assert_false(request_same_origin("https://a", NULL));
}

static int parse(const char *text, struct reason *why)
{
	json_t *o = NULL;
	int err = request_body(text, strlen(text), &o, why);

	assert_true(!err == (o != NULL));
	json_decref(o);
	return err;
}

static void test_body(void **state)
{
	struct reason why;
	char deep[64] = "{\"a\":";

	(void)state;
	assert_int_equal(parse("{}", &why), 0);
	assert_int_equal(parse(" {\"a\":[1,{\"b\":null}]} ", &why), 0);
	assert_int_equal(parse("", &why), EINVAL);
	assert_int_equal(parse("[]", &why), EINVAL);
	assert_non_null(strstr(why.text, "object"));
	assert_int_equal(parse("{\"a\":1,\"a\":2}", &why), EINVAL);
	assert_non_null(strstr(why.text, "duplicate"));
	assert_int_equal(parse("{\n\"a\": tru}", &why), EINVAL);
	assert_non_null(strstr(why.text, "line 2"));
	/* Brackets in strings are no depth. */
	assert_int_equal(
		parse("{\"a\":\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[[\"}", &why), 0);
	strcat(deep, "[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}");
	assert_int_equal(parse(deep, &why), 0);
	strcpy(deep, "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}");
	assert_int_equal(parse(deep, &why), EINVAL);
	assert_non_null(strstr(why.text, "nested"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unescape),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_media_type),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
