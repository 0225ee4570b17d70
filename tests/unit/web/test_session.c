/* Sessions against a clock of the test's own: their ends and their bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/session.h"
#include "web/web.h"

#include <string.h>

#define S UINT64_C(1000000)
#define T0 (5 * S)

static void test_idle_end(void **state)
{
	struct sessions *s = sessions_alloc();
	char token[SESSION_TOKEN];
	struct session_view v;
	uint64_t t = T0;

	(void)state;
	assert_int_equal(session_open(s, "boss", "$h", t, token), 0);
	assert_int_equal(strlen(token), SESSION_TOKEN - 1);
	t += WEB_SESSION_IDLE_S * S - 1;
	assert_true(session_use(s, token, t, &v));
	assert_string_equal(v.user, "boss");
	assert_string_not_equal(v.csrf, token);
	assert_int_equal(v.idle_s, WEB_SESSION_IDLE_S);
	t += WEB_SESSION_IDLE_S * S;
	assert_false(session_use(s, token, t, &v));
	/* It does not come back. */
	assert_false(session_use(s, token, T0, &v));
	sessions_free(s);
}

static void test_absolute_end(void **state)
{
	struct sessions *s = sessions_alloc();
	char token[SESSION_TOKEN];
	struct session_view v;

	(void)state;
	assert_int_equal(session_open(s, "boss", "$h", T0, token), 0);
	for (unsigned at = 0; at < WEB_SESSION_S; at += 600) {
		assert_true(session_use(s, token, T0 + at * S, &v));
		assert_int_equal(v.ends_s, WEB_SESSION_S - at);
		assert_true(v.idle_s <= v.ends_s);
	}
	assert_false(session_use(s, token, T0 + WEB_SESSION_S * S, &v));
	sessions_free(s);
}

static void test_bounds(void **state)
{
	struct sessions *s = sessions_alloc();
	char other[SESSION_TOKEN], first[SESSION_TOKEN], second[SESSION_TOKEN];
	char token[SESSION_TOKEN];
	struct session_view v;

	(void)state;
	assert_int_equal(session_open(s, "eye", "$e", T0, other), 0);
	assert_int_equal(session_open(s, "boss", "$h", T0 + 1, first), 0);
	assert_int_equal(session_open(s, "boss", "$h", T0 + 2, second), 0);
	assert_true(session_use(s, first, T0 + 3, &v));
	for (unsigned i = 2; i <= WEB_MAX_USER_SESSIONS; i++)
		assert_int_equal(
			session_open(s, "boss", "$h", T0 + 2 + i, token), 0);
	/* The one of that user that was used longest ago made way. */
	assert_false(session_use(s, second, T0 + 50, &v));
	assert_true(session_use(s, first, T0 + 50, &v));
	assert_true(session_use(s, other, T0 + 50, &v));
	/* Many users fill the table: somebody's oldest makes way. */
	for (unsigned i = 0; i < WEB_MAX_SESSIONS; i++) {
		char user[2] = {(char)(i / 10 + 1), 0};

		assert_int_equal(
			session_open(s, user, "$h", T0 + 100 + i, token), 0);
	}
	assert_false(session_use(s, other, T0 + 1000, &v));
	assert_true(session_use(s, token, T0 + 1000, &v));
	sessions_free(s);
}

static bool same(const char *user, const char *hash, void *arg)
{
	return !strcmp(user, "boss") && !strcmp(hash, arg);
}

static void test_ended(void **state)
{
	struct sessions *s = sessions_alloc();
	char boss[SESSION_TOKEN], eye[SESSION_TOKEN], hash[] = "$h";
	struct session_view v;

	(void)state;
	assert_int_equal(session_open(s, "boss", "$h", T0, boss), 0);
	assert_int_equal(session_open(s, "eye", "$h", T0, eye), 0);
	sessions_keep(s, same, hash);
	assert_true(session_use(s, boss, T0, &v));
	assert_false(session_use(s, eye, T0, &v));
	session_close(s, eye);
	session_close(s, "");
	assert_true(session_use(s, boss, T0, &v));
	session_close(s, boss);
	assert_false(session_use(s, boss, T0, &v));
	sessions_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_end),
		cmocka_unit_test(test_absolute_end),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
