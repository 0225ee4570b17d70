/* What a client may send, and what it gets for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web_util.h"

#include "controller/base/clock.h"

#include <sys/stat.h>

#define J "Content-Type: application/json\r\n"

static void keep_alive(struct env *e)
{
	int s = dial_unix(e);
	struct reply r;

	for (int i = 0; i < 200; i++) {
		ask(s, &r, "POST", "/api/v1/echo/x%20y?q=a%26b", "",
		    "{\"active\":true}");
		CHECK(r.status == 200 && !r.closes);
		CHECK(has(&r, "path", "/echo/x y") && has(&r, "q", "a&b"));
		CHECK(has(&r, "method", "POST") && has(&r, "from", "unix"));
		CHECK(strstr(r.body, getuid() ? "\"actor\":\"unix:"
					      : "\"actor\":\"unix:root\""));
		CHECK(strstr(r.body, "\"body\":{\"active\":true}"));
	}
	CHECK(strstr(r.head, "Cache-Control: no-store\r\n"));
	CHECK(strstr(r.head, "X-Content-Type-Options: nosniff\r\n"));
	CHECK(strstr(r.head, "Content-Security-Policy: default-src 'none'"));
	CHECK(strstr(r.head, "Content-Type: application/json\r\n"));
	ask(s, &r, "GET", "/api/v1/later", "", NULL);
	CHECK(r.status == 200 && has(&r, "path", "/later"));
	close(s);
}

static void test_keep_alive(void **state)
{
	(void)state;
	serve(false, keep_alive);
}

static void pipelined(struct env *e)
{
	static const char one[] = "GET /api/v1/a HTTP/1.1\r\nHost: h\r\n\r\n";
	char many[sizeof(one) * 20] = "";
	int s = dial_unix(e);
	struct reply r;

	for (int i = 0; i < 20; i++)
		strcat(many, one);
	CHECK(say(s, many));
	for (int i = 0; i < 20; i++) {
		hear(s, &r, false);
		CHECK(r.status == 200 && has(&r, "path", "/a"));
	}
	close(s);
}

static void test_pipelined(void **state)
{
	(void)state;
	serve(false, pipelined);
}

static void bytewise(struct env *e)
{
	static const char text[] = "POST /api/v1/x HTTP/1.1\r\nHost: h\r\n" J
				   "Content-Length: 7\r\n\r\n{\"a\":1}";
	int s = dial_unix(e);
	struct reply r;

	for (const char *p = text; *p; p++)
		CHECK(say_n(s, p, 1));
	hear(s, &r, false);
	CHECK(r.status == 200 && strstr(r.body, "{\"a\":1}"));
	close(s);
}

static void test_byte_by_byte(void **state)
{
	(void)state;
	serve(false, bytewise);
}

static void routes(struct env *e)
{
	struct reply r;

	ask_once(e, &r, "GET", "/ui", "", NULL);
	CHECK(is_error(&r, 404, "not-found"));
	ask_once(e, &r, "GET", "/api/v2/status", "", NULL);
	CHECK(is_error(&r, 404, "not-found"));
	ask_once(e, &r, "GET", "/api/v1", "", NULL);
	CHECK(is_error(&r, 404, "not-found"));
	ask_once(e, &r, "GET", "/api/v1//zones///all/", "", NULL);
	CHECK(r.status == 200 && has(&r, "path", "/zones/all"));
	ask_once(e, &r, "GET", "/metrics", "", NULL);
	CHECK(r.status == 200 && !strcmp(r.body, "ok\n"));
	CHECK(strstr(r.head, "Content-Type: text/plain; charset=utf-8\r\n"));
	ask_once(e, &r, "GET", "/healthz", "", NULL);
	CHECK(r.status == 200);
	ask_once(e, &r, "GET", "/api/v1/refuse", "", NULL);
	CHECK(is_error(&r, 409, "outranked"));
	CHECK(strstr(r.body, "\"field\":\"zones\""));
	CHECK(strstr(r.body, "by \\\"??17\\\"")); /* what was no UTF-8 */
	ask_once(e, &r, "HEAD", "/api/v1/x", "", NULL);
	CHECK(r.status == 200 && !r.len);
	CHECK(!strstr(r.head, "Content-Length: 0"));
	ask_once(e, &r, "PATCH", "/api/v1/x", "", NULL);
	CHECK(is_error(&r, 405, "bad-method"));
	CHECK(strstr(r.head, "Allow: GET, HEAD, POST, PUT, DELETE\r\n"));
	ask_once(e, &r, "FROB", "/api/v1/x", "", NULL);
	CHECK(is_error(&r, 501, "bad-method"));
}

