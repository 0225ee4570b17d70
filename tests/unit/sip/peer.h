/*
 * For tests of the running stack: a world with the stack on loopback, and raw
 * peers that write SIP by hand. Everything runs in one thread: waiting means
 * turning libre's loop until the condition holds.
 */
#ifndef TOCSIN_TEST_PEER_H
#define TOCSIN_TEST_PEER_H

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/sip/guard.h"
#include "controller/sip/stack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define STACK_HOST "127.0.10.1"
#define STACK_PORT 5070
#define FRIEND "127.0.10.2"
#define FRIEND2 "127.0.10.3"
#define STRANGER "127.0.10.66"
/* Far beyond anything awaited; a broken test ends here. */
#define PATIENCE_MS 20000

struct world {
	struct stack *stack;
	struct config config;
	struct config_listen listen[4];
	struct config_peer peers[2];

	/* what page() answers */
	struct page_answer answer;
	bool end_in_media, end_in_changed, stop_in_changed;

	/* what was told */
	unsigned pages, medias, changes, closes, refusals, troubles;
	char user[64], caller[160], display[64], why[160], refused[128];
	char trouble[128];
	char key; /**< pressed last, by INFO */
	int rank; /**< of the last offer */
	uint16_t refused_status;
	const char *peer_name;
	struct page_call *call;
	struct media_leg leg;
	bool held;
	int fds[64];
	struct tmr tmr;
};

static inline void world_page(const struct page_offer *o, struct page_answer *a,
			      void *arg)
{
	struct world *w = arg;

	w->pages++;
	snprintf(w->user, sizeof(w->user), "%s", o->user);
	snprintf(w->caller, sizeof(w->caller), "%s", o->caller);
	snprintf(w->display, sizeof(w->display), "%s", o->display);
	w->peer_name = o->peer->name;
	w->rank = o->rank;
	assert_true(o->at_us && o->at_us <= clock_mono_us());
	*a = w->answer;
	a->arg = w;
}

static inline void world_media(struct page_call *call,
			       const struct media_leg *leg, void *call_arg,
			       void *arg)
{
	struct world *w = arg;

	assert_ptr_equal(call_arg, w);
	w->call = call;
	w->leg = *leg;
	w->fds[w->medias++ % 64] = leg->fd;
	if (w->end_in_media)
		page_call_end(call, "ended in media",
			      "Reason: preemption;cause=1");
}

static inline void world_stop(void *arg)
{
	struct world *w = arg;

	w->stack = stack_free(w->stack);
	assert_int_equal(w->closes, 1);
}

static inline void world_changed(struct page_call *call,
				 const struct media_leg *leg, bool held,
				 void *call_arg, void *arg)
{
	struct world *w = arg;

	assert_ptr_equal(call_arg, w);
	w->changes++;
	w->leg = *leg;
	w->held = held;
	if (w->stop_in_changed)
		tmr_start(&w->tmr, 0, world_stop, w);
	if (w->end_in_changed)
		page_call_end(call, "ended in changed", NULL);
}

static inline void world_closed(struct page_call *call, const char *why,
				void *call_arg, void *arg)
{
	struct world *w = arg;

	(void)call;
	assert_ptr_equal(call_arg, w);
	w->closes++;
	w->call = NULL;
	snprintf(w->why, sizeof(w->why), "%s", why);
}

static inline void world_refused(const struct sockaddr_storage *from,
				 const char *what, uint16_t status, void *arg)
{
	struct world *w = arg;

	assert_int_equal(from->ss_family, AF_INET);
	w->refusals++;
	w->refused_status = status;
	snprintf(w->refused, sizeof(w->refused), "%s", what);
}

static inline void world_key(struct page_call *call, char key, void *call_arg,
			     void *arg)
{
	struct world *w = arg;

	(void)call;
	(void)call_arg;
	w->key = key;
}

static inline void world_trouble(const char *key, const char *text,
				 const char *remedy, void *arg)
{
	struct world *w = arg;

	(void)remedy;
	w->troubles++;
	snprintf(w->trouble, sizeof(w->trouble), "%s:%s", key, text);
}

