/*
 * A call of ours from INVITE to the end of its dialog.
 *
 * libre calls into a session while it is working on it; ending it there would
 * take its ground away: every end is put off to the next turn of the loop.
 */
#include "controller/sip/dial.h"

#include "controller/sip/account_internal.h"
#include "controller/sip/caller.h"
#include "controller/sip/core.h"
#include "controller/sip/invite.h"
#include "controller/sip/refresh.h"
#include "controller/sip/respri.h"
#include "controller/sip/rtpport.h"
#include "controller/sip/secure.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

#define ALLOW "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\n"
#define MAX_URI 256

struct dial {
	struct le le;
	struct listener *listener;
	struct sipsess *sess;
	struct nego *nego;
	struct nego_result now;              /* agreed on last */
	struct dtls *dtls;                   /* makes, or has made, the keys */
	struct media_srtp dtls_out, dtls_in; /* which are these */
	struct mbuf *offer;
	struct invite invite;
	struct refresh refresh; /* its session timer */
	struct sa to;
	struct tmr tmr; /* an end, or another try, put off */
	struct dial_handlers h;
	void *arg;
	bool talk, answered, over;
	bool hung_up; /* by them */
	int fd;       /* of a call that talks, until its owner has it */
	uint16_t status;
	char why[96];
	char auth_user[64], password[128];
};

static void destructor(void *arg)
{
	struct dial *d = arg;

	tmr_cancel(&d->tmr);
	refresh_close(&d->refresh);
	list_unlink(&d->le);
	mem_deref(d->sess);
	mem_deref(d->dtls);
	mem_deref(d->nego);
	OPENSSL_cleanse(&d->dtls_out, sizeof(d->dtls_out));
	OPENSSL_cleanse(&d->dtls_in, sizeof(d->dtls_in));
	mem_deref(d->offer);
	invite_forget(&d->invite);
	if (d->fd >= 0)
		close(d->fd);
	memset(d->password, 0, sizeof(d->password));
}

static void finish(struct dial *d)
{
	d->listener->stack->n_dials--;
	list_unlink(&d->le);
	refresh_close(&d->refresh);
	d->sess = mem_deref(d->sess);
	if (d->h.closed)
		d->h.closed(d, d->status, d->why, d->arg);
	mem_deref(d);
}

static void finish_later(void *arg)
{
	finish(arg);
}

static void end(struct dial *d, uint16_t status, const char *why)
{
	if (d->over)
		return;
	d->over = true;
	d->status = status;
	snprintf(d->why, sizeof(d->why), "%s", why);
	tmr_start(&d->tmr, 0, finish_later, d);
}

/* One header line into the BYE. */
static void closing_header(struct dial *d, const char *header)
{
	char line[256];

	if (!header || !header[0] || !d->sess)
		return;
	snprintf(line, sizeof(line), "%s", header);
	line[strcspn(line, "\r\n")] = '\0';
	(void)sipsess_set_close_headers(d->sess, "%s\r\n", line);
}

void dial_end(struct dial *d, const char *header)
{
	if (!d)
		return;
	d->h = (struct dial_handlers){0};
	closing_header(d, header);
	end(d, 0, "ended");
}

static void refresh_over(void *arg)
{
	struct dial *d = arg;

	closing_header(d, REFRESH_EXPIRED);
	end(d, 408, "session not refreshed");
}

static void refresh_due(void *arg)
{
	dial_refresh(arg);
}

static void tell_media(struct dial *d)
{
	const struct nego_result *r = &d->now;
	struct dial_media m = {
		.fmt = r->fmt,
		.key = r->out,
		.held = !r->send || !sa_isset(&r->remote, SA_ADDR),
	};

	tc_sa_get(&m.remote, &r->remote);
	tc_sa_get(&m.sip, &d->to);
	if (d->talk) {
		m.leg = (struct media_leg){
			.fd = d->fd,
			.remote = m.remote,
			.fmt = r->fmt,
			.event_pt = r->event_pt,
			.send = r->send && !m.held,
			.recv = r->recv && !m.held,
			.dscp = d->listener->stack->config->sip.dscp_rtp,
			.out = r->dtls ? d->dtls_out : r->out,
			.in = r->dtls ? d->dtls_in : r->in,
		};
		d->fd = -1;
	}
	if (d->h.media)
		d->h.media(d, &m, d->arg);
}

