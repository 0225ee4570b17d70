/*
 * Requests that wait: owners that answer late or never, clients that leave,
 * a controller that stalls, a server that stops. Nothing leaks (ASan), nobody
 * uses what is gone, nothing old fires.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web_util.h"

/** Sends a request and does not wait for its answer. */
static int send_one(int s, const char *path)
{
	char text[256];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n",
		 path);
	CHECK(say(s, text));
	return s;
}

static void late_answer(struct env *e)
{
	int s = dial_unix(e);
	struct reply r;

	send_one(s, "/api/v1/never");
	AWAIT(e->kept_now == 1);
	CHECK(silent(s));
	order(e, ORDER_ANSWER_KEPT, 0);
	hear(s, &r, false);
	CHECK(r.status == 200);
	ask(s, &r, "GET", "/api/v1/x", "", NULL);
	CHECK(r.status == 200);
	close(s);
}

static void test_late_answer(void **state)
{
	(void)state;
	serve(false, late_answer);
}

static void guarded(struct env *e)
{
	int s = dial_unix(e);
	struct reply r;

	env_hurry(e, 50, WEB_TRANSFER_MS);
	send_one(s, "/api/v1/never");
	hear(s, &r, false);
	CHECK(is_error(&r, 503, "timeout"));
	CHECK(strstr(r.body, "look whether"));
	/* The connection goes on, and its old answer goes nowhere. */
	env_hurry(e, WEB_GUARD_MS, WEB_TRANSFER_MS);
	order(e, ORDER_ANSWER_KEPT, 0);
	ask(s, &r, "GET", "/api/v1/after", "", NULL);
	CHECK(r.status == 200 && has(&r, "path", "/after"));
	CHECK(silent(s));
	/* The client is gone when the owner answers. */
	env_hurry(e, 50, WEB_TRANSFER_MS);
	send_one(s, "/api/v1/never");
	hear(s, &r, false);
	CHECK(is_error(&r, 503, "timeout"));
	close(s);
	AWAIT(!e->web->n_connections);
	env_hurry(e, WEB_GUARD_MS, WEB_TRANSFER_MS);
	order(e, ORDER_ANSWER_KEPT, 0);
	ask_once(e, &r, "GET", "/api/v1/x", "", NULL);
	CHECK(r.status == 200);
}

static void test_guard_answers_for_a_slow_owner(void **state)
{
	(void)state;
	serve(false, guarded);
}

static void stalled(struct env *e)
{
	int stall = dial_unix(e), s = dial_unix(e);
	unsigned handled;
	struct reply r;

	send_one(stall, "/api/v1/stall");
	sem_wait(&e->stalled);
	handled = e->handled;
	env_hurry(e, 50, WEB_TRANSFER_MS);
	ask(s, &r, "POST", "/api/v1/old", "", "{\"fire\":true}");
	CHECK(is_error(&r, 503, "timeout"));
	CHECK(strstr(r.body, "nothing was done"));
	env_hurry(e, WEB_GUARD_MS, WEB_TRANSFER_MS);
	hear(stall, &r, false);
	CHECK(is_error(&r, 503, "timeout"));
	sem_post(&e->stall);
	/* It goes on, and what was called failed is not done after all. */
	ask(s, &r, "GET", "/api/v1/new", "", NULL);
	CHECK(r.status == 200 && has(&r, "path", "/new"));
	CHECK(e->handled == handled + 1);
	close(s);
	close(stall);
}

static void test_nothing_old_fires_after_a_stall(void **state)
{
	(void)state;
	serve(false, stalled);
}

