/* announce.c: texts of the moment, and the faults of messages that are not
 * whole. */
#include "speech_util.h"

#include "controller/announce.h"

#define FIRE "message \"fire\" { tone = \"din-33404-3\" text = \"fire\" }\n"
#define FAULT "message:fire"

struct bench {
	struct site *s;
	struct announce *a;
	unsigned n, clips;
	struct announced last; /**< its clip is not held */
};

static void begin(struct bench *b, const char *body, const char *more)
{
	memset(b, 0, sizeof(*b));
	b->s = speech_site(false, body, more);
	assert_int_equal(announce_alloc(&b->a, b->s->faults), 0);
	announce_configure(b->a, b->s->config, b->s->library);
}

static void end(struct bench *b)
{
	assert_null(announce_free(b->a));
	assert_null(announce_free(NULL));
	site_end(b->s, false);
}

static void on_said(const struct announced *said, void *arg)
{
	struct bench *b = arg;

	b->n++;
	b->clips += said->clip != NULL;
	b->last = *said;
	b->last.clip = NULL;
}

static int say(struct bench *b, const char *text, bool urgent)
{
	const struct announce_text t = {.text = text, .urgent = urgent};
	struct reason why = {""};
	int err = announce_say(b->a, &t, on_said, b, &why);

	assert_int_equal(!err, !*why.text);
	return err;
}

static bool faulty(struct bench *b, const char *key)
{
	return fault_find(b->s->faults, key) != NULL;
}

static const struct message_facts *fire(struct bench *b)
{
	return library_facts(b->s->library, "fire");
}

/** Tried again until it is spoken; then it is in place, and no fault. */
static void test_message_mends_itself(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, SPEAKS, FIRE);
	/* At the start nothing was spoken yet. */
	assert_int_equal(fire(&b)->state, MESSAGE_TONE);
	assert_true(faulty(&b, FAULT));
	announce_watch(b.a);
	/* Once a minute: what is asked again now asks for nothing. */
	announce_watch(b.a);
	site_await(b.s, !faulty(&b, FAULT));
	assert_int_equal(fire(&b)->state, MESSAGE_READY);
	assert_int_equal(runs(b.s), 1);
	announce_watch(b.a);
	site_turn(b.s);
	assert_int_equal(runs(b.s), 1);
	end(&b);
}

static void test_message_stays_a_fault(void **state)
{
	const struct fault *f;
	struct bench b;

	(void)state;
	begin(&b, "exit 3", FIRE);
	announce_watch(b.a);
	site_await(b.s, runs(b.s) == 1);
	site_await(b.s, (f = fault_find(b.s->faults, FAULT)) &&
				strstr(f->text, "ended with code 3"));
	assert_non_null(strstr(f->text, "a tone sounds in its place"));
	assert_int_equal(fire(&b)->state, MESSAGE_TONE);
	/* A message that is taken out takes its fault along. */
	site_configure(b.s, speech_plan(b.s->dir, ""));
	announce_configure(b.a, b.s->config, b.s->library);
	assert_false(faulty(&b, FAULT));
	end(&b);
}

/** What was begun under another configuration changes nothing. */
static void test_message_of_before(void **state)
{
	struct bench b;

	(void)state;
	begin(&b,
	      "while [ ! -e $(dirname $0)/go ]; do sleep 0.01; done; cat "
	      "$(dirname $0)/good.wav",
	      FIRE);
	announce_watch(b.a);
	site_await(b.s, runs(b.s) == 1);
	site_configure(b.s, speech_plan(b.s->dir, "message \"fire\" { tone = "
						  "\"nfpa-whoop\" }\n"));
	announce_configure(b.a, b.s->config, b.s->library);
	assert_int_equal(announce_generation(b.a), 2);
	assert_false(faulty(&b, FAULT));
	site_write(b.s, "go", "");
	assert_int_equal(say(&b, "hello", false), 0);
	site_await(b.s, b.n == 1);
	assert_int_equal(fire(&b)->ms,
			 clip_ms(library_tone(b.s->library, "nfpa-whoop")));
	end(&b);
}

/** How long words are shows when they are spoken: a chime before pages. */
static void test_chime_too_long(void **state)
{
	const struct fault *f;
	struct bench b;

	(void)state;
	begin(&b, SPEAKS,
	      "message \"gong\" { text = \"listen\" }\nzone \"d\" { chime = "
	      "\"gong\" multicast \"239.192.9.4:24004\" { interface = \"lo\" "
	      "} }\n");
	write_wav(b.s, "good.wav", 11, 0.3);
	assert_false(faulty(&b, "chime"));
	announce_watch(b.a);
	site_await(b.s, (f = fault_find(b.s->faults, "chime")));
	assert_non_null(strstr(f->text, "zone \"d\": chime: message \"gong\" "
					"is 11.0 s long"));
	assert_non_null(strstr(f->text, "\"chime-2\" sounds in its place"));
	assert_ptr_equal(library_page_chime(b.s->library, b.s->config,
					    config_zone_find(b.s->config, "d")),
			 library_tone(b.s->library, "chime-2"));
	site_configure(b.s, speech_plan(b.s->dir, ""));
	announce_configure(b.a, b.s->config, b.s->library);
	assert_false(faulty(&b, "chime"));
	end(&b);
}