static void on_keys(const struct dtls_result *r, void *arg)
{
	struct dial *d = arg;

	if (d->over)
		return;
	if (r->why) {
		end(d, 0, r->why);
		return;
	}
	d->dtls_out = r->out;
	d->dtls_in = r->in;
	d->now.remote = r->from;
	tell_media(d);
}

/* Agreed: its sound begins, once there are keys for it, or changes. */
static void agreed(struct dial *d)
{
	const struct dtls_request rq = {
		.fd = d->fd,
		.remote = d->now.remote,
		.active = d->now.active,
		.theirs = d->now.theirs,
	};

	if (!d->now.dtls || d->fd < 0)
		tell_media(d);
	else if (!d->dtls && dtls_start(&d->dtls, d->listener->stack->identity,
					&rq, on_keys, d))
		end(d, 0, "no memory for DTLS");
}

/* The offer that libre 3 and later ask for. */
#if TC_RE_VER >= 30000
static int desc_handler(struct mbuf **descp, const struct sa *src,
			const struct sa *dst, void *arg)
{
	struct dial *d = arg;

	(void)src;
	(void)dst;
	*descp = mem_ref(d->offer);
	return 0;
}
#endif

/* Their re-INVITE: hold, resume, another address. */
static int offer_handler(struct mbuf **descp, const struct sip_msg *msg,
			 void *arg)
{
	struct dial *d = arg;
	char lines[SESSION_LINES_SIZE];
	struct nego_result r;
	struct reason why;
	int err;

	if (!mbuf_get_left(msg->mb)) {
		err = nego_offer(d->nego, descp);
	} else {
		err = nego_answer(d->nego, msg->mb, descp, &r, &why);
		if (!err) {
			d->now = r;
			agreed(d);
		}
	}
	if (!err && refresh_answer(&d->refresh, msg, lines) == 200)
		guard_lines_answer(msg, lines);
	return err;
}

static int answer_handler(const struct sip_msg *msg, void *arg)
{
	struct dial *d = arg;
	struct nego_result r;
	struct reason why = {"out of memory"};

	if (d->over)
		return 0;
	if (nego_answered(d->nego, msg->mb, &r, &why)) {
		char text[96];

		snprintf(text, sizeof(text), "answered with unusable SDP: %s",
			 why.text);
		end(d, msg->scode, text);
		return 0;
	}
	d->answered = true;
	d->now = r;
	if (!msg->req) { /* an ACK to their re-INVITE says nothing of it */
		refresh_agreed(&d->refresh, msg);
		refresh_dialog(&d->refresh, sipsess_dialog(d->sess));
	}
	agreed(d);
	return 0;
}

/* Ringing, early media: the sound waits for the answer. */
static void progress_handler(const struct sip_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
}

static void established_handler(const struct sip_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
}

static void info_handler(struct sip *sip, const struct sip_msg *msg, void *arg)
{
	struct dial *d = arg;
	char key = caller_key(msg);

	(void)sip_treply(NULL, sip, msg, 200, "OK");
	if (key && d->h.key)
		d->h.key(d, key, d->arg);
}

static void refer_handler(struct sip *sip, const struct sip_msg *msg, void *arg)
{
	(void)arg;
	(void)sip_treply(NULL, sip, msg, 603, "Decline");
}

static void again(void *arg);

static void close_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct dial *d = arg;
	char text[96];

	if (msg && !d->over && !d->answered &&
	    refresh_too_small(&d->refresh, msg))
		tmr_start(&d->tmr, 0, again, d);
	else if (msg && msg->scode >= 300) {
		snprintf(text, sizeof(text), "%u %.*s", msg->scode,
			 msg->reason.l > 64 ? 64 : (int)msg->reason.l,
			 msg->reason.l ? msg->reason.p : "");
		end(d, msg->scode, text);
	} else if (d->answered && err != ETIMEDOUT) {
		/* libre tells a BYE as this. */
		d->hung_up = err == ECONNRESET;
		end(d, 0, "hung up");
	} else {
		end(d, 0,
		    err == ETIMEDOUT ? "no answer to SIP"
		    : err            ? strerror(err)
				     : "refused");
	}
}

