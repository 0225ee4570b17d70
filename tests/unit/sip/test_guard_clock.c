/*
 * Steps of the wall clock disturb no SIP timer (LIBRE.md B1), and a 200 that
 * nobody acknowledges ends the call in its time.
 *
 * Both clocks are ours here: libre reaches gettimeofday() and our own clock
 * reaches clock_gettime() in this program.
 */
#include "peer.h"
#include "warp.h"

#include <dlfcn.h>

static int setup(void **state)
{
	(void)state;
	wall_step_s = 0;
	mono_step_s = 0;
	return 0;
}

static void fired(void *arg)
{
	*(bool *)arg = true;
}

/* That the step reaches libre at all: its own clock jumps with it. */
static void test_libre_alone(void **state)
{
	uint64_t (*own)(void) =
		(uint64_t(*)(void))dlsym(RTLD_NEXT, "tmr_jiffies");
	uint64_t before;

	(void)state;
	assert_non_null(own);
	if (TC_RE_VER >= 20100)
		skip();
	before = own();
	wall_step_s = -3600;
	assert_true(own() < before - 3000000);
}

static void test_step_back(void **state)
{
	struct tmr tmr = TC_TMR_INIT;
	bool done = false;

	(void)state;
	tmr_init(&tmr);
	tmr_start(&tmr, 50, fired, &done);
	turn();
	wall_step_s = -3600;
	assert_true(tmr_get_expire(&tmr) <= 50);
	wait_until(done);
}

static void test_step_forward(void **state)
{
	struct tmr tmr = TC_TMR_INIT;
	bool done = false;

	(void)state;
	tmr_init(&tmr);
	tmr_start(&tmr, 32000, fired, &done);
	wall_step_s = 7200;
	turn();
	assert_false(done);
	assert_true(tmr_get_expire(&tmr) > 0);
	tmr_cancel(&tmr);
}

static void test_calls_live_through_a_step(void **state)
{
	static struct world w;
	static struct peer p;

	(void)state;
	world_init(&w);
	world_open(&w);
	peer_open(&p, FRIEND, false);
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 ");
	wall_step_s = -86400;
	expect(&p, "SIP/2.0 200 "); /* T1 is not stopped ... */
	wall_step_s = 86400;
	settle();
	assert_int_equal(w.closes, 0); /* ... and 64 T1 not over */
	peer_learn(&p);
	peer_request(&p, "ACK", "701", "", "");
	peer_request(&p, "BYE", "701", "", "");
	wait_until(w.closes == 1);
	world_close(&w);
	peer_close(&p);
}

static void test_no_ack(void **state)
{
	static struct world w;
	static struct peer p;
	int i;

	(void)state;
	world_init(&w);
	world_open(&w);
	peer_open(&p, FRIEND, false);
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 ");
	peer_learn(&p);
	for (i = 0; i < 30; i++) {
		mono_step_s++;
		turn();
	}
	assert_int_equal(w.closes, 0);
	mono_step_s += 3;
	wait_until(w.closes == 1);
	assert_string_equal(w.why, "no ACK");
	expect(&p, "BYE ");
	peer_reply(&p, "200 OK");
	settle();
	assert_int_equal(stack_calls(w.stack), 0);
	world_close(&w);
	peer_close(&p);
}

/* B16: a re-INVITE in between does not keep it for ever. */
static void test_no_ack_twice(void **state)
{
	static struct world w;
	static struct peer p;

	(void)state;
	world_init(&w);
	world_open(&w);
	peer_open(&p, FRIEND, false);
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 ");
	peer_learn(&p);
	mono_step_s += 20;
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7002, ""));
	expect(&p, "SIP/2.0 200 ");
	/* libre waits for the later one's 32 s alone */
	mono_step_s += 14;
	turn();
	turn();
	assert_int_equal(w.closes, 1);
	assert_string_equal(w.why, "no ACK");
	world_close(&w);
	peer_close(&p);
}

/* A caller cut off by a network fault still lets go of everything. */
static void test_bye_unanswered(void **state)
{
	static struct world w;
	static struct peer p;

	(void)state;
	world_init(&w);
	world_open(&w);
	peer_open(&p, FRIEND, false);
	peer_call(&p, "701");
	settle();
	page_call_end(w.call, "over", NULL);
	expect(&p, "BYE ");
	expect(&p, "BYE "); /* again */
	mono_step_s += 40;
	turn();
	turn();
	world_close(&w);
	peer_close(&p);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(test_libre_alone),    T(test_step_back),
		T(test_step_forward),   T(test_calls_live_through_a_step),
		T(test_no_ack),         T(test_no_ack_twice),
		T(test_bye_unanswered),
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
