/*
 * The gate: who is let in at the door, and a request held against the policy.
 */
#include "controller/base/clock.h"
#include "controller/sip/accept.h"
#include "controller/sip/account_internal.h"
#include "controller/sip/core.h"
#include "controller/sip/guard.h"
#include "controller/sip/lamp_internal.h"
#include "controller/sip/policy.h"
#include "controller/sip/refresh.h"
#include "controller/sip/respri.h"

static const struct sockaddr *sockaddr_of(const struct sa *sa)
{
	return &sa->u.sa;
}

/* A stranger costs a look at the peer table, and a token where endpoints may
 * register; a trusted one a token. Responses are taken from anybody, slowly: a
 * peer's Contact may be an address without an entry, and one that answers no
 * request of ours gets no word. */
bool gate_admit(const struct sa *src, enum door_what what, void *arg)
{
	struct listener *l = arg;
	struct stack *s = l->stack;
	const bool known = config_peer_match(s->config, sockaddr_of(src)) ||
			   dial_knows(s, src) ||
			   account_all_know(s->accounts, src) ||
			   registrar_knows(s->registrar, src);
	const bool registrar = s->config->n_endpoints;
	const bool registers =
		what == DOOR_STRANGER || (what == DOOR_REGISTER && registrar);

	if (what == DOOR_CONNECTION && !known &&
	    registrar_admits(s->registrar, src))
		return false; /* asked again as a stranger */
	if (registers && !registrar_admits(s->registrar, src))
		return false;
	if (!known && what != DOOR_RESPONSE && !registers) {
		s->counters.strangers++;
		stack_tell_turned_away(s, src,
				       what == DOOR_CONNECTION
					       ? "connection from a stranger"
					       : "request from a stranger",
				       0);
		return false;
	}
	if (!limit_take(s->requests, sockaddr_of(src), clock_mono_ms())) {
		s->counters.limited++;
		return false;
	}
	return true;
}

static struct policy_text text(const struct pl *pl)
{
	return (struct policy_text){pl->l ? pl->p : NULL, pl->l};
}

static struct policy_text header(const struct sip_msg *msg, enum sip_hdrid id)
{
	const struct sip_hdr *h = sip_msg_hdr(msg, id);

	/* An empty header asks for nothing. */
	return h ? text(&h->val) : (struct policy_text){NULL, 0};
}

/* libre takes "Require: a, b" apart; the reply names all of them again, but for
 * those that are served. */
struct require_all {
	bool timer; /* session timers are */
	char text[256];
	size_t len;
	bool urgent; /* resource-priority, which we know */
};

static bool require_next(const struct sip_hdr *h, const struct sip_msg *msg,
			 void *arg)
{
	struct require_all *all = arg;
	int n;

	(void)msg;
	if (!pl_strcasecmp(&h->val, "resource-priority")) {
		all->urgent = true;
		return false;
	}
	if (all->timer && !pl_strcasecmp(&h->val, "timer"))
		return false;
	n = re_snprintf(all->text + all->len, sizeof(all->text) - all->len,
			"%s%r", all->len ? ", " : "", &h->val);
	if (n < 0)
		return true;
	all->len += (size_t)n;
	return false;
}

/* "type/subtype" of "application/sdp;charset=utf-8" */
static struct policy_text media_type(const struct sip_msg *msg)
{
	struct policy_text t = header(msg, SIP_HDR_CONTENT_TYPE);
	const char *end = t.p ? memchr(t.p, ';', t.len) : NULL;

