/* Help points in the configuration: what is refused, and how they are known. */
#include "config_util.h"

#include <errno.h>

#define ROOM                                                                   \
	"sip { listen = { \"udp:127.0.0.1:5060\" } }\n"                        \
	"operators \"room\" { stage \"desk\" { ring = { "                      \
	"\"sip:1@127.0.0.1\" } } }\n"                                          \
	"zone \"z\" { extension = \"700\"\n"                                   \
	" multicast \"239.1.1.1:5004\" { interface = \"lo\" } }\n"
#define PEER "peer \"10.7.0.0/16\" { allow = { \"help\" } }\n"
#define PAGER "peer \"10.8.0.0/16\" { allow = { \"page\" } }\n"
#define LOCK "output \"lock\" { virtual = true }\n"
#define DOOR(name, keys)                                                       \
	"door \"" name "\" { keys = \"" keys "\" output = \"lock\" }\n"
#define POINT(x) "helppoint \"p\" { operators = \"room\" " x " }\n"

static void key(const struct world *w)
{
	world_write(w, "key", "a-very-secret-thing\n");
	assert_int_equal(chmod(world_path(w, "key"), 0600), 0);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{PEER "helppoint \"p\" { from = \"x\" }",
		 "\"operators\" is missing"},
		{PEER "helppoint \"p\" { from = \"x\" operators = \"rom\" }",
		 "did you mean \"room\"?"},
		{PEER POINT(""), "who is it? Give it \"from\""},
		{PAGER POINT("from = \"x\""),
		 "there is no endpoint of that name, and no peer"},
		{PAGER POINT("extension = \"112\""),
		 "no peer from there is allowed \"help\", nor an endpoint"},
		{PEER PAGER POINT("from = \"10.8.1.1\""),
		 "no peer from there is allowed \"help\""},
		{PEER POINT("from = \"sip:a@10.9.1.1\""),
		 "no peer from there is allowed \"help\""},
		{PEER POINT("from = \"sip:@10.7.1.1\""), "allowed: "},
		{PEER POINT("from = \"sip:a@pbx.example\""), "allowed: "},
		{PEER POINT("from = \"a b\""), "allowed: "},
		{"endpoint \"hp\" { password-file = \"key\" }\n" POINT(
			 "from = \"hp\""),
		 "endpoint \"hp\" may not ask for help"},
		{PEER POINT("from = \"x\" extension = \"700\""),
		 "is the extension of zone \"z\""},
		{PEER "endpoint \"hp\" { password-file = \"key\" extension = "
		      "\"5\" }\n" POINT("from = \"x\" extension = \"5\""),
		 "is that of endpoint \"hp\""},
		{PEER POINT("from = \"x\"") "helppoint \"q\" { from = \"x\" "
					    "operators = \"room\" }",
		 "is the same station as \"p\""},
		{PEER POINT("from = \"x\" comfort = \"rining\""),
		 "did you mean \"ringing\"?"},
		{PEER LOCK POINT(
			 "from = \"x\" end-keys = \"*1\" " DOOR("c", "*12")),
		 "keys \"*12\" and end-keys \"*1\" begin alike"},
		{PEER LOCK POINT("from = \"x\" " DOOR("c", "1") DOOR("d", "1")),
		 "those of door \"c\", \"1\", begin alike"},
		{PEER
		 "output \"lock\" { virtual = true role = \"fault\" }\n" POINT(
			 "from = \"x\" " DOOR("c", "*1")),
		 "output \"lock\" shows faults and opens nothing"},
		{PEER POINT("from = \"x\" " DOOR("c", "*1")),
		 "there is no output \"lock\""},
		{PEER LOCK POINT("from = \"x\" " DOOR("c", "1234567")),
		 "1 to 6 of 0 to 9, * and #"},
		{PEER POINT("from = \"x\" end-keys = \"1a\""),
		 "1 to 6 of 0 to 9, * and #"},
		{PEER POINT("from = \"x\" unanswered = { \"a\" }"),
		 "there is no alarm \"a\""},
	};
	struct world *w = world_new();

	(void)state;
	key(w);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[1500];
		int err;

		snprintf(text, sizeof(text), ROOM "%s\n", bad[i].text);
		world_write(w, "tocsin.conf", text);
		assert_null(world_load_err(w, &err));
		assert_int_equal(err, EINVAL);
		if (!strstr(w->said[0].text, bad[i].says))
			fail_msg("%s\nsaid: %s", bad[i].text, w->said[0].text);
		assert_true(w->said[0].line >= 1);
	}
	world_free(w);
}

static void test_known(void **state)
{
	static const struct {
		const char *from;
		enum config_from kind;
	} good[] = {
		{"hp", FROM_ENDPOINT},
		{"hp-2", FROM_USER},
		{"*99", FROM_USER},
		{"sip:hp@10.7.1.1", FROM_URI},
		{"sip:hp@10.7.1.1:5070", FROM_URI},
		{"10.7.1.0/24", FROM_NET},
		{"10.7.1.9", FROM_NET},
		{"10.0.0.0/8", FROM_NET},
	};
	struct world *w = world_new();

	(void)state;
	key(w);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		char text[1000];
		struct config *c;

		snprintf(text, sizeof(text),
			 ROOM PEER
			 "endpoint \"hp\" { password-file = \"key\" allow = { "
			 "\"help\" } }\n"
			 "helppoint \"p\" { from = \"%s\" operators = \"room\" "
			 "}\n",
			 good[i].from);
		c = world_load(w, text);
		assert_int_equal(c->helppoints[0].kind, good[i].kind);
		assert_string_equal(c->helppoints[0].comfort, "ringing");
		assert_int_equal(c->helppoints[0].level, 200);
		config_free(c);
	}
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
