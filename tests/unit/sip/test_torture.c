/*
 * The cases of RFC 4475 against the running stack: from a trusted address over
 * real sockets each gets the answer in torture.h, from a stranger none at all.
 */
#include "controller/sip/digest.h"
#include "peer.h"
#include "torture.h"

#include <stdbool.h>

#define PASSWORD "a-desk-secret"

static struct world w;
static struct peer p, stranger;
static struct config_endpoint desk;
static char nonce[128];
static unsigned serial;

static int setup(void **state)
{
	static char name[] = "desk", realm[] = "plant";

	(void)state;
	world_init(&w);
	desk.may.name = name;
	strcpy(desk.password, PASSWORD);
	w.config.endpoints = &desk;
	w.config.n_endpoints = 1;
	w.config.sip.realm = realm;
	w.config.sip.digest = DIGEST_SHA256;
	w.config.sip.register_min_ms = 30000;
	w.config.sip.register_max_ms = 60000;
	w.config.sip.max_calls = 40;
	world_open(&w);
	peer_open(&p, FRIEND, false);
	peer_open(&stranger, STRANGER, false);
	nonce[0] = '\0';
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

/* ------------------------------------------------------- a vector's text */

static struct digest_text text(const char *s)
{
	return (struct digest_text){s, strlen(s)};
}

/* A right answer for the request that begins with `out`. */
static void authorize(char *to, size_t size, const char *out)
{
	static unsigned count;
	char uri[256], nc[9], response[DIGEST_HEX_SIZE];
	struct digest_answer a = {
		.user = text("desk"),
		.realm = text("plant"),
		.nonce = text(nonce),
		.cnonce = text("0a4f113b"),
		.qop = text("auth"),
		.sha256 = true,
		.count = ++count,
	};
	const char *sp = strchr(out, ' ');

	snprintf(uri, sizeof(uri), "%.*s", (int)strcspn(sp + 1, " "), sp + 1);
	snprintf(nc, sizeof(nc), "%08x", count);
	a.uri = text(uri);
	a.nc = text(nc);
	assert_true(digest_response(&a, out, (size_t)(sp - out), PASSWORD,
				    response));
	snprintf(to, size,
		 "Authorization: Digest username=\"desk\", realm=\"plant\", "
		 "nonce=\"%s\", uri=\"%s\", response=\"%s\", qop=auth, "
		 "algorithm=SHA-256, cnonce=\"0a4f113b\", nc=%s\r\n",
		 nonce, uri, response, nc);
}

static void put(char *out, size_t size, const char *s, size_t n)
{
	size_t at = strlen(out);

	for (; n; n--, s++) {
		assert_true(at + 3 < size);
		if (*s == '\n')
			out[at++] = '\r';
		out[at++] = *s;
	}
	out[at] = '\0';
}

/* What a brace stands for; returns what is behind it. */
static const char *expand(char *out, size_t size, const char *s,
			  const struct peer *from)
{
	const char *end = strchr(s, '}');
	char more[2048] = "";
	unsigned times;

	assert_non_null(end);
	times = (unsigned)strtoul(s + 1, NULL, 10);
	if (times) {
		const char *what = strchr(s, '*') + 1;

		while (times--)
			put(out, size, what, (size_t)(end - what));
	} else if (!strncmp(s, "{me}", 4)) {
		snprintf(more, sizeof(more), "%s:%u", from->host, from->port);
	} else if (!strncmp(s, "{id}", 4)) {
		snprintf(more, sizeof(more), "%u", serial);
	} else if (!strncmp(s, "{auth}", 6)) {
		authorize(more, sizeof(more), out);
	} else if (!strncmp(s, "{sdp}", 5)) {
		const char *body = sdp(from->host, 7000, "");

		snprintf(more, sizeof(more),
			 "Content-Type: application/sdp\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 strlen(body), body);
	} else {
		fail_msg("what is %.20s?", s);
	}
	assert_true(strlen(out) + strlen(more) < size);
	strcat(out, more);
	return end + 1;
}

static const char *render(const char *t, const struct peer *from)
{
	static char out[20000];

	out[0] = '\0';
	serial++;
	while (*t)
		if (*t == '{')
			t = expand(out, sizeof(out), t, from);
		else
			put(out, sizeof(out), t++, 1);
	return out;
}

/* -------------------------------------------------------------- the cases */

/* A challenge for this peer's address; what it holds serves all. */
static void get_nonce(void)
{
	const char *at;

	peer_request(&p, "REGISTER", "desk", "", "");
	expect(&p, "SIP/2.0 401 ");
	at = strstr(p.msg, "nonce=\"") + 7;
	snprintf(nonce, sizeof(nonce), "%.*s", (int)strcspn(at, "\""), at);
}

static uint64_t dropped(void)
{
	struct guard_counters c;

	guard_counters(&c);
	return c.junk;
}

/* Nothing of ours is said that the message did not bring. */
static void check_silent_about_us(const struct torture *t)
{
	if (strcasestr(p.msg, "\r\nServer:"))
		fail_msg("%s %s: says who we are: %s", t->section, t->what,
			 p.msg);
}

static void check_contact(const struct torture *t)
{
	static char wanted[20000];

	if (!t->contact)
		return;
	if (!t->contact[0]) {
		peer_request(&p, "REGISTER", "desk", "", "");
		assert_string_equal(peer_header(&p, "Contact"), "");
		return;
	}
	strcpy(wanted, render(t->contact, &p));
	if (!strstr(p.msg, wanted))
		fail_msg("%s %s: no Contact %s in %s", t->section, t->what,
			 wanted, p.msg);
}

/* No vector binds what an earlier one has bound. */
static void forget_contacts(void)
{
	peer_send(&p,
		  render("REGISTER sip:plant.example SIP/2.0\n" ME FROM DESK ID
			 "CSeq: 99999999 REGISTER\n{auth}"
			 "Contact: *\nExpires: 0\n" EMPTY,
			 &p));
	wait_until(peer_has(&p, "SIP/2.0 "));
	if (strncmp(p.msg, "SIP/2.0 200 ", 12) || peer_header(&p, "Contact")[0])
		fail_msg("still bound: %s", p.msg);
}

static void answered(const struct torture *t)
{
	char status[16];

	snprintf(status, sizeof(status), "SIP/2.0 %u ", t->status);
	settle();
	if (!peer_has(&p, "SIP/2.0 "))
		fail_msg("%s %s: no answer", t->section, t->what);
	if (strncmp(p.msg, status, strlen(status)))
		fail_msg("%s %s: not %u: %s", t->section, t->what, t->status,
			 p.msg);
	check_silent_about_us(t);
}

/* Also once its transaction is over nothing more has come of it. */
static void not_answered(const struct torture *t)
{
	settle();
	if (peer_next(&p))
		fail_msg("%s %s: answered: %s", t->section, t->what, p.msg);
}

static void run(const struct torture *t)
{
	const bool call = !strncmp(t->text, "INVITE ", 7) && t->status == 200;
	const unsigned pages = w.pages;
	const char *out;

	if (t->contact) {
		get_nonce();
		forget_contacts();
	}
	if (strstr(t->text, "{auth}"))
		get_nonce();
	out = render(t->text, &p);
	peer_send(&p, out);
	if (t->status)
		answered(t);
	else
		not_answered(t);
	check_contact(t);
	assert_int_equal(w.pages, pages + call);
	/* each from a port of its own: no repeated 200 in the next one's way */
	peer_close(&p);
	peer_open(&p, FRIEND, false);
}

static void run_all(const struct torture *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run(&t[i]);
}

#define ALL(a) (a), sizeof(a) / sizeof((a)[0])

static void test_valid(void **state)
{
	(void)state;
	run_all(ALL(torture_valid));
}

static void test_invalid(void **state)
{
	(void)state;
	run_all(ALL(torture_invalid));
}

static void test_meaning(void **state)
{
	(void)state;
	run_all(ALL(torture_meaning));
}

/* RFC 3261 25.1 allows even this, quoted. It is dropped: a byte that ends the
 * strings of C is let near nothing, and no device sends one. */
static void test_nul(void **state)
{
	static const char with[] =
		"To: \"NUL:\\\0\" <sip:701@plant.example>\r\n";
	const char *out =
		render("OPTIONS sip:701@plant.example SIP/2.0\n" ME FROM ID HOPS
		       "CSeq: 1 OPTIONS\n",
		       &p);
	const uint64_t before = dropped();
	char all[2000];
	size_t n = strlen(out);

	(void)state;
	memcpy(all, out, n);
	memcpy(all + n, with, sizeof(with) - 1);
	n += sizeof(with) - 1;
	memcpy(all + n, "\r\n", 2);
	peer_send_bytes(&p, all, n + 2);
	settle();
	assert_false(peer_next(&p));
	assert_int_equal(dropped(), before + 1);
}

/* Responses that are in order go further than the guard; the rest does not. */
static void test_responses(void **state)
{
	static const struct {
		const struct torture *t;
		unsigned dropped;
	} rows[] = {
		{&torture_valid[11], 0},   {&torture_valid[12], 0},
		{&torture_invalid[6], 1},  {&torture_invalid[21], 1},
		{&torture_meaning[12], 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint64_t before = dropped();

		assert_int_equal(strncmp(rows[i].t->text, "SIP/2.0 ", 8), 0);
		run(rows[i].t);
		if (dropped() != before + rows[i].dropped)
			fail_msg("%s %s", rows[i].t->section, rows[i].t->what);
	}
}

/* The very same from an address that nothing is known of, where nobody may
 * register: silence. */
static void test_from_a_stranger(void **state)
{
	static const struct {
		const struct torture *t;
		size_t n;
	} sets[] = {{ALL(torture_valid)},
		    {ALL(torture_invalid)},
		    {ALL(torture_meaning)}};

	(void)state;
	w.config.n_endpoints = 0;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < sets[i].n; k++) {
			peer_send(&stranger,
				  render(sets[i].t[k].text, &stranger));
			settle();
			if (peer_next(&stranger))
				fail_msg("%s: %s", sets[i].t[k].section,
					 stranger.msg);
		}
	assert_int_equal(w.pages, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_valid), T(test_invalid),   T(test_meaning),
		T(test_nul),   T(test_responses), T(test_from_a_stranger),
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
