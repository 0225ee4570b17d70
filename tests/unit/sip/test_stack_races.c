/* What crosses on the way: CANCEL and 200, two 200s, what is sent again. */
#include "callee.h"

static struct world w;
static struct peer p;

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	world_open(&w);
	peer_open(&p, FRIEND, false);
	callee_init(&w, &p);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&w);
	peer_close(&p);
	return 0;
}

/* We give up while it answers: it is told so, and hung up on. */
static void test_cancelled_and_answered(void **state)
{
	static struct peer invite;

	(void)state;
	callee_call();
	invite = p; /* to be answered again */
	peer_answer(&p, "180 Ringing", "", "");
	settle();
	dial_end(callee.dial, NULL);
	expect(&p, "CANCEL ");
	peer_answer(&invite, "200 OK", "", sdp(FRIEND, 7000, ""));
	peer_answer(&p, "200 OK", "", "");
	expect(&p, "ACK ");
	expect(&p, "BYE ");
	peer_reply(&p, "200 OK");
	settle();
	assert_int_equal(callee.medias, 0);
	assert_int_equal(callee.closes, 0);
}

/* Our ACK was lost: it comes again with each 200. */
static void test_ack_lost(void **state)
{
	static struct peer invite;

	(void)state;
	callee_call();
	invite = p; /* to be answered again */
	for (int i = 0; i < 3; i++) {
		peer_answer(&invite, "200 OK", "", sdp(FRIEND, 7000, ""));
		expect(&p, "ACK ");
	}
	assert_int_equal(callee.medias, 1);
	dial_end(callee.dial, NULL);
	expect(&p, "BYE ");
	peer_reply(&p, "200 OK");
}

/* A proxy rings two desks and both answer: the second is hung up on, the way it
 * came, and the first hears nothing of it. */
static void test_both_answer(void **state)
{
	static struct peer invite;
	char routed[256];

	(void)state;
	callee_call();
	invite = p; /* to be answered again */
	peer_answer(&p, "200 OK", "", sdp(FRIEND, 7000, ""));
	expect(&p, "ACK ");
	peer_tag = ";tag=other";
	snprintf(routed, sizeof(routed),
		 "Record-Route: <sip:10.255.255.1;lr>, <sip:%s:%u;lr>\r\n",
		 FRIEND, p.port);
	peer_answer(&invite, "200 OK", routed, sdp(FRIEND2, 7100, ""));
	peer_tag = ";tag=f1";
	expect(&p, "ACK ");
	assert_non_null(strstr(peer_header(&p, "To"), ";tag=other"));
	assert_int_equal(atoi(peer_header(&p, "CSeq")),
			 atoi(peer_header(&invite, "CSeq")));
	expect(&p, "BYE ");
	assert_non_null(strstr(peer_header(&p, "To"), ";tag=other"));
	assert_int_equal(guard_inspect((const uint8_t *)p.msg, strlen(p.msg)),
			 GUARD_PASS);
	assert_int_equal(atoi(peer_header(&p, "CSeq")),
			 atoi(peer_header(&invite, "CSeq")) + 1);
	/* the last proxy of the list is the next hop */
	assert_non_null(strstr(p.msg, "Route: <sip:" FRIEND));
	assert_true(strstr(p.msg, "Route: <sip:" FRIEND) <
		    strstr(p.msg, "Route: <sip:10.255.255.1;lr>"));
	peer_reply(&p, "200 OK");
	settle();
	assert_int_equal(callee.medias, 1);
	assert_int_equal(callee.closes, 0);
	/* who has the call may end it */
	peer_called(&invite);
	peer_request(&invite, "BYE", "tocsin", "", "");
	wait_until(callee.closes == 1);
}

/* A proxy forked the INVITE, and both branches end here. */
static void test_merged(void **state)
{
	(void)state;
	peer_call(&p, "701");
	settle();
	p.to_tag[0] = '\0';
	p.cseq--;
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 482 ");
	peer_request(&p, "ACK", "701", "", "");
	assert_int_equal(w.pages, 1);
	/* another call of the same phone is none */
	p.call_id[0] = 'C';
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 ");
	assert_int_equal(w.pages, 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_cancelled_and_answered),
		T(test_ack_lost),
		T(test_both_answer),
		T(test_merged),
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
