/* Offers and answers of encrypted calls (SDES, RFC 4568). */
#include "controller/sip/nego.h"
#include "controller/sip/sdes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TOP                                                                    \
	"v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 "   \
	"0\r\n"
#define SAVP "m=audio 4000 RTP/SAVP 0\r\n"
#define AVP "m=audio 4000 RTP/AVP 0\r\n"
#define KEY "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw"
#define KEY2 "QTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw"
#define CRYPTO(tag, bits, key)                                                 \
	"a=crypto:" #tag " AES_CM_128_HMAC_SHA1_" #bits " inline:" key "\r\n"

struct side {
	struct nego *n;
	struct nego_result r;
	struct reason why;
	char text[2048];
};

static int secured(struct side *s, enum config_srtp srtp, bool exposed)
{
	struct sa laddr;

	memset(s, 0, sizeof(*s));
	assert_int_equal(sa_set_str(&laddr, "10.0.0.2", 16384), 0);
	assert_int_equal(nego_alloc(&s->n, &laddr), 0);
	return nego_secure(s->n, srtp, exposed, NULL, &s->why);
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

static void offer(struct side *s)
{
	struct mbuf *out = NULL;

	assert_int_equal(nego_offer(s->n, &out), 0);
	keep(s, out);
}

static int answered(struct side *s, const char *text)
{
	struct mbuf *in = body(text);
	const int err = nego_answered(s->n, in, &s->r, &s->why);

	mem_deref(in);
	return err;
}

static bool says(const struct side *s, const char *what)
{
	return strstr(s->text, what);
}

/** Every offer under every rule: taken, encrypted or not, or why it is not. */
static void what_is_taken(void **state)
{
	static const char two[] = TOP SAVP CRYPTO(1, 80, KEY) AVP;
	static const struct {
		enum config_srtp srtp;
		bool exposed;
		const char *offer;
		const char *answer; /**< what must stand in it, or the error */
		int err;
		bool sealed;
	} v[] = {
		{SRTP_NO, false, TOP AVP, "RTP/AVP 0", 0, false},
		{SRTP_NO, false, TOP AVP CRYPTO(1, 80, KEY), "RTP/AVP 0", 0,
		 false},
		{SRTP_NO, false, TOP SAVP CRYPTO(1, 80, KEY),
		 "RTP/SAVP is not taken here", EPROTO, false},
		{SRTP_NO, false, two, "m=audio 16384 RTP/AVP 0", 0, false},
		{SRTP_OFFER, false, TOP AVP, "RTP/AVP 0", 0, false},
		{SRTP_OFFER, false, TOP AVP CRYPTO(7, 80, KEY),
		 "a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:", 0, true},
		{SRTP_OFFER, false, TOP SAVP CRYPTO(2, 32, KEY),
		 "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:", 0, true},
		{SRTP_OFFER, false, two, "m=audio 16384 RTP/SAVP 0", 0, true},
		{SRTP_OFFER, false, TOP SAVP, "There is no a=crypto", EPROTO,
		 false},
		{SRTP_OFFER, false,
		 TOP SAVP "a=crypto:1 AEAD_AES_256_GCM inline:abc\r\n",
		 "of no suite", EPROTO, false},
		{SRTP_OFFER, true, TOP AVP CRYPTO(1, 80, KEY), "RTP/AVP 0", 0,
		 false},
		{SRTP_OFFER, true, TOP SAVP CRYPTO(1, 80, KEY), "not over TLS",
		 EPROTO, false},
		{SRTP_REQUIRE, false, TOP AVP, "must be encrypted", EPROTO,
		 false},
		{SRTP_REQUIRE, false, TOP AVP CRYPTO(1, 80, KEY),
		 "m=audio 16384 RTP/AVP 0", 0, true},
		{SRTP_REQUIRE, false, TOP SAVP CRYPTO(1, 80, KEY),
		 "m=audio 16384 RTP/SAVP 0", 0, true},
		/* The first that can be used, as they prefer. */
		{SRTP_REQUIRE, false,
		 TOP SAVP "a=crypto:1 F8_128_HMAC_SHA1_80 inline:" KEY
			  "\r\n" CRYPTO(2, 32, KEY) CRYPTO(3, 80, KEY),
		 "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:", 0, true},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct side s;
		int err;

		assert_int_equal(secured(&s, v[i].srtp, v[i].exposed), 0);
		err = answer(&s, v[i].offer);
		print_message("%zu %s\n", i, s.why.text);
		assert_int_equal(err, v[i].err);
		if (v[i].err) {
			assert_non_null(strstr(s.why.text, v[i].answer));
		} else {
			assert_true(says(&s, v[i].answer));
			assert_true(says(&s, "c=IN IP4 10.0.0.2\r\n"));
			assert_int_equal(says(&s, "a=crypto"), v[i].sealed);
			assert_int_equal(s.r.in.on, v[i].sealed);
			assert_int_equal(s.r.out.on, v[i].sealed);
			assert_false(says(&s, KEY));
		}
		if (v[i].sealed)
			assert_memory_equal(s.r.in.key,
					    "123456789012345678901234567890",
					    30);
		mem_deref(s.n);
	}
}

static void required_keys_go_by_tls_only(void **state)
{
	struct side s;
	(void)state;

	assert_int_equal(secured(&s, SRTP_REQUIRE, true), EPROTO);
	assert_non_null(strstr(s.why.text, "TLS only"));
	mem_deref(s.n);
}

/** The key in a text; its first 40 characters. */
static void key_in(const char *text, const char *suite, char key[41])
{
	const char *at = strstr(text, suite);

	assert_non_null(at);
	at = strstr(at, "inline:");
	assert_non_null(at);
	snprintf(key, 41, "%s", at + 7);
}

/** Both ends are ours: each has the other's key, whoever offers, with every
 *  rule that allows it; a re-INVITE changes no key, a new key of theirs is
 *  taken. */
static void both_ends_agree(void **state)
{
	static const enum config_srtp v[][2] = {{SRTP_OFFER, SRTP_OFFER},
						{SRTP_OFFER, SRTP_REQUIRE},
						{SRTP_REQUIRE, SRTP_OFFER},
						{SRTP_REQUIRE, SRTP_REQUIRE}};
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct media_srtp was;
		struct side a, b;

		assert_int_equal(secured(&a, v[i][0], false), 0);
		assert_int_equal(secured(&b, v[i][1], false), 0);
		for (unsigned round = 0; round < 3; round++) {
			struct side *x = round == 1 ? &b : &a;
			struct side *y = round == 1 ? &a : &b;

			offer(x);
			assert_true(says(x, "a=crypto:1 "));
			assert_true(says(x, "a=crypto:2 "));
			assert_int_equal(answer(y, x->text), 0);
			assert_int_equal(answered(x, y->text), 0);
			assert_true(a.r.out.on && b.r.out.on);
			assert_memory_equal(a.r.out.key, b.r.in.key, 30);
			assert_memory_equal(b.r.out.key, a.r.in.key, 30);
			assert_int_equal(a.r.out.tag, 10);
			if (round)
				assert_memory_equal(a.r.out.key, was.key, 30);
			was = a.r.out;
		}
		mem_deref(a.n);
		mem_deref(b.n);
	}
}

