/* Offers and answers of calls whose keys are made by DTLS (RFC 5763, 8122). */
#include "controller/sip/nego.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\n"
#define TOP HEAD "t=0 0\r\n"
#define TLS "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n"
#define TLSF "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n"
#define AVP "m=audio 4000 RTP/AVP 0\r\n"
#define SAVP "m=audio 4000 RTP/SAVP 0\r\n"
#define KEY "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw"
#define CRYPTO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n"
#define B8(x) x ":" x ":" x ":" x ":" x ":" x ":" x ":" x
#define B32(x) B8(x) ":" B8(x) ":" B8(x) ":" B8(x)
#define PRINT(x) "a=fingerprint:sha-256 " B32(x) "\r\n"
#define OLD "a=fingerprint:sha-1 " B8("11") ":" B8("11") ":11:11:11:11\r\n"
#define SETUP(x) "a=setup:" x "\r\n"

static const struct fingerprint ours = {
	.hash = "sha-256", .len = 32, .bytes = {0xab, 0xcd}};

struct side {
	struct nego *n;
	struct nego_result r;
	struct reason why;
	char text[2048];
};

static void secured(struct side *s, enum config_srtp srtp, bool exposed)
{
	struct sa laddr;

	memset(s, 0, sizeof(*s));
	assert_int_equal(sa_set_str(&laddr, "10.0.0.2", 16384), 0);
	assert_int_equal(nego_alloc(&s->n, &laddr), 0);
	assert_int_equal(nego_secure(s->n, srtp, exposed, &ours, &s->why), 0);
}

static struct mbuf *body(const char *text)
{
	struct mbuf *mb = mbuf_alloc(strlen(text) + 1);

	assert_int_equal(mbuf_write_str(mb, text), 0);
	mb->pos = 0;
	return mb;
}

static void keep(struct side *s, struct mbuf *mb)
{
	snprintf(s->text, sizeof(s->text), "%.*s", (int)mbuf_get_left(mb),
		 (const char *)mbuf_buf(mb));
	mem_deref(mb);
}

static int answer(struct side *s, const char *offer)
{
	struct mbuf *in = body(offer), *out = NULL;
	const int err = nego_answer(s->n, in, &out, &s->r, &s->why);

	mem_deref(in);
	if (!err)
		keep(s, out);
	return err;
}

static int answered(struct side *s, const char *text)
{
	struct mbuf *in = body(text);
	const int err = nego_answered(s->n, in, &s->r, &s->why);

	mem_deref(in);
	return err;
}

static void offer(struct side *s)
{
	struct mbuf *out = NULL;

	assert_int_equal(nego_offer(s->n, &out), 0);
	keep(s, out);
}

static void what_is_taken(void **state)
{
	static const struct {
		enum config_srtp srtp;
		bool exposed;
		const char *offer, *says;
		int err;
		bool dtls, active;
	} v[] = {
		{SRTP_NO, false, TOP TLS PRINT("11") SETUP("actpass"),
		 "not taken here", EPROTO, false, false},
		{SRTP_OFFER, true, TOP TLS PRINT("11") SETUP("actpass"),
		 "a=setup:active\r\n", 0, true, true},
		{SRTP_OFFER, false, TOP TLSF PRINT("11") SETUP("active"),
		 "a=setup:passive\r\n", 0, true, false},
		{SRTP_REQUIRE, true, TOP TLS PRINT("11") SETUP("passive"),
		 "a=setup:active\r\n", 0, true, true},
		{SRTP_DTLS, false, TOP TLS PRINT("11"), "a=setup:passive\r\n",
		 0, true, false},
		{SRTP_DTLS, false, TOP TLS PRINT("11"), "a=rtcp-mux\r\n", 0,
		 true, false},
		{SRTP_DTLS, false,
		 HEAD PRINT("11") SETUP("active") "t=0 0\r\n" TLS,
		 "m=audio 16384 UDP/TLS/RTP/SAVP 0\r\n", 0, true, false},
		/* The first that can be used. */
		{SRTP_DTLS, false, TOP TLS OLD PRINT("11"),
		 "a=fingerprint:sha-256 AB:CD:00:", 0, true, false},
		{SRTP_DTLS, false, TOP TLS OLD, "no a=fingerprint of sha-256",
		 EPROTO, false, false},
		{SRTP_DTLS, false, TOP TLS, "no a=fingerprint", EPROTO, false,
		 false},
		{SRTP_DTLS, false, TOP TLS PRINT("1"), "no a=fingerprint",
		 EPROTO, false, false},
		{SRTP_DTLS, false, TOP TLS PRINT("11") SETUP("holdconn"),
		 "a=setup", EPROTO, false, false},
		{SRTP_DTLS, false, TOP AVP, "(srtp = dtls)", EPROTO, false,
		 false},
		{SRTP_DTLS, false, TOP SAVP CRYPTO, "(srtp = dtls)", EPROTO,
		 false, false},
		{SRTP_REQUIRE, true, TOP AVP, "must be encrypted", EPROTO,
		 false, false},
		{SRTP_REQUIRE, true, TOP SAVP CRYPTO, "over TLS only", EPROTO,
		 false, false},
		{SRTP_OFFER, true, TOP AVP CRYPTO, "RTP/AVP 0", 0, false,
		 false},
		{SRTP_REQUIRE, false, TOP SAVP CRYPTO, "a=crypto:1 ", 0, false,
		 false},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct side s;

		secured(&s, v[i].srtp, v[i].exposed);
		assert_int_equal(answer(&s, v[i].offer), v[i].err);
		print_message("%zu %s\n", i, s.why.text);
		assert_non_null(
			strstr(v[i].err ? s.why.text : s.text, v[i].says));
		if (!v[i].err) {
			assert_int_equal(s.r.dtls, v[i].dtls);
			assert_int_equal(!!strstr(s.text, "a=fingerprint"),
					 v[i].dtls);
		}
		if (!v[i].err && v[i].dtls) {
			assert_int_equal(s.r.active, v[i].active);
			assert_int_equal(s.r.theirs.bytes[31], 0x11);
			assert_false(s.r.out.on || s.r.in.on);
			assert_null(strstr(s.text, "a=crypto"));
		}
		mem_deref(s.n);
	}
}

