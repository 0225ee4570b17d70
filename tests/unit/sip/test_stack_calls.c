/* Paging calls, from INVITE to BYE, over real sockets on loopback. */
#include "peer.h"

static struct world w;
static struct peer p;

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	world_open(&w);
	peer_open(&p, FRIEND, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&w);
	peer_close(&p);
	assert_int_equal(w.closes, w.answer.status == 200 ? w.pages : 0);
	return 0;
}

static uint16_t remote_port(void)
{
	return ntohs(((struct sockaddr_in *)&w.leg.remote)->sin_port);
}

static void test_answered(void **state)
{
	struct sockaddr_in rtp;
	socklen_t len = sizeof(rtp);
	char line[64];

	(void)state;
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 OK");
	peer_learn(&p);
	assert_string_equal(w.user, "701");
	assert_string_equal(w.caller, "sip:201@" FRIEND);
	assert_string_equal(w.display, "Guard");
	assert_string_equal(w.peer_name, "127.0.10.0/28");
	assert_string_equal(peer_header(&p, "Contact"),
			    "<sip:701@" STACK_HOST ":5070>");
	assert_string_equal(peer_header(&p, "Content-Type"), "application/sdp");
	assert_non_null(strstr(peer_header(&p, "Allow"), "BYE"));

	/* the leg is open before the ACK: the first word is heard */
	assert_int_equal(w.medias, 1);
	assert_int_equal(stack_calls(w.stack), 1);
	assert_true(w.leg.send && w.leg.recv);
	assert_int_equal(w.leg.fmt.codec, CODEC_PCMU);
	assert_int_equal(w.leg.event_pt, 101);
	assert_int_equal(w.leg.dscp, 46);
	assert_int_equal(remote_port(), 7000);
	assert_int_equal(getsockname(w.leg.fd, (struct sockaddr *)&rtp, &len),
			 0);
	assert_int_equal(ntohs(rtp.sin_port) % 2, 0);
	snprintf(line, sizeof(line), "m=audio %u RTP/AVP 0 101\r\n",
		 ntohs(rtp.sin_port));
	assert_non_null(strstr(p.msg, line));
	assert_non_null(strstr(p.msg, "c=IN IP4 " STACK_HOST "\r\n"));

	peer_request(&p, "ACK", "701", "", "");
	peer_request(&p, "BYE", "701", "", "");
	expect(&p, "SIP/2.0 200 OK");
	assert_int_equal(w.closes, 1);
	assert_string_equal(w.why, "caller hung up");
	assert_int_equal(stack_calls(w.stack), 0);
}