static void bounded(struct env *e)
{
	int s[WEB_MAX_CONTROL + 2], more = 4, busy = 0;
	struct reply r;

	for (int i = 0; i < WEB_MAX_CONTROL; i++)
		s[i] = send_one(dial_unix(e), "/api/v1/never");
	AWAIT(e->kept_now == WEB_MAX_CONTROL);
	for (int i = 0; i < more; i++) {
		ask_once(e, &r, "GET", "/api/v1/x", "", NULL);
		busy += is_error(&r, 503, "busy");
	}
	CHECK(busy == more);
	/* Events and the journal are not in that queue. */
	ask_once(e, &r, "GET", "/api/v1/journal", "", NULL);
	CHECK(r.status == 200);
	order(e, ORDER_ANSWER_KEPT, 0);
	for (int i = 0; i < WEB_MAX_CONTROL; i++) {
		hear(s[i], &r, false);
		CHECK(r.status == 200);
		close(s[i]);
	}
	ask_once(e, &r, "GET", "/api/v1/x", "", NULL);
	CHECK(r.status == 200);
}

static void test_the_queue_is_bounded(void **state)
{
	(void)state;
	serve(false, bounded);
}

static void slow_disk(struct env *e)
{
	int s, many[WEB_MAX_BLOCKING];
	struct reply r;

	ask_once(e, &r, "GET", "/api/v1/journal?q=1", "", NULL);
	CHECK(r.status == 200 && has(&r, "q", "1"));
	CHECK(!e->handled); /* not the control thread's */
	e->slow_disk = true;
	s = send_one(dial_unix(e), "/api/v1/journal");
	sem_wait(&e->at_disk);
	for (int i = 0; i < WEB_MAX_BLOCKING - 1; i++)
		many[i] = send_one(dial_unix(e), "/api/v1/journal");
	/* Others do not wait for it. */
	ask_once(e, &r, "GET", "/api/v1/x", "", NULL);
	CHECK(r.status == 200);
	AWAIT(({
		ask_once(e, &r, "GET", "/api/v1/journal", "", NULL);
		r.status == 503;
	}));
	/* A client that leaves is no trouble. */
	close(many[0]);
	for (int i = 0; i < WEB_MAX_BLOCKING; i++)
		sem_post(&e->disk);
	hear(s, &r, false);
	CHECK(r.status == 200);
	close(s);
	for (int i = 1; i < WEB_MAX_BLOCKING - 1; i++) {
		hear(many[i], &r, false);
		CHECK(r.status == 200);
		close(many[i]);
	}
}

static void test_a_slow_disk_delays_its_own_only(void **state)
{
	(void)state;
	serve(false, slow_disk);
}

static void guarded_disk(struct env *e)
{
	int s = dial_unix(e);
	struct reply r;

	e->slow_disk = true;
	env_hurry(e, 50, WEB_TRANSFER_MS);
	send_one(s, "/api/v1/journal?q=1");
	hear(s, &r, false);
	CHECK(is_error(&r, 503, "timeout"));
	close(s);
	AWAIT(!e->web->n_connections);
	/* Only now is it answered; its query is still there to be read. */
	env_hurry(e, WEB_GUARD_MS, WEB_TRANSFER_MS);
	e->slow_disk = false;
	sem_post(&e->disk);
	ask_once(e, &r, "GET", "/api/v1/journal", "", NULL);
	CHECK(r.status == 200);
}

static void test_guard_answers_for_a_slow_disk(void **state)
{
	(void)state;
	serve(false, guarded_disk);
}

static void leaving(struct env *e)
{
	struct reply r;

	for (int i = 0; i < 50; i++) {
		int s = dial_unix(e);

		if (i % 5 == 0)
			CHECK(say(s, "POST /api/v1/x HTTP/1.1\r\nHost: h\r\n"
				     "Content-Length: 50\r\n\r\n{"));
		else if (i % 5 == 1)
			CHECK(say(s, "GET /api/v1/x HT"));
		else if (i % 5 == 2)
			send_one(s, "/api/v1/never");
		else if (i % 5 == 3)
			send_one(s, "/api/v1/x");
		else
			send_one(s, "/api/v1/events");
		close(s);
	}
	AWAIT(({
		order(e, ORDER_PUBLISH, 1);
		order(e, ORDER_ANSWER_KEPT, 0);
		!e->web->n_connections;
	}));
	ask_once(e, &r, "GET", "/api/v1/x", "", NULL);
	CHECK(r.status == 200);
}

