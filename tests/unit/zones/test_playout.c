/*
 * The jitter buffer against a naive network in simulated time: a sender with a
 * clock of its own, delays, losses and disorder drawn from a seeded generator;
 * a reader that is asked exactly when it wants to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zones/engine/playout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000

struct arrival {
	uint64_t at;
	uint32_t k; /**< number of the packet */
};

struct sim {
	struct playout *p;
	struct playout_reader r;
	uint32_t rand;
	uint64_t now;

	/* The sender. */
	uint32_t ssrc, ts0, n;
	uint16_t seq0;
	double period; /**< of a packet, in our microseconds */
	uint64_t begin;
	/* The network. */
	unsigned jitter_us, loss_pm, dup_pm, swap_pm, spike_pm, spike_us;
	uint32_t k;
	struct arrival queue[64];
	unsigned n_queue;

	/* What came out. */
	uint32_t frames, sound, made_up;
	uint32_t last_k; /**< packet last heard */
	bool heard, straddles;
	uint32_t skipped, repeated;
	uint64_t wait_sum, wait_max, wait_n;
	uint64_t last_due, gap_min, gap_max;
	uint64_t measure_from;
};

static uint32_t chance(struct sim *s)
{
	s->rand = s->rand * 1664525u + 1013904223u;
	return s->rand >> 8;
}

/** Samples of packet k: its number, so that what comes out can be told. */
static void fill(uint8_t *b, uint32_t k, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		b[i] = (uint8_t)(k >> i % 4 * 8);
}

static uint32_t number(const uint8_t *b)
{
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

static int alloc(struct playout **pp, enum codec codec, uint32_t rate)
{
	struct format f;

	format_default(&f, codec, rate);
	f.rate = f.clock = rate;
	return playout_alloc(pp, &f);
}

/** A frame in mu-law, as a feed would send it. */
static enum playout_frame take_coded(struct playout *p,
				     struct playout_reader *r, uint8_t *dst,
				     uint64_t now)
{
	enum playout_frame what = playout_take(p, r, now);
	int16_t pcm[480];
	size_t bytes;

	if (what == PLAYOUT_WAIT || playout_coded(p, r, dst, &bytes))
		return what;
	playout_pcm(p, r, 0, pcm);
	codec_encode(CODEC_PCMU, dst, pcm, r->n);
	return what;
}

static void sim_begin(struct sim *s, uint32_t n, uint32_t reader_n)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(alloc(&s->p, CODEC_PCMU, 8000), 0);
	s->now = 5 * SECOND;
	s->rand = 12345;
	s->n = n;
	s->period = n * 125;
	s->ssrc = 1;
	s->seq0 = 65000;
	s->ts0 = 0xfffff000;
	s->begin = s->now + 7000;
	s->gap_min = UINT64_MAX;
	playout_reader_init(&s->r, reader_n, reader_n * UINT64_C(125), s->now);
}

static void sim_end(struct sim *s)
{
	playout_free(s->p);
}

static void enqueue(struct sim *s, uint64_t at, uint32_t k)
{
	unsigned i = s->n_queue++;

	assert_true(s->n_queue < 64);
	for (; i && s->queue[i - 1].at > at; i--)
		s->queue[i] = s->queue[i - 1];
	s->queue[i] = (struct arrival){at, k};
}

/** Puts what the sender sends next on its way. */
static void emit(struct sim *s)
{
	uint64_t at = s->begin + (uint64_t)((double)s->k * s->period) + 1000;
	uint32_t k = s->k++;

	if (s->jitter_us)
		at += chance(s) % s->jitter_us;
	if (s->spike_pm && chance(s) % 1000 < s->spike_pm)
		at += s->spike_us;
	if (s->swap_pm && chance(s) % 1000 < s->swap_pm)
		at += (uint64_t)s->period + 3000;
	if (s->loss_pm && chance(s) % 1000 < s->loss_pm)
		return;
	enqueue(s, at, k);
	if (s->dup_pm && chance(s) % 1000 < s->dup_pm)
		enqueue(s, at + 100, k);
}

static void deliver(struct sim *s)
{
	struct arrival a = s->queue[0];
	uint8_t b[480];

	memmove(s->queue, s->queue + 1, --s->n_queue * sizeof(a));
	fill(b, a.k, s->n);
	assert_true(playout_put(s->p, s->ssrc, (uint16_t)(s->seq0 + a.k),
				s->ts0 + a.k * s->n, b, s->n, a.at));
}