static const struct stack_handlers world_handlers = {
	.page = world_page,
	.media = world_media,
	.changed = world_changed,
	.key = world_key,
	.closed = world_closed,
	.refused = world_refused,
	.trouble = world_trouble,
};

static inline void world_listen(struct config_listen *l,
				enum config_transport t, const char *host,
				uint16_t port)
{
	l->transport = t;
	snprintf(l->host, sizeof(l->host), "%s", host);
	l->port = port;
}

/* Friends are 127.0.10.0/28; the stack listens by UDP and TCP. */
static inline void world_init(struct world *w)
{
	struct sockaddr_in *net = (struct sockaddr_in *)&w->peers[0].net;

	memset(w, 0, sizeof(*w));
	net->sin_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, "127.0.10.0", &net->sin_addr), 1);
	w->peers[0].name = (char *)(uintptr_t) "127.0.10.0/28";
	w->peers[0].prefix = 28;
	w->peers[0].page = true;
	world_listen(&w->listen[0], TRANSPORT_UDP, STACK_HOST, STACK_PORT);
	world_listen(&w->listen[1], TRANSPORT_TCP, STACK_HOST, STACK_PORT);
	w->config.peers = w->peers;
	w->config.n_peers = 1;
	w->config.sip.listen = w->listen;
	w->config.sip.n_listen = 2;
	w->config.sip.rtp_min = 21000;
	w->config.sip.rtp_max = 21099;
	w->config.sip.max_calls = 10;
	w->config.sip.dscp_rtp = 46;
	w->answer.status = 200;
}

static inline void world_open(struct world *w)
{
	struct reason why = {""};

	if (stack_alloc(&w->stack, &w->config, &world_handlers, w, &why))
		fail_msg("%s", why.text);
}

/* Every accepted call was closed exactly once. */
static inline void world_close(struct world *w)
{
	unsigned i;

	w->stack = stack_free(w->stack);
	for (i = 0; i < w->medias && i < 64; i++)
		close(w->fds[i]);
}

static inline int world_libre(void **state)
{
	(void)state;
	return libre_init();
}

static inline int world_no_libre(void **state)
{
	(void)state;
	libre_close();
	return 0;
}

/* ------------------------------------------------------------- the loop */

static inline void turn_over(void *arg)
{
	(void)arg;
	re_cancel();
}

/* One short turn of libre's loop. */
static inline void turn(void)
{
	struct tmr tmr = TC_TMR_INIT;

	tmr_init(&tmr);
	tmr_start(&tmr, 2, turn_over, NULL);
	assert_int_equal(re_main(NULL), 0);
	tmr_cancel(&tmr);
}

#define wait_until(cond)                                                       \
	do {                                                                   \
		const uint64_t end_ms = clock_mono_ms() + PATIENCE_MS;         \
		while (!(cond)) {                                              \
			turn();                                                \
			if (clock_mono_ms() > end_ms)                          \
				fail_msg("never: " #cond);                     \
		}                                                              \
	} while (0)

/* ----------------------------------------------------------- a raw peer */

struct peer {
	int fd;
	bool stream;
	struct sockaddr_in local;
	char host[32];
	uint16_t port;
	char in[65536]; /* the last message, or the stream so far */
	size_t len;
	char msg[65536];
	/* of its one dialog */
	char call_id[64], to_tag[64];
	unsigned cseq, branch;
};

static inline struct sockaddr_in addr_of(const char *host, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET, host, &a.sin_addr), 1);
	return a;
}

static inline void peer_open(struct peer *p, const char *host, bool stream)
{
	static unsigned serial;
	struct sockaddr_in to = addr_of(STACK_HOST, STACK_PORT);
	socklen_t len = sizeof(p->local);

	memset(p, 0, sizeof(*p));
	p->stream = stream;
	p->local = addr_of(host, 0);
	p->fd = socket(AF_INET,
		       (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	assert_true(p->fd >= 0);
	assert_int_equal(
		bind(p->fd, (struct sockaddr *)&p->local, sizeof(p->local)), 0);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&p->local, &len),
			 0);
	snprintf(p->host, sizeof(p->host), "%s", host);
	p->port = ntohs(p->local.sin_port);
	snprintf(p->call_id, sizeof(p->call_id), "call-%u-%d", ++serial,
		 getpid());
}