static int auth_handler(char **user, char **password, const char *realm,
			void *arg)
{
	struct dial *d = arg;
	int err;

	(void)realm;
	if (!d->auth_user[0])
		return EACCES;
	err = str_dup(user, d->auth_user);
	return err ? err : str_dup(password, d->password);
}

/* ------------------------------------------------------------------ where */

bool dial_uri_decode(const char *text, struct uri *uri, struct sa *to,
		     enum sip_transp *tp, struct reason *why)
{
	static const char allowed[] =
		"allowed: sip:USER@ADDRESS:PORT with a numeric address, and "
		";transport=tcp or tls if need be";
	struct pl pl, name;

	pl_set_str(&pl, text);
	if (strlen(text) >= MAX_URI || uri_decode(uri, &pl) ||
	    pl_strcasecmp(&uri->scheme, "sip")) {
		reason_set(why, EINVAL, "\"%.80s\" is no SIP URI; %s", text,
			   allowed);
		return false;
	}
	*tp = SIP_TRANSP_UDP;
	if (sa_set(to, &uri->host, uri->port)) {
		reason_set(why, EINVAL,
			   "\"%.80s\": names are not looked up; %s", text,
			   allowed);
		return false;
	}
	if (!msg_param_decode(&uri->params, "transport", &name)) {
		if (!pl_strcasecmp(&name, "tcp")) {
			*tp = SIP_TRANSP_TCP;
		} else if (!pl_strcasecmp(&name, "tls")) {
			*tp = SIP_TRANSP_TLS;
		} else if (pl_strcasecmp(&name, "udp")) {
			reason_set(why, EINVAL,
				   "\"%.80s\": transport; allowed: udp, tcp "
				   "and tls",
				   text);
			return false;
		}
	}
	if (!uri->port)
		sa_set_port(to,
			    *tp == SIP_TRANSP_TLS ? SIP_PORT_TLS : SIP_PORT);
	return true;
}

bool dial_uri_ok(const char *uri, struct reason *why)
{
	enum sip_transp tp;
	struct uri u;
	struct sa to;

	return dial_uri_decode(uri, &u, &to, &tp, why);
}

