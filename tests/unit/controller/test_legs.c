/* operators/legs.c on the real engine: what who is called hears, and tells. */
#include "site_plan.h"
#include "site_util.h"

#include "controller/operators/legs.h"
#include "tests/unit/zones/socket_util.h"

#include <fcntl.h>

struct bench {
	struct site *s;
	struct media *m;
	struct legs *legs;
	unsigned done[MEDIA_OWN_LEGS], closed; /* reports of the engine */
	void *line;                            /* of the last news */
	unsigned news;
	enum legs_news last;
	char key;
};

static void on_news(void *line, enum legs_news news, char key)
{
	/* A report has no argument of ours; its line leads to the bench. */
	struct bench *b = *(struct bench **)line;

	b->line = line;
	b->news++;
	b->last = news;
	b->key = key;
}

static void on_engine(const struct media_report *r, void *arg)
{
	struct bench *b = arg;

	if (r->type == MEDIA_PROMPT_DONE)
		b->done[r->index - MEDIA_FIRST_OWN_LEG]++;
	b->closed += r->type == MEDIA_LEG_CLOSED;
	legs_report(b->legs, r);
}

static void begin(struct bench *b)
{
	struct media_options opt = {.tail_ms = 20};

	memset(b, 0, sizeof(*b));
	b->s = site_begin(NULL, false, PLAN_BASE);
	assert_int_equal(media_alloc(&b->m, &opt, on_engine, b), 0);
	assert_int_equal(legs_alloc(&b->legs, b->m, on_news), 0);
	legs_library(b->legs, b->s->library);
}

static void end(struct bench *b)
{
	b->m = media_free(b->m);
	b->legs = legs_free(b->legs);
	site_end(b->s, false);
}

#define bench_await(b, cond) site_await((b)->s, (media_poll((b)->m), (cond)))

static struct media_leg a_call(void)
{
	int fd = udp_socket();

	return (struct media_leg){
		.fd = fd,
		.remote = addr_of("127.0.0.1", port_of(fd)),
		.fmt = {.codec = CODEC_PCMU,
			.ptime_ms = 20,
			.rate = 8000,
			.clock = 8000},
		.event_pt = 101,
		.send = true,
		.recv = true,
	};
}

static int open_one(struct bench *b, void *line)
{
	struct media_leg c = a_call();

	return legs_open(b->legs, &c, line);
}

static void report(struct bench *b, enum media_report_type type, int leg,
		   char key)
{
	struct media_report r = {.type = type,
				 .index = legs_number(leg),
				 .n = (unsigned char)key};

	legs_report(b->legs, &r);
}

static void test_over_and_over(void **state)
{
	struct bench b, *line = &b;
	int quiet, loud, once;

	(void)state;
	begin(&b);
	quiet = open_one(&b, &line);
	once = open_one(&b, &line);
	loud = open_one(&b, &line);
	legs_say(b.legs, quiet, "blip", true);
	legs_quiet(b.legs, quiet);
	legs_say(b.legs, once, "go-ahead", false);
	bench_await(&b, b.done[quiet] && b.done[once]);
	/* Were they said again, it would be before this one is. */
	legs_say(b.legs, loud, "blip", true);
	bench_await(&b, b.done[loud] == 2);
	assert_int_equal(b.done[quiet], 1);
	assert_int_equal(b.done[once], 1);
	/* An unknown name is silence, and in nobody's way. */
	legs_say(b.legs, once, "no such message", true);
	legs_say(b.legs, once, "blip", false);
	bench_await(&b, b.done[once] == 2);
	end(&b);
}

static void test_news(void **state)
{
	struct bench b, *one = &b, *two = &b;
	int first, second;

	(void)state;
	begin(&b);
	first = open_one(&b, &one);
	second = open_one(&b, &two);
	assert_int_not_equal(first, second);
	report(&b, MEDIA_LEG_KEY, second, '#');
	assert_ptr_equal(b.line, &two);
	assert_int_equal(b.last, LEGS_KEY);
	assert_int_equal(b.key, '#');
	report(&b, MEDIA_LEG_SILENT, first, 0);
	assert_ptr_equal(b.line, &one);
	assert_int_equal(b.last, LEGS_SILENT);
	/* What was on its way when it was closed is told to nobody. */
	legs_close(b.legs, first);
	report(&b, MEDIA_LEG_KEY, first, '1');
	report(&b, MEDIA_LEG_SILENT, first, 0);
	assert_int_equal(b.news, 2);
	legs_close(b.legs, -1);
	end(&b);
}

static void test_full(void **state)
{
	struct bench b, *line = &b;
	struct media_leg c;

	(void)state;
	begin(&b);
	for (int i = 0; i < MEDIA_OWN_LEGS; i++)
		assert_int_equal(open_one(&b, &line), i);
	c = a_call();
	assert_int_equal(legs_open(b.legs, &c, &line), -1);
	assert_int_equal(fcntl(c.fd, F_GETFD), -1);
	/* It is free when the engine has let it go, and not before. */
	legs_say(b.legs, 7, "blip", true);
	legs_close(b.legs, 7);
	assert_int_equal(open_one(&b, &line), -1);
	bench_await(&b, b.closed == 1);
	assert_int_equal(open_one(&b, &line), 7);
	legs_say(b.legs, 7, "blip", false);
	bench_await(&b, b.done[7] >= 1);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_over_and_over),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_full),
	};

	if (libre_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
