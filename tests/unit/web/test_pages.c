/* The console's files, for who is not logged in yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web_util.h"

static void served(struct env *e)
{
	static const char *const none[] = {
		"/ui",         "/ui/",           "/ui//app.js",
		"/ui/app.js/", "/ui/index.html", "/index.html",
		"/ui/APP.JS",  "/ui/web.c",      "//",
	};
	static const char *const bad[] = {"/ui/../web.c", "/ui/%2e%2e/web.c",
					  "/ui/app.js%00"};
	struct reply r;

	ask_once(e, &r, "GET", "/", "", NULL);
	CHECK(r.status == 200 && !strncmp(r.body, "<!doctype html>", 15));
	CHECK(strstr(r.head, "Content-Type: text/html; charset=utf-8\r\n"));
	CHECK(strstr(r.head, "Cache-Control: no-cache\r\n"));
	CHECK(strstr(r.head, "Content-Security-Policy: default-src 'none'; "));
	CHECK(strstr(r.head, "script-src 'self';"));
	CHECK(strstr(r.head, "frame-ancestors 'none'"));
	CHECK(!strstr(r.head, "unsafe"));
	CHECK(strstr(r.head, "X-Content-Type-Options: nosniff\r\n"));
	CHECK(!strstr(r.head, "Set-Cookie"));
	ask_once(e, &r, "GET", "/ui/app.js?v=1", "", NULL);
	CHECK(r.status == 200);
	CHECK(strstr(r.head, "Content-Type: text/javascript; charset=utf-8"));
	/* Whoever sends a password with it has nothing hashed. */
	ask_once(e, &r, "GET", "/ui/style.css", "Authorization: Basic YTpi\r\n",
		 NULL);
	CHECK(r.status == 200 && strstr(r.head, "Content-Type: text/css;"));
	ask_once(e, &r, "HEAD", "/ui/icon.svg", "", NULL);
	CHECK(r.status == 200 && !r.len);
	CHECK(strstr(r.head, "Content-Type: image/svg+xml\r\n"));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		ask_once(e, &r, "GET", none[i], "", NULL);
		CHECK(is_error(&r, 404, "not-found"));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_once(e, &r, "GET", bad[i], "", NULL);
		CHECK(is_error(&r, 400, "bad-path"));
	}
	ask_once(e, &r, "POST", "/", "", "{}");
	CHECK(is_error(&r, 405, "bad-method"));
	CHECK(strstr(r.head, "Allow: GET, HEAD\r\n"));
	/* Other answers may run nothing. */
	ask_once(e, &r, "GET", "/api/v1/x", "", NULL);
	CHECK(r.status == 200 && !strstr(r.head, "script-src"));
	CHECK(strstr(r.head, "Cache-Control: no-store\r\n"));
}

static void test_served(void **state)
{
	(void)state;
	serve(false, served);
}

/** Asks for the page with an If-None-Match. */
static void ask_tag(const struct env *e, struct reply *r, const char *tag)
{
	char headers[200];

	snprintf(headers, sizeof(headers), "If-None-Match: %s\r\n", tag);
	ask_once(e, r, "GET", "/", headers, NULL);
}

static void tagged(struct env *e)
{
	char tag[64] = "", many[160];
	struct reply r;
	const char *p;

	ask_once(e, &r, "GET", "/", "", NULL);
	p = strstr(r.head, "ETag: ");
	CHECK(p && sscanf(p, "ETag: %63s", tag) == 1 && strlen(tag) == 34);
	ask_tag(e, &r, tag);
	CHECK(r.status == 304 && !r.len && strstr(r.head, tag));
	snprintf(many, sizeof(many), "\"other\", W/%s", tag);
	ask_tag(e, &r, many);
	CHECK(r.status == 304);
	ask_tag(e, &r, "\"other\"");
	CHECK(r.status == 200 && r.len);
	/* Each file has its own. */
	ask_once(e, &r, "GET", "/ui/app.js", "", NULL);
	CHECK(r.status == 200 && !strstr(r.head, tag));
}

static void test_tagged(void **state)
{
	(void)state;
	serve(false, tagged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_served),
		cmocka_unit_test(test_tagged),
	};

	control_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
