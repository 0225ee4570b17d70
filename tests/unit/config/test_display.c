/* What phones show, in the configuration: what is refused, and that the rest
 * comes back from the dump. */
#include "config_util.h"

#include <errno.h>

#define SIP "sip { listen = { \"udp:127.0.0.1:5060\" } }\n"
#define DISPLAY(x)                                                             \
	"input \"i\" { virtual = true }\n"                                     \
	"alarm \"gas\" { inputs = { \"i\" }\n display { " x " } }\n"

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{SIP DISPLAY(""), "\"phones\" is missing"},
		{SIP DISPLAY("phones = { \"desk\" }"),
		 "\"desk\" is no endpoint"},
		{SIP DISPLAY("phones = { \"sip:1@pbx.example\" }"),
		 "or that of an account's aor"},
		{SIP DISPLAY("phones = { \"sip:1@239.1.1.1\" }"),
		 "or that of an account's aor"},
		{SIP DISPLAY("phones = { \"sip:1@10.1.1.1\" }  text = \"\""),
		 "text"},
		{DISPLAY("phones = { \"sip:1@10.1.1.1\" }"),
		 "give the sip section \"listen\""},
	};
	struct world *w = world_new();

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int err;

		world_write(w, "tocsin.conf", bad[i].text);
		assert_null(world_load_err(w, &err));
		assert_int_equal(err, EINVAL);
		if (!strstr(w->said[0].text, bad[i].says))
			fail_msg("%s\nsaid: %s", bad[i].text, w->said[0].text);
	}
	world_free(w);
}

static void test_good(void **state)
{
	struct world *w = world_new();
	const struct config_effect *e;
	struct config *c;
	char *text = NULL;
	size_t n = 0;
	FILE *f;

	(void)state;
	world_write(w, "key", "a-very-secret-thing\n");
	assert_int_equal(chmod(world_path(w, "key"), 0600), 0);
	world_write(w, "tocsin.conf",
		    SIP
		    "endpoint \"desk\" { password-file = \"key\" }\n" DISPLAY(
			    "phones = { \"desk\", \"sip:1@10.1.1.1\" }\n"
			    " text = \"Gas\"  end-text = \"\""));
	for (int again = 0; again < 2; again++) {
		int err;

		c = world_load_err(w, &err);
		assert_non_null(c);
		e = &c->alarms[0].effects[0];
		assert_int_equal(e->kind, EFFECT_DISPLAY);
		assert_int_equal(e->n_phones, 2);
		assert_string_equal(e->phones[1], "sip:1@10.1.1.1");
		assert_string_equal(e->text, "Gas");
		assert_string_equal(e->end_text, "");
		f = open_memstream(&text, &n);
		config_dump(c, f);
		fclose(f);
		config_free(c);
		world_write(w, "tocsin.conf", text);
		free(text);
		text = NULL;
	}
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
