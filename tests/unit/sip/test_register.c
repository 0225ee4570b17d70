/* What a REGISTER does to contacts, and who guesses passwords. */
#include "controller/sip/ban.h"
#include "controller/sip/register.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct register_limits limits = {.min_s = 30, .max_s = 60};
static struct bindings b;
static struct register_verdict v;

static struct register_request rq_of(const char *call, uint32_t cseq,
				     uint64_t now)
{
	struct register_request rq = {.cseq = cseq, .now_ms = now};

	snprintf(rq.call_id, sizeof(rq.call_id), "%s", call);
	return rq;
}

static void add(struct register_request *rq, const char *uri, int expires)
{
	struct register_contact *c = &rq->v[rq->n++];

	snprintf(c->uri, sizeof(c->uri), "%s", uri);
	snprintf(c->reach, sizeof(c->reach), "%s", uri);
	c->has_expires = expires >= 0;
	c->expires = (uint32_t)expires;
}

/* Decides and takes it over; the status. */
static int ask(const struct register_request *rq)
{
	register_decide(&b, rq, &limits, &v);
	if (v.status == 200)
		b = v.after;
	return v.status;
}

static int one(const char *call, uint32_t cseq, const char *uri, int expires,
	       uint64_t now)
{
	struct register_request rq = rq_of(call, cseq, now);

	add(&rq, uri, expires);
	return ask(&rq);
}

static int setup(void **state)
{
	(void)state;
	memset(&b, 0, sizeof(b));
	return 0;
}

static void test_bind(void **state)
{
	(void)state;
	assert_int_equal(one("a", 1, "sip:1", -1, 1000), 200);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.v[0].until_ms, 61000);
	/* renewed in place, for less, and never for more than the longest */
	assert_int_equal(one("a", 2, "sip:1", 40, 2000), 200);
	assert_int_equal(b.v[0].until_ms, 42000);
	assert_int_equal(one("a", 3, "sip:1", 7200, 3000), 200);
	assert_int_equal(b.v[0].until_ms, 63000);
	assert_int_equal(b.n, 1);
	assert_int_equal(one("a", 4, "sip:1", 29, 3000), 423);
	/* a look changes nothing */
	{
		const struct register_request rq = rq_of("q", 1, 4000);

		assert_int_equal(ask(&rq), 200);
		assert_int_equal(b.n, 1);
	}
	assert_int_equal(one("a", 5, "sip:1", 0, 5000), 200);
	assert_int_equal(b.n, 0);
	/* to take off what is not there is no error */
	assert_int_equal(one("a", 6, "sip:1", 0, 5000), 200);
}

static void test_order(void **state)
{
	struct register_request rq;

	(void)state;
	assert_int_equal(one("a", 5, "sip:1", -1, 0), 200);
	assert_int_equal(one("a", 5, "sip:1", -1, 0), 500);
	assert_int_equal(one("a", 4, "sip:1", 0, 0), 500);
	assert_int_equal(b.n, 1);
	/* a device that was restarted has another call */
	assert_int_equal(one("b", 1, "sip:1", -1, 0), 200);
	/* all or nothing: the second is out of order, the first stays out */
	rq = rq_of("b", 1, 0);
	add(&rq, "sip:2", -1);
	add(&rq, "sip:1", -1);
	assert_int_equal(ask(&rq), 500);
	assert_int_equal(b.n, 1);
	/* and so with one that is too brief */
	rq = rq_of("b", 2, 0);
	add(&rq, "sip:1", 0);
	add(&rq, "sip:2", 5);
	assert_int_equal(ask(&rq), 423);
	assert_int_equal(b.n, 1);
}

static void test_star(void **state)
{
	struct register_request rq = rq_of("a", 9, 0);

	(void)state;
	assert_int_equal(one("a", 1, "sip:1", -1, 0), 200);
	assert_int_equal(one("b", 10, "sip:2", -1, 0), 200);
	rq.star = true;
	assert_int_equal(ask(&rq), 400);
	rq.has_expires = true;
	rq.expires = 1;
	assert_int_equal(ask(&rq), 400);
	rq.expires = 0;
	add(&rq, "sip:1", 0);
	assert_int_equal(ask(&rq), 400);
	rq.n = 0;
	snprintf(rq.call_id, sizeof(rq.call_id), "b");
	assert_int_equal(ask(&rq), 500);
	assert_int_equal(b.n, 2);
	rq.cseq = 11;
	assert_int_equal(ask(&rq), 200);
	assert_int_equal(b.n, 0);
}

