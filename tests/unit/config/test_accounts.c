/* Accounts in the configuration: what is refused, and what is found in them. */
#include "config_util.h"

#include <errno.h>

#define SIP "sip { listen = { \"udp:127.0.0.1:5060\" } }\n"
#define AOR "aor = \"sip:7000@10.7.0.10\" "
#define PBX "account \"pbx\" { " AOR

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{PBX "}", "cannot register without SIP"},
		{SIP "account \"pbx\" { }", "\"aor\" is missing"},
		{SIP "account \"pbx\" { aor = \"7000\" }",
		 "aor \"7000\": allowed: \"sip:USER@HOST\""},
		{SIP "account \"pbx\" { aor = \"sip:10.7.0.10\" }",
		 "allowed: \"sip:USER@HOST\""},
		{SIP "account \"pbx\" { aor = \"sip:1@h;transport=tcp\" }",
		 "allowed: \"sip:USER@HOST\""},
		{SIP PBX "registrars = { \"10.7.0.10\" } }",
		 "registrar \"10.7.0.10\": allowed: \"sip:HOST\""},
		{SIP PBX "registrars = { \"sip:7000@10.7.0.10\" } }",
		 "registrar \"sip:7000@10.7.0.10\": allowed"},
		{SIP PBX "registrars = { \"sip:h;transport=tls\" } }",
		 "cannot be reached without a \"tls:\" entry in sip.listen"},
		{SIP PBX "registrars = { \"sip:h\", "
			 "\"sip:h;transport=tcp\" } }",
		 "registrar \"sip:h;transport=tcp\" cannot be reached"},
		{SIP PBX "}\naccount \"other\" { " AOR "}",
		 "account \"pbx\" has the same aor"},
		{SIP PBX "password-file = \"open\" }", "password-file"},
		{SIP PBX "password-file = \"none\" }", "none"},
		{SIP PBX "auth-user = \"a\\\"b\" }", "leave them out"},
		{SIP PBX "expires = \"10s\" }", "expires"},
	};
	struct world *w = world_new();

	(void)state;
	world_key(w, "open", 0644);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int err;

		world_write(w, "tocsin.conf", bad[i].text);
		if (world_load_err(w, &err))
			fail_msg("taken: %s", bad[i].text);
		assert_int_equal(err, EINVAL);
		if (!strstr(w->said[0].text, bad[i].says))
			fail_msg("%s\nsaid: %s", bad[i].text, w->said[0].text);
		assert_null(strstr(w->said[0].text, "very-secret"));
	}
	world_free(w);
}

static void test_found(void **state)
{
	struct world *w = world_new();
	const struct config_account *x;
	struct config *c;

	(void)state;
	world_key(w, "good", 0600);
	c = world_load(w, SIP PBX
		       "password-file = \"good\" }\n"
		       "account \"six\" { aor = \"sip:8@[2001:db8::1]\" "
		       "registrars = { \"sip:pbx.example:5080\", "
		       "\"sip:10.7.0.11\" } }\n"
		       "account \"far\" { aor = \"sip:9@[2001:db8::2]\" }");
	assert_int_equal(c->n_accounts, 3);
	x = &c->accounts[0];
	assert_string_equal(x->address.user, "7000");
	assert_string_equal(x->address.host, "10.7.0.10");
	assert_string_equal(x->password, "a-very-secret-thing");
	assert_true(x->supervised);
	/* the host of aor, when none is named */
	assert_int_equal(x->n_registrars, 1);
	assert_string_equal(x->where[0].host, "10.7.0.10");
	assert_int_equal(x->where[0].transport, TRANSPORT_UDP);
	x = &c->accounts[1];
	assert_string_equal(x->address.host, "2001:db8::1");
	assert_int_equal(x->n_registrars, 2);
	assert_string_equal(x->where[0].host, "pbx.example");
	assert_int_equal(x->where[0].port, 5080);
	assert_int_equal(x->where[1].port, 0);
	x = &c->accounts[2];
	assert_string_equal(x->registrars[0], "sip:[2001:db8::2]");
	assert_string_equal(x->where[0].host, "2001:db8::2");
	/* a call to any number at that host goes through it */
	assert_int_equal(config_account_of(c, "10.7.0.10"), 0);
	assert_int_equal(config_account_of(c, "2001:db8::1"), 1);
	assert_int_equal(config_account_of(c, "10.7.0.11"), -1);
	config_free(c);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
