/* What an Accept header covers. */
#include "controller/sip/accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_covers(void **state)
{
	static const struct {
		const char *value;
		bool yes;
	} rows[] = {
		{"application/dialog-info+xml", true},
		{"Application/Dialog-Info+XML;q=0.5", true},
		{"text/plain, application/dialog-info+xml", true},
		{"*/*", true},
		{"application/*", true},
		{"application/* ;q=0.1", true},
		{"application/pidf+xml", false},
		{"application/dialog-info+xmlx", false},
		{"applications/*", false},
		{"text/*", false},
		{"", false},
		{",,", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (accept_covers(rows[i].value, strlen(rows[i].value),
				  "application/dialog-info+xml") != rows[i].yes)
			fail_msg("\"%s\"", rows[i].value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_covers)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