static void test_routes(void **state)
{
	(void)state;
	serve(false, routes);
}

static void bad_paths(struct env *e)
{
	static const char *const bad[] = {
		"/api/v1/../../etc/passwd",
		"/api/v1/%2e%2e/x",
		"/api/v1/a/..",
		"/api/v1/./a",
		"/api/v1/all%00x",
		"/api/v1/%zz",
		"/api/v1/100%",
		"/api/v1/a%0ab",
		"/api/v1/%ff",
		"/api/v1/%c0%af",
		"relative",
	};
	char path[400] = "/api/v1/";
	struct reply r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_once(e, &r, "GET", bad[i], "", NULL);
		CHECK(is_error(&r, 400, "bad-path"));
	}
	memset(path + 8, 'a', 300);
	ask_once(e, &r, "GET", path, "", NULL);
	CHECK(is_error(&r, 400, "bad-path"));
	ask_once(e, &r, "GET", "/api/v1/x?q=%00", "", NULL);
	CHECK(is_error(&r, 400, "bad-query"));
	ask_once(e, &r, "GET", "/api/v1/x?a&b&c&d&e&f&g&h&i", "", NULL);
	CHECK(is_error(&r, 400, "bad-query"));
	ask_once(e, &r, "GET", "/api/v1/x?q=%C3%A4+1", "", NULL);
	CHECK(r.status == 200 && has(&r, "q", "\xc3\xa4 1"));
	CHECK(e->handled == 1);
}

static void test_bad_paths(void **state)
{
	(void)state;
	serve(false, bad_paths);
}

static void bodies(struct env *e)
{
	static const char *const bad[] = {
		"{",
		"[]",
		"1",
		"{\"a\":1,\"a\":2}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":1}x",
		"\xff\xfe",
		"{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}",
	};
	struct reply r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_once(e, &r, "POST", "/api/v1/x", "", bad[i]);
		CHECK(is_error(&r, 400, "not-json"));
	}
	CHECK(strstr(r.body, "nested deeper"));
	ask_once(e, &r, "POST", "/api/v1/x", "", "{\n \"a\": }");
	CHECK(strstr(r.body, "line 2, column 7"));
	ask_once(e, &r, "POST", "/api/v1/x", "Content-Type: text/plain\r\n",
		 "{}");
	CHECK(is_error(&r, 415, "not-json"));
	ask_once(e, &r, "POST", "/api/v1/x",
		 "Content-Type: application/jsonx\r\n", "{}");
	CHECK(is_error(&r, 415, "not-json"));
	CHECK(!e->handled);
	ask_once(e, &r, "POST", "/api/v1/x",
		 "Content-Type: application/json; charset=utf-8\r\n", "{}");
	CHECK(r.status == 200);
	ask_once(e, &r, "POST", "/api/v1/x", "", NULL);
	CHECK(r.status == 200);
	ask_once(e, &r, "POST", "/api/v1/x", "Expect: 100-continue\r\n", NULL);
	CHECK(r.status == 200 || r.status == 100);
}

static void test_bodies(void **state)
{
	(void)state;
	serve(false, bodies);
}

/** Sends a body of n blanks and a {} in chunks of 1000. */
static void chunked(const struct env *e, size_t n, struct reply *r, int *sp)
{
	char block[1000];
	int s = dial_unix(e);
	bool taken;

	memset(block, ' ', sizeof(block));
	CHECK(say(s, "POST /api/v1/x HTTP/1.1\r\nHost: h\r\n" J
		     "Transfer-Encoding: chunked\r\n\r\n"));
	taken = true;
	for (size_t i = 0; i < n && taken; i += 1000)
		taken = say(s, "3e8\r\n") && say_n(s, block, 1000) &&
			say(s, "\r\n");
	if (taken)
		say(s, "2\r\n{}\r\n0\r\n\r\n");
	hear(s, r, false);
	*sp = s;
}

