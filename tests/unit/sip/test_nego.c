/* Offers and answers. */
#include "controller/sip/nego.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TOP "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\n"
#define C9 "c=IN IP4 10.0.0.9\r\n"
#define T0 "t=0 0\r\n"
#define BOTH "m=audio 4000 RTP/AVP 0 8\r\n"

struct bench {
	struct nego *n;
	struct nego_result r;
	struct reason why;
	char answer[2048];
};

static int fresh(struct bench *b)
{
	struct sa laddr;

	b->n = mem_deref(b->n);
	return sa_set_str(&laddr, "10.0.0.2", 16384) ||
	       nego_alloc(&b->n, &laddr);
}

static int setup(void **state)
{
	static struct bench b;

	*state = &b;
	return fresh(&b);
}

static int teardown(void **state)
{
	struct bench *b = *state;

	b->n = mem_deref(b->n);
	return 0;
}

static struct mbuf *body(const char *text)
{
	struct mbuf *mb = mbuf_alloc(strlen(text) + 1);

	assert_non_null(mb);
	assert_int_equal(mbuf_write_str(mb, text), 0);
	mb->pos = 0;
	return mb;
}

static void keep(struct bench *b, struct mbuf *mb)
{
	snprintf(b->answer, sizeof(b->answer), "%.*s", (int)mbuf_get_left(mb),
		 (const char *)mbuf_buf(mb));
	mem_deref(mb);
}

static int offer(struct bench *b, const char *text)
{
	struct mbuf *in = body(text), *out = NULL;
	int err = nego_answer(b->n, in, &out, &b->r, &b->why);

	assert_int_equal(in->pos, 0); /* libre looks whether there was a body */
	if (!err)
		keep(b, out);
	mem_deref(in);
	return err;
}

static bool says(const struct bench *b, const char *line)
{
	return strstr(b->answer, line);
}

static void test_codecs(void **state)
{
	struct bench *b = *state;
	char host[64];

	assert_int_equal(offer(b, TOP C9 T0 BOTH), 0);
	assert_int_equal(b->r.fmt.codec, CODEC_PCMU);
	assert_int_equal(b->r.fmt.pt, 0);
	assert_int_equal(b->r.fmt.rate, 8000);
	assert_int_equal(b->r.fmt.ptime_ms, 20);
	assert_int_equal(b->r.event_pt, 0);
	assert_int_equal(sa_ntop(&b->r.remote, host, sizeof(host)), 0);
	assert_string_equal(host, "10.0.0.9");
	assert_int_equal(sa_port(&b->r.remote), 4000);
	/* exactly one codec is answered */
	assert_true(says(b, "m=audio 16384 RTP/AVP 0\r\n"));
	assert_true(says(b, "c=IN IP4 10.0.0.2\r\n"));
	assert_true(says(b, "a=rtpmap:0 PCMU/8000\r\n"));
	assert_true(says(b, "a=ptime:20\r\n"));

	/* their order counts, theirs are their numbers */
	assert_int_equal(offer(b,
			       TOP C9 T0 "m=audio 4000 RTP/AVP 18 96 8 0 97\r\n"
					 "a=rtpmap:96 AMR/8000\r\n"
					 "a=rtpmap:97 telephone-event/8000\r\n"
					 "a=fmtp:97 0-16\r\n"),
			 0);
	assert_int_equal(b->r.fmt.codec, CODEC_PCMA);
	assert_int_equal(b->r.fmt.pt, 8);
	assert_int_equal(b->r.event_pt, 97);
	assert_true(says(b, "m=audio 16384 RTP/AVP 8 97\r\n"));
	assert_true(says(b, "a=fmtp:97 0-15\r\n"));

	/* and what one answer left out is back for the next offer */
	assert_int_equal(offer(b, TOP C9 T0 "m=audio 4000 RTP/AVP 0\r\n"), 0);
	assert_int_equal(b->r.fmt.codec, CODEC_PCMU);
}

