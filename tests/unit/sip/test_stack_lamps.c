/* Phones that watch: from SUBSCRIBE to the last NOTIFY, over real sockets. */
#include "controller/sip/lamp.h"
#include "peer.h"

static struct world w;
static struct peer p;
static enum lamp_state lamp;
static uint16_t allowed;

static uint16_t may(const char *user, const struct config_peer *who, void *arg)
{
	assert_ptr_equal(arg, &w);
	assert_non_null(who);
	return strcmp(user, "701") ? 404 : allowed;
}

static enum lamp_state state_of(const char *user, void *arg)
{
	assert_ptr_equal(arg, &w);
	assert_string_equal(user, "701");
	return lamp;
}

static const struct lamp_handlers handlers = {.may = may, .state = state_of};

static int setup(void **state)
{
	(void)state;
	lamp = LAMP_OFF;
	allowed = 200;
	world_init(&w);
	world_open(&w);
	lamp_handle(w.stack, &handlers, &w);
	peer_open(&p, FRIEND, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&w);
	peer_close(&p);
	return 0;
}

static void count(const struct lamp_view *v, void *arg)
{
	(void)v;
	++*(unsigned *)arg;
}

static unsigned subscriptions(void)
{
	unsigned n = 0;

	lamp_list(w.stack, count, &n);
	return n;
}

static void subscribe(struct peer *q, const char *expires)
{
	char extra[128];

	snprintf(extra, sizeof(extra), "Event: dialog\r\nExpires: %s\r\n",
		 expires);
	peer_request(q, "SUBSCRIBE", "701", extra, "");
}

/* The next NOTIFY, answered so; "" = not at all. */
static void notified(struct peer *q, unsigned version, const char *state,
		     const char *sub, const char *answer)
{
	char text[32];

	expect(q, "NOTIFY ");
	snprintf(text, sizeof(text), " version=\"%u\" ", version);
	if (!strstr(q->msg, text) || !strstr(q->msg, state))
		fail_msg("not version %u, %s: %s", version, state, q->msg);
	if (strncmp(peer_header(q, "Subscription-State"), sub, strlen(sub)))
		fail_msg("not %s: %s", sub, q->msg);
	assert_string_equal(peer_header(q, "Event"), "dialog");
	if (answer[0])
		peer_reply(q, answer);
}

static void watch(struct peer *q)
{
	subscribe(q, "600");
	expect(q, "SIP/2.0 200 ");
	assert_string_equal(peer_header(q, "Expires"), "600");
	peer_learn(q);
	notified(q, 0, ">terminated<", "active;expires=", "200 OK");
}

static void shows(enum lamp_state s)
{
	lamp = s;
	lamp_look(w.stack);
}

static void test_watch(void **state)
{
	(void)state;
	watch(&p);
	assert_non_null(strstr(p.msg, "entity=\"sip:701@" STACK_HOST "\""));
	assert_string_equal(peer_header(&p, "Content-Type"),
			    "application/dialog-info+xml");
	shows(LAMP_ON);
	notified(&p, 1, ">confirmed<", "active", "200 OK");
	shows(LAMP_EARLY);
	notified(&p, 2, ">early<", "active", "200 OK");
	/* a refresh tells it again, with a version of its own */
	subscribe(&p, "60");
	expect(&p, "SIP/2.0 200 ");
	assert_string_equal(peer_header(&p, "Expires"), "60");
	notified(&p, 3, ">early<", "active", "200 OK");
	assert_int_equal(subscriptions(), 1);
	/* and its end */
	subscribe(&p, "0");
	expect(&p, "SIP/2.0 200 ");
	notified(&p, 4, ">early<", "terminated;reason=timeout", "200 OK");
	assert_int_equal(subscriptions(), 0);
	subscribe(&p, "600");
	expect(&p, "SIP/2.0 481 ");
}

/* Asked once: one document and no more. */
static void test_fetch(void **state)
{
	(void)state;
	subscribe(&p, "0");
	expect(&p, "SIP/2.0 200 ");
	notified(&p, 0, ">terminated<", "terminated;reason=timeout", "200 OK");
	assert_int_equal(subscriptions(), 0);
}

