/*
 * What one hears at a switch, from the samples on the wire: no click when a
 * sound is cut off, comes back or gets louder; levels as configured; nothing
 * of a lower sound after the packet at the switch.
 *
 * The tones are cosines of multiples of 50 Hz, so that each packet begins at a
 * peak: cut hard, every cut would leap by the whole amplitude.
 */
#include "tests/unit/zones/media_util.h"

#define AMPLITUDE 8000.0
/** The most a second difference may be: a tone of 300 Hz has 443, two of them
 *  that cross twice that; a hard cut has 8,000. */
#define CLICK 1000

static struct format l16(void)
{
	struct format f;

	format_default(&f, CODEC_L16, 8000);
	return f;
}

static struct media_set only(unsigned i)
{
	struct media_set s = {{0}};

	media_set_add(&s, i);
	return s;
}

static struct pcm cosine(double hz, unsigned ms)
{
	struct pcm p = {.n = 8u * ms, .rate = 8000};

	p.v = calloc(p.n, sizeof(*p.v));
	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)lrint(
			AMPLITUDE * cos(2 * M_PI * hz * (double)i / p.rate));
	return p;
}

static struct clip *cosine_clip(double hz, unsigned ms, const struct format *f)
{
	struct pcm p = cosine(hz, ms);
	struct clip *c = NULL;

	assert_int_equal(clip_alloc(&c, &p, 0, f, 1), 0);
	free(p.v);
	return c;
}

static void play(struct world *w, unsigned slot, const struct clip *c)
{
	struct media_play p = {c, 0, 0, 1000 + slot};

	media_play(w->m, slot, &p);
}

static void begin(struct world *w, struct receiver *r, unsigned n,
		  const struct format *f, uint32_t tail_ms)
{
	world_begin(w, tail_ms, 0);
	media_begin(w->m);
	for (unsigned i = 0; i < n; i++) {
		struct media_output o;

		receiver_open(&r[i]);
		o = output_to(&r[i], f);
		media_output_set(w->m, i, &o);
	}
	assert_int_equal(media_commit(w->m), 0);
}

/** Decodes packets from..to-1 one behind the other. */
static int16_t *samples(const struct receiver *r, const struct format *f,
			unsigned from, unsigned to)
{
	size_t n = format_samples(f);
	int16_t *s = calloc(n * (to - from), sizeof(*s));

	assert_true(to <= r->n);
	for (unsigned i = from; i < to; i++)
		codec_decode(f->codec, s + n * (i - from), r->v[i].p.payload,
			     n);
	return s;
}

/** The largest second difference of the samples of packets from..to-1. */
static int click(const struct receiver *r, const struct format *f,
		 unsigned from, unsigned to)
{
	size_t n = format_samples(f) * (to - from);
	int16_t *s = samples(r, f, from, to);
	int worst = 0;

	for (size_t i = 2; i < n; i++) {
		int d = abs(s[i] - 2 * s[i - 1] + s[i - 2]);

		worst = d > worst ? d : worst;
	}
	free(s);
	return worst;
}

static double rms(const struct receiver *r, const struct format *f, unsigned at)
{
	size_t n = format_samples(f);
	int16_t *s = samples(r, f, at, at + 1);
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)s[i] * s[i];
	free(s);
	return sqrt(sum / (double)n);
}

/** Packets at.. are the clip's first.. bit by bit. */
static void assert_plain(const struct receiver *r, unsigned at,
			 const struct clip *c, const struct format *f,
			 unsigned first, unsigned n)
{
	int idx = clip_format(c, f);
	unsigned all = clip_cycle_frames(c, idx);
	size_t bytes;

	assert_true(at + n <= r->n);
	for (unsigned i = 0; i < n; i++)
		assert_memory_equal(
			r->v[at + i].p.payload,
			clip_payload(c, idx, false, (first + i) % all, &bytes),
			format_bytes(f));
}

