/* What is seen on the wire, what is kept of it, and what is made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zones/sound/coder.h"
#include "zones/watch/filter.h"
#include "zones/watch/heard.h"
#include "zones/watch/meter.h"
#include "zones/watch/querier.h"
#include "zones/watch/tap.h"

#include <errno.h>
#include <math.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define S UINT64_C(1000000)

/* ----------------------------------------------------------------- frames */

static const uint8_t igmp2[] = {
	0x46, 0xc0, 0, 0x20, 0,    1, 0, 0, 1,    2,   0,    0,    10, 9, 0, 1,
	0xe0, 0,    0, 1,    0x94, 4, 0, 0, 0x11, 100, 0xee, 0x9b, 0,  0, 0, 0};
static const uint8_t igmp3_group[] = {
	0x46, 0xc0, 0,    0x24, 0,    1,    0,    0, 1,    2,    0, 0,
	10,   9,    0,    1,    0xef, 0xff, 0x54, 1, 0x94, 4,    0, 0,
	0x11, 10,   0xa7, 0xf5, 0xef, 0xff, 0x54, 1, 2,    0xff, 0, 0};
static const uint8_t mld2[] = {
	0x60, 0, 0,    0,    0,    0x24, 0, 1, 0xfe, 0x80, 0, 0, 0, 0, 0, 0,
	0,    0, 0,    0,    0,    0,    0, 1, 0xff, 2,    0, 0, 0, 0, 0, 0,
	0,    0, 0,    0,    0,    0,    0, 1, 0x3a, 0,    5, 2, 0, 0, 1, 0,
	0x82, 0, 0x56, 0x96, 0x27, 0x10, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0,
	0,    0, 0,    0,    0,    0,    0, 0, 2,    0x7d, 0, 0};
static const uint8_t udp[] = {
	0x45, 0, 0,    40,   0, 0, 0,    0,    1,    17,   0,  0,  10, 9,
	0,    1, 0xef, 0xc0, 7, 1, 0x13, 0x88, 0x13, 0x8c, 0,  20, 0,  0,
	1,    2, 3,    4,    5, 6, 7,    8,    9,    10,   11, 12};

static void igmp_queries(void **state)
{
	struct frame f;
	uint8_t bad[sizeof(igmp2)];
	(void)state;

	assert_int_equal(frame_decode(&f, igmp2, sizeof(igmp2)), 0);
	assert_int_equal(f.kind, FRAME_QUERY);
	assert_int_equal(f.version, 2);
	assert_true(f.general);
	assert_int_equal(f.response_ms, 10000);
	assert_int_equal(f.interval_ms, 0);
	assert_memory_equal(f.src, "\x0a\x09\x00\x01", 4);
	assert_int_equal(frame_decode(&f, igmp3_group, sizeof(igmp3_group)), 0);
	assert_int_equal(f.version, 3);
	assert_false(f.general);
	assert_int_equal(f.response_ms, 1000);
	/* QQIC 0xff: 31 << 10 seconds, RFC 3376 4.1.7. */
	assert_int_equal(f.interval_ms, 31744000);
	/* One bit less, a byte less, another type. */
	for (size_t at = 24; at < sizeof(igmp2); at++) {
		memcpy(bad, igmp2, sizeof(bad));
		bad[at] ^= 4;
		assert_int_equal(frame_decode(&f, bad, sizeof(bad)), EBADMSG);
	}
	for (size_t n = 0; n < sizeof(igmp2); n++)
		assert_int_equal(frame_decode(&f, igmp2, n), EBADMSG);
}

static void mld_queries(void **state)
{
	struct frame f;
	(void)state;

	assert_int_equal(frame_decode(&f, mld2, sizeof(mld2)), 0);
	assert_int_equal(f.family, AF_INET6);
	assert_int_equal(f.version, 2);
	assert_true(f.general);
	assert_int_equal(f.interval_ms, 125000);
	assert_int_equal(f.response_ms, 10000);
	for (size_t n = 0; n < sizeof(mld2); n++)
		assert_int_equal(frame_decode(&f, mld2, n), EBADMSG);
}

