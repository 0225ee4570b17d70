/* Digest answers: the examples of RFC 7616, and what must not pass. */
#include "controller/sip/digest.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PARTS                                                                  \
	"Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "        \
	"uri=\"/dir/index.html\", "                                            \
	"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "             \
	"nc=00000001, "                                                        \
	"cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
#define MD5 "response=\"8ca523f5e9506fed4657c9700eebdbec\""
#define SHA                                                                    \
	"algorithm=SHA-256, response=\"753927fa0e85d155564e2e272a28d1802ca10d" \
	"af4496794697cf8db5856cb6c1\""

static bool decode(struct digest_answer *a, const char *s)
{
	return digest_decode(a, s, strlen(s));
}

static bool right(const char *s, const char *method, const char *password)
{
	struct digest_answer a;

	assert_true(decode(&a, s));
	return digest_matches(&a, method, strlen(method), password);
}

static void test_rfc7616(void **state)
{
	(void)state;
	assert_true(right(PARTS MD5, "GET", "Circle of Life"));
	assert_true(right(PARTS SHA, "GET", "Circle of Life"));
	assert_false(right(PARTS SHA, "GET", "Circle of life"));
	assert_false(right(PARTS SHA, "PUT", "Circle of Life"));
}

/* RFC 2617 3.5 without qop, as RFC 2069 has it; upper case is the same. */
static void test_without_qop(void **state)
{
	static const char s[] =
		"digest username=\"Mufasa\",realm=\"testrealm@host.com\","
		"nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\","
		"uri=\"/dir/index.html\","
		"response=\"670FD8C2DF070C60B045671B8B24FF02\"";

	(void)state;
	assert_true(right(s, "GET", "Circle Of Life"));
	assert_false(right(s, "GET", "circle of life"));
}

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"Digest",
		"Digest ",
		"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
		PARTS, /* no response */
		PARTS MD5 ", qop=auth",
		PARTS MD5 ",",
		PARTS MD5 " x",
		PARTS MD5 "\"",
		PARTS "response=\"8ca523f5e9506fed4657c9700eebdbe\"",
		PARTS "algorithm=MD5-sess, " MD5,
		PARTS "algorithm=SHA-256, " MD5,
		"Digest username=\"a\\\"b\", realm=\"r\", nonce=\"n\", "
		"uri=\"u\", " MD5,
		"Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", "
		"qop=auth, "
		"cnonce=\"c\", nc=00000000, " MD5,
		"Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", "
		"qop=auth-int, cnonce=\"c\", nc=00000001, " MD5,
		"Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", "
		"nc=00000001, " MD5,
	};
	struct digest_answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (decode(&a, bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static struct sockaddr_in address(const char *host)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = 5};

	inet_pton(AF_INET, host, &in.sin_addr);
	return in;
}

static void test_nonces(void **state)
{
	static struct nonces n, other;
	const struct sockaddr_in a = address("10.0.0.1"),
				 b = address("10.0.0.2");
	char text[DIGEST_NONCE_SIZE], second[DIGEST_NONCE_SIZE];
	struct digest_text t = {text, sizeof(text) - 1},
			   u = {second, sizeof(second) - 1};
	const uint64_t now = 1000000;

	(void)state;
	assert_int_equal(nonces_init(&n), 0);
	assert_int_equal(nonces_init(&other), 0);
	nonce_make(&n, (const struct sockaddr *)&a, now, text);
	nonce_make(&n, (const struct sockaddr *)&a, now, second);
	assert_string_not_equal(text, second);
#define FRESH(n, t, sa, at) nonce_fresh(n, t, (const struct sockaddr *)(sa), at)
	assert_true(FRESH(&n, t, &a, now));
	assert_true(FRESH(&n, t, &a, now + DIGEST_NONCE_MS));
	assert_false(FRESH(&n, t, &a, now + DIGEST_NONCE_MS + 1));
	assert_false(FRESH(&n, t, &a, now - 1));
	assert_false(FRESH(&n, t, &b, now));
	assert_false(FRESH(&other, t, &a, now));
	text[3] ^= 1;
	assert_false(FRESH(&n, t, &a, now));
	text[3] ^= 1;
	t.len--;
	assert_false(FRESH(&n, t, &a, now));
	t.len++;

	/* each count once, and never back */
	assert_true(nonce_use(&n, t, 1));
	assert_false(nonce_use(&n, t, 1));
	assert_true(nonce_use(&n, t, 5));
	assert_false(nonce_use(&n, t, 3));
	/* without a count: once */
	assert_true(nonce_use(&n, u, 0));
	assert_false(nonce_use(&n, u, 0));
}

/* One that fell out of the table is used up, not new. */
/* Neither the clock nor the count of challenges is seen in a nonce. */
static void test_nonces_tell_nothing(void **state)
{
	static struct nonces n;
	struct sockaddr_in a = {.sin_family = AF_INET};
	char last[DIGEST_NONCE_SIZE], text[DIGEST_NONCE_SIZE];

	(void)state;
	assert_int_equal(nonces_init(&n), 0);
	nonce_make(&n, (const struct sockaddr *)&a, 1000, last);
	for (int i = 0; i < 20; i++) {
		nonce_make(&n, (const struct sockaddr *)&a, 1000, text);
		assert_int_equal(strlen(text), DIGEST_NONCE_SIZE - 1);
		assert_memory_not_equal(text, last, 8);
		assert_memory_not_equal(text + 16, last + 16, 6);
		assert_memory_not_equal(text, "00000000", 8);
		strcpy(last, text);
	}
}

static void test_forgotten_nonces(void **state)
{
	static struct nonces n;
	const struct sockaddr_in a = address("10.0.0.1");
	char first[DIGEST_NONCE_SIZE], text[DIGEST_NONCE_SIZE];

	(void)state;
	assert_int_equal(nonces_init(&n), 0);
	nonce_make(&n, (const struct sockaddr *)&a, 1000, first);
	assert_true(nonce_use(
		&n, (struct digest_text){first, sizeof(first) - 1}, 1));
	for (unsigned i = 1; i <= DIGEST_NONCES; i++) {
		nonce_make(&n, (const struct sockaddr *)&a, 1000 + i, text);
		assert_true(nonce_use(
			&n, (struct digest_text){text, sizeof(text) - 1}, 1));
	}
	assert_false(nonce_use(
		&n, (struct digest_text){first, sizeof(first) - 1}, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc7616),
		cmocka_unit_test(test_without_qop),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_nonces),
		cmocka_unit_test(test_nonces_tell_nothing),
		cmocka_unit_test(test_forgotten_nonces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
