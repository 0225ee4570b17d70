/* No redirect is followed by itself (LIBRE.md B7), and the guards prove
 * themselves. */
#include "peer.h"

static int closed;
static uint16_t closed_status;

static void close_handler(int err, const struct sip_msg *msg, void *arg)
{
	(void)arg;
	closed = err;
	closed_status = msg ? msg->scode : 0;
}

static int answer_handler(const struct sip_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return 0;
}

static bool swallow(const struct sip_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return true;
}

/* libre calls somebody, who says: call the stranger. */
static void redirect(const char *status, int want_err, bool held)
{
	static struct peer friend, stranger;
	struct guard_counters before, after;
	struct sip *sip;
	struct sip_lsnr *last;
	struct sipsess_sock *sock;
	struct sipsess *sess;
	struct sa laddr;
	struct sockaddr_in to = addr_of(STACK_HOST, 5075);
	char uri[64], out[4096];

	peer_open(&friend, FRIEND, false);
	peer_open(&stranger, STRANGER, false);
	assert_int_equal(connect(friend.fd, (struct sockaddr *)&to, sizeof(to)),
			 0);
	assert_int_equal(
		connect(stranger.fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(sa_set_str(&laddr, STACK_HOST, 5075), 0);
	assert_int_equal(sip_alloc(&sip, NULL, 8, 8, 8, NULL, NULL, NULL), 0);
	assert_int_equal(sip_transp_add(sip, SIP_TRANSP_UDP, &laddr), 0);
	assert_int_equal(sipsess_listen(&sock, sip, 8, NULL, NULL), 0);
	assert_int_equal(sip_listen(&last, sip, false, swallow, NULL), 0);

	closed = -1;
	guard_counters(&before);
	snprintf(uri, sizeof(uri), "sip:201@" FRIEND ":%u", friend.port);
	assert_int_equal(sipsess_connect(&sess, sock, uri, NULL, "sip:me@here",
					 "me", NULL, 0, "application/sdp", NULL,
					 NULL, NULL, false, NULL,
					 answer_handler, NULL, NULL, NULL, NULL,
					 close_handler, NULL, NULL),
			 0);
	expect(&friend, "INVITE ");
	snprintf(out, sizeof(out),
		 "SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=t\r\n"
		 "Call-ID: %s\r\nCSeq: %s\r\n"
		 "Contact: <sip:evil@" STRANGER ":%u>\r\n"
		 "Content-Length: 0\r\n\r\n",
		 status, peer_header(&friend, "Via"),
		 peer_header(&friend, "From"), peer_header(&friend, "To"),
		 peer_header(&friend, "Call-ID"), peer_header(&friend, "CSeq"),
		 stranger.port);
	peer_send(&friend, out);
	expect(&friend, "ACK ");
	wait_until(closed != -1);
	assert_int_equal(closed, want_err);
	assert_int_equal(closed_status, strtoul(status, NULL, 10));
	turn();
	assert_false(peer_next(&stranger));
	guard_counters(&after);
	assert_int_equal(after.redirects_held - before.redirects_held, held);

	mem_deref(sess);
	sipsess_close_all(sock);
	mem_deref(sock);
	mem_deref(last);
	sip_transp_flush(sip);
	sip_close(sip, true);
	mem_deref(sip);
	peer_close(&friend);
	peer_close(&stranger);
}

static void test_redirect(void **state)
{
	(void)state;
	redirect("302 Moved Temporarily", EACCES, true);
	redirect("301 Moved Permanently", EACCES, true);
	redirect("486 Busy Here", 0, false);
}

static void test_self_test(void **state)
{
	struct guard_counters before, after;
	struct reason why = {""};

	(void)state;
	guard_counters(&before);
	if (guard_self_test(&why))
		fail_msg("%s", why.text);
	guard_counters(&after);
	assert_int_equal(after.junk - before.junk, 1);
	assert_int_equal(after.bad - before.bad, 1);
	assert_true(after.passed > before.passed);
	if (TC_RE_VER < 20100)
		assert_int_equal(after.redirects_held - before.redirects_held,
				 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self_test),
		cmocka_unit_test(test_redirect),
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