static void datagrams(void **state)
{
	uint8_t fragment[sizeof(udp)];
	struct frame f;
	(void)state;

	assert_int_equal(frame_decode(&f, udp, sizeof(udp)), 0);
	assert_int_equal(f.kind, FRAME_UDP);
	assert_int_equal(f.sport, 5000);
	assert_int_equal(f.dport, 5004);
	assert_int_equal(f.len, 12);
	assert_ptr_equal(f.data, udp + 28);
	/* A capture keeps the beginning. */
	assert_int_equal(frame_decode(&f, udp, 30), 0);
	assert_int_equal(f.len, 2);
	assert_int_equal(frame_decode(&f, udp, 27), EBADMSG);
	memcpy(fragment, udp, sizeof(udp));
	fragment[6] = 0x20;
	assert_int_equal(frame_decode(&f, fragment, sizeof(udp)), EBADMSG);
}

/* ----------------------------------------------------------------- filter */

static void ranges(void **state)
{
	struct filter_want w = {0};
	uint32_t near[] = {7, 5, 6, 100, 101}, far[400];
	(void)state;

	filter_ranges(&w, near, 0);
	assert_int_equal(w.n, 0);
	filter_ranges(&w, near, 5);
	assert_int_equal(w.n, 2);
	assert_int_equal(w.range[0].lo, 5);
	assert_int_equal(w.range[0].hi, 7);
	assert_int_equal(w.range[1].lo, 100);
	assert_int_equal(w.range[1].hi, 101);
	for (uint32_t i = 0; i < 400; i++)
		far[i] = 0xef000000u + i * i * 7;
	filter_ranges(&w, far, 400);
	assert_true(w.n > 0 && w.n <= FILTER_RANGES);
	for (uint32_t i = 0; i < 400; i++) {
		bool in = false;

		for (unsigned k = 0; k < w.n; k++)
			in = in || (far[i] >= w.range[k].lo &&
				    far[i] <= w.range[k].hi);
		assert_true(in);
	}
}

/** The kernel takes it: every jump and load is within bounds. */
static void programs(void **state)
{
	struct sock_filter code[FILTER_MAX];
	uint32_t addr[FILTER_RANGES];
	(void)state;

	for (unsigned i = 0; i < FILTER_RANGES; i++)
		addr[i] = 0xef000000u + i * 1000;
	for (unsigned bits = 0; bits < 8; bits++) {
		struct filter_want w = {
			.outgoing = bits & 1,
			.v6 = bits & 2,
			.queries = bits & 4,
		};
		struct sock_fprog p = {.filter = code};
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		assert_true(fd >= 0);
		filter_ranges(&w, addr, FILTER_RANGES);
		assert_int_equal(w.n, FILTER_RANGES);
		p.len = (unsigned short)filter_build(code, &w);
		assert_true(p.len <= FILTER_MAX);
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER,
					    &p, sizeof(p)),
				 0);
		close(fd);
	}
}

/* -------------------------------------------------------------------- tap */

static void on_seen(const struct frame *f, bool own, void *arg)
{
	assert_true(own);
	assert_int_equal(f->dport, 5004);
	++*(unsigned *)arg;
}

/** Sends n datagrams to a group by lo; how many of them the tap saw. */
static unsigned sent_and_seen(int tap, unsigned n)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(5004),
		.sin_addr.s_addr = htonl(0xefc00701),
	};
	const struct ip_mreqn by = {.imr_ifindex = (int)if_nametoindex("lo")};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned seen = 0;

	assert_true(fd >= 0);
	assert_int_equal(
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof(by)),
		0);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(sendto(fd, "x", 1, 0,
					(const struct sockaddr *)&to,
					sizeof(to)),
				 1);
	close(fd);
	assert_true(tap_read(tap, 100, on_seen, &seen, NULL) >= 0);
	return seen;
}

