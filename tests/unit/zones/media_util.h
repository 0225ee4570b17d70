/**
 * What the engine's tests share: an engine on loopback, receivers that record
 * every packet of an output, a caller that sends RTP, and waiting for a
 * condition. Nothing leaves lo: groups are sent and joined on it by index.
 */
#ifndef TOCSIN_MEDIA_UTIL_H
#define TOCSIN_MEDIA_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/clock.h"
#include "tests/unit/zones/socket_util.h"
#include "zones/engine/packet.h"
#include "zones/media.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_HEARD 4000
#define MAX_REPORTS 4000
/** Longest a condition is waited for. */
#define PATIENCE_US 20000000

struct heard {
	struct packet p;
	uint8_t bytes[1500];
	uint64_t at_us;
};

struct receiver {
	int fd;
	struct sockaddr_storage addr;
	struct heard *v;
	unsigned n;
};

struct world {
	struct media *m;
	struct media_report report[MAX_REPORTS];
	unsigned n_reports;
};

/** Of the engine that runs, for what a test leaves behind when it fails. */
static struct media *media_now;
/** How late any engine of this program was let run, in microseconds. */
static uint32_t media_late_us;

static inline void media_note_late(void)
{
	struct media_stats st;

	if (!media_now)
		return;
	media_stats(media_now, &st);
	if (st.max_late_us > media_late_us)
		media_late_us = st.max_late_us;
}

static inline void on_report(const struct media_report *r, void *arg)
{
	struct world *w = arg;

	if (r->type != MEDIA_LATE && w->n_reports < MAX_REPORTS)
		w->report[w->n_reports++] = *r;
}

static inline void world_begin(struct world *w, uint32_t tail_ms,
			       uint32_t silence_ms)
{
	/* The machine may stop for a moment: no packet is left out for it. */
	struct media_options opt = {
		.tail_ms = tail_ms,
		.leg_silence_ms = silence_ms,
		.skip_ms = 10000,
	};

	memset(w, 0, sizeof(*w));
	assert_int_equal(media_alloc(&w->m, &opt, on_report, w), 0);
	media_now = w->m;
}

/** Notes how late the test itself is, who was to say something at that time. */
static inline void media_note_own(uint64_t at_us)
{
	const uint64_t now = clock_mono_us();

	if (now > at_us && now - at_us > media_late_us)
		media_late_us = (uint32_t)(now - at_us);
}

static inline void world_end(struct world *w)
{
	media_note_late();
	media_now = NULL;
	w->m = media_free(w->m);
}

/** Lateness that can move a packet to the other side of a command. */
#define LATE_US 5000
#define LATE_TRIES 4

/**
 * Runs the tests. They ask what left in which packet, so a machine that kept
 * the engine from running for a while makes them fail: then, and only then,
 * the program begins again, and says so.
 */
#define media_run_tests(tests, argv)                                           \
	media_done(cmocka_run_group_tests(tests, NULL, NULL), argv)

static inline int media_done(int failed, char **argv)
{
	const char *text = getenv("MEDIA_TESTS_TRY");
	int tries = text ? atoi(text) : 1;
	char next[16];

	media_note_late();
	if (!failed || media_late_us < LATE_US || tries >= LATE_TRIES)
		return failed;
	fprintf(stderr,
		"the engine or the test was let run %u us late: once "
		"more\n",
		media_late_us);
	snprintf(next, sizeof(next), "%d", tries + 1);
	setenv("MEDIA_TESTS_TRY", next, 1);
	execv("/proc/self/exe", argv);
	return failed;
}

/** A unicast listener on a port of its own. */
static inline void receiver_open(struct receiver *r)
{
	r->fd = udp_socket();
	r->addr = addr_of("127.0.0.1", port_of(r->fd));
	r->v = calloc(MAX_HEARD, sizeof(*r->v));
	r->n = 0;
}

/** A listener of a multicast group on lo, at a port the kernel chose. */
static inline void receiver_join(struct receiver *r, const char *group)
{
	struct ip_mreqn mr = {.imr_ifindex = (int)if_nametoindex("lo")};
	struct sockaddr_storage a = addr_of(group, 0);

	r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(r->fd >= 0);
	assert_int_equal(
		bind(r->fd, (struct sockaddr *)&a, sizeof(struct sockaddr_in)),
		0);
	inet_pton(AF_INET, group, &mr.imr_multiaddr);
	assert_int_equal(setsockopt(r->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mr,
				    sizeof(mr)),
			 0);
	r->addr = addr_of(group, port_of(r->fd));
	r->v = calloc(MAX_HEARD, sizeof(*r->v));
	r->n = 0;
}