static void big_bodies(struct env *e)
{
	char *big = calloc(1, 70001);
	struct reply r;
	int s;

	CHECK(big);
	memset(big, ' ', 70000);
	s = dial_unix(e);
	ask(s, &r, "POST", "/api/v1/x", "", big);
	CHECK(is_error(&r, 413, "too-large"));
	CHECK(closed(s));
	close(s);
	memcpy(big, "{}", 2);
	big[WEB_MAX_BODY] = '\0';
	ask_once(e, &r, "POST", "/api/v1/x", "", big);
	CHECK(r.status == 200);
	free(big);
	/* Whose length nobody says. */
	chunked(e, 60000, &r, &s);
	CHECK(r.status == 200);
	close(s);
	chunked(e, 80000, &r, &s);
	CHECK(is_error(&r, 413, "too-large") && closed(s));
	close(s);
	chunked(e, 4000000, &r, &s);
	CHECK(r.status == 0); /* no end in sight: cut off */
	close(s);
	CHECK(e->handled == 2);
}

static void test_big_bodies(void **state)
{
	(void)state;
	serve(false, big_bodies);
}

static void big_heads(struct env *e)
{
	char *head = calloc(1, 40000);
	struct reply r;

	CHECK(head);
	memcpy(head, "X-A: ", 5);
	memset(head + 5, 'a', 1000);
	strcat(head, "\r\n");
	ask_once(e, &r, "GET", "/api/v1/x", head, NULL);
	CHECK(r.status == 200);
	free(head);
	for (int i = 0; i < 2; i++) {
		char line[1024];
		int s = dial_unix(e);
		bool taken;

		memset(line, 'a', sizeof(line));
		taken = say(s, i ? "GET /api/v1/x" : "GET / HTTP/1.1\r\nX-A: ");
		for (int k = 0; k < 64 && taken; k++)
			taken = say_n(s, line, sizeof(line));
		hear(s, &r, false);
		CHECK(r.status == 0 || r.status == 431 || r.status == 414 ||
		      r.status == 413);
		CHECK(closed(s));
		close(s);
	}
	CHECK(e->handled == 1);
}

static void test_big_heads(void **state)
{
	(void)state;
	serve(false, big_heads);
}

static void foreign_pages(struct env *e)
{
	struct reply r;

	ask_once(e, &r, "POST", "/api/v1/x", "Origin: https://evil.example\r\n",
		 NULL);
	CHECK(is_error(&r, 403, "foreign-origin"));
	ask_once(e, &r, "POST", "/api/v1/x", "Origin: null\r\n", NULL);
	CHECK(is_error(&r, 403, "foreign-origin"));
	CHECK(!e->handled);
	ask_once(e, &r, "POST", "/api/v1/x", "Origin: http://h:1\r\n", NULL);
	CHECK(r.status == 200);
	ask_once(e, &r, "GET", "/api/v1/x", "Origin: https://evil.example\r\n",
		 NULL);
	CHECK(r.status == 200);
}

static void test_pages_of_other_sites_may_not_act(void **state)
{
	(void)state;
	serve(false, foreign_pages);
}

static void junk(struct env *e)
{
	static const char *const bad[] = {
		"\x16\x03\x01\x02",
		"GET\r\n\r\n",
		"\r\n\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"POST /api/v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: "
		"-1\r\n\r\n",
		"POST /api/v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: "
		"99999999999999999999999\r\n\r\n",
		"POST /api/v1/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
		"chunked\r\n\r\nzzz\r\n\r\n",
	};
	struct reply r;

	/* Some of it libmicrohttpd takes for the beginning of a request. */
	env_hurry(e, WEB_GUARD_MS, 100);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int s = dial_unix(e);

		CHECK(say(s, bad[i]));
		shutdown(s, SHUT_WR);
		CHECK(closed(s));
		close(s);
	}
	env_hurry(e, WEB_GUARD_MS, WEB_TRANSFER_MS);
	CHECK(!e->handled);
	ask_once(e, &r, "GET", "/api/v1/x", "", NULL);
	CHECK(r.status == 200);
}