static void tap_sees_while_it_looks(void **state)
{
	struct filter_want w = {.outgoing = true};
	uint32_t group = 0xefc00701;
	int tap;
	(void)state;

	filter_ranges(&w, &group, 1);
	tap = tap_open(TAP_SENT, if_nametoindex("lo"), &w);
	if (tap < 0 && (errno == EPERM || errno == EACCES))
		skip();
	assert_true(tap >= 0);
	assert_int_equal(sent_and_seen(tap, 3), 0);
	tap_look(tap, true);
	assert_int_equal(sent_and_seen(tap, 5), 5);
	/* Another filter, as a reload gives it, opens and shuts nothing. */
	assert_int_equal(tap_filter(tap, &w), 0);
	assert_int_equal(sent_and_seen(tap, 2), 2);
	tap_look(tap, false);
	assert_int_equal(sent_and_seen(tap, 3), 0);
	close(tap);
}

/* ---------------------------------------------------------------- querier */

static const struct frame general = {.kind = FRAME_QUERY,
				     .family = AF_INET,
				     .version = 2,
				     .general = true,
				     .response_ms = 10000};
static const struct frame specific = {.kind = FRAME_QUERY,
				      .family = AF_INET,
				      .version = 2,
				      .response_ms = 1000};

/** Looks once a second for so long; how often it asked, what it said last. */
static enum querier_verdict run(struct querier *q, enum querier_mode mode,
				uint64_t from, uint64_t to, unsigned *asked)
{
	enum querier_verdict v = QUERIER_UNSURE;
	bool ask;

	*asked = 0;
	for (uint64_t t = from; t <= to; t++) {
		v = querier_judge(q, mode, 90000, t * S, &ask);
		*asked += ask;
	}
	return v;
}

static void querier_missing_within_100s(void **state)
{
	struct querier q;
	unsigned n;
	(void)state;

	querier_begin(&q, S);
	assert_int_equal(run(&q, QUERIER_ASK, 1, 54, &n), QUERIER_UNSURE);
	assert_int_equal(n, 0);
	assert_int_equal(run(&q, QUERIER_ASK, 55, 90, &n), QUERIER_UNSURE);
	assert_true(n >= 3);
	assert_int_equal(run(&q, QUERIER_ASK, 91, 92, &n), QUERIER_MISSING);
	/* It comes at last. */
	querier_heard(&q, &general, 200 * S);
	assert_int_equal(run(&q, QUERIER_ASK, 200, 254, &n), QUERIER_PRESENT);
	assert_int_equal(n, 1);
	assert_int_equal(run(&q, QUERIER_ASK, 255, 290, &n), QUERIER_MISSING);
}

static void querier_standard_interval_is_no_fault(void **state)
{
	struct querier q;
	unsigned n;
	(void)state;

	querier_begin(&q, S);
	for (uint64_t t = 1; t < 2000; t++) {
		bool ask;

		if (t % 125 == 0)
			querier_heard(&q, &general, t * S);
		assert_int_not_equal(
			querier_judge(&q, QUERIER_ASK, 90000, t * S, &ask),
			QUERIER_MISSING);
		if (ask)
			querier_heard(&q, &specific, t * S + 1000);
	}
	/* Listening only: after two intervals and the response time. */
	querier_begin(&q, S);
	querier_heard(&q, &general, S);
	assert_int_equal(run(&q, QUERIER_LISTEN, 1, 261, &n), QUERIER_PRESENT);
	assert_int_equal(n, 0);
	assert_int_equal(run(&q, QUERIER_LISTEN, 262, 263, &n),
			 QUERIER_MISSING);
}

static void querier_that_only_answers(void **state)
{
	struct querier q;
	enum querier_verdict v = QUERIER_UNSURE;
	(void)state;

	querier_begin(&q, S);
	for (uint64_t t = 1; t < 300; t++) {
		bool ask;

		v = querier_judge(&q, QUERIER_ASK, 90000, t * S, &ask);
		if (ask)
			querier_heard(&q, &specific, t * S + 1000);
		if (t == 200)
			assert_int_equal(v, QUERIER_PRESENT);
	}
	assert_int_equal(v, QUERIER_HALF);
}