static inline void peer_close(struct peer *p)
{
	close(p->fd);
}

static inline void peer_send_bytes(struct peer *p, const void *b, size_t n)
{
	/* A stream the stack has closed is a result, not an error. */
	ssize_t sent = send(p->fd, b, n, MSG_NOSIGNAL);

	if (!p->stream)
		assert_int_equal(sent, (ssize_t)n);
}

static inline void peer_send(struct peer *p, const char *text)
{
	peer_send_bytes(p, text, strlen(text));
}

/* One whole message out of the stream into msg; false when there is none. */
static inline bool peer_cut(struct peer *p)
{
	char *end, *cl;
	size_t n;

	while (!strncmp(p->in, "\r\n", 2)) { /* the answer to a keepalive */
		memmove(p->in, p->in + 2, p->len - 1);
		p->len -= 2;
	}
	end = strstr(p->in, "\r\n\r\n");
	if (!end)
		return false;
	n = (size_t)(end - p->in) + 4;
	cl = strcasestr(p->in, "\r\nContent-Length:");
	if (cl && cl < end)
		n += strtoul(cl + 17, NULL, 10);
	if (p->len < n)
		return false;
	memcpy(p->msg, p->in, n);
	p->msg[n] = '\0';
	memmove(p->in, p->in + n, p->len - n + 1);
	p->len -= n;
	return true;
}

/* The next message that has come, in msg; false when none has. */
static inline bool peer_next(struct peer *p)
{
	ssize_t n;

	if (!p->stream) {
		n = recv(p->fd, p->msg, sizeof(p->msg) - 1, MSG_DONTWAIT);
		p->msg[n > 0 ? n : 0] = '\0';
		return n > 0;
	}
	if (peer_cut(p))
		return true;
	n = recv(p->fd, p->in + p->len, sizeof(p->in) - 1 - p->len,
		 MSG_DONTWAIT);
	if (n > 0)
		p->len += (size_t)n;
	p->in[p->len] = '\0';
	return n > 0 && peer_cut(p);
}

static inline bool peer_has(struct peer *p, const char *start)
{
	while (peer_next(p))
		if (!strncmp(p->msg, start, strlen(start)))
			return true;
	return false;
}

/* Waits for a message that starts so; others are left out. */
#define expect(p, start) wait_until(peer_has(p, start))

/* Has the stack closed this stream? */
static inline bool peer_closed(struct peer *p)
{
	char c[512];
	ssize_t n = recv(p->fd, c, sizeof(c), MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN);
}

/* "\r\nName: value" of the last message, "" when it has none. */
static inline const char *peer_header(const struct peer *p, const char *name)
{
	static char value[8][512];
	static unsigned which;
	char *v = value[which++ % 8], key[64];
	const char *at;

	snprintf(key, sizeof(key), "\r\n%s: ", name);
	at = strcasestr(p->msg, key);
	v[0] = '\0';
	if (at) {
		at += strlen(key);
		snprintf(v, 512, "%.*s", (int)strcspn(at, "\r\n"), at);
	}
	return v;
}

/* What follows a request's body without being part of it. */
static const char *peer_trail = "";