static void test_many_and_expiry(void **state)
{
	char uri[16];

	(void)state;
	for (int i = 0; i < REGISTER_CONTACTS; i++) {
		snprintf(uri, sizeof(uri), "sip:%d", i);
		assert_int_equal(one("a", 1, uri, i == 2 ? 30 : 60, 0), 200);
	}
	/* the one that would go first makes room */
	assert_int_equal(one("a", 1, "sip:new", -1, 0), 200);
	assert_int_equal(b.n, REGISTER_CONTACTS);
	for (size_t i = 0; i < b.n; i++)
		assert_string_not_equal(b.v[i].uri, "sip:2");
	assert_false(register_expire(&b, 59999));
	assert_true(register_expire(&b, 60000));
	assert_int_equal(b.n, 0);
}

static void test_bans(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	struct sockaddr_in6 s = {.sin6_family = AF_INET6}, t = s, u = s;
	const struct sockaddr *sa = (const struct sockaddr *)&a;
	uint64_t now = 10000000, want = BAN_FIRST_MS;
	struct ban *ban;

	(void)state;
	inet_pton(AF_INET, "10.0.0.1", &a.sin_addr);
	assert_int_equal(ban_alloc(&ban, 7, BAN_TRIES), 0);
	for (int round = 0; round < 9; round++) {
		for (int i = 1; i < BAN_TRIES; i++)
			assert_int_equal(ban_wrong(ban, sa, NULL, now), 0);
		assert_false(ban_holds(ban, sa, NULL, now));
		assert_int_equal(ban_wrong(ban, sa, NULL, now), want);
		assert_true(ban_holds(ban, sa, NULL, now + want - 1));
		now += want;
		assert_false(ban_holds(ban, sa, NULL, now));
		want = want * 2 > BAN_LONGEST_MS ? BAN_LONGEST_MS : want * 2;
	}
	/* slow ones are no guessers, and all is forgotten in the end */
	now += BAN_FORGET_MS + 1;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ban_wrong(ban, sa, NULL, now), 0);
		now += BAN_WINDOW_MS / 3;
	}
	now += BAN_FORGET_MS + 1;
	for (int i = 1; i < BAN_TRIES; i++)
		assert_int_equal(ban_wrong(ban, sa, NULL, now), 0);
	assert_int_equal(ban_wrong(ban, sa, NULL, now), BAN_FIRST_MS);
	/* IPv6: the network */
	inet_pton(AF_INET6, "2001:db8:0:1::1", &s.sin6_addr);
	inet_pton(AF_INET6, "2001:db8:0:1::2", &t.sin6_addr);
	inet_pton(AF_INET6, "2001:db8:0:2::1", &u.sin6_addr);
	for (int i = 0; i < BAN_TRIES; i++)
		ban_wrong(ban, (const struct sockaddr *)&s, NULL, now);
	assert_true(ban_holds(ban, (const struct sockaddr *)&t, NULL, now));
	assert_false(ban_holds(ban, (const struct sockaddr *)&u, NULL, now));
	ban_free(ban);
}

/* A flood of addresses does not push out who is banned. */
static void test_ban_flood(void **state)
{
	struct sockaddr_in bad = {.sin_family = AF_INET}, a = bad;
	struct ban *ban;

	(void)state;
	inet_pton(AF_INET, "10.0.0.1", &bad.sin_addr);
	assert_int_equal(ban_alloc(&ban, 7, BAN_TRIES), 0);
	for (int i = 0; i < BAN_TRIES; i++)
		ban_wrong(ban, (const struct sockaddr *)&bad, NULL, 1000);
	for (uint32_t i = 0; i < 100000; i++) {
		a.sin_addr.s_addr = htonl(0x0b000000 + i);
		ban_wrong(ban, (const struct sockaddr *)&a, NULL, 2000);
	}
	assert_true(ban_holds(ban, (const struct sockaddr *)&bad, NULL, 3000));
	ban_free(ban);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bind, setup),
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_star, setup),
		cmocka_unit_test_setup(test_many_and_expiry, setup),
		cmocka_unit_test(test_bans),
		cmocka_unit_test(test_ban_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
