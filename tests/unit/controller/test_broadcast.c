/* broadcast.c: wishes to sound, by the real arbiter on the real engine. */
#include "site_plan.h"
#include "site_util.h"

#include "controller/broadcast_internal.h"

struct news {
	unsigned sounds, lost, gone, open;
	enum arb_cause cause;
	uint64_t by;
	char text[256];
};

static void on_news(uint64_t id, enum broadcast_news news, enum arb_cause cause,
		    uint64_t by, const char *text, void *arg)
{
	struct news *n = arg;

	(void)id;
	n->sounds += news == BROADCAST_SOUNDS;
	n->lost += news == BROADCAST_LOST;
	n->gone += news == BROADCAST_GONE;
	n->open += news == BROADCAST_OPEN;
	n->cause = cause;
	n->by = by;
	snprintf(n->text, sizeof(n->text), "%s", text);
}

static int play(struct site *s, const char *message, const char *zone,
		uint8_t level, uint32_t patience_ms, struct news *news,
		struct broadcast_result *res)
{
	int z = config_zone_find(s->config, zone);
	struct broadcast_request rq = {
		.what = message,
		.message = message,
		.level = level,
		.zones = &z,
		.n_zones = 1,
		.clip = library_message(s->library, message),
		.cycles = library_cycles(s->library, message),
		.wait_ms = patience_ms,
		.lost_ms = patience_ms,
		.actor = "user:x",
		.h = news ? on_news : NULL,
		.arg = news,
	};

	return broadcast_start(s->broadcasts, &rq, res);
}

static void test_sounds_and_ends(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE);
	struct news n = {0};
	struct broadcast_result r;

	(void)state;
	assert_int_equal(play(s, "blip", "a", 100, 0, &n, &r), 0);
	assert_string_equal(site_state(s, r.id), "playing");
	assert_string_equal(site_member(s, r.id, "actor"), "user:x");
	assert_int_equal(n.sounds, 1);
	site_await(s, n.gone == 1);
	assert_int_equal(n.cause, ARB_CAUSE_NONE);
	assert_string_equal(n.text, "played to its end");
	assert_string_equal(site_state(s, r.id), "gone");
	assert_int_equal(broadcast_count(s->broadcasts), 0);
	assert_true(site_packets(s, "a") > 3);
	assert_int_equal(site_packets(s, "b"), 0);
	assert_int_equal(site_count(s, EVENT_BROADCAST_REQUESTED, ""), 1);
	assert_int_equal(site_count(s, EVENT_BROADCAST_STARTED, ""), 1);
	assert_int_equal(site_count(s, EVENT_BROADCAST_SOUNDING, ""), 1);
	assert_int_equal(site_count(s, EVENT_BROADCAST_ENDED, ""), 1);
	site_end(s, false);
}

static void test_preempted_in_part_and_back(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE);
	struct news low = {0}, high = {0};
	struct broadcast_result l, h;

	(void)state;
	assert_int_equal(play(s, "siren", "ab", 100, 0, &low, &l), 0);
	assert_int_equal(play(s, "whoop", "a", 150, 0, &high, &h), 0);
	assert_string_equal(site_state(s, l.id), "partial");
	assert_string_equal(site_state(s, h.id), "playing");
	assert_int_equal(low.lost, 0);
	site_await(s, site_packets(s, "b") > 2);
	assert_int_equal(broadcast_stop(s->broadcasts, h.id, "user:y", 0, "x"),
			 0);
	assert_int_equal(high.gone, 1);
	assert_string_equal(site_state(s, l.id), "playing");
	assert_int_equal(broadcast_stop(s->broadcasts, h.id, "user:y", 0, "x"),
			 ENOENT);
	site_end(s, false);
}

