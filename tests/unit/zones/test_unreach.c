/* When "cannot be reached" becomes trouble, and when it is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zones/engine/unreach.h"

#include <errno.h>

#define S UINT64_C(1000000)

static void test_passing(void **state)
{
	struct unreach u = {.err = 0};

	(void)state;
	assert_false(unreach_changed(&u, 5 * S));
	unreach_note(&u, ECONNREFUSED, 5 * S);
	unreach_note(&u, ECONNREFUSED, 7 * S);
	assert_false(unreach_changed(&u, 7 * S));
	assert_int_equal(unreach_lately(&u, 7 * S), ECONNREFUSED);
	/* long silence: it begins anew */
	assert_int_equal(unreach_lately(&u, 17 * S), 0);
	unreach_note(&u, ECONNREFUSED, 18 * S);
	assert_false(unreach_changed(&u, 18 * S));
	assert_false(unreach_changed(&u, 40 * S));
}

static void test_lasting(void **state)
{
	struct unreach u = {.err = 0};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		unreach_note(&u, EHOSTUNREACH, (100 + i) * S);
	assert_false(unreach_changed(&u, 102 * S));
	unreach_note(&u, EHOSTUNREACH, 103 * S);
	assert_true(unreach_changed(&u, 103 * S));
	assert_int_equal(u.told, EHOSTUNREACH);
	assert_false(unreach_changed(&u, 104 * S));
	/* said once more: it goes on */
	unreach_note(&u, ECONNREFUSED, 111 * S);
	assert_false(unreach_changed(&u, 120 * S));
	assert_true(unreach_changed(&u, 121 * S));
	assert_int_equal(u.told, 0);
	assert_false(unreach_changed(&u, 122 * S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passing),
		cmocka_unit_test(test_lasting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
