/* Who calls, as text that is safe everywhere. */
#include "controller/sip/caller.h"

#include "controller/base/compat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_clean(const char *in, size_t n, size_t size,
			 const char *want)
{
	char out[64];

	memset(out, 'x', sizeof(out));
	caller_clean(out, size, in, n);
	assert_string_equal(out, want);
}

static void test_clean(void **state)
{
	(void)state;
	assert_clean("abc", 3, 64, "abc");
	assert_clean("a\r\nb\0c\x7f", 7, 64, "a??b?c?");
	assert_clean("K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x94\x94", 14, 64,
		     "K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x94\x94");
	/* RFC 3629: overlong, surrogate, beyond the last, lonely, cut */
	assert_clean("\xc0\xaf", 2, 64, "??");
	assert_clean("\xe0\x80\xaf", 3, 64, "???");
	assert_clean("\xed\xa0\x80", 3, 64, "???");
	assert_clean("\xf4\x90\x80\x80", 4, 64, "????");
	assert_clean("\x80z", 2, 64, "?z");
	assert_clean("a\xc3", 2, 64, "a?");
	/* cut to fit, never inside a character */
	assert_clean("abcdef", 6, 4, "abc");
	assert_clean("ab\xe2\x82\xac", 5, 5, "ab");
	assert_clean("ab\xe2\x82\xac", 5, 6, "ab\xe2\x82\xac");
	assert_clean("", 0, 1, "");
}

static void identify_by(struct caller *c, const char *uri, const char *from,
			const char *more, bool trusted)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sip_msg *msg;

	assert_int_equal(mbuf_printf(mb,
				     "INVITE %s SIP/2.0\r\n"
				     "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
				     "From: %s\r\nTo: <sip:x@y>\r\n"
				     "Call-ID: id@host\r\nCSeq: 1 INVITE\r\n"
				     "%s\r\n",
				     uri, from, more),
			 0);
	mb->pos = 0;
	assert_int_equal(sip_msg_decode(&msg, mb), 0);
	assert_int_equal(sa_set_str(&msg->src, "10.7.0.10", 5060), 0);
	caller_identify(c, msg, trusted);
	mem_deref(msg);
	mem_deref(mb);
}

static void identify(struct caller *c, const char *uri, const char *from)
{
	identify_by(c, uri, from, "", false);
}

/* RFC 3325 and RFC 4412: heeded only where who says it is trusted. */
static void test_asserted(void **state)
{
	static const char from[] = "\"Liar\" <sip:666@evil.example>;tag=1";
	static const char more[] =
		"P-Asserted-Identity: \"Gate\" <sip:hp-2@pbx.example>\r\n"
		"P-Asserted-Identity: <tel:+4930123>\r\n"
		"Resource-Priority: foo.1, wps.3\r\n"
		"Resource-Priority: esnet.2\r\n";
	static const char tel[] = "P-Asserted-Identity: <tel:+4930123>\r\n"
				  "P-Asserted-Identity: nonsense<\r\n";
	struct caller c;
	(void)state;

	identify_by(&c, "sip:701@10.7.0.2", from, more, true);
	assert_string_equal(c.uri, "sip:hp-2@10.7.0.10");
	assert_string_equal(c.display, "Gate");
	assert_int_equal(c.rank, 2);
	identify_by(&c, "sip:701@10.7.0.2", from, more, false);
	assert_string_equal(c.uri, "sip:666@10.7.0.10");
	assert_string_equal(c.display, "Liar");
	assert_int_equal(c.rank, -1);
	identify_by(&c, "sip:701@10.7.0.2", from, tel, true);
	assert_string_equal(c.uri, "sip:666@10.7.0.10");
	assert_int_equal(c.rank, -1);
}

static void test_identify(void **state)
{
	struct caller c;

	(void)state;
	identify(&c, "sip:701@10.7.0.2",
		 "\"Front \\\"Desk\\\"\" <sip:201@evil.example>;tag=1");
	assert_string_equal(c.user, "701");
	assert_string_equal(c.uri, "sip:201@10.7.0.10");
	assert_string_equal(c.display, "Front \"Desk\"");
	assert_string_equal(c.call_id, "id@host");

	identify(&c, "sip:10.7.0.2", "<sip:evil.example>;tag=1");
	assert_string_equal(c.user, "");
	assert_string_equal(c.uri, "sip:10.7.0.10");
	assert_string_equal(c.display, "");

	identify(&c, "sip:%37%30%31%0a%00%zz@h", "Desk <sip:a%0Db@h>;tag=1");
	assert_string_equal(c.user, "701??%zz");
	assert_string_equal(c.uri, "sip:a?b@10.7.0.10");
	assert_string_equal(c.display, "Desk");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_identify),
		cmocka_unit_test(test_asserted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
