/* What strangers learn of us, and how much anybody can make us do. */
#include "controller/sip/policy.h"
#include "peer.h"

static struct world w;
static struct peer p, stranger;
static struct config_endpoint desk;

static int setup(void **state)
{
	static char name[] = "desk", realm[] = "plant";

	(void)state;
	world_init(&w);
	desk.may.name = name;
	desk.may.page = true;
	strcpy(desk.password, "a-desk-secret");
	w.config.endpoints = &desk;
	w.config.n_endpoints = 1;
	w.config.sip.realm = realm;
	w.config.sip.register_min_ms = 30000;
	w.config.sip.register_max_ms = 60000;
	/* another network of ours, that is nobody's business in this one */
	world_listen(&w.listen[2], TRANSPORT_UDP, "127.0.11.9", STACK_PORT);
	w.config.sip.n_listen = 3;
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

/* The answer to a REGISTER, less what must differ. */
static void ask_as(const char *user, const char *extra, char *to, size_t size)
{
	static const char *const differ[] = {"branch=", ";tag=", "nonce=\"",
					     "Call-ID: "};
	char line[512], *out = to;
	const char *s;

	stranger.to_tag[0] = '\0';
	snprintf(line, sizeof(line), "%s", extra);
	peer_request(&stranger, "REGISTER", user, line, "");
	expect(&stranger, "SIP/2.0 ");
	for (s = stranger.msg; *s && out < to + size - 1;) {
		size_t i;

		for (i = 0; i < 4; i++)
			if (!strncmp(s, differ[i], strlen(differ[i])))
				break;
		if (i < 4)
			s += strcspn(s, "\r,");
		else if (!strncmp(s, user, strlen(user)))
			s += strlen(user);
		else if (!strncmp(s, "CSeq: ", 6))
			s += strcspn(s, "R");
		else
			*out++ = *s++;
	}
	*out = '\0';
}

/* Known or not, right realm or not: the same, and only what is needed. */
static void test_users_look_alike(void **state)
{
	static const char *const users[] = {"desk", "nobody", "701", "admin"};
	static const char *const allowed[] = {
		"Via:",           "From:", "To:",
		"Call-ID:",       "CSeq:", "WWW-Authenticate:",
		"Content-Length:"};
	char first[4000], other[4000], extra[512];

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		const char *user = users[i % 4];

		/* first without, then with a wrong proof */
		snprintf(extra, sizeof(extra),
			 "Authorization: Digest username=\"%s\", "
			 "realm=\"plant\", nonce=\"1\", "
			 "uri=\"sip:%s@" STACK_HOST ":5070\", "
			 "response=\"00000000000000000000000000000000\"\r\n",
			 user, user);
		ask_as(user, i < 4 ? "" : extra, i ? other : first, 4000);
		if (i)
			assert_string_equal(first, other);
	}
	assert_int_equal(strncmp(first, "SIP/2.0 401 ", 12), 0);
	for (char *line = strstr(stranger.msg, "\r\n") + 2;
	     strncmp(line, "\r\n", 2); line = strstr(line, "\r\n") + 2) {
		size_t i;

		for (i = 0; i < 7; i++)
			if (!strncmp(line, allowed[i], strlen(allowed[i])))
				break;
		if (i == 7)
			fail_msg("told: %.60s", line);
	}
	assert_null(strcasestr(stranger.msg, "tocsin"));
}

/* Whatever else he asks, of whom there is and whom there is not: silence. */
static void test_nothing_but_register(void **state)
{
	static const char *const methods[] = {
		"INVITE",  "ACK",       "CANCEL", "BYE",
		"OPTIONS", "INFO",      "REFER",  "MESSAGE",
		"NOTIFY",  "SUBSCRIBE", "UPDATE", "PUBLISH"};
	static const char *const users[] = {"desk", "701", "nobody"};
	static struct peer tcp;

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		for (size_t k = 0; k < 3; k++)
			peer_request(&stranger, methods[i], users[k], "", "");
	settle();
	assert_false(peer_next(&stranger));
	/* where he may connect to register nothing else is heard either */
	peer_open(&tcp, STRANGER, true);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i], "CANCEL"))
			peer_request(&tcp, methods[i], "701", "", "");
	peer_request(&tcp, "REGISTER", "desk", "", "");
	wait_until(peer_next(&tcp));
	assert_int_equal(strncmp(tcp.msg, "SIP/2.0 401 ", 12), 0);
	assert_string_equal(peer_header(&tcp, "CSeq") +
				    strcspn(peer_header(&tcp, "CSeq"), "R"),
			    "REGISTER");
	peer_close(&tcp);
	assert_int_equal(w.pages, 0);
}

/* He knows every secret of a friend's call, and may register here: nothing
 * that he sends in it is heard. */
