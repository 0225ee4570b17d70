/*
 * The engine over loopback: clips to outputs. Order, continuity, counts and
 * bytes are asserted, never how long something took.
 */
#include "tests/unit/zones/media_util.h"

static struct format pcmu(void)
{
	struct format f;

	format_default(&f, CODEC_PCMU, 8000);
	return f;
}

static struct media_set all(unsigned n)
{
	struct media_set s = {{0}};

	for (unsigned i = 0; i < n; i++)
		media_set_add(&s, i);
	return s;
}

static void play(struct world *w, unsigned slot, const struct clip *c,
		 uint32_t cycles, uint32_t lead_ms)
{
	struct media_play p = {c, cycles, lead_ms, 1000 + slot};

	media_play(w->m, slot, &p);
}

/** n unicast receivers as outputs 0..n-1. */
static void outputs(struct world *w, struct receiver *r, unsigned n,
		    const struct format *f)
{
	media_begin(w->m);
	for (unsigned i = 0; i < n; i++) {
		struct media_output o;

		receiver_open(&r[i]);
		o = output_to(&r[i], f);
		media_output_set(w->m, i, &o);
	}
	assert_int_equal(media_commit(w->m), 0);
}

/** The clip's bytes, from packet `first` on, are what was heard from packet
 *  `at` on. */
static void assert_clip(const struct receiver *r, unsigned at,
			const struct clip *c, const struct format *f,
			uint32_t first, uint32_t n)
{
	int idx = clip_format(c, f);

	assert_true(at + n <= r->n);
	for (uint32_t i = 0; i < n; i++)
		assert_memory_equal(r->v[at + i].p.payload,
				    payload_of(c, idx, first + i),
				    format_bytes(f));
}

static void clip_arrives_whole(void **state)
{
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 200, 40, &f, 1);
	struct media_set s = all(1);
	struct receiver r;
	struct world w;
	(void)state;

	world_begin(&w, 100, 0);
	outputs(&w, &r, 1, &f);
	media_begin(w.m);
	play(&w, 3, c, 2, 60);
	media_route(w.m, &s, 3, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	/* 3 of lead, 10 of sound, 2 of gap, 10 of sound, 5 of tail. */
	await(&w, &r, 1, r.n >= 30);
	await(&w, &r, 1, reports(&w, MEDIA_FINISHED, 3));
	media_begin(w.m);
	media_stop(w.m, 3);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, reports(&w, MEDIA_SLOT_FREE, 3));
	assert_int_equal(r.n, 30);
	assert_continuous(&r, &f);
	for (unsigned i = 1; i < r.n; i++)
		assert_false(r.v[i].p.marker);
	for (unsigned i = 0; i < 3; i++)
		assert_true(is_silent(&r.v[i], &f));
	assert_clip(&r, 3, c, &f, 0, 12);
	assert_clip(&r, 15, c, &f, 0, 10);
	for (unsigned i = 25; i < 30; i++)
		assert_true(is_silent(&r.v[i], &f));
	assert_int_equal(reports(&w, MEDIA_FIRST_SENT, 3), 1);
	assert_int_equal(report_of(&w, MEDIA_FIRST_SENT, 3)->n, 1);
	assert_int_equal(report_of(&w, MEDIA_FIRST_SENT, 3)->tag, 1003);
	assert_true(report_of(&w, MEDIA_FIRST_SENT, 3)->at_us <= r.v[0].at_us);
	assert_int_equal(report_of(&w, MEDIA_SLOT_FREE, 3)->tag, 1003);
	world_end(&w);
	receiver_close(&r);
	clip_unref(c);
}

static void spurts_keep_the_stream(void **state)
{
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 60, 0, &f, 1);
	struct media_set s = all(1);
	struct receiver r;
	struct world w;
	uint64_t between;
	(void)state;

	world_begin(&w, 20, 0);
	outputs(&w, &r, 1, &f);
	media_begin(w.m);
	play(&w, 0, c, 1, 0);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, reports(&w, MEDIA_FINISHED, 0) && r.n >= 4);
	/* Silent for at least 100 ms: seen by the clock, not by sleeping. */
	between = clock_mono_us();
	await(&w, &r, 1, clock_mono_us() - between > 100000);
	assert_int_equal(r.n, 4);
	media_begin(w.m);
	media_stop(w.m, 0);
	play(&w, 1, c, 1, 0);
	media_route(w.m, &s, 1, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 8);
	assert_continuous(&r, &f);
	assert_true(r.v[4].p.marker);
	/* By real time: the 100 ms are in the timestamps, but for the few by
	 * which packets are sent ahead to share wake-ups. */
	assert_true(r.v[4].p.ts - r.v[3].p.ts >= 8 * 94);
	world_end(&w);
	receiver_close(&r);
	clip_unref(c);
}

