/* Files as bodies: what hostile ones meet, and that nothing is left of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web_util.h"

#include <dirent.h>
#include <sys/stat.h>

#define AUDIO "Content-Type: audio/wav\r\n"
#define PATH "/api/v1/messages/shift"

/** The control: says the size of the file and its first byte. */
static void on_upload(struct web_request *r, void *arg)
{
	struct stat st = {.st_size = -1};
	char first = '-';

	(void)arg;
	if (r->upload >= 0) {
		CHECK(!fstat(r->upload, &st));
		CHECK(pread(r->upload, &first, 1, 0) == 1);
		CHECK((uint64_t)st.st_size == r->upload_size);
		CHECK(!st.st_nlink);
	}
	web_set_etag(r, "1-abc");
	web_reply(r, 200,
		  json_pack("{s:s,s:I,s:s%,s:s*,s:s*}", "path", r->path, "size",
			    (json_int_t)st.st_size, "first", &first, (size_t)1,
			    "if_match", r->if_match, "if_none_match",
			    r->if_none_match));
}

static size_t files_in(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n - 2;
}

static void serve_uploads(void (*client)(struct env *e), const char *spool)
{
	struct reason why = {""};
	struct env e;

	env_init(&e, false);
	e.request = on_upload;
	e.opt.spool = spool ? spool : e.dir;
	assert_int_equal(env_start(&e, &why), 0);
	env_run(&e, client);
	env_end(&e);
}

static void put(const struct env *e, struct reply *r, const char *path,
		const char *headers, const char *body)
{
	ask_once(e, r, "PUT", path, headers, body);
}

static void good_ones(struct env *e)
{
	struct reply r;
	int s;

	put(e, &r, PATH, AUDIO "If-Match: \"7\"\r\n", "RIFF");
	CHECK(r.status == 200 && has(&r, "path", "/messages/shift"));
	CHECK(has(&r, "first", "R") && has(&r, "if_match", "\"7\""));
	CHECK(strstr(r.head, "ETag: \"1-abc\"\r\n"));
	put(e, &r, PATH,
	    "Content-Type: application/octet-stream\r\nIf-None-Match: *\r\n",
	    "x");
	CHECK(r.status == 200 && has(&r, "if_none_match", "*"));
	/* In chunks, of unknown length. */
	s = dial_unix(e);
	CHECK(say(s, "PUT " PATH " HTTP/1.1\r\nHost: h\r\n" AUDIO
		     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n"
		     "0\r\n\r\n"));
	hear(s, &r, false);
	CHECK(r.status == 200 && strstr(r.body, "\"size\":5"));
	/* The connection serves on. */
	ask(s, &r, "GET", "/api/v1/zones", "", NULL);
	CHECK(r.status == 200 && strstr(r.body, "\"size\":-1"));
	close(s);
	/* A header that is too long matches nothing. */
	put(e, &r, PATH,
	    AUDIO "If-Match: \"0123456789012345678901234567890123456789012345"
		  "678901234567890123456789012345678901234567890\"\r\n",
	    "x");
	CHECK(r.status == 200 && has(&r, "if_match", "too long"));
	AWAIT(files_in(e->dir) == 1);
}

static void test_good(void **state)
{
	(void)state;
	serve_uploads(good_ones, NULL);
}