/* The address this machine would send from. */
static bool source_of(const struct sa *to, struct sa *src)
{
	socklen_t len = sizeof(src->u);
	bool ok;
	int fd = socket(sa_af(to), SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	sa_init(src, sa_af(to));
	ok = !connect(fd, &to->u.sa, to->len) &&
	     !getsockname(fd, &src->u.sa, &len);
	src->len = len;
	close(fd);
	return ok;
}

/* The listener on the address the route there leaves from; any other of that
 * transport and family where none has it. */
struct listener *listener_for(const struct stack *s, const struct sa *to,
			      enum sip_transp tp)
{
	struct listener *other = NULL;
	struct sa src;
	const bool routed = source_of(to, &src);
	struct le *le;

	for (le = list_head(&s->listeners); le; le = le->next) {
		struct listener *l = le->data;

		if (!(tp == SIP_TRANSP_TCP   ? l->tcp
		      : tp == SIP_TRANSP_TLS ? l->tls
					     : l->udp) ||
		    sa_af(&l->laddr) != sa_af(to))
			continue;
		if (routed && sa_cmp(&l->laddr, &src, SA_ADDR))
			return l;
		other = l;
	}
	return routed ? other : NULL;
}

uint16_t dial_port(struct stack *s)
{
	static const struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	static const struct sockaddr_in four = {.sin_family = AF_INET};
	const int on = 1;
	int err;

	if (s->dial_fd >= 0)
		return s->dial_port;
	s->dial_port = s->last_port;
	err = rtpport_open(&s->dial_fd, &s->dial_port,
			   (const struct sockaddr *)&six,
			   s->config->sip.rtp_min, s->config->sip.rtp_max);
	if (err)
		err = rtpport_open(&s->dial_fd, &s->dial_port,
				   (const struct sockaddr *)&four,
				   s->config->sip.rtp_min,
				   s->config->sip.rtp_max);
	if (err) {
		s->dial_fd = -1;
		return 0;
	}
	/* The media engine's socket may have it too, and nobody else. */
	(void)setsockopt(s->dial_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	s->last_port = s->dial_port;
	return s->dial_port;
}

/* ------------------------------------------------------------------- call */

/* What is said of who it goes to. */
static const struct config_peer *peer_of(const struct stack *s,
					 const struct account_route *way)
{
	static const struct config_peer nobody = {.srtp = SRTP_NO};
	const struct config_peer *peer =
		way->account ? &way->account->may
			     : config_peer_match(s->config, &way->to.u.sa);

	return peer ? peer : &nobody;
}

/* What an INVITE there says. */
static int keep_invite(struct dial *d, const struct dial_request *rq,
		       const struct account_route *way)
{
	const struct stack *s = d->listener->stack;
	const char *respri = respri_value(
		s->config, (enum config_respri)peer_of(s, way)->respri,
		rq->level);

	return invite_keep(&d->invite, rq, way, &d->listener->laddr, respri);
}

static int connect_call(struct dial *d)
{
	const struct invite *i = &d->invite;
	char session[SESSION_LINES_SIZE];

	refresh_offer(&d->refresh, session);
	return tc_sipsess_connect(
		&d->sess, d->listener->sock, i->uri, i->display, i->from,
		i->user, i->route, d->offer, desc_handler, auth_handler, d,
		offer_handler, answer_handler, progress_handler,
		established_handler, info_handler, refer_handler, close_handler,
		d, "%s%s%s", ALLOW, session, i->headers);
}

/* They want a longer session interval: 422. */
static void again(void *arg)
{
	struct dial *d = arg;
	int err;

	d->sess = mem_deref(d->sess);
	err = connect_call(d);
	if (err)
		end(d, 422, strerror(err));
}

int dial_find_way(const struct stack *s, const char *text,
		  struct account_route *r, struct reason *why)
{
	char host[64];
	struct uri uri;
	struct pl pl;
	int err = ENOENT;

	memset(r, 0, sizeof(*r));
	pl_set_str(&pl, text);
	if (!uri_decode(&uri, &pl))
		err = account_all_route(s->accounts, &uri.host, r, why);
	if (err != ENOENT)
		return err;
	if (!dial_uri_decode(text, &uri, &r->to, &r->tp, why))
		return EINVAL;
	/* An endpoint is called on its own connection; anybody else must prove
	 * that he is at that address. */
	if (r->tp == SIP_TRANSP_TLS && !registrar_knows(s->registrar, &r->to) &&
	    re_snprintf(host, sizeof(host), "%j", &r->to) > 0)
		secure_expect(&r->to, host);
	return 0;
}

static const char *tp_text(enum sip_transp tp)
{
	return tp == SIP_TRANSP_UDP   ? "udp"
	       : tp == SIP_TRANSP_TCP ? "tcp"
				      : "tls";
}

static void set_credentials(struct dial *d, const char *user,
			    const char *password)
{
	if (!user || !password)
		return;
	snprintf(d->auth_user, sizeof(d->auth_user), "%s", user);
	snprintf(d->password, sizeof(d->password), "%s", password);
}

/* Who it goes to says whether it is encrypted. */
static enum config_srtp srtp_of(const struct stack *s,
				const struct dial_request *rq,
				const struct account_route *way)
{
	enum config_srtp srtp = rq->srtp;

	if (srtp == SRTP_AUTO)
		srtp = (enum config_srtp)peer_of(s, way)->srtp;
	/* Loudspeakers share a socket: no handshake is on it. */
	return srtp == SRTP_DTLS && !rq->talk ? SRTP_REQUIRE : srtp;
}

int dial_start(struct dial **dp, struct stack *s, const struct dial_request *rq,
	       const struct dial_handlers *h, void *arg, struct reason *why)
{
	struct account_route way;
	struct listener *l;
	struct dial *d;
	struct sa rtp;
	int err = dial_find_way(s, rq->uri, &way, why);

	if (err)
		return err;
	if (s->n_dials >= DIAL_MAX)
		return reason_set(why, ENOSPC, "%d calls are up already",
				  DIAL_MAX);
	l = listener_for(s, &way.to, way.tp);
	if (!l)
		return reason_set(
			why, EADDRNOTAVAIL,
			"no route there from a sip.listen address with %s",
			tp_text(way.tp));
	if (!rq->talk && !dial_port(s))
		return reason_set(why, EADDRINUSE,
				  "no free RTP port: widen sip.rtp-ports");
	d = mem_zalloc(sizeof(*d), destructor);
	if (!d)
		return reason_set(why, ENOMEM, "out of memory");
	d->listener = l;
	d->to = way.to;
	d->h = *h;
	d->arg = arg;
	tmr_init(&d->tmr);
	refresh_init(&d->refresh, s->config->sip.session_expires_ms / 1000,
		     refresh_due, refresh_over, d);
	if (way.account)
		set_credentials(d,
				way.account->auth_user
					? way.account->auth_user
					: way.account->address.user,
				way.account->password);
	set_credentials(d, rq->auth_user, rq->password);
	d->fd = -1;
	d->talk = rq->talk;
	rtp = l->laddr;
	if (rq->talk)
		err = rtpport_open(&d->fd, &s->last_port, &rtp.u.sa,
				   s->config->sip.rtp_min,
				   s->config->sip.rtp_max);
	if (err) {
		d->fd = -1;
		mem_deref(d);
		return reason_set(why, err,
				  "no free RTP port: widen sip.rtp-ports");
	}
	sa_set_port(&rtp, rq->talk ? s->last_port : s->dial_port);
	err = nego_alloc(&d->nego, &rtp);
	if (!err)
		err = nego_secure(
			d->nego, srtp_of(s, rq, &way), stack_exposes(s, way.tp),
			rq->talk ? dtls_identity_fingerprint(s->identity)
				 : NULL,
			why);
	if (err == EPROTO) {
		mem_deref(d);
		return err;
	}
	if (!err) {
		nego_limit(d->nego, rq->codecs, rq->n_codecs, !rq->talk);
		err = nego_offer(d->nego, &d->offer);
	}
	if (!err)
		err = keep_invite(d, rq, &way);
	if (!err)
		err = connect_call(d);
	if (err) {
		mem_deref(d);
		return reason_set(why, err, "the call cannot be made: %s",
				  strerror(err));
	}
	list_append(&s->dials, &d->le, d);
	s->n_dials++;
	*dp = d;
	return 0;
}

bool dial_hung_up(const struct dial *d)
{
	return d->hung_up;
}

void dial_refresh(struct dial *d)
{
	if (!d->over && d->answered)
		refresh_send(d->sess, d->nego);
}

void dial_end_all(struct stack *s, const struct listener *l, const char *why)
{
	struct le *le = list_head(&s->dials);

	while (le) {
		struct dial *d = le->data;

		le = le->next;
		if (l && d->listener != l)
			continue;
		if (!d->over) {
			d->over = true;
			snprintf(d->why, sizeof(d->why), "%s", why);
		}
		finish(d);
	}
}

bool dial_knows(const struct stack *s, const struct sa *src)
{
	struct le *le;

	for (le = list_head(&s->dials); le; le = le->next) {
		const struct dial *d = le->data;

		if (sa_cmp(&d->to, src, SA_ADDR))
			return true;
	}
	return false;
}

bool dial_is_fork(const struct stack *s, const struct sip_msg *msg)
{
	struct le *le;

	for (le = list_head(&s->dials); le; le = le->next) {
		const struct dial *d = le->data;
		const struct sip_dialog *dlg = sipsess_dialog(d->sess);

		if (d->answered && sip_dialog_cmp_half(dlg, msg))
			return !sip_dialog_cmp(dlg, msg);
	}
	return false;
}