static void rekeyed_and_hushed_in_the_call(void **state)
{
	char first[41], again[41];
	struct side s;
	(void)state;

	assert_int_equal(secured(&s, SRTP_OFFER, false), 0);
	assert_int_equal(answer(&s, TOP SAVP CRYPTO(1, 80, KEY)), 0);
	key_in(s.text, "_80", first);
	assert_int_equal(answer(&s, TOP SAVP CRYPTO(1, 80, KEY2)), 0);
	key_in(s.text, "_80", again);
	assert_string_equal(first, again);
	assert_int_equal(s.r.in.key[0], 'A');
	/* Not encrypted for a while: after that another key, since the
	 * packets are counted from 0 again. */
	assert_int_equal(answer(&s, TOP AVP), 0);
	assert_false(s.r.in.on || says(&s, "a=crypto"));
	assert_int_equal(answer(&s, TOP AVP CRYPTO(1, 80, KEY)), 0);
	key_in(s.text, "_80", again);
	assert_string_not_equal(first, again);
	mem_deref(s.n);
	/* Where it is required it stays. */
	assert_int_equal(secured(&s, SRTP_REQUIRE, false), 0);
	assert_int_equal(answer(&s, TOP SAVP CRYPTO(1, 80, KEY)), 0);
	assert_int_equal(answer(&s, TOP AVP), EPROTO);
	mem_deref(s.n);
}

