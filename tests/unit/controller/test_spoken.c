/* spoken.c: messages made in a thread of their own; every handler is called
 * once, whatever becomes of its job. */
#include "speech_util.h"

#include "controller/message/spoken.h"

#define MAX_ANSWERS 700

struct bench {
	struct site *s;
	struct spoken *spoken;
	char order[16]; /**< jobs by letter, as they were answered */
	unsigned n, clips;
	char why[160];
};

/** A job of this bench. */
struct job {
	struct bench *b;
	char letter;
};

static void on_made(struct clip *clip, const struct message_facts *f,
		    const struct reason *why, void *arg)
{
	struct job *j = arg;
	struct bench *b = j->b;

	assert_true(b->n < MAX_ANSWERS);
	if (b->n < sizeof(b->order) - 1)
		b->order[b->n] = j->letter;
	b->n++;
	b->clips += clip != NULL;
	assert_true(!clip || clip_ms(clip) == f->ms);
	snprintf(b->why, sizeof(b->why), "%s", why->text);
	clip_unref(clip);
}

static void begin(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	/* One that says "wait" is not done before there is a file "go". */
	b->s = speech_site(
		false,
		"read t; while [ \"$t\" = wait -a ! -e $(dirname $0)/go ]; do "
		"sleep 0.01; done; cat $(dirname $0)/good.wav",
		"");
	assert_int_equal(spoken_alloc(&b->spoken), 0);
}

static void end(struct bench *b)
{
	b->spoken = spoken_free(b->spoken);
	assert_null(spoken_free(NULL));
	site_end(b->s, false);
}

static void go(struct bench *b)
{
	site_write(b->s, "go", "");
}

static int ask(struct job *j, const char *text, bool urgent, uint32_t ms)
{
	const struct config_message m = {
		.name = (char *)(uintptr_t) "text",
		.text = (char *)(uintptr_t)text,
		.loudness = CONFIG_LOUDNESS_OFF,
		.cycles = 1,
	};

	return spoken_make(j->b->spoken, &m, library_kit(j->b->s->library),
			   urgent, ms, on_made, j);
}

static void test_urgent_first(void **state)
{
	struct bench b;
	struct job j[4];

	(void)state;
	begin(&b);
	for (size_t i = 0; i < 4; i++)
		j[i] = (struct job){&b, (char)('a' + i)};
	assert_int_equal(ask(&j[0], "wait", false, 20000), 0);
	site_await(b.s, runs(b.s) == 1);
	assert_int_equal(ask(&j[1], "one", false, 20000), 0);
	assert_int_equal(ask(&j[2], "two", true, 20000), 0);
	assert_int_equal(ask(&j[3], "three", true, 20000), 0);
	assert_int_equal(b.n, 0);
	go(&b);
	site_await(b.s, b.n == 4);
	assert_string_equal(b.order, "acdb");
	assert_int_equal(b.clips, 4);
	end(&b);
}

/** What waits is taken back; what runs may end, nobody looks at it. */
static void test_deadline(void **state)
{
	struct bench b;
	struct job slow = {&b, 's'}, next = {&b, 'n'}, last = {&b, 'l'};

	(void)state;
	begin(&b);
	assert_int_equal(ask(&slow, "wait", false, 1500), 0);
	site_await(b.s, runs(b.s) == 1);
	assert_int_equal(ask(&next, "never", false, 300), 0);
	site_await(b.s, b.n == 2);
	assert_int_equal(b.clips, 0);
	assert_string_equal(b.why, "it was not spoken in time");
	assert_int_equal(ask(&last, "last", false, 20000), 0);
	go(&b);
	site_await(b.s, b.n == 3);
	assert_int_equal(b.clips, 1);
	/* "never" was not even begun. */
	assert_int_equal(runs(b.s), 2);
	end(&b);
}

static void test_too_many(void **state)
{
	struct bench b;
	struct job j = {&b, 'x'};

	(void)state;
	begin(&b);
	for (size_t i = 0; i < SPOKEN_MAX_JOBS; i++)
		assert_int_equal(ask(&j, i ? "hello" : "wait", false, 60000),
				 0);
	assert_int_equal(ask(&j, "hello", true, 60000), ENOSPC);
	assert_int_equal(b.n, 0);
	/* It stops in the middle of a program that would never end. */
	b.spoken = spoken_free(b.spoken);
	assert_int_equal(b.n, SPOKEN_MAX_JOBS);
	assert_int_equal(b.clips, 0);
	assert_string_equal(b.why, "the daemon stops");
	end(&b);
}

static void test_recorded(void **state)
{
	const struct config_message m = {
		.name = (char *)(uintptr_t) "recording",
		.loudness = CONFIG_LOUDNESS_OFF,
		.cycles = 1,
	};
	struct pcm p = {.rate = 8000, .n = 8000}, none = {0};
	struct bench b;
	struct job j = {&b, 'r'};

	(void)state;
	begin(&b);
	assert_int_equal(spoken_record(b.spoken, &m, library_kit(b.s->library),
				       &none, 0, 20000, on_made, &j),
			 EINVAL);
	for (unsigned long_enough = 0; long_enough < 2; long_enough++) {
		p = (struct pcm){.rate = 8000, .n = 8000};
		p.v = calloc(p.n, sizeof(*p.v));
		assert_non_null(p.v);
		for (size_t i = 2000; i < 6000; i++)
			p.v[i] = i / 20 % 2 ? 8000 : -8000;
		/* Half a second is said in it. */
		assert_int_equal(spoken_record(b.spoken, &m,
					       library_kit(b.s->library), &p,
					       long_enough ? 400 : 600, 20000,
					       on_made, &j),
				 0);
		assert_null(p.v);
		site_await(b.s, b.n == long_enough + 1);
		assert_int_equal(b.clips, long_enough);
		if (!long_enough)
			assert_string_equal(b.why,
					    "only 0.5 s of speech in it");
	}
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urgent_first),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_recorded),
	};
	int err;

	log_init(LOG_LEVEL_ERROR);
	if (libre_init())
		return 1;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
