/*
 * A conversation with the whole SIP stack: the door, libre, gate, registrar,
 * calls both ways and lamps, without a network. What the stack sends is caught
 * and held against what it promises.
 *
 * The input is a list of messages, each ended by the byte 0x1e. Its first byte
 * says who sends it: 'f' a trusted peer, 'e' an endpoint (trusted by password
 * only), 'c' who we call, 's' a stranger; or is an act of ours: 'D' we call,
 * 'H' we hang up all, 'L' a lamp changes. In a message 0x1f and a letter stand
 * for what a fuzzer cannot guess: 'T' the tag and 'B' the branch that the stack
 * said last, 'I' the Call-ID, 'A' a right Authorization for this request.
 */
#include "controller/base/clock.h"
#include "controller/sip/dial.h"
#include "controller/sip/digest.h"
#include "controller/sip/guard.h"
#include "controller/sip/guard_real.h"
#include "controller/sip/lamp.h"
#include "controller/sip/lamp_internal.h"
#include "controller/sip/registrar_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define US "127.0.10.1"
#define MAX_MESSAGE 9000
#define MAX_CALLS 4
#define PASSWORD "a-desk-secret"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct config config;
	struct config_listen listen;
	struct config_peer peers[2];
	struct config_endpoint desk;
	struct stack *stack;
	enum lamp_state lamp;
	char tag[64], branch[128], call_id[128];
	struct sa from; /* who sends the message that is worked on */
	char who;
	bool bad;      /* what is worked on is no proper SIP */
	bool asked[4]; /* who of `senders` has sent something */
} w;

static const struct {
	char who;
	const char *host;
} senders[4] = {{'f', "127.0.10.2"},
		{'e', "127.0.10.3"},
		{'c', "127.0.10.4"},
		{'s', "127.0.10.66"}};

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* ------------------------------------------------------- what we are told */

static void on_page(const struct page_offer *o, struct page_answer *a,
		    void *arg)
{
	(void)arg;
	must(o->peer && o->caller[0], "a call without a caller");
	must(w.who == 'f' || (w.who == 'e' && strstr(o->caller, "endpoint:")),
	     "a call from who is not allowed");
	if (o->user[0] == '7') {
		a->status = 200;
		return;
	}
	a->status = 486;
	snprintf(a->reason, sizeof(a->reason), "Busy with %s", o->display);
	snprintf(a->header, sizeof(a->header), "X-Caller: %s", o->caller);
}

static void on_media(struct page_call *call, const struct media_leg *leg,
		     void *call_arg, void *arg)
{
	(void)call;
	(void)call_arg;
	(void)arg;
	must(leg->fd >= 0, "a leg without a socket");
	close(leg->fd);
}

static void on_changed(struct page_call *call, const struct media_leg *leg,
		       bool held, void *call_arg, void *arg)
{
	(void)call;
	(void)call_arg;
	(void)arg;
	must(!held || (!leg->send && !leg->recv), "sound while held");
}

static void on_key(struct page_call *call, char key, void *call_arg, void *arg)
{
	(void)call_arg;
	(void)arg;
	if (key == '#')
		page_call_end(call, "key", "Reason: SIP;cause=200");
}

static void on_closed(struct page_call *call, const char *why, void *call_arg,
		      void *arg)
{
	(void)call;
	(void)call_arg;
	(void)arg;
	must(why[0], "an end without a reason");
}

static void on_refused(const struct sockaddr_storage *from, const char *what,
		       uint16_t status, void *arg)
{
	(void)from;
	(void)status;
	(void)arg;
	must(what[0], "a refusal without a reason");
}

static void on_trouble(const char *key, const char *text, const char *remedy,
		       void *arg)
{
	(void)key;
	(void)text;
	(void)remedy;
	(void)arg;
}

static uint16_t lamp_may(const char *user, const struct config_peer *who,
			 void *arg)
{
	(void)who;
	(void)arg;
	return user[0] == '7' ? 200 : 404;
}