static unsigned next_marker(const struct receiver *r, unsigned from)
{
	while (from < r->n && !r->v[from].p.marker)
		from++;
	return from;
}

static void preemption_return_and_stop(void **state)
{
	struct format f = l16();
	struct clip *low = cosine_clip(200, 1000, &f);
	struct clip *high = cosine_clip(300, 1000, &f);
	struct media_set s = only(0);
	struct receiver r;
	struct world w;
	unsigned at, back, end, n;
	size_t bytes;
	(void)state;

	begin(&w, &r, 1, &f, 60);
	media_begin(w.m);
	play(&w, 0, low);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 5);
	media_begin(w.m);
	media_pause(w.m, 0, true);
	play(&w, 1, high);
	media_route(w.m, &s, 1, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	n = r.n;
	await(&w, &r, 1, r.n >= n + 5);
	media_begin(w.m);
	media_stop(w.m, 1);
	media_pause(w.m, 0, false);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	n = r.n;
	await(&w, &r, 1, r.n >= n + 5);
	media_begin(w.m);
	media_stop(w.m, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, reports(&w, MEDIA_SLOT_FREE, 0));
	n = r.n;
	await(&w, &r, 1, r.n >= n + 3);
	assert_continuous(&r, &f);

	at = next_marker(&r, 1);
	back = next_marker(&r, at + 1);
	for (end = back; end < r.n && !is_silent(&r.v[end], &f); end++)
		;
	assert_true(at >= 5 && back >= at + 5 && end >= back + 5);
	/* What began out of silence is as it was encoded, and so is all but
	 * the one packet at each switch. */
	assert_plain(&r, 0, low, &f, 0, at);
	assert_plain(&r, at + 1, high, &f, 1, back - at - 1);
	assert_plain(&r, back + 1, low, &f, at + 1, end - back - 2);
	for (unsigned i = end; i < r.n; i++)
		assert_true(is_silent(&r.v[i], &f));
	/* At each of them it would leap by 8,000. */
	assert_true(click(&r, &f, 0, r.n) < CLICK);
	/* The cut-off sound is gone within 8 ms. */
	assert_memory_equal(r.v[at].p.payload + 128,
			    clip_payload(high, 0, false, 0, &bytes) + 128,
			    format_bytes(&f) - 128);
	world_end(&w);
	receiver_close(&r);
	clip_unref(low);
	clip_unref(high);
}

/** Without any tail there is one packet to die away in, and no more. */
static void stop_without_tail(void **state)
{
	struct format f = l16();
	struct clip *c = cosine_clip(200, 1000, &f);
	struct media_set s = only(0);
	struct receiver r;
	struct world w;
	int16_t *v;
	uint64_t t;
	(void)state;

	begin(&w, &r, 1, &f, 0);
	media_begin(w.m);
	play(&w, 0, c);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 3);
	media_begin(w.m);
	media_stop(w.m, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, reports(&w, MEDIA_SLOT_FREE, 0));
	t = clock_mono_us();
	await(&w, &r, 1, clock_mono_us() - t > 60000);
	assert_continuous(&r, &f);
	assert_plain(&r, 0, c, &f, 0, r.n - 1);
	assert_true(click(&r, &f, 0, r.n) < CLICK);
	/* That one ends in silence. */
	v = samples(&r, &f, r.n - 1, r.n);
	assert_true(abs(v[0]) > AMPLITUDE / 2);
	assert_in_range(abs(v[format_samples(&f) - 1]), 0, 16);
	free(v);
	world_end(&w);
	receiver_close(&r);
	clip_unref(c);
}

