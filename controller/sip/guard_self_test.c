/*
 * Is every guard in force over this libre?
 *
 * A scratch SIP stack on an ephemeral loopback port is fed through the receive
 * handler libre itself gave its socket: what happens then goes through libre's
 * own calls, which is what a guard must catch.
 */
#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/sip/guard.h"
#include "controller/sip/guard_door.h"
#include "controller/sip/guard_lines.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* How far two readings of one clock may lie apart while we are descheduled. */
#define CLOCK_SLACK_MS 5000

/* What loopback may take on a machine that is starting up. */
#define ARRIVAL_MS 2000

struct bench {
	struct sip *sip;
	struct sip_lsnr *requests, *responses;
	struct sipsess_sock *sock;
	struct sipsess *sess;
	udp_recv_h *receive;
	void *receive_arg;
	int stranger; /* who must not get an INVITE, and who answers it */
	struct sa stranger_addr;
	bool seen, bad;
	int closed;
};

static int not_in_force(struct reason *why, const char *guard, const char *what)
{
	return reason_set(why, ENOTSUP,
			  "guard %s is not in force: %s; this libre is linked "
			  "in a way that cannot be interposed",
			  guard, what);
}

static void nothing(void *arg)
{
	(void)arg;
}

static int test_clock(struct reason *why)
{
#if TC_RE_VER < 20100
	struct tmr tmr = TC_TMR_INIT;
	int64_t apart;

	tmr_init(&tmr);
	tmr_start(&tmr, 1000, nothing, NULL);
	apart = (int64_t)(tmr.jfs - clock_mono_ms()) - 1000;
	tmr_cancel(&tmr);
	if (apart > CLOCK_SLACK_MS || apart < -CLOCK_SLACK_MS)
		return not_in_force(why, "tmr_jiffies",
				    "libre's timers follow the wall clock");
#else
	(void)why;
	(void)nothing;
#endif
	return 0;
}

static bool request_handler(const struct sip_msg *msg, void *arg)
{
	struct bench *b = arg;

	b->seen = true;
	b->bad = guard_bad_reason(msg);
	return true;
}

static bool response_handler(const struct sip_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return true;
}

static void close_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct bench *b = arg;

	(void)msg;
	b->closed = err ? err : -1;
}

static int answer_handler(const struct sip_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return 0;
}

/* Hands libre a datagram from the stranger as its socket would. */
static int inject(struct bench *b, const char *text)
{
	struct mbuf *mb = mbuf_alloc(strlen(text));
	int err;

	if (!mb)
		return ENOMEM;
	err = mbuf_write_str(mb, text);
	mb->pos = 0;
	if (!err)
		b->receive(&b->stranger_addr, mb, b->receive_arg);
	mem_deref(mb);
	return err;
}

static int test_decoder(struct bench *b, struct reason *why)
{
	static const char good[] =
		"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK-self-1\r\n"
		"From: <sip:a@b>;tag=1\r\n"
		"To: <sip:a@b>\r\n"
		"Call-ID: self-1\r\n"
		"CSeq: 1 OPTIONS\r\n"
		"\r\n";
	static const char bad[] =
		"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK-self-2\r\n"
		"From: <sip:a@b>;tag=1\r\n"
		"To: <sip:a@b>\r\n"
		"CSeq: 1 OPTIONS\r\n"
		"\r\n";
	char poison[4096];
	struct mbuf mb = {.buf = (uint8_t *)poison,
			  .size = sizeof(poison),
			  .end = sizeof(poison)};
	struct sip_msg *msg;
	size_t i;
	int err;

	b->seen = false;
	err = inject(b, bad);
	if (err)
		return err;
	if (!b->seen || !b->bad)
		return not_in_force(why, "sip_msg_decode",
				    "a request without Call-ID got through");
	b->seen = false;
	err = inject(b, good);
	if (err)
		return err;
	if (!b->seen || b->bad)
		return not_in_force(why, "sip_msg_decode",
				    "a good request did not get through");
	for (i = 0; i < sizeof(poison); i++)
		poison[i] = i % 2 ? ' ' : 'a';
	if (sip_msg_decode(&msg, &mb) != EBADMSG)
		return not_in_force(why, "sip_msg_decode",
				    "a poisoned message was looked at");
	return 0;
}

#if TC_RE_VER < 20100
/* The value of a header in what libre sent, up to its line's end. */
static struct pl header(const char *text, const char *name)
{
	const char *p = strstr(text, name);
	struct pl pl = {NULL, 0};

	if (p) {
		pl.p = p + strlen(name);
		pl.l = strcspn(pl.p, "\r\n");
	}
	return pl;
}

/* RFC 3261 8.1.3.4, as a stranger would write it: come to me instead. */
static int redirect(struct bench *b, const char *invite)
{
	struct pl via = header(invite, "Via: "), to = header(invite, "To: ");
	struct pl from = header(invite, "From: ");
	struct pl call_id = header(invite, "Call-ID: ");
	struct pl cseq = header(invite, "CSeq: ");
	char *text;
	int err;

	err = re_sdprintf(&text,
			  "SIP/2.0 302 Moved\r\n"
			  "Via: %r\r\nFrom: %r\r\nTo: %r;tag=9\r\n"
			  "Call-ID: %r\r\nCSeq: %r\r\n"
			  "Contact: <sip:stranger@%J>\r\n"
			  "Content-Length: 0\r\n\r\n",
			  &via, &from, &to, &call_id, &cseq, &b->stranger_addr);
	if (err)
		return err;
	err = inject(b, text);
	mem_deref(text);
	return err;
}