/* A request of this peer's dialog. extra: whole header lines or "". */
static inline void peer_request(struct peer *p, const char *method,
				const char *user, const char *extra,
				const char *body)
{
	static char out[70000];
	const bool follow = !strcmp(method, "ACK") || !strcmp(method, "CANCEL");
	const bool same = !strcmp(method, "CANCEL");

	if (!follow)
		p->cseq++;
	if (!same)
		p->branch++;
	snprintf(out, sizeof(out),
		 "%s sip:%s@" STACK_HOST ":%d SIP/2.0\r\n"
		 "Via: SIP/2.0/%s %s:%u;branch=z9hG4bK-%s-%u;rport\r\n"
		 "Max-Forwards: 70\r\n"
		 "From: \"Guard\" <sip:201@%s>;tag=f1\r\n"
		 "To: <sip:%s@" STACK_HOST ">%s%s\r\n"
		 "Call-ID: %s\r\n"
		 "CSeq: %u %s\r\n"
		 "Contact: <sip:201@%s:%u>\r\n"
		 "%s"
		 "%s"
		 "Content-Length: %zu\r\n"
		 "\r\n"
		 "%s%s",
		 method, user, STACK_PORT, p->stream ? "TCP" : "UDP", p->host,
		 p->port, p->call_id, p->branch, p->host, user,
		 p->to_tag[0] ? ";tag=" : "", p->to_tag, p->call_id, p->cseq,
		 method, p->host, p->port, extra,
		 body[0] && !strcasestr(extra, "Content-Type")
			 ? "Content-Type: application/sdp\r\n"
			 : "",
		 strlen(body), body, peer_trail);
	peer_send(p, out);
}

/* Takes our tag out of the last response. */
static inline void peer_learn(struct peer *p)
{
	const char *tag = strstr(peer_header(p, "To"), ";tag=");

	assert_non_null(tag);
	snprintf(p->to_tag, sizeof(p->to_tag), "%s", tag + 5);
}

/* A response to the last request that came. */
static inline void peer_reply(struct peer *p, const char *status)
{
	char out[4096];

	snprintf(out, sizeof(out),
		 "SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\n"
		 "Call-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n",
		 status, peer_header(p, "Via"), peer_header(p, "From"),
		 peer_header(p, "To"), peer_header(p, "Call-ID"),
		 peer_header(p, "CSeq"));
	peer_send(p, out);
}

/* Who answers: others than the first are of a fork. */
static const char *peer_tag = ";tag=f1";

/* A response to the last request that came, with a tag of ours in To and whole
 * header lines, or "". */
static inline void peer_answer(struct peer *p, const char *status,
			       const char *extra, const char *body)
{
	const char *to = peer_header(p, "To");
	char out[4096];

	snprintf(out, sizeof(out),
		 "SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s\r\n"
		 "Call-ID: %s\r\nCSeq: %s\r\nContact: <sip:201@%s:%u>\r\n"
		 "%s%sContent-Length: %zu\r\n\r\n%s",
		 status, peer_header(p, "Via"), peer_header(p, "From"), to,
		 strstr(to, ";tag=") ? "" : peer_tag, peer_header(p, "Call-ID"),
		 peer_header(p, "CSeq"), p->host, p->port, extra,
		 body[0] ? "Content-Type: application/sdp\r\n" : "",
		 strlen(body), body);
	peer_send(p, out);
}

/* Takes the dialog out of the INVITE that came: peer_request() is in it then.
 */
static inline void peer_called(struct peer *p)
{
	const char *tag = strstr(peer_header(p, "From"), ";tag=");

	assert_non_null(tag);
	snprintf(p->to_tag, sizeof(p->to_tag), "%s", tag + 5);
	snprintf(p->call_id, sizeof(p->call_id), "%s",
		 peer_header(p, "Call-ID"));
}

static inline const char *sdp(const char *host, unsigned port, const char *more)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		 "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
		 "m=audio %u RTP/AVP 0 8 101\r\n"
		 "a=rtpmap:101 telephone-event/8000\r\n%s",
		 host, host, port, more);
	return text;
}

/* A call that is up. */
static inline void peer_call(struct peer *p, const char *user)
{
	peer_request(p, "INVITE", user, "", sdp(p->host, 7000, ""));
	expect(p, "SIP/2.0 200 ");
	peer_learn(p);
	peer_request(p, "ACK", user, "", "");
}

/* Whatever was sent before has been dealt with when a friend's OPTIONS is
 * answered: what has not come by then does not come. */
static inline void settle(void)
{
	static struct peer p;

	/* again with each turn: a full socket drops it */
	peer_open(&p, FRIEND2, false);
	wait_until((peer_request(&p, "OPTIONS", "", "", ""), turn(),
		    peer_has(&p, "SIP/2.0 200 ")));
	peer_close(&p);
}

#endif