/* Both ends are ours: one begins, and it is the same one in every round. */
static void both_ends_agree(void **state)
{
	static const struct {
		enum config_srtp srtp;
		bool exposed;
	} v[] = {{SRTP_DTLS, false}, {SRTP_DTLS, true}, {SRTP_REQUIRE, true}};
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct side a, b;

		secured(&a, v[i].srtp, v[i].exposed);
		secured(&b, SRTP_OFFER, true);
		for (unsigned round = 0; round < 3; round++) {
			struct side *x = round == 1 ? &b : &a;
			struct side *y = round == 1 ? &a : &b;

			offer(x);
			assert_non_null(strstr(x->text, " UDP/TLS/RTP/SAVP "));
			assert_non_null(strstr(x->text, "a=setup:actpass"));
			assert_int_equal(answer(y, x->text), 0);
			assert_int_equal(answered(x, y->text), 0);
			assert_true(a.r.dtls && b.r.dtls);
			assert_true(b.r.active && !a.r.active);
			assert_true(fingerprint_equal(&a.r.theirs, &ours));
		}
		mem_deref(a.n);
		mem_deref(b.n);
	}
}

static void it_stays_as_it_was_agreed(void **state)
{
	struct side s;
	(void)state;

	secured(&s, SRTP_OFFER, true);
	assert_int_equal(answer(&s, TOP TLS PRINT("11") SETUP("actpass")), 0);
	/* who began, stays it: there is no second handshake */
	assert_int_equal(answer(&s, TOP TLS PRINT("11") SETUP("active")), 0);
	assert_true(s.r.active && s.r.dtls);
	assert_int_equal(answer(&s, TOP TLS PRINT("22") SETUP("actpass")),
			 EPROTO);
	assert_non_null(strstr(s.why.text, "Another certificate"));
	assert_int_equal(answer(&s, TOP AVP), EPROTO);
	assert_non_null(strstr(s.why.text, "neither begins nor ends"));
	assert_int_equal(answer(&s, TOP TLS PRINT("11") SETUP("actpass")), 0);
	mem_deref(s.n);

	secured(&s, SRTP_OFFER, true);
	assert_int_equal(answer(&s, TOP AVP), 0);
	assert_int_equal(answer(&s, TOP TLS PRINT("11") SETUP("actpass")),
			 EPROTO);
	mem_deref(s.n);

	secured(&s, SRTP_DTLS, false);
	offer(&s);
	assert_int_equal(answered(&s, TOP TLS PRINT("11") SETUP("actpass")),
			 EPROTO);
	assert_int_equal(answered(&s, TOP TLS PRINT("11") SETUP("passive")), 0);
	assert_true(s.r.active);
	mem_deref(s.n);
}

static void fingerprints_are_read(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} v[] = {
		{"sha-256 " B32("0a"), true},
		{"SHA-256 " B32("FF") " ", true},
		{"sha-384 " B32("0a") ":" B8("0a") ":" B8("0a"), true},
		{"sha-512 " B32("0a") ":" B32("0a"), true},
		{"sha-512 " B32("0a"), false},
		{"sha-256 " B32("0a") ":0a", false},
		{"sha-256 " B32("0g"), false},
		{"sha-256 " B8("0a"), false},
		{"sha-256" B32("0a"), false},
		{"sha-25 " B32("0a"), false},
		{"md5 " B8("0a") ":" B8("0a"), false},
		{"sha-256 ", false},
		{"sha-256", false},
		{"", false},
	};
	struct fingerprint f, again;
	char text[FINGERPRINT_SIZE];
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		print_message("%s\n", v[i].text);
		assert_int_equal(fingerprint_read(&f, v[i].text), v[i].ok);
		assert_int_equal(!!f.hash, v[i].ok);
		if (!v[i].ok)
			continue;
		fingerprint_print(text, &f);
		assert_true(fingerprint_read(&again, text));
		assert_true(fingerprint_equal(&f, &again));
		again.bytes[again.len - 1]++;
		assert_false(fingerprint_equal(&f, &again));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken),
		cmocka_unit_test(both_ends_agree),
		cmocka_unit_test(it_stays_as_it_was_agreed),
		cmocka_unit_test(fingerprints_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