static enum lamp_state lamp_state(const char *user, void *arg)
{
	(void)user;
	(void)arg;
	return w.lamp;
}

static void dial_media(struct dial *d, const struct dial_media *m, void *arg)
{
	(void)d;
	(void)arg;
	if (m->leg.fd >= 0)
		close(m->leg.fd);
}

static void dial_key(struct dial *d, char key, void *arg)
{
	(void)d;
	(void)key;
	(void)arg;
}

static void dial_closed(struct dial *d, uint16_t status, const char *why,
			void *arg)
{
	(void)d;
	(void)status;
	(void)arg;
	must(why[0], "an end without a reason");
}

/* ------------------------------------------------------------ what we send */

static void keep(char *to, size_t size, const struct pl *pl)
{
	if (pl_isset(pl))
		(void)re_snprintf(to, size, "%r", pl);
}

static void learn(const struct sip_msg *msg)
{
	keep(w.call_id, sizeof(w.call_id), &msg->callid);
	keep(w.tag, sizeof(w.tag), msg->req ? &msg->from.tag : &msg->to.tag);
	if (msg->req)
		keep(w.branch, sizeof(w.branch), &msg->via.branch);
}

/* Answers go to who has asked; a stranger hears of nothing but REGISTER. */
static void check_reply(const struct sa *dst, const struct pl *text)
{
	struct sa sa;

	for (size_t i = 0; i < 4; i++) {
		(void)sa_set_str(&sa, senders[i].host, 0);
		if (!sa_cmp(dst, &sa, SA_ADDR))
			continue;
		must(w.asked[i], "an answer to who has not asked");
		must(senders[i].who != 's' ||
			     memmem(text->p, text->l, " REGISTER", 9),
		     "a word to a stranger");
		return;
	}
	must(false, "an answer elsewhere");
}

/* An answer repeats what is wrong with a message. */
static void check(const struct sa *dst, struct mbuf *mb)
{
	const struct pl all = {(char *)mbuf_buf(mb), mbuf_get_left(mb)};
	const bool reply = !memcmp(all.p, "SIP/2.0 ", 8);
	const size_t pos = mb->pos;
	struct sip_msg *msg;

	if (reply)
		check_reply(dst, &all);
	if (reply && w.bad)
		return;
	must(guard_inspect((const uint8_t *)all.p, all.l) == GUARD_PASS,
	     "what we send is no SIP");
	if (!sip_msg_decode(&msg, mb)) {
		must(!sip_msg_hdr(msg, SIP_HDR_SERVER), "a Server header");
		learn(msg);
		mem_deref(msg);
	}
	mb->pos = pos;
}

__attribute__((visibility("default"))) int
udp_send(struct udp_sock *us, const struct sa *dst, struct mbuf *mb)
{
	int (*real)(struct udp_sock *, const struct sa *, struct mbuf *) =
		GUARD_REAL(udp_send);

	if (!w.stack) /* the self-test of the guards */
		return real(us, dst, mb);
	check(dst, mb);
	return 0;
}

/* --------------------------------------------------------------- the world */

static const struct stack_handlers handlers = {
	.page = on_page,
	.media = on_media,
	.changed = on_changed,
	.key = on_key,
	.closed = on_closed,
	.refused = on_refused,
	.trouble = on_trouble,
};
static const struct lamp_handlers lamp_handlers = {lamp_may, lamp_state};
static const struct dial_handlers dial_handlers = {dial_media, dial_key,
						   dial_closed};

/* None of the limits on how often: an input is short, but they come fast. */
static void no_limits(struct stack *s)
{
	struct limit **limits[] = {&s->requests,       &s->invites,
				   &s->invites_all,    &s->tell_strangers,
				   &s->tell_refusals,  &s->kept,
				   &s->registrar->rate};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		limit_free(*limits[i]);
		must(!limit_alloc(limits[i], 1000000, 1000000, 1), "memory");
	}
	ban_free(s->registrar->ban);
	must(!ban_alloc(&s->registrar->ban, 1, 255), "memory");
}