static void test_waits_resumes_expires(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE);
	struct news low = {0}, late = {0};
	struct broadcast_result l, h, w;

	(void)state;
	assert_int_equal(play(s, "siren", "a", 100, 8000, &low, &l), 0);
	assert_int_equal(play(s, "whoop", "a", 250, 0, NULL, &h), 0);
	assert_int_equal(low.lost, 1);
	assert_int_equal(low.by, h.id);
	assert_string_equal(site_state(s, l.id), "waiting");
	/* What comes now and may wait a moment expires. */
	assert_int_equal(play(s, "blip", "a", 100, 50, &late, &w), 0);
	assert_string_equal(site_state(s, w.id), "waiting");
	site_await(s, late.gone == 1);
	assert_int_equal(late.cause, ARB_CAUSE_EXPIRED);
	assert_int_equal(late.sounds, 0);
	/* The other has more patience, and comes back. */
	broadcast_stop(s->broadcasts, h.id, "user:y", 0, "enough");
	assert_int_equal(low.sounds, 2);
	assert_string_equal(site_state(s, l.id), "playing");
	assert_int_equal(site_count(s, EVENT_BROADCAST_PREEMPTED, ""), 1);
	assert_int_equal(site_count(s, EVENT_BROADCAST_RESUMED, ""), 1);
	site_end(s, false);
}

static void test_refused(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE);
	struct broadcast_result h, r;

	(void)state;
	assert_int_equal(play(s, "siren", "a", 250, 0, NULL, &h), 0);
	assert_int_equal(play(s, "blip", "a", 100, 0, NULL, &r), EBUSY);
	assert_int_equal(r.by, h.id);
	assert_non_null(strstr(r.why.text, "siren"));
	assert_int_equal(broadcast_count(s->broadcasts), 1);
	assert_int_equal(site_count(s, EVENT_BROADCAST_REFUSED, ""), 1);
	/* An emergency never is, nor does it end. */
	assert_int_equal(play(s, "blip", "a", 200, 0, NULL, &r), 0);
	assert_string_equal(site_state(s, r.id), "overridden");
	site_end(s, false);
}

static void test_limits(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE);
	struct broadcast_result r;

	(void)state;
	for (int i = 0; i < BROADCAST_MAX_PLAIN; i++)
		assert_int_equal(play(s, "siren", "a", 100, 60000, NULL, &r),
				 0);
	assert_int_equal(play(s, "siren", "a", 199, 60000, NULL, &r), ENOSPC);
	assert_non_null(strstr(r.why.text, "340"));
	for (int i = BROADCAST_MAX_PLAIN; i < BROADCAST_MAX; i++)
		assert_int_equal(play(s, "siren", "a", 200, 0, NULL, &r), 0);
	assert_int_equal(play(s, "siren", "a", 250, 0, NULL, &r), ENOSPC);
	site_end(s, false);
}

static void test_reload_by_names(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE);
	struct news a = {0}, b = {0};
	struct broadcast_result ra, rb;

	(void)state;
	assert_int_equal(play(s, "siren", "a", 100, 0, &a, &ra), 0);
	assert_int_equal(play(s, "siren", "c", 100, 0, &b, &rb), 0);
	site_await(s, site_count(s, EVENT_BROADCAST_SOUNDING, "") == 2);
	/* Another order, one zone less. */
	site_configure(s, PLAN_HEAD PLAN_ZONE_B PLAN_ZONE_A PLAN_MESSAGES);
	assert_string_equal(site_state(s, ra.id), "playing");
	assert_int_equal(a.sounds, 1);
	assert_int_equal(a.lost + a.gone, 0);
	assert_int_equal(b.gone, 1);
	assert_int_equal(b.cause, ARB_CAUSE_NO_OUTPUT);
	assert_int_equal(site_packets(s, "b"), 0);
	uint64_t before = site_packets(s, "a");
	site_await(s, site_packets(s, "a") > before + 5);
	assert_int_equal(site_count(s, EVENT_BROADCAST_SOUNDING, ""), 2);
	site_end(s, false);
}