/** And an attention that is spoken before an emergency's words. */
static void test_attention_too_long(void **state)
{
	static const char plan[] =
		"message \"gas\" { say \"attention\" { text = \"attention\" } "
		"say \"en\" { text = \"gas\" } gap = \"2s\" repeat = "
		"\"until-reset\" }\ninput \"i\" { virtual = true }\nalarm "
		"\"gas\" { inputs = { \"i\" } broadcast { message = \"gas\" "
		"zones = { \"a\" } priority = \"evacuate\" } }\n";
	static const double seconds[] = {2.5, 4, 11};
	const struct fault *f;
	struct bench b;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const bool good = i == 1;

		/* "gas" lasts 1 s, "attention" what is to be tried. */
		begin(&b,
		      "read t; test \"$t\" = gas && cat $(dirname $0)/good.wav "
		      "|| cat $(dirname $0)/long.wav",
		      plan);
		write_wav(b.s, "long.wav", seconds[i], 0.3);
		announce_watch(b.a);
		site_await(b.s, !library_facts(b.s->library, "gas")->unspoken);
		f = fault_find(b.s->faults, "message:gas");
		assert_int_equal(!f, good);
		assert_in_range(library_facts(b.s->library, "gas")->ms,
				(good ? 4000 : 3000) + 300 + 1000 - 5,
				(good ? 4000 : 3000) + 300 + 1000 + 5);
		if (f) {
			assert_non_null(strstr(f->text, "say \"attention\" "
							"lasts"));
			assert_non_null(strstr(f->text,
					       "tone \"din-33404-3\" sounds "
					       "for 3 s in its place"));
		}
		end(&b);
	}
}

static void test_text(void **state)
{
	struct announce_text t = {.text = "hello", .tone = "din-33404-3"};
	struct clip *c;
	struct bench b;
	uint32_t ms;
	bool words;

	(void)state;
	begin(&b, "exit 3", "");
	assert_int_equal(say(&b, "hello", false), 0);
	site_await(b.s, b.n == 1);
	assert_false(b.last.words);
	assert_true(faulty(&b, "speech"));
	assert_non_null(strstr(b.last.why.text, "ended with code 3"));
	/* Not kept: its tone alone. */
	c = announce_again(b.a, &t, &words);
	assert_non_null(c);
	assert_false(words);
	assert_int_equal(clip_ms(c),
			 clip_ms(library_tone(b.s->library, "din-33404-3")));
	ms = clip_ms(c);
	clip_unref(c);
	/* An emergency's tone is there at once, without words. */
	assert_int_equal(say(&b, "hello", true), 0);
	site_await(b.s, b.n == 2);
	assert_int_equal(b.clips, 2);
	program(b.s, SPEAKS);
	assert_int_equal(say(&b, "hello", false), 0);
	site_await(b.s, b.n == 3);
	assert_true(b.last.words);
	assert_false(faulty(&b, "speech"));
	assert_int_equal(strncmp(b.last.message, "text:", 5), 0);
	/* Kept: behind its tone, without the program. */
	program(b.s, "exit 3");
	c = announce_again(b.a, &t, &words);
	assert_true(words);
	assert_int_equal(clip_ms(c), ms + 300 + 1000);
	clip_unref(c);
	end(&b);
}

/** An emergency waits three seconds for its words, whatever the settings. */
static void test_emergency_waits_for_nothing(void **state)
{
	struct bench b;
	uint64_t asked;

	(void)state;
	begin(&b, "exec sleep 600", "");
	asked = clock_mono_us();
	assert_int_equal(say(&b, "hello", true), 0);
	site_await(b.s, b.n == 1);
	assert_false(b.last.words);
	assert_true(clock_mono_us() - asked >= ANNOUNCE_URGENT_MS * 1000 / 2);
	assert_true(faulty(&b, "speech"));
	end(&b);
}

static void test_too_many(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, "exec sleep 600", "");
	for (size_t i = 0; i < ANNOUNCE_MAX_TEXTS; i++)
		assert_int_equal(say(&b, "hello", false), 0);
	assert_int_equal(say(&b, "hello", true), ENOSPC);
	assert_int_equal(b.n, 0);
	/* All are answered when it ends. */
	b.a = announce_free(b.a);
	assert_int_equal(b.n, ANNOUNCE_MAX_TEXTS);
	assert_int_equal(b.clips, 0);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_mends_itself),
		cmocka_unit_test(test_message_stays_a_fault),
		cmocka_unit_test(test_message_of_before),
		cmocka_unit_test(test_chime_too_long),
		cmocka_unit_test(test_attention_too_long),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_emergency_waits_for_nothing),
		cmocka_unit_test(test_too_many),
	};
	int err;

	log_init(LOG_LEVEL_ERROR);
	if (libre_init())
		return 1;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
