/*
 * What a loudspeaker's decoder of G.722 or Opus makes of a switch: it comes
 * from one stream and is given another. Cut hard, G.722 answers with 20 ms at
 * full scale, and Opus with a crack.
 */
#include "tests/unit/zones/media_util.h"
#include "zones/sound/coder.h"

#define AMPLITUDE 8000.0
/** The loudest a sample may be: two tones of AMPLITUDE cross in the fade, and
 *  an adaptive decoder overshoots a little. A burst has 32,000. */
#define PEAK 14000
/** The most a third difference may be: their own noise has 1,000 (G.722)
 *  and 50 (Opus), a hard switch 50,000 and 2,000. */
static const int crack[CODEC_COUNT] = {
	[CODEC_G722] = 3000,
	[CODEC_OPUS] = 1600,
};

static struct format format_of(enum codec codec)
{
	struct format f;

	format_default(&f, codec, 0);
	return f;
}

static struct media_set first(void)
{
	struct media_set s = {{0}};

	media_set_add(&s, 0);
	return s;
}

/** A tone that goes on into its own beginning. */
static struct clip *tone_clip(double hz, unsigned ms, const struct format *f)
{
	struct pcm p = sine(hz, ms, AMPLITUDE, f->rate);
	struct clip *c = NULL;

	assert_int_equal(clip_alloc(&c, &p, 0, f, 1), 0);
	free(p.v);
	return c;
}

static void begin(struct world *w, struct receiver *r, const struct format *f,
		  uint32_t tail_ms)
{
	struct media_output o;

	world_begin(w, tail_ms, 0);
	receiver_open(r);
	o = output_to(r, f);
	media_begin(w->m);
	media_output_set(w->m, 0, &o);
	assert_int_equal(media_commit(w->m), 0);
}

static void play(struct world *w, unsigned slot, const struct clip *c,
		 uint32_t cycles)
{
	struct media_play p = {c, cycles, 0, 1000 + slot};
	struct media_set s = first();

	media_play(w->m, slot, &p);
	media_route(w->m, &s, (int)slot, -1, 0);
}

/** All that came, as a loudspeaker's decoder makes it. */
static int16_t *decoded(const struct receiver *r, const struct format *f,
			size_t *n)
{
	uint32_t k = format_samples(f);
	int16_t *s = calloc((size_t)r->n * k, sizeof(*s));
	struct decoder *d = NULL;

	assert_int_equal(decoder_alloc(&d, f->codec, f->rate), 0);
	*n = 0;
	for (unsigned i = 0; i < r->n; i++) {
		if (i)
			assert_int_equal((uint16_t)(r->v[i - 1].p.seq + 1),
					 r->v[i].p.seq);
		assert_int_equal(decoder_run(d, s + *n, k, r->v[i].p.payload,
					     r->v[i].p.len),
				 k);
		*n += k;
	}
	decoder_free(d);
	return s;
}

static void assert_soft(const struct receiver *r, const struct format *f)
{
	int peak = 0, worst = 0;
	size_t n, peak_at = 0, worst_at = 0;
	int16_t *s = decoded(r, f, &n);

	for (size_t i = 3; i < n; i++) {
		int d = abs(s[i] - 3 * s[i - 1] + 3 * s[i - 2] - s[i - 3]);

		if (abs(s[i]) > peak) {
			peak = abs(s[i]);
			peak_at = i;
		}
		if (d > worst) {
			worst = d;
			worst_at = i;
		}
	}
	free(s);
	if (peak > PEAK || worst > crack[f->codec])
		fail_msg("%s: peak %d in packet %zu, crack %d in packet %zu",
			 codec_name(f->codec), peak,
			 peak_at / format_samples(f), worst,
			 worst_at / format_samples(f));
	/* Nothing was softened by falling silent. */
	assert_true(peak > AMPLITUDE * 0.8);
}

static void after(struct world *w, struct receiver *r, unsigned packets)
{
	unsigned n = r->n;

	await(w, r, 1, r->n >= n + packets);
}

