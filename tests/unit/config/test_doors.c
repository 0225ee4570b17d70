/* Doors in the configuration: what is refused, and that the rest comes back
 * from the dump. */
#include "config_util.h"

#include <errno.h>

#define WEB "web { socket = \"s\" }\n"
#define ZONE                                                                   \
	"zone \"z\" { multicast \"239.1.1.1:5004\" { interface = \"lo\" } }\n"

static void key(const struct world *w, const char *name, const char *text,
		mode_t mode)
{
	world_write(w, name, text);
	assert_int_equal(chmod(world_path(w, name), mode), 0);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *says;
	} bad[] = {
		{"webhook \"a\" { allow = { \"page\" } }", 1,
		 "\"secret-file\" is missing"},
		{"webhook \"a\" { secret-file = \"open\"  allow = { \"page\" } "
		 "}",
		 1, "chmod 640"},
		{"webhook \"a\" { secret-file = \"short\"  allow = { \"page\" "
		 "} "
		 "}",
		 1, "16 bytes at least"},
		{"webhook \"a\" { secret-file = \"empty\"  allow = { \"page\" "
		 "} "
		 "}",
		 1, "it is empty"},
		{"webhook \"a\" {\n secret-file = \"good\"\n}", 1,
		 "does nothing"},
		{"webhook \"a\" { secret-file = \"good\"\n allow = { \"pag\" "
		 "} }",
		 2, "no verb \"pag\"; allowed: \"page\", \"stop\""},
		{"webhook \"a\" { secret-file = \"good\"  allow = { \"page\" "
		 "}\n"
		 " window = \"1h\" }",
		 2, "window"},
		{"input \"i\" { webhook = \"b\" }", 1, "no webhook \"b\""},
		{"webhook \"a\" { secret-file = \"good\" }\n"
		 "input \"i\" { webhook = \"a\"\n debounce = \"1s\" }",
		 3, "\"debounce\" has no meaning with \"webhook\""},
		{"notify \"n\" { }", 1,
		 "exactly one of \"url\", \"mail-to\" and \"syslog\""},
		{"notify \"n\" { url = \"ftp://x\" }", 1, "https://"},
		{"notify \"n\" { url = \"http://x\"\n to = \"y\" }", 2,
		 "unknown key"},
		{"notify \"n\" { url = \"http://x\"\n interval = \"1m\" }", 2,
		 "\"interval\" has no meaning with \"url\""},
		{"notify \"n\" { url = \"http://x\"\n events = { "
		 "\"alarm.activ\" "
		 "} }",
		 2, "did you mean \"alarm.active\""},
		{"notify \"n\" { mail-to = { \"-oQ/tmp@x\" } }", 1,
		 "does not fit"},
		{"notify \"n\" { mail-to = { \"a@x, b@x\" } }", 1,
		 "does not fit"},
		{"notify \"n\" { mail-to = { \"a@x\" }  command = { \"true\" "
		 "}\n subject = \"{who}\" }",
		 2, "{subject}"},
		{"notify \"n\" { syslog = \"10.1.1.1\" }", 1, "udp:HOST"},
		{"notify \"n\" { syslog = \"tcp:10.1.1.1:0\" }", 1, "udp:HOST"},
		{"notify \"n\" { syslog = \"tcp:10.1.1.1\"\n ca = \"good\" }",
		 1, "write \"tls:...\""},
		{"notify \"n\" { syslog = \"tls:10.1.1.1\"\n cert = \"good\" }",
		 2, "need each other"},
		{"cap \"c\" { zones = { \"z\" } }", 1,
		 "exactly one of \"folder\" and \"url\""},
		{"cap \"c\" { folder = \"f\" }", 1, "heard nowhere"},
		{"cap \"c\" { folder = \"f\"  zones = { \"z\" }\n status = { "
		 "\"draft\" } }",
		 2, "\"draft\" is no word that is allowed"},
		{"cap \"c\" { folder = \"f\"  zones = { \"z\" }\n severe = "
		 "\"loud\" }",
		 2, "does not fit"},
		{"cap \"c\" { folder = \"f\"  zones = { \"z\" }\n area \"a\" { "
		 "} }",
		 2, "says nothing"},
		{"cap \"c\" { folder = \"f\"  zones = { \"z\" }\n area \"a\" { "
		 "location = \"48\" } }",
		 2, "48.14,11.58"},
		{"cap \"c\" { folder = \"f\"  zones = { \"z\" }\n languages = "
		 "{ \"de=-x\" } }",
		 2, "languages like \"de\""},
	};
	struct world *w = world_new();

	(void)state;
	key(w, "good", "0123456789abcdef\n", 0640);
	key(w, "open", "0123456789abcdef\n", 0644);
	key(w, "short", "0123456789abcde\n", 0600);
	key(w, "empty", "", 0600);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[1000];
		struct said *s = &w->said[0];
		int err;

		snprintf(text, sizeof(text), "%s\n" WEB ZONE, bad[i].text);
		world_write(w, "tocsin.conf", text);
		assert_null(world_load_err(w, &err));
		assert_int_equal(err, EINVAL);
		if (!strstr(s->text, bad[i].says) || s->line != bad[i].line)
			fail_msg("%s\nsaid in line %d: %s", bad[i].text,
				 s->line, s->text);
		/* What is in the file is never said. */
		assert_null(strstr(s->text, "0123456789"));
	}
	world_free(w);
}

static char *dumped(const struct config *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	config_dump(c, f);
	fclose(f);
	return text;
}

static void test_dump(void **state)
{
	struct world *w = world_new();
	struct config *c;
	char *first, *second;

	(void)state;
	key(w, "good", "0123456789abcdef\n", 0640);
	c = world_load(
		w, WEB ZONE
		"webhook \"a\" { secret-file = \"good\"  scheme = "
		"\"standard-webhooks\"  allow = { \"page\" }\n"
		" zones = { \"z\" }  max-priority = \"urgent\" }\n"
		"input \"i\" { webhook = \"a\"  json = \"x\"  above = 4 }\n"
		"notify \"u\" { url = \"https://x/y\"  secret-file = \"good\" "
		"}\n"
		"notify \"m\" { mail-to = { \"a@x\" }  command = { \"true\" } "
		"}\n"
		"notify \"s\" { syslog = \"tls:[fd00::1]\"  facility = "
		"\"audit\"  events = { \"*\" } }\n"
		"cap \"c\" { url = \"https://x/f\"  severe = 170  minor = "
		"\"music\"  languages = { \"de=anna\" }\n"
		" area \"a\" { location = \"-48.5,11\"  geocodes = { \"A=1\" } "
		" zones = { \"z\" } } }\n");
	assert_int_equal(c->caps[0].level[1], 170);
	assert_int_equal(c->caps[0].level[4], CONFIG_CAP_OFF);
	assert_true(c->caps[0].areas[0].latitude == -48.5);
	assert_string_equal(c->webhooks[0].secret, "0123456789abcdef");
	assert_int_equal(c->notifies[2].port, 6514);
	assert_string_equal(c->notifies[2].host, "fd00::1");
	assert_int_equal(c->notifies[2].facility, 13);
	assert_int_equal(c->notifies[1].interval_s, 300);
	assert_int_equal(c->notifies[0].n_events, 4);
	first = dumped(c);
	assert_null(strstr(first, "0123456789"));
	config_free(c);
	c = world_load(w, first);
	second = dumped(c);
	assert_string_equal(first, second);
	config_free(c);
	free(first);
	free(second);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