/** Who joins in the middle does not hear it break in. */
static void joining_comes_up(void **state)
{
	struct format f = l16();
	struct clip *c = cosine_clip(200, 1000, &f);
	struct media_set s = only(0), both = only(0);
	struct receiver r[2];
	struct world w;
	int16_t *v;
	(void)state;

	media_set_add(&both, 1);
	begin(&w, r, 2, &f, 0);
	media_begin(w.m);
	play(&w, 0, c);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 2, r[0].n >= 3);
	media_begin(w.m);
	media_route(w.m, &both, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 2, r[1].n >= 3);
	v = samples(&r[1], &f, 0, 1);
	assert_in_range(abs(v[0]), 0, 100);
	assert_true(abs(v[120]) > AMPLITUDE / 2);
	free(v);
	assert_true(click(&r[1], &f, 0, r[1].n) < CLICK);
	assert_plain(&r[0], 0, c, &f, 0, r[0].n);
	world_end(&w);
	receiver_close(&r[0]);
	receiver_close(&r[1]);
	clip_unref(c);
}

static void restart_does_not_click(void **state)
{
	struct format f = l16();
	struct pcm p = sine(200, 990, AMPLITUDE, 8000);
	struct clip *c = NULL;
	struct media_set s = only(0);
	struct receiver r;
	struct world w;
	unsigned at, n;
	(void)state;

	/* Its beginning is no peak: the leap would be to it. */
	assert_int_equal(clip_alloc(&c, &p, 0, &f, 1), 0);
	begin(&w, &r, 1, &f, 0);
	media_begin(w.m);
	play(&w, 0, c);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 5);
	media_begin(w.m);
	media_restart(w.m, 0);
	assert_int_equal(media_commit(w.m), 0);
	n = r.n;
	await(&w, &r, 1, r.n >= n + 4);
	at = next_marker(&r, 1);
	assert_plain(&r, at + 1, c, &f, 1, 2);
	assert_true(click(&r, &f, 0, r.n) < CLICK);
	world_end(&w);
	receiver_close(&r);
	clip_unref(c);
	free(p.v);
}

/** Each output dies away by itself, however many sounds one takes over. */
static void each_its_own(void **state)
{
	enum { N = 60 };
	struct format f = l16();
	struct clip *low[N], *high = cosine_clip(300, 1000, &f);
	struct media_set every = {{0}};
	struct receiver *r = calloc(N, sizeof(*r));
	struct world w;
	(void)state;

	begin(&w, r, N, &f, 0);
	media_begin(w.m);
	for (unsigned i = 0; i < N; i++) {
		struct media_set s = only(i);

		/* Every third is silent: what comes to it is untouched. */
		low[i] = cosine_clip(50 + 50 * (i % 4), 1000, &f);
		media_set_add(&every, i);
		if (i % 3) {
			play(&w, i, low[i]);
			media_route(w.m, &s, (int)i, -1, 0);
		}
	}
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, N, r[1].n >= 3 && r[N - 1].n >= 3);
	media_begin(w.m);
	for (unsigned i = 0; i < N; i++)
		if (i % 3)
			media_pause(w.m, i, true);
	play(&w, 100, high);
	media_route(w.m, &every, 100, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, N, r[0].n >= 4 && r[N - 1].n >= 7);
	for (unsigned i = 0; i < N; i++) {
		unsigned at = i % 3 ? next_marker(&r[i], 1) : 0;

		assert_plain(&r[i], at + 1, high, &f, 1, 2);
		if (i % 3) {
			assert_plain(&r[i], 0, low[i], &f, 0, at);
			assert_true(click(&r[i], &f, 0, r[i].n) < CLICK);
		} else {
			assert_plain(&r[i], 0, high, &f, 0, 1);
		}
	}
	world_end(&w);
	for (unsigned i = 0; i < N; i++) {
		receiver_close(&r[i]);
		clip_unref(low[i]);
	}
	clip_unref(high);
	free(r);
}

/** Fades are given back: the last of very many switches is as soft as the
 *  first. */
