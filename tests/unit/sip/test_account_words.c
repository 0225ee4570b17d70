/* Why a registration failed, as who can put it right reads it. */
#include "controller/sip/account_words.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WHERE "tcp:10.7.0.10:5060"

static const struct {
	uint16_t status;
	int err;
	bool proved, secure;
	const char *distrust, *says;
} rows[] = {
	{401, 0, true, false, NULL,
	 "wrong password, or user \"7000\" is unknown at " WHERE " (401)"},
	{407, 0, false, false, NULL, "wrong password, or user \"7000\""},
	{403, 0, true, false, NULL, "wrong password or unknown user, or not"},
	{403, 0, false, false, NULL,
	 "(403 No): unknown user, or not from this address"},
	{404, 0, false, false, NULL,
	 "unknown user: " WHERE " has no sip:7000@x"},
	{410, 0, false, false, NULL, "unknown user"},
	{604, 0, false, false, NULL, "unknown user"},
	{405, 0, false, false, NULL, "registers nobody (405 No): wrong port"},
	{501, 0, false, false, NULL, "registers nobody"},
	{400, 0, false, false, NULL, "does not take it (400 No): wrong transp"},
	{488, 0, false, false, NULL, "wrong transport?"},
	{503, 0, false, false, NULL, WHERE " refused: 503 No"},
	{0, 0, false, false, NULL, "no answer from " WHERE ": PBX down"},
	{0, ETIMEDOUT, false, false, NULL, "firewall"},
	{0, ECONNREFUSED, false, false, NULL, "nothing listens at " WHERE},
	{0, EHOSTUNREACH, false, false, NULL, "no route to " WHERE},
	{0, ENETUNREACH, false, false, NULL, "no route to " WHERE},
	{0, EADDRNOTAVAIL, false, false, NULL, "sip.listen"},
	{0, ENOTSUP, false, false, NULL, "other than MD5 and SHA-256"},
	{0, ECONNRESET, false, false, NULL, "closed the connection: wrong"},
	{0, EPROTO, false, true, NULL, "speaks no TLS that we do"},
	{0, EIO, false, false, NULL, WHERE ": Input/output error"},
	/* of several reasons the certificate comes first */
	{503, ECONNRESET, false, true, "it has expired",
	 "certificate of " WHERE " is not trusted: it has expired"},
	{503, 0, false, true, "", "refused: 503"},
};

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct account_failure f = {
			.where = WHERE,
			.user = "7000",
			.aor = "sip:7000@x",
			.status = rows[i].status,
			.phrase = "No",
			.err = rows[i].err,
			.proved = rows[i].proved,
			.secure = rows[i].secure,
			.distrust = rows[i].distrust,
		};
		char text[256], small[16];

		account_words(text, sizeof(text), &f);
		if (!strstr(text, rows[i].says))
			fail_msg("row %zu: \"%s\" has no \"%s\"", i, text,
				 rows[i].says);
		account_words(small, sizeof(small), &f);
		assert_int_equal(strncmp(small, text, sizeof(small) - 1), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_words)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
