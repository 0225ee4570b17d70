/*
 * A paging call from INVITE to the end of its dialog.
 *
 * libre calls into a session while it is working on it; ending it there would
 * take its ground away. While `inside` an end is put off to the next turn of
 * the loop; else it is carried out at once. The owner's closed handler is
 * called exactly once for each call its page handler accepted.
 */
#include "controller/base/clock.h"
#include "controller/sip/account_internal.h"
#include "controller/sip/core.h"
#include "controller/sip/policy.h"
#include "controller/sip/refresh.h"
#include "controller/sip/rtpport.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

#define ALLOW "Allow: " POLICY_ALLOW "\r\n"

struct page_call {
	struct le le;
	struct listener *listener;
	struct sipsess *sess;
	struct nego *nego;
	struct dtls *dtls;                   /* makes, or has made, the keys */
	struct media_srtp dtls_out, dtls_in; /* which are these */
	struct refresh refresh;              /* its session timer */
	char *from_tag;                      /* theirs */
	uint32_t cseq;                       /* of the INVITE */
	struct tmr tmr;                      /* an end put off, or no ACK */
	unsigned inside;  /* libre is working on the session */
	bool established; /* ACK came */
	bool ending;
	int fd; /* until the owner has it, then -1 */
	void *arg;
	const struct stack_handlers *h; /* who is told of it */
	void *h_arg;
	struct nego_result now;
	bool both_ways; /* they once heard us: sendonly is a hold */
	char why[160];
};

static void destructor(void *arg)
{
	struct page_call *call = arg;

	tmr_cancel(&call->tmr);
	refresh_close(&call->refresh);
	mem_deref(call->from_tag);
	mem_deref(call->sess);
	mem_deref(call->dtls);
	mem_deref(call->nego);
	OPENSSL_cleanse(&call->dtls_out, sizeof(call->dtls_out));
	OPENSSL_cleanse(&call->dtls_in, sizeof(call->dtls_in));
	if (call->fd >= 0)
		close(call->fd);
}

static struct stack *stack_of(const struct page_call *call)
{
	return call->listener->stack;
}

/* Hears and tells its owner nothing more; libre says BYE as it must. */
static void finish(struct page_call *call)
{
	struct stack *s = stack_of(call);

	refresh_close(&call->refresh);
	call->sess = mem_deref(call->sess);
	list_unlink(&call->le);
	s->n_calls--;
	call->h->closed(call, call->why, call->arg, call->h_arg);
	mem_deref(call);
}

static void finish_later(void *arg)
{
	finish(arg);
}

/* One header line into the BYE and into our 200 to theirs. */
static void closing_header(struct page_call *call, const char *header)
{
	char line[256];

	if (!header || !header[0])
		return;
	snprintf(line, sizeof(line), "%s", header);
	line[strcspn(line, "\r\n")] = '\0';
	(void)sipsess_set_close_headers(call->sess, "%s\r\n", line);
}

void page_call_end(struct page_call *call, const char *why, const char *header)
{
	if (!call || call->ending)
		return;
	call->ending = true;
	snprintf(call->why, sizeof(call->why), "%s", why ? why : "ended");
	closing_header(call, header);
	if (call->inside)
		tmr_start(&call->tmr, 0, finish_later, call);
	else
		finish(call);
}

void page_call_record(struct page_call *call, uint64_t record)
{
	calltrace_record(stack_of(call)->trace,
			 sip_dialog_callid(sipsess_dialog(call->sess)), record);
}

static void no_ack(void *arg)
{
	page_call_end(arg, "no ACK", NULL);
}

static void refresh_due(void *arg)
{
	struct page_call *call = arg;

	if (!call->ending)
		refresh_send(call->sess, call->nego);
}

static void refresh_over(void *arg)
{
	page_call_end(arg, "session not refreshed", REFRESH_EXPIRED);
}

/* Silence while they hold us: hold music must not go on the air. */
static bool is_held(const struct page_call *call)
{
	const struct nego_result *r = &call->now;

	return !r->recv || !sa_isset(&r->remote, SA_ADDR) ||
	       (call->both_ways && !r->send);
}

static void make_leg(const struct page_call *call, struct media_leg *leg)
{
	const struct nego_result *r = &call->now;
	const bool held = is_held(call);

	*leg = (struct media_leg){
		.fd = call->fd,
		.fmt = r->fmt,
		.event_pt = r->event_pt,
		.send = r->send && !held,
		.recv = r->recv && !held,
		.dscp = stack_of(call)->config->sip.dscp_rtp,
		.out = r->dtls ? call->dtls_out : r->out,
		.in = r->dtls ? call->dtls_in : r->in,
	};
	tc_sa_get(&leg->remote, &r->remote);
}