	if (end)
		t.len = (size_t)(end - t.p);
	while (t.len && (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t'))
		t.len--;
	return t;
}

static bool has_contact(const struct sip_msg *msg)
{
	const struct sip_hdr *h = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;

	return h && !sip_addr_decode(&addr, &h->val);
}

static bool is_new_call(const struct sip_msg *msg)
{
	return !pl_strcmp(&msg->met, "INVITE") && !pl_isset(&msg->to.tag);
}

/* Would libre remember it, by what our layers do with it? */
static bool is_kept(const struct sip_msg *msg)
{
	static const char *const methods[] = {"INVITE", "REGISTER", "SUBSCRIBE",
					      "INFO", "REFER"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!pl_strcmp(&msg->met, methods[i]))
			return true;
	return false;
}

static bool over_rate(struct stack *s, const struct sip_msg *msg)
{
	static const struct sockaddr_in any = {.sin_family = AF_INET};
	const struct sockaddr *everybody = (const struct sockaddr *)&any;
	const uint64_t now = clock_mono_ms();
	bool ok = true;

	if (is_new_call(msg))
		ok = limit_take(s->invites, sockaddr_of(&msg->src), now) &&
		     limit_take(s->invites_all, everybody, now);
	else if (is_kept(msg))
		ok = limit_take(s->kept, everybody, now);
	s->counters.limited += !ok;
	return !ok;
}

static void judge(struct listener *l, const struct sip_msg *msg,
		  const struct config_peer *peer, struct policy_verdict *v)
{
	struct stack *s = l->stack;
	struct require_all require = {.len = 0};
	struct pl maddr;
	struct policy_request r = {
		.method = text(&msg->met),
		.scheme = text(&msg->uri.scheme),
		.content_type = media_type(msg),
		.content_encoding = header(msg, SIP_HDR_CONTENT_ENCODING),
		.bad = guard_bad_reason(msg),
		.bad_status = guard_bad_status(msg),
		.has_via = pl_isset(&msg->via.sentby),
		.multicast_via =
			!msg_param_decode(&msg->via.params, "maddr", &maddr),
		.in_dialog = pl_isset(&msg->to.tag),
		.has_contact = has_contact(msg),
		.has_tag = pl_isset(&msg->from.tag),
		.no_sdp = !accept_wants(msg, "application/sdp"),
		.datagram = msg->tp == SIP_TRANSP_UDP,
		.has_length = pl_isset(&msg->clen),
		.length = pl_u32(&msg->clen),
		.body = mbuf_get_left(msg->mb),
		.may_call = peer->page || peer->help || peer->alarm,
		.registrar = s->config->n_endpoints > 0,
		.calls = s->n_calls,
		.max_calls = s->config->sip.max_calls,
		.session_s = GUARD_LINES
				     ? s->config->sip.session_expires_ms / 1000
				     : 0,
	};

	refresh_read(&r.session, msg);
	require.timer = r.session_s > 0;
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_REQUIRE, require_next,
				&require);
	if (require.len)
		r.require = (struct policy_text){require.text, require.len};
	r.unknown_priority = require.urgent && caller_rank(msg) == RESPRI_NONE;
	r.over_rate = over_rate(s, msg);
	policy_decide(&r, v);
}

/* RFC 3261 18.3: what follows the body in a datagram is not part of it. */
static void trim_body(const struct sip_msg *msg)
{
	const size_t len = pl_u32(&msg->clen);

	if (msg->tp == SIP_TRANSP_UDP && pl_isset(&msg->clen) &&
	    len < mbuf_get_left(msg->mb))
		msg->mb->end = msg->mb->pos + len;
}

/* Whom we call may end the call and speak within it, and nothing else. */
static const struct config_peer callee;
/* From where an endpoint has registered: it may try, with its password. */
static const struct config_peer registered = {.page = true};

/* Who an address is; NULL = a stranger. What a PBX sends to one of our accounts
 * comes by the account's rule, else by that of a peer entry. */
static const struct config_peer *who_is(struct stack *s,
					const struct sip_msg *msg)
{
	const struct config_peer *peer =
		config_peer_match(s->config, sockaddr_of(&msg->src));

	s->account = account_all_caller(s->accounts, msg);
	if (peer && s->account &&
	    pl_strcmp(&msg->uri.user, s->account->address.user))
		s->account = NULL;
	if (s->account)
		return &s->account->may;
	if (peer)
		return peer;
	if (registrar_knows(s->registrar, &msg->src))
		return &registered;
	if (dial_knows(s, &msg->src) || !pl_strcmp(&msg->met, "REGISTER"))
		return &callee;
	return NULL;
}

/* Policy has let it pass: true = that was all. */
static bool take_request(struct listener *l, const struct sip_msg *msg,
			 const struct config_peer *peer)
{
	struct stack *s = l->stack;
	const bool watches = !pl_strcmp(&msg->met, "SUBSCRIBE");

	s->who = peer;
	s->proved = false;
	if (!pl_strcmp(&msg->met, "REGISTER")) {
		registrar_request(s->registrar, l, msg);
		return true;
	}
	if (peer == &registered && (is_new_call(msg) || watches)) {
		s->who = registrar_caller(s->registrar, l, msg);
		if (!s->who)
			return true;
		s->proved = true;
	}
	if (watches)
		lamp_request(l, msg, s->who);
	return watches ||
	       (is_new_call(msg) && registrar_redirect(s->registrar, l, msg));
}

/* First behind libre's transactions: true = dealt with. */
bool gate_request(const struct sip_msg *msg, void *arg)
{
	struct listener *l = arg;
	struct stack *s = l->stack;
	struct policy_verdict v;
	const struct config_peer *peer = who_is(s, msg);
	bool ack;

	s->counters.requests++;
	/* A connection outlives a peer entry that a reload took away. Streams
	 * hold many messages: the door counted the connection only. */
	if (!peer || (msg->tp != SIP_TRANSP_UDP &&
		      !limit_take(s->requests, sockaddr_of(&msg->src),
				  clock_mono_ms()))) {
		*(peer ? &s->counters.limited : &s->counters.strangers) += 1;
		return true;
	}
	trim_body(msg);
	judge(l, msg, peer, &v);
	switch (v.act) {
	case POLICY_PASS:
		return take_request(l, msg, peer);
	case POLICY_DROP:
		return true;
	case POLICY_REPLY:
		break;
	}
	/* A broken ACK is known by its CSeq only. */
	ack = !pl_strcmp(&msg->cseq.met, "ACK");
	if (!ack)
		(void)sip_replyf(l->sip, msg, v.status, v.reason,
				 "%sContent-Length: 0\r\n\r\n", v.header);
	if (v.status >= 300) {
		s->counters.refused++;
		if (!ack)
			stack_tell_turned_away(s, &msg->src, v.reason,
					       v.status);
	}
	return true;
}