/** An answer to our offer that drops it, or takes up what was not offered. */
static void answers_that_drop_it(void **state)
{
	struct side s;
	(void)state;

	assert_int_equal(secured(&s, SRTP_REQUIRE, false), 0);
	offer(&s);
	assert_true(says(&s, "m=audio 16384 RTP/SAVP"));
	assert_int_equal(answered(&s, TOP SAVP), EPROTO);
	assert_non_null(strstr(s.why.text, "must be encrypted"));
	assert_int_equal(answered(&s, TOP SAVP CRYPTO(9, 80, KEY)), EPROTO);
	assert_non_null(strstr(s.why.text, "not offered"));
	assert_int_equal(answered(&s, TOP SAVP CRYPTO(2, 32, KEY)), 0);
	assert_int_equal(s.r.in.tag, 4);
	mem_deref(s.n);

	assert_int_equal(secured(&s, SRTP_OFFER, false), 0);
	offer(&s);
	assert_true(says(&s, "m=audio 16384 RTP/AVP"));
	assert_int_equal(answered(&s, TOP AVP), 0);
	assert_false(s.r.in.on || s.r.out.on);
	mem_deref(s.n);

	assert_int_equal(secured(&s, SRTP_OFFER, true), 0);
	offer(&s);
	assert_false(says(&s, "a=crypto"));
	mem_deref(s.n);
}

static void attributes_are_read(void **state)
{
	static const struct {
		const char *text, *why; /**< NULL = it is taken */
	} v[] = {
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY, NULL},
		{"999999999 aes_cm_128_hmac_sha1_32 INLINE:" KEY, NULL},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20|1:4", NULL},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|1048576|1:1", NULL},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|1048576", NULL},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " WSH=64 -FOO", NULL},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " KDR=1", "session"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " UNENCRYPTED_SRTP",
		 "session"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY ";inline:" KEY2,
		 "one key"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "A", "base64"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:short", "base64"},
		{"1 AES_CM_128_HMAC_SHA1_80 " KEY, "inline:"},
		{"1 AES_256_CM_HMAC_SHA1_80 inline:" KEY, "suite"},
		{"1234567890 AES_CM_128_HMAC_SHA1_80 inline:" KEY, "tag"},
		{"x AES_CM_128_HMAC_SHA1_80 inline:" KEY, "tag"},
		{"1", "suite"},
		{"", "tag"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct sdes s;
		const char *why = sdes_read(&s, v[i].text);

		print_message("%s\n", v[i].text);
		if (v[i].why) {
			assert_non_null(why);
			assert_non_null(strstr(why, v[i].why));
			continue;
		}
		assert_null(why);
		assert_memory_equal(s.key.key, "123456789012345678901234567890",
				    30);
		assert_true(s.key.on && s.key.rolls);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken),
		cmocka_unit_test(required_keys_go_by_tls_only),
		cmocka_unit_test(both_ends_agree),
		cmocka_unit_test(rekeyed_and_hushed_in_the_call),
		cmocka_unit_test(answers_that_drop_it),
		cmocka_unit_test(attributes_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