static void fades_do_not_run_out(void **state)
{
	enum { N = 60 };
	struct format f = l16();
	struct clip *c[2] = {cosine_clip(200, 1000, &f),
			     cosine_clip(300, 1000, &f)};
	struct receiver *r = calloc(N, sizeof(*r));
	struct world w;
	(void)state;

	begin(&w, r, N, &f, 0);
	media_begin(w.m);
	for (unsigned i = 0; i < N; i++)
		play(&w, i, c[i % 2]);
	assert_int_equal(media_commit(w.m), 0);
	/* 60 sounds cut off each time: the sixth is beyond what there is. */
	for (unsigned k = 0; k < 8; k++) {
		unsigned n[N];
		bool all = false;

		media_begin(w.m);
		for (unsigned i = 0; i < N; i++) {
			struct media_set s = only(i);

			n[i] = r[i].n;
			media_route(w.m, &s, (int)((i + k) % N), -1, 0);
		}
		assert_int_equal(media_commit(w.m), 0);
		while (!all) {
			await(&w, r, N, true);
			all = true;
			for (unsigned i = 0; i < N; i++)
				all = all && r[i].n >= n[i] + 2;
			poll(NULL, 0, 1);
		}
	}
	for (unsigned i = 0; i < N; i++)
		assert_true(click(&r[i], &f, 0, r[i].n) < CLICK);
	world_end(&w);
	for (unsigned i = 0; i < N; i++)
		receiver_close(&r[i]);
	clip_unref(c[0]);
	clip_unref(c[1]);
	free(r);
}

/** The ramps take the time that was said, up and down. */
static void ramps_as_configured(void **state)
{
	struct format f = l16();
	struct pcm none = sine(0, 2000, 0, 8000);
	struct clip *music = cosine_clip(200, 1000, &f), *fg = NULL;
	struct media_set s = only(0);
	struct receiver r;
	struct world w;
	unsigned from, back, down = 0, up = 0;
	double plain, ducked;
	(void)state;

	assert_int_equal(clip_alloc(&fg, &none, 0, &f, 1), 0);
	begin(&w, &r, 1, &f, 0);
	media_begin(w.m);
	media_ramps(w.m, 60, 400);
	play(&w, 0, music);
	media_route(w.m, &s, -1, 0, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 5);
	plain = rms(&r, &f, 2);
	from = r.n;
	media_begin(w.m);
	play(&w, 1, fg);
	media_route(w.m, &s, 1, 0, -200);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= from + 10);
	back = r.n;
	media_begin(w.m);
	media_stop(w.m, 1);
	media_route(w.m, &s, -1, 0, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= back + 30);
	ducked = plain * 0.1;
	for (unsigned i = from - 1; i < r.n; i++) {
		double v = rms(&r, &f, i);

		down += i < back && v < plain * 0.99 && v > ducked * 1.01;
		up += i >= back && v < plain * 0.99 && v > ducked * 1.01;
	}
	/* 60 ms are three packets, 400 ms are twenty; each may touch one
	 * more, and the last of a ramp is within a hundredth. */
	assert_in_range(down, 2, 4);
	assert_in_range(up, 18, 21);
	assert_true(fabs(rms(&r, &f, from + 8) - ducked) < ducked * 0.02);
	assert_true(fabs(rms(&r, &f, r.n - 1) - plain) < plain * 0.01);
	assert_true(click(&r, &f, 0, r.n) < CLICK);
	world_end(&w);
	receiver_close(&r);
	clip_unref(music);
	clip_unref(fg);
	free(none.v);
}

/** Music is held under a page and goes on where it was, softly; a page within
 *  the page changes nothing of that. */
