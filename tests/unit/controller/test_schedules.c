/*
 * What fires the schedules, replayed by a clock of the test's own: years in
 * seconds, with the clock set forward and back. The file under test is read
 * here, with its outside world replaced.
 */
#include "site_plan.h"
#include "site_util.h"

static int64_t wall_us;

static int64_t fake_wall(void)
{
	return wall_us;
}

/** What sounded: the instant in seconds and the number of the schedule. */
static struct {
	int64_t at;
	char actor[80];
	uint32_t wait_ms, max_ms;
	bool background;
} * heard;
static size_t n_heard;
#define MAX_HEARD 100000

static int fake_start(struct broadcasts *b, const struct broadcast_request *rq,
		      struct broadcast_result *res)
{
	(void)b;
	(void)res;
	assert_true(n_heard < MAX_HEARD);
	assert_non_null(rq->clip);
	heard[n_heard].at = wall_us / 1000000;
	heard[n_heard].wait_ms = rq->wait_ms;
	heard[n_heard].max_ms = rq->max_ms;
	heard[n_heard].background = rq->background;
	snprintf(heard[n_heard++].actor, 80, "%s", rq->actor);
	return 0;
}

#define clock_wall_us fake_wall
#define broadcast_start fake_start
#include "controller/schedule/schedules.c"
#undef clock_wall_us
#undef broadcast_start

#include "controller/schedule/zonefile.h"

#include <sys/resource.h>

#define PLAN                                                                   \
	PLAN_BASE                                                              \
	"timezone = \"Europe/Berlin\"\n"                                       \
	"calendar \"closed\" { dates = { \"12-24..01-06\" } }\n"               \
	"schedule \"lesson\" { days = \"mon-fri\" at = { \"08:00\", "          \
	"\"08:45\" } except = { \"closed\" } message = \"blip\" zones = { "    \
	"\"a\" } }\n"                                                          \
	"schedule \"night\" { at = \"02:30\" message = \"blip\" zones = { "    \
	"\"b\" } grace = \"1h\" }\n"

static struct schedules *sched;
static struct site *site;

static int64_t utc(const char *text)
{
	int y, mo, d, h, mi, s;

	assert_int_equal(
		sscanf(text, "%d-%d-%d %d:%d:%d", &y, &mo, &d, &h, &mi, &s), 6);
	return civil_day(y, mo, d) * CIVIL_DAY + h * 3600 + mi * 60 + s;
}

static int begin(void **state)
{
	struct reason why;

	(void)state;
	heard = calloc(MAX_HEARD, sizeof(*heard));
	site = site_begin(NULL, false, PLAN);
	wall_us = utc("2027-01-01 00:00:00") * 1000000;
	n_heard = 0;
	assert_int_equal(schedules_alloc(&sched, site->broadcasts,
					 site->recorder, site->faults, NULL),
			 0);
	assert_int_equal(
		schedules_configure(sched, site->config, site->library, &why),
		0);
	site_await(site, feeds_ready(sched->feeds));
	return 0;
}

static int end(void **state)
{
	(void)state;
	sched = schedules_free(sched);
	site_end(site, false);
	free(heard);
	return 0;
}

static void at_time(int64_t t)
{
	wall_us = t * 1000000;
	tick(sched);
	site->n_events = 0; /* years of them */
}

/** Runs to a time as the daemon does: woken by the next bell, or a look. */
static void run_to(int64_t until)
{
	while (wall_us / 1000000 < until) {
		int64_t next = wall_us / 1000000 + 600;

		for (size_t i = 0; i < sched->n; i++)
			if (sched->bell[i].at > wall_us / 1000000) {
				if (sched->bell[i].at < next)
					next = sched->bell[i].at;
				break;
			}
		at_time(next < until ? next : until);
		recorder_flush(site->recorder);
		site->n_events = 0;
	}
}

/** How many of a schedule on a local day, and all at a time of day (s). */
static size_t count(const char *name, int64_t day, int32_t second, bool *right)
{
	struct tz *z = zonefile_load("Europe/Berlin", NULL);
	char actor[80];
	size_t n = 0;

	snprintf(actor, sizeof(actor), "schedule:%s", name);
	for (size_t i = 0; i < n_heard; i++) {
		const int64_t local = tz_local(z, heard[i].at);

		if (strcmp(heard[i].actor, actor) || civil_day_of(local) != day)
			continue;
		n++;
		if (right && civil_of(local).second == second)
			*right = true;
	}
	tz_free(z);
	return n;
}