static void querier_tells_its_interval(void **state)
{
	struct frame f = general;
	struct querier q;
	(void)state;

	querier_begin(&q, S);
	f.version = 3;
	f.interval_ms = 30000;
	querier_heard(&q, &f, 2 * S);
	assert_int_equal(querier_limit_ms(&q), 70000);
	/* The first ones of version 2 come early: not its interval. */
	querier_begin(&q, S);
	querier_heard(&q, &general, 2 * S);
	querier_heard(&q, &general, 33 * S);
	assert_int_equal(querier_limit_ms(&q), 260000);
	querier_heard(&q, &general, 233 * S);
	assert_int_equal(querier_limit_ms(&q), 410000);
}

/* ------------------------------------------------------------------ heard */

static enum heard_verdict look(struct heard *h, bool on, uint64_t sent,
			       uint8_t level, uint64_t ms)
{
	const struct heard_look l = {on, sent, level};

	return heard_judge(h, &l, 8, 3 * S, ms * 1000);
}

static void heard_and_lost(void **state)
{
	struct heard h = {.level = HEARD_NO_LEVEL};
	uint64_t t = 1000, sent = 0;
	(void)state;

	assert_int_equal(look(&h, false, 0, 127, t), HEARD_QUIET);
	assert_int_equal(look(&h, true, sent, 20, t), HEARD_WAIT);
	for (; t < 3900; t += 200)
		assert_int_equal(look(&h, true, sent += 10, 20, t), HEARD_WAIT);
	assert_int_equal(look(&h, true, sent += 10, 20, 4001), HEARD_LOST);
	heard_sample(&h, 20, 4100 * 1000);
	assert_int_equal(look(&h, true, sent += 10, 20, 4200), HEARD_OK);
	assert_int_equal(look(&h, true, sent += 10, 20, 7000), HEARD_OK);
	assert_int_equal(look(&h, true, sent += 30, 20, 7300), HEARD_LOST);
	/* Samples were dropped on their way to us: not its fault. */
	heard_blind(&h);
	assert_int_equal(look(&h, true, sent += 10, 20, 7400), HEARD_WAIT);
	assert_int_equal(look(&h, false, sent, 127, 9000), HEARD_QUIET);
}

/** The machine stood still: the time is over, but nothing was sent. */
static void heard_counts_packets(void **state)
{
	struct heard h = {0};
	(void)state;

	assert_int_equal(look(&h, true, 0, 20, 1000), HEARD_WAIT);
	assert_int_equal(look(&h, true, 5, 20, 60000), HEARD_WAIT);
	assert_int_equal(look(&h, true, 5, 20, 61000), HEARD_WAIT);
	assert_int_equal(look(&h, true, 5, 20, 63100), HEARD_UNSENT);
}

static void heard_silence(void **state)
{
	struct heard h = {0};
	enum heard_verdict v = HEARD_QUIET;
	uint64_t t, sent = 0;
	(void)state;

	for (t = 1000; t < 20000; t += 200) {
		heard_sample(&h, 127, t * 1000);
		v = look(&h, true, sent += 10, 20, t + 1);
	}
	assert_int_equal(v, HEARD_SILENT);
	heard_sample(&h, 25, t * 1000);
	assert_int_equal(look(&h, true, sent += 10, 20, t + 1), HEARD_OK);
	/* A pause, which the engine knows of. */
	for (; t < 60000; t += 200) {
		heard_sample(&h, 127, t * 1000);
		v = look(&h, true, sent += 10, 127, t + 1);
	}
	assert_int_equal(v, HEARD_OK);
}

/** A key that does not open it is told after a while, a right one clears. */
static void heard_locked_away(void **state)
{
	struct heard h = {0};
	enum heard_verdict v = HEARD_QUIET;
	uint64_t t, sent = 0;
	(void)state;

	for (t = 1000; t < 2900; t += 200) {
		heard_locked(&h, t * 1000);
		v = look(&h, true, sent += 10, 20, t + 1);
		assert_int_not_equal(v, HEARD_LOCKED);
	}
	for (; t < 4000; t += 200) {
		heard_locked(&h, t * 1000);
		v = look(&h, true, sent += 10, 20, t + 1);
	}
	assert_int_equal(v, HEARD_LOCKED);
	heard_sample(&h, HEARD_NO_LEVEL, t * 1000);
	assert_int_equal(look(&h, true, sent += 10, 20, t + 1), HEARD_OK);
}

