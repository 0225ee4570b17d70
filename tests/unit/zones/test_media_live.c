/*
 * Live sound through the engine over loopback: a caller's RTP to outputs, what
 * he is sent, and who is taken for him.
 */
#include "tests/unit/zones/media_util.h"
#include "zones/engine/playout.h"

/** A caller: a socket that sends RTP to the leg and hears what comes back. */
struct caller {
	struct receiver rx;
	struct sockaddr_storage leg;
	int leg_fd;
	struct packet next;
};

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

static void caller_open(struct caller *c)
{
	receiver_open(&c->rx);
	c->leg_fd = udp_socket();
	c->leg = addr_of("127.0.0.1", port_of(c->leg_fd));
	c->next = (struct packet){.seq = 65530, .ts = 0xfffffe00, .ssrc = 7};
}

static struct media_leg leg_of(const struct caller *c, const struct format *f)
{
	return (struct media_leg){
		.fd = c->leg_fd,
		.remote = c->rx.addr,
		.fmt = *f,
		.event_pt = 101,
		.send = true,
		.recv = true,
		.dscp = 46,
	};
}

static void caller_close(struct caller *c)
{
	receiver_close(&c->rx);
}

static void send_from(int fd, const struct caller *c, const struct packet *p,
		      const uint8_t *payload, size_t len)
{
	uint8_t buf[1500];

	packet_header(buf, p);
	memcpy(buf + PACKET_HEADER, payload, len);
	assert_int_equal(sendto(fd, buf, PACKET_HEADER + len, 0,
				(const struct sockaddr *)&c->leg,
				sizeof(struct sockaddr_in)),
			 (ssize_t)(PACKET_HEADER + len));
}

static void say(struct caller *c, const uint8_t *payload, size_t len,
		uint32_t n)
{
	send_from(c->rx.fd, c, &c->next, payload, len);
	c->next.seq++;
	c->next.ts += n;
}

/** Bytes that tell each packet from every other. */
static void noise(uint8_t *buf, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525u + 1013904223u;
		buf[i] = (uint8_t)(seed >> 24);
	}
}

/** How late this program itself sent a packet: beyond what the engine waits
 * for, a loaded machine makes a network that loses. The same holds for an
 * engine that was not let run. */
static uint64_t sent_late_us;

static bool in_time(const struct world *w)
{
	struct media_stats st;

	media_stats(w->m, &st);
	return sent_late_us < PLAYOUT_WAIT_US &&
	       st.max_late_us < PLAYOUT_MARGIN_US;
}

static void note_late(uint64_t planned)
{
	uint64_t late = clock_mono_us() - planned;

	sent_late_us = late > sent_late_us ? late : sent_late_us;
}

/** Speaks n packets at their own pace while everything is read. */
#define speak(w, r, nr, c, n)                                                  \
	do {                                                                   \
		uint64_t at_ = clock_mono_us();                                \
		for (unsigned i_ = 0; i_ < (n); i_++, at_ += 20000) {          \
			uint8_t b_[160];                                       \
			await(w, r, nr, clock_mono_us() >= at_);               \
			note_late(at_);                                        \
			noise(b_, sizeof(b_), (c)->next.seq);                  \
			say(c, b_, sizeof(b_), 160);                           \
		}                                                              \
	} while (0)

static void start(struct world *w, struct caller *c, const struct format *leg,
		  struct receiver *r, unsigned n, const struct format *f)
{
	struct media_leg l;
	struct media_set s = all(n);

	caller_open(c);
	l = leg_of(c, leg);
	world_begin(w, 100, 300);
	media_begin(w->m);
	for (unsigned i = 0; i < n; i++) {
		struct media_output o;

		receiver_open(&r[i]);
		o = output_to(&r[i], &f[i]);
		media_output_set(w->m, i, &o);
	}
	media_leg_open(w->m, 5, &l);
	media_live(w->m, 2, 5, 77);
	media_route(w->m, &s, 2, -1, 0);
	assert_int_equal(media_commit(w->m), 0);
}