static void cut_return_and_stop(enum codec codec)
{
	struct format f = format_of(codec);
	struct clip *low = tone_clip(450, 5000, &f);
	struct clip *high = tone_clip(700, 5000, &f);
	struct media_set s = first();
	struct receiver r;
	struct world w;

	begin(&w, &r, &f, 100);
	media_begin(w.m);
	play(&w, 0, low, 0);
	assert_int_equal(media_commit(w.m), 0);
	after(&w, &r, 12);
	/* A message over another, which waits; then a third over both. */
	media_begin(w.m);
	media_pause(w.m, 0, true);
	play(&w, 1, high, 0);
	assert_int_equal(media_commit(w.m), 0);
	after(&w, &r, 12);
	media_begin(w.m);
	media_stop(w.m, 1);
	play(&w, 2, low, 0);
	assert_int_equal(media_commit(w.m), 0);
	after(&w, &r, 12);
	/* What waited comes back. */
	media_begin(w.m);
	media_stop(w.m, 2);
	media_pause(w.m, 0, false);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	after(&w, &r, 30);
	media_begin(w.m);
	media_stop(w.m, 0);
	assert_int_equal(media_commit(w.m), 0);
	/* Again while the decoder still comes to rest, and long after. */
	after(&w, &r, 2);
	media_begin(w.m);
	play(&w, 3, high, 1);
	assert_int_equal(media_commit(w.m), 0);
	after(&w, &r, 10);
	media_begin(w.m);
	media_stop(w.m, 3);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, reports(&w, MEDIA_SLOT_FREE, 3));
	after(&w, &r, 4);
	world_end(&w);
	assert_soft(&r, &f);
	receiver_close(&r);
	clip_unref(low);
	clip_unref(high);
}

static void cut_g722(void **state)
{
	(void)state;
	cut_return_and_stop(CODEC_G722);
}

static void cut_opus(void **state)
{
	(void)state;
	cut_return_and_stop(CODEC_OPUS);
}

/** A tone repeated without a gap, and another that begins where it ends. */
static void over_and_over(enum codec codec)
{
	struct format f = format_of(codec);
	struct clip *tone = tone_clip(500, 200, &f);
	struct clip *other = tone_clip(700, 200, &f);
	struct receiver r;
	struct world w;

	begin(&w, &r, &f, 0);
	media_begin(w.m);
	play(&w, 0, tone, 5);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, reports(&w, MEDIA_FINISHED, 0));
	media_begin(w.m);
	play(&w, 1, other, 5);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, reports(&w, MEDIA_FINISHED, 1));
	world_end(&w);
	assert_true(r.n >= 100);
	assert_soft(&r, &f);
	receiver_close(&r);
	clip_unref(tone);
	clip_unref(other);
}

static void repeated_g722(void **state)
{
	(void)state;
	over_and_over(CODEC_G722);
}

static void repeated_opus(void **state)
{
	(void)state;
	over_and_over(CODEC_OPUS);
}

/** A message with pauses is sent as it was encoded again, once it pauses. */
static void pause_ends_it(void **state)
{
	struct format f = format_of(CODEC_G722);
	struct clip *low = tone_clip(450, 5000, &f);
	struct pcm p = sine(700, 200, AMPLITUDE, f.rate);
	struct clip *high = NULL;
	struct media_stats before, later;
	struct receiver r;
	struct world w;
	unsigned at;
	(void)state;

	assert_int_equal(clip_alloc(&high, &p, 100, &f, 1), 0);
	free(p.v);
	begin(&w, &r, &f, 0);
	media_begin(w.m);
	play(&w, 0, low, 0);
	assert_int_equal(media_commit(w.m), 0);
	after(&w, &r, 10);
	media_begin(w.m);
	play(&w, 1, high, 0);
	media_stop(w.m, 0);
	assert_int_equal(media_commit(w.m), 0);
	at = r.n;
	await(&w, &r, 1, r.n >= at + 30);
	media_stats(w.m, &before);
	assert_true(before.encodes > 0);
	after(&w, &r, 30);
	media_stats(w.m, &later);
	assert_int_equal(later.encodes, before.encodes);
	/* From the second cycle on it is as encoded. */
	for (unsigned i = at + 40; i < at + 55; i++) {
		bool found = false;

		for (uint32_t k = 0; k < 15 && !found; k++)
			found = !memcmp(r.v[i].p.payload,
					payload_of(high, 0, k),
					format_bytes(&f));
		assert_true(found);
	}
	world_end(&w);
	assert_soft(&r, &f);
	receiver_close(&r);
	clip_unref(low);
	clip_unref(high);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_g722),
		cmocka_unit_test(cut_opus),
		cmocka_unit_test(repeated_g722),
		cmocka_unit_test(repeated_opus),
		cmocka_unit_test(pause_ends_it),
	};

	(void)argc;
	return media_run_tests(tests, argv);
}
