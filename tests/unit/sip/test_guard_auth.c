/* How challenges are answered: every order of algorithms, what is new and what
 * is wrong. Each answer is held against the password by our own registrar's
 * check. */
#include "controller/base/compat.h"
#include "controller/sip/digest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PASSWORD "Circle of Life"
#define URI "sip:pbx.example"

#if TC_RE_VER < 31200
int sip_auth_encode(struct mbuf *mb, struct sip_auth *auth, const char *met,
		    const char *uri);
#endif

static struct sip_auth *auth;
static unsigned asked;
static int refuse;

static int credentials(char **user, char **password, const char *realm,
		       void *arg)
{
	assert_ptr_equal(arg, &asked);
	assert_true(realm[0]);
	asked++;
	if (refuse)
		return refuse;
	return str_dup(user, "Mufasa") || str_dup(password, PASSWORD);
}

static int setup(void **state)
{
	(void)state;
	asked = 0;
	refuse = 0;
	return sip_auth_alloc(&auth, credentials, &asked, false);
}

static int teardown(void **state)
{
	(void)state;
	auth = mem_deref(auth);
	return 0;
}

/* A 401 with these header lines, taken in. */
static int challenged(const char *lines)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sip_msg *msg;
	int err;

	assert_non_null(mb);
	assert_int_equal(
		mbuf_printf(mb,
			    "SIP/2.0 401 Unauthorized\r\n"
			    "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n"
			    "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n"
			    "Call-ID: x\r\nCSeq: 1 REGISTER\r\n%s\r\n",
			    lines),
		0);
	mb->pos = 0;
	assert_int_equal(sip_msg_decode(&msg, mb), 0);
	err = sip_auth_authenticate(auth, msg);
	mem_deref(msg);
	mem_deref(mb);
	return err;
}

/* The header lines that answer; "" = none. */
static const char *lines(void)
{
	static char text[4096];
	struct mbuf *mb = mbuf_alloc(512);

	assert_int_equal(sip_auth_encode(mb, auth, "REGISTER", URI), 0);
	snprintf(text, sizeof(text), "%.*s", (int)mb->end, (char *)mb->buf);
	mem_deref(mb);
	return text;
}

/* Is the header line a right answer, and by which algorithm? */
static void right(const char *line, const char *name, bool sha256,
		  uint32_t count)
{
	struct digest_answer a;
	const size_t n = strlen(name);

	if (strncmp(line, name, n) || strncmp(line + n, ": Digest ", 9))
		fail_msg("no %s: %s", name, line);
	assert_true(
		digest_decode(&a, line + n + 2, strcspn(line, "\r") - n - 2));
	assert_true(digest_equal(a.user, "Mufasa"));
	assert_true(digest_equal(a.uri, URI));
	assert_int_equal(a.sha256, sha256);
	assert_int_equal(a.count, count);
	assert_true(digest_matches(&a, "REGISTER", 8, PASSWORD));
	assert_false(digest_matches(&a, "INVITE", 6, PASSWORD));
	assert_false(digest_matches(&a, "REGISTER", 8, "another"));
}

#define C "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", "
#define SHA C "algorithm=SHA-256, qop=\"auth\"\r\n"
#define MD5 C "algorithm=MD5, qop=\"auth\"\r\n"
#define NEW "algorithm=SHA-512-256, qop=\"auth\"\r\n"