/* First agreement: the owner gets the socket. */
static void open_leg(struct page_call *call)
{
	struct media_leg leg;

	call->both_ways = call->now.send;
	make_leg(call, &leg);
	call->fd = -1;
	call->h->media(call, &leg, call->arg, call->h_arg);
}

static void on_keys(const struct dtls_result *r, void *arg)
{
	struct page_call *call = arg;

	if (r->why) {
		page_call_end(call, r->why, NULL);
		return;
	}
	call->dtls_out = r->out;
	call->dtls_in = r->in;
	call->now.remote = r->from;
	open_leg(call); /* the call may be gone after this */
}

/* The owner hears of the call's sound once there are keys for it. */
static void begin_sound(struct page_call *call)
{
	const struct nego_result *n = &call->now;
	const struct dtls_request rq = {
		.fd = call->fd,
		.remote = n->remote,
		.active = n->active,
		.theirs = n->theirs,
	};

	if (!n->dtls)
		open_leg(call);
	else if (dtls_start(&call->dtls, stack_of(call)->identity, &rq, on_keys,
			    call))
		page_call_end(call, "no memory for DTLS", NULL);
}

static void change_leg(struct page_call *call)
{
	struct media_leg leg;

	call->both_ways |=
		call->now.send && sa_isset(&call->now.remote, SA_ADDR);
	make_leg(call, &leg);
	call->h->changed(call, &leg, is_held(call), call->arg, call->h_arg);
}

static int take_offer(struct page_call *call, const struct sip_msg *msg,
		      struct mbuf **descp, struct reason *why)
{
	struct nego_result r;
	const int err = nego_answer(call->nego, msg->mb, descp, &r, why);

	if (err)
		return err;
	call->now = r;
	/* Else its sound has not begun. */
	if (call->fd < 0) {
		call->inside++;
		change_leg(call);
		call->inside--;
	}
	return 0;
}

/* re-INVITE: an offer to answer, or the wish for one of ours. */
static int offer_handler(struct mbuf **descp, const struct sip_msg *msg,
			 void *arg)
{
	struct page_call *call = arg;
	char lines[SESSION_LINES_SIZE];
	struct reason why;
	int err;

	if (mbuf_get_left(msg->mb))
		err = take_offer(call, msg, descp, &why);
	else
		err = nego_offer(call->nego, descp);
	if (!err && refresh_answer(&call->refresh, msg, lines) == 200)
		guard_lines_answer(msg, lines);
	return err;
}

/* ACK with the answer to our offer, or the 200 to our refresh. */
static int answer_handler(const struct sip_msg *msg, void *arg)
{
	struct page_call *call = arg;
	const bool first = call->fd >= 0;
	struct reason why;
	int err;

	call->inside++;
	err = nego_answered(call->nego, msg->mb, &call->now, &why);
	if (!msg->req)
		refresh_agreed(&call->refresh, msg);
	if (err)
		page_call_end(call,
			      msg->req ? "no usable answer in the ACK"
				       : "no usable answer to a refresh",
			      NULL);
	else if (first && !call->dtls)
		begin_sound(call);
	else if (!first)
		change_leg(call);
	call->inside--;
	return 0;
}

static void established_handler(const struct sip_msg *msg, void *arg)
{
	struct page_call *call = arg;

	(void)msg;
	call->established = true;
	if (!call->ending)
		tmr_cancel(&call->tmr);
}

/* Keys pressed and the like: taken, so that no phone hangs up over it. */
static void info_handler(struct sip *sip, const struct sip_msg *msg, void *arg)
{
	struct page_call *call = arg;
	const char key = caller_key(msg);

	(void)sip_treply(NULL, sip, msg, 200, "OK");
	if (!key || call->ending)
		return;
	call->inside++;
	call->h->key(call, key, call->arg, call->h_arg);
	call->inside--;
}

static void refer_handler(struct sip *sip, const struct sip_msg *msg, void *arg)
{
	(void)arg;
	(void)sip_treply(NULL, sip, msg, 603, "Pages cannot be transferred");
}