static void check_year(int year)
{
	for (int64_t d = civil_day(year, 1, 2); d < civil_day(year + 1, 1, 1);
	     d++) {
		const struct civil c = civil_of(d * CIVIL_DAY);
		const bool closed = (c.month == 12 && c.day >= 24) ||
				    (c.month == 1 && c.day <= 6);
		const size_t want = closed || civil_weekday(d) > 4 ? 0 : 2;
		bool first = false, second = false;

		if (count("lesson", d, 8 * 3600, &first) != want ||
		    count("lesson", d, 8 * 3600 + 2700, &second) != want ||
		    (want && (!first || !second)))
			fail_msg("%d-%02d-%02d", c.year, c.month, c.day);
		/* On the day clocks are put forward at 03:00; once when they
		 * are put back. */
		assert_int_equal(count("night", d, 0, NULL), 1);
	}
}

static void test_a_year(void **state)
{
	struct rusage use;

	(void)state;
	run_to(utc("2028-01-01 00:00:00"));
	getrusage(RUSAGE_SELF, &use);
	print_message("%zu bells, %ld ms of CPU\n", n_heard,
		      use.ru_utime.tv_sec * 1000 + use.ru_utime.tv_usec / 1000);
	check_year(2027);
}

/* Set back by up to 3 h and forward within grace, several times a week: none
 * twice and, as its grace is an hour, none of the night's left out. */
static void test_a_year_of_steps(void **state)
{
	unsigned seed = 7;
	struct tz *z = zonefile_load("Europe/Berlin", NULL);

	(void)state;
	while (wall_us / 1000000 < utc("2027-12-20 00:00:00")) {
		const int64_t now = wall_us / 1000000;

		run_to(now + 3600 + rand_r(&seed) % (2 * 86400));
		sched->set = true;
		if (rand_r(&seed) % 2)
			at_time(wall_us / 1000000 - rand_r(&seed) % 10800);
		else
			at_time(wall_us / 1000000 + rand_r(&seed) % 3000);
	}
	for (int64_t d = civil_day(2027, 1, 3); d < civil_day(2027, 12, 18);
	     d++) {
		size_t n = 0;

		/* By the day of the bell, not of the minute it was caught. */
		for (size_t i = 0; i < n_heard; i++)
			n += !strcmp(heard[i].actor, "schedule:night") &&
			     civil_day_of(tz_local(z, heard[i].at)) == d;
		assert_int_equal(n, 1);
		assert_true(count("lesson", d, 0, NULL) <= 2);
	}
	tz_free(z);
}

static void test_set_back_far(void **state)
{
	(void)state;
	run_to(utc("2027-03-01 12:00:00"));
	n_heard = 0;
	sched->set = true;
	/* A day back: that day's bells again. */
	at_time(utc("2027-02-28 22:00:00"));
	run_to(utc("2027-03-01 07:30:00"));
	assert_int_equal(n_heard, 2);
	assert_string_equal(heard[1].actor, "schedule:lesson");
}

static void test_patience(void **state)
{
	(void)state;
	run_to(utc("2027-03-01 06:59:00"));
	n_heard = 0;
	/* 20 s late: what is left of its minute. */
	at_time(utc("2027-03-01 07:00:20"));
	assert_int_equal(n_heard, 1);
	assert_int_equal(heard[0].wait_ms, 40000);
	/* Too late: told, and gone. */
	at_time(utc("2027-03-01 07:50:00"));
	assert_int_equal(n_heard, 1);
	assert_int_equal(
		site_count(site, EVENT_SCHEDULE_MISSED, "schedule:lesson"), 1);
}

/* ----------------------------------------------------------------- changes */

static struct change *bell_of(const char *message, const char *zone,
			      const char *when)
{
	struct change *c = change_alloc(CHANGE_BELL, 1);
	struct reason why = {""};

	assert_non_null(c);
	snprintf(c->message, sizeof(c->message), "%s", message);
	snprintf(c->zones[c->n_zones++], CONFIG_MAX_NAME, "%s", zone);
	c->level = site->config->levels[CLASS_BELL];
	if (schedules_instant(sched, -1, when, &c->at, &why))
		fail_msg("%s", why.text);
	return c;
}

static struct change *move_of(const char *schedule, const char *from,
			      const char *to)
{
	struct change *c = change_alloc(CHANGE_MOVE, 0);
	struct reason why = {""};
	const int i = config_schedule_find(site->config, schedule);

	assert_non_null(c);
	snprintf(c->schedule, sizeof(c->schedule), "%s", schedule);
	assert_int_equal(schedules_instant(sched, i, from, &c->from, &why), 0);
	assert_int_equal(schedules_instant(sched, i, to, &c->at, &why), 0);
	return c;
}