static void test_in_anothers_dialog(void **state)
{
	static const char *const methods[] = {"BYE",    "INVITE", "INFO",
					      "UPDATE", "REFER",  "OPTIONS",
					      "NOTIFY"};
	static struct peer tcp;

	(void)state;
	peer_call(&p, "701");
	settle();
	peer_open(&tcp, STRANGER, true);
	strcpy(stranger.call_id, p.call_id);
	strcpy(stranger.to_tag, p.to_tag);
	strcpy(tcp.call_id, p.call_id);
	strcpy(tcp.to_tag, p.to_tag);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		const char *body = strcmp(methods[i], "INVITE")
					   ? ""
					   : sdp(STRANGER, 7000, "");

		stranger.cseq = tcp.cseq = p.cseq + 1 + (unsigned)i;
		peer_request(&stranger, methods[i], "701", "", body);
		peer_request(&tcp, methods[i], "701", "", body);
		settle();
	}
	assert_false(peer_next(&stranger));
	assert_false(peer_next(&tcp));
	assert_int_equal(w.changes, 0);
	assert_int_equal(w.closes, 0);
	assert_int_equal(stack_calls(w.stack), 1);
	peer_close(&tcp);
}

/* No other address of ours, no name of this machine, nothing of the software.
 */
static void only_here(const char *msg)
{
	char host[256] = "";

	(void)gethostname(host, sizeof(host) - 1);
	if (strstr(msg, "127.0.11.9") || strcasestr(msg, "\r\nServer:") ||
	    strcasestr(msg, "\r\nUser-Agent:") || strcasestr(msg, "libre") ||
	    (strlen(host) > 3 && strstr(msg, host)))
		fail_msg("told too much: %s", msg);
}

static void test_topology(void **state)
{
	static const char *const methods[] = {"OPTIONS", "MESSAGE", "BYE"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		peer_request(&p, methods[i], "701", "", "");
		expect(&p, "SIP/2.0 ");
		only_here(p.msg);
	}
	peer_request(&p, "INVITE", "701", "", sdp(FRIEND, 7000, ""));
	expect(&p, "SIP/2.0 200 ");
	only_here(p.msg);
	peer_learn(&p);
	peer_request(&p, "ACK", "701", "", "");
	settle();
	page_call_end(w.call, "over", NULL);
	expect(&p, "BYE ");
	only_here(p.msg);
}

/* Each method comes to an end of what one address may send. */
static void test_every_method_has_a_rate(void **state)
{
	static const char *const methods[] = {
		"INVITE", "ACK",      "BYE",    "OPTIONS",  "INFO",
		"REFER",  "REGISTER", "NOTIFY", "SUBSCRIBE"};
	struct stack_counters before, now;
	char host[16];

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		static struct peer q;
		unsigned rounds = 0;

		snprintf(host, sizeof(host), "127.0.10.%zu", 4 + i);
		settle();
		peer_open(&q, host, false);
		stack_counters(w.stack, &before);
		do {
			/* all in the socket before one is looked at: a stalled
			 * machine gives the rate no time to recover */
			for (unsigned n = 0; n < 2000; n++) {
				q.to_tag[0] = '\0';
				peer_request(&q, methods[i], "701", "", "");
			}
			settle();
			stack_counters(w.stack, &now);
		} while (now.limited == before.limited && ++rounds < 20);
		if (now.limited == before.limited)
			fail_msg("no end of %s", methods[i]);
		peer_close(&q);
	}
}

/* What has to be remembered comes to an end for all together, long before the
 * memory does; a BYE does not. */
static void test_what_is_kept(void **state)
{
	static struct peer q[4];
	unsigned sent = 0;
	bool full = false;

	(void)state;
	peer_call(&p, "701");
	for (size_t i = 0; i < 4; i++) {
		char host[16];

		snprintf(host, sizeof(host), "127.0.10.%zu", 4 + i);
		peer_open(&q[i], host, false);
	}
	while (!full && sent < 40000) {
		struct peer *one = &q[sent++ % 4];

		peer_request(one, "SUBSCRIBE", "701", "Event: x\r\n", "");
		if (sent % 400 == 0)
			settle();
		while (!full && peer_next(one))
			full = !strncmp(one->msg, "SIP/2.0 503 Too many ", 21);
	}
	assert_true(full);
	assert_true(sent > POLICY_KEPT_BURST);
	/* its own may find no room in the socket */
	settle();
	peer_request(&p, "BYE", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
	wait_until(w.closes == 1);
	for (size_t i = 0; i < 4; i++)
		peer_close(&q[i]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_users_look_alike),        T(test_nothing_but_register),
		T(test_in_anothers_dialog),      T(test_topology),
		T(test_every_method_has_a_rate), T(test_what_is_kept),
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