/* The session is over; libre no longer touches it after this. */
static void close_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct page_call *call = arg;

	(void)msg;
	if (!call->ending) {
		call->ending = true;
		snprintf(call->why, sizeof(call->why), "%s",
			 err == ECONNRESET  ? "caller hung up"
			 : err == ETIMEDOUT ? call->established
						      ? "caller is gone"
						      : "no ACK"
			 : err              ? strerror(err)
					    : "session refused");
	}
	tmr_cancel(&call->tmr);
	finish(call);
}

/* A reply to the INVITE that ends it. header: whole lines or "". */
static void refuse(struct listener *l, const struct sip_msg *msg,
		   uint16_t status, const char *reason, const char *header)
{
	struct stack *s = l->stack;

	s->counters.refused++;
	(void)sip_treplyf(NULL, NULL, l->sip, msg, false, status, reason,
			  "%sContent-Length: 0\r\n\r\n", header);
	stack_tell_refused(s, &msg->src, reason, status);
}

/* RFC 3261 20.43: 304 media type, 305 format. */
static void refuse_media(struct listener *l, const struct sip_msg *msg,
			 const struct reason *why)
{
	char header[512], host[64] = "";

	(void)sa_ntop(&l->laddr, host, sizeof(host));
	snprintf(header, sizeof(header),
		 "Warning: 305 %s \"%s; %s is accepted\"\r\n", host, why->text,
		 NEGO_ALLOWED);
	refuse(l, msg, 488, "Not Acceptable Here", header);
}

static int call_alloc(struct page_call **cp, struct listener *l)
{
	const struct config_sip *c = &l->stack->config->sip;
	struct page_call *call = mem_zalloc(sizeof(*call), destructor);
	struct sa rtp = l->laddr;
	int err;

	if (!call)
		return ENOMEM;
	call->listener = l;
	call->fd = -1;
	tmr_init(&call->tmr);
	refresh_init(&call->refresh, c->session_expires_ms / 1000, refresh_due,
		     refresh_over, call);
	err = rtpport_open(&call->fd, &l->stack->last_port, &rtp.u.sa,
			   c->rtp_min, c->rtp_max);
	if (err) {
		call->fd = -1;
	} else {
		sa_set_port(&rtp, l->stack->last_port);
		err = nego_alloc(&call->nego, &rtp);
	}
	if (err)
		mem_deref(call);
	else
		*cp = call;
	return err;
}

/* Once when it begins, once when it is over. */
static void tell_ports(struct stack *s, int err)
{
	char text[96] = "";
	const bool out = err == EADDRINUSE;

	if (out == s->ports_out)
		return;
	s->ports_out = out;
	if (out)
		snprintf(text, sizeof(text),
			 "no free RTP port from %u to %u for a call",
			 s->config->sip.rtp_min, s->config->sip.rtp_max);
	s->h.trouble("sip-rtp-ports", text,
		     out ? "widen sip.rtp-ports or end other programs there"
			 : "",
		     s->arg);
}

/* Extensions that may stand in a Contact as they are. */
static const char *contact_user(const struct caller *c)
{
	const char *plain = "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+*";

	return c->user[0] && !c->user[strspn(c->user, plain)] ? c->user
							      : "tocsin";
}

static void ask_owner(struct page_call *call, const struct sip_msg *msg,
		      const struct caller *who, uint64_t at_us,
		      struct page_answer *a)
{
	struct stack *s = stack_of(call);
	struct sockaddr_storage from;
	char endpoint[CONFIG_MAX_NAME + 16];
	struct page_offer o = {
		.user = who->user,
		.caller = s->proved ? endpoint : who->uri,
		.display = who->display,
		.call_id = who->call_id,
		.from = &from,
		.peer = s->who,
		.rank = who->rank,
		.at_us = at_us,
	};

	/* Its From is a claim, its password is not. */
	snprintf(endpoint, sizeof(endpoint), "endpoint:%s", s->who->name);
	tc_sa_get(&from, &msg->src);
	*a = (struct page_answer){.status = 500};
	s->h.page(&o, a, s->arg);
	if (a->record)
		calltrace_record(s->trace, who->call_id, a->record);
}

static void refuse_as_told(struct page_call *call, const struct sip_msg *msg,
			   struct page_answer *a)
{
	char header[260] = "";
	const bool valid = a->status >= 300 && a->status < 700;

	a->reason[sizeof(a->reason) - 1] = '\0';
	a->header[sizeof(a->header) - 1] = '\0';
	a->reason[strcspn(a->reason, "\r\n")] = '\0';
	a->header[strcspn(a->header, "\r\n")] = '\0';
	if (a->header[0])
		snprintf(header, sizeof(header), "%s\r\n", a->header);
	refuse(call->listener, msg, valid ? a->status : 500,
	       a->reason[0] ? a->reason : "Refused", header);
}