static void finish(struct world *w, struct caller *c, struct receiver *r,
		   unsigned n)
{
	media_begin(w->m);
	media_stop(w->m, 2);
	media_leg_close(w->m, 5);
	assert_int_equal(media_commit(w->m), 0);
	await(w, r, n,
	      reports(w, MEDIA_LEG_CLOSED, 5) &&
		      reports(w, MEDIA_SLOT_FREE, 2));
	world_end(w);
	for (unsigned i = 0; i < n; i++)
		receiver_close(&r[i]);
	caller_close(c);
}

/** Where this payload was heard, from packet `from` on; -1 = nowhere. */
static int where(const struct receiver *r, unsigned from, const uint8_t *p,
		 size_t len)
{
	for (unsigned i = from; i < r->n; i++)
		if (r->v[i].p.len == len && !memcmp(r->v[i].p.payload, p, len))
			return (int)i;
	return -1;
}

/** Was one of the caller's last n packets heard? */
static bool heard_one_of(const struct receiver *r, const struct caller *c,
			 unsigned n)
{
	uint8_t b[160];

	for (unsigned i = 1; i <= n; i++) {
		noise(b, sizeof(b), (uint16_t)(c->next.seq - i));
		if (where(r, 0, b, sizeof(b)) >= 0)
			return true;
	}
	return false;
}

static void passes_bit_exact(void **state)
{
	struct format f[2] = {pcmu(), pcmu()};
	struct receiver r[2];
	struct caller c;
	struct world w;
	struct media_leg_stats st;
	uint8_t b[160];
	int at = 0;
	(void)state;

	sent_late_us = 0;
	start(&w, &c, &f[0], r, 2, f);
	/* Silence sounds at once, before the caller is heard. */
	await(&w, r, 2, r[0].n >= 2 && r[1].n >= 2);
	assert_true(is_silent(&r[0].v[0], &f[0]));
	assert_int_equal(reports(&w, MEDIA_FIRST_SENT, 2), 1);
	assert_int_equal(report_of(&w, MEDIA_FIRST_SENT, 2)->tag, 77);
	speak(&w, r, 2, &c, 50);
	await(&w, r, 2,
	      heard_one_of(&r[0], &c, 3) && heard_one_of(&r[1], &c, 3));
	at = (int)(r[0].n + r[1].n);
	await(&w, r, 2, r[0].n + r[1].n > (unsigned)at + 6);
	for (unsigned k = 0; k < 2; k++) {
		assert_continuous(&r[k], &f[k]);
		noise(b, sizeof(b), 65530);
		at = where(&r[k], 0, b, 160);
		assert_true(at > 0);
		/* All fifty, one after the other, untouched. */
		for (unsigned i = 0; i < 50 && in_time(&w); i++) {
			noise(b, sizeof(b), (uint16_t)(65530 + i));
			assert_memory_equal(r[k].v[at + (int)i].p.payload, b,
					    160);
		}
	}
	assert_int_equal(reports(&w, MEDIA_LEG_RTP, 5), 1);
	/* Now he is silent: the outputs go on with silence, and it is told. */
	await(&w, r, 2, reports(&w, MEDIA_LEG_SILENT, 5));
	at = (int)r[0].n;
	await(&w, r, 2, r[0].n > (unsigned)at + 8);
	assert_true(is_silent(&r[0].v[r[0].n - 1], &f[0]));
	assert_continuous(&r[0], &f[0]);
	speak(&w, r, 2, &c, 3);
	await(&w, r, 2, reports(&w, MEDIA_LEG_SILENT, 5) == 2);
	media_begin(w.m);
	media_leg_close(w.m, 5);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 2, reports(&w, MEDIA_LEG_CLOSED, 5));
	st = report_of(&w, MEDIA_LEG_CLOSED, 5)->stats;
	assert_int_equal(st.received, 53);
	assert_int_equal(st.lost, 0);
	assert_int_equal(st.duplicate, 0);
	assert_int_equal(st.foreign, 0);
	assert_int_equal(st.wrong_type, 0);
	/* Still routed to a source without a leg: silence, until stopped. */
	at = (int)r[0].n;
	await(&w, r, 2, r[0].n > (unsigned)at + 3);
	media_begin(w.m);
	media_stop(w.m, 2);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, 2, reports(&w, MEDIA_SLOT_FREE, 2));
	world_end(&w);
	receiver_close(&r[0]);
	receiver_close(&r[1]);
	caller_close(&c);
}

