/* The document of a lamp, and what is granted to who wants it. */
#include "controller/sip/dialog_info.h"
#include "controller/sip/lamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_documents(void **state)
{
	static const struct {
		enum lamp_state state;
		const char *text;
	} rows[] = {{LAMP_OFF, "<state>terminated</state>"},
		    {LAMP_EARLY, "<state>early</state>"},
		    {LAMP_ON, "<state>confirmed</state>"}};
	char b[DIALOG_INFO_SIZE];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const size_t n = dialog_info_print(b, sizeof(b), "sip:7@h", "7",
						   41, rows[i].state);

		assert_int_equal(n, strlen(b));
		assert_non_null(strstr(b, rows[i].text));
		assert_non_null(strstr(b, " version=\"41\" state=\"full\" "
					  "entity=\"sip:7@h\">"));
		assert_non_null(strstr(b, "<dialog id=\"7\""));
	}
}

/* What a stranger wrote in his request is no markup. */
static void test_no_markup(void **state)
{
	char b[DIALOG_INFO_SIZE], wide[512];

	(void)state;
	assert_true(dialog_info_print(b, sizeof(b), "sip:\"><x>&@h", "\"<&>", 0,
				      LAMP_OFF));
	assert_non_null(strstr(b, "entity=\"sip:&quot;&gt;&lt;x&gt;&amp;@h\""));
	assert_non_null(strstr(b, "id=\"&quot;&lt;&amp;&gt;\""));
	memset(wide, '"', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0';
	assert_int_equal(dialog_info_print(b, sizeof(b), wide, "7", 0, LAMP_ON),
			 0);
	assert_int_equal(
		dialog_info_print(b, sizeof(b), "sip:7@h", wide, 0, LAMP_ON),
		0);
	assert_int_equal(dialog_info_print(b, 100, "sip:7@h", "7", 0, LAMP_ON),
			 0);
}

static void test_expires(void **state)
{
	static const struct {
		const char *wanted;
		uint16_t status;
		uint32_t granted;
	} rows[] = {
		{"", 200, LAMP_MAX_S},
		{"0", 200, 0},
		{"1", 423, 0},
		{"59", 423, 0},
		{"60", 200, 60},
		{"3600", 200, 3600},
		{"3601", 200, LAMP_MAX_S},
		{"99999999999999", 200, LAMP_MAX_S},
		{"-1", 400, 0},
		{"1x", 400, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t granted;
		const uint16_t status = lamp_expires(
			rows[i].wanted, strlen(rows[i].wanted), &granted);

		if (status != rows[i].status ||
		    (status == 200 && granted != rows[i].granted))
			fail_msg("\"%s\": %u, %u s", rows[i].wanted, status,
				 granted);
	}
}

static void test_lost(void **state)
{
	static const uint16_t gone[] = {0,   404, 405, 410, 416, 480,
					481, 485, 489, 501, 604};
	static const uint16_t stays[] = {200, 202, 401, 407,
					 408, 500, 503, 600};

	(void)state;
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		assert_true(lamp_lost(gone[i]));
	for (size_t i = 0; i < sizeof(stays) / sizeof(stays[0]); i++)
		assert_false(lamp_lost(stays[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_no_markup),
		cmocka_unit_test(test_expires),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