static void test_wide_band(void **state)
{
	struct bench *b = *state;

	/* Their number, their limit, our wish. */
	assert_int_equal(
		offer(b, TOP C9 T0
		      "m=audio 4000 RTP/AVP 96 9 0\r\n"
		      "a=rtpmap:96 opus/48000/2\r\n"
		      "a=fmtp:96 useinbandfec=1; maxaveragebitrate=20000\r\n"
		      "a=ptime:40\r\n"),
		0);
	assert_int_equal(b->r.fmt.codec, CODEC_OPUS);
	assert_int_equal(b->r.fmt.pt, 96);
	assert_int_equal(b->r.fmt.rate, 48000);
	assert_int_equal(b->r.fmt.ptime_ms, 40);
	assert_int_equal(b->r.fmt.bitrate, 20000);
	assert_true(says(b, "m=audio 16384 RTP/AVP 96\r\n"));
	assert_true(says(b, "a=rtpmap:96 opus/48000/2\r\n"));
	assert_true(says(b, "useinbandfec=1"));
	/* No Opus packet lasts 30 ms. */
	assert_int_equal(offer(b, TOP C9 T0 "m=audio 4000 RTP/AVP 107\r\n"
					    "a=rtpmap:107 OPUS/48000/2\r\n"
					    "a=fmtp:107 maxaveragebitrate=1\r\n"
					    "a=ptime:30\r\n"),
			 0);
	assert_int_equal(b->r.fmt.pt, 107);
	assert_int_equal(b->r.fmt.ptime_ms, 20);
	assert_int_equal(b->r.fmt.bitrate, CODEC_OPUS_MIN_BITRATE);
	assert_true(format_valid(&b->r.fmt));
	/* RFC 7587 6.1: two channels, or it is something else. */
	assert_int_equal(offer(b, TOP C9 T0 "m=audio 4000 RTP/AVP 96\r\n"
					    "a=rtpmap:96 opus/48000\r\n"),
			 EPROTO);
	assert_int_equal(offer(b, TOP C9 T0 "m=audio 4000 RTP/AVP 9 0\r\n"), 0);
	assert_int_equal(b->r.fmt.codec, CODEC_G722);
	assert_int_equal(b->r.fmt.rate, 16000);
	assert_int_equal(b->r.fmt.clock, 8000);
	assert_true(says(b, "m=audio 16384 RTP/AVP 9\r\n"));
	assert_true(says(b, "a=rtpmap:9 G722/8000\r\n"));
	/* 60 ms of L16 do not fit into a packet. */
	assert_int_equal(offer(b, TOP C9 T0 "m=audio 4000 RTP/AVP 100\r\n"
					    "a=rtpmap:100 L16/16000\r\n"
					    "a=ptime:60\r\n"),
			 0);
	assert_int_equal(b->r.fmt.codec, CODEC_L16);
	assert_int_equal(b->r.fmt.rate, 16000);
	assert_int_equal(b->r.fmt.pt, 100);
	assert_int_equal(b->r.fmt.ptime_ms, 20);
}

static void test_packet_time(void **state)
{
	struct bench *b = *state;

	assert_int_equal(offer(b, TOP C9 T0 BOTH "a=ptime:30\r\n"), 0);
	assert_int_equal(b->r.fmt.ptime_ms, 30);
	assert_true(says(b, "a=ptime:30\r\n"));
	assert_int_equal(offer(b, TOP C9 T0 "a=ptime:10\r\n" BOTH), 0);
	assert_int_equal(b->r.fmt.ptime_ms, 10);
	assert_int_equal(offer(b, TOP C9 T0 BOTH "a=ptime:-5\r\n"), 0);
	assert_int_equal(b->r.fmt.ptime_ms, 20);
	assert_int_equal(offer(b, TOP C9 T0 BOTH "a=ptime:25\r\n"), 0);
	assert_int_equal(b->r.fmt.ptime_ms, 20);
	assert_int_equal(offer(b, TOP C9 T0 BOTH "a=ptime:9999999999\r\n"), 0);
	assert_int_equal(b->r.fmt.ptime_ms, 20);
}

/* RFC 3264 6.1 */
static void test_directions(void **state)
{
	static const struct {
		const char *theirs, *ours;
		bool send, recv;
	} rows[] = {
		{"a=sendrecv\r\n", "a=sendrecv\r\n", true, true},
		{"", "a=sendrecv\r\n", true, true},
		{"a=sendonly\r\n", "a=recvonly\r\n", false, true},
		{"a=recvonly\r\n", "a=sendonly\r\n", true, false},
		{"a=inactive\r\n", "a=inactive\r\n", false, false},
	};
	struct bench *b = *state;
	char text[512];
	size_t i;

	for (i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), TOP C9 T0 BOTH "%s",
			 rows[i].theirs);
		assert_int_equal(offer(b, text), 0);
		assert_true(says(b, rows[i].ours));
		assert_int_equal(b->r.send, rows[i].send);
		assert_int_equal(b->r.recv, rows[i].recv);
		/* the same at session level */
		snprintf(text, sizeof(text), TOP C9 T0 "%s" BOTH,
			 rows[i].theirs);
		assert_int_equal(offer(b, text), 0);
		assert_true(says(b, rows[i].ours));
	}
	/* RFC 2543 hold */
	assert_int_equal(offer(b, TOP "c=IN IP4 0.0.0.0\r\n" T0 BOTH), 0);
	assert_false(sa_isset(&b->r.remote, SA_ADDR));
}

