/* Keys in INFO bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/sip/info.h"

#include <string.h>

static char key(const char *type, const char *body)
{
	return info_key(type, strlen(type), body, strlen(body));
}

static void test_info(void **state)
{
	static const char relay[] = "application/dtmf-relay";
	(void)state;

	assert_int_equal(key(relay, "Signal=5\r\nDuration=160\r\n"), '5');
	assert_int_equal(key(relay, "Duration=160\r\nsignal = # \r\n"), '#');
	assert_int_equal(key("Application/DTMF-Relay ;x=y", "Signal=*"), '*');
	assert_int_equal(key(relay, "Signal=10\r\n"), '*');
	assert_int_equal(key(relay, "Signal=11\r\n"), '#');
	assert_int_equal(key(relay, "Signal=d\r\n"), 'D');
	assert_int_equal(key("application/dtmf", "7"), '7');
	assert_int_equal(key("application/dtmf", "1\r\n"), '1');
	assert_int_equal(key("application/dtmf", ""), 0);
	assert_int_equal(key("application/dtmf", "12"), 0);
	assert_int_equal(key("application/dtmf", "hello"), 0);
	assert_int_equal(key(relay, "5"), 0);
	assert_int_equal(key(relay, "Signal"), 0);
	assert_int_equal(key(relay, "Signal=\r\n5"), 0);
	assert_int_equal(key(relay, "Signal=16\r\n"), 0);
	assert_int_equal(key(relay, "Signals=1\r\n"), 0);
	assert_int_equal(key("text/plain", "Signal=5"), 0);
	assert_int_equal(info_key("application/dtmf", 16, "5xyz", 1), '5');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
