/* restore.c: what a kill left of emergencies sounds again, its words too. */
#include "speech_util.h"

#include "controller/restore.h"

static struct site *s;
static struct announce *announce;

static void speak(void)
{
	assert_int_equal(announce_alloc(&announce, s->faults), 0);
	announce_configure(announce, s->config, s->library);
	s->scope.announce = announce;
}

/** Kills it, and begins again with what it left. */
static void again(const char *body)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "%s", s->dir);
	announce = announce_free(announce);
	site_end(s, true);
	s = calloc(1, sizeof(*s));
	assert_non_null(s);
	snprintf(s->dir, sizeof(s->dir), "%s", dir);
	program(s, body);
	free(s);
	s = site_begin(dir, true, speech_plan(dir, ""));
	speak();
	restore_broadcasts(&s->scope, s->journal);
}

static void begin(void)
{
	s = speech_site(true, SPEAKS, "");
	speak();
}

static void end(void)
{
	announce = announce_free(announce);
	site_end(s, false);
}

static void on_reply(int status, json_t *reply, const struct refusal *no,
		     void *arg)
{
	(void)no;
	assert_int_equal(status, 201);
	json_decref(reply);
	++*(unsigned *)arg;
}

static void page(const char *args)
{
	static const struct caller boss = {.actor = "user:boss",
					   .role = WEB_ADMIN};
	json_t *o = json_loads(args, 0, NULL);
	unsigned done = 0;

	assert_non_null(o);
	commands_ask(&s->scope, &boss, "page", NULL, o, on_reply, &done);
	site_await(s, done);
	json_decref(o);
}

/** The only broadcast there is. */
static json_t *only(void)
{
	json_t *list = broadcasts_json(s->broadcasts), *o;

	assert_int_equal(json_array_size(list), 1);
	o = json_incref(json_array_get(list, 0));
	json_decref(list);
	return o;
}

#define assert_only(what_, actor_)                                             \
	do {                                                                   \
		json_t *o_ = only();                                           \
		assert_string_equal(                                           \
			json_string_value(json_object_get(o_, "what")),        \
			what_);                                                \
		assert_string_equal(                                           \
			json_string_value(json_object_get(o_, "actor")),       \
			actor_);                                               \
		json_decref(o_);                                               \
	} while (0)

static unsigned broadcasts(void)
{
	return (unsigned)broadcast_count(s->broadcasts);
}

static void test_message_and_tone(void **state)
{
	json_t *o;

	(void)state;
	begin();
	page("{\"zones\":[\"a\",\"c\"],\"message\":\"siren\",\"priority\":"
	     "250}");
	again(SPEAKS);
	assert_only("message siren", "user:boss");
	site_await(s, site_packets(s, "a") > 3 && site_packets(s, "c") > 3);
	/* It is still the same one the next time; stopped it is not. */
	again(SPEAKS);
	o = only();
	broadcast_stop(s->broadcasts,
		       (uint64_t)json_integer_value(json_object_get(o, "id")),
		       "x", 0, "x");
	json_decref(o);
	/* Below 200 nothing comes back. */
	page("{\"zones\":[\"c\"],\"message\":\"siren\",\"priority\":199}");
	again(SPEAKS);
	assert_int_equal(broadcasts(), 0);
	end();
}

/** What was said, behind its tone: kept, no program is asked. */
static void test_words_that_are_kept(void **state)
{
	(void)state;
	begin();
	page("{\"zones\":[\"a\"],\"text\":\"leave\",\"tone\":\"din-33404-3\","
	     "\"priority\":250,\"repeat\":2}");
	again("exit 3");
	assert_only("text \"leave\"", "user:boss");
	assert_int_equal(runs(s), 1);
	/* Twice 1 s of tone, 0.3 s, 1 s of words, and 1 s between. */
	site_await(s, !broadcasts());
	assert_in_range(site_packets(s, "a"), 220, 310);
	end();
}

/** Words that are gone are spoken anew behind a tone that goes round. */
static void test_words_that_are_gone(void **state)
{
	char command[160];

	(void)state;
	begin();
	page("{\"zones\":[\"a\"],\"text\":\"leave\",\"priority\":250}");
	snprintf(command, sizeof(command), "rm -r %s/state/speech", s->dir);
	assert_int_equal(system(command), 0);
	again("while [ ! -e $(dirname $0)/go ]; do sleep 0.01; done; " SPEAKS);
	/* Longer than the tone that stands for them. */
	site_await(s, site_packets(s, "a") > 70);
	assert_only("text \"leave\"", "user:boss");
	site_write(s, "go", "");
	site_await(s, !broadcasts());
	assert_int_equal(runs(s), 2);
	assert_int_equal(site_count(s, EVENT_BROADCAST_SOUNDING, ""), 1);
	assert_null(fault_find(s->faults, "speech"));
	end();
}

/** A tone once, as was asked for, when they cannot be had. */
static void test_words_that_cannot_be_had(void **state)
{
	char command[160];

	(void)state;
	begin();
	page("{\"zones\":[\"a\"],\"text\":\"leave\",\"priority\":250}");
	snprintf(command, sizeof(command), "rm -r %s/state/speech", s->dir);
	assert_int_equal(system(command), 0);
	again("exit 3");
	assert_int_equal(broadcasts(), 1);
	site_await(s, !broadcasts());
	assert_true(site_packets(s, "a") >= 45);
	assert_non_null(fault_find(s->faults, "speech"));
	end();
}

static void test_zones_gone(void **state)
{
	char dir[64];

	(void)state;
	begin();
	page("{\"zones\":[\"a\"],\"message\":\"siren\",\"priority\":250}");
	snprintf(dir, sizeof(dir), "%s", s->dir);
	announce = announce_free(announce);
	site_end(s, true);
	s = site_begin(dir, true, PLAN_HEAD PLAN_ZONE_C PLAN_MESSAGES);
	speak();
	restore_broadcasts(&s->scope, s->journal);
	assert_int_equal(broadcasts(), 0);
	assert_int_equal(site_count(s, EVENT_BROADCAST_REFUSED, ""), 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_and_tone),
		cmocka_unit_test(test_words_that_are_kept),
		cmocka_unit_test(test_words_that_are_gone),
		cmocka_unit_test(test_words_that_cannot_be_had),
		cmocka_unit_test(test_zones_gone),
	};
	int err;

	log_init(LOG_LEVEL_ERROR);
	if (libre_init())
		return 1;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
