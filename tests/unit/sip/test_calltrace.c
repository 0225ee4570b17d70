/* What is kept of calls, what goes when there are too many, and the capture
 * file made of it, which is taken apart again byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/wire.h"
#include "controller/sip/calltrace.h"
#include "controller/sip/pcap.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct calltrace *t;
static int64_t now;

static int setup(void **state)
{
	(void)state;
	now = 1000000;
	return calltrace_alloc(&t);
}

static int teardown(void **state)
{
	(void)state;
	t = calltrace_free(t);
	return 0;
}

static struct sockaddr_storage at(const char *host, uint16_t port)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *four = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&ss;

	if (strchr(host, ':')) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, host, &six->sin6_addr), 1);
	} else {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, host, &four->sin_addr), 1);
	}
	return ss;
}

static void say(bool sent, const char *text, size_t size)
{
	const struct calltrace_message m = {
		.wall_us = now++,
		.sent = sent,
		.from = at("10.0.0.5", 5060),
		.to = at("10.0.0.1", 5060),
		.text = text,
		.size = size,
	};

	calltrace_take(t, &m);
}

/* first: "INVITE sip:x SIP/2.0" and so on */
static void message(bool sent, const char *first, const char *id,
		    const char *cseq, size_t body)
{
	static char buf[20000];
	size_t n = (size_t)snprintf(
		buf, sizeof(buf),
		"%s\r\nVia: x\r\nFrom: \"A\" <sip:a:pw@h>;tag=1\r\nt: <sip:7@h>"
		"\r\nCall-ID: %s\r\nCSeq: %s\r\n\r\n",
		first, id, cseq);

	memset(buf + n, 'b', body);
	say(sent, buf, n + body);
}

static void invite(const char *id)
{
	message(false, "INVITE sip:7@h SIP/2.0", id, "1 INVITE", 0);
}

static void answered(const char *id)
{
	invite(id);
	message(true, "SIP/2.0 200 OK", id, "1 INVITE", 0);
}

static unsigned count(enum calltrace_kind kind)
{
	struct calltrace_call c;
	unsigned n = 0;

	for (size_t i = 0; calltrace_see(t, i, &c); i++)
		n += c.kind == kind;
	return n;
}

static void test_call(void **state)
{
	struct calltrace_message m;
	struct calltrace_call c;

	(void)state;
	/* nobody calls: nothing is kept */
	message(false, "OPTIONS sip:7@h SIP/2.0", "o", "1 OPTIONS", 0);
	message(false, "BYE sip:7@h SIP/2.0", "b", "1 BYE", 0);
	assert_false(calltrace_see(t, 0, &c));

	invite("one");
	assert_true(calltrace_find(t, "one", &c));
	assert_int_equal(c.kind, CALLTRACE_REFUSED);
	assert_int_equal(c.status, 0);
	message(true, "SIP/2.0 100 Trying", "one", "1 INVITE", 0);
	message(true, "SIP/2.0 200 OK", "one", "1 INVITE", 0);
	message(false, "BYE sip:7@h SIP/2.0", "other", "1 BYE", 0);
	message(false, "BYE sip:7@h SIP/2.0", "one", "2 BYE", 0);
	message(true, "SIP/2.0 481 Gone", "one", "2 BYE", 0);
	assert_true(calltrace_find(t, "one", &c));
	assert_int_equal(c.kind, CALLTRACE_ANSWERED);
	assert_int_equal(c.status, 200);
	assert_int_equal(c.messages, 5);
	assert_int_equal(c.kept, 5);
	assert_string_equal(c.call_id, "one");
	assert_string_equal(c.from, "\"A\" <sip:a:**@h>;tag=1");
	assert_string_equal(c.to, "<sip:7@h>");
	assert_true(calltrace_message_at(t, c.number, 4, &m));
	assert_true(m.sent);
	assert_memory_equal(m.text, "SIP/2.0 481 Gone", 16);
	assert_false(calltrace_message_at(t, c.number, 5, &m));
	assert_false(calltrace_message_at(t, c.number + 1, 0, &m));

	/* by each of its names */
	calltrace_record(t, "one", 4711);
	calltrace_record(t, "nobody", 4712);
	assert_true(calltrace_find(t, "4711", &c));
	assert_true(calltrace_find(t, "t1", &c));
	assert_false(calltrace_find(t, "1", &c));
	assert_false(calltrace_find(t, "4712", &c));
	assert_false(calltrace_find(t, "t2", &c));
	assert_false(calltrace_find(t, "", &c));
	assert_false(calltrace_find(t, "0", &c));
}

