/* Which pages are recorded first: by a zone's own word, else by the zones it
 * contains. */
#include "tests/unit/config/config_util.h"

#define TOP "state-dir = \"state\"\n"

static bool records(const struct config *c, const char *zone)
{
	return config_zone_records(c, config_zone_find(c, zone));
}

static void zones_of_zones(void **state)
{
	struct world *w = world_new();
	struct config *c = world_load(
		w, TOP
		"zone \"press\" { page-mode = \"record-then-play\"\n"
		"  unicast \"127.0.0.1:5004\" {} }\n"
		"zone \"yard\" { unicast \"127.0.0.1:5006\" {} }\n"
		"zone \"works\" { zones = { \"yard\", \"press\" } }\n"
		"zone \"all\" { zones = { \"*\" } }\n"
		"zone \"site\" { zones = { \"works\" } }\n"
		"zone \"dry\" { zones = { \"*\" }  except = { \"press\" } }\n"
		"zone \"now\" { page-mode = \"live\"  zones = { \"works\" } }\n"
		"zone \"over\" { zones = { \"now\" } }\n");
	const struct config_zone *z = &c->zones[0];
	(void)state;

	assert_int_equal(z->max_recording_ms, 60000);
	assert_int_equal(z->min_recording_ms, 1000);
	assert_int_equal(z->recording_wait_ms, 120000);
	assert_true(records(c, "press"));
	assert_false(records(c, "yard"));
	assert_true(records(c, "works"));
	assert_true(records(c, "all"));
	assert_true(records(c, "site"));
	assert_false(records(c, "dry"));
	assert_false(records(c, "now"));
	assert_false(records(c, "over"));
	config_free(c);
	world_free(w);
}

static void refused(const char *text, const char *why)
{
	struct world *w = world_new();
	bool found = false;
	int err;

	world_write(w, "tocsin.conf", text);
	assert_null(world_load_err(w, &err));
	for (size_t i = 0; i < w->n; i++)
		found = found || strstr(w->said[i].text, why);
	if (!found)
		fail_msg("not said: %s; but: %s", why, w->said[0].text);
	world_free(w);
}

#define SOURCE                                                                 \
	TOP "zone \"a\" { unicast \"127.0.0.1:5004\" {} }\n"                   \
	    "source \"s\" { unicast = \"127.0.0.1:6000\"  zones = { \"a\" }\n" \
	    "  page-mode = \"record-then-play\"  priority = "

static void what_cannot_be(void **state)
{
	(void)state;
	refused(TOP "zone \"a\" { page-mode = \"later\" }\n",
		"record-then-play");
	refused(TOP "zone \"a\" { max-recording = \"10m\" }\n", "3m");
	refused(TOP "zone \"a\" { recording-wait = \"2h\" }\n", "1h");
	refused(SOURCE "\"music\" }\n", "it cannot be record-then-play");
	refused(SOURCE "\"emergency\" }\n", "it cannot be record-then-play");
}

static void a_source_of_pages(void **state)
{
	struct world *w = world_new();
	struct config *c = world_load(w, SOURCE "\"page\" }\n");
	(void)state;

	assert_true(c->sources[0].record);
	config_free(c);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_of_zones),
		cmocka_unit_test(what_cannot_be),
		cmocka_unit_test(a_source_of_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