static void take(struct sim *s, uint64_t due)
{
	uint8_t b[480];
	enum playout_frame what = take_coded(s->p, &s->r, b, due);
	uint32_t k;

	if (what == PLAYOUT_WAIT)
		return;
	s->frames++;
	if (s->last_due && due >= s->measure_from) {
		uint64_t gap = due - s->last_due;

		s->gap_min = gap < s->gap_min ? gap : s->gap_min;
		s->gap_max = gap > s->gap_max ? gap : s->gap_max;
	}
	s->last_due = due;
	if (what == PLAYOUT_MADE_UP) {
		s->made_up++;
		return;
	}
	s->sound++;
	if (s->r.n != s->n || s->straddles)
		return;
	k = number(b);
	for (uint32_t i = 4; i < s->n; i++)
		assert_int_equal(b[i], b[i - 4]);
	if (s->heard && k <= s->last_k)
		s->repeated++;
	if (s->heard && k > s->last_k + 1)
		s->skipped += k - s->last_k - 1;
	s->heard = true;
	s->last_k = k;
	if (due >= s->measure_from) {
		uint64_t wait = due - (s->begin + 1000 +
				       (uint64_t)((double)k * s->period));

		s->wait_sum += wait;
		s->wait_n++;
		s->wait_max = wait > s->wait_max ? wait : s->wait_max;
	}
}

/** Until `until`, or for the sender's next packets up to number last_k. */
static void run(struct sim *s, uint64_t until, uint32_t last_k)
{
	while (s->now < until) {
		uint64_t due;

		while (s->k < last_k && s->n_queue < 32)
			emit(s);
		due = playout_due(s->p, &s->r);
		assert_true(due <= s->now + 2 * s->r.period_us + SECOND / 10);
		if (s->n_queue && s->queue[0].at <= due) {
			s->now = s->queue[0].at > s->now ? s->queue[0].at
							 : s->now;
			deliver(s);
		} else {
			s->now = due > s->now ? due : s->now;
			take(s, s->now);
		}
	}
}

static void run_for(struct sim *s, unsigned seconds)
{
	run(s, s->now + (uint64_t)seconds * SECOND, UINT32_MAX);
}

static struct playout_stats stats(const struct sim *s)
{
	struct playout_stats st;

	playout_stats(s->p, &st);
	return st;
}

/** Frames made in the time are as many as fit into it. */
static void assert_pace(const struct sim *s, uint32_t frames, unsigned seconds,
			uint32_t slack)
{
	uint32_t want = (uint32_t)(seconds * (uint64_t)SECOND / s->r.period_us);

	assert_in_range(frames, want - slack, want + slack);
}

static void clean_network_costs_nothing(void **state)
{
	struct sim s;
	(void)state;

	sim_begin(&s, 160, 160);
	run_for(&s, 60);
	/* One silence before he speaks, then every packet, in order, each as
	 * late as the margin says. */
	assert_pace(&s, s.frames, 60, 2);
	assert_in_range(s.made_up, 1, 2);
	assert_int_equal(s.skipped + s.repeated, 0);
	assert_true(s.wait_max <= PLAYOUT_MARGIN_US + 1);
	assert_int_equal(stats(&s).late, 0);
	assert_int_equal(stats(&s).lost, 0);
	sim_end(&s);
}

static void small_jitter_is_absorbed(void **state)
{
	struct sim s;
	(void)state;

	sim_begin(&s, 160, 160);
	s.jitter_us = 15000;
	run_for(&s, 10);
	s.made_up = 0;
	s.measure_from = s.now;
	run_for(&s, 120);
	/* Once it knows the network nothing is lost any more, and it waits no
	 * longer than the jitter asks for. */
	assert_int_equal(s.made_up, 0);
	assert_int_equal(s.skipped + s.repeated, 0);
	assert_true(s.wait_max <= 15000 + PLAYOUT_MARGIN_US + 1000);
	assert_true(stats(&s).jitter_us > 2000);
	assert_true(stats(&s).jitter_us < 8000);
	sim_end(&s);
}