static void test_many_zones_fit_a_record(void **state)
{
	static char text[8192] = PLAN_HEAD PLAN_MESSAGES;
	struct broadcast_result r;
	struct site *s;
	int zones[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "zone \"%055d\" { multicast \"239.192.8.%d:24004\" { "
			 "interface = \"lo\" } }\n",
			 zones[i] = i, i + 1);
	s = site_begin(NULL, false, text);
	struct broadcast_request rq = {
		.what = "cut in a character \xc3",
		.level = 100,
		.zones = zones,
		.n_zones = 8,
		.clip = library_message(s->library, "siren"),
		.actor = "sip:\xff",
	};
	assert_int_equal(broadcast_start(s->broadcasts, &rq, &r), 0);
	assert_int_equal(site_count(s, EVENT_BROADCAST_REQUESTED, ""), 1);
	for (size_t i = 0; i < s->n_events; i++)
		if (s->event[i].type == EVENT_BROADCAST_REQUESTED)
			assert_non_null(strstr(s->event[i].data, "\"...\""));
	assert_string_equal(site_member(s, r.id, "actor"), "sip:?");
	site_end(s, false);
}

static void test_within_and_longest(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE);
	int a = config_zone_find(s->config, "a"),
	    c = config_zone_find(s->config, "c");
	struct news n = {0};
	struct broadcast_result r;
	struct broadcast_request rq = {
		.what = "x",
		.level = 100,
		.zones = &a,
		.n_zones = 1,
		.clip = library_message(s->library, "siren"),
		.max_ms = 60,
		.h = on_news,
		.arg = &n,
	};

	(void)state;
	assert_int_equal(broadcast_start(s->broadcasts, &rq, &r), 0);
	assert_true(broadcast_within(s->broadcasts, r.id, &a, 1));
	assert_true(broadcast_within(s->broadcasts, r.id, NULL, 0));
	assert_false(broadcast_within(s->broadcasts, r.id, &c, 1));
	site_await(s, n.gone == 1);
	assert_string_equal(n.text, "reached its longest time");
	site_end(s, false);
}

/** A live page by a leg that nobody opened: silence, once it is live. */
static int talk(struct site *s, const char *zone, uint8_t level, bool prompted,
		const char *chime, struct news *news,
		struct broadcast_result *res)
{
	int z = config_zone_find(s->config, zone);
	struct broadcast_request rq = {
		.what = "live page",
		.level = level,
		.zones = &z,
		.n_zones = 1,
		.prompted = prompted,
		.chime = chime ? library_chime(s->library, chime) : NULL,
		.lost_ms = 60000,
		.h = on_news,
		.arg = news,
	};

	assert_true(!chime || rq.chime);
	return broadcast_start(s->broadcasts, &rq, res);
}

static void test_chime_then_live(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE);
	struct news n = {0};
	struct broadcast_result r;

	(void)state;
	assert_int_equal(talk(s, "ab", 100, true, "chime-1", &n, &r), 0);
	assert_true(broadcast_chimes(s->broadcasts, r.id));
	assert_int_equal(n.open, 0);
	site_await(s, n.open == 1);
	assert_false(broadcast_chimes(s->broadcasts, r.id));
	assert_int_equal(broadcast_hold_ms(s->broadcasts, r.id), 0);
	assert_string_equal(site_state(s, r.id), "playing");
	/* chime-1 lasts 1.5 s: it was heard whole, and one broadcast began. */
	assert_true(site_packets(s, "a") > 70);
	assert_int_equal(n.sounds, 1);
	assert_int_equal(n.lost + n.gone, 0);
	uint64_t before = site_packets(s, "b");
	broadcast_stop(s->broadcasts, r.id, "x", 0, "x");
	assert_int_equal(n.gone, 1);
	assert_int_equal(n.open, 1);
	assert_true(before > 70);
	assert_int_equal(site_count(s, EVENT_BROADCAST_SOUNDING, ""), 1);
	assert_int_equal(site_count(s, EVENT_BROADCAST_STARTED, ""), 1);
	assert_int_equal(site_count(s, EVENT_BROADCAST_ENDED, ""), 1);
	site_end(s, false);
}

