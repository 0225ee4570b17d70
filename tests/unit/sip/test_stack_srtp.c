/* Encrypted calls at the running stack: taken, refused, rekeyed, made. */
#include "peer.h"

#include "controller/sip/dial.h"
#include "controller/sip/dtls.h"

#define KEY "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw"
#define KEY2 "QTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw"
#define CRYPTO(key) "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" key "\r\n"
#define SDP(profile, more)                                                     \
	"v=0\r\no=- 1 1 IN IP4 " FRIEND "\r\ns=-\r\nc=IN IP4 " FRIEND          \
	"\r\nt=0 0\r\nm=audio 7000 " profile " 0\r\n" more

static struct world w;
static struct peer p;

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	w.peers[0].srtp = SRTP_REQUIRE;
	w.config.sip.srtp_keys = SRTP_KEYS_ANY;
	world_open(&w);
	peer_open(&p, FRIEND, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	peer_close(&p);
	world_close(&w);
	return 0;
}

static void refused(const char *body, const char *why)
{
	peer_request(&p, "INVITE", "701", "", body);
	expect(&p, "SIP/2.0 488 ");
	assert_non_null(strstr(peer_header(&p, "Warning"), why));
	peer_request(&p, "ACK", "701", "", "");
	assert_int_equal(w.pages, 0);
}

static void test_in_the_clear(void **state)
{
	(void)state;
	refused(SDP("RTP/AVP", ""), "must be encrypted (srtp = require)");
	refused(SDP("RTP/SAVP", ""), "There is no a=crypto");
}

/* Over UDP no key is taken, nor is one given to who asks for our offer: that
 * is of DTLS. */
