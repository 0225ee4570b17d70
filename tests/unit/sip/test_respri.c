/* Resource-Priority (RFC 4412, RFC 7135): what is understood, and said. */
#include "controller/sip/respri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int rank(const char *value)
{
	return respri_rank(value, strlen(value));
}

static void test_read(void **state)
{
	static const struct {
		const char *value;
		int rank;
	} v[] = {
		{"esnet.0", 0},
		{"esnet.4", 4},
		/* these count down (RFC 4412 10.4 to 10.6) */
		{"ets.0", 4},
		{"ets.4", 0},
		{"wps.0", 4},
		{"wps.1", 3},
		{"q735.0", 4},
		{"q735.4", 0},
		{"dsn.routine", 0},
		{"dsn.priority", 1},
		{"dsn.immediate", 2},
		{"dsn.flash", 3},
		{"dsn.flash-override", 4},
		{"drsn.flash-override", 4},
		{"drsn.flash-override-override", 4},
		{"dsn.flash-override-override", RESPRI_NONE},
		{"DSN.Flash", 3},
		{" wps.3 ,\tdsn.flash\r\n , foo.9", 3},
		{"foo.9,,bar.1", RESPRI_NONE},
		{",esnet.1,", 1},
		{"esnet.5", RESPRI_NONE},
		{"esnet.", RESPRI_NONE},
		{"esnet", RESPRI_NONE},
		{"esnet.44", RESPRI_NONE},
		{"", RESPRI_NONE},
		{",", RESPRI_NONE},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		print_message("\"%s\"\n", v[i].value);
		assert_int_equal(rank(v[i].value), v[i].rank);
	}
}

static struct config config(void)
{
	struct config c = {.levels = {[CLASS_EVACUATE] = 250,
				      [CLASS_ALERT] = 220,
				      [CLASS_EMERGENCY] = 200,
				      [CLASS_URGENT] = 150,
				      [CLASS_PAGE] = 100}};

	return c;
}

/* What one says in any network, another of us understands. */
static void test_said_and_understood(void **state)
{
	static const uint8_t levels[] = {100, 150, 200, 220, 250};
	const struct config c = config();
	(void)state;

	for (int ns = RESPRI_ESNET; ns <= RESPRI_DRSN; ns++)
		for (int level = 0; level < 256; level++) {
			const char *said = respri_value(
				&c, (enum config_respri)ns, (uint8_t)level);
			int most = RESPRI_NONE;

			for (int i = 0; i < RESPRI_RANKS; i++)
				if (level >= levels[i])
					most = i;
			assert_int_equal(!!said, most >= 0);
			if (said)
				assert_int_equal(rank(said), most);
		}
	for (int r = 0; r < RESPRI_RANKS; r++)
		assert_int_equal(respri_level(&c, r), levels[r]);
	assert_int_equal(respri_level(&c, RESPRI_NONE), 0);
	assert_null(respri_value(&c, RESPRI_OFF, 250));
	assert_int_equal(rank(RESPRI_ACCEPTED), 4);
}

/* Each value that we say we know, we know. */
static void test_accepted(void **state)
{
	char all[] = RESPRI_ACCEPTED, *at = all, *one;
	unsigned n = 0;
	(void)state;

	while ((one = strsep(&at, ","))) {
		assert_true(rank(one) >= 0);
		n++;
	}
	assert_int_equal(n, 6 * RESPRI_RANKS + 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_said_and_understood),
		cmocka_unit_test(test_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
