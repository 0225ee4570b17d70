/* What is kept of a talker: in memory made before, up to its end. */
#include "tests/unit/zones/media_util.h"
#include "zones/reel.h"

static void takes_what_fits(void **state)
{
	int16_t v[1000];
	struct reel *r = NULL;
	struct pcm p = {0};
	(void)state;

	for (int i = 0; i < 1000; i++)
		v[i] = (int16_t)(i * 7);
	assert_int_equal(reel_alloc(&r, 8000, 200), 0);
	assert_int_equal(reel_rate(r), 8000);
	assert_int_equal(reel_bytes(8000, 200), 3200);
	assert_int_equal(reel_ms(r), 0);
	assert_true(reel_put(r, v, 1000));
	assert_int_equal(reel_ms(r), 125);
	assert_false(reel_put(r, v, 1000));
	assert_int_equal(reel_ms(r), 200);
	assert_false(reel_put(r, v, 1));
	reel_take(r, &p);
	assert_int_equal(p.n, 1600);
	assert_int_equal(p.rate, 8000);
	assert_memory_equal(p.v, v, sizeof(v));
	assert_memory_equal(p.v + 1000, v, 600 * sizeof(*v));
	/* Nothing is left that could be written to. */
	assert_false(reel_put(r, v, 1));
	assert_int_equal(reel_ms(r), 0);
	reel_free(r);
	pcm_reset(&p);
}

static void bad_sizes_are_refused(void **state)
{
	struct reel *r = NULL;
	(void)state;

	assert_int_equal(reel_alloc(&r, 11025, 1000), EINVAL);
	assert_int_equal(reel_alloc(&r, 8000, 0), EINVAL);
	assert_int_equal(reel_alloc(&r, 8000, REEL_MAX_MS + 1), EINVAL);
	assert_null(r);
	assert_null(reel_free(NULL));
}

/* ------------------------------------------------------ through the engine */

#define LEG 3

struct talker {
	struct receiver rx;
	struct sockaddr_storage leg;
	struct packet next;
	struct format fmt;
};

static void open_leg(struct world *w, struct talker *t, enum codec codec)
{
	int fd = udp_socket();
	struct media_leg l = {.fd = fd, .recv = true, .send = true};

	receiver_open(&t->rx);
	t->leg = addr_of("127.0.0.1", port_of(fd));
	format_default(&t->fmt, codec, 16000);
	t->next = (struct packet){
		.pt = t->fmt.pt, .seq = 7, .ts = 1600, .ssrc = 5};
	l.remote = t->rx.addr;
	l.fmt = t->fmt;
	media_begin(w->m);
	media_leg_open(w->m, LEG, &l);
	assert_int_equal(media_commit(w->m), 0);
}

/** Says n packets of what `pcm` holds from packet `from` on. */
static void say(struct world *w, struct talker *t, const struct pcm *pcm,
		unsigned from, unsigned n)
{
	uint32_t size = format_samples(&t->fmt);
	uint64_t at = clock_mono_us();

	for (unsigned i = 0; i < n; i++) {
		uint8_t buf[PACKET_HEADER + 1280];

		packet_header(buf, &t->next);
		codec_encode(t->fmt.codec, buf + PACKET_HEADER,
			     pcm->v + (size_t)(from + i) * size, size);
		sendto(t->rx.fd, buf, PACKET_HEADER + format_bytes(&t->fmt), 0,
		       (struct sockaddr *)&t->leg, sizeof(struct sockaddr_in));
		t->next.seq++;
		t->next.ts += format_ticks(&t->fmt);
		at += 20000;
		await(w, &t->rx, 1, clock_mono_us() >= at);
	}
}

static void record_on(struct world *w, struct reel *r)
{
	media_begin(w->m);
	media_record(w->m, LEG, r);
	assert_int_equal(media_commit(w->m), 0);
}

/** A leg whose sound goes on a reel of so many ms from now on. */
static struct reel *recording_begin(struct world *w, struct talker *t,
				    uint32_t ms)
{
	struct reel *r = NULL;

	assert_int_equal(reel_alloc(&r, 16000, ms), 0);
	world_begin(w, 100, 0);
	open_leg(w, t, CODEC_L16);
	record_on(w, r);
	return r;
}

static void recording_end(struct world *w, struct talker *t, struct reel *r)
{
	world_end(w);
	receiver_close(&t->rx);
	reel_free(r);
}

/** Where in `heard` the sound `said` begins, to the sample; -1 = nowhere. */
static long place_of(const struct pcm *heard, const int16_t *said, size_t n)
{
	for (size_t i = 0; i + n <= heard->n; i++)
		if (!memcmp(heard->v + i, said, n * sizeof(*said)))
			return (long)i;
	return -1;
}