/* RFC 8760 2.4: the first that we know, whatever stands before or behind. */
static void test_orders(void **state)
{
	static const struct {
		const char *text;
		bool sha256;
	} rows[] = {
		{SHA, true},
		{MD5, false},
		{SHA MD5, true},
		{MD5 SHA, false},
		{C NEW SHA, true},
		{C NEW MD5 SHA, false},
		{"WWW-Authenticate: Basic realm=\"r\"\r\n" MD5, false},
		{C "algorithm=SHA-256, qop=\"auth-int\"\r\n" MD5, false},
		{C "algorithm=sha-256, qop=\"auth-int,auth\"\r\n" MD5, true},
		{C "qop=\"auth\"\r\n", false}, /* none said is MD5 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sip_auth_reset(auth);
		assert_int_equal(challenged(rows[i].text), 0);
		right(lines(), "Authorization", rows[i].sha256, 1);
	}
}

static void test_what_cannot_be_answered(void **state)
{
	(void)state;
	assert_int_equal(challenged(""), ENOTSUP);
	assert_int_equal(challenged(C NEW), ENOTSUP);
	assert_int_equal(challenged(C "qop=\"auth-int\"\r\n"), ENOTSUP);
	assert_int_equal(challenged(C "qop=\"authority\"\r\n"), ENOTSUP);
	assert_int_equal(asked, 0);
	assert_string_equal(lines(), "");
	refuse = EACCES;
	assert_int_equal(challenged(SHA), EACCES);
	assert_string_equal(lines(), "");
	assert_int_equal(sip_auth_authenticate(NULL, NULL), EINVAL);
	assert_int_equal(sip_auth_encode(NULL, auth, "BYE", URI), EINVAL);
}

/* As RFC 2069 had it: no quality, no count. */
static void test_without_qop(void **state)
{
	(void)state;
	assert_int_equal(challenged(C "algorithm=MD5\r\n"), 0);
	right(lines(), "Authorization", false, 0);
	assert_null(strstr(lines(), "cnonce"));
	assert_null(strstr(lines(), "qop"));
}

static void test_counts_and_opaque(void **state)
{
	(void)state;
	assert_int_equal(challenged(C "opaque=\"o%q\", qop=\"auth\"\r\n"), 0);
	right(lines(), "Authorization", false, 1);
	right(lines(), "Authorization", false, 2);
	assert_non_null(strstr(lines(), "opaque=\"o%q\""));
}

/* With the nonce that was new the password is wrong: no second try. */
static void test_wrong_password(void **state)
{
	(void)state;
	assert_int_equal(challenged(SHA), 0);
	right(lines(), "Authorization", true, 1);
	assert_int_equal(challenged(SHA), EAUTH);
	/* one that has served before is old */
	sip_auth_reset(auth);
	assert_int_equal(challenged(SHA), 0);
	(void)lines();
	(void)lines();
	assert_int_equal(challenged(C "qop=\"auth\"\r\n"), 0);
	right(lines(), "Authorization", false, 1);
	/* and so is one that is said to be */
	assert_int_equal(challenged(C "qop=\"auth\", stale=TRUE\r\n"), 0);
	right(lines(), "Authorization", false, 1);
	assert_int_equal(challenged(C "qop=\"auth\", stale=false\r\n"), EAUTH);
}

/* Proxies on the way and who is asked: each its own, but not without end. */
static void test_realms(void **state)
{
	static const char proxy[] =
		"Proxy-Authenticate: Digest realm=\"p\", nonce=\"n2\", "
		"algorithm=SHA-256, qop=\"auth\"\r\n";
	const char *second;

	(void)state;
	assert_int_equal(challenged(proxy), 0);
	right(lines(), "Proxy-Authorization", true, 1);
	assert_int_equal(challenged(MD5), 0);
	second = strstr(lines(), "\r\n");
	assert_non_null(second);
	right(second + 2, "Authorization", false, 1);
	assert_int_equal(asked, 2);
	assert_int_equal(
		challenged(
			"WWW-Authenticate: Digest realm=\"3\", nonce=\"n\"\r\n"
			"WWW-Authenticate: Digest realm=\"4\", nonce=\"n\"\r\n"
			"WWW-Authenticate: Digest realm=\"5\", "
			"nonce=\"n\"\r\n"),
		EOVERFLOW);
	assert_int_equal(asked, 4);
}

static int begin(void **state)
{
	(void)state;
	return libre_init();
}

static int end(void **state)
{
	(void)state;
	libre_close();
	return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_orders),         T(test_what_cannot_be_answered),
		T(test_without_qop),    T(test_counts_and_opaque),
		T(test_wrong_password), T(test_realms),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