static void preempted_and_resumed(void **state)
{
	struct format f = pcmu();
	struct clip *low = sine_clip(300, 2000, 0, &f, 1);
	struct clip *high = sine_clip(1000, 100, 0, &f, 1);
	struct media_set s = all(2), one = all(1);
	struct receiver r[2];
	struct world w;
	unsigned at, back;
	(void)state;

	world_begin(&w, 40, 0);
	outputs(&w, r, 2, &f);
	media_begin(w.m);
	play(&w, 0, low, 0, 0);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 2, r[0].n >= 5 && r[1].n >= 5);
	/* Output 0 is taken away; the message is held and goes on later where
	 * it was. */
	media_begin(w.m);
	play(&w, 1, high, 1, 0);
	media_route(w.m, &one, 1, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 2, reports(&w, MEDIA_FINISHED, 1));
	media_begin(w.m);
	media_stop(w.m, 1);
	media_route(w.m, &one, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	back = r[0].n;
	await(&w, r, 2, r[0].n >= back + 5);
	assert_continuous(&r[0], &f);
	assert_continuous(&r[1], &f);
	for (at = 1; at < r[0].n && !r[0].v[at].p.marker; at++)
		;
	/* All of the lower one before the first of the higher one. */
	assert_true(at >= 5 && at < r[0].n);
	assert_clip(&r[0], 0, low, &f, 0, at);
	/* The first of the higher one holds the end of the lower one too. */
	assert_clip(&r[0], at + 1, high, &f, 1, 4);
	/* The other output did not even click. */
	for (unsigned i = 1; i < r[1].n; i++)
		assert_false(r[1].v[i].p.marker);
	assert_clip(&r[1], 0, low, &f, 0, r[1].n);
	for (at += 5; at < r[0].n && !r[0].v[at].p.marker; at++)
		assert_true(is_silent(&r[0].v[at], &f));
	assert_true(at < r[0].n);
	assert_false(is_silent(&r[0].v[at], &f));
	world_end(&w);
	receiver_close(&r[0]);
	receiver_close(&r[1]);
	clip_unref(low);
	clip_unref(high);
}

static void paused_goes_on_where_it_was(void **state)
{
	struct format f = pcmu();
	struct clip *c = sine_clip(300, 400, 0, &f, 1);
	struct media_set s = all(1);
	struct receiver r;
	struct world w;
	unsigned n;
	uint64_t t;
	(void)state;

	world_begin(&w, 0, 0);
	outputs(&w, &r, 1, &f);
	media_begin(w.m);
	play(&w, 0, c, 1, 0);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 5);
	media_begin(w.m);
	media_pause(w.m, 0, true);
	assert_int_equal(media_commit(w.m), 0);
	t = clock_mono_us();
	await(&w, &r, 1, clock_mono_us() - t > 60000);
	n = r.n;
	await(&w, &r, 1, clock_mono_us() - t > 160000);
	assert_int_equal(r.n, n);
	media_begin(w.m);
	media_pause(w.m, 0, false);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, reports(&w, MEDIA_FINISHED, 0));
	/* One more to die away in, and the next one comes up. */
	assert_int_equal(r.n, 21);
	assert_continuous(&r, &f);
	assert_clip(&r, 0, c, &f, 0, n - 1);
	assert_clip(&r, n + 1, c, &f, n, 20 - n);
	assert_true(r.v[n].p.marker);
	/* And once more from the beginning. */
	media_begin(w.m);
	media_restart(w.m, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 41);
	assert_clip(&r, 21, c, &f, 0, 20);
	world_end(&w);
	receiver_close(&r);
	clip_unref(c);
}