static void paused_music_comes_back_in_place(void **state)
{
	struct format f = l16();
	/* Level tells where in the music one is. */
	struct pcm p = cosine(200, 4000);
	struct clip *music = NULL;
	struct clip *page = cosine_clip(300, 1000, &f);
	struct clip *alarm = cosine_clip(250, 1000, &f);
	struct media_set s = only(0);
	struct receiver r;
	struct world w;
	unsigned at, n;
	(void)state;

	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)(p.v[i] * (double)(i / 160 + 20) / 220);
	assert_int_equal(clip_alloc(&music, &p, 0, &f, 1), 0);
	begin(&w, &r, 1, &f, 0);
	media_begin(w.m);
	media_ramps(w.m, 100, 40);
	play(&w, 0, music);
	media_route(w.m, &s, -1, 0, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 6);
	media_begin(w.m);
	media_pause(w.m, 0, true);
	play(&w, 1, page);
	media_route(w.m, &s, 1, 0, MEDIA_BG_PAUSED);
	assert_int_equal(media_commit(w.m), 0);
	n = r.n;
	await(&w, &r, 1, r.n >= n + 4);
	media_begin(w.m);
	media_pause(w.m, 1, true);
	play(&w, 2, alarm);
	media_route(w.m, &s, 2, 0, MEDIA_BG_PAUSED);
	assert_int_equal(media_commit(w.m), 0);
	n = r.n;
	await(&w, &r, 1, r.n >= n + 4);
	/* The inner one ends first, then the outer one. */
	media_begin(w.m);
	media_stop(w.m, 2);
	media_pause(w.m, 1, false);
	media_route(w.m, &s, 1, 0, MEDIA_BG_PAUSED);
	assert_int_equal(media_commit(w.m), 0);
	n = r.n;
	await(&w, &r, 1, r.n >= n + 4);
	media_begin(w.m);
	media_stop(w.m, 1);
	media_pause(w.m, 0, false);
	media_route(w.m, &s, -1, 0, 0);
	assert_int_equal(media_commit(w.m), 0);
	n = r.n;
	await(&w, &r, 1, r.n >= n + 8);
	assert_continuous(&r, &f);
	assert_true(click(&r, &f, 0, r.n) < CLICK);
	at = next_marker(&r, 1);
	assert_plain(&r, 0, music, &f, 0, at);
	n = next_marker(&r, at + 1);
	assert_plain(&r, at + 1, page, &f, 1, n - at - 1);
	n = next_marker(&r, n + 1);
	n = next_marker(&r, n + 1);
	/* 40 ms of ramp, then as it is, from the place where it was held. */
	assert_plain(&r, n + 3, music, &f, at + 3, r.n - n - 3);
	assert_true(rms(&r, &f, n + 1) < rms(&r, &f, n + 2));
	world_end(&w);
	receiver_close(&r);
	clip_unref(music);
	clip_unref(page);
	clip_unref(alarm);
	free(p.v);
}

static void volume_is_ramped(void **state)
{
	struct format f = l16();
	struct clip *c = cosine_clip(200, 1000, &f);
	struct clip *loud = cosine_clip(300, 1000, &f);
	struct media_set s = only(0), both = only(0);
	struct receiver r[2];
	struct world w;
	unsigned from, n, at;
	double plain;
	(void)state;

	media_set_add(&both, 1);
	begin(&w, r, 2, &f, 0);
	media_begin(w.m);
	play(&w, 0, c);
	media_route(w.m, &both, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 2, r[0].n >= 5 && r[1].n >= 5);
	plain = rms(&r[0], &f, 2);
	from = r[0].n;
	media_begin(w.m);
	media_volume(w.m, &s, -120);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 2, r[0].n >= from + 10);
	assert_true(fabs(rms(&r[0], &f, from + 8) / plain -
			 pow(10, -120 / 200.0)) < 0.01);
	for (unsigned i = 1; i < r[0].n; i++)
		assert_false(r[0].v[i].p.marker);
	/* Full again at once with what begins in the same batch. */
	media_begin(w.m);
	media_pause(w.m, 0, true);
	play(&w, 1, loud);
	media_volume(w.m, &s, 0);
	media_route(w.m, &both, 1, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	n = r[0].n;
	await(&w, r, 2, r[0].n >= n + 4);
	at = next_marker(&r[0], 1);
	assert_plain(&r[0], at + 1, loud, &f, 1, 2);
	/* Louder than it is by itself, and never beyond full scale. */
	media_begin(w.m);
	media_volume(w.m, &s, 200);
	assert_int_equal(media_commit(w.m), 0);
	n = r[0].n;
	await(&w, r, 2, r[0].n >= n + 8);
	assert_true(rms(&r[0], &f, n + 7) > 3.5 * plain);
	assert_true(click(&r[0], &f, 0, at + 4) < CLICK);
	/* The other one never noticed. */
	n = next_marker(&r[1], 1);
	assert_plain(&r[1], 0, c, &f, 0, n);
	assert_plain(&r[1], n + 1, loud, &f, 1, r[1].n - n - 1);
	/* Out of bounds. */
	media_begin(w.m);
	media_volume(w.m, &s, MEDIA_MAX_VOLUME_CB + 1);
	assert_int_equal(media_commit(w.m), EINVAL);
	media_begin(w.m);
	media_ramps(w.m, MEDIA_MAX_RAMP_MS + 1, 0);
	assert_int_equal(media_commit(w.m), EINVAL);
	world_end(&w);
	receiver_close(&r[0]);
	receiver_close(&r[1]);
	clip_unref(c);
	clip_unref(loud);
}