/** Amplitude of one frequency in what was heard from packet `from` on. */
static double tone_at(const struct receiver *r, const struct format *f,
		      unsigned from, unsigned n, double hz)
{
	uint32_t len = format_samples(f), k = 0;
	double re = 0, im = 0;
	int16_t s[2880];

	for (unsigned i = from; i < from + n; i++) {
		codec_decode(f->codec, s, r->v[i].p.payload, len);
		for (uint32_t j = 0; j < len; j++, k++) {
			double a = 2 * M_PI * hz * k / f->rate;

			re += s[j] * cos(a);
			im += s[j] * sin(a);
		}
	}
	return 2 * sqrt(re * re + im * im) / k;
}

static double power_at(const struct receiver *r, const struct format *f,
		       unsigned from, unsigned n)
{
	uint32_t len = format_samples(f), k = 0;
	double sum = 0;
	int16_t s[2880];

	for (unsigned i = from; i < from + n; i++) {
		codec_decode(f->codec, s, r->v[i].p.payload, len);
		for (uint32_t j = 0; j < len; j++, k++)
			sum += (double)s[j] * s[j];
	}
	return sum / k;
}

/** A tone in mu-law comes out right in A-law, in L16 at every rate and packet
 *  time, and 6 dB down where the output wants that. */
static void is_converted(void **state)
{
	enum { N = 7 };
	struct format leg = pcmu(), f[N];
	struct receiver r[N];
	struct caller c;
	struct world w;
	struct pcm p = sine(1000, 1500, 8000, 8000);
	uint64_t at;
	(void)state;

	for (unsigned i = 0; i < N; i++) {
		static const uint32_t rate[N] = {8000,  8000, 8000, 16000,
						 48000, 8000, 44100};

		format_default(&f[i], i < 2 ? CODEC_PCMA : CODEC_L16, rate[i]);
	}
	f[1].ptime_ms = 30;
	f[2].ptime_ms = 10;
	f[3].ptime_ms = 40;
	f[4].ptime_ms = 10;
	f[5].gain_cb = -60;
	start(&w, &c, &leg, r, N, f);
	at = clock_mono_us();
	for (size_t i = 0; i + 160 <= p.n; i += 160, at += 20000) {
		uint8_t b[160];

		await(&w, r, N, clock_mono_us() >= at);
		codec_encode(CODEC_PCMU, b, p.v + i, 160);
		say(&c, b, 160, 160);
	}
	for (unsigned i = 0; i < N; i++) {
		unsigned n = 240u / f[i].ptime_ms;
		double want = i == 5 ? 8000 * pow(10, -60 / 200.0) : 8000;
		double best = 0, amplitude = 0;

		await(&w, &r[i], 1, r[i].n >= 1400u / f[i].ptime_ms);
		assert_continuous(&r[i], &f[i]);
		/* The best quarter of a second: a loaded machine may have sent
		 * a packet too late, which is another test's matter. */
		for (unsigned from = 0; from + n <= r[i].n; from += n) {
			double got = tone_at(&r[i], &f[i], from, n, 1000);
			double rest =
				power_at(&r[i], &f[i], from, n) - got * got / 2;
			double snr = got * got / 2 / (rest > 1 ? rest : 1);

			if (snr > best) {
				best = snr;
				amplitude = got;
			}
		}
		if (fabs(amplitude - want) > want * 0.03 || best < 2000)
			fail_msg("format %u: amplitude %g, SNR %g dB", i,
				 amplitude, 10 * log10(best));
	}
	finish(&w, &c, r, N);
	free(p.v);
}

