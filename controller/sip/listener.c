/*
 * Listeners: the transports of one local address, and the way of a message:
 * door, libre's transactions, policy (gate.c), sessions, catch-all.
 */
#include "controller/base/clock.h"
#include "controller/sip/core.h"
#include "controller/sip/lamp_internal.h"
#include "controller/sip/secure.h"

#define HASH_SIZE 256 /* libre wants a power of two */

/* Nobody took it: libre would print a line and say 501. Sessions take all that
 * policy lets pass, so this is only silence. */
static bool last_handler(const struct sip_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return true;
}

static void invite_handler(const struct sip_msg *msg, void *arg)
{
	call_incoming(arg, msg);
}

static void destructor(void *arg)
{
	struct listener *l = arg;

	list_unlink(&l->le);
	sipsess_close_all(l->sock);
	mem_deref(l->sock);
	mem_deref(l->policy);
	mem_deref(l->forks);
	mem_deref(l->last_request);
	mem_deref(l->last_response);
	sip_transp_flush(l->sip);
	mem_deref(l->udp_door);
	mem_deref(l->tcp_door);
	mem_deref(l->tls_door);
	sip_close(l->sip, true);
	mem_deref(l->sip);
	mem_deref(l->tls_context);
}

static const char *transport_name(enum config_transport t)
{
	return t == TRANSPORT_UDP ? "udp" : t == TRANSPORT_TCP ? "tcp" : "tls";
}

static int cannot_listen(const struct config_listen *w, int err,
			 struct reason *why)
{
	const char *t = transport_name(w->transport);

	switch (err) {
	case EADDRINUSE:
		return reason_set(why, err,
				  "%s:%s:%u is in use: stop the other SIP "
				  "program there or change sip.listen",
				  t, w->host, w->port);
	case EADDRNOTAVAIL:
		return reason_set(why, err,
				  "%s:%s:%u: this machine has no address %s: "
				  "bring its interface up or change sip.listen",
				  t, w->host, w->port, w->host);
	case EACCES:
		return reason_set(why, err,
				  "%s:%s:%u: no permission: use a port from "
				  "1024 up or grant CAP_NET_BIND_SERVICE",
				  t, w->host, w->port);
	case ENOTSUP:
		return reason_set(
			why, err,
			"guard udp_listen/tcp_listen is not in force "
			"over this libre: it was linked in a way that "
			"cannot be interposed");
	default:
		return reason_set(why, err, "%s:%s:%u: %s", t, w->host, w->port,
				  strerror(err));
	}
}

static int check_listen(const struct config_listen *w, struct sa *laddr,
			struct reason *why)
{
	if (sa_set_str(laddr, w->host, w->port))
		return reason_set(why, EINVAL,
				  "sip.listen: \"%s\" is no numeric address",
				  w->host);
	if (sa_is_any(laddr))
		return reason_set(why, EINVAL,
				  "sip.listen: %s cannot be used: SIP puts its "
				  "own address into every message; give each "
				  "address of this machine that should be "
				  "reached, such as \"udp:10.7.0.2:%u\"",
				  w->host, w->port);
	return 0;
}

static struct listener *find(const struct stack *s, const struct sa *laddr)
{
	struct le *le;

	for (le = list_head(&s->listeners); le; le = le->next) {
		struct listener *l = le->data;

		if (sa_cmp(&l->laddr, laddr, SA_ALL))
			return l;
	}
	return NULL;
}

/* Every message that goes out or has been read: what TLS carries is seen here
 * as it was before or is after it. */
static void on_message(bool tx, enum sip_transp tp, const struct sa *src,
		       const struct sa *dst, const uint8_t *p, size_t len,
		       void *arg)
{
	const struct listener *l = arg;
	struct calltrace_message m = {
		.wall_us = clock_wall_us(),
		.sent = tx,
		.transport = tp == SIP_TRANSP_UDP   ? CALLTRACE_UDP
			     : tp == SIP_TRANSP_TCP ? CALLTRACE_TCP
						    : CALLTRACE_TLS,
		.text = (const char *)p,
		.size = len,
	};

	/* Of what we send the address is not always said. */
	tc_sa_get(&m.from, src && sa_isset(src, SA_ADDR) ? src : &l->laddr);
	if (dst)
		tc_sa_get(&m.to, dst);
	calltrace_take(l->stack->trace, &m);
}

/* Policy stands between libre's transactions and its sessions. */
static int open_stack(struct listener *l)
{
	/* Nameless: what software runs here is nobody's business. */
	int err = sip_alloc(&l->sip, NULL, HASH_SIZE, HASH_SIZE, HASH_SIZE,
			    NULL, NULL, l);

	if (!err) {
		sip_set_trace_handler(l->sip, on_message);
		err = sip_listen(&l->policy, l->sip, true, gate_request, l);
		if (!err)
			err = sip_listen(&l->forks, l->sip, false,
					 fork_response, l);
	}
	if (!err)
		err = sipsess_listen(&l->sock, l->sip, HASH_SIZE,
				     invite_handler, l);
	if (!err)
		err = sip_listen(&l->last_request, l->sip, true, last_handler,
				 l);
	if (!err)
		err = sip_listen(&l->last_response, l->sip, false, last_handler,
				 l);
	return err;
}