static void test_refusals(void **state)
{
	(void)state;
	peer_request(&p, "SUBSCRIBE", "701", "Event: presence\r\n", "");
	expect(&p, "SIP/2.0 489 ");
	assert_string_equal(peer_header(&p, "Allow-Events"), "dialog");
	peer_request(&p, "SUBSCRIBE", "701", "", "");
	expect(&p, "SIP/2.0 489 ");
	peer_request(&p, "SUBSCRIBE", "701",
		     "Event: dialog\r\nAccept: application/pidf+xml\r\n", "");
	expect(&p, "SIP/2.0 406 ");
	subscribe(&p, "30");
	expect(&p, "SIP/2.0 423 ");
	assert_string_equal(peer_header(&p, "Min-Expires"), "60");
	subscribe(&p, "soon");
	expect(&p, "SIP/2.0 400 ");
	peer_request(&p, "SUBSCRIBE", "702", "Event: dialog\r\n", "");
	expect(&p, "SIP/2.0 404 ");
	allowed = 403;
	subscribe(&p, "600");
	expect(&p, "SIP/2.0 403 ");
	w.peers[0].page = false;
	subscribe(&p, "600");
	expect(&p, "SIP/2.0 403 ");
	assert_int_equal(subscriptions(), 0);
}

/* What changes while a NOTIFY is out, or too soon after it, is told later: the
 * last state alone. */
static void test_pace(void **state)
{
	uint64_t at;

	(void)state;
	watch(&p);
	shows(LAMP_ON);
	notified(&p, 1, ">confirmed<", "active", "");
	at = clock_mono_ms();
	shows(LAMP_EARLY);
	settle();
	shows(LAMP_OFF);
	settle();
	shows(LAMP_EARLY);
	peer_reply(&p, "200 OK");
	notified(&p, 2, ">early<", "active", "200 OK");
	/* began up to a few ms before it was read here */
	assert_true(clock_mono_ms() - at >= LAMP_PACE_MS / 2);
}

static void test_gone(void **state)
{
	(void)state;
	watch(&p);
	shows(LAMP_ON);
	notified(&p, 1, ">confirmed<", "active", "500 Oops");
	shows(LAMP_OFF);
	notified(&p, 2, ">terminated<", "active",
		 "481 Call/Transaction Does Not Exist");
	wait_until(!subscriptions());
}

/* A reload that takes it away says so; one that does not changes nothing. */
static void test_reload(void **state)
{
	struct reason why;

	(void)state;
	watch(&p);
	assert_int_equal(stack_reconfigure(w.stack, &w.config, &why), 0);
	assert_int_equal(subscriptions(), 1);
	allowed = 403;
	assert_int_equal(stack_reconfigure(w.stack, &w.config, &why), 0);
	notified(&p, 1, ">terminated<", "terminated;reason=rejected", "200 OK");
	assert_int_equal(subscriptions(), 0);
}

static void test_shutdown(void **state)
{
	(void)state;
	watch(&p);
	lamp_leave(w.stack);
	notified(&p, 1, ">terminated<", "terminated;reason=deactivated",
		 "200 OK");
	assert_int_equal(subscriptions(), 0);
}

/* By TCP too, where the phone names a host that nobody can look up. */
static void test_stream(void **state)
{
	static struct peer t;

	(void)state;
	peer_open(&t, FRIEND2, true);
	subscribe(&t, "600");
	expect(&t, "SIP/2.0 200 ");
	assert_non_null(strstr(peer_header(&t, "Contact"), "transport=tcp"));
	assert_int_equal(subscriptions(), 1);
	peer_close(&t);
}

static void test_bound(void **state)
{
	static const char event[] = "Event: dialog\r\n";
	char call_id[64];

	(void)state;
	strcpy(call_id, p.call_id);
	for (unsigned i = 0; i < LAMP_MAX; i++) {
		snprintf(p.call_id, sizeof(p.call_id), "%.40s-%u", call_id, i);
		wait_until((peer_request(&p, "SUBSCRIBE", "701", event, ""),
			    turn(), peer_has(&p, "SIP/2.0 200 ")));
	}
	assert_int_equal(subscriptions(), LAMP_MAX);
	snprintf(p.call_id, sizeof(p.call_id), "%.40s-more", call_id);
	wait_until((peer_request(&p, "SUBSCRIBE", "701", event, ""), turn(),
		    peer_has(&p, "SIP/2.0 503 ")));
	assert_int_equal(subscriptions(), LAMP_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_watch),    T(test_fetch),  T(test_refusals),
		T(test_pace),     T(test_gone),   T(test_reload),
		T(test_shutdown), T(test_stream), T(test_bound),
#undef T
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