static void strangers_are_not_heard(void **state)
{
	struct format f = pcmu();
	struct receiver r;
	struct caller c;
	struct world w;
	int stranger = udp_socket();
	struct packet p = {.seq = 1, .ts = 5, .ssrc = 9};
	struct media_leg_stats st;
	unsigned n;
	uint8_t b[161], loud[160];
	(void)state;

	memset(loud, 0x80, sizeof(loud));
	start(&w, &c, &f, &r, 1, &f);
	speak(&w, &r, 1, &c, 3);
	await(&w, &r, 1, reports(&w, MEDIA_LEG_RTP, 5));
	/* A stranger, garbage, another payload type, half a sample too long a
	 * packet, a DTMF event: nothing of it sounds. */
	for (unsigned i = 0; i < 5; i++, p.seq++)
		send_from(stranger, &c, &p, loud, 160);
	sendto(c.rx.fd, "x", 1, 0, (struct sockaddr *)&c.leg,
	       sizeof(struct sockaddr_in));
	c.next.pt = 13;
	say(&c, loud, 160, 0);
	c.next.pt = 101;
	say(&c, loud, 4, 0);
	c.next.pt = 0;
	memset(b, 0x80, sizeof(b));
	send_from(c.rx.fd, &c, &c.next, b, 0);
	speak(&w, &r, 1, &c, 3);
	/* Of the last words at least one was heard, and all have come. */
	n = r.n;
	await(&w, &r, 1, r.n >= n + 4);
	await(&w, &r, 1, heard_one_of(&r, &c, 3));
	assert_int_equal(where(&r, 0, loud, 160), -1);
	media_begin(w.m);
	media_leg_close(w.m, 5);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, reports(&w, MEDIA_LEG_CLOSED, 5));
	st = report_of(&w, MEDIA_LEG_CLOSED, 5)->stats;
	assert_int_equal(st.foreign, 5);
	assert_int_equal(ntohs(st.foreign_by.sin6_port), port_of(stranger));
	assert_int_equal(st.wrong_type, 3);
	assert_int_equal(st.received, 6);
	world_end(&w);
	receiver_close(&r);
	caller_close(&c);
	close(stranger);
}

/** What was not agreed is not heard, and the report says what it was. */
static void wrong_type_is_told(void **state)
{
	struct format f = pcmu();
	struct media_leg_stats st;
	struct receiver r;
	struct caller c;
	struct world w;
	(void)state;

	start(&w, &c, &f, &r, 1, &f);
	c.next.pt = 18;
	speak(&w, &r, 1, &c, 3);
	await(&w, &r, 1, reports(&w, MEDIA_LEG_SILENT, 5));
	assert_false(report_of(&w, MEDIA_LEG_SILENT, 5)->stats.heard);
	assert_int_equal(reports(&w, MEDIA_LEG_RTP, 5), 0);
	/* It comes to reason, is silent, and is heard again. */
	c.next.pt = 0;
	speak(&w, &r, 1, &c, 3);
	await(&w, &r, 1, reports(&w, MEDIA_LEG_RTP, 5) >= 1);
	await(&w, &r, 1, reports(&w, MEDIA_LEG_SILENT, 5) >= 2);
	speak(&w, &r, 1, &c, 3);
	await(&w, &r, 1, reports(&w, MEDIA_LEG_RTP, 5) >= 2);
	finish(&w, &c, &r, 1);
	st = report_of(&w, MEDIA_LEG_CLOSED, 5)->stats;
	assert_true(st.heard);
	assert_int_equal(st.wrong_type, 3);
	assert_int_equal(st.wrong_pt, 18);
	assert_int_equal(st.unreachable, 0);
}