static void test_made(void **state)
{
	struct calltrace_call c;

	(void)state;
	message(true, "INVITE sip:horn@h SIP/2.0", "out", "1 INVITE", 0);
	message(false, "SIP/2.0 486 Busy Here", "out", "1 INVITE", 0);
	assert_true(calltrace_find(t, "out", &c));
	assert_int_equal(c.kind, CALLTRACE_MADE);
	assert_int_equal(c.status, 486);
}

/* Who knocks does not push out who was let in. */
static void test_too_many(void **state)
{
	struct calltrace_call c;
	char id[32];

	(void)state;
	answered("good");
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "scan-%u", i);
		invite(id);
		message(true, "SIP/2.0 403 Forbidden", id, "1 INVITE", 0);
	}
	assert_int_equal(count(CALLTRACE_REFUSED), CALLTRACE_MAX_REFUSED);
	assert_true(calltrace_find(t, "good", &c));
	assert_true(calltrace_find(t, "scan-999", &c));
	assert_true(calltrace_find(t, "scan-950", &c));
	assert_false(calltrace_find(t, "scan-949", &c));

	for (unsigned i = 0; i < CALLTRACE_MAX_ANSWERED; i++) {
		/* one that still speaks stays */
		message(false, "INFO sip:7@h SIP/2.0", "good", "2 INFO", 0);
		snprintf(id, sizeof(id), "call-%u", i);
		answered(id);
	}
	assert_int_equal(count(CALLTRACE_ANSWERED), CALLTRACE_MAX_ANSWERED);
	assert_true(calltrace_find(t, "good", &c));
	assert_false(calltrace_find(t, "call-0", &c));
	assert_true(calltrace_find(t, "call-1", &c));
}

static size_t kept_bytes(enum calltrace_kind kind)
{
	struct calltrace_message m;
	struct calltrace_call c;
	size_t n = 0;

	for (size_t i = 0; calltrace_see(t, i, &c); i++)
		for (size_t k = 0;
		     c.kind == kind && calltrace_message_at(t, c.number, k, &m);
		     k++)
			n += m.kept;
	return n;
}

static void test_bytes(void **state)
{
	struct calltrace_call c;
	char id[32];

	(void)state;
	for (unsigned i = 0; i < CALLTRACE_MAX_REFUSED; i++) {
		snprintf(id, sizeof(id), "big-%u", i);
		for (unsigned k = 0; k < 60; k++)
			message(false, "INVITE sip:7@h SIP/2.0", id, "1 INVITE",
				9000);
	}
	assert_true(kept_bytes(CALLTRACE_REFUSED) <= CALLTRACE_BYTES_REFUSED);
	assert_true(count(CALLTRACE_REFUSED) < CALLTRACE_MAX_REFUSED);
	assert_true(calltrace_find(t, "big-49", &c));
	assert_int_equal(c.messages, 60);
	assert_int_equal(c.kept, CALLTRACE_FIRST + CALLTRACE_LAST);
}

/* The first of a call, and the last. */
static void test_long(void **state)
{
	struct calltrace_message m;
	struct calltrace_call c;
	char cseq[32];

	(void)state;
	answered("long");
	for (unsigned i = 2; i < 100; i++) {
		snprintf(cseq, sizeof(cseq), "%u INFO", i);
		message(false, "INFO sip:7@h SIP/2.0", "long", cseq, 0);
	}
	assert_true(calltrace_find(t, "long", &c));
	assert_int_equal(c.messages, 100);
	assert_int_equal(c.kept, 48);
	for (size_t i = 0; calltrace_message_at(t, c.number, i, &m); i++) {
		const unsigned n = (unsigned)(i < 16 ? i : i + 52);

		if (i < 2)
			continue;
		snprintf(cseq, sizeof(cseq), "CSeq: %u INFO\r\n", n);
		assert_non_null(memmem(m.text, m.kept, cseq, strlen(cseq)));
	}
}

/* ---------------------------------------------------------------- capture */

static uint32_t folded(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | (i + 1 < n ? p[i + 1] : 0));
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static size_t make(uint8_t *buf, const struct calltrace_message *m)
{
	size_t n = pcap_head(buf);

	n += pcap_message(buf + n, m, 7);
	memcpy(buf + n, m->text, m->kept);
	return n + m->kept;
}

static void check_head(struct wire *w)
{
	assert_int_equal(wire_u32(w), 0xa1b2c3d4);
	assert_int_equal(wire_u16(w), 2);
	assert_int_equal(wire_u16(w), 4);
	assert_int_equal(wire_u32(w), 0);
	assert_int_equal(wire_u32(w), 0);
	assert_true(wire_u32(w) >= CALLTRACE_MESSAGE + 48);
	assert_int_equal(wire_u32(w), 101);
}