static void test_clients_that_leave(void **state)
{
	(void)state;
	serve(false, leaving);
}

static void stopping(struct env *e)
{
	int s[20];

	for (int i = 0; i < 20; i++)
		s[i] = send_one(dial_unix(e), i % 4 == 0   ? "/api/v1/never"
					      : i % 4 == 1 ? "/api/v1/events"
					      : i % 4 == 2 ? "/api/v1/journal"
							   : "/api/v1/x");
	CHECK(say(s[3], "GET /api"));
	AWAIT(e->kept_now == 5);
	order(e, ORDER_FREE, 0);
	for (int i = 0; i < 20; i++) {
		CHECK(closed(s[i]));
		close(s[i]);
	}
}

static void test_stopping_with_all_kinds_waiting(void **state)
{
	(void)state;
	serve(false, stopping);
}

static void stopping_while_asked(struct env *e)
{
	int s[8];
	struct reply r;

	for (int i = 0; i < 8; i++)
		s[i] = dial_unix(e);
	/* One after the other until it is gone. */
	order(e, ORDER_FREE, 0);
	for (int k = 0; k < 200; k++)
		for (int i = 0; i < 8; i++)
			say(s[i], "GET /api/v1/x HTTP/1.1\r\nHost: h\r\n\r\n");
	for (int i = 0; i < 8; i++) {
		do
			hear(s[i], &r, false);
		while (r.status);
		close(s[i]);
	}
}

static void test_stopping_while_asked(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		serve(false, stopping_while_asked);
}

/* A message to the control thread is still in its pipe when web goes. */
static void test_stopping_with_a_message_on_its_way(void **state)
{
	struct env e;
	struct reason why;
	int s[3];

	(void)state;
	env_init(&e, false);
	assert_int_equal(env_start(&e, &why), 0);
	for (int i = 0; i < 3; i++)
		s[i] = send_one(dial_unix(&e), "/api/v1/x");
	AWAIT(({
		pthread_mutex_lock(&e.web->lock);
		size_t n = e.web->n_out[HOLD_CONTROL];

		pthread_mutex_unlock(&e.web->lock);
		n == 3;
	}));
	env_end(&e);
	assert_int_equal(e.handled, 0);
	for (int i = 0; i < 3; i++) {
		assert_true(closed(s[i]));
		close(s[i]);
	}
}

/* ------------------------------------------------------------- slow clients */

static void slowloris(struct env *e)
{
	static const char head[] = "GET /api/v1/x HTTP/1.1\r\nX: ";
	int slow[3];
	struct reply r;
	bool open;

	env_hurry(e, WEB_GUARD_MS, 2000);
	slow[0] = dial_unix(e); /* never ends its head */
	slow[1] = dial_unix(e); /* never ends its body */
	slow[2] = dial_unix(e); /* says nothing */
	CHECK(say(slow[0], head));
	CHECK(say(slow[1], "POST /api/v1/x HTTP/1.1\r\nHost: h\r\n"
			   "Content-Length: 60000\r\n\r\n"));
	do {
		/* A byte now and then is no sign of good will. */
		open = say(slow[0], "a");
		open |= say(slow[1], " ");
		ask_once(e, &r, "GET", "/api/v1/x", "", NULL);
		CHECK(r.status == 200);
		nap();
	} while (open);
	CHECK(closed(slow[2]));
	for (int i = 0; i < 3; i++)
		close(slow[i]);
}

static void test_slow_senders_are_cut_off(void **state)
{
	(void)state;
	serve(false, slowloris);
}