static struct change *days_of(const char *type, int64_t first, int64_t last)
{
	struct change *c = change_alloc(CHANGE_DAY_TYPE, 0);

	assert_non_null(c);
	snprintf(c->day_type, sizeof(c->day_type), "%s", type);
	c->first = first;
	c->last = last;
	return c;
}

/** Made, or refused with a reason that has these words. */
static uint32_t made(struct change *c, const char *words)
{
	struct reason why = {""};
	const uint32_t id = schedules_change(sched, c, "user:kim", &why);

	if (words && (id || !strstr(why.text, words)))
		fail_msg("not \"%s\": %s", words, why.text);
	if (!words && !id)
		fail_msg("%s", why.text);
	return id;
}

/** An extra bell, and one that is moved: once, and then they are gone. */
static void test_one_off(void **state)
{
	json_t *rows;
	struct reason why;
	uint32_t id;

	(void)state;
	run_to(utc("2027-03-01 06:00:00"));
	n_heard = 0;
	made(bell_of("blip", "c", "2027-03-01T09:30"), NULL);
	made(move_of("lesson", "2027-03-01T08:45", "2027-03-01T10:15"), NULL);
	id = made(bell_of("blip", "c", "2027-03-01T11:00"), NULL);
	assert_true(schedules_unchange(sched, id, "user:kim"));
	assert_false(schedules_unchange(sched, id, "user:kim"));
	rows = schedules_next_json(sched, utc("2027-03-01 06:00:00"),
				   utc("2027-03-01 20:00:00"), true, &why);
	/* 8:00, 8:45 as moved, 9:30, 10:15. */
	assert_int_equal(json_array_size(rows), 4);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(rows, 1), "why")),
			    "moved to 2027-03-01 10:15 by user:kim");
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(rows, 2), "why")),
			    "a one-off bell by user:kim");
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(rows, 2), "message")),
			    "blip");
	json_decref(rows);
	run_to(utc("2027-03-01 20:00:00"));
	assert_int_equal(n_heard, 3);
	assert_int_equal(heard[0].at, utc("2027-03-01 07:00:00"));
	assert_int_equal(heard[1].at, utc("2027-03-01 08:30:00"));
	assert_int_equal(heard[2].at, utc("2027-03-01 09:15:00"));
	assert_int_equal(sched->changes.n, 0);
	/* An hour late is too late. */
	made(bell_of("blip", "c", "2027-03-01T22:00"), NULL);
	at_time(utc("2027-03-01 22:00:00"));
	recorder_flush(site->recorder);
	assert_int_equal(n_heard, 3);
	assert_int_equal(sched->changes.n, 0);
}

static void test_day_type(void **state)
{
	struct reason why = {""};
	const int64_t tuesday = civil_day(2027, 3, 2);

	(void)state;
	/* The old configuration goes with the new one. */
	sched = schedules_free(sched);
	site_configure(site, PLAN
		       "schedule \"exam\" { at = \"09:00\" day-type = \"exam\" "
		       "message = \"blip\" zones = { \"c\" } }\n");
	assert_int_equal(schedules_alloc(&sched, site->broadcasts,
					 site->recorder, site->faults, NULL),
			 0);
	assert_int_equal(
		schedules_configure(sched, site->config, site->library, &why),
		0);
	site_await(site, feeds_ready(sched->feeds));
	run_to(utc("2027-03-01 06:00:00"));
	n_heard = 0;
	made(days_of("exam", tuesday, tuesday + 1), NULL);
	/* What was said last counts. */
	made(days_of("normal", tuesday + 1, tuesday + 1), NULL);
	run_to(utc("2027-03-05 00:00:00"));
	for (int d = -1; d < 3; d++) {
		assert_int_equal(count("exam", tuesday + d, 0, NULL), d == 0);
		assert_int_equal(count("lesson", tuesday + d, 0, NULL),
				 d == 0 ? 0 : 2);
	}
	run_to(utc("2027-03-06 00:00:00"));
	assert_int_equal(sched->changes.n, 0);
}