/** Of a caller nothing is known beyond his last packet; still no click. */
static void live_is_cut_softly(void **state)
{
	struct format f = l16();
	struct pcm p = cosine(200, 600);
	struct clip *high = cosine_clip(300, 1000, &f);
	struct media_set s = only(0);
	struct media_leg l = {.fmt = f, .recv = true};
	struct receiver r;
	struct world w;
	uint8_t b[PACKET_HEADER + 320] = {0x80};
	uint64_t t;
	unsigned at;
	int fd = udp_socket();
	struct sockaddr_storage to;
	(void)state;

	begin(&w, &r, 1, &f, 0);
	l.fd = udp_socket();
	l.remote = addr_of("127.0.0.1", port_of(fd));
	to = addr_of("127.0.0.1", port_of(l.fd));
	media_begin(w.m);
	media_leg_open(w.m, 0, &l);
	media_live(w.m, 0, 0, 1);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	t = clock_mono_us();
	for (unsigned i = 0; i < 20; i++, t += 20000) {
		b[1] = f.pt;
		b[3] = (uint8_t)i;
		b[6] = (uint8_t)(i * 160 >> 8);
		b[7] = (uint8_t)(i * 160);
		codec_encode(f.codec, b + PACKET_HEADER, p.v + i * 160, 160);
		assert_int_equal(sendto(fd, b, sizeof(b), 0,
					(struct sockaddr *)&to,
					sizeof(struct sockaddr_in)),
				 sizeof(b));
		await(&w, &r, 1, clock_mono_us() >= t + 20000);
	}
	media_begin(w.m);
	play(&w, 1, high);
	media_route(w.m, &s, 1, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	at = r.n;
	await(&w, &r, 1, r.n >= at + 4);
	at = next_marker(&r, 1);
	assert_true(at + 3 <= r.n);
	/* The machine may have stalled before the switch: then the engine
	 * had silence to cut, and nothing is proved. */
	if (rms(&r, &f, at - 1) < AMPLITUDE / 2)
		skip();
	assert_plain(&r, at + 1, high, &f, 1, 2);
	assert_true(click(&r, &f, at - 1, at + 2) < CLICK);
	world_end(&w);
	receiver_close(&r);
	close(fd);
	clip_unref(high);
	free(p.v);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preemption_return_and_stop),
		cmocka_unit_test(stop_without_tail),
		cmocka_unit_test(joining_comes_up),
		cmocka_unit_test(restart_does_not_click),
		cmocka_unit_test(each_its_own),
		cmocka_unit_test(fades_do_not_run_out),
		cmocka_unit_test(ramps_as_configured),
		cmocka_unit_test(paused_music_comes_back_in_place),
		cmocka_unit_test(volume_is_ramped),
		cmocka_unit_test(live_is_cut_softly),
	};

	(void)argc;
	return media_run_tests(tests, argv);
}