static void test_refused(void **state)
{
	(void)state;
	w.answer.status = 486;
	strcpy(w.answer.reason, "Outranked\r\nX-Evil: 1");
	strcpy(w.answer.header,
	       "Reason: preemption;cause=1;text=\"x\"\r\nX-Evil: 2");
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 486 Outranked\r\n");
	assert_string_equal(peer_header(&p, "Reason"),
			    "preemption;cause=1;text=\"x\"");
	assert_null(strstr(p.msg, "X-Evil"));
	peer_learn(&p);
	peer_request(&p, "ACK", "701", "", "");
	settle();
	assert_int_equal(w.medias, 0);
	assert_int_equal(w.refusals, 1);
	assert_int_equal(w.refused_status, 486);
	assert_int_equal(stack_calls(w.stack), 0);

	/* an owner that says nothing sensible is no answer for the caller */
	w.answer.status = 0;
	p.to_tag[0] = '\0';
	peer_request(&p, "INVITE", "702", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 500 ");
}

static void test_no_codec(void **state)
{
	(void)state;
	peer_request(&p, "INVITE", "701", "",
		     "v=0\r\no=- 1 1 IN IP4 " FRIEND "\r\ns=-\r\n"
		     "c=IN IP4 " FRIEND "\r\nt=0 0\r\n"
		     "m=audio 7000 RTP/AVP 18\r\n");
	expect(&p, "SIP/2.0 488 ");
	assert_non_null(
		strstr(peer_header(&p, "Warning"), "PCMA/8000 or L16/16000"));
	assert_int_equal(w.pages, 0);
}

/* A lost 200 is sent again; a repeated INVITE asks nobody twice. */
static void test_retransmission(void **state)
{
	static char first[sizeof(p.msg)];

	(void)state;
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 OK");
	strcpy(first, p.msg);
	p.cseq--;
	p.branch--;
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	settle();
	assert_int_equal(w.pages, 1);
	expect(&p, "SIP/2.0 200 OK"); /* T1 later */
	assert_string_equal(p.msg, first);
	peer_learn(&p);
	peer_request(&p, "ACK", "701", "", "");
	peer_request(&p, "BYE", "701", "", "");
	wait_until(w.closes == 1);
}

/* RFC 3261 18.3: bytes behind Content-Length are not part of the body, though
 * here they would spoil it. */
static void test_trailing_bytes(void **state)
{
	static char body[2048];

	(void)state;
	snprintf(body, sizeof(body), "%s", sdp(FRIEND, 7000, ""));
	peer_trail = "garbage\r\n";
	peer_request(&p, "INVITE", "701", "", body);
	peer_trail = "";
	expect(&p, "SIP/2.0 200 OK");
	assert_int_equal(w.medias, 1);
}

/* RFC 3261 8.2.2.2: the same request by another way. */
static void test_merged(void **state)
{
	(void)state;
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 OK");
	p.cseq--;
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 482 ");
	assert_int_equal(w.pages, 1);
}

static void test_ended_by_us(void **state)
{
	(void)state;
	peer_call(&p, "701");
	settle();
	page_call_end(w.call, "preempted",
		      "Reason: preemption;cause=1;text=\"Evacuate\"\r\nX: y");
	assert_int_equal(w.closes, 1);
	assert_string_equal(w.why, "preempted");
	expect(&p, "BYE sip:201@" FRIEND);
	assert_string_equal(peer_header(&p, "Reason"),
			    "preemption;cause=1;text=\"Evacuate\"");
	assert_null(strstr(p.msg, "\r\nX:"));
	assert_non_null(strstr(peer_header(&p, "From"), p.to_tag));
	peer_reply(&p, "200 OK");
	settle();
	assert_int_equal(stack_calls(w.stack), 0);
	assert_int_equal(w.closes, 1);
}

/* Ended before the ACK: no BYE until it came (RFC 3261 15). */
static void test_ended_in_media(void **state)
{
	(void)state;
	w.end_in_media = true;
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 OK");
	peer_learn(&p);
	assert_int_equal(w.closes, 1);
	assert_string_equal(w.why, "ended in media");
	settle();
	assert_false(peer_has(&p, "BYE "));
	peer_request(&p, "ACK", "701", "", "");
	expect(&p, "BYE ");
	assert_string_equal(peer_header(&p, "Reason"), "preemption;cause=1");
	peer_reply(&p, "200 OK");
	settle();
	assert_int_equal(w.closes, 1);
}

/* Both hang up at once. */
static void test_bye_glare(void **state)
{
	(void)state;
	peer_call(&p, "701");
	settle();
	page_call_end(w.call, "ours", NULL);
	peer_request(&p, "BYE", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
	settle();
	assert_int_equal(w.closes, 1);
	assert_string_equal(w.why, "ours");
}

static void reinvite(const char *body, const char *answer)
{
	peer_request(&p, "INVITE", "701", "", body);
	expect(&p, "SIP/2.0 200 ");
	if (answer)
		assert_non_null(strstr(p.msg, answer));
	peer_request(&p, "ACK", "701", "", "");
}

static void test_hold(void **state)
{
	(void)state;
	peer_call(&p, "701");
	/* music on hold must not go on the air */
	reinvite(sdp(FRIEND, 7000, "a=sendonly\r\n"), "a=recvonly\r\n");
	assert_int_equal(w.changes, 1);
	assert_true(w.held);
	assert_false(w.leg.send || w.leg.recv);
	reinvite(sdp(FRIEND, 7000, "a=sendrecv\r\n"), "a=sendrecv\r\n");
	assert_false(w.held);
	assert_true(w.leg.send && w.leg.recv);
	reinvite(sdp(FRIEND, 7000, "a=inactive\r\n"), "a=inactive\r\n");
	assert_true(w.held);
	reinvite(sdp("0.0.0.0", 7000, ""), NULL);
	assert_true(w.held);
	assert_false(w.leg.send || w.leg.recv);
	/* another address and codec */
	reinvite("v=0\r\no=- 1 2 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 " FRIEND2
		 "\r\nt=0 0\r\nm=audio 7100 RTP/AVP 8\r\n",
		 "RTP/AVP 8\r\n");
	assert_false(w.held);
	assert_int_equal(remote_port(), 7100);
	assert_int_equal(w.leg.fmt.codec, CODEC_PCMA);
	assert_int_equal(w.leg.event_pt, 0);
	assert_int_equal(w.changes, 5);
	/* what cannot be is refused, and nothing changes */
	peer_request(&p, "INVITE", "701", "",
		     "v=0\r\no=- 1 3 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 " FRIEND
		     "\r\nt=0 0\r\nm=audio 7000 RTP/AVP 18\r\n");
	expect(&p, "SIP/2.0 488 ");
	peer_request(&p, "ACK", "701", "", "");
	assert_int_equal(w.changes, 5);
	/* an offer is asked of us */
	peer_request(&p, "INVITE", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
	assert_non_null(strstr(p.msg, "RTP/AVP 111 9 0 8 96 101\r\n"));
	assert_int_equal(w.changes, 5);
	peer_request(&p, "ACK", "701", "", sdp(FRIEND, 7200, ""));
	wait_until(w.changes == 6);
	assert_int_equal(remote_port(), 7200);
	assert_int_equal(w.medias, 1);
	assert_int_equal(w.pages, 1);
	peer_request(&p, "BYE", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
}

/* A page announced one-way is no hold; it becomes none by being repeated. */
static void test_sendonly_caller(void **state)
{
	(void)state;
	peer_request(&p, "INVITE", "701", "",
		     sdp(FRIEND, 7000, "a=sendonly\r\n"));
	expect(&p, "SIP/2.0 200 OK");
	peer_learn(&p);
	assert_non_null(strstr(p.msg, "a=recvonly\r\n"));
	assert_true(w.leg.recv && !w.leg.send);
	peer_request(&p, "ACK", "701", "", "");
	reinvite(sdp(FRIEND, 7000, "a=sendonly\r\n"), "a=recvonly\r\n");
	assert_false(w.held);
	assert_true(w.leg.recv);
}

static void test_ended_in_changed(void **state)
{
	(void)state;
	peer_call(&p, "701");
	w.end_in_changed = true;
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7002, ""));
	expect(&p, "SIP/2.0 200 ");
	wait_until(w.closes == 1);
	assert_string_equal(w.why, "ended in changed");
	peer_request(&p, "ACK", "701", "", "");
	expect(&p, "BYE ");
	peer_reply(&p, "200 OK");
}

static void test_offer_in_200(void **state)
{
	(void)state;
	peer_request(&p, "INVITE", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
	peer_learn(&p);
	assert_non_null(strstr(p.msg, "RTP/AVP 111 9 0 8 96 101\r\n"));
	assert_int_equal(w.pages, 1);
	assert_int_equal(w.medias, 0);
	peer_request(&p, "ACK", "701", "", sdp(FRIEND, 7300, ""));
	wait_until(w.medias == 1);
	assert_int_equal(remote_port(), 7300);
	assert_true(w.leg.send && w.leg.recv);
	/* a repeated ACK opens nothing again */
	peer_request(&p, "ACK", "701", "", sdp(FRIEND, 7300, ""));
	settle();
	assert_int_equal(w.medias, 1);
	peer_request(&p, "BYE", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
}

static void test_no_answer_in_ack(void **state)
{
	(void)state;
	peer_request(&p, "INVITE", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
	peer_learn(&p);
	peer_request(&p, "ACK", "701", "", "");
	expect(&p, "BYE ");
	assert_int_equal(w.medias, 0);
	assert_int_equal(w.closes, 1);
	assert_string_equal(w.why, "no usable answer in the ACK");
	peer_reply(&p, "200 OK");
}

static void test_cancel(void **state)
{
	(void)state;
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	/* too late: it is answered in the same turn */
	peer_request(&p, "CANCEL", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
	peer_learn(&p);
	expect(&p, "SIP/2.0 200 ");
	assert_int_equal(w.closes, 0);
	peer_request(&p, "ACK", "701", "", "");
	peer_request(&p, "BYE", "701", "", "");
	wait_until(w.closes == 1);
	/* and one for nothing */
	p.branch += 9;
	p.to_tag[0] = '\0';
	peer_request(&p, "CANCEL", "701", "", "");
	expect(&p, "SIP/2.0 481 ");
}

static void test_in_dialog(void **state)
{
	(void)state;
	peer_call(&p, "701");
	peer_request(&p, "INFO", "701",
		     "Content-Type: application/dtmf-relay\r\n",
		     "Signal=5\r\nDuration=100\r\n");
	expect(&p, "SIP/2.0 200 ");
	assert_int_equal(w.key, '5');
	assert_non_null(strstr(p.msg, "\r\nContent-Length: 0\r\n\r\n"));
	peer_request(&p, "REFER", "701", "Refer-To: <sip:9@h>\r\n", "");
	expect(&p, "SIP/2.0 603 ");
	peer_request(&p, "UPDATE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 405 ");
	peer_request(&p, "OPTIONS", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
	assert_int_equal(w.closes, 0);
	assert_int_equal(w.changes, 0);
	/* somebody else's dialog */
	strcpy(p.to_tag, "0000000000000000");
	peer_request(&p, "BYE", "701", "", "");
	expect(&p, "SIP/2.0 481 ");
	assert_int_equal(stack_calls(w.stack), 1);
}

static void test_full(void **state)
{
	static struct peer q;

	(void)state;
	w.config.sip.max_calls = 1;
	peer_call(&p, "701");
	peer_open(&q, FRIEND2, false);
	peer_request(&q, "INVITE", "702", "", sdp(FRIEND2, 7000, ""));
	expect(&q, "SIP/2.0 503 ");
	assert_string_equal(peer_header(&q, "Retry-After"), "10");
	assert_int_equal(w.pages, 1);
	peer_close(&q);
}

static void test_ports_out(void **state)
{
	static struct peer q;

	(void)state;
	w.config.sip.rtp_max = w.config.sip.rtp_min + 1;
	peer_call(&p, "701");
	peer_open(&q, FRIEND2, false);
	peer_request(&q, "INVITE", "702", "", sdp(FRIEND2, 7000, ""));
	expect(&q, "SIP/2.0 503 ");
	assert_int_equal(w.troubles, 1);
	assert_non_null(strstr(w.trouble, "21000 to 21001"));
	/* free again: taken back */
	close(w.leg.fd);
	q.to_tag[0] = '\0';
	peer_call(&q, "702");
	assert_int_equal(w.troubles, 2);
	assert_string_equal(w.trouble, "sip-rtp-ports:");
	w.fds[0] = dup(w.fds[1]); /* closed above */
	peer_close(&q);
}

/* A TCP call without ";transport=tcp" in its Contact: BYE comes by TCP. */
static void test_tcp(void **state)
{
	static struct peer q;

	(void)state;
	peer_open(&q, FRIEND, true);
	peer_request(&q, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&q, "SIP/2.0 200 ");
	peer_learn(&q);
	assert_string_equal(peer_header(&q, "Contact"),
			    "<sip:701@" STACK_HOST ":5070;transport=tcp>");
	peer_request(&q, "ACK", "701", "", "");
	settle();
	page_call_end(w.call, "over", NULL);
	expect(&q, "BYE ");
	peer_reply(&q, "200 OK");
	settle();
	peer_close(&q);
}

/* A Contact that needs DNS: BYE goes where the INVITE came from. */
static void test_contact_by_name(void **state)
{
	char out[4096];

	(void)state;
	snprintf(out, sizeof(out),
		 "INVITE sip:701@" STACK_HOST " SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK-n1\r\n"
		 "From: <sip:201@x>;tag=f1\r\nTo: <sip:701@x>\r\n"
		 "Call-ID: %s\r\nCSeq: 1 INVITE\r\n"
		 "Contact: <sip:201@phone.example:%u>\r\n"
		 "Content-Type: application/sdp\r\n\r\n%s",
		 p.host, p.port, p.call_id, p.port, sdp(FRIEND, 7000, ""));
	peer_send(&p, out);
	expect(&p, "SIP/2.0 200 ");
	peer_learn(&p);
	p.cseq = 1;
	peer_request(&p, "ACK", "701", "", "");
	settle();
	page_call_end(w.call, "over", NULL);
	expect(&p, "BYE sip:201@" FRIEND ":");
}

/* What could not stand in the first line of our BYE. */
static void test_contact_of_no_uri(void **state)
{
	static const char *const bad[] = {
		"Contact: <sip:201@" FRIEND ":70\x90>\r\n",
		"Contact: <sip:2 01@" FRIEND ">\r\n",
		"Contact: <sip:201@" FRIEND ";a=\"b\">\r\n",
	};
	char out[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(out, sizeof(out),
			 "INVITE sip:701@" STACK_HOST " SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK-u%zu\r\n"
			 "From: <sip:201@x>;tag=f1\r\nTo: <sip:701@x>\r\n"
			 "Call-ID: %s\r\nCSeq: 1 INVITE\r\n%s"
			 "Content-Type: application/sdp\r\n\r\n%s",
			 p.host, p.port, i, p.call_id, bad[i],
			 sdp(FRIEND, 7000, ""));
		peer_send(&p, out);
		expect(&p, "SIP/2.0 400 Malformed Contact header");
	}
	assert_int_equal(w.pages, 0);
}

/* The end that was put off is not forgotten when all ends. */
static void test_shutdown_while_ending(void **state)
{
	(void)state;
	peer_call(&p, "701");
	settle();
	w.end_in_changed = true;
	w.stop_in_changed = true;
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7002, ""));
	/* between the put-off end and its turn */
	wait_until(!w.stack);
	assert_int_equal(w.closes, 1);
	assert_string_equal(w.why, "ended in changed");
}

/* Shutting down with calls in every state. */
static void test_shutdown(void **state)
{
	static struct peer q[3];
	int i;

	(void)state;
	peer_call(&p, "700"); /* up */
	for (i = 0; i < 3; i++)
		peer_open(&q[i], FRIEND2, i == 2);
	peer_request(&q[0], "INVITE", "701", "", sdp(FRIEND2, 7000, ""));
	expect(&q[0], "SIP/2.0 200 "); /* not acknowledged */
	peer_request(&q[1], "INVITE", "702", "", "");
	expect(&q[1], "SIP/2.0 200 "); /* no leg yet */
	peer_call(&q[2], "703");       /* by TCP */
	settle();
	assert_int_equal(stack_calls(w.stack), 4);
	w.stack = stack_free(w.stack);
	assert_int_equal(w.closes, 4);
	assert_string_equal(w.why, "shutting down");
	assert_true(peer_has(&p, "BYE "));
	assert_true(peer_has(&q[2], "BYE "));
	for (i = 0; i < 3; i++)
		peer_close(&q[i]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_answered),
		T(test_refused),
		T(test_no_codec),
		T(test_retransmission),
		T(test_trailing_bytes),
		T(test_merged),
		T(test_ended_by_us),
		T(test_ended_in_media),
		T(test_bye_glare),
		T(test_hold),
		T(test_sendonly_caller),
		T(test_ended_in_changed),
		T(test_offer_in_200),
		T(test_no_answer_in_ack),
		T(test_cancel),
		T(test_in_dialog),
		T(test_full),
		T(test_ports_out),
		T(test_tcp),
		T(test_contact_by_name),
		T(test_contact_of_no_uri),
		T(test_shutdown_while_ending),
		T(test_shutdown),
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