static int answer(struct page_call *call, const struct sip_msg *msg,
		  struct mbuf *desc, const struct caller *who)
{
	struct listener *l = call->listener;
	char session[SESSION_LINES_SIZE];

	/* Policy has refused what cannot be. */
	(void)refresh_answer(&call->refresh, msg, session);
	return tc_sipsess_accept(
		&call->sess, l->sock, msg, 200, "OK", contact_user(who),
		"application/sdp", desc, NULL, NULL, false, offer_handler,
		answer_handler, established_handler, info_handler,
		refer_handler, close_handler, call, "%s%s", ALLOW, session);
}

/* Accepted by the owner: 200 first, sound next. */
static void take(struct page_call *call, const struct sip_msg *msg,
		 struct mbuf *desc, const struct caller *who)
{
	struct stack *s = stack_of(call);
	const bool has_offer = mbuf_get_left(msg->mb);
	int err;

	list_append(&s->calls, &call->le, call);
	s->n_calls++;
	call->cseq = msg->cseq.num;
	err = pl_strdup(&call->from_tag, &msg->from.tag);
	if (!err)
		err = answer(call, msg, desc, who);
	if (err) {
		refuse(call->listener, msg, 500, "Server Internal Error", "");
		page_call_end(call, strerror(err), NULL);
		return;
	}
	(void)target_pin(sipsess_dialog(call->sess), msg, call->listener);
	refresh_dialog(&call->refresh, sipsess_dialog(call->sess));
	tmr_start(&call->tmr, STACK_ACK_MS, no_ack, call);
	if (has_offer)
		begin_sound(call); /* the call may be gone after this */
}

/* RFC 3261 8.2.2.2: an INVITE that a proxy forked and that came here twice. */
static bool is_merged(const struct stack *s, const struct sip_msg *msg)
{
	struct le *le;

	for (le = list_head(&s->calls); le; le = le->next) {
		const struct page_call *call = le->data;

		if (call->sess && call->cseq == msg->cseq.num &&
		    !pl_strcmp(&msg->callid,
			       sip_dialog_callid(sipsess_dialog(call->sess))) &&
		    !pl_strcmp(&msg->from.tag, call->from_tag))
			return true;
	}
	return false;
}

void call_incoming(struct listener *l, const struct sip_msg *msg)
{
	const uint64_t at_us = clock_mono_us();
	struct page_call *call = NULL;
	struct mbuf *desc = NULL;
	struct page_answer a;
	struct caller who;
	struct reason why;
	int err;

	if (is_merged(l->stack, msg)) {
		refuse(l, msg, 482, "Merged Request", "");
		return;
	}
	err = call_alloc(&call, l);
	tell_ports(l->stack, err);
	if (err) {
		refuse(l, msg, 503, "No port for sound", "Retry-After: 10\r\n");
		return;
	}
	err = nego_secure(call->nego, l->stack->who->srtp,
			  stack_exposes(l->stack, msg->tp),
			  dtls_identity_fingerprint(l->stack->identity), &why);
	if (!err && mbuf_get_left(msg->mb))
		err = nego_answer(call->nego, msg->mb, &desc, &call->now, &why);
	else if (!err)
		err = nego_offer(call->nego, &desc);
	if (err == EPROTO) {
		refuse_media(l, msg, &why);
	} else if (err) {
		refuse(l, msg, 500, "Server Internal Error", "");
	} else {
		caller_identify(&who, msg, l->stack->who->trusted);
		if (l->stack->account)
			account_number(l->stack->account, msg, who.user,
				       sizeof(who.user));
		ask_owner(call, msg, &who, at_us, &a);
		if (a.status == 200) {
			call->arg = a.arg;
			call->h = a.h ? a.h : &l->stack->h;
			call->h_arg = a.h ? a.h_arg : l->stack->arg;
			take(call, msg, desc, &who);
			call = NULL;
		} else {
			refuse_as_told(call, msg, &a);
		}
	}
	mem_deref(call);
	mem_deref(desc);
}

void call_end_all(struct stack *s, const struct listener *l, const char *why)
{
	struct le *le = list_head(&s->calls);

	while (le) {
		struct page_call *call = le->data;

		le = le->next;
		if (l && call->listener != l)
			continue;
		if (call->ending)
			finish(call); /* was put off */
		else
			page_call_end(call, why, NULL);
	}
}
