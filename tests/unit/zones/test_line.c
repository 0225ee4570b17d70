/*
 * Packets that leave later, twice, or to more addresses: the ring alone, then
 * the engine over loopback.
 */
#include "tests/unit/zones/media_util.h"

#include "zones/engine/line.h"

static struct format pcmu(void)
{
	struct format f;

	format_default(&f, CODEC_PCMU, 8000);
	return f;
}

static void put(struct line *l, uint8_t what, uint64_t due)
{
	*line_room(l) = what;
	line_put(l, what, due);
}

static void take(struct line *l, uint64_t horizon, int what)
{
	size_t len = 0;
	const uint8_t *p = line_next(l, horizon, &len);

	if (!what) {
		assert_null(p);
		return;
	}
	assert_non_null(p);
	assert_int_equal(*p, what);
	assert_int_equal(len, what);
}

static void both_times_are_kept(void **state)
{
	struct media_output o = {.fmt = pcmu(), .copy_us = 10000};
	struct line *l;
	(void)state;

	o.delay_ms = 40;
	assert_true(line_needed(&o));
	assert_int_equal(line_alloc(&l, &o), 0);
	assert_true(line_due(l) == UINT64_MAX);
	put(l, 1, 0);
	put(l, 2, 20000);
	assert_true(line_due(l) == 40000);
	take(l, 39999, 0);
	take(l, 40000, 1);
	assert_true(line_due(l) == 50000);
	put(l, 3, 40000);
	/* In order of time, when late too. */
	take(l, 90000, 1);
	take(l, 90000, 2);
	take(l, 90000, 2);
	take(l, 90000, 3);
	take(l, 90000, 3);
	take(l, 90000, 0);
	line_free(l);
}

static void a_full_ring_gives_up_the_oldest(void **state)
{
	struct media_output o = {.fmt = pcmu(), .delay_ms = 100};
	struct line *l;
	unsigned size;
	(void)state;

	for (int copies = 0; copies < 2; copies++) {
		o.copy_us = copies ? 10000 : 0;
		assert_int_equal(line_alloc(&l, &o), 0);
		size = l->size;
		for (unsigned i = 0; i < size + 3; i++)
			put(l, (uint8_t)(i + 1), i);
		for (unsigned i = 0; i < size; i++)
			take(l, 100000 + 9999, (int)(i + 4));
		take(l, 100000 + 9999, 0);
		line_free(l);
	}
}

static void feed_all(struct world *w, const struct clip *c, unsigned n)
{
	struct media_play p = {c, 1, 0, 7};
	struct media_set s = {{0}};

	for (unsigned i = 0; i < n; i++)
		media_set_add(&s, i);
	media_begin(w->m);
	media_play(w->m, 0, &p);
	media_route(w->m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w->m), 0);
}

static void each_packet_comes_twice(void **state)
{
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 200, 0, &f, 1);
	struct media_output o;
	struct receiver r;
	struct world w;
	bool seen[2][10] = {{false}};
	(void)state;

	world_begin(&w, 0, 0);
	receiver_open(&r);
	o = output_to(&r, &f);
	o.copy_us = 10000;
	media_begin(w.m);
	media_output_set(w.m, 0, &o);
	assert_int_equal(media_commit(w.m), 0);
	feed_all(&w, c, 1);
	await(&w, &r, 1, r.n >= 20);
	for (unsigned i = 0; i < 20; i++) {
		unsigned k = (uint16_t)(r.v[i].p.seq - r.v[0].p.seq);
		unsigned again;
		size_t len;

		assert_true(k < 10);
		again = seen[0][k];
		assert_false(seen[1][k]);
		seen[again][k] = true;
		assert_memory_equal(
			r.v[i].p.payload,
			clip_payload(c, clip_format(c, &f), false, k, &len),
			160);
	}
	/* The copy of one comes before the next but one. */
	for (unsigned i = 2; i < 20; i++)
		assert_true((uint16_t)(r.v[i].p.seq - r.v[0].p.seq) <=
			    i / 2 + 1);
	world_end(&w);
	receiver_close(&r);
	clip_unref(c);
}