static double rms(const struct heard *h, const struct format *f)
{
	int16_t s[2880];
	double sum = 0;
	size_t n = format_samples(f);

	codec_decode(f->codec, s, h->p.payload, n);
	for (size_t i = 0; i < n; i++)
		sum += (double)s[i] * s[i];
	return sqrt(sum / (double)n);
}

static void background_is_ducked_and_back(void **state)
{
	struct format f = pcmu();
	/* The foreground is silence: what is heard is the background. */
	struct pcm none = sine(0, 400, 0, 8000);
	struct clip *music = sine_clip(400, 2000, 0, &f, 1), *fg = NULL;
	struct media_set s = all(1);
	struct receiver r;
	struct world w;
	unsigned from, back;
	double plain;
	(void)state;

	assert_int_equal(clip_alloc(&fg, &none, 0, &f, 1), 0);
	world_begin(&w, 0, 0);
	outputs(&w, &r, 1, &f);
	media_begin(w.m);
	play(&w, 0, music, 0, 0);
	media_route(w.m, &s, -1, 0, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 10);
	assert_clip(&r, 0, music, &f, 0, 10);
	plain = rms(&r.v[5], &f);
	from = r.n;
	media_begin(w.m);
	play(&w, 1, fg, 1, 0);
	media_route(w.m, &s, 1, 0, -200);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, reports(&w, MEDIA_FINISHED, 1));
	back = r.n;
	media_begin(w.m);
	media_stop(w.m, 1);
	media_route(w.m, &s, -1, 0, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= back + 20);
	assert_continuous(&r, &f);
	/* 20 dB down after the ramp, which never leaps. */
	assert_true(rms(&r.v[from + 12], &f) < plain * 0.11);
	assert_true(rms(&r.v[from + 12], &f) > plain * 0.09);
	for (unsigned i = from; i < back + 15; i++)
		assert_true(fabs(rms(&r.v[i], &f) - rms(&r.v[i - 1], &f)) <
			    plain * 0.4);
	assert_true(fabs(rms(&r.v[back + 15], &f) - plain) < plain * 0.02);
	/* Paused instead: nothing of it is heard behind a foreground. */
	from = r.n;
	media_begin(w.m);
	play(&w, 2, fg, 1, 0);
	media_route(w.m, &s, 2, 0, MEDIA_BG_PAUSED);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= from + 15);
	assert_true(is_silent(&r.v[from + 12], &f));
	world_end(&w);
	receiver_close(&r);
	clip_unref(music);
	clip_unref(fg);
	free(none.v);
}

static void formats_stay_together(void **state)
{
	struct format f[3] = {pcmu(), pcmu(), pcmu()};
	struct clip *c;
	struct media_set s = all(3);
	struct receiver r[3];
	struct world w;
	struct media_output o;
	(void)state;

	f[1].codec = CODEC_PCMA;
	f[1].pt = 8;
	f[1].ptime_ms = 30;
	format_default(&f[2], CODEC_L16, 16000);
	f[2].pt = 97;
	f[2].ptime_ms = 10;
	c = sine_clip(440, 110, 0, f, 3);
	world_begin(&w, 0, 0);
	media_begin(w.m);
	for (unsigned i = 0; i < 3; i++) {
		receiver_open(&r[i]);
		o = output_to(&r[i], &f[i]);
		media_output_set(w.m, i, &o);
	}
	play(&w, 0, c, 5, 10);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 3, reports(&w, MEDIA_FINISHED, 0));
	/* 60 ms of lead, four cycles of 120 ms, one of sound. */
	assert_int_equal(report_of(&w, MEDIA_FIRST_SENT, 0)->n, 3);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t lead = 60u / f[i].ptime_ms;
		uint32_t cycle = 120u / f[i].ptime_ms;
		uint32_t n = clip_frames(c, clip_format(c, &f[i]));

		assert_continuous(&r[i], &f[i]);
		assert_true(r[i].n >= lead + 4 * cycle + n);
		for (unsigned k = 0; k < 5; k++)
			assert_clip(&r[i], lead + k * cycle, c, &f[i], 0, n);
	}
	world_end(&w);
	for (unsigned i = 0; i < 3; i++)
		receiver_close(&r[i]);
	clip_unref(c);
}

