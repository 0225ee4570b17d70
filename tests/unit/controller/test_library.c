/* library.c: messages and tones made ready; what cannot be is a tone. */
#include "site_plan.h"
#include "site_util.h"

#define BAD "message \"bad\" { file = \"bad.wav\" repeat = 3 }\n"

struct shelf {
	struct site s; /**< its directory and what was said */
	struct config *config;
	struct library *library;
};

static int load(struct shelf *x, enum library_mode mode, const char *text)
{
	char path[128];

	*x->s.said = '\0';
	snprintf(path, sizeof(path), "%s/tocsin.conf", x->s.dir);
	site_write(&x->s, "tocsin.conf", text);
	return reload_now(path, mode, &x->config, &x->library, site_on_error,
			  &x->s);
}

static void unload(struct shelf *x)
{
	x->library = library_free(x->library);
	x->config = config_free(x->config);
}

static void begin(struct shelf *x)
{
	memset(x, 0, sizeof(*x));
	strcpy(x->s.dir, "/tmp/tocsin-library-XXXXXX");
	assert_non_null(mkdtemp(x->s.dir));
	site_write(&x->s, "bad.wav", "this is no sound");
}

static void end(struct shelf *x)
{
	char command[160];

	unload(x);
	snprintf(command, sizeof(command), "rm -rf %s", x->s.dir);
	assert_int_equal(system(command), 0);
}

static void test_bad_file(void **state)
{
	struct shelf x;

	(void)state;
	begin(&x);
	/* Checked or reloaded: an error, all of it. */
	assert_int_equal(load(&x, LIBRARY_RELOAD, PLAN_BASE BAD), EINVAL);
	assert_null(x.config);
	assert_null(x.library);
	assert_non_null(strstr(x.s.said, "message \"bad\""));
	assert_non_null(strstr(x.s.said, "bad.wav"));
	/* At the start a tone is better than nothing, and it is told. */
	assert_int_equal(load(&x, LIBRARY_START, PLAN_BASE BAD), 0);
	assert_non_null(strstr(x.s.said, "message \"bad\""));
	assert_non_null(library_message(x.library, "bad"));
	assert_true(library_is_fallback(x.library, "bad"));
	assert_true(clip_ms(library_message(x.library, "bad")) ==
		    clip_ms(library_tone(x.library, MESSAGE_PLAIN_TONE)));
	assert_int_equal(library_cycles(x.library, "bad"), 3);
	assert_false(library_is_fallback(x.library, "siren"));
	end(&x);
}

static void test_names_and_cycles(void **state)
{
	struct shelf x;
	struct clip *tone;
	size_t bytes;
	uint32_t cycle;

	(void)state;
	begin(&x);
	assert_int_equal(load(&x, LIBRARY_RELOAD,
			      PLAN_BASE
			      "message \"long\" { tone = \"go-ahead\" gap = "
			      "\"500ms\" repeat = \"10s\" }\n"),
			 0);
	assert_string_equal(x.s.said, "");
	assert_null(library_message(x.library, "no"));
	assert_false(library_is_fallback(x.library, "no"));
	assert_int_equal(library_cycles(x.library, "siren"), 0);
	assert_int_equal(library_cycles(x.library, "blip"), 1);
	cycle = clip_ms(library_message(x.library, "long")) + 500;
	assert_true(library_cycles(x.library, "long") * cycle >= 10000);
	assert_true((library_cycles(x.library, "long") - 1) * cycle < 10000);
	/* A tone is made once. */
	bytes = library_bytes(x.library);
	tone = library_tone(x.library, "chime-2");
	assert_non_null(tone);
	assert_true(library_bytes(x.library) > bytes);
	bytes = library_bytes(x.library);
	assert_ptr_equal(library_tone(x.library, "chime-2"), tone);
	assert_null(library_tone(x.library, "no"));
	assert_int_equal(library_bytes(x.library), bytes);
	end(&x);
}

static void test_chimes(void **state)
{
	static const char slow[] =
		"message \"slow\" { tone = \"chime-2\" tone-for = \"11s\" }\n"
		"zone \"d\" { chime = \"slow\" multicast "
		"\"239.192.9.4:24004\" { interface = \"lo\" } }\n";
	char text[4096];
	struct shelf x;

	(void)state;
	begin(&x);
	snprintf(text, sizeof(text), "%s%s", PLAN_BASE, slow);
	assert_int_equal(load(&x, LIBRARY_CHECK, text), EINVAL);
	assert_non_null(
		strstr(x.s.said, "zone \"d\": chime: message \"slow\""));
	assert_non_null(strstr(x.s.said, "10 s"));
	assert_int_equal(load(&x, LIBRARY_RELOAD, text), EINVAL);
	/* At the start it is told, and a tone takes its place. */
	assert_int_equal(load(&x, LIBRARY_START, text), 0);
	assert_non_null(strstr(x.s.said, "slow"));
	assert_ptr_equal(library_chime(x.library, "slow"),
			 library_tone(x.library, MESSAGE_PLAIN_TONE));
	assert_null(library_chime(x.library, "no"));
	assert_ptr_equal(library_chime(x.library, "blip"),
			 library_message(x.library, "blip"));
	assert_ptr_equal(library_chime(x.library, "chime-2"),
			 library_tone(x.library, "chime-2"));
	end(&x);
}

static void test_too_many_formats(void **state)
{
	static char text[8192] = PLAN_HEAD PLAN_MESSAGES;
	struct shelf x;

	(void)state;
	begin(&x);
	for (int i = 0; i < 20; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "zone \"z%d\" { gain = -%d.0 multicast "
			 "\"239.192.8.%d:24004\" { interface = \"lo\" } }\n",
			 i, i, i + 1);
	assert_int_equal(load(&x, LIBRARY_RELOAD, text), EINVAL);
	assert_non_null(strstr(x.s.said, "formats"));
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_file),
		cmocka_unit_test(test_names_and_cycles),
		cmocka_unit_test(test_chimes),
		cmocka_unit_test(test_too_many_formats),
	};
	int err;

	log_init(LOG_LEVEL_ERROR);
	if (libre_init())
		return 1;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