static void set_up(void)
{
	static char name[] = "desk", realm[] = "plant", friend[] = "friend";
	struct sockaddr_in *net = (struct sockaddr_in *)&w.peers[0].net;
	struct reason why = {""};

	must(!libre_init(), "libre");
	net->sin_family = AF_INET;
	net->sin_addr.s_addr = htonl(0x7f000a02);
	w.peers[0].prefix = 32;
	w.peers[0].name = friend;
	w.peers[0].page = true;
	w.desk.may.name = name;
	w.desk.may.page = true;
	strcpy(w.desk.password, PASSWORD);
	w.listen.transport = TRANSPORT_UDP;
	strcpy(w.listen.host, US);
	w.listen.port = 5070;
	w.config.peers = w.peers;
	w.config.n_peers = 1;
	w.config.endpoints = &w.desk;
	w.config.n_endpoints = 1;
	w.config.sip.listen = &w.listen;
	w.config.sip.n_listen = 1;
	w.config.sip.realm = realm;
	w.config.sip.register_min_ms = 30000;
	w.config.sip.register_max_ms = 60000;
	w.config.sip.rtp_min = 21000;
	w.config.sip.rtp_max = 21099;
	w.config.sip.max_calls = MAX_CALLS;
	w.config.sip.session_expires_ms = 1800000;
	must(!stack_alloc(&w.stack, &w.config, &handlers, &w, &why), why.text);
	lamp_handle(w.stack, &lamp_handlers, &w);
	no_limits(w.stack);
}

static void turn_over(void *arg)
{
	(void)arg;
	re_cancel();
}

/* What was put off to the next turn of the loop. */
static void turn(void)
{
	struct tmr tmr = TC_TMR_INIT;

	tmr_init(&tmr);
	tmr_start(&tmr, 0, turn_over, NULL);
	must(!re_main(NULL), "the loop");
	tmr_cancel(&tmr);
}

/* Nothing of one input is left for the next: transactions go with the
 * listener. */
static void begin_anew(void)
{
	struct registrar *r = w.stack->registrar;
	struct reason why = {""};

	must(stack_calls(w.stack) <= MAX_CALLS, "too many calls");
	call_end_all(w.stack, NULL, "over");
	dial_end_all(w.stack, NULL, "over");
	lamps_close(w.stack->lamps, NULL);
	must(!stack_calls(w.stack), "calls that are over");
	listener_close_all(w.stack);
	if (r->v[0].b.n) {
		r->v[0].b.n = 0;
		memset(r->known, 0, sizeof(r->known));
	}
	if (w.stack->dial_fd >= 0)
		close(w.stack->dial_fd);
	w.stack->dial_fd = -1;
	must(!listener_update(w.stack, &w.config, &why), why.text);
}

/* ------------------------------------------------------------- an input */

static struct digest_text text(const char *s)
{
	return (struct digest_text){s, strlen(s)};
}

/* For the request that begins with `out`. */
static int authorize(struct mbuf *to, const char *out, size_t len)
{
	char nonce[DIGEST_NONCE_SIZE], response[DIGEST_HEX_SIZE];
	const char *first = memchr(out, ' ', len), *end;
	char uri[512]; /* a copy: writing moves what is read from */
	struct digest_answer a = {
		.user = text("desk"),
		.realm = text("plant"),
		.cnonce = text("0a4f113b"),
		.nc = text("00000001"),
		.qop = text("auth"),
		.count = 1,
	};

	end = first ? memchr(first + 1, ' ', len - (size_t)(first + 1 - out))
		    : NULL;
	if (!end || (size_t)(end - first) > sizeof(uri))
		return 0;
	a.uri.p = uri;
	a.uri.len = (size_t)(end - first - 1);
	memcpy(uri, first + 1, a.uri.len);
	nonce_make(&w.stack->registrar->nonces, &w.from.u.sa, clock_mono_ms(),
		   nonce);
	a.nonce = text(nonce);
	must(digest_response(&a, out, (size_t)(first - out), PASSWORD,
			     response),
	     "no digest");
	return mbuf_printf(to,
			   "Authorization: Digest username=\"desk\", "
			   "realm=\"plant\", nonce=\"%s\", uri=\"%b\", "
			   "response=\"%s\", algorithm=MD5, qop=auth, "
			   "cnonce=\"0a4f113b\", nc=00000001\r\n",
			   nonce, a.uri.p, a.uri.len, response);
}