/**
 * How many of the packets `from` to `to` (not with it) were kept bit for bit.
 * A machine that stops for a moment makes the playout leave some out.
 */
static unsigned kept(const struct pcm *heard, const struct pcm *said,
		     unsigned from, unsigned to)
{
	unsigned n = 0;

	for (unsigned i = from; i < to; i++)
		n += place_of(heard, said->v + (size_t)i * 320, 320) >= 0;
	return n;
}

/** Samples that no others are like, and that L16 leaves as they are. */
static struct pcm noise(unsigned packets)
{
	struct pcm p = {.n = packets * 320, .rate = 16000};

	p.v = calloc(p.n, sizeof(*p.v));
	srand(4);
	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)(rand() % 20000 - 10000);
	return p;
}

static void keeps_what_is_said(void **state)
{
	struct pcm said = noise(30), heard = {0};
	struct reel *r;
	struct talker t;
	struct world w;
	(void)state;

	r = recording_begin(&w, &t, 5000);
	say(&w, &t, &said, 0, 30);
	/* Closed in the middle of it: what has come is kept. */
	await(&w, &t.rx, 1, reel_ms(r) >= 300);
	media_begin(w.m);
	media_leg_close(w.m, LEG);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &t.rx, 1, reports(&w, MEDIA_LEG_CLOSED, LEG));
	assert_int_equal(reports(&w, MEDIA_RECORDED, LEG), 1);
	/* It is told before the leg is: only then its memory is free. */
	for (unsigned i = 0; i < w.n_reports; i++)
		if (w.report[i].type == MEDIA_LEG_CLOSED)
			fail_msg("closed before its recording was over");
		else if (w.report[i].type == MEDIA_RECORDED)
			break;
	reel_take(r, &heard);
	assert_true(kept(&heard, &said, 0, 30) >= 10);
	recording_end(&w, &t, r);
	pcm_reset(&heard);
	free(said.v);
}

static void is_over_when_full(void **state)
{
	struct pcm said = noise(60);
	struct reel *r;
	struct talker t;
	struct world w;
	(void)state;

	r = recording_begin(&w, &t, 500);
	say(&w, &t, &said, 0, 60);
	await(&w, &t.rx, 1, reports(&w, MEDIA_RECORDED, LEG));
	assert_int_equal(reel_ms(r), 500);
	/* Taken away once more it is no second end. */
	record_on(&w, NULL);
	media_begin(w.m);
	media_leg_close(w.m, LEG);
	media_commit(w.m);
	await(&w, &t.rx, 1, reports(&w, MEDIA_LEG_CLOSED, LEG));
	assert_int_equal(reports(&w, MEDIA_RECORDED, LEG), 1);
	recording_end(&w, &t, r);
	free(said.v);
}

/**
 * Says on from packet `from` until so many ms more are kept; which packet is
 * next.
 */
static unsigned say_until(struct world *w, struct talker *t, struct reel *r,
			  const struct pcm *pcm, unsigned from, uint32_t ms)
{
	uint32_t until = reel_ms(r) + ms;

	while (reel_ms(r) < until && from * 320 < pcm->n)
		say(w, t, pcm, from++, 1);
	assert_true(reel_ms(r) >= until);
	return from;
}

static void nothing_while_on_hold(void **state)
{
	struct pcm said = noise(200), heard = {0};
	unsigned hold, on, end;
	struct media_leg l = {0};
	struct reel *r;
	struct talker t;
	struct world w;
	(void)state;

	r = recording_begin(&w, &t, 5000);
	hold = say_until(&w, &t, r, &said, 0, 300);
	l.remote = t.rx.addr;
	l.fmt = t.fmt;
	media_begin(w.m);
	media_leg_update(w.m, LEG, &l);
	media_commit(w.m);
	on = hold + 20;
	say(&w, &t, &said, hold, 20);
	l.recv = true;
	media_begin(w.m);
	media_leg_update(w.m, LEG, &l);
	media_commit(w.m);
	end = say_until(&w, &t, r, &said, on, 300);
	record_on(&w, NULL);
	await(&w, &t.rx, 1, reports(&w, MEDIA_RECORDED, LEG));
	reel_take(r, &heard);
	/* Of the hold no packet; of what went before and followed, some. */
	assert_true(kept(&heard, &said, 0, hold) >= 5);
	assert_int_equal(kept(&heard, &said, hold + 2, on - 1), 0);
	assert_true(kept(&heard, &said, on, end) >= 5);
	recording_end(&w, &t, r);
	pcm_reset(&heard);
	free(said.v);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_fits),
		cmocka_unit_test(bad_sizes_are_refused),
		cmocka_unit_test(keeps_what_is_said),
		cmocka_unit_test(is_over_when_full),
		cmocka_unit_test(nothing_while_on_hold),
	};
	(void)argc;

	return media_run_tests(tests, argv);
}