/** Nobody listens where the caller wants his sound. */
static void unreachable_is_told(void **state)
{
	const struct media_report *told;
	struct media_stats before, after;
	struct media_leg_stats st;
	struct format f = pcmu();
	struct receiver r;
	struct caller c;
	struct world w;
	uint64_t since;
	(void)state;

	start(&w, &c, &f, &r, 1, &f);
	close(c.rx.fd);
	c.rx.fd = -1;
	media_stats(w.m, &before);
	since = clock_mono_us();
	for (told = NULL; !told;
	     told = report_of(&w, MEDIA_LEG_UNREACHABLE, 5)) {
		const unsigned n = r.n;

		await(&w, &r, 1, r.n > n);
	}
	assert_int_equal(told->err, ECONNREFUSED);
	/* A few wake-ups for each packet: what is said is read. */
	media_stats(w.m, &after);
	assert_true(after.ticks - before.ticks <
		    (clock_mono_us() - since) / 20000 * 8 + 100);
	media_begin(w.m);
	media_leg_close(w.m, 5);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, reports(&w, MEDIA_LEG_CLOSED, 5));
	st = report_of(&w, MEDIA_LEG_CLOSED, 5)->stats;
	assert_int_equal(st.unreachable, ECONNREFUSED);
	c.rx.fd = udp_socket();
	world_end(&w);
	receiver_close(&r);
	caller_close(&c);
}