static void delay_comes_back_down(void **state)
{
	struct sim s;
	(void)state;

	sim_begin(&s, 160, 160);
	s.jitter_us = 60000;
	run_for(&s, 20);
	assert_true(stats(&s).delay_us > 40000);
	s.jitter_us = 0;
	run_for(&s, 30);
	s.measure_from = s.now;
	s.wait_max = 0;
	run_for(&s, 5);
	assert_true(s.wait_max <= PLAYOUT_MARGIN_US + 500);
	assert_int_equal(s.repeated, 0);
	sim_end(&s);
}

static void losses_are_concealed(void **state)
{
	struct sim s;
	(void)state;

	sim_begin(&s, 160, 160);
	s.loss_pm = 100;
	run_for(&s, 100);
	assert_pace(&s, s.frames, 100, 5);
	assert_int_equal(s.repeated, 0);
	/* What did not come was made up, and nothing else. */
	assert_in_range(s.skipped, s.made_up - 3, s.made_up);
	assert_in_range(stats(&s).lost, s.skipped - 1, s.skipped + 1);
	assert_in_range(s.skipped, 400, 600);
	sim_end(&s);
}

static void concealment_fades(void **state)
{
	struct playout *p;
	struct playout_reader r;
	uint8_t b[160], loud[160];
	uint64_t now = SECOND;
	int16_t s[160], last = INT16_MAX;
	(void)state;

	memset(loud, 0x80, sizeof(loud));
	assert_int_equal(alloc(&p, CODEC_PCMU, 8000), 0);
	playout_reader_init(&r, 160, 20000, now);
	for (unsigned i = 0; i < 10; i++, now += 20000)
		playout_put(p, 1, (uint16_t)i, i * 160, loud, 160, now);
	for (unsigned i = 0; i < 9 + 4; i++) {
		now = playout_due(p, &r);
		while (take_coded(p, &r, b, now) == PLAYOUT_WAIT)
			now = playout_due(p, &r);
		codec_decode(CODEC_PCMU, s, b, 160);
		if (r.made_up) {
			assert_true(s[80] < last || last < 100);
			last = s[80];
		}
	}
	while (r.made_up < 6) {
		now = playout_due(p, &r);
		take_coded(p, &r, b, now);
	}
	codec_silence(CODEC_PCMU, loud, 160);
	assert_memory_equal(b, loud, 160);
	playout_free(p);
}

static void disorder_is_put_right(void **state)
{
	struct sim s;
	(void)state;

	sim_begin(&s, 160, 160);
	s.swap_pm = 50;
	run_for(&s, 10);
	s.made_up = 0;
	s.skipped = 0;
	run_for(&s, 60);
	assert_int_equal(s.repeated, 0);
	assert_int_equal(s.skipped, 0);
	assert_int_equal(s.made_up, 0);
	assert_int_equal(stats(&s).lost, 0);
	sim_end(&s);
}

static void duplicates_are_heard_once(void **state)
{
	struct sim s;
	(void)state;

	sim_begin(&s, 160, 160);
	s.dup_pm = 300;
	run_for(&s, 60);
	assert_int_equal(s.repeated + s.skipped, 0);
	assert_in_range(s.made_up, 1, 2);
	assert_in_range(stats(&s).duplicate, 700, 1100);
	assert_int_equal(stats(&s).lost, 0);
	sim_end(&s);
}

/** Hours with a clock 200 ppm off: nothing dropped, nothing inserted, no
 *  growing wait. */
static void drift(int ppm)
{
	struct sim s;
	uint32_t sent;

	sim_begin(&s, 160, 160);
	s.jitter_us = 3000;
	s.period = 20000 * (1 - ppm / 1e6);
	run_for(&s, 5);
	s.made_up = 0;
	s.frames = 0;
	s.measure_from = s.now;
	s.gap_min = UINT64_MAX;
	s.gap_max = 0;
	sent = s.last_k;
	run_for(&s, 2 * 3600);
	assert_int_equal(s.made_up, 0);
	assert_int_equal(s.skipped + s.repeated, 0);
	assert_int_equal(s.frames, s.last_k - sent);
	assert_true(s.wait_max < 3000 + 3 * PLAYOUT_MARGIN_US);
	assert_true(s.gap_min > 20000 - 2500 && s.gap_max < 20000 + 8500);
	assert_int_equal(stats(&s).resyncs, 0);
	sim_end(&s);
}

static void drift_fast(void **state)
{
	(void)state;
	drift(200);
}

static void drift_slow(void **state)
{
	(void)state;
	drift(-200);
}