static void patient(struct env *e)
{
	struct web_counters n;
	struct reply r;
	int s, live;
	char c;

	/* Whoever waits for us is not slow. */
	env_hurry(e, WEB_GUARD_MS, 1000);
	s = dial_unix(e);
	live = dial_unix(e);
	send_one(live, "/api/v1/events");
	send_one(s, "/api/v1/never");
	AWAIT((web_counters(e->web, &n), e->kept_now == 1 && n.streams == 1));
	for (int i = 0; i < 800; i++)
		nap();
	order(e, ORDER_ANSWER_KEPT, 0);
	hear(s, &r, false);
	CHECK(r.status == 200);
	hear(live, &r, true);
	CHECK(r.status == 200);
	while (!silent(live))
		CHECK(recv(live, &c, 1, 0) == 1);
	close(s);
	close(live);
}

static void test_waiting_is_not_slow(void **state)
{
	(void)state;
	serve(false, patient);
}

static void many_addresses(struct env *e)
{
	int s[WEB_MAX_PER_ADDRESS + 8], open = 0;
	struct reply r;

	for (int i = 0; i < WEB_MAX_PER_ADDRESS + 8; i++) {
		s[i] = dial_tcp(e);
		say(s[i], "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
		hear(s[i], &r, false);
		open += r.status == 200;
	}
	CHECK(open == WEB_MAX_PER_ADDRESS);
	/* The Unix socket is not reached by that. */
	ask_once(e, &r, "GET", "/api/v1/x", "", NULL);
	CHECK(r.status == 200);
	for (int i = 0; i < WEB_MAX_PER_ADDRESS + 8; i++)
		close(s[i]);
	AWAIT(!e->web->n_connections);
	s[0] = dial_tcp(e);
	ask(s[0], &r, "GET", "/healthz", "", NULL);
	CHECK(r.status == 200);
	close(s[0]);
}

static void test_connections_per_address(void **state)
{
	(void)state;
	serve(true, many_addresses);
}

static void all_connections(struct env *e)
{
	static int s[WEB_MAX_CONNECTIONS];
	struct reply r;
	int last;

	for (int i = 0; i < WEB_MAX_CONNECTIONS; i++) {
		s[i] = dial_unix(e);
		ask(s[i], &r, "GET", "/api/v1/x", "", NULL);
		CHECK(r.status == 200);
	}
	/* One more is not served before another leaves. */
	last = dial_unix(e);
	say(last, "GET /api/v1/x HTTP/1.1\r\nHost: h\r\n\r\n");
	close(s[0]);
	hear(last, &r, false);
	CHECK(r.status == 200 || r.status == 0);
	close(last);
	CHECK(e->web->n_connections <= WEB_MAX_CONNECTIONS);
	for (int i = 1; i < WEB_MAX_CONNECTIONS; i++)
		close(s[i]);
	AWAIT(!e->web->n_connections);
	ask_once(e, &r, "GET", "/api/v1/x", "", NULL);
	CHECK(r.status == 200);
}

static void test_connections_in_all(void **state)
{
	(void)state;
	serve(false, all_connections);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_guard_answers_for_a_slow_owner),
		cmocka_unit_test(test_nothing_old_fires_after_a_stall),
		cmocka_unit_test(test_the_queue_is_bounded),
		cmocka_unit_test(test_a_slow_disk_delays_its_own_only),
		cmocka_unit_test(test_guard_answers_for_a_slow_disk),
		cmocka_unit_test(test_clients_that_leave),
		cmocka_unit_test(test_stopping_with_all_kinds_waiting),
		cmocka_unit_test(test_stopping_while_asked),
		cmocka_unit_test(test_stopping_with_a_message_on_its_way),
		cmocka_unit_test(test_slow_senders_are_cut_off),
		cmocka_unit_test(test_waiting_is_not_slow),
		cmocka_unit_test(test_connections_per_address),
		cmocka_unit_test(test_connections_in_all),
	};

	control_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