static void hundred_outputs_and_groups(void **state)
{
	enum { N = 100 };
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 100, 0, &f, 1);
	struct media_set s = all(N);
	struct receiver *r = calloc(N, sizeof(*r));
	struct media_stats before, after;
	struct media_output_stats os;
	struct world w;
	(void)state;

	world_begin(&w, 0, 0);
	media_begin(w.m);
	for (unsigned i = 0; i < N; i++) {
		struct media_output o;
		char group[32];

		/* A socket hears 20 groups at most, a host as many sockets. */
		snprintf(group, sizeof(group), "239.255.77.%u", i + 1);
		if (i < 20)
			receiver_join(&r[i], group);
		else
			receiver_open(&r[i]);
		o = output_to(&r[i], &f);
		media_output_set(w.m, i, &o);
	}
	assert_int_equal(media_commit(w.m), 0);
	media_stats(w.m, &before);
	media_begin(w.m);
	play(&w, 0, c, 1, 0);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, N, reports(&w, MEDIA_FINISHED, 0));
	for (unsigned i = 0; i < N; i++)
		await(&w, &r[i], 1, r[i].n == 5);
	media_stats(w.m, &after);
	assert_int_equal(after.packets - before.packets, 5 * N);
	/* A socket for the 20 groups and one for the rest, 64 messages a call:
	 * three calls a packet time. */
	assert_int_equal(after.send_calls - before.send_calls, 15);
	assert_int_equal(report_of(&w, MEDIA_FIRST_SENT, 0)->n, N);
	for (unsigned i = 0; i < N; i++) {
		assert_continuous(&r[i], &f);
		assert_clip(&r[i], 0, c, &f, 0, 5);
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(r[i].v[0].p.ssrc,
					     r[k].v[0].p.ssrc);
		media_output_stats(w.m, i, &os);
		assert_int_equal(os.packets, 5);
		assert_int_equal(os.errors, 0);
		assert_false(os.sounding);
		assert_int_equal(os.level, 127);
	}
	world_end(&w);
	for (unsigned i = 0; i < N; i++)
		receiver_close(&r[i]);
	free(r);
	clip_unref(c);
}

static void dead_output_is_told_and_passed_over(void **state)
{
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 2000, 0, &f, 1);
	struct media_set s = all(3);
	struct media_output o, dead;
	struct media_output_stats os;
	struct receiver r[3];
	struct world w;
	(void)state;

	world_begin(&w, 0, 0);
	outputs(&w, r, 3, &f);
	/* Port 0 cannot be sent to. */
	dead = output_to(&r[1], &f);
	((struct sockaddr_in *)&dead.dst)->sin_port = 0;
	media_begin(w.m);
	media_output_set(w.m, 1, &dead);
	play(&w, 0, c, 0, 0);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 3, r[0].n >= 10 && r[2].n >= 10);
	assert_int_equal(reports(&w, MEDIA_OUTPUT_ERROR, 1), 1);
	assert_int_equal(report_of(&w, MEDIA_OUTPUT_ERROR, 1)->err, EINVAL);
	media_output_stats(w.m, 1, &os);
	assert_true(os.errors >= 10);
	assert_int_equal(os.packets, 0);
	/* It comes to life; the others never noticed. */
	o = output_to(&r[1], &f);
	media_begin(w.m);
	media_output_set(w.m, 1, &o);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 3, reports(&w, MEDIA_OUTPUT_OK, 1) && r[1].n >= 3);
	assert_continuous(&r[0], &f);
	assert_continuous(&r[1], &f);
	/* An interface that is not there. */
	dead = output_to(&r[1], &f);
	dead.dst = addr_of("239.255.77.1", 5004);
	dead.ifindex = 999999;
	media_begin(w.m);
	media_output_set(w.m, 2, &dead);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 3, reports(&w, MEDIA_OUTPUT_ERROR, 2));
	/* And gone. */
	media_begin(w.m);
	media_output_set(w.m, 0, NULL);
	media_output_set(w.m, 2, NULL);
	assert_int_equal(media_commit(w.m), 0);
	world_end(&w);
	for (unsigned i = 0; i < 3; i++)
		receiver_close(&r[i]);
	clip_unref(c);
}