static inline void receiver_close(struct receiver *r)
{
	close(r->fd);
	free(r->v);
}

/** Takes what has come; asserts that it is RTP. */
static inline void receiver_drain(struct receiver *r)
{
	while (r->n < MAX_HEARD) {
		struct heard *h = &r->v[r->n];
		ssize_t len =
			recv(r->fd, h->bytes, sizeof(h->bytes), MSG_DONTWAIT);

		if (len < 0)
			return;
		h->at_us = clock_mono_us();
		assert_int_equal(packet_decode(&h->p, h->bytes, (size_t)len),
				 0);
		r->n++;
	}
}

static inline struct media_output output_to(const struct receiver *r,
					    const struct format *f)
{
	return (struct media_output){
		.dst = r->addr,
		.ifindex = if_nametoindex("lo"),
		.ttl = 1,
		.dscp = 46,
		.loop = true,
		.fmt = *f,
	};
}

/** Reads reports and receivers until the condition holds or patience ends. */
#define await(w, rv, nrv, cond)                                                \
	do {                                                                   \
		uint64_t until_ = clock_mono_us() + PATIENCE_US;               \
		for (;;) {                                                     \
			media_poll((w)->m);                                    \
			for (unsigned k_ = 0; k_ < (nrv); k_++)                \
				receiver_drain(&(rv)[k_]);                     \
			if (cond)                                              \
				break;                                         \
			if (clock_mono_us() > until_)                          \
				fail_msg("waited in vain for: %s", #cond);     \
			struct pollfd p_ = {media_report_fd((w)->m), POLLIN,   \
					    0};                                \
			poll(&p_, 1, 2);                                       \
		}                                                              \
	} while (0)

/** How many reports of a type about an index (and tag, unless 0) came. */
static inline unsigned reports(const struct world *w,
			       enum media_report_type type, unsigned index)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->n_reports; i++)
		n += w->report[i].type == type && w->report[i].index == index;
	return n;
}

static inline const struct media_report *
report_of(const struct world *w, enum media_report_type type, unsigned index)
{
	for (unsigned i = 0; i < w->n_reports; i++)
		if (w->report[i].type == type && w->report[i].index == index)
			return &w->report[i];
	return NULL;
}

/** A tone, ms long; its phase tells its frames apart. */
static inline struct pcm sine(double hz, unsigned ms, double amplitude,
			      uint32_t rate)
{
	struct pcm p = {.n = (size_t)rate * ms / 1000, .rate = rate};

	p.v = calloc(p.n, sizeof(*p.v));
	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)lrint(amplitude *
					sin(2 * M_PI * hz * (double)i / rate));
	return p;
}

static inline struct clip *sine_clip(double hz, unsigned ms, unsigned gap_ms,
				     const struct format *f, size_t n)
{
	struct pcm p = sine(hz, ms, 8000, 8000);
	struct clip *c = NULL;

	assert_int_equal(clip_alloc(&c, &p, gap_ms, f, n), 0);
	free(p.v);
	return c;
}

static inline const uint8_t *payload_of(const struct clip *c, int idx,
					uint32_t i)
{
	size_t bytes;

	return clip_payload(c, idx, false, i, &bytes);
}

static inline bool is_silent(const struct heard *h, const struct format *f)
{
	int16_t s[2880];
	size_t n = format_samples(f);

	codec_decode(f->codec, s, h->p.payload, n);
	for (size_t i = 0; i < n; i++)
		if (s[i] > 16 || s[i] < -16)
			return false;
	return true;
}

/** Same SSRC, sequence +1, timestamps never back and exactly one frame on
 *  where there is no marker. */
static inline void assert_continuous(const struct receiver *r,
				     const struct format *f)
{
	uint32_t n = format_ticks(f);

	for (unsigned i = 0; i < r->n; i++) {
		const struct packet *p = &r->v[i].p;

		assert_int_equal(p->pt, f->pt);
		assert_int_equal(p->len, format_bytes(f));
		if (!i) {
			assert_true(p->marker);
			continue;
		}
		assert_int_equal(p->ssrc, r->v[0].p.ssrc);
		assert_int_equal((uint16_t)(r->v[i - 1].p.seq + 1), p->seq);
		if (p->marker)
			assert_true((int32_t)(p->ts - r->v[i - 1].p.ts) >=
				    (int32_t)n);
		else
			assert_int_equal(p->ts - r->v[i - 1].p.ts, n);
	}
}

#endif
