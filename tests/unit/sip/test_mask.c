/* What is a secret in a SIP message, and that nothing else is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/sip/mask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char buf[8192];

/* head lines (each with CRLF) and body, masked */
static const char *masked(const char *head, const char *body)
{
	snprintf(buf, sizeof(buf),
		 "INVITE sip:701@10.0.0.1 SIP/2.0\r\n%s\r\n%s", head, body);
	mask_secrets(buf, strlen(buf));
	return buf;
}

static void becomes(const char *head, const char *body, const char *want_head,
		    const char *want_body)
{
	char want[sizeof(buf)];

	snprintf(want, sizeof(want),
		 "INVITE sip:701@10.0.0.1 SIP/2.0\r\n%s\r\n%s", want_head,
		 want_body);
	assert_string_equal(masked(head, body), want);
}

static void test_digest(void **state)
{
	(void)state;
	becomes("Authorization: Digest username=\"a,b\", realm=\"r\", "
		"nonce=\"n\", uri=\"sip:701@10.0.0.1\", "
		"response=\"0123456789abcdef\", algorithm=MD5, cnonce=\"c\", "
		"nc=00000001, qop=auth\r\n",
		"",
		"Authorization: Digest username=\"a,b\", realm=\"r\", "
		"nonce=\"n\", uri=\"sip:701@10.0.0.1\", "
		"response=******************, algorithm=MD5, cnonce=\"c\", "
		"nc=00000001, qop=auth\r\n",
		"");
	/* blanks, case, folded lines, what nobody knows */
	becomes("PROXY-AUTHORIZATION :  digest\r\n realm = \"r\",\r\n"
		"\tRESPONSE = abc ,x=secret,lonely\r\n",
		"",
		"PROXY-AUTHORIZATION :  digest\r\n realm = \"r\",\r\n"
		"\tRESPONSE = *** ,x=******,******\r\n",
		"");
	becomes("Authentication-Info: qop=auth, rspauth=\"ab\", "
		"nextnonce=\"z\"\r\n",
		"",
		"Authentication-Info: qop=auth, rspauth=****, "
		"nextnonce=\"z\"\r\n",
		"");
	becomes("Authorization: Basic YTpi\r\n", "",
		"Authorization: Basic ****\r\n", "");
	becomes("Authorization: bearer\r\n", "", "Authorization: ******\r\n",
		"");
	/* a challenge is no secret */
	becomes("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", "",
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", "");
	/* cut off in the middle: an open quote hides all there is */
	snprintf(buf, sizeof(buf),
		 "ACK sip:a SIP/2.0\r\nAuthorization: Digest response=\"abc");
	mask_secrets(buf, strlen(buf));
	assert_string_equal(
		buf,
		"ACK sip:a SIP/2.0\r\nAuthorization: Digest response=****");
}

static void test_uris(void **state)
{
	(void)state;
	becomes("From: <sip:bob:pw1@h>;tag=1\r\nTo: sips:amy:p2@h:5061\r\n"
		"Contact: <sip:10.0.0.1:5060>, <sip:[fd00::1]:5060>\r\n",
		"",
		"From: <sip:bob:***@h>;tag=1\r\nTo: sips:amy:**@h:5061\r\n"
		"Contact: <sip:10.0.0.1:5060>, <sip:[fd00::1]:5060>\r\n",
		"");
	snprintf(buf, sizeof(buf), "INVITE sip:7:1234@h SIP/2.0\r\n\r\n");
	mask_secrets(buf, strlen(buf));
	assert_string_equal(buf, "INVITE sip:7:****@h SIP/2.0\r\n\r\n");
}

static void test_sdp(void **state)
{
	(void)state;
	becomes("Content-Type: application/sdp\r\n",
		"v=0\r\nk=base64:abc\r\nm=audio 7000 RTP/SAVP 0\r\n"
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
		"inline:QUJDRA==|2^20|1:4;inline:RUY= KDR=1\r\n"
		"a=key-mgmt:mikey AQAF\r\na=ice-ufrag:u\r\na=ice-pwd:pw\r\n"
		"a=fingerprint:sha-256 AA:BB\r\n",
		"Content-Type: application/sdp\r\n",
		"v=0\r\nk=**********\r\nm=audio 7000 RTP/SAVP 0\r\n"
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
		"inline:********|2^20|1:4;inline:**** KDR=1\r\n"
		"a=key-mgmt:**********\r\na=ice-ufrag:u\r\na=ice-pwd:**\r\n"
		"a=fingerprint:sha-256 AA:BB\r\n");
}

static void test_keys(void **state)
{
	(void)state;
	becomes("Content-Type: application/dtmf-relay\r\n",
		"Signal=5\r\nDuration=160\r\n",
		"Content-Type: application/dtmf-relay\r\n",
		"Signal=*\r\nDuration=160\r\n");
	becomes("c: Application/DTMF-Relay\r\n", "signal = 5", /* no end */
		"c: Application/DTMF-Relay\r\n", "signal = *");
	becomes("Content-Type: application/dtmf\r\n", "5\r\n",
		"Content-Type: application/dtmf\r\n", "*\r\n");
	becomes("Content-Type: application/kpml-response+xml\r\n",
		"<kpml digits=\"12\"/>",
		"Content-Type: application/kpml-response+xml\r\n",
		"*******************");
}

/* Only bytes become stars, and none is read or written beyond its piece. */
static void test_any_cut(void **state)
{
	static const char whole[] =
		"INFO sip:a:b@c SIP/2.0\r\nAuthorization: Digest "
		"response=\"x\\\",y\r\n folded\r\nc: application/dtmf\r\n"
		"garbage\r\n: \r\n\r\na=crypto:1 inline:abc|2\r\nSignal=1\r\n";

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		char *p = malloc(n ? n : 1);

		assert_non_null(p);
		memcpy(p, whole, n);
		mask_secrets(p, n);
		for (size_t i = 0; i < n; i++)
			assert_true(p[i] == whole[i] || p[i] == '*');
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),  cmocka_unit_test(test_uris),
		cmocka_unit_test(test_sdp),     cmocka_unit_test(test_keys),
		cmocka_unit_test(test_any_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
