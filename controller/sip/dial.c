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
#include "controller/sip/rtpport.h"

#include <stdio.h>
#include <unistd.h>

#define ALLOW "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\n"
#define MAX_URI 256

struct dial {
	struct le le;
	struct listener *listener;
	struct sipsess *sess;
	struct nego *nego;
	struct mbuf *offer;
	struct sa to;
	struct tmr tmr; /* an end put off */
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
	list_unlink(&d->le);
	mem_deref(d->sess);
	mem_deref(d->nego);
	mem_deref(d->offer);
	if (d->fd >= 0)
		close(d->fd);
	memset(d->password, 0, sizeof(d->password));
}

static void finish(struct dial *d)
{
	d->listener->stack->n_dials--;
	list_unlink(&d->le);
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

void dial_end(struct dial *d, const char *header)
{
	char line[256];

	if (!d)
		return;
	d->h = (struct dial_handlers){0};
	if (header && header[0] && d->sess) {
		snprintf(line, sizeof(line), "%s", header);
		line[strcspn(line, "\r\n")] = '\0';
		(void)sipsess_set_close_headers(d->sess, "%s\r\n", line);
	}
	end(d, 0, "ended");
}

static void tell_media(struct dial *d, const struct nego_result *r)
{
	struct dial_media m = {
		.fmt = r->fmt,
		.held = !r->send || !sa_isset(&r->remote, SA_ADDR),
	};

	tc_sa_get(&m.remote, &r->remote);
	if (d->talk) {
		m.leg = (struct media_leg){
			.fd = d->fd,
			.remote = m.remote,
			.fmt = r->fmt,
			.event_pt = r->event_pt,
			.send = r->send && !m.held,
			.recv = r->recv && !m.held,
			.dscp = d->listener->stack->config->sip.dscp_rtp,
		};
		d->fd = -1;
	}
	if (d->h.media)
		d->h.media(d, &m, d->arg);
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
	struct nego_result r;
	struct reason why;
	int err;

	if (!mbuf_get_left(msg->mb))
		return nego_offer(d->nego, descp);
	err = nego_answer(d->nego, msg->mb, descp, &r, &why);
	if (!err)
		tell_media(d, &r);
	return err;
}

static int answer_handler(const struct sip_msg *msg, void *arg)
{
	struct dial *d = arg;
	struct nego_result r;
	struct reason why;

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
	tell_media(d, &r);
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

static void close_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct dial *d = arg;
	char text[96];

	if (msg && msg->scode >= 300) {
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
		";transport=tcp if need be";
	struct pl pl, name;

	pl_set_str(&pl, text);
	if (strlen(text) >= MAX_URI || uri_decode(uri, &pl) ||
	    pl_strcasecmp(&uri->scheme, "sip")) {
		reason_set(why, EINVAL, "\"%.80s\" is no SIP URI; %s", text,
			   allowed);
		return false;
	}
	if (sa_set(to, &uri->host, uri->port ? uri->port : SIP_PORT)) {
		reason_set(why, EINVAL,
			   "\"%.80s\": names are not looked up; %s", text,
			   allowed);
		return false;
	}
	*tp = SIP_TRANSP_UDP;
	if (!msg_param_decode(&uri->params, "transport", &name)) {
		if (!pl_strcasecmp(&name, "tcp")) {
			*tp = SIP_TRANSP_TCP;
		} else if (pl_strcasecmp(&name, "udp")) {
			reason_set(why, EINVAL,
				   "\"%.80s\": transport; allowed: udp and tcp",
				   text);
			return false;
		}
	}
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

static int connect_call(struct dial *d, const struct dial_request *rq,
			const struct account_route *r)
{
	const struct config_account *via = r->account;
	char from[220];

	if (via)
		re_snprintf(from, sizeof(from), "%s", via->aor);
	else
		re_snprintf(from, sizeof(from), "sip:%s@%J", rq->user,
			    &d->listener->laddr);
	return tc_sipsess_connect(
		&d->sess, d->listener->sock, rq->uri,
		rq->display && rq->display[0] ? rq->display : NULL, from,
		via ? via->address.user : rq->user, via ? r->route : NULL,
		d->offer, desc_handler, auth_handler, d, offer_handler,
		answer_handler, progress_handler, established_handler,
		info_handler, refer_handler, close_handler, d, "%s%s", ALLOW,
		rq->headers ? rq->headers : "");
}

int dial_find_way(const struct stack *s, const char *text,
		  struct account_route *r, struct reason *why)
{
	struct uri uri;
	struct pl pl;
	int err = ENOENT;

	memset(r, 0, sizeof(*r));
	pl_set_str(&pl, text);
	if (!uri_decode(&uri, &pl))
		err = account_all_route(s->accounts, &uri.host, r, why);
	if (err != ENOENT)
		return err;
	return dial_uri_decode(text, &uri, &r->to, &r->tp, why) ? 0 : EINVAL;
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
	if (!err) {
		nego_limit(d->nego, rq->codecs, rq->n_codecs, !rq->talk);
		err = nego_offer(d->nego, &d->offer);
	}
	if (!err)
		err = connect_call(d, rq, &way);
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
	struct mbuf *offer = NULL;

	if (d->over || !d->answered || nego_offer(d->nego, &offer))
		return;
	(void)sipsess_modify(d->sess, offer);
	mem_deref(offer);
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
