/* Signatures of webhooks: vectors of others, and what is no signature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web_util.h"

/* The example of www.standardwebhooks.com's specification. */
#define WHSEC "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
static const struct sign_text example = {
	.id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
	.timestamp = "1614265330",
	.body = "{\"test\": 2432232314}",
	.len = 20,
};
#define EXAMPLE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static void test_standard(void **state)
{
	struct sign_key k;
	char out[SIGN_SIZE];

	(void)state;
	assert_true(sign_key(&k, SIGN_STANDARD, WHSEC));
	assert_int_equal(k.n, 24);
	sign_make(&k, &example, out);
	assert_string_equal(out, EXAMPLE);
	assert_true(sign_good(&k, &example, EXAMPLE));
	/* While a secret is changed both signatures are sent. */
	assert_true(sign_good(&k, &example, "v1,AAAA v2,x " EXAMPLE));
	assert_false(sign_good(&k, &example, ""));
	assert_false(sign_good(&k, &example, "v1,"));
	assert_false(sign_good(&k, &example, EXAMPLE "="));
}

static void test_sha256(void **state)
{
	const struct sign_text t = {NULL, "1700000000", "hello", 5};
	struct sign_text other = t;
	struct sign_key k;
	char out[SIGN_SIZE], line[120] = "";
	FILE *f;

	(void)state;
	assert_true(sign_key(&k, SIGN_SHA256, "0123456789abcdef"));
	sign_make(&k, &t, out);
	assert_int_equal(strlen(out), 7 + 64);
	f = popen("printf 1700000000.hello | openssl dgst -sha256 -hmac "
		  "0123456789abcdef -hex",
		  "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_int_equal(pclose(f), 0);
	line[strcspn(line, "\n")] = '\0';
	assert_string_equal(out + 7, strrchr(line, ' ') + 1);
	assert_true(sign_good(&k, &t, out));
	/* Another time, another body, another secret: not signed. */
	other.timestamp = "1700000001";
	assert_false(sign_good(&k, &other, out));
	other = t;
	other.len = 4;
	assert_false(sign_good(&k, &other, out));
	assert_true(sign_key(&k, SIGN_SHA256, "0123456789abcdeF"));
	assert_false(sign_good(&k, &t, out));
}

static void test_keys(void **state)
{
	struct sign_key k;
	char longest[300];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[255] = '\0';
	assert_true(sign_key(&k, SIGN_SHA256, longest));
	longest[255] = 'a';
	longest[256] = '\0';
	assert_false(sign_key(&k, SIGN_SHA256, longest));
	assert_false(sign_key(&k, SIGN_SHA256, ""));
	assert_false(sign_key(&k, SIGN_STANDARD, "whsec_"));
	assert_false(sign_key(&k, SIGN_STANDARD, "whsec_!!!!"));
	assert_true(sign_key(&k, SIGN_STANDARD, "whsec_QQ=="));
	assert_int_equal(k.n, 1);
	assert_true(sign_key(&k, SIGN_STANDARD, "plain"));
	assert_int_equal(k.n, 5);
}

static int enter(struct hooks *h, const char *name, const char *timestamp,
		 const char *signature, struct web_signed *s)
{
	const struct hooks_given g = {
		.sha256 = {timestamp, signature, NULL},
		.body = "hello",
		.len = 5,
	};

	return hooks_enter(h, name, &g, s);
}

static void test_enter(void **state)
{
	const struct sign_text t = {NULL, "1700000000", "hello", 5};
	struct hooks *h;
	struct sign_key k;
	struct web_hook hook = {"cam", &k};
	struct web_signed s, first;
	char out[SIGN_SIZE];

	(void)state;
	assert_int_equal(hooks_alloc(&h), 0);
	assert_true(sign_key(&k, SIGN_SHA256, "0123456789abcdef"));
	assert_int_equal(hooks_set(h, &hook, 1), 0);
	sign_make(&k, &t, out);
	assert_int_equal(enter(h, "cam", "1700000000", out, &first), 0);
	assert_true(first.time_us == INT64_C(1700000000000000));
	assert_int_equal(strlen(first.id), 63);
	/* Whatever stands around the signature, it is the same request. */
	strcat(out, " x");
	assert_int_equal(enter(h, "cam", "1700000000", out, &s), 0);
	assert_string_equal(s.id, first.id);
	sign_make(&k, &t, out);
	assert_int_equal(enter(h, "none", "1700000000", out, &s), EACCES);
	assert_int_equal(enter(h, "cam", NULL, out, &s), EACCES);
	assert_int_equal(enter(h, "cam", "1700000000", NULL, &s), EACCES);
	assert_int_equal(enter(h, "cam", "", out, &s), EACCES);
	assert_int_equal(enter(h, "cam", "-1700000000", out, &s), EACCES);
	assert_int_equal(enter(h, "cam", "1700000000000", out, &s), EACCES);
	assert_true(hooks_strangers(h) == 6);
	/* Taken away: nobody any more. */
	assert_int_equal(hooks_set(h, NULL, 0), 0);
	assert_int_equal(enter(h, "cam", "1700000000", out, &s), EACCES);
	hooks_free(h);
}

static void test_path(void **state)
{
	(void)state;
	assert_true(hooks_is_path("/hooks/cam"));
	assert_true(hooks_is_path("/api/v1/hooks/cam"));
	assert_false(hooks_is_path("/api/v1/hooks"));
	assert_false(hooks_is_path("/api/v1/broadcasts"));
	assert_false(hooks_is_path("/api/hooks/cam"));
	assert_false(hooks_is_path("//hooks/cam"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standard), cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_keys),     cmocka_unit_test(test_enter),
		cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