static int listener_get(struct listener **lp, struct stack *s,
			const struct sa *laddr)
{
	struct listener *l = find(s, laddr);
	int err;

	if (!l) {
		l = mem_zalloc(sizeof(*l), destructor);
		if (!l)
			return ENOMEM;
		l->stack = s;
		l->laddr = *laddr;
		l->fresh = true;
		err = open_stack(l);
		if (err) {
			mem_deref(l);
			return err;
		}
		list_append(&s->listeners, &l->le, l);
	}
	*lp = l;
	return 0;
}

static int open_one(struct stack *s, const struct config_sip *sip,
		    const struct config_listen *w, struct reason *why)
{
	struct listener *l;
	struct sa laddr;
	int err;

	err = check_listen(w, &laddr, why);
	if (err)
		return err;
	err = listener_get(&l, s, &laddr);
	if (err)
		return cannot_listen(w, err, why);
	if (w->transport == TRANSPORT_UDP && !l->udp) {
		err = door_open(&l->udp_door, l->sip, SIP_TRANSP_UDP, &laddr,
				NULL, STACK_DSCP, gate_admit, l);
		l->udp = !err;
	} else if (w->transport == TRANSPORT_TCP && !l->tcp) {
		err = door_open(&l->tcp_door, l->sip, SIP_TRANSP_TCP, &laddr,
				NULL, STACK_DSCP, gate_admit, l);
		l->tcp = !err;
	} else if (w->transport == TRANSPORT_TLS && !l->tls) {
		err = secure_alloc(&l->tls_context, sip, why);
		if (err)
			return err;
		err = door_open(&l->tls_door, l->sip, SIP_TRANSP_TLS, &laddr,
				l->tls_context, STACK_DSCP, gate_admit, l);
		l->tls = !err;
	} else if (w->transport == TRANSPORT_TLS) {
		return secure_load(l->tls_context, sip, why);
	}
	return err ? cannot_listen(w, err, why) : 0;
}

/* libre closes the transports of a stack all at once: a listener is kept only
 * when the configuration still wants exactly what it has open or more. */
static bool wanted(const struct listener *l, const struct config *c)
{
	bool udp = false, tcp = false, tls = false;
	struct sa sa;
	size_t i;

	for (i = 0; i < c->sip.n_listen; i++) {
		const struct config_listen *w = &c->sip.listen[i];

		if (sa_set_str(&sa, w->host, w->port) ||
		    !sa_cmp(&sa, &l->laddr, SA_ALL))
			continue;
		udp |= w->transport == TRANSPORT_UDP;
		tcp |= w->transport == TRANSPORT_TCP;
		tls |= w->transport == TRANSPORT_TLS;
	}
	return (udp || !l->udp) && (tcp || !l->tcp) && (tls || !l->tls) &&
	       (udp || tcp || tls);
}

/* After a failure: what was bound in vain. */
static void close_fresh(struct stack *s)
{
	struct le *le = list_head(&s->listeners);

	while (le) {
		struct listener *l = le->data;

		le = le->next;
		if (l->fresh)
			mem_deref(l);
	}
}

static void close_unwanted(struct stack *s, const struct config *c)
{
	struct le *le = list_head(&s->listeners);

	while (le) {
		struct listener *l = le->data;

		le = le->next;
		l->fresh = false;
		if (wanted(l, c))
			continue;
		call_end_all(s, l, "listener closed");
		dial_end_all(s, l, "listener closed");
		lamps_close(s->lamps, l);
		mem_deref(l);
	}
}

/* But for listeners that lose a transport: those are closed first and come with
 * the next call. */
static int open_wanted(struct stack *s, const struct config *c,
		       struct reason *why)
{
	const struct listener *l;
	struct sa laddr;
	size_t i;
	int err;

	for (i = 0; i < c->sip.n_listen; i++) {
		err = check_listen(&c->sip.listen[i], &laddr, why);
		if (err)
			return err;
		l = find(s, &laddr);
		if (l && !wanted(l, c))
			continue;
		err = open_one(s, &c->sip, &c->sip.listen[i], why);
		if (err)
			return err;
	}
	return 0;
}

int listener_update(struct stack *s, const struct config *c, struct reason *why)
{
	/* New ones first: while they cannot be had, the old stay. */
	int err = open_wanted(s, c, why);

	if (err) {
		close_fresh(s);
		return err;
	}
	close_unwanted(s, c);
	err = open_wanted(s, c, why);
	/* Beyond going back: who listened there before is closed. */
	if (err || s->deaf) {
		s->deaf = err;
		s->h.trouble("sip-listen",
			     err ? "a SIP address could not be opened again"
				 : "",
			     err ? "free it, then reload" : "", s->arg);
	}
	return err;
}

void listener_close_all(struct stack *s)
{
	list_flush(&s->listeners);
}
