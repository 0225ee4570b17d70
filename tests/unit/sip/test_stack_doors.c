/* What comes in, what is answered and what vanishes, over real sockets. */
#include "controller/sip/guard_door.h"
#include "peer.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>

static struct world w;
static struct peer p, stranger;

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	world_open(&w);
	peer_open(&p, FRIEND, false);
	peer_open(&stranger, STRANGER, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&w);
	peer_close(&p);
	peer_close(&stranger);
	return 0;
}

static void test_options(void **state)
{
	(void)state;
	peer_request(&p, "OPTIONS", "", "", "");
	expect(&p, "SIP/2.0 200 OK");
	assert_string_equal(peer_header(&p, "Allow"),
			    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, "
			    "SUBSCRIBE");
	assert_string_equal(peer_header(&p, "Allow-Events"), "dialog");
	assert_string_equal(peer_header(&p, "Accept"), "application/sdp");
}

static void test_refusals(void **state)
{
	static const struct {
		const char *method, *extra, *body, *status, *name, *value;
	} rows[] = {
		{"INVITE", "Require: 100rel\r\nRequire: foo\r\n", "",
		 "SIP/2.0 420 ", "Unsupported", "100rel, foo"},
		{"INVITE",
		 "Require: replaces\r\n"
		 "Replaces: a@b;to-tag=1;from-tag=2\r\n",
		 "", "SIP/2.0 420 ", "Unsupported", "replaces"},
		{"OPTIONS", "Require: foo\r\n", "", "SIP/2.0 420 ",
		 "Unsupported", "foo"},
		{"INVITE",
		 "Require: resource-priority\r\nResource-Priority: foo.1\r\n",
		 "", "SIP/2.0 417 ", "Accept-Resource-Priority", NULL},
		{"INVITE",
		 "Require: resource-priority, x\r\n"
		 "Resource-Priority: wps.0\r\n",
		 "", "SIP/2.0 420 ", "Unsupported", "x"},
		{"INVITE", "Content-Type: text/plain\r\n", "hello",
		 "SIP/2.0 415 ", "Accept", "application/sdp"},
		{"REGISTER", "", "", "SIP/2.0 405 ", "Allow", NULL},
		{"SUBSCRIBE", "Event: presence\r\n", "", "SIP/2.0 489 ",
		 "Allow-Events", "dialog"},
		{"MESSAGE", "Content-Type: text/plain\r\n", "hi",
		 "SIP/2.0 405 ", "Allow", NULL},
		{"PUBLISH", "", "", "SIP/2.0 405 ", "Allow", NULL},
		{"PRACK", "RAck: 1 1 INVITE\r\n", "", "SIP/2.0 405 ", "Allow",
		 NULL},
		{"REFER", "Refer-To: <sip:a@b>\r\n", "", "SIP/2.0 405 ",
		 "Allow", NULL},
		{"FROB", "", "", "SIP/2.0 501 ", "Allow", NULL},
		{"BYE", "", "", "SIP/2.0 481 ", NULL, NULL},
		{"INFO", "", "", "SIP/2.0 481 ", NULL, NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p.to_tag[0] = '\0';
		peer_request(&p, rows[i].method, "701", rows[i].extra,
			     rows[i].body);
		wait_until(peer_has(&p, "SIP/2.0 "));
		if (strncmp(p.msg, rows[i].status, 12))
			fail_msg("row %zu: %.60s", i, p.msg);
		if (rows[i].name)
			assert_true(peer_header(&p, rows[i].name)[0]);
		if (rows[i].value)
			assert_string_equal(peer_header(&p, rows[i].name),
					    rows[i].value);
		if (!strcmp(rows[i].method, "INVITE"))
			peer_request(&p, "ACK", "701", "", "");
	}
	assert_int_equal(w.pages, 0);
	assert_int_equal(w.refusals, 13);
}

/* A body beyond what libre reads by itself in a datagram (8 KiB). */
static void test_large_body(void **state)
{
	static char body[20001];

	(void)state;
	memset(body, 'x', sizeof(body) - 1);
	body[9000] = '\0';
	peer_request(&p, "INVITE", "701", "", body);
	expect(&p, "SIP/2.0 413 ");
	/* and beyond what is looked at at all: not SIP for us */
	body[9000] = 'x';
	peer_request(&p, "INVITE", "701", "", body);
	settle();
	assert_false(peer_next(&p));
}

/* B8: each mandatory header missing: 400 that names it. */
static void test_missing_headers(void **state)
{
	static const char *const lines[] = {
		"From: <sip:a@b>;tag=1\r\n", "To: <sip:a@b>\r\n",
		"Call-ID: m1\r\n", "CSeq: 1 INVITE\r\n"};
	static const char *const names[] = {"From", "To", "Call-ID", "CSeq"};
	char out[1024], status[64];
	int i, k, n;

	(void)state;
	for (i = 0; i < 4; i++) {
		n = snprintf(out, sizeof(out),
			     "INVITE sip:701@h SIP/2.0\r\n"
			     "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK-m%d\r\n"
			     "Contact: <sip:a@%s>\r\n",
			     p.host, p.port, i, p.host);
		for (k = 0; k < 4; k++)
			if (k != i)
				n += snprintf(out + n, sizeof(out) - (size_t)n,
					      "%s", lines[k]);
		snprintf(out + n, sizeof(out) - (size_t)n, "\r\n");
		peer_send(&p, out);
		snprintf(status, sizeof(status), "SIP/2.0 400 Missing %s ",
			 names[i]);
		expect(&p, status);
	}
	snprintf(out, sizeof(out),
		 "INVITE sip:701@h SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK-m9\r\n"
		 "%s%s%sCSeq: 1 BYE\r\n\r\n",
		 p.host, p.port, lines[0], lines[1], lines[2]);
	peer_send(&p, out);
	expect(&p, "SIP/2.0 400 CSeq ");
	/* an ACK is never answered, a request without Via cannot be */
	snprintf(out, sizeof(out),
		 "ACK sip:701@h SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK-m8\r\n"
		 "%s%sCSeq: 1 ACK\r\n\r\n",
		 p.host, p.port, lines[0], lines[1]);
	peer_send(&p, out);
	peer_send(&p, "OPTIONS sip:701@h SIP/2.0\r\nFrom: <sip:a@b>;tag=1\r\n"
		      "To: <sip:a@b>\r\nCall-ID: m1\r\nCSeq: 1 OPTIONS\r\n"
		      "\r\n");
	settle();
	assert_false(peer_next(&p));
	assert_int_equal(w.pages, 0);
}

/* Rule 8 of the design: unknown callers are never answered. */
static void test_stranger(void **state)
{
	static const uint8_t stun[] = {0,    1, 0, 0,  0x21, 0x12, 0xa4,
				       0x42, 1, 2, 3,  4,    5,    6,
				       7,    8, 9, 10, 11,   12};
	static struct peer tcp;
	struct stack_counters c;

	(void)state;
	peer_request(&stranger, "OPTIONS", "", "", "");
	peer_request(&stranger, "INVITE", "701", "", sdp(STRANGER, 7000, ""));
	peer_request(&stranger, "BYE", "701", "", "");
	peer_request(&stranger, "REGISTER", "701", "", "");
	peer_send(&stranger, "OPTIONS sip:701@h SIP/2.0\r\nVia: x\r\n\r\n");
	peer_send(&stranger, "SIP/2.0 200 OK\r\nVia: x\r\n\r\n");
	peer_send_bytes(&stranger, stun, sizeof(stun));
	peer_open(&tcp, STRANGER, true);
	peer_request(&tcp, "OPTIONS", "", "", "");
	wait_until(peer_closed(&tcp));
	peer_close(&tcp);
	settle();
	assert_false(peer_next(&stranger));
	assert_int_equal(w.pages, 0);
	/* told of, but a stranger cannot make a diary of itself */
	assert_int_equal(w.refused_status, 0);
	assert_int_equal(w.refusals, 5);
	stack_counters(w.stack, &c);
	assert_true(c.strangers >= 6);
	/* not even a friend gets an answer to STUN */
	peer_send_bytes(&p, stun, sizeof(stun));
	settle();
	assert_false(peer_next(&p));
}

/* A stranger cannot cancel or end a friend's call, knowing all its secrets. */
static void test_stranger_in_dialog(void **state)
{
	(void)state;
	peer_call(&p, "701");
	strcpy(stranger.call_id, p.call_id);
	strcpy(stranger.to_tag, p.to_tag);
	stranger.cseq = p.cseq;
	peer_request(&stranger, "BYE", "701", "", "");
	settle();
	assert_false(peer_next(&stranger));
	assert_int_equal(stack_calls(w.stack), 1);
}

/* ------------------------------------------------- what goes to stderr */

static int saved_stderr;
static FILE *caught;

static void catch_stderr(void)
{
	caught = tmpfile();
	assert_non_null(caught);
	fflush(stderr);
	saved_stderr = dup(2);
	assert_int_equal(dup2(fileno(caught), 2), 2);
}

static void release_stderr(char *buf, size_t size)
{
	size_t n;

	fflush(stderr);
	dup2(saved_stderr, 2);
	close(saved_stderr);
	rewind(caught);
	n = fread(buf, 1, size - 1, caught);
	buf[n] = '\0';
	fclose(caught);
}

static void send_hostile(struct peer *q, unsigned i)
{
	static char out[8000];
	static const char *const texts[] = {
		"hello world\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=1\r\n"
		"From: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n"
		"CSeq: 1 INVITE\r\n\r\n",
		"OPTIONS sip:a SIP/2.0\r\nVia: broken\r\nFrom: <<<\r\n"
		"To: x\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n",
		"OPTIONS : SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\n"
		"To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n",
		"SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP h;branch=2\r\n"
		"From: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n"
		"CSeq: 1 INVITE\r\nContact: <sip:x@y>\r\n\r\n",
		"ACK sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z\r\n"
		"From: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n"
		"CSeq: 1 ACK\r\n\r\n",
		"FROB sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9\r\n"
		"From: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n"
		"CSeq: 1 FROB\r\n\r\n",
		"\r\n\r\n",
		"\r\n\r\n\r\n\r\n",
	};
	const unsigned n = sizeof(texts) / sizeof(texts[0]);
	size_t k;

	if (i % (n + 3) < n) {
		peer_send(q, texts[i % (n + 3)]);
		return;
	}
	/* what costs libre half a second each (B2) */
	for (k = 0; k < sizeof(out); k++)
		out[k] = k % 2 ? ' ' : 'a';
	if (i % 2)
		memcpy(out, "OPTIONS ", 8);
	peer_send_bytes(q, out, sizeof(out));
}

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Hostile datagrams cost less than the same number of good ones, by friend
 * and stranger alike, and leave no line behind. */
static void test_flood(void **state)
{
	char text[512];
	double good, bad;
	unsigned i;

	(void)state;
	good = cpu();
	for (i = 0; i < 600; i++) {
		peer_request(&p, "OPTIONS", "", "", "");
		expect(&p, "SIP/2.0 200 ");
	}
	good = cpu() - good;

	catch_stderr();
	bad = cpu();
	for (i = 0; i < 600; i++) {
		send_hostile(i % 2 ? &p : &stranger, i / 2);
		if (i % 4 == 3) {
			peer_request(&p, "OPTIONS", "", "", "");
			expect(&p, "SIP/2.0 200 ");
		}
	}
	bad = cpu() - bad;
	release_stderr(text, sizeof(text));

	assert_string_equal(text, "");
	/* a quarter of them were good ones again */
	if (bad > 2 * good)
		fail_msg("600 good %.0f us, hostile %.0f us", good * 1e6,
			 bad * 1e6);
}

/* More than a friend may send is dropped, and made up for by waiting. */
static void test_rate(void **state)
{
	struct stack_counters c;
	unsigned sent = 0;

	(void)state;
	do {
		peer_request(&p, "OPTIONS", "", "", "");
		if (++sent % 50 == 0)
			turn();
		stack_counters(w.stack, &c);
	} while (!c.limited && sent < 20000);
	assert_true(c.limited);
	assert_true(sent > 900);
	/* another friend is served meanwhile, this one again in a while */
	settle();
	wait_until((peer_request(&p, "OPTIONS", "again", "", ""), turn(),
		    peer_has(&p, "SIP/2.0 200 ") &&
			    strstr(peer_header(&p, "To"), "again")));
}

/* A broken friend is refused each time, but written down now and then. */
static void test_refusals_told(void **state)
{
	struct stack_counters c;
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		peer_request(&p, "REGISTER", "701", "", "");
		expect(&p, "SIP/2.0 405 ");
	}
	stack_counters(w.stack, &c);
	assert_int_equal(c.refused, 200);
	assert_in_range(w.refusals, 20, 100);
	assert_int_equal(w.refused_status, 405);
}