static void test_streams(void **state)
{
	struct bench *b = *state;
	char host[64];

	/* the first audio, whatever comes before and behind */
	assert_int_equal(offer(b, TOP C9 T0 "m=video 5000 RTP/AVP 96\r\n"
					    "a=rtpmap:96 H264/90000\r\n" BOTH
					    "c=IN IP4 10.0.0.10\r\n"
					    "m=audio 6000 RTP/AVP 8\r\n"),
			 0);
	assert_int_equal(sa_ntop(&b->r.remote, host, sizeof(host)), 0);
	assert_string_equal(host, "10.0.0.10");
	assert_int_equal(sa_port(&b->r.remote), 4000);
	assert_true(says(b, "m=video 0 RTP/AVP"));
	assert_true(says(b, "m=audio 16384 RTP/AVP 0\r\n"));
	assert_true(says(b, "m=audio 0 RTP/AVP"));
}

static void refused(struct bench *b, const char *text, const char *word)
{
	assert_int_equal(fresh(b), 0);
	memset(&b->why, 0, sizeof(b->why));
	assert_int_equal(offer(b, text), EPROTO);
	if (!strstr(b->why.text, word))
		fail_msg("\"%s\" has no \"%s\"", b->why.text, word);
}

static void test_refused(void **state)
{
	struct bench *b = *state;

	refused(b, TOP C9 T0 "m=audio 4000 RTP/AVP 18\r\n", "codec");
	refused(b, TOP C9 T0 "m=audio 4000 RTP/SAVP 0\r\n", "RTP/AVP");
	refused(b, TOP C9 T0 "m=audio 0 RTP/AVP 0\r\n", "audio");
	refused(b, TOP C9 T0 "m=video 4000 RTP/AVP 31\r\n", "audio");
	refused(b, TOP C9 T0, "audio");
	refused(b, TOP T0 BOTH, "c=");
	refused(b, TOP "c=IN IP4 phone.example\r\n" T0 BOTH, "c=");
	refused(b, TOP "c=IN IP4 239.1.2.3/8\r\n" T0 BOTH, "c=");
	refused(b, TOP "c=IN IP4 239.1.2.3\r\n" T0 BOTH, "unicast");
	refused(b, TOP "c=IN IP6 2001:db8::1\r\n" T0 BOTH, "family");
	refused(b, "c=IN IP4 1.2.3.4\r\nhello", "read");
	refused(b, "v=1\r\n" C9 BOTH, "read");
	refused(b, "v=0\r\n" C9 "m=\r\n", "read");
	assert_int_equal(fresh(b), 0);
	/* a bad one spoils nothing that comes next */
	assert_int_equal(offer(b, TOP C9 T0 BOTH), 0);
	assert_int_equal(offer(b, TOP C9 T0 "m=audio 9 RTP/AVP 18\r\n"),
			 EPROTO);
	assert_int_equal(offer(b, TOP C9 T0 "m=video 9 RTP/AVP 18\r\n"),
			 EPROTO);
	assert_int_equal(offer(b, TOP C9 T0 BOTH), 0);
	/* some phones leave out the last line's end */
	assert_int_equal(
		offer(b, TOP C9 T0 BOTH "a=rtpmap:0 PCMU/8000\r\na=sendonly"),
		0);
	assert_false(b->r.send);
}

static char big[20000];

static const char *many(const char *head, const char *unit, size_t n,
			const char *tail)
{
	size_t at = strlen(head);

	strcpy(big, head);
	while (n--) {
		strcpy(big + at, unit);
		at += strlen(unit);
	}
	strcpy(big + at, tail);
	return big;
}