static void test_exposed(void **state)
{
	(void)state;
	w.config.sip.srtp_keys = SRTP_KEYS_TLS;
	refused(SDP("RTP/SAVP", CRYPTO(KEY)), "over TLS only");
	refused(SDP("RTP/AVP", ""), "by DTLS, or over TLS");
	peer_request(&p, "INVITE", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
	assert_non_null(strstr(p.msg, " UDP/TLS/RTP/SAVP "));
	assert_null(strstr(p.msg, "a=crypto"));
	peer_learn(&p);
	peer_request(&p, "ACK", "701", "", SDP("UDP/TLS/RTP/SAVP", ""));
	expect(&p, "BYE ");
}

static void reinvite(const char *body, const char *status)
{
	peer_request(&p, "INVITE", "701", "", body);
	expect(&p, status);
	peer_request(&p, "ACK", "701", "", "");
}

static void test_taken_and_rekeyed(void **state)
{
	struct media_srtp ours;
	(void)state;

	peer_request(&p, "INVITE", "701", "", SDP("RTP/SAVP", CRYPTO(KEY)));
	expect(&p, "SIP/2.0 200 ");
	peer_learn(&p);
	assert_non_null(strstr(p.msg, "RTP/SAVP 0\r\n"));
	assert_non_null(strstr(p.msg, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "));
	assert_null(strstr(p.msg, KEY));
	peer_request(&p, "ACK", "701", "", "");
	assert_true(w.leg.in.on && w.leg.out.on);
	assert_memory_equal(w.leg.in.key, "12345678901234567890", 20);
	ours = w.leg.out;

	reinvite(SDP("RTP/SAVP", CRYPTO(KEY2)), "SIP/2.0 200 ");
	assert_int_equal(w.changes, 1);
	assert_int_equal(w.leg.in.key[0], 'A');
	assert_memory_equal(w.leg.out.key, ours.key, sizeof(ours.key));
	/* It is not to be had without, and stays as it is. */
	reinvite(SDP("RTP/AVP", ""), "SIP/2.0 488 ");
	reinvite(SDP("RTP/SAVP", ""), "SIP/2.0 488 ");
	assert_int_equal(w.changes, 1);
	assert_int_equal(w.closes, 0);
	peer_request(&p, "BYE", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
	wait_until(w.closes == 1);
}

/* Their end of the sound's path, at the port that their SDP names. */
struct far {
	int fd;
	struct dtls_identity *id;
	struct dtls *dtls;
	bool over, ok;
	struct media_srtp out;
	char offer[1024];
};

static void far_over(const struct dtls_result *r, void *arg)
{
	struct far *f = arg;

	f->over = true;
	f->ok = !r->why;
	f->out = r->out;
}

/* Calls, and begins the handshake as the client. */
static void far_call(struct far *f, bool honest)
{
	char print[FINGERPRINT_SIZE];
	struct dtls_request rq = {.active = true};
	const char *at;
	struct sa here;

	assert_int_equal(dtls_identity_alloc(&f->id), 0);
	assert_int_equal(sa_set_str(&here, FRIEND, 7000), 0);
	f->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->fd, &here.u.sa, here.len), 0);
	fingerprint_print(print, dtls_identity_fingerprint(f->id));
	if (!honest)
		print[8] = print[8] == '0' ? '1' : '0';
	snprintf(f->offer, sizeof(f->offer),
		 SDP("UDP/TLS/RTP/SAVP", "a=setup:active\r\na=rtcp-mux\r\n"
					 "a=fingerprint:%s\r\n"),
		 print);
	peer_request(&p, "INVITE", "701", "", f->offer);
	expect(&p, "SIP/2.0 200 ");
	peer_learn(&p);
	peer_request(&p, "ACK", "701", "", "");
	assert_non_null(strstr(p.msg, "a=setup:passive\r\n"));
	at = strstr(p.msg, "a=fingerprint:") + 14;
	snprintf(print, sizeof(print), "%.*s", (int)strcspn(at, "\r"), at);
	assert_true(fingerprint_read(&rq.theirs, print));
	rq.fd = f->fd;
	assert_int_equal(
		sa_set_str(&rq.remote, STACK_HOST,
			   (uint16_t)atoi(strstr(p.msg, "m=audio ") + 8)),
		0);
	assert_int_equal(dtls_start(&f->dtls, f->id, &rq, far_over, f), 0);
}

static void far_close(struct far *f)
{
	mem_deref(f->dtls);
	mem_deref(f->id);
	close(f->fd);
}

/* The owner hears of the sound when there are keys, which stay for good. */
static void test_keys_by_dtls(void **state)
{
	struct far f = {.fd = -1};
	struct media_srtp ours;
	(void)state;

	w.config.sip.srtp_keys = SRTP_KEYS_TLS;
	w.peers[0].srtp = SRTP_DTLS;
	far_call(&f, true);
	assert_false(w.leg.in.on);
	wait_until(f.over && w.leg.in.on);
	assert_true(f.ok);
	assert_memory_equal(w.leg.in.key, f.out.key, 30);
	ours = w.leg.out;
	reinvite(f.offer, "SIP/2.0 200 ");
	assert_int_equal(w.changes, 1);
	assert_memory_equal(w.leg.out.key, ours.key, 30);
	assert_memory_equal(w.leg.in.key, f.out.key, 30);
	reinvite(SDP("RTP/AVP", ""), "SIP/2.0 488 ");
	peer_request(&p, "BYE", "701", "", "");
	expect(&p, "SIP/2.0 200 ");
	wait_until(w.closes == 1);
	far_close(&f);
}

/* Nor is there sound without: the call is ended, and its owner told why. */
static void test_another_certificate(void **state)
{
	struct far f = {.fd = -1};
	(void)state;

	w.peers[0].srtp = SRTP_OFFER;
	far_call(&f, false);
	expect(&p, "BYE ");
	wait_until(w.closes == 1);
	assert_false(w.leg.in.on);
	assert_non_null(strstr(w.why, "a=fingerprint"));
	far_close(&f);
}

/* A loudspeaker at FRIEND is called, each time at another port: what was sent
 * to the one before is not taken for this call's. */
static int call(enum config_srtp srtp, struct dial **d, struct reason *why)
{
	static const struct dial_handlers h = {.media = NULL};
	static const uint8_t codecs[] = {CODEC_PCMU};
	char uri[64];
	const struct dial_request rq = {
		.uri = uri,
		.user = "tocsin",
		.codecs = codecs,
		.n_codecs = 1,
		.srtp = srtp,
	};

	peer_close(&p);
	peer_open(&p, FRIEND, false);
	snprintf(uri, sizeof(uri), "sip:horn@%s:%u", FRIEND, p.port);
	return dial_start(d, w.stack, &rq, &h, NULL, why);
}

/* As the peer section of its address says, where nothing else is said. */
static void test_calls_of_ours(void **state)
{
	static const enum config_srtp required[] = {SRTP_AUTO, SRTP_REQUIRE};
	struct dial *d = NULL;
	struct reason why = {""};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(call(required[i], &d, &why), 0);
		expect(&p, "INVITE ");
		assert_non_null(strstr(p.msg, "RTP/SAVP 0"));
		assert_non_null(strstr(p.msg, "a=crypto:1 "));
		dial_end(d, NULL);
	}
	assert_int_equal(call(SRTP_OFFER, &d, &why), 0);
	expect(&p, "INVITE ");
	assert_non_null(strstr(p.msg, "RTP/AVP 0"));
	assert_non_null(strstr(p.msg, "a=crypto:1 "));
	dial_end(d, NULL);
	assert_int_equal(call(SRTP_NO, &d, &why), 0);
	expect(&p, "INVITE ");
	assert_null(strstr(p.msg, "a=crypto"));
	dial_end(d, NULL);

	w.config.sip.srtp_keys = SRTP_KEYS_TLS;
	assert_int_equal(call(SRTP_REQUIRE, &d, &why), EPROTO);
	assert_non_null(strstr(why.text, "over TLS only"));
	assert_int_equal(call(SRTP_OFFER, &d, &why), 0);
	expect(&p, "INVITE ");
	assert_null(strstr(p.msg, "a=crypto"));
	dial_end(d, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_the_clear, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_exposed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken_and_rekeyed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_keys_by_dtls, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_another_certificate, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_calls_of_ours, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