static void bad_ones(struct env *e)
{
	struct reply r;
	int s;

	put(e, &r, PATH, AUDIO, "");
	CHECK(is_error(&r, 400, "empty"));
	put(e, &r, PATH, "Content-Type: application/json\r\n", "{}");
	CHECK(is_error(&r, 415, "not-audio"));
	put(e, &r, PATH, "Content-Type: multipart/form-data; boundary=x\r\n",
	    "--x--");
	CHECK(is_error(&r, 415, "not-audio"));
	s = dial_unix(e);
	CHECK(say(s, "PUT " PATH " HTTP/1.1\r\nHost: h\r\nContent-Length: 3"
		     "\r\n\r\nabc"));
	hear(s, &r, false);
	CHECK(is_error(&r, 415, "not-audio"));
	close(s);
	/* Out of the folder, and NUL. */
	put(e, &r, "/api/v1/messages/../../etc/passwd", AUDIO, "x");
	CHECK(is_error(&r, 400, "bad-path"));
	put(e, &r, "/api/v1/messages/%2e%2e", AUDIO, "x");
	CHECK(is_error(&r, 400, "bad-path"));
	put(e, &r, "/api/v1/messages/a%00b", AUDIO, "x");
	CHECK(is_error(&r, 400, "bad-path"));
	/* A body of sound is one of messages only. */
	put(e, &r, "/api/v1/broadcasts", AUDIO, "x");
	CHECK(is_error(&r, 415, "not-json"));
	/* Said to be huge: refused before it comes. */
	s = dial_unix(e);
	CHECK(say(s, "PUT " PATH " HTTP/1.1\r\nHost: h\r\n" AUDIO
		     "Content-Length: 33554433\r\n\r\n"));
	hear(s, &r, false);
	CHECK(is_error(&r, 413, "too-large"));
	close(s);
	s = dial_unix(e);
	CHECK(say(s, "PUT " PATH " HTTP/1.1\r\nHost: h\r\n" AUDIO
		     "Content-Length: 99999999999999999999999\r\n\r\n"));
	hear(s, &r, false);
	CHECK(!r.status || r.status == 400 || r.status == 413);
	close(s);
	CHECK(!e->handled);
	AWAIT(files_in(e->dir) == 1);
}

static void test_bad(void **state)
{
	(void)state;
	serve_uploads(bad_ones, NULL);
}

/** One that is huge and does not say so. */
static void endless(struct env *e)
{
	static char block[65536];
	struct reply r;
	size_t sent = 0;
	int s = dial_unix(e);

	CHECK(say(s, "PUT " PATH " HTTP/1.1\r\nHost: h\r\n" AUDIO
		     "Transfer-Encoding: chunked\r\n\r\n"));
	while (sent <= 40u << 20 && say(s, "10000\r\n") &&
	       say_n(s, block, sizeof(block)) && say(s, "\r\n"))
		sent += sizeof(block);
	/* Told, or cut off: the rest of it is not read for ever. */
	if (sent > 40u << 20)
		say(s, "0\r\n\r\n");
	hear(s, &r, false);
	CHECK(!r.status || is_error(&r, 413, "too-large"));
	close(s);
	CHECK(!e->handled);
}

static void test_endless(void **state)
{
	(void)state;
	serve_uploads(endless, NULL);
}

/** Ends of clients in the middle, and more at once than there may be. */
static void many(struct env *e)
{
	struct reply r;
	int s[WEB_MAX_UPLOADS];

	for (size_t i = 0; i < WEB_MAX_UPLOADS; i++) {
		s[i] = dial_unix(e);
		CHECK(say(s[i], "PUT " PATH " HTTP/1.1\r\nHost: h\r\n" AUDIO
				"Content-Length: 1000\r\n\r\nRIFF"));
	}
	AWAIT(e->web->n_uploads == WEB_MAX_UPLOADS);
	put(e, &r, PATH, AUDIO, "x");
	CHECK(is_error(&r, 503, "busy"));
	for (size_t i = 0; i < WEB_MAX_UPLOADS; i++)
		close(s[i]);
	AWAIT(!e->web->n_uploads);
	put(e, &r, PATH, AUDIO, "x");
	CHECK(r.status == 200);
	AWAIT(!e->web->n_uploads);
}

static void test_many(void **state)
{
	(void)state;
	serve_uploads(many, NULL);
}

static void no_place(struct env *e)
{
	struct reply r;

	put(e, &r, PATH, AUDIO, "x");
	CHECK(is_error(&r, 503, "no-space"));
	/* The answer is read before the request is put away. */
	AWAIT(!e->web->n_uploads);
}

static void test_no_place(void **state)
{
	(void)state;
	serve_uploads(no_place, "/dev/null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),     cmocka_unit_test(test_bad),
		cmocka_unit_test(test_endless),  cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_place),
	};

	control_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