static void test_chime_again_after_it_was_lost(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE);
	struct news n = {0}, other = {0};
	struct broadcast_result r, h;

	(void)state;
	assert_int_equal(talk(s, "a", 100, true, "chime-1", &n, &r), 0);
	site_await(s, site_packets(s, "a") > 10);
	assert_int_equal(play(s, "siren", "a", 250, 0, &other, &h), 0);
	assert_int_equal(n.lost, 1);
	uint64_t before = site_packets(s, "a");
	/* Longer than the chime: it does not run on unheard. */
	site_await(s, site_packets(s, "a") > before + 90);
	assert_true(broadcast_chimes(s->broadcasts, r.id));
	assert_int_equal(n.open, 0);
	before = site_packets(s, "a");
	broadcast_stop(s->broadcasts, h.id, "x", 0, "x");
	assert_int_equal(n.sounds, 2);
	site_await(s, n.open == 1);
	assert_true(site_packets(s, "a") >= before + 70);
	/* Ended in its chime: it never opens. */
	memset(&n, 0, sizeof(n));
	assert_int_equal(talk(s, "b", 100, true, "chime-1", &n, &r), 0);
	site_await(s, site_packets(s, "b") > 5);
	broadcast_stop(s->broadcasts, r.id, "x", 0, "x");
	assert_int_equal(n.gone, 1);
	assert_int_equal(n.open, 0);
	assert_false(broadcast_chimes(s->broadcasts, r.id));
	site_end(s, false);
}

/** A recorded page that begins again does so with its chime. */
static void test_recorded_again_with_its_chime(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE);
	struct news n = {0}, other = {0};
	struct broadcast_result r, h;
	int z = config_zone_find(s->config, "a");
	struct broadcast_request rq = {
		.what = "recorded page",
		.level = 100,
		.zones = &z,
		.n_zones = 1,
		.clip = library_message(s->library, "siren"),
		.cycles = 3,
		.chime = library_chime(s->library, "chime-1"),
		.lost_ms = 60000,
		.h = on_news,
		.arg = &n,
	};
	uint64_t before;

	(void)state;
	assert_int_equal(broadcast_start(s->broadcasts, &rq, &r), 0);
	site_await(s, n.open == 1);
	before = site_packets(s, "a");
	site_await(s, site_packets(s, "a") > before + 10);
	assert_int_equal(play(s, "whoop", "a", 250, 0, &other, &h), 0);
	assert_int_equal(n.lost, 1);
	/* Lost and back twice: in what it says, and in its chime. */
	broadcast_stop(s->broadcasts, h.id, "x", 0, "x");
	assert_int_equal(n.sounds, 2);
	assert_true(broadcast_chimes(s->broadcasts, r.id));
	before = site_packets(s, "a");
	site_await(s, site_packets(s, "a") > before + 10);
	assert_true(broadcast_chimes(s->broadcasts, r.id));
	assert_int_equal(play(s, "whoop", "a", 250, 0, &other, &h), 0);
	/* counted from here: a stalled machine sends some before it is looked
	 */
	before = site_packets(s, "a");
	broadcast_stop(s->broadcasts, h.id, "x", 0, "x");
	site_await(s, n.gone == 1);
	/* 1.5 s of chime and three times 1 s, all of it. */
	assert_true(site_packets(s, "a") >= before + 220);
	assert_string_equal(n.text, "played to its end");
	assert_int_equal(n.open, 1);
	/* Its own, once; what was louder ended before it was told. */
	assert_int_equal(site_count(s, EVENT_BROADCAST_SOUNDING, ""), 1);
	assert_int_equal(site_count(s, EVENT_BROADCAST_RESUMED, ""), 2);
	site_end(s, false);
}

static void test_live_waits_for_amplifiers(void **state)
{
	struct site *s =
		site_begin(NULL, false,
			   PLAN_BASE "zone \"d\" { lead = \"10s\" multicast "
				     "\"239.192.9.4:24004\" { interface = "
				     "\"lo\" } }\n");
	struct news n = {0};
	struct broadcast_result r;
	uint32_t hold;

	(void)state;
	assert_int_equal(talk(s, "d", 100, true, NULL, &n, &r), 0);
	hold = broadcast_hold_ms(s->broadcasts, r.id);
	assert_true(hold > 0 && hold <= 10000);
	assert_false(broadcast_chimes(s->broadcasts, r.id));
	broadcast_stop(s->broadcasts, r.id, "x", 0, "x");
	/* A source of others does not wait: its words would be lost. */
	assert_int_equal(talk(s, "d", 100, false, NULL, &n, &r), 0);
	assert_int_equal(broadcast_hold_ms(s->broadcasts, r.id), 0);
	broadcast_stop(s->broadcasts, r.id, "x", 0, "x");
	/* An emergency has no chime. */
	assert_int_equal(talk(s, "d", 200, true, "chime-1", &n, &r), 0);
	assert_false(broadcast_chimes(s->broadcasts, r.id));
	assert_true(broadcast_hold_ms(s->broadcasts, r.id) > 0);
	site_end(s, false);
}

