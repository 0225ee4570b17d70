/* RFC 4028 as arithmetic: what is answered, offered, agreed, and when. */
#include "controller/sip/session_timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct session_said said(const char *expires, const char *min)
{
	struct session_said s = {.timer = true};

	if (expires)
		(void)session_read_expires(&s, expires, strlen(expires));
	if (min)
		(void)session_read_min(&s, min, strlen(min));
	return s;
}

static void test_read(void **state)
{
	static const char *const bad[] = {"", "x", "-1", "90x", "0", " 90"};
	struct session_said s = said("1800 ; Refresher=UAS;x", "120;y=1");

	(void)state;
	assert_false(s.malformed);
	assert_int_equal(s.expires_s, 1800);
	assert_int_equal(s.refresher, SESSION_UAS);
	assert_int_equal(s.min_s, 120);
	s = said("90;x;refresher=uac", NULL);
	assert_int_equal(s.refresher, SESSION_UAC);
	s = said("90;refresher=nobody", NULL);
	assert_int_equal(s.refresher, SESSION_ANYBODY);
	/* never wraps */
	s = said("4294967386", "18446744073709551706");
	assert_int_equal(s.expires_s, SESSION_MAX_S);
	assert_int_equal(s.min_s, SESSION_MAX_S);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		s = said(bad[i], NULL);
		assert_true(s.malformed);
		assert_int_equal(s.expires_s, 0);
	}
	s = said(NULL, "many");
	assert_true(s.malformed);
}

static void test_answer(void **state)
{
	static const struct {
		const char *expires, *min;
		bool timer;
		uint32_t ours;
		uint16_t status;
		uint32_t interval;
		bool we;
		const char *lines;
	} v[] = {
		/* nobody asks */
		{NULL, NULL, false, 1800, 200, 0, false, ""},
		/* we have none */
		{"1800", NULL, true, 0, 200, 0, false, ""},
		{"10", NULL, true, 0, 200, 0, false, ""},
		/* theirs is shorter, longer, much too short */
		{"600", NULL, true, 1800, 200, 600, false,
		 "Require: timer\r\nSupported: timer\r\n"
		 "Session-Expires: 600;refresher=uac\r\n"},
		{"3600;refresher=uas", NULL, true, 1800, 200, 1800, true,
		 "Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\n"},
		{"89", NULL, true, 1800, 422, 0, false, "Min-SE: 90\r\n"},
		{"90", NULL, true, 1800, 200, 90, false,
		 "Require: timer\r\nSupported: timer\r\n"
		 "Session-Expires: 90;refresher=uac\r\n"},
		/* never below their Min-SE, never below ours */
		{"3600", "2000", true, 1800, 200, 2000, false,
		 "Require: timer\r\nSupported: timer\r\n"
		 "Session-Expires: 2000;refresher=uac\r\n"},
		{"3600", NULL, true, 5, 200, 90, false,
		 "Require: timer\r\nSupported: timer\r\n"
		 "Session-Expires: 90;refresher=uac\r\n"},
		/* they can, and leave it to us */
		{NULL, NULL, true, 1800, 200, 1800, true,
		 "Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\n"},
		/* a proxy asks for who cannot: we refresh, and refuse nothing
		 */
		{"60", NULL, false, 1800, 200, 60, true,
		 "Supported: timer\r\nSession-Expires: 60;refresher=uas\r\n"},
		{"soon", NULL, true, 1800, 400, 0, false, ""},
		{"soon", NULL, true, 0, 200, 0, false, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct session_said s = said(v[i].expires, v[i].min);
		char lines[SESSION_LINES_SIZE];
		struct session_terms t;

		s.timer = v[i].timer;
		assert_int_equal(session_answer(&s, v[i].ours, &t, lines),
				 v[i].status);
		assert_int_equal(t.interval_s, v[i].interval);
		assert_int_equal(t.we_refresh, v[i].we);
		assert_string_equal(lines, v[i].lines);
	}
}

static void test_offer(void **state)
{
	struct session_terms t = {0};
	char lines[SESSION_LINES_SIZE];

	(void)state;
	session_offer(&t, 0, 0, lines);
	assert_string_equal(lines, "");
	session_offer(&t, 1800, 0, lines);
	assert_string_equal(lines, "Supported: timer\r\n"
				   "Session-Expires: 1800;refresher=uac\r\n");
	session_offer(&t, 600, 3600, lines);
	assert_string_equal(lines, "Supported: timer\r\n"
				   "Session-Expires: 3600;refresher=uac\r\n"
				   "Min-SE: 3600\r\n");
	/* in the dialog: what holds, and who refreshes stays the same */
	t = (struct session_terms){300, false};
	session_offer(&t, 1800, 0, lines);
	assert_non_null(
		strstr(lines, "Session-Expires: 300;refresher=uas\r\n"));
	t.we_refresh = true;
	session_offer(&t, 1800, 0, lines);
	assert_non_null(
		strstr(lines, "Session-Expires: 300;refresher=uac\r\n"));
}

static void test_agreed(void **state)
{
	struct session_said s = said("600;refresher=uas", NULL);
	struct session_terms t;

	(void)state;
	session_agreed(&s, &t);
	assert_int_equal(t.interval_s, 600);
	assert_false(t.we_refresh);
	s = said("600", NULL);
	session_agreed(&s, &t);
	assert_true(t.we_refresh);
	s = said("1;refresher=uac", NULL);
	session_agreed(&s, &t);
	assert_int_equal(t.interval_s, 90);
	s = said(NULL, NULL);
	session_agreed(&s, &t);
	assert_int_equal(t.interval_s, 0);
}

/* Turns the clock on, from one look to the next, as its user does. */
static void assert_course(struct session_terms t, const uint64_t *tries,
			  size_t n, uint64_t end)
{
	uint64_t now = 0, wait;
	unsigned done = 0;

	for (;;) {
		const enum session_act act = session_next(&t, now, done, &wait);

		if (act == SESSION_END)
			break;
		if (act == SESSION_REFRESH) {
			assert_true(done < n);
			assert_int_equal(now, tries[done++]);
		}
		assert_true(wait > 0);
		now += wait;
	}
	assert_int_equal(done, n);
	assert_int_equal(now, end);
	assert_int_equal(wait, 0);
}

static void test_next(void **state)
{
	static const uint64_t by_us[] = {900000, 1334000};
	static const uint64_t short_ones[] = {45000, 52500};
	const struct session_terms none = {0};
	uint64_t wait = 1;

	(void)state;
	assert_course((struct session_terms){1800, true}, by_us, 2, 1768000);
	assert_course((struct session_terms){1800, false}, NULL, 0, 1768000);
	/* a third is less than 32 s */
	assert_course((struct session_terms){90, true}, short_ones, 2, 60000);
	assert_course((struct session_terms){90, false}, NULL, 0, 60000);
	assert_int_equal(session_next(&none, UINT64_MAX, 0, &wait),
			 SESSION_WAIT);
	assert_int_equal(wait, 0);
	/* asleep for long: one try for each that was missed, and the end */
	assert_int_equal(session_next(&(struct session_terms){1800, true},
				      1400000, 0, &wait),
			 SESSION_REFRESH);
	assert_int_equal(wait, 1);
	assert_int_equal(session_next(&(struct session_terms){1800, true},
				      1768000, 0, &wait),
			 SESSION_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),  cmocka_unit_test(test_answer),
		cmocka_unit_test(test_offer), cmocka_unit_test(test_agreed),
		cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
