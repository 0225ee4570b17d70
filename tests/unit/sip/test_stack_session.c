/* Session timers (RFC 4028) of real calls, both ways, hours in a moment. */
#include "callee.h"
#include "warp.h"

#include "controller/sip/guard_lines.h"

static struct world w;
static struct peer p;

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	w.config.sip.session_expires_ms = 1800000;
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

/* A page with these header lines, up to its ACK. */
static void page(const char *extra)
{
	peer_request(&p, "INVITE", "701", extra, sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 ");
	peer_learn(&p);
	peer_request(&p, "ACK", "701", "", "");
	settle();
}

static void test_refused(void **state)
{
	(void)state;
	peer_request(&p, "INVITE", "701",
		     "Supported: timer\r\nSession-Expires: 89\r\n",
		     sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 422 Session Interval Too Small");
	assert_string_equal(peer_header(&p, "Min-SE"), "90");
	peer_request(&p, "ACK", "701", "", "");
	peer_request(&p, "INVITE", "701",
		     "Supported: timer\r\nSession-Expires: soon\r\n",
		     sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 400 Malformed Session-Expires");
	peer_request(&p, "ACK", "701", "", "");
	assert_int_equal(w.pages, 0);
	/* what we serve is not refused with what we do not */
	peer_request(&p, "INVITE", "701", "Require: timer, foo\r\n",
		     sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 420 ");
	assert_string_equal(peer_header(&p, "Unsupported"), "foo");
}

/* They refresh: two re-INVITEs keep it, and then none ends it. */
static void test_they_refresh(void **state)
{
	static const char offer[] = "k: timer\r\nx: 600;refresher=uac\r\n";

	(void)state;
	page("Require: timer\r\nk: timer\r\nx: 600;refresher=uac\r\n");
	assert_string_equal(peer_header(&p, "Session-Expires"),
			    "600;refresher=uac");
	assert_string_equal(peer_header(&p, "Require"), "timer");
	for (int i = 0; i < 2; i++) {
		mono_step_s += 500;
		settle();
		peer_request(&p, "INVITE", "701", offer, sdp(FRIEND, 7000, ""));
		expect(&p, "SIP/2.0 200 ");
		assert_string_equal(peer_header(&p, "Session-Expires"),
				    "600;refresher=uac");
		peer_request(&p, "ACK", "701", "", "");
		settle();
	}
	assert_int_equal(w.closes, 0);
	mono_step_s += 570;
	expect(&p, "BYE ");
	assert_non_null(strstr(peer_header(&p, "Reason"), "cause=408"));
	assert_int_equal(w.closes, 1);
	assert_string_equal(w.why, "session not refreshed");
	peer_reply(&p, "200 OK");
}

/* A re-INVITE with an interval below ours changes nothing. */
static void test_too_small_later(void **state)
{
	(void)state;
	page("Supported: timer\r\nSession-Expires: 600\r\n");
	peer_request(&p, "INVITE", "701",
		     "Supported: timer\r\nSession-Expires: 30\r\n",
		     sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 422 ");
	peer_request(&p, "ACK", "701", "", "");
	settle();
	assert_int_equal(w.closes, 0);
	peer_request(&p, "BYE", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
}

static void test_we_refresh_a_page(void **state)
{
	(void)state;
	page("Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n");
	assert_string_equal(peer_header(&p, "Session-Expires"),
			    "600;refresher=uas");
	mono_step_s += 300;
	expect(&p, "INVITE ");
	assert_string_equal(peer_header(&p, "Session-Expires"),
			    "600;refresher=uac");
	assert_string_equal(peer_header(&p, "Supported"), "timer");
	assert_non_null(strstr(p.msg, "m=audio "));
	peer_answer(
		&p, "200 OK",
		"Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n",
		sdp(FRIEND, 7000, ""));
	expect(&p, "ACK ");
	assert_int_equal(w.closes, 0);

	/* the next is answered with 481: it is over */
	mono_step_s += 300;
	expect(&p, "INVITE ");
	peer_answer(&p, "481 No Such Call", "", "");
	wait_until(w.closes == 1);
}

/* A refresh of ours resumes nobody who holds, and glare is got over: who was
 * called waits up to 2 s (RFC 3261 14.1). */
static void test_held(void **state)
{
	static const char lines[] =
		"Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n";

	(void)state;
	page("Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n");
	peer_request(&p, "INVITE", "701",
		     "Supported: timer\r\n"
		     "Session-Expires: 600;refresher=uas\r\n",
		     sdp(FRIEND, 7000, "a=inactive\r\n"));
	expect(&p, "SIP/2.0 200 ");
	peer_request(&p, "ACK", "701", "", "");
	wait_until(w.held);
	settle();
	mono_step_s += 300;
	expect(&p, "INVITE ");
	peer_answer(&p, "491 Request Pending", "", "");
	expect(&p, "ACK ");
	settle();
	mono_step_s += 2;
	expect(&p, "INVITE ");
	peer_answer(&p, "200 OK", lines, sdp(FRIEND, 7000, "a=inactive\r\n"));
	expect(&p, "ACK ");
	assert_true(w.held);
	assert_false(w.leg.recv || w.leg.send);
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 ");
	assert_false(w.held);
	assert_true(w.leg.recv && w.leg.send);
	peer_request(&p, "ACK", "701", "", "");
	assert_int_equal(w.closes, 0);
}

/* A re-INVITE without a word of timers takes them away. */
static void test_taken_away(void **state)
{
	(void)state;
	page("Supported: timer\r\nSession-Expires: 600\r\n");
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 ");
	assert_string_equal(peer_header(&p, "Session-Expires"), "");
	peer_request(&p, "ACK", "701", "", "");
	settle();
	mono_step_s += 7200;
	settle();
	assert_int_equal(w.closes, 0);
}

static void test_off(void **state)
{
	(void)state;
	w.config.sip.session_expires_ms = 0;
	page("Supported: timer\r\nSession-Expires: 30\r\n");
	assert_string_equal(peer_header(&p, "Session-Expires"), "");
	p.to_tag[0] = '\0';
	peer_request(&p, "INVITE", "702", "Require: timer\r\n",
		     sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 420 ");
	assert_string_equal(peer_header(&p, "Unsupported"), "timer");
}

/* --------------------------------------------------- calls that we make */

static void answer(const char *extra)
{
	peer_called(&p);
	peer_answer(&p, "200 OK", extra, sdp(FRIEND, 7000, ""));
	expect(&p, "ACK ");
}

static void test_offered(void **state)
{
	(void)state;
	callee_call();
	assert_string_equal(peer_header(&p, "Session-Expires"),
			    "1800;refresher=uac");
	assert_string_equal(peer_header(&p, "Supported"), "timer");
	/* who knows nothing of it is left in peace */
	answer("");
	mono_step_s += 7200;
	settle();
	assert_int_equal(callee.closes, 0);
	dial_end(callee.dial, NULL);
	expect(&p, "BYE ");
	peer_reply(&p, "200 OK");
}

static void test_asked_for_more(void **state)
{
	(void)state;
	callee_call();
	peer_answer(&p, "422 Session Interval Too Small", "Min-SE: 3600\r\n",
		    "");
	expect(&p, "ACK ");
	expect(&p, "INVITE ");
	assert_string_equal(peer_header(&p, "Session-Expires"),
			    "3600;refresher=uac");
	assert_string_equal(peer_header(&p, "Min-SE"), "3600");
	assert_string_equal(peer_header(&p, "X-Mine"), "1");
	assert_int_equal(callee.closes, 0);
	/* once is enough */
	peer_answer(&p, "422 Session Interval Too Small", "Min-SE: 7200\r\n",
		    "");
	wait_until(callee.closes == 1);
	assert_int_equal(callee.status, 422);
}

static void test_we_refresh(void **state)
{
	static const char lines[] = "Supported: timer\r\n"
				    "Session-Expires: 600;refresher=uac\r\n";

	(void)state;
	callee_call();
	answer(lines);
	for (int i = 0; i < 2; i++) {
		mono_step_s += 300;
		expect(&p, "INVITE ");
		assert_string_equal(peer_header(&p, "Session-Expires"),
				    "600;refresher=uac");
		answer(lines);
	}
	assert_int_equal(callee.closes, 0);

	/* glare: theirs is refused with 491 while ours is open, and ours is
	 * sent again after theirs was (RFC 3261 14.1: 2.1 to 4 s, we called) */
	mono_step_s += 300;
	expect(&p, "INVITE ");
	{
		static struct peer ours;

		ours = p;
		peer_request(&p, "INVITE", "tocsin", "", sdp(FRIEND, 7000, ""));
		expect(&p, "SIP/2.0 491 ");
		peer_request(&p, "ACK", "tocsin", "", "");
		peer_answer(&ours, "491 Request Pending", "", "");
		expect(&p, "ACK ");
		settle();
		assert_false(peer_has(&p, "INVITE "));
		mono_step_s += 4;
		expect(&p, "INVITE ");
		answer(lines);
	}

	/* refused for another reason: tried once more, and given up */
	mono_step_s += 300;
	expect(&p, "INVITE ");
	peer_answer(&p, "500 Broken", "", "");
	expect(&p, "ACK ");
	settle();
	mono_step_s += 140;
	expect(&p, "INVITE ");
	peer_answer(&p, "500 Broken", "", "");
	expect(&p, "ACK ");
	settle();
	assert_int_equal(callee.closes, 0);
	mono_step_s += 130;
	expect(&p, "BYE ");
	assert_non_null(strstr(peer_header(&p, "Reason"), "cause=408"));
	assert_int_equal(callee.status, 408);
	assert_string_equal(callee.why, "session not refreshed");
	peer_reply(&p, "200 OK");
}

static void test_peer_refreshes(void **state)
{
	(void)state;
	callee_call();
	answer("Require: timer\r\nSession-Expires: 600;refresher=uas\r\n");
	mono_step_s += 500;
	settle();
	peer_request(&p, "INVITE", "tocsin",
		     "Supported: timer\r\nSession-Expires: 600;refresher=uac"
		     "\r\n",
		     sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 ");
	assert_string_equal(peer_header(&p, "Session-Expires"),
			    "600;refresher=uac");
	peer_request(&p, "ACK", "tocsin", "", "");
	settle();
	mono_step_s += 500;
	settle();
	assert_int_equal(callee.closes, 0);
	mono_step_s += 70;
	expect(&p, "BYE ");
	assert_int_equal(callee.closes, 1);
	peer_reply(&p, "200 OK");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_refused),
		T(test_they_refresh),
		T(test_too_small_later),
		T(test_we_refresh_a_page),
		T(test_held),
		T(test_taken_away),
		T(test_off),
		T(test_offered),
		T(test_asked_for_more),
		T(test_we_refresh),
		T(test_peer_refreshes),
	};

	if (!GUARD_LINES) /* no session timers over this libre */
		return 0;
	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