static void latches_once_behind_a_translator(void **state)
{
	struct format f = pcmu();
	struct receiver r;
	struct caller c, other;
	struct world w;
	struct media_leg l;
	struct media_set s = all(1);
	struct media_output o;
	struct packet p = {.seq = 1, .ts = 5, .ssrc = 9};
	uint8_t loud[160];
	int stranger = udp_socket();
	(void)state;

	memset(loud, 0x80, sizeof(loud));
	caller_open(&c);
	caller_open(&other);
	l = leg_of(&c, &f);
	/* What he said of himself is not where he sends from. */
	l.remote = addr_of("127.0.0.9", 9999);
	receiver_open(&r);
	o = output_to(&r, &f);
	world_begin(&w, 0, 0);
	media_begin(w.m);
	media_output_set(w.m, 0, &o);
	media_leg_open(w.m, 5, &l);
	media_live(w.m, 2, 5, 77);
	media_route(w.m, &s, 2, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	/* The wrong payload type makes nobody the caller. */
	p.pt = 8;
	send_from(stranger, &c, &p, loud, 160);
	speak(&w, &r, 1, &c, 3);
	p.pt = 0;
	for (unsigned i = 0; i < 3; i++, p.seq++)
		send_from(stranger, &c, &p, loud, 160);
	speak(&w, &r, 1, &c, 3);
	await(&w, &r, 1, heard_one_of(&r, &c, 3));
	assert_int_equal(where(&r, 0, loud, 160), -1);
	/* And he is sent to where he is. */
	await(&w, &c.rx, 1, c.rx.n >= 3);
	finish(&w, &c, &r, 1);
	caller_close(&other);
	close(other.leg_fd);
	close(stranger);
}

static void keys_are_told(void **state)
{
	struct format f = pcmu();
	struct receiver r;
	struct caller c;
	struct world w;
	char keys[4] = "";
	(void)state;

	start(&w, &c, &f, &r, 1, &f);
	speak(&w, &r, 1, &c, 3);
	for (unsigned press = 0; press < 3; press++) {
		for (unsigned i = 1; i <= 3; i++) {
			const uint8_t event[] = {(uint8_t)(press + 9), 0x0a, 0,
						 (uint8_t)(i * 40)};

			c.next.pt = 101;
			say(&c, event, sizeof(event), 0);
		}
		c.next.ts += 480;
	}
	await(&w, &r, 1, reports(&w, MEDIA_LEG_KEY, 5) == 3);
	for (unsigned i = 0, n = 0; i < w.n_reports; i++)
		if (w.report[i].type == MEDIA_LEG_KEY)
			keys[n++] = (char)w.report[i].n;
	assert_string_equal(keys, "9*#");
	finish(&w, &c, &r, 1);
}

static void caller_hears_silence_and_prompts(void **state)
{
	struct format f = pcmu(), l16;
	struct clip *c440 = sine_clip(440, 100, 20, &f, 1), *wrong;
	struct receiver r;
	struct caller c;
	struct world w;
	struct media_leg l;
	unsigned at, n;
	(void)state;

	format_default(&l16, CODEC_L16, 16000);
	wrong = sine_clip(440, 100, 0, &l16, 1);
	start(&w, &c, &f, &r, 1, &f);
	await(&w, &c.rx, 1, c.rx.n >= 3);
	media_begin(w.m);
	media_leg_prompt(w.m, 5, c440, 2);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &c.rx, 1, reports(&w, MEDIA_PROMPT_DONE, 5));
	assert_int_equal(report_of(&w, MEDIA_PROMPT_DONE, 5)->err, 0);
	n = c.rx.n;
	await(&w, &c.rx, 1, c.rx.n >= n + 4);
	assert_continuous(&c.rx, &f);
	for (at = 0; is_silent(&c.rx.v[at], &f); at++)
		;
	for (unsigned i = 0; i < 11; i++)
		assert_memory_equal(c.rx.v[at + i].p.payload,
				    payload_of(c440, 0, i % 6), 160);
	assert_true(is_silent(&c.rx.v[at + 11], &f));
	/* Without the leg's format: done at once, with the reason. */
	w.n_reports = 0;
	media_begin(w.m);
	media_leg_prompt(w.m, 5, wrong, 1);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &c.rx, 1, reports(&w, MEDIA_PROMPT_DONE, 5));
	assert_int_equal(report_of(&w, MEDIA_PROMPT_DONE, 5)->err, ENOTSUP);
	/* On hold nothing is sent, and a prompt ends all the same. */
	w.n_reports = 0;
	l = leg_of(&c, &f);
	l.send = l.recv = false;
	media_begin(w.m);
	media_leg_update(w.m, 5, &l);
	media_leg_prompt(w.m, 5, c440, 1);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &c.rx, 1, reports(&w, MEDIA_PROMPT_DONE, 5));
	n = c.rx.n;
	/* Back, in A-law. */
	w.n_reports = 0;
	l.send = l.recv = true;
	format_default(&l.fmt, CODEC_PCMA, 8000);
	media_begin(w.m);
	media_leg_update(w.m, 5, &l);
	media_leg_prompt(w.m, 5, c440, 0);
	media_leg_prompt(w.m, 5, NULL, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &c.rx, 1, c.rx.n >= n + 4);
	assert_int_equal(reports(&w, MEDIA_PROMPT_DONE, 5), 1);
	assert_int_equal(c.rx.v[n].p.pt, 8);
	assert_true(c.rx.v[n].p.marker);
	assert_int_equal(c.rx.v[n].p.ssrc, c.rx.v[0].p.ssrc);
	assert_int_equal((uint16_t)(c.rx.v[n - 1].p.seq + 1), c.rx.v[n].p.seq);
	finish(&w, &c, &r, 1);
	clip_unref(c440);
	clip_unref(wrong);
}

/** A background under a live page; the page goes, the music stays. */
static void live_over_music(void **state)
{
	struct format f = pcmu();
	struct clip *music = sine_clip(400, 2000, 0, &f, 1);
	struct pcm p = sine(1000, 600, 8000, 8000);
	struct media_set s = all(1);
	struct media_play mp = {music, 0, 0, 1};
	struct receiver r;
	struct caller c;
	struct world w;
	uint64_t at;
	(void)state;

	start(&w, &c, &f, &r, 1, &f);
	media_begin(w.m);
	media_play(w.m, 3, &mp);
	media_route(w.m, &s, 2, 3, -120);
	assert_int_equal(media_commit(w.m), 0);
	at = clock_mono_us();
	for (size_t i = 0; i + 160 <= p.n; i += 160, at += 20000) {
		uint8_t b[160];

		await(&w, &r, 1, clock_mono_us() >= at);
		codec_encode(CODEC_PCMU, b, p.v + i, 160);
		say(&c, b, 160, 160);
	}
	assert_continuous(&r, &f);
	/* Ten packets in a row with both, as loud as they should be. */
	for (at = 0; at + 10 <= r.n; at++)
		if (fabs(tone_at(&r, &f, (unsigned)at, 10, 1000) - 8000) <
			    400 &&
		    fabs(tone_at(&r, &f, (unsigned)at, 10, 400) -
			 8000 * pow(10, -120 / 200.0)) < 200)
			break;
	assert_true(at + 10 <= r.n);
	finish(&w, &c, &r, 1);
	clip_unref(music);
	free(p.v);
}

