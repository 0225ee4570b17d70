/* The manual page holds every key of the table, and is good roff. */
#include "config_util.h"
#include "controller/config/schema.h"
#include "zones/sound/tone.h"

static char *reference(void)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	config_reference(f);
	fclose(f);
	return text;
}

/** As it stands in roff: hyphens escaped. */
static const char *escaped(const char *s)
{
	static char text[256];
	size_t n = 0;

	for (; *s && n < sizeof(text) - 3; s++) {
		if (*s == '-')
			text[n++] = '\\';
		text[n++] = *s;
	}
	text[n] = '\0';
	return text;
}

static void check_keys(const char *page, const struct config_section *s)
{
	for (const struct config_key *k = s->keys; k && k->name; k++) {
		char line[300], allowed[512];

		snprintf(line, sizeof(line), "\n.TP\n.B %s\n",
			 escaped(k->name));
		if (!strstr(page, line))
			fail_msg("%s is missing", k->name);
		assert_non_null(k->help);
		/* Nothing may be left unsaid. */
		schema_allowed(k, allowed, sizeof(allowed));
		if (!*allowed)
			fail_msg("%s: what is allowed is not said", k->name);
		assert_true(strlen(allowed) < sizeof(allowed) - 1);
		if (k->required)
			assert_null(k->def);
	}
	for (const struct config_section *x = s->subs; x && x->name; x++) {
		assert_non_null(strstr(page, x->name));
		assert_non_null(x->help);
		check_keys(page, x);
	}
}

static void test_complete(void **state)
{
	char *page = reference();

	(void)state;
	check_keys(page, &config_schema);
	for (size_t i = 0; tone_name(i); i++)
		assert_non_null(strstr(page, escaped(tone_name(i))));
	free(page);
}

/** man(1) finds nothing to complain of. */
static void test_roff(void **state)
{
	char *page = reference();
	FILE *f;

	(void)state;
	if (access("/usr/bin/groff", X_OK)) {
		free(page);
		skip();
	}
	f = popen("groff -man -Tutf8 -ww -z 2>&1 | grep . && exit 1 || exit 0",
		  "w");
	assert_non_null(f);
	fputs(page, f);
	assert_int_equal(pclose(f), 0);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_roff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
