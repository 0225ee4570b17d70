/* Calls' traces as the running stack takes them, over sockets on loopback. */
#include "peer.h"

#include "controller/sip/calltrace.h"
#include "controller/sip/dial.h"

static struct world w;
static struct peer p;

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	world_open(&w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&w);
	peer_close(&p);
	return 0;
}

static struct calltrace_message said(uint64_t number, size_t i,
				     const char *start)
{
	struct calltrace_message m;

	assert_true(calltrace_message_at(stack_trace(w.stack), number, i, &m));
	assert_true(m.kept >= strlen(start));
	assert_memory_equal(m.text, start, strlen(start));
	return m;
}

static void check_end(const struct sockaddr_storage *ss, const char *host,
		      uint16_t port)
{
	const struct sockaddr_in *a = (const struct sockaddr_in *)ss;
	const struct sockaddr_in want = addr_of(host, port);

	assert_int_equal(a->sin_family, AF_INET);
	assert_int_equal(a->sin_addr.s_addr, want.sin_addr.s_addr);
	assert_int_equal(a->sin_port, want.sin_port);
}

static void answered(bool stream)
{
	const enum calltrace_transport tp =
		stream ? CALLTRACE_TCP : CALLTRACE_UDP;
	struct calltrace_message m;
	struct calltrace_call c;

	peer_open(&p, FRIEND, stream);
	peer_request(&p, "OPTIONS", "", "", "");
	expect(&p, "SIP/2.0 200 ");
	assert_false(calltrace_see(stack_trace(w.stack), 0, &c));

	peer_call(&p, "701");
	page_call_record(w.call, 99);
	peer_request(&p, "INFO", "701",
		     "Content-Type: application/dtmf-relay\r\n",
		     "Signal=7\r\n");
	peer_request(&p, "BYE", "701", "", "");
	wait_until(w.closes == 1);
	wait_until(calltrace_find(stack_trace(w.stack), "99", &c) &&
		   c.messages == 7);
	assert_string_equal(c.call_id, p.call_id);
	assert_int_equal(c.kind, CALLTRACE_ANSWERED);
	assert_int_equal(c.status, 200);

	m = said(c.number, 0, "INVITE sip:701@");
	assert_false(m.sent);
	assert_int_equal(m.transport, tp);
	check_end(&m.from, FRIEND, p.port);
	check_end(&m.to, STACK_HOST, STACK_PORT);
	assert_int_equal(m.kept, m.size);
	m = said(c.number, 1, "SIP/2.0 200 OK");
	assert_true(m.sent);
	assert_int_equal(m.transport, tp);
	check_end(&m.from, STACK_HOST, STACK_PORT);
	check_end(&m.to, FRIEND, p.port);
	(void)said(c.number, 2, "ACK ");
	m = said(c.number, 3, "INFO ");
	assert_non_null(memmem(m.text, m.kept, "Signal=*\r\n", 10));
	(void)said(c.number, 4, "SIP/2.0 200 OK");
	m = said(c.number, 5, "BYE ");
	assert_true(m.wall_us >= c.since_wall_us);
	(void)said(c.number, 6, "SIP/2.0 200 OK");
}

static void test_udp(void **state)
{
	(void)state;
	answered(false);
}

static void test_tcp(void **state)
{
	(void)state;
	answered(true);
}

/* Two messages in one piece of a stream are two. */
static void test_pipelined(void **state)
{
	static char out[4096];
	struct calltrace_message m;
	struct calltrace_call c;

	(void)state;
	peer_open(&p, FRIEND, true);
	peer_call(&p, "701");
	for (unsigned i = 0; i < 2; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out),
			 "INFO sip:701@h SIP/2.0\r\nVia: SIP/2.0/TCP "
			 "%s:%u;branch=z9hG4bK-i%u\r\nFrom: <sip:201@%s>;"
			 "tag=f1\r\nTo: <sip:701@h>;tag=%s\r\nCall-ID: %s\r\n"
			 "CSeq: %u INFO\r\nContent-Length: 0\r\n\r\n",
			 p.host, p.port, i, p.host, p.to_tag, p.call_id,
			 ++p.cseq);
	peer_send(&p, out);
	wait_until(calltrace_find(stack_trace(w.stack), p.call_id, &c) &&
		   c.messages >= 5);
	m = said(c.number, 3, "INFO ");
	assert_true(m.size < strlen(out) * 3 / 4);
	assert_memory_equal(m.text + m.size - 4, "\r\n\r\n", 4);
}

/* Who is refused finds out why: by the number of its record. */
static void test_refused(void **state)
{
	struct calltrace_call c;

	(void)state;
	w.answer.status = 403;
	w.answer.record = 12;
	peer_open(&p, FRIEND, false);
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 403 ");
	assert_true(calltrace_find(stack_trace(w.stack), "12", &c));
	assert_int_equal(c.kind, CALLTRACE_REFUSED);
	assert_int_equal(c.status, 403);
}

/* A call of ours. */
static void test_made(void **state)
{
	static const uint8_t codecs[] = {CODEC_PCMU};
	const struct dial_handlers h = {.media = NULL};
	struct dial_request rq = {
		.user = "tocsin",
		.display = "",
		.codecs = codecs,
		.n_codecs = 1,
	};
	struct calltrace_message m;
	struct calltrace_call c;
	struct reason why = {""};
	struct dial *d = NULL;
	char uri[64];

	(void)state;
	peer_open(&p, FRIEND, false);
	snprintf(uri, sizeof(uri), "sip:horn@%s:%u", p.host, p.port);
	rq.uri = uri;
	if (dial_start(&d, w.stack, &rq, &h, NULL, &why))
		fail_msg("%s", why.text);
	expect(&p, "INVITE ");
	peer_reply(&p, "486 Busy Here");
	wait_until(calltrace_find(stack_trace(w.stack), "t1", &c) &&
		   c.status == 486);
	assert_int_equal(c.kind, CALLTRACE_MADE);
	m = said(c.number, 0, "INVITE sip:horn@");
	assert_true(m.sent);
	check_end(&m.from, STACK_HOST, STACK_PORT);
	check_end(&m.to, FRIEND, p.port);
}

/* What a stranger sends is not kept. */
static void test_stranger(void **state)
{
	struct calltrace_call c;

	(void)state;
	peer_open(&p, STRANGER, false);
	peer_request(&p, "INVITE", "701", "", sdp(STRANGER, 7000, ""));
	settle();
	assert_false(calltrace_see(stack_trace(w.stack), 0, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_udp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pipelined, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stranger, setup, teardown),
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