static void test_junk(void **state)
{
	(void)state;
	serve(false, junk);
}

/* ------------------------------------------------------------ the socket */

static void test_socket_is_private(void **state)
{
	struct env e;
	struct reason why;
	struct stat st;

	(void)state;
	env_init(&e, false);
	assert_int_equal(env_start(&e, &why), 0);
	assert_int_equal(stat(e.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	env_end(&e);
}

static void test_socket_of_another_daemon(void **state)
{
	struct env e, f;
	struct reason why = {""};
	FILE *file;

	(void)state;
	env_init(&e, false);
	env_init(&f, false);
	assert_int_equal(env_start(&e, &why), 0);
	rmdir(f.dir);
	f.opt.socket = e.path;
	assert_int_equal(env_start(&f, &why), EADDRINUSE);
	assert_non_null(strstr(why.text, "another daemon"));
	assert_int_equal(access(e.path, F_OK), 0);
	/* Ours was removed and somebody else's stands there: it stays. */
	unlink(e.path);
	assert_int_equal(env_start(&f, &why), 0);
	e.web = web_free(e.web);
	assert_int_equal(access(e.path, F_OK), 0);
	f.web = web_free(f.web);
	assert_int_not_equal(access(e.path, F_OK), 0);
	/* A file is no socket. */
	file = fopen(e.path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(env_start(&e, &why), EEXIST);
	assert_int_equal(access(e.path, F_OK), 0);
	unlink(e.path);
	env_end(&e);
}

static void test_stale_socket_is_replaced(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct env e;
	struct reason why = {""};
	char parent[128];
	int s;

	(void)state;
	env_init(&e, false);
	snprintf(parent, sizeof(parent), "%s/s", e.dir);
	assert_int_equal(mkdir(parent, 0750), 0);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", e.path);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&un, sizeof(un)), 0);
	close(s); /* as after kill -9 */
	assert_int_equal(env_start(&e, &why), 0);
	env_end(&e);
}

static void test_refused_options(void **state)
{
	struct env e, f;
	struct reason why = {""};
	char longer[200];

	(void)state;
	env_init(&e, true);
	e.opt.host = "0.0.0.0";
	assert_int_equal(env_start(&e, &why), EINVAL);
	assert_non_null(strstr(why.text, "tls-cert"));
	e.opt.host = "localhost";
	assert_int_equal(env_start(&e, &why), EINVAL);
	assert_non_null(strstr(why.text, "literal"));
	e.opt.host = "127.0.0.1";
	e.opt.tls_cert = "/nowhere.pem";
	assert_int_equal(env_start(&e, &why), EINVAL);
	assert_non_null(strstr(why.text, "/nowhere.pem"));
	e.opt.tls_cert = NULL;
	memset(longer, 'a', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	e.opt.socket = longer;
	assert_int_equal(env_start(&e, &why), ENAMETOOLONG);
	e.opt.socket = e.path;
	assert_int_equal(env_start(&e, &why), 0);
	/* A port that is taken. */
	env_init(&f, false);
	f.opt.host = "127.0.0.1";
	f.opt.port = e.port;
	assert_int_equal(env_start(&f, &why), EADDRINUSE);
	assert_non_null(strstr(why.text, "cannot listen"));
	env_end(&f);
	env_end(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_big_bodies),
		cmocka_unit_test(test_big_heads),
		cmocka_unit_test(test_pages_of_other_sites_may_not_act),
		cmocka_unit_test(test_junk),
		cmocka_unit_test(test_socket_is_private),
		cmocka_unit_test(test_socket_of_another_daemon),
		cmocka_unit_test(test_stale_socket_is_replaced),
		cmocka_unit_test(test_refused_options),
	};

	control_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