/* Loopback delivers at once or, on a busy machine, a little later. */
static bool stranger_gets(struct bench *b, const char *method, char *buf,
			  size_t size, int wait_ms)
{
	struct pollfd p = {.fd = b->stranger, .events = POLLIN};
	ssize_t n;

	while (poll(&p, 1, wait_ms) == 1) {
		n = recv(b->stranger, buf, size - 1, MSG_DONTWAIT);
		buf[n > 0 ? n : 0] = '\0';
		if (!strncmp(buf, method, strlen(method)))
			return true;
	}
	return false;
}

static int test_redirect(struct bench *b, struct reason *why)
{
	char buf[2048], uri[64];
	int err;

	(void)re_snprintf(uri, sizeof(uri), "sip:x@%J", &b->stranger_addr);
	err = sipsess_connect(&b->sess, b->sock, uri, NULL, "sip:self@test",
			      "self", NULL, 0, "application/sdp", NULL, NULL,
			      NULL, false, NULL, answer_handler, NULL, NULL,
			      NULL, NULL, close_handler, b, NULL);
	if (err)
		return reason_set(why, err, "self-test: INVITE: %s",
				  strerror(err));
	if (!stranger_gets(b, "INVITE ", buf, sizeof(buf), ARRIVAL_MS))
		return reason_set(why, EIO,
				  "self-test: nothing arrives on loopback: "
				  "ip link set lo up");
	if (!guard_lines_passed())
		return not_in_force(why, "sip_drequestf",
				    "an INVITE was made without it");
	err = redirect(b, buf);
	if (err)
		return err;
	if (b->closed != EACCES ||
	    stranger_gets(b, "INVITE ", buf, sizeof(buf), 0))
		return not_in_force(why, "sip_dialog_update",
				    "a redirect to a stranger was followed");
	return 0;
}
#endif

static int stranger_open(struct bench *b)
{
	b->stranger = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (b->stranger < 0)
		return errno;
	(void)sa_set_str(&b->stranger_addr, "127.0.0.1", 0);
	if (bind(b->stranger, &b->stranger_addr.u.sa, b->stranger_addr.len) ||
	    getsockname(b->stranger, &b->stranger_addr.u.sa,
			&b->stranger_addr.len))
		return errno;
	return 0;
}

static int bench_open(struct bench *b, struct reason *why)
{
	struct sa laddr;
	int err;

	(void)sa_set_str(&laddr, "127.0.0.1", 0);
	err = stranger_open(b);
	if (!err)
		err = sip_alloc(&b->sip, NULL, 8, 8, 8, NULL, NULL, NULL);
	if (!err)
		err = sip_transp_add(b->sip, SIP_TRANSP_UDP, &laddr);
	if (err)
		return reason_set(why, err,
				  "self-test: cannot use 127.0.0.1 (%s): ip "
				  "link set lo up",
				  strerror(err));
	b->receive = door_last_receiver(&b->receive_arg);
	if (!b->receive)
		return not_in_force(why, "udp_listen",
				    "libre's socket was not seen");
	err = sip_listen(&b->requests, b->sip, true, request_handler, b);
	if (!err)
		err = sipsess_listen(&b->sock, b->sip, 8, NULL, NULL);
	if (!err)
		err = sip_listen(&b->responses, b->sip, false, response_handler,
				 b);
	return err ? reason_set(why, err, "self-test: %s", strerror(err)) : 0;
}

static void bench_close(struct bench *b)
{
	mem_deref(b->sess);
	sipsess_close_all(b->sock);
	mem_deref(b->sock);
	mem_deref(b->requests);
	mem_deref(b->responses);
	sip_transp_flush(b->sip);
	sip_close(b->sip, true);
	mem_deref(b->sip);
	if (b->stranger >= 0)
		close(b->stranger);
}

static int test_reuse(struct reason *why)
{
	struct tcp_sock *one = NULL, *other = NULL;
	struct sa laddr;
	int err;

	(void)sa_set_str(&laddr, "127.0.0.1", 0);
	err = tcp_listen(&one, &laddr, NULL, NULL);
	if (!err)
		err = tcp_sock_local_get(one, &laddr);
	if (err)
		(void)reason_set(why, err, "self-test: TCP on 127.0.0.1: %s",
				 strerror(err));
	else if (tcp_listen(&other, &laddr, NULL, NULL) != EADDRINUSE)
		err = not_in_force(why, "net_sockopt_reuse_set",
				   "two can listen on one TCP address");
	mem_deref(other);
	mem_deref(one);
	return err;
}

int guard_self_test(struct reason *why)
{
	struct bench b = {.stranger = -1};
	int err;

	err = test_clock(why);
	if (!err)
		err = test_reuse(why);
	if (err)
		return err;
	err = bench_open(&b, why);
	if (!err)
		err = test_decoder(&b, why);
#if TC_RE_VER < 20100
	if (!err)
		err = test_redirect(&b, why);
#endif
	bench_close(&b);
	return err;
}