static void ipv6_too(void **state)
{
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 100, 0, &f, 1);
	struct media_set s = all(2);
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};
	struct ipv6_mreq mr = {.ipv6mr_interface = if_nametoindex("lo")};
	struct receiver r[2];
	struct world w;
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		socklen_t len = sizeof(a);

		a.sin6_port = 0;
		inet_pton(AF_INET6, i ? "ff12::77" : "::1", &a.sin6_addr);
		a.sin6_scope_id = i ? mr.ipv6mr_interface : 0;
		r[i] = (struct receiver){
			.v = calloc(MAX_HEARD, sizeof(struct heard))};
		r[i].fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (r[i].fd < 0 ||
		    bind(r[i].fd, (struct sockaddr *)&a, sizeof(a)))
			skip(); /* a host without IPv6 */
		getsockname(r[i].fd, (struct sockaddr *)&a, &len);
		memcpy(&r[i].addr, &a, sizeof(a));
	}
	mr.ipv6mr_multiaddr = a.sin6_addr;
	assert_int_equal(setsockopt(r[1].fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mr,
				    sizeof(mr)),
			 0);
	world_begin(&w, 0, 0);
	media_begin(w.m);
	for (unsigned i = 0; i < 2; i++) {
		struct media_output o = output_to(&r[i], &f);

		media_output_set(w.m, i, &o);
	}
	play(&w, 0, c, 1, 0);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	/* Most hosts have no way for IPv6 groups on lo: then that is told. */
	await(&w, r, 2,
	      r[0].n == 5 && (r[1].n == 5 ||
			      (reports(&w, MEDIA_OUTPUT_ERROR, 1) &&
			       report_of(&w, MEDIA_OUTPUT_ERROR, 1)->err ==
				       ENETUNREACH)));
	assert_clip(&r[0], 0, c, &f, 0, 5);
	world_end(&w);
	receiver_close(&r[0]);
	receiver_close(&r[1]);
	clip_unref(c);
}

static void same_stream_by_another_way(void **state)
{
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 2000, 0, &f, 1);
	struct media_set s = all(1);
	struct media_output o;
	struct receiver r;
	struct world w;
	unsigned n;
	(void)state;

	world_begin(&w, 0, 0);
	outputs(&w, &r, 1, &f);
	media_begin(w.m);
	play(&w, 0, c, 0, 0);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 5);
	o = output_to(&r, &f);
	o.dscp = 10;
	media_begin(w.m);
	media_output_set(w.m, 0, &o);
	assert_int_equal(media_commit(w.m), 0);
	n = r.n;
	await(&w, &r, 1, r.n >= n + 5);
	assert_continuous(&r, &f);
	assert_clip(&r, 0, c, &f, 0, n + 5);
	for (unsigned i = 1; i < r.n; i++)
		assert_false(r.v[i].p.marker);
	world_end(&w);
	receiver_close(&r);
	clip_unref(c);
}

static void silence_beats_where_wished(void **state)
{
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 60, 0, &f, 1);
	struct media_set s = all(2);
	struct receiver r[2];
	struct media_output o;
	struct world w;
	unsigned beats;
	(void)state;

	world_begin(&w, 0, 0);
	outputs(&w, r, 2, &f);
	o = output_to(&r[0], &f);
	o.beat_ms = 10;
	media_begin(w.m);
	media_output_set(w.m, 0, &o);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 2, r[0].n >= 2);
	media_begin(w.m);
	play(&w, 0, c, 1, 0);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 2, r[1].n >= 3);
	/* The other one's were the message's alone. */
	assert_int_equal(r[1].n, 3);
	for (beats = 0; is_silent(&r[0].v[beats], &f); beats++)
		assert_true(r[0].v[beats].p.marker);
	assert_true(beats >= 2);
	await(&w, r, 2, r[0].n >= beats + 5);
	assert_true(r[0].v[beats].p.marker);
	assert_clip(&r[0], beats, c, &f, 0, 3);
	assert_true(is_silent(&r[0].v[beats + 3], &f));
	assert_true(is_silent(&r[0].v[beats + 4], &f));
	assert_continuous(&r[0], &f);
	o.beat_ms = 0;
	media_begin(w.m);
	media_output_set(w.m, 0, &o);
	assert_int_equal(media_commit(w.m), 0);
	world_end(&w);
	receiver_close(&r[0]);
	receiver_close(&r[1]);
	clip_unref(c);
}

