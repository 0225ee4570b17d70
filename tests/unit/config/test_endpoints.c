/* Endpoints in the configuration: what is refused, and how they are found. */
#include "config_util.h"

#include <errno.h>

#define SIP "sip { listen = { \"udp:127.0.0.1:5060\" } }\n"
#define ZONE                                                                   \
	"zone \"z\" { extension = \"700\"\n"                                   \
	" multicast \"239.1.1.1:5004\" { interface = \"lo\" } }\n"
#define DESK "endpoint \"desk\" { password-file = \"good\" "

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{SIP "endpoint \"desk\" { }", "\"password-file\" is missing"},
		{SIP "endpoint \"desk\" { password-file = \"open\" }",
		 "password-file"},
		{SIP DESK "extension = \"700\" }", "extension of zone \"z\""},
		{SIP "endpoint \"700\" { password-file = \"good\" }",
		 "extension of zone \"z\""},
		{SIP DESK "}\nendpoint \"hall\" { password-file = \"good\"  "
			  "extension = \"desk\" }",
		 "that of endpoint \"desk\""},
		{SIP DESK "user = \"a\\\"b\" }", "leave them out"},
		{DESK "}", "cannot register without SIP"},
		{"sip { listen = { \"udp:127.0.0.1:5060\" }\n"
		 " register-min = \"5m\"  register-max = \"60s\" }",
		 "register-min is longer"},
	};
	struct world *w = world_new();

	(void)state;
	world_key(w, "good", 0600);
	world_key(w, "open", 0644);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[1000];
		int err;

		snprintf(text, sizeof(text), "%s\n" ZONE, bad[i].text);
		world_write(w, "tocsin.conf", text);
		assert_null(world_load_err(w, &err));
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
	struct config *c;

	(void)state;
	world_key(w, "good", 0600);
	c = world_load(w, SIP DESK
		       "extension = \"201\"  allow = { \"page\" }  zones = { "
		       "\"z\" } }\n"
		       "zone \"horns\" { speaker \"desk\" { } }\n" ZONE);
	assert_int_equal(config_endpoint_find(c, "desk"), 0);
	assert_int_equal(config_endpoint_find(c, "201"), 0);
	assert_int_equal(config_endpoint_find(c, "Desk"), -1);
	assert_int_equal(config_endpoint_find(c, NULL), -1);
	assert_string_equal(c->endpoints[0].password, "a-very-secret-thing");
	assert_true(c->endpoints[0].may.page && !c->endpoints[0].may.help);
	assert_true(c->endpoints[0].supervised);
	assert_int_equal(c->endpoints[0].may.n_zones, 1);
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