static void test_limits(void **state)
{
	struct bench *b = *state;
	struct mbuf *mb, *out;

	assert_int_equal(offer(b, many(TOP C9 T0 BOTH "a=x:", "y",
				       NEGO_MAX_LINE - 5, "\r\n")),
			 0);
	refused(b, many(TOP C9 T0 BOTH "a=x:", "y", NEGO_MAX_LINE, "\r\n"),
		"beyond");
	assert_int_equal(offer(b, many(TOP C9 T0 BOTH, "a=x\r\n",
				       NEGO_MAX_LINES - 6, "")),
			 0);
	refused(b, many(TOP C9 T0 BOTH, "a=x\r\n", NEGO_MAX_LINES, ""),
		"beyond");
	assert_int_equal(offer(b, many(TOP C9 T0, BOTH, NEGO_MAX_STREAMS, "")),
			 0);
	refused(b, many(TOP C9 T0, BOTH, NEGO_MAX_STREAMS + 1, ""), "beyond");
	refused(b,
		many(TOP C9 T0 BOTH, "a=x:0123456789012345678901\r\n", 300, ""),
		"beyond");
	mb = body(TOP C9 T0 BOTH "a=x:y\r\n");
	mb->buf[mb->end - 3] = 0;
	assert_int_equal(nego_answer(b->n, mb, &out, &b->r, &b->why), EPROTO);
	mem_deref(mb);
}

/* Our offer in the 200, their answer in the ACK. */
static void test_delayed(void **state)
{
	struct bench *b = *state;
	struct mbuf *mb;

	assert_int_equal(nego_offer(b->n, &mb), 0);
	keep(b, mb);
	assert_true(says(b, "m=audio 16384 RTP/AVP 111 9 0 8 96 101\r\n"));
	assert_true(says(b, "a=sendrecv\r\n"));

	mb = body(TOP C9 T0 "m=audio 4000 RTP/AVP 8 101\r\n"
			    "a=rtpmap:101 telephone-event/8000\r\n"
			    "a=sendonly\r\n");
	assert_int_equal(nego_answered(b->n, mb, &b->r, &b->why), 0);
	mem_deref(mb);
	assert_int_equal(b->r.fmt.codec, CODEC_PCMA);
	assert_int_equal(b->r.event_pt, 101);
	assert_false(b->r.send);
	assert_true(b->r.recv);

	assert_int_equal(nego_offer(b->n, &mb), 0);
	mem_deref(mb);
	mb = body(TOP C9 T0 "m=audio 0 RTP/AVP 0\r\n");
	assert_int_equal(nego_answered(b->n, mb, &b->r, &b->why), EPROTO);
	mem_deref(mb);
	assert_int_equal(fresh(b), 0);
	/* more streams than were offered */
	assert_int_equal(nego_offer(b->n, &mb), 0);
	mem_deref(mb);
	mb = body(TOP C9 T0 BOTH BOTH);
	assert_int_equal(nego_answered(b->n, mb, &b->r, &b->why), EPROTO);
	mem_deref(mb);
}

/* A loudspeaker is offered what it is configured for, and our sound alone. */
static void test_limited(void **state)
{
	static const uint8_t wanted[] = {CODEC_PCMA, CODEC_G722};
	struct bench *b = *state;
	struct mbuf *mb;

	nego_limit(b->n, wanted, 2, true);
	assert_int_equal(nego_offer(b->n, &mb), 0);
	keep(b, mb);
	assert_true(says(b, "m=audio 16384 RTP/AVP 8 9 101\r\n"));
	assert_true(says(b, "a=sendonly\r\n"));
	mb = body(TOP C9 T0 "m=audio 4000 RTP/AVP 0 9\r\na=recvonly\r\n");
	assert_int_equal(nego_answered(b->n, mb, &b->r, &b->why), 0);
	mem_deref(mb);
	assert_int_equal(b->r.fmt.codec, CODEC_G722);
	assert_true(b->r.send);
	assert_false(b->r.recv);
	/* They hold us; a re-INVITE of theirs is not given more. */
	assert_int_equal(offer(b, TOP C9 T0 "m=audio 4000 RTP/AVP 0 8 9\r\n"
					    "a=inactive\r\n"),
			 0);
	assert_false(b->r.send);
	assert_int_equal(b->r.fmt.codec, CODEC_PCMA);
	assert_int_equal(offer(b, TOP C9 T0 "m=audio 4000 RTP/AVP 0\r\n"),
			 EPROTO);
}

/* RFC 3264 8: the version in o= goes up by one, the id stays. */
static void test_origin(void **state)
{
	struct bench *b = *state;
	unsigned id[2], version[2];
	int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(offer(b, TOP C9 T0 BOTH), 0);
		assert_int_equal(sscanf(strstr(b->answer, "o=- "), "o=- %u %u",
					&id[i], &version[i]),
				 2);
	}
	assert_int_equal(id[0], id[1]);
	assert_int_equal(version[1], version[0] + 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_wide_band),  T(test_codecs),  T(test_packet_time),
		T(test_directions), T(test_streams), T(test_refused),
		T(test_limits),     T(test_delayed), T(test_origin),
		T(test_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