/** A call as background of an announcement: heard, but ducked, whatever the
 *  two packet times are. */
static void live_behind_a_message(void **state)
{
	struct format leg = pcmu(), f = pcmu();
	struct pcm p = sine(1000, 600, 8000, 8000),
		   none = sine(0, 500, 0, 8000);
	struct media_set s = all(1);
	struct media_play mp = {NULL, 0, 0, 1};
	struct clip *c = NULL;
	struct receiver r;
	struct caller who;
	struct world w;
	double want = 8000 * pow(10, -60 / 200.0);
	uint64_t at;
	(void)state;

	f.ptime_ms = 30;
	assert_int_equal(clip_alloc(&c, &none, 0, &f, 1), 0);
	mp.clip = c;
	start(&w, &who, &leg, &r, 1, &f);
	media_begin(w.m);
	media_play(w.m, 3, &mp);
	media_route(w.m, &s, 3, 2, -60);
	assert_int_equal(media_commit(w.m), 0);
	at = clock_mono_us();
	for (size_t i = 0; i + 160 <= p.n; i += 160, at += 20000) {
		uint8_t b[160];

		await(&w, &r, 1, clock_mono_us() >= at);
		codec_encode(CODEC_PCMU, b, p.v + i, 160);
		say(&who, b, 160, 160);
	}
	assert_continuous(&r, &f);
	for (at = 0; at + 6 <= r.n; at++)
		if (fabs(tone_at(&r, &f, (unsigned)at, 6, 1000) - want) <
		    want * 0.03)
			break;
	assert_true(at + 6 <= r.n);
	finish(&w, &who, &r, 1);
	clip_unref(c);
	free(none.v);
	free(p.v);
}

/** What is sent back to a caller comes to leave with his sound: one wake-up by
 *  the clock serves both, once they have met, as long as he keeps his pace. */
static void shares_wake_ups(void **state)
{
	struct format f = pcmu();
	uint64_t n = UINT64_MAX;
	struct receiver r;
	struct caller c;
	struct world w;
	(void)state;

	start(&w, &c, &f, &r, 1, &f);
	for (unsigned k = 0; k < 20 && n > 20 + 20 / 3; k++) {
		struct media_stats before, after;

		speak(&w, &r, 1, &c, 20);
		media_stats(w.m, &before);
		speak(&w, &r, 1, &c, 20);
		media_stats(w.m, &after);
		n = after.ticks - before.ticks;
	}
	assert_in_range(n, 10, 20 + 20 / 3);
	finish(&w, &c, &r, 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_bit_exact),
		cmocka_unit_test(is_converted),
		cmocka_unit_test(strangers_are_not_heard),
		cmocka_unit_test(wrong_type_is_told),
		cmocka_unit_test(unreachable_is_told),
		cmocka_unit_test(latches_once_behind_a_translator),
		cmocka_unit_test(keys_are_told),
		cmocka_unit_test(caller_hears_silence_and_prompts),
		cmocka_unit_test(live_over_music),
		cmocka_unit_test(live_behind_a_message),
		cmocka_unit_test(shares_wake_ups),
	};

	(void)argc;
	return media_run_tests(tests, argv);
}
