/* Live events: order, filters, resuming, gaps, slow and leaving clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web_util.h"

/** A stream of live events, read line by line. */
struct tap {
	int s;
	FILE *f;
	char line[512];
};

static void tap_open(struct env *e, struct tap *t, const char *path,
		     const char *headers)
{
	char text[512];

	t->s = dial_unix(e);
	/* HTTP/1.0: no chunks between the lines. */
	snprintf(text, sizeof(text), "GET %s HTTP/1.0\r\n%s\r\n", path,
		 headers);
	CHECK(say(t->s, text));
	t->f = fdopen(t->s, "r");
	CHECK(t->f && fgets(t->line, sizeof(t->line), t->f));
	CHECK(strstr(t->line, " 200 "));
	do
		CHECK(fgets(t->line, sizeof(t->line), t->f));
	while (strcmp(t->line, "\r\n"));
}

static void tap_close(struct tap *t)
{
	fclose(t->f);
}

/** The next event's number; 0 for a gap. */
static uint64_t tap_next(struct tap *t, char type[32])
{
	uint64_t id = 0;

	type[0] = '\0';
	for (;;) {
		CHECK(fgets(t->line, sizeof(t->line), t->f));
		if (!strncmp(t->line, "id: ", 4))
			id = strtoull(t->line + 4, NULL, 10);
		else if (!strncmp(t->line, "event: ", 7))
			sscanf(t->line + 7, "%31s", type);
		else if (!strncmp(t->line, "data: ", 6))
			CHECK(strchr(t->line, '{') && strchr(t->line, '}'));
		else if (!strcmp(t->line, "\n") && *type)
			return id;
	}
}

static bool tap_gap(struct tap *t)
{
	char type[32];

	return tap_next(t, type) == 0 && !strcmp(type, "gap");
}

/** Reads the events of these numbers. */
static void tap_expect(struct tap *t, uint64_t from, uint64_t to)
{
	char type[32];

	for (uint64_t i = from; i <= to; i++) {
		CHECK(tap_next(t, type) == i);
		CHECK(!strcmp(type, i & 1 ? "alarm.a" : "zone.b"));
	}
}

/** Waits until so many streams are open. */
static void await_streams(const struct env *e, uint64_t n)
{
	struct web_counters c;

	AWAIT((web_counters(e->web, &c), c.streams == n));
}

static void live(struct env *e)
{
	struct tap a, b;
	char type[32];

	tap_open(e, &a, "/api/v1/events", "");
	tap_open(e, &b, "/api/v1/events?type=alarm.", "");
	await_streams(e, 2);
	publish_now(e, 4);
	tap_expect(&a, 1, 4);
	publish_now(e, 96);
	tap_expect(&a, 5, 100);
	for (uint64_t i = 1; i <= 99; i += 2)
		CHECK(tap_next(&b, type) == i && !strcmp(type, "alarm.a"));
	tap_close(&a);
	tap_close(&b);
	/* A stream whose client left ends with the next sign of life. */
	publish_now(e, 1);
	await_streams(e, 0);
}

static void test_live(void **state)
{
	(void)state;
	serve(false, live);
}

static void resume(struct env *e)
{
	struct tap t;

	publish_now(e, 10);
	tap_open(e, &t, "/api/v1/events", "Last-Event-ID: 7\r\n");
	tap_expect(&t, 8, 10);
	publish_now(e, 1);
	tap_expect(&t, 11, 11);
	tap_close(&t);
	tap_open(e, &t, "/api/v1/events?after=9", "");
	tap_expect(&t, 10, 11);
	tap_close(&t);
	/* The header is newer than the address a browser keeps. */
	tap_open(e, &t, "/api/v1/events?after=2", "Last-Event-ID: 10\r\n");
	tap_expect(&t, 11, 11);
	tap_close(&t);
	tap_open(e, &t, "/api/v1/events?after=0", "");
	tap_expect(&t, 1, 11);
	tap_close(&t);
	/* Nothing missed, nothing twice: what comes next is the next. */
	tap_open(e, &t, "/api/v1/events", "Last-Event-ID: 11\r\n");
	publish_now(e, 1);
	tap_expect(&t, 12, 12);
	tap_close(&t);
}

static void test_resume(void **state)
{
	(void)state;
	serve(false, resume);
}