static void a_delayed_output_carries_the_same_later(void **state)
{
	enum { DELAY = 300 };
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 400, 0, &f, 1);
	struct media_output o;
	struct receiver r[2];
	struct world w;
	(void)state;

	world_begin(&w, 0, 0);
	media_begin(w.m);
	for (unsigned i = 0; i < 2; i++) {
		receiver_open(&r[i]);
		o = output_to(&r[i], &f);
		o.delay_ms = i ? DELAY : 0;
		media_output_set(w.m, i, &o);
	}
	assert_int_equal(media_commit(w.m), 0);
	feed_all(&w, c, 2);
	await(&w, r, 2, r[0].n >= 20 && r[1].n >= 20);
	for (unsigned i = 0; i < 20; i++)
		assert_memory_equal(r[0].v[i].p.payload, r[1].v[i].p.payload,
				    160);
	assert_continuous(&r[1], &f);
	/* An order, not a time: as the first of the late ones left, so many of
	 * the others must have been sent. */
	for (unsigned i = 0; i < 5; i++)
		assert_true(r[1].v[i].at_us > r[0].v[i + DELAY / 20 - 2].at_us);
	world_end(&w);
	for (unsigned i = 0; i < 2; i++)
		receiver_close(&r[i]);
	clip_unref(c);
}

/** What changes nothing but the fan keeps what is on its way. */
static void a_change_of_the_fan_does_not_click(void **state)
{
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 400, 0, &f, 1);
	struct media_output o;
	struct receiver r[2];
	struct world w;
	unsigned at;
	(void)state;

	world_begin(&w, 0, 0);
	receiver_open(&r[0]);
	receiver_open(&r[1]);
	o = output_to(&r[0], &f);
	o.delay_ms = 100;
	media_begin(w.m);
	media_output_set(w.m, 0, &o);
	assert_int_equal(media_commit(w.m), 0);
	feed_all(&w, c, 1);
	await(&w, r, 2, r[0].n >= 5);
	o.fan = &r[1].addr;
	o.n_fan = 1;
	media_begin(w.m);
	media_output_set(w.m, 0, &o);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 2, r[0].n >= 20);
	assert_continuous(&r[0], &f);
	assert_true(r[1].n > 0);
	at = (uint16_t)(r[1].v[0].p.seq - r[0].v[0].p.seq);
	for (unsigned i = 0; i < r[1].n; i++)
		assert_memory_equal(r[1].v[i].bytes, r[0].v[at + i].bytes, 172);
	world_end(&w);
	receiver_close(&r[0]);
	receiver_close(&r[1]);
	clip_unref(c);
}

/** One that does not listen is named, and the others get all of it. */
static void a_dead_address_is_a_named_fault(void **state)
{
	enum { N = 4, DEAD = 1 };
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 400, 0, &f, 1);
	struct sockaddr_storage fan[N];
	struct media_output o;
	struct receiver r[N + 1];
	struct world w;
	(void)state;

	world_begin(&w, 0, 0);
	for (unsigned i = 0; i <= N; i++)
		receiver_open(&r[i]);
	for (unsigned i = 0; i < N; i++)
		fan[i] = r[i + 1].addr;
	close(r[DEAD + 1].fd);
	r[DEAD + 1].fd = udp_socket(); /* at another port */
	o = output_to(&r[0], &f);
	o.fan = fan;
	o.n_fan = N;
	media_begin(w.m);
	media_output_set(w.m, 0, &o);
	assert_int_equal(media_commit(w.m), 0);
	feed_all(&w, c, 1);
	for (unsigned i = 0; i <= N; i++)
		if (i != DEAD + 1)
			await(&w, r, N + 1, r[i].n >= 20);
	await(&w, r, N + 1, reports(&w, MEDIA_OUTPUT_ERROR, 0));
	assert_int_equal(reports(&w, MEDIA_OUTPUT_ERROR, 0), 1);
	assert_int_equal(report_of(&w, MEDIA_OUTPUT_ERROR, 0)->n, DEAD + 1);
	assert_int_equal(report_of(&w, MEDIA_OUTPUT_ERROR, 0)->err,
			 ECONNREFUSED);
	for (unsigned i = 0; i <= N; i++) {
		if (i == DEAD + 1)
			continue;
		assert_continuous(&r[i], &f);
		assert_memory_equal(r[i].v[3].bytes, r[0].v[3].bytes, 172);
	}
	world_end(&w);
	for (unsigned i = 0; i <= N; i++)
		receiver_close(&r[i]);
	clip_unref(c);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_times_are_kept),
		cmocka_unit_test(a_full_ring_gives_up_the_oldest),
		cmocka_unit_test(each_packet_comes_twice),
		cmocka_unit_test(a_delayed_output_carries_the_same_later),
		cmocka_unit_test(a_change_of_the_fan_does_not_click),
		cmocka_unit_test(a_dead_address_is_a_named_fault),
	};

	(void)argc;
	return media_run_tests(tests, argv);
}