static void test_bad_changes(void **state)
{
	struct reason why = {""};
	int64_t at;
	const int64_t today = civil_day(2027, 3, 1);

	(void)state;
	run_to(utc("2027-03-01 06:00:00"));
	made(bell_of("blip", "c", "2027-03-01T06:59"), "is over");
	made(bell_of("blip", "c", "2028-03-03T07:00"), "366 days");
	made(bell_of("siren", "c", "2027-03-01T08:00"), "without end");
	made(move_of("lesson", "2027-03-01T08:30", "2027-03-01T09:00"),
	     "no bell at 2027-03-01 08:30");
	made(move_of("lesson", "2027-03-01T08:45", "2027-03-01T06:30"),
	     "is over");
	made(days_of("nosuch", today, today), "nosuch");
	made(days_of("normal", today + 1, today), "before the first");
	made(days_of("normal", today - 9, today - 5), "is over");
	assert_int_equal(
		schedules_instant(sched, -1, "2027-03-28T02:30", &at, &why),
		EINVAL);
	assert_non_null(strstr(why.text, "put forward"));
	assert_int_equal(schedules_instant(sched, -1, "tomorrow", &at, &why),
			 EINVAL);
	assert_int_equal(
		schedules_instant(sched, -1, "2027-03-02T08:00:00Z", &at, &why),
		0);
	assert_int_equal(at, utc("2027-03-02 08:00:00"));
	for (int i = 0; i < CHANGES_MAX; i++)
		made(bell_of("blip", "c", "2027-03-02T08:00"), NULL);
	made(bell_of("blip", "c", "2027-03-02T08:00"), "200 one-off");
}

/** What was kept is read as it was. */
static void test_kept_changes(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "{\"kind\":3}",
					  "{\"kind\":\"nosuch\"}"};
	struct change *c, *again;
	char *text;

	(void)state;
	run_to(utc("2027-03-01 06:00:00"));
	made(move_of("lesson", "2027-03-01T08:45", "2027-03-01T10:15"), NULL);
	made(days_of("normal", civil_day(2027, 3, 2), civil_day(2027, 3, 4)),
	     NULL);
	for (size_t i = 0; i < 2; i++) {
		c = sched->changes.v[i];
		text = change_write(c);
		again = change_read(text);
		assert_non_null(again);
		change_resolve(again, site->config);
		assert_int_equal(again->id, c->id);
		assert_int_equal(again->kind, c->kind);
		assert_int_equal(again->at, c->at);
		assert_int_equal(again->from, c->from);
		assert_int_equal(again->first, c->first);
		assert_int_equal(again->last, c->last);
		assert_int_equal(again->level, c->level);
		assert_int_equal(again->schedule_i, c->schedule_i);
		assert_int_equal(again->n_zone_i, c->n_zone_i);
		assert_string_equal(again->message, c->message);
		assert_string_equal(again->actor, "user:kim");
		assert_string_equal(again->day_type, c->day_type);
		change_free(again);
		free(text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_null(change_read(bad[i]));
}

static void test_sanity(void **state)
{
	static const struct {
		struct sanity_view v;
		enum sanity is;
	} t[] = {
		{{SANITY_OLDEST, 0, false, false, false}, SANITY_GOOD},
		{{SANITY_OLDEST - 1, 0, true, true, false}, SANITY_TOO_OLD},
		{{0, 0, false, false, false}, SANITY_TOO_OLD},
		{{SANITY_OLDEST, 0, true, false, true}, SANITY_NOT_SYNC},
		{{SANITY_OLDEST, 0, false, true, true}, SANITY_GOOD},
		{{SANITY_OLDEST, SANITY_OLDEST + SANITY_BACK, false, false,
		  false},
		 SANITY_GOOD},
		{{SANITY_OLDEST, SANITY_OLDEST + SANITY_BACK + 1, false, false,
		  false},
		 SANITY_BEHIND},
		{{SANITY_OLDEST, SANITY_OLDEST + SANITY_BACK + 1, true, false,
		  false},
		 SANITY_GOOD},
		{{SANITY_OLDEST, SANITY_OLDEST + SANITY_BACK + 1, false, true,
		  false},
		 SANITY_GOOD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_int_equal(sanity_of(&t[i].v), t[i].is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_year, begin, end),
		cmocka_unit_test_setup_teardown(test_a_year_of_steps, begin,
						end),
		cmocka_unit_test_setup_teardown(test_set_back_far, begin, end),
		cmocka_unit_test_setup_teardown(test_patience, begin, end),
		cmocka_unit_test_setup_teardown(test_one_off, begin, end),
		cmocka_unit_test_setup_teardown(test_day_type, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_changes, begin, end),
		cmocka_unit_test_setup_teardown(test_kept_changes, begin, end),
		cmocka_unit_test(test_sanity),
	};
	int failed;

	if (libre_init())
		return 1;
	log_init(LOG_LEVEL_ERROR);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return failed;
}