static void outputs_share_a_source_port(void **state)
{
	struct format f = pcmu();
	struct clip *c = sine_clip(440, 60, 0, &f, 1);
	struct media_set s = all(2);
	struct sockaddr_in from[2];
	struct receiver r[2], quiet[1];
	struct world w;
	int spare = udp_socket();
	uint16_t port = port_of(spare);
	(void)state;

	close(spare);
	receiver_open(&quiet[0]);
	world_begin(&w, 0, 0);
	outputs(&w, r, 2, &f);
	media_begin(w.m);
	for (unsigned i = 0; i < 2; i++) {
		struct media_output o = output_to(&r[i], &f);

		o.source_port = port;
		media_output_set(w.m, i, &o);
	}
	play(&w, 0, c, 1, 0);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, quiet, 1, reports(&w, MEDIA_FINISHED, 0));
	for (unsigned i = 0; i < 2; i++) {
		socklen_t len = sizeof(from[i]);
		uint8_t byte;

		assert_true(recvfrom(r[i].fd, &byte, 1, MSG_TRUNC,
				     (struct sockaddr *)&from[i], &len) > 0);
		assert_int_equal(ntohs(from[i].sin_port), port);
		receiver_close(&r[i]);
	}
	world_end(&w);
	receiver_close(&quiet[0]);
	clip_unref(c);
}

static void bad_batch_changes_nothing(void **state)
{
	struct format f = pcmu(), bad = f;
	struct clip *c = sine_clip(440, 2000, 0, &f, 1);
	struct media_set s = all(1);
	struct media_output o;
	struct receiver r;
	struct world w;
	unsigned n;
	(void)state;

	world_begin(&w, 0, 0);
	outputs(&w, &r, 1, &f);
	media_begin(w.m);
	play(&w, 0, c, 0, 0);
	media_route(w.m, &s, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 3);
	media_begin(w.m);
	media_stop(w.m, 0);
	media_pause(w.m, MEDIA_MAX_SLOTS, true);
	assert_int_equal(media_commit(w.m), EINVAL);
	media_begin(w.m);
	media_stop(w.m, 0);
	bad.rate = 11025;
	o = output_to(&r, &bad);
	media_output_set(w.m, 0, &o);
	assert_int_equal(media_commit(w.m), EINVAL);
	media_begin(w.m);
	media_stop(w.m, 0);
	media_route(w.m, &s, MEDIA_MAX_SLOTS, -1, 0);
	assert_int_equal(media_commit(w.m), EINVAL);
	media_begin(w.m);
	for (unsigned i = 0; i < 100000; i++)
		media_stop(w.m, 0);
	assert_int_equal(media_commit(w.m), ENOBUFS);
	assert_int_equal(media_commit(w.m), EINVAL);
	n = r.n;
	await(&w, &r, 1, r.n >= n + 5);
	assert_clip(&r, 0, c, &f, 0, r.n);
	assert_int_equal(reports(&w, MEDIA_SLOT_FREE, 0), 0);
	world_end(&w);
	receiver_close(&r);
	clip_unref(c);
}

static void all_outputs_in_one_batch(void **state)
{
	struct format f = pcmu();
	struct receiver r;
	struct world w;
	(void)state;

	receiver_open(&r);
	world_begin(&w, 0, 0);
	media_begin(w.m);
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++) {
		struct media_output o = output_to(&r, &f);

		media_output_set(w.m, i, &o);
	}
	assert_int_equal(media_commit(w.m), 0);
	assert_true(media_heartbeat(w.m) <= clock_mono_us());
	world_end(&w);
	receiver_close(&r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clip_arrives_whole),
		cmocka_unit_test(spurts_keep_the_stream),
		cmocka_unit_test(preempted_and_resumed),
		cmocka_unit_test(paused_goes_on_where_it_was),
		cmocka_unit_test(background_is_ducked_and_back),
		cmocka_unit_test(formats_stay_together),
		cmocka_unit_test(hundred_outputs_and_groups),
		cmocka_unit_test(dead_output_is_told_and_passed_over),
		cmocka_unit_test(ipv6_too),
		cmocka_unit_test(same_stream_by_another_way),
		cmocka_unit_test(silence_beats_where_wished),
		cmocka_unit_test(outputs_share_a_source_port),
		cmocka_unit_test(bad_batch_changes_nothing),
		cmocka_unit_test(all_outputs_in_one_batch),
	};

	(void)argc;
	return media_run_tests(tests, argv);
}