static int fill_in(struct mbuf *mb, uint8_t letter)
{
	switch (letter) {
	case 'T':
		return mbuf_write_str(mb, w.tag);
	case 'B':
		return mbuf_write_str(mb, w.branch);
	case 'I':
		return mbuf_write_str(mb, w.call_id);
	case 'A':
		return authorize(mb, (const char *)mb->buf, mb->end);
	default:
		return mbuf_write_u8(mb, letter);
	}
}

static void receive(const char *host, const uint8_t *p, size_t n)
{
	const struct listener *l = list_head(&w.stack->listeners)->data;
	struct mbuf *mb = mbuf_alloc(n + 1);
	udp_recv_h *rh;
	int err = 0;
	void *arg;

	must(mb, "memory");
	(void)sa_set_str(&w.from, host, 5060);
	for (size_t i = 0; i < n && !err; i++)
		err = p[i] == 0x1f && i + 1 < n ? fill_in(mb, p[++i])
						: mbuf_write_u8(mb, p[i]);
	must(!err, "memory");
	mb->pos = 0;
	w.bad = guard_inspect(mb->buf, mb->end) != GUARD_PASS;
	rh = door_last_receiver(&arg);
	if (!door_datagram(&w.from, mb, l->udp_door))
		rh(&w.from, mb, arg);
	mem_deref(mb);
}

static void call_out(void)
{
	static const uint8_t codecs[] = {CODEC_PCMU, CODEC_PCMA};
	struct dial_request rq = {
		.uri = "sip:horn@127.0.10.4:5060",
		.user = "page",
		.display = "Hall",
		.headers = "Call-Info: <sip:x>;answer-after=0\r\n",
		.auth_user = "desk",
		.password = PASSWORD,
		.codecs = codecs,
		.n_codecs = 2,
	};
	struct reason why;
	struct dial *d;

	(void)sa_set_str(&w.from, "127.0.10.4", 5060);
	(void)dial_start(&d, w.stack, &rq, &dial_handlers, NULL, &why);
}

static void message(const uint8_t *p, size_t n)
{
	if (!n || n > MAX_MESSAGE)
		return;
	w.who = (char)p[0];
	for (size_t i = 0; i < 4; i++)
		if (senders[i].who == w.who) {
			w.asked[i] = true;
			receive(senders[i].host, p + 1, n - 1);
		}
	switch (w.who) {
	case 'D':
		call_out();
		break;
	case 'H':
		call_end_all(w.stack, NULL, "hung up");
		dial_end_all(w.stack, NULL, "hung up");
		break;
	case 'L':
		w.lamp = w.lamp == LAMP_ON ? LAMP_OFF : LAMP_ON;
		lamp_look(w.stack);
		break;
	default:
		break;
	}
	turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!w.stack)
		set_up();
	while (size) {
		const uint8_t *end = memchr(data, 0x1e, size);
		const size_t n = end ? (size_t)(end - data) : size;

		message(data, n);
		data += n;
		size -= n;
		if (end) {
			data++;
			size--;
		}
	}
	w.who = '\0';
	begin_anew();
	memset(w.asked, 0, sizeof(w.asked));
	return 0;
}
