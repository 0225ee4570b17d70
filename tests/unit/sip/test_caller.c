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

static void identify(struct caller *c, const char *uri, const char *from)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sip_msg *msg;

	assert_int_equal(mbuf_printf(mb,
				     "INVITE %s SIP/2.0\r\n"
				     "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
				     "From: %s\r\nTo: <sip:x@y>\r\n"
				     "Call-ID: id@host\r\nCSeq: 1 INVITE\r\n"
				     "\r\n",
				     uri, from),
			 0);
	mb->pos = 0;
	assert_int_equal(sip_msg_decode(&msg, mb), 0);
	assert_int_equal(sa_set_str(&msg->src, "10.7.0.10", 5060), 0);
	caller_identify(c, msg);
	mem_deref(msg);
	mem_deref(mb);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