/** Softer by the hour, by hand and by a schedule; emergencies never. */
static void test_quiet_hours(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE);
	const int zone = config_zone_find(s->config, "a");
	const struct arb_set *set = sounds_zone(s->sounds, zone);
	const struct quiet_volume softer = {true, false, -120};
	const struct quiet_volume ceiling = {true, true, -200};
	const struct quiet_volume none = {.on = false};
	const int16_t *volume = NULL;
	struct broadcast_result r;
	struct broadcast_request rq = {
		.what = "bell",
		.message = "siren",
		.level = 60,
		.zones = &zone,
		.n_zones = 1,
		.clip = library_message(s->library, "siren"),
		.quiet = {true, false, -30},
		.actor = "schedule:bell",
	};

	(void)state;
	for (unsigned i = 0; i < sounds_count(s->sounds); i++)
		if (arb_set_has(set, i))
			volume = &s->broadcasts->route[i].volume;
	assert_non_null(volume);
	assert_int_equal(play(s, "siren", "a", 50, 0, NULL, &r), 0);
	assert_int_equal(*volume, 0);
	broadcasts_quiet(s->broadcasts, zone, &softer);
	assert_int_equal(*volume, -120);
	broadcasts_volume(s->broadcasts, zone, -50, "user:x");
	assert_int_equal(*volume, -170);
	broadcasts_quiet(s->broadcasts, zone, &ceiling);
	assert_int_equal(*volume, -200);
	/* A reload keeps it, by the zone's name. */
	site_configure(s, PLAN_HEAD PLAN_ZONE_C PLAN_ZONE_A PLAN_MESSAGES);
	set = sounds_zone(s->sounds, config_zone_find(s->config, "a"));
	for (unsigned i = 0; i < sounds_count(s->sounds); i++)
		if (arb_set_has(set, i))
			volume = &s->broadcasts->route[i].volume;
	assert_int_equal(*volume, -200);
	site_configure(s, PLAN_BASE);
	for (unsigned i = 0; i < sounds_count(s->sounds); i++)
		if (arb_set_has(sounds_zone(s->sounds, zone), i))
			volume = &s->broadcasts->route[i].volume;
	broadcasts_quiet(s->broadcasts, zone, &softer);
	rq.clip = library_message(s->library, "siren");
	assert_int_equal(broadcast_start(s->broadcasts, &rq, &r), 0);
	assert_int_equal(*volume, -200);
	assert_int_equal(play(s, "siren", "a", 199, 0, NULL, &r), 0);
	assert_int_equal(*volume, -170);
	assert_int_equal(play(s, "siren", "a", 200, 0, NULL, &r), 0);
	assert_int_equal(*volume, 0);
	broadcasts_quiet(s->broadcasts, zone, &none);
	assert_int_equal(*volume, 0);
	site_end(s, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sounds_and_ends),
		cmocka_unit_test(test_preempted_in_part_and_back),
		cmocka_unit_test(test_waits_resumes_expires),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_chime_then_live),
		cmocka_unit_test(test_chime_again_after_it_was_lost),
		cmocka_unit_test(test_recorded_again_with_its_chime),
		cmocka_unit_test(test_live_waits_for_amplifiers),
		cmocka_unit_test(test_reload_by_names),
		cmocka_unit_test(test_many_zones_fit_a_record),
		cmocka_unit_test(test_within_and_longest),
		cmocka_unit_test(test_quiet_hours),
	};
	int err;

	log_init(LOG_LEVEL_ERROR);
	if (libre_init())
		return 1;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