/** What was not decoded between them says nothing for or against silence. */
static void heard_silence_seldom_looked_at(void **state)
{
	struct heard h = {0};
	enum heard_verdict v = HEARD_QUIET;
	uint64_t sent = 0;
	(void)state;

	for (uint64_t t = 1000; t < 40000; t += 200) {
		heard_sample(&h, t % 2000 ? HEARD_NO_LEVEL : 127, t * 1000);
		v = look(&h, true, sent += 10, 20, t + 1);
	}
	assert_int_equal(v, HEARD_SILENT);
	assert_int_equal(h.level, 127);
}

/** Levels of packets out of the middle of a stream. */
static void levels(void **state)
{
	struct meter *m = NULL;
	(void)state;

	assert_int_equal(meter_alloc(&m), 0);
	for (enum codec c = CODEC_PCMU; c < CODEC_COUNT; c++) {
		/* Half of full scale, a sine: -9 dB; G.722 is a guess. */
		const int most = c == CODEC_G722   ? 30
				 : c == CODEC_OPUS ? 18
						   : 10;
		struct encoder *e = NULL;
		struct format f;
		uint8_t b[CODEC_OPUS_BYTES];
		int16_t pcm[960];
		uint32_t n;
		size_t len;

		format_default(&f, c, 16000);
		n = format_samples(&f);
		assert_int_equal(encoder_alloc(&e, c), 0);
		encoder_reset(e, &f, EFFORT_LOAD);
		for (uint32_t k = 0; k < 100; k++) {
			const bool loud = k < 50;

			for (uint32_t i = 0; i < n; i++)
				pcm[i] = loud ? (int16_t)(16384 *
							  sin((k * n + i) * 2 *
							      M_PI * 700 /
							      f.rate))
					      : 0;
			len = encoder_run(e, b, pcm);
			if (k % 50 < 20)
				continue;
			if (loud)
				assert_in_range(meter_level(m, c, b, len), 5,
						most);
			else
				assert_int_equal(meter_level(m, c, b, len),
						 127);
		}
		assert_int_equal(meter_level(m, c, b, coder_silence(&f, b)),
				 127);
		assert_int_equal(meter_level(m, c, b, 0), HEARD_NO_LEVEL);
		encoder_free(e);
	}
	meter_free(m);
}

static void talkers(void **state)
{
	struct frame f = {
		.kind = FRAME_UDP, .family = AF_INET, .src = {1}, .sport = 5};
	struct frame other = f;
	struct talker t = {0};
	(void)state;

	other.src[0] = 2;
	talker_heard(&t, &f, 9, S);
	assert_false(talker_present(&t, S));
	talker_heard(&t, &f, 9, S);
	talker_heard(&t, &f, 9, S);
	assert_true(talker_present(&t, S));
	/* Two at once: the first keeps his place. */
	talker_heard(&t, &other, 8, S + 1000);
	assert_int_equal(t.addr[0], 1);
	assert_true(talker_present(&t, 10 * S));
	assert_false(talker_present(&t, 11 * S));
	assert_int_equal(t.family, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(igmp_queries),
		cmocka_unit_test(mld_queries),
		cmocka_unit_test(datagrams),
		cmocka_unit_test(ranges),
		cmocka_unit_test(programs),
		cmocka_unit_test(tap_sees_while_it_looks),
		cmocka_unit_test(querier_missing_within_100s),
		cmocka_unit_test(querier_standard_interval_is_no_fault),
		cmocka_unit_test(querier_that_only_answers),
		cmocka_unit_test(querier_tells_its_interval),
		cmocka_unit_test(heard_and_lost),
		cmocka_unit_test(heard_counts_packets),
		cmocka_unit_test(heard_silence),
		cmocka_unit_test(heard_locked_away),
		cmocka_unit_test(heard_silence_seldom_looked_at),
		cmocka_unit_test(levels),
		cmocka_unit_test(talkers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