static void other_packet_times(void **state)
{
	static const uint32_t n[][2] = {{160, 80},  {80, 160},  {160, 240},
					{240, 160}, {480, 80},  {80, 480},
					{160, 480}, {176, 160}, {160, 88}};
	(void)state;

	for (unsigned i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		struct sim s;
		uint32_t made_up;

		sim_begin(&s, n[i][0], n[i][1]);
		run_for(&s, 2);
		made_up = s.made_up;
		run_for(&s, 60);
		assert_pace(&s, s.frames, 62, 4);
		assert_int_equal(s.made_up, made_up);
		assert_true(made_up <= 6);
		sim_end(&s);
	}
}

static void spikes_are_survived(void **state)
{
	struct sim s;
	uint32_t before;
	(void)state;

	sim_begin(&s, 160, 160);
	s.spike_pm = 5;
	s.spike_us = 150000;
	run_for(&s, 100);
	/* A straggler is lost; what comes after it is not delayed by it. */
	assert_true(stats(&s).delay_us < 70000);
	assert_pace(&s, s.frames, 100, 10);
	before = s.made_up;
	s.spike_pm = 0;
	run_for(&s, 30);
	assert_true(s.made_up - before <= 2);
	assert_true(stats(&s).delay_us <= PLAYOUT_MARGIN_US + 1000);
	sim_end(&s);
}

/** The sender goes away and comes back in some other way; the next word is
 *  heard at once and the pace is kept. */
static void comes_back(uint32_t away_ms, uint32_t ts_jump, uint16_t seq_jump,
		       uint32_t ssrc)
{
	struct sim s;
	uint64_t due;
	uint32_t frames;

	sim_begin(&s, 160, 160);
	run(&s, s.now + 2 * SECOND, UINT32_MAX);
	while (s.n_queue)
		s.n_queue--;
	frames = s.frames;
	due = s.now + away_ms * UINT64_C(1000);
	run(&s, due, 0);
	s.begin = s.now + 3000;
	s.k = 0;
	s.ts0 += 160 * s.last_k + ts_jump;
	s.seq0 = (uint16_t)(s.seq0 + s.last_k + seq_jump);
	s.ssrc = ssrc;
	s.heard = false;
	s.made_up = 0;
	s.skipped = 0;
	s.measure_from = s.now;
	s.wait_max = 0;
	run(&s, s.now + 10 * SECOND, UINT32_MAX);
	assert_true(s.heard);
	assert_true(s.last_k > 490);
	assert_int_equal(s.skipped + s.repeated, 0);
	assert_in_range(s.made_up, 0, 4);
	assert_true(s.wait_max <= 40000);
	assert_in_range(s.frames - frames, (away_ms + 10000) / 20 - 6,
			(away_ms + 10000) / 20 + 6);
	/* And it soon is as quick as ever. */
	s.measure_from = s.now;
	s.wait_max = 0;
	run(&s, s.now + 5 * SECOND, UINT32_MAX);
	assert_true(s.wait_max <= PLAYOUT_MARGIN_US + 1000);
	sim_end(&s);
}

static void pauses_and_jumps(void **state)
{
	static const uint32_t away[] = {40, 200, 1000, 60000};
	(void)state;

	for (unsigned i = 0; i < 4; i++) {
		/* Timestamps by real time, not at all, or anywhere. */
		comes_back(away[i], away[i] * 8, 1, 1);
		comes_back(away[i], 160, 1, 1);
		comes_back(away[i], 0x40000000, 1, 1);
		comes_back(away[i], 0x80000000, 1, 1);
		comes_back(away[i], 0xc0000000, 1, 1);
		comes_back(away[i], (uint32_t)-16000, 1, 1);
		comes_back(away[i], 16000, 1, 1);
		/* Sequence numbers anywhere, another SSRC. */
		comes_back(away[i], away[i] * 8, 20000, 1);
		comes_back(away[i], 123456789, 40000, 2);
		comes_back(away[i], 160, 1, 2);
	}
}

/** After a hiccup his packets begin in the middle of our frames: each frame
 *  then needs two of them, and gets them. */