static void test_pcap(void **state)
{
	static uint8_t buf[8192];
	static const char text[] = "ACK sip:7@h SIP/2.0\r\n\r\n";
	const struct calltrace_message m = {
		.wall_us = 1700000000123456,
		.from = at("10.0.0.5", 5062),
		.to = at("10.0.0.1", 5061),
		.transport = CALLTRACE_TLS,
		.text = text,
		.size = sizeof(text) - 1,
		.kept = sizeof(text) - 1,
	};
	struct wire w = wire_reader(buf, make(buf, &m));
	const uint8_t *ip, *udp;

	(void)state;
	check_head(&w);
	assert_int_equal(wire_u32(&w), 1700000000);
	assert_int_equal(wire_u32(&w), 123456);
	assert_int_equal(wire_u32(&w), 28 + m.size);
	assert_int_equal(wire_u32(&w), 28 + m.size);
	assert_int_equal(wire_left(&w), 28 + m.size);
	ip = wire_take(&w, 20);
	assert_int_equal(ip[0], 0x45);
	assert_int_equal(ip[2] << 8 | ip[3], 28 + m.size);
	assert_int_equal(ip[9], 17);
	assert_int_equal(folded(0, ip, 20), 0xffff);
	assert_memory_equal(ip + 12, "\x0a\0\0\x05\x0a\0\0\x01", 8);
	udp = wire_take(&w, 8);
	assert_int_equal(udp[0] << 8 | udp[1], 5062);
	assert_int_equal(udp[2] << 8 | udp[3], 5061);
	assert_int_equal(udp[4] << 8 | udp[5], 8 + m.size);
	assert_int_equal(folded(folded(17 + 8 + (uint32_t)m.size, ip + 12, 8),
				udp, 8 + m.size),
			 0xffff);
	assert_memory_equal(wire_take(&w, m.size), text, m.size);
	assert_true(wire_ok(&w) && !wire_left(&w));
}

static void test_pcap_six(void **state)
{
	static uint8_t buf[8192];
	const struct calltrace_message m = {
		.from = at("fd00::5", 5060),
		.to = at("fd00::1", 5060),
		.text = "odd",
		.size = 3,
		.kept = 3,
	};
	struct wire w = wire_reader(buf, make(buf, &m));
	const uint8_t *ip, *udp;

	(void)state;
	check_head(&w);
	(void)wire_take(&w, 16);
	ip = wire_take(&w, 40);
	assert_int_equal(ip[0], 0x60);
	assert_int_equal(ip[4] << 8 | ip[5], 11);
	assert_int_equal(ip[6], 17);
	assert_int_equal(ip[8], 0xfd);
	assert_int_equal(ip[23], 5);
	assert_int_equal(ip[39], 1);
	udp = wire_take(&w, 8);
	assert_int_equal(folded(folded(17 + 11, ip + 8, 32), udp, 11), 0xffff);
	assert_memory_equal(wire_take(&w, 3), "odd", 3);
	assert_true(wire_ok(&w) && !wire_left(&w));
}

/* A message that was cut tells how long it was. */
static void test_pcap_cut(void **state)
{
	static uint8_t buf[8192];
	struct calltrace_message m;
	struct calltrace_call c;
	struct wire w;
	size_t size;

	(void)state;
	message(false, "INVITE sip:7@h SIP/2.0", "cut", "1 INVITE", 15000);
	assert_true(calltrace_find(t, "cut", &c));
	assert_true(calltrace_message_at(t, c.number, 0, &m));
	assert_int_equal(m.kept, CALLTRACE_MESSAGE);
	size = m.size;
	assert_true(size > 15000);
	w = wire_reader(buf, make(buf, &m));
	check_head(&w);
	(void)wire_take(&w, 8);
	assert_int_equal(wire_u32(&w), 28 + CALLTRACE_MESSAGE);
	assert_int_equal(wire_u32(&w), 28 + size);
	assert_int_equal(wire_left(&w), 28 + CALLTRACE_MESSAGE);
	/* a place that nobody knows */
	m.from.ss_family = AF_UNSPEC;
	w = wire_reader(buf, make(buf, &m));
	(void)wire_take(&w, 24 + 16 + 12);
	assert_int_equal(wire_u32(&w), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_call, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
		cmocka_unit_test(test_pcap),
		cmocka_unit_test(test_pcap_six),
		cmocka_unit_test_setup_teardown(test_pcap_cut, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