/* -------------------------------------------------------------- streams */

static void test_stream_in_pieces(void **state)
{
	static const char text[] = "OPTIONS sip:a@h SIP/2.0\r\n"
				   "Via: SIP/2.0/TCP h;branch=z9hG4bK-s1\r\n"
				   "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
				   "Call-ID: s1\r\nCSeq: 1 OPTIONS\r\n"
				   "Content-Length: 3\r\n\r\nabc";
	static struct peer tcp;
	size_t i;

	(void)state;
	peer_open(&tcp, FRIEND, true);
	for (i = 0; i < strlen(text); i++) {
		peer_send_bytes(&tcp, text + i, 1);
		if (i % 7 == 0)
			turn();
	}
	expect(&tcp, "SIP/2.0 200 ");
	/* keepalive (RFC 5626 3.5.1), then two at once and a bit of a third */
	peer_send(&tcp, "\r\n\r\n");
	tcp.cseq = 1;
	peer_request(&tcp, "OPTIONS", "", "", "");
	peer_request(&tcp, "OPTIONS", "", "", "");
	peer_send(&tcp, "OPTI");
	expect(&tcp, "SIP/2.0 200 ");
	expect(&tcp, "SIP/2.0 200 ");
	assert_false(peer_closed(&tcp));
	peer_close(&tcp);
}