static void gaps(struct env *e)
{
	struct tap t;
	uint64_t n = WEB_EVENT_MEMORY + 50;

	publish_now(e, n);
	tap_open(e, &t, "/api/v1/events", "Last-Event-ID: 7\r\n");
	CHECK(tap_gap(&t));
	tap_expect(&t, 51, n);
	tap_close(&t);
	/* The last one that was forgotten: nothing is missing. */
	tap_open(e, &t, "/api/v1/events", "Last-Event-ID: 50\r\n");
	tap_expect(&t, 51, n);
	tap_close(&t);
	/* A number of another life. */
	tap_open(e, &t, "/api/v1/events", "Last-Event-ID: 99999\r\n");
	publish_now(e, 1);
	CHECK(tap_gap(&t));
	tap_expect(&t, n + 1, n + 1);
	tap_close(&t);
}

static void test_gaps(void **state)
{
	(void)state;
	serve(false, gaps);
}

/* The numbers go on after a restart, but its ring is empty. */
static void after_restart(struct env *e)
{
	struct tap t, u;

	e->n_published = 500;
	tap_open(e, &t, "/api/v1/events", "Last-Event-ID: 498\r\n");
	tap_open(e, &u, "/api/v1/events", "Last-Event-ID: 500\r\n");
	publish_now(e, 2);
	CHECK(tap_gap(&t));
	tap_expect(&t, 501, 502);
	tap_expect(&u, 501, 502);
	tap_close(&t);
	tap_close(&u);
}

static void test_after_a_restart(void **state)
{
	(void)state;
	serve(false, after_restart);
}

static void slow(struct env *e)
{
	struct tap t, quick;
	char type[32];
	uint64_t id, last = 0;
	int gap = 0, small = 4096;

	tap_open(e, &quick, "/api/v1/events", "");
	tap_open(e, &t, "/api/v1/events", "");
	setsockopt(t.s, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	await_streams(e, 2);
	/* One reads, one does not: far more than socket and ring hold. */
	for (uint64_t i = 0; i < 40; i++) {
		publish_now(e, 500);
		tap_expect(&quick, 500 * i + 1, 500 * i + 500);
	}
	while (last < 20000) {
		id = tap_next(&t, type);
		if (!id)
			gap++;
		else
			CHECK(id == last + 1 || gap);
		CHECK(!id || id > last);
		last = id ? id : last;
	}
	CHECK(gap == 1);
	/* And is in step again. */
	publish_now(e, 1);
	CHECK(tap_next(&t, type) == 20001);
	tap_close(&quick);
	tap_close(&t);
}

static void test_slow_reader(void **state)
{
	(void)state;
	serve(false, slow);
}

static void refusals(struct env *e)
{
	static struct tap t[WEB_MAX_STREAMS];
	struct reply r;

	ask_once(e, &r, "GET", "/api/v1/events", "Last-Event-ID: x\r\n", NULL);
	CHECK(is_error(&r, 400, "bad-request"));
	ask_once(e, &r, "GET", "/api/v1/events?after=-1", "", NULL);
	CHECK(is_error(&r, 400, "bad-request"));
	ask_once(e, &r, "GET", "/api/v1/events?after=99999999999999999999", "",
		 NULL);
	CHECK(is_error(&r, 400, "bad-request"));
	for (int i = 0; i < WEB_MAX_STREAMS; i++)
		tap_open(e, &t[i], "/api/v1/events", "");
	await_streams(e, WEB_MAX_STREAMS);
	ask_once(e, &r, "GET", "/api/v1/events", "", NULL);
	CHECK(is_error(&r, 503, "busy"));
	publish_now(e, 1);
	for (int i = 0; i < WEB_MAX_STREAMS; i++) {
		tap_expect(&t[i], 1, 1);
		tap_close(&t[i]);
	}
}

static void test_refusals(void **state)
{
	(void)state;
	serve(false, refusals);
}

static void head_and_heartbeat(struct env *e)
{
	int s = dial_unix(e);
	struct tap t;
	struct reply r;

	ask(s, &r, "HEAD", "/api/v1/events", "", NULL);
	CHECK(r.status == 200);
	CHECK(strstr(r.head, "text/event-stream"));
	close(s);
	tap_open(e, &t, "/api/v1/events", "");
	CHECK(fgets(t.line, sizeof(t.line), t.f));
	CHECK(!strcmp(t.line, "retry: 1000\n"));
	CHECK(fgets(t.line, sizeof(t.line), t.f));
	/* As the timer does each 15 s. */
	streams_beat(e->web->streams);
	CHECK(fgets(t.line, sizeof(t.line), t.f));
	CHECK(!strcmp(t.line, ":\n"));
	tap_close(&t);
}

static void test_head_and_heartbeat(void **state)
{
	(void)state;
	serve(false, head_and_heartbeat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_after_a_restart),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_head_and_heartbeat),
	};

	control_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