static void straddling_frames_are_whole(void **state)
{
	struct sim s;
	uint32_t made_up;
	(void)state;

	sim_begin(&s, 160, 160);
	run(&s, s.now + 2 * SECOND, UINT32_MAX);
	s.straddles = true;
	s.k = s.queue[0].k;
	s.n_queue = 0;
	s.begin += (uint64_t)(s.k * s.period) + 7000;
	s.seq0 = (uint16_t)(s.seq0 + s.k);
	s.ts0 += 160 * s.k + 56;
	s.k = 0;
	run(&s, s.now + 2 * SECOND, UINT32_MAX);
	made_up = s.made_up;
	run_for(&s, 20);
	assert_int_equal(s.made_up, made_up);
	assert_int_equal(stats(&s).resyncs, 0);
	assert_pace(&s, s.frames, 24, 4);
	sim_end(&s);
}

/** Whatever a hostile sender does, frames keep to the time. */
static void hostile(uint64_t every_us, bool whole)
{
	struct sim s;
	uint64_t end, next;
	uint8_t b[480] = {0};

	sim_begin(&s, 160, 160);
	s.straddles = true; /* no packet of his is told from another */
	end = s.now + 20 * SECOND;
	next = s.now;
	while (s.now < end) {
		uint64_t due = playout_due(s.p, &s.r);

		if (due <= next) {
			s.now = due > s.now ? due : s.now;
			take(&s, s.now);
			continue;
		}
		s.now = next;
		next += every_us;
		playout_put(s.p, chance(&s) % 3, (uint16_t)chance(&s),
			    chance(&s) * 977, b,
			    whole ? 160 : 1 + chance(&s) % 480, s.now);
	}
	assert_true(s.frames >= 20 * 50 * 6 / 10);
	/* An eighth faster, and one early frame in half a second. */
	assert_true(s.frames <= 20 * 50 * 8 / 7 + 20 * 2 + 2);
	sim_end(&s);
}

static void hostile_sender_is_paced(void **state)
{
	static const uint64_t every_us[] = {200, 3000, 5000, 11000, 19000};
	(void)state;

	for (unsigned i = 0; i < 5; i++) {
		hostile(every_us[i], false);
		hostile(every_us[i], true);
	}
}

/** Another format: another buffer that goes on counting. */
static void counters_are_inherited(void **state)
{
	struct playout *p, *q;
	struct playout_stats st;
	uint8_t b[320] = {0};
	(void)state;

	assert_int_equal(alloc(&p, CODEC_PCMU, 8000), 0);
	assert_int_equal(alloc(&q, CODEC_L16, 16000), 0);
	for (unsigned i = 0; i < 10; i++)
		if (i != 4)
			playout_put(p, 1, (uint16_t)i, i * 160, b, 160,
				    SECOND + i * 20000);
	playout_inherit(q, p);
	for (unsigned i = 10; i < 20; i++)
		if (i != 15)
			playout_put(q, 1, (uint16_t)i, i * 160, b, 320,
				    SECOND + i * 20000);
	playout_stats(q, &st);
	assert_int_equal(st.received, 18);
	assert_int_equal(st.lost, 2);
	playout_free(p);
	playout_free(q);
}

static void limits(void **state)
{
	struct playout *p = NULL;
	uint8_t b[500] = {0};
	(void)state;

	assert_int_not_equal(alloc(&p, CODEC_PCMU, 4000), 0);
	assert_int_not_equal(alloc(&p, CODEC_COUNT, 8000), 0);
	assert_int_equal(alloc(&p, CODEC_PCMU, 8000), 0);
	assert_false(playout_put(p, 1, 1, 1, b, 0, 5));
	assert_false(playout_put(p, 1, 1, 1, b, 481, 5));
	assert_true(playout_put(p, 1, 1, 1, b, 480, 5));
	playout_free(p);
	playout_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_network_costs_nothing),
		cmocka_unit_test(small_jitter_is_absorbed),
		cmocka_unit_test(delay_comes_back_down),
		cmocka_unit_test(losses_are_concealed),
		cmocka_unit_test(concealment_fades),
		cmocka_unit_test(disorder_is_put_right),
		cmocka_unit_test(duplicates_are_heard_once),
		cmocka_unit_test(drift_fast),
		cmocka_unit_test(drift_slow),
		cmocka_unit_test(other_packet_times),
		cmocka_unit_test(spikes_are_survived),
		cmocka_unit_test(pauses_and_jumps),
		cmocka_unit_test(straddling_frames_are_whole),
		cmocka_unit_test(hostile_sender_is_paced),
		cmocka_unit_test(counters_are_inherited),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