static void closes_after(const char *head, const char *unit, size_t n)
{
	static struct peer tcp;
	size_t i;

	peer_open(&tcp, FRIEND, true);
	peer_send(&tcp, head);
	for (i = 0; i < n; i++)
		peer_send(&tcp, unit);
	wait_until(peer_closed(&tcp));
	peer_close(&tcp);
}

static void test_stream_junk(void **state)
{
	char text[512];
	double t = cpu();

	(void)state;
	catch_stderr();
	closes_after("hello world\r\n\r\n", "", 0);
	closes_after("\x16\x03\x01", "x", 100);
	closes_after("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", 0);
	closes_after("OPTIONS ", "a ", 16000);
	closes_after("OPTIONS sip:a SIP/2.0\r\n", "X: 0123456789\r\n", 5000);
	closes_after("OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n"
		     "From: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n"
		     "CSeq: 1 OPTIONS\r\nContent-Length: 99999\r\n\r\n",
		     "x", 10);
	/* without Content-Length a stream has no messages (RFC 3261 18.3) */
	closes_after("OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n"
		     "From: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n"
		     "CSeq: 1 OPTIONS\r\n\r\n",
		     "", 0);
	release_stderr(text, sizeof(text));
	assert_string_equal(text, "");
	settle();
	t = cpu() - t;
	/* libre alone takes 7 s for the fourth */
	assert_true(t < 3);
}

static void test_stream_bad_request(void **state)
{
	static struct peer tcp;

	(void)state;
	peer_open(&tcp, FRIEND, true);
	peer_send(&tcp, "OPTIONS sip:a@h SIP/2.0\r\n"
			"Via: SIP/2.0/TCP h;branch=z9hG4bK-b1\r\n"
			"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
			"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
	expect(&tcp, "SIP/2.0 400 Missing Call-ID ");
	assert_false(peer_closed(&tcp));
	peer_close(&tcp);
}

static void test_too_many_streams(void **state)
{
	static struct peer tcp[DOOR_MAX_PER_SOURCE + 1];
	int i;

	(void)state;
	for (i = 0; i < DOOR_MAX_PER_SOURCE; i++) {
		peer_open(&tcp[i], FRIEND, true);
		peer_request(&tcp[i], "OPTIONS", "", "", "");
		expect(&tcp[i], "SIP/2.0 200 ");
	}
	peer_open(&tcp[i], FRIEND, true);
	wait_until(peer_closed(&tcp[i]));
	peer_close(&tcp[i]);
	/* one goes, one may come */
	peer_close(&tcp[0]);
	settle();
	peer_open(&tcp[0], FRIEND, true);
	peer_request(&tcp[0], "OPTIONS", "", "", "");
	expect(&tcp[0], "SIP/2.0 200 ");
	for (i = 0; i < DOOR_MAX_PER_SOURCE; i++)
		peer_close(&tcp[i]);
}

/* ------------------------------------------------------- configuration */

static void refused_config(const struct config *c, int err, const char *word)
{
	struct reason why = {""};
	struct stack *s = NULL;

	assert_int_equal(stack_alloc(&s, c, &world_handlers, &w, &why), err);
	assert_null(s);
	if (!strstr(why.text, word))
		fail_msg("\"%s\" has no \"%s\"", why.text, word);
}

static void test_cannot_listen(void **state)
{
	struct config_listen l;
	struct config c = w.config;

	(void)state;
	c.sip.listen = &l;
	c.sip.n_listen = 1;
	world_listen(&l, TRANSPORT_UDP, STACK_HOST, STACK_PORT);
	refused_config(&c, EADDRINUSE, "udp:" STACK_HOST ":5070 is in use");
	world_listen(&l, TRANSPORT_TCP, STACK_HOST, STACK_PORT);
	refused_config(&c, EADDRINUSE, "tcp:" STACK_HOST ":5070 is in use");
	world_listen(&l, TRANSPORT_UDP, "192.0.2.1", STACK_PORT);
	refused_config(&c, EADDRNOTAVAIL, "no address 192.0.2.1");
	world_listen(&l, TRANSPORT_UDP, "0.0.0.0", STACK_PORT);
	refused_config(&c, EINVAL, "give each address");
	world_listen(&l, TRANSPORT_UDP, "pbx.example", STACK_PORT);
	refused_config(&c, EINVAL, "numeric");
	world_listen(&l, TRANSPORT_TLS, STACK_HOST, 5071);
	c.sip.tls_cert = (char[]){"/nonexistent/sip.pem"};
	refused_config(&c, EINVAL, "tls-cert");
}

static bool answers(const char *host, uint16_t port)
{
	struct sockaddr_in to = addr_of(host, port);
	static struct peer q;
	bool yes;

	peer_open(&q, FRIEND2, false);
	assert_int_equal(connect(q.fd, (struct sockaddr *)&to, sizeof(to)), 0);
	peer_request(&q, "OPTIONS", "", "", "");
	settle(); /* by the first listener */
	yes = peer_has(&q, "SIP/2.0 200 ");
	peer_close(&q);
	return yes;
}

static void test_reconfigure(void **state)
{
	struct config_listen l[3];
	struct config c = w.config;
	struct reason why = {""};

	(void)state;
	peer_call(&p, "701");
	settle();
	c.sip.listen = l;
	c.sip.n_listen = 3;
	l[0] = w.listen[0];
	l[1] = w.listen[1];

	/* a bad one changes nothing */
	world_listen(&l[2], TRANSPORT_UDP, "192.0.2.1", 5072);
	l[0].port = 5073;
	assert_int_equal(stack_reconfigure(w.stack, &c, &why), EADDRNOTAVAIL);
	assert_true(answers(STACK_HOST, STACK_PORT));
	assert_false(answers(STACK_HOST, 5073));
	assert_int_equal(stack_calls(w.stack), 1);

	/* one more; the call stays */
	l[0] = w.listen[0];
	world_listen(&l[2], TRANSPORT_UDP, "127.0.10.4", 5072);
	assert_int_equal(stack_reconfigure(w.stack, &c, &why), 0);
	assert_true(answers("127.0.10.4", 5072));
	assert_int_equal(stack_calls(w.stack), 1);
	assert_int_equal(w.closes, 0);

	/* without TCP: opened anew, calls there end */
	l[1] = l[2];
	c.sip.n_listen = 2;
	assert_int_equal(stack_reconfigure(w.stack, &c, &why), 0);
	assert_int_equal(w.closes, 1);
	assert_string_equal(w.why, "listener closed");
	expect(&p, "BYE ");
	assert_true(answers(STACK_HOST, STACK_PORT));
	assert_true(answers("127.0.10.4", 5072));

	/* peers count from the next request on */
	c.n_peers = 0;
	peer_request(&p, "OPTIONS", "", "", "");
	turn();
	assert_false(peer_has(&p, "SIP/2.0 200 "));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_options),
		T(test_refusals),
		T(test_large_body),
		T(test_missing_headers),
		T(test_stranger),
		T(test_stranger_in_dialog),
		T(test_flood),
		T(test_rate),
		T(test_refusals_told),
		T(test_stream_in_pieces),
		T(test_stream_junk),
		T(test_stream_bad_request),
		T(test_too_many_streams),
		T(test_cannot_listen),
		T(test_reconfigure),
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
