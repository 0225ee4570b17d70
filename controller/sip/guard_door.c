/*
 * Doors: libre's listening sockets, caught when they are made.
 */
#include "guard_door.h"

#include "controller/sip/guard.h"
#include "controller/sip/guard_real.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#define GUARD __attribute__((visibility("default")))

/* RFC 4594: CS5, for connections that we make. */
#define SIGNALLING_DSCP 40
/* RFC 768: no datagram is longer. */
#define LARGEST_DATAGRAM 65535
/** What a socket keeps for us: the answers of 500 loudspeakers that one page
 *  calls come within milliseconds, and each counts 2 KB and more. */
#define WAITING_BYTES (4 << 20)

struct connection {
	int fd;
	struct sa peer;
};

struct door {
	struct le le;
	door_admit_h *admit;
	void *arg;
	struct udp_sock *us;
	struct udp_helper *helper;
	struct tcp_sock *ts;
	uint8_t dscp;
	struct connection open[DOOR_MAX_CONNECTIONS];
	size_t n_open;
};

/* TCP doors, and what libre made last. */
static struct list doors;
static struct {
	struct udp_sock *us;
	struct tcp_sock *ts;
	udp_recv_h *rh;
	void *arg;
} last;

GUARD int udp_listen(struct udp_sock **usp, const struct sa *local,
		     udp_recv_h *rh, void *arg)
{
	int (*real)(struct udp_sock **, const struct sa *, udp_recv_h *,
		    void *) = GUARD_REAL(udp_listen);
	int err;

	if (!real)
		return ENOSYS;
	err = real(usp, local, rh, arg);
	if (!err) {
		last.us = *usp;
		last.rh = rh;
		last.arg = arg;
	}
	return err;
}

/* libre 2 sets SO_REUSEPORT as well: a second program of ours would listen on
 * the same address without an error, and the kernel would deal out the calls
 * between the two. */
GUARD int net_sockopt_reuse_set(int fd, bool reuse)
{
	const int on = reuse;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ? errno
									 : 0;
}

GUARD int tcp_listen(struct tcp_sock **tsp, const struct sa *local,
		     tcp_conn_h *ch, void *arg)
{
	int (*real)(struct tcp_sock **, const struct sa *, tcp_conn_h *,
		    void *) = GUARD_REAL(tcp_listen);
	int err;

	if (!real)
		return ENOSYS;
	err = real(tsp, local, ch, arg);
	if (!err)
		last.ts = *tsp;
	return err;
}

udp_recv_h *door_last_receiver(void **arg)
{
	*arg = last.arg;
	return last.rh;
}

/* Is what we took for this connection still it? Descriptors are used again,
 * but not for the same peer and port while the other lives. */
static bool still_open(const struct connection *c)
{
	struct sa now = {.len = sizeof(now.u)};

	return !getpeername(c->fd, &now.u.sa, &now.len) &&
	       sa_cmp(&now, &c->peer, SA_ALL);
}

/* Room for one more from this peer? Forgets those that are gone. */
static bool has_room(struct door *d, const struct sa *peer, size_t most)
{
	size_t i = 0, same = 0;

	while (i < d->n_open) {
		if (!still_open(&d->open[i])) {
			d->open[i] = d->open[--d->n_open];
			continue;
		}
		same += sa_cmp(&d->open[i].peer, peer, SA_ADDR);
		i++;
	}
	return d->n_open < most && same < DOOR_MAX_PER_SOURCE;
}

/* Strangers leave room for those that are known. */
static bool let_in(struct door *d, const struct sa *peer)
{
	if (d->admit(peer, DOOR_CONNECTION, d->arg))
		return has_room(d, peer, DOOR_MAX_CONNECTIONS);
	return d->admit(peer, DOOR_STRANGER, d->arg) &&
	       has_room(d, peer, DOOR_MAX_STRANGERS);
}

/* B10: without these a dead PBX is noticed after a quarter of an hour. */
static void supervise(int fd, uint8_t dscp)
{
	const int on = 1, idle = 20, every = 5, times = 3, tos = dscp << 2;
	const unsigned timeout_ms = 8000;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
			 sizeof(timeout_ms));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
}

/* Connections as they are made. */
static const struct tcp_conn *accepted, *begun;
static struct sa begun_to;

bool door_has_accepted(const struct tcp_conn *tc)
{
	return tc == accepted;
}

int door_goes_to(const struct tcp_conn *tc, struct sa *to)
{
	if (tc != begun)
		return ENOTCONN;
	*to = begun_to;
	return 0;
}

/* Those we make ourselves are watched like those we take. */
GUARD int tcp_connect(struct tcp_conn **tcp, const struct sa *peer,
		      tcp_estab_h *eh, tcp_recv_h *rh, tcp_close_h *ch,
		      void *arg)
{
	int (*real)(struct tcp_conn **, const struct sa *, tcp_estab_h *,
		    tcp_recv_h *, tcp_close_h *, void *) =
		GUARD_REAL(tcp_connect);
	int err, fd;

	if (!real)
		return ENOSYS;
	err = real(tcp, peer, eh, rh, ch, arg);
	if (err)
		return err;
	accepted = NULL;
	begun = *tcp;
	begun_to = *peer;
	fd = tc_tcp_fd(*tcp);
	if (fd >= 0)
		supervise(fd, SIGNALLING_DSCP);
	return 0;
}

static struct door *door_of(const struct tcp_sock *ts)
{
	struct le *le;

	for (le = doors.head; le; le = le->next) {
		struct door *d = le->data;

		if (d->ts == ts)
			return d;
	}
	return NULL;
}

GUARD int tcp_accept(struct tcp_conn **tcp, struct tcp_sock *ts,
		     tcp_estab_h *eh, tcp_recv_h *rh, tcp_close_h *ch,
		     void *arg)
{
	int (*real)(struct tcp_conn **, struct tcp_sock *, tcp_estab_h *,
		    tcp_recv_h *, tcp_close_h *, void *) =
		GUARD_REAL(tcp_accept);
	struct door *d = door_of(ts);
	struct tcp_conn *tc;
	struct sa peer;
	int err, fd;

	if (!real)
		return ENOSYS;
	err = real(&tc, ts, eh, rh, ch, arg);
	if (err)
		return err;
	if (d) {
		if (tcp_conn_peer_get(tc, &peer) || !let_in(d, &peer)) {
			mem_deref(tc);
			return EACCES;
		}
		fd = tc_tcp_fd(tc);
		if (fd >= 0) {
			supervise(fd, d->dscp);
			d->open[d->n_open++] = (struct connection){fd, peer};
		}
	}
	accepted = tc;
	begun = NULL;
	*tcp = tc;
	return 0;
}

bool door_datagram(struct sa *src, struct mbuf *mb, void *arg)
{
	struct door *d = arg;
	const size_t len = mbuf_get_left(mb);
	const uint8_t *p = mbuf_buf(mb);
	const enum door_what what =
		len > 8 && !memcmp(p, "SIP/2.0 ", 8)    ? DOOR_RESPONSE
		: len > 9 && !memcmp(p, "REGISTER ", 9) ? DOOR_REGISTER
							: DOOR_REQUEST;

	/* RFC 5626 4.4.1, and what NAT keepalives send. */
	if (len <= 4)
		return true;
	if (!d->admit(src, what, d->arg))
		return true;
	return !guard_hand_over(mb);
}

static void destructor(void *arg)
{
	struct door *d = arg;

	list_unlink(&d->le);
	mem_deref(d->helper);
	mem_deref(d->us);
	mem_deref(d->ts);
}

int door_open(struct door **dp, struct sip *sip, enum sip_transp tp,
	      const struct sa *laddr, struct tls *tls, uint8_t dscp,
	      door_admit_h *h, void *arg)
{
	const int tos = dscp << 2, waiting = WAITING_BYTES;
	struct door *d;
	int err;

	last.us = NULL;
	last.ts = NULL;
	err = sip_transp_add(sip, tp, laddr, tls);
	if (err)
		return err;
	if (tp == SIP_TRANSP_UDP ? !last.us : !last.ts)
		return ENOTSUP;

	d = mem_zalloc(sizeof(*d), destructor);
	if (!d)
		return ENOMEM;
	d->admit = h;
	d->arg = arg;
	d->dscp = dscp;
	if (tp == SIP_TRANSP_UDP) {
		d->us = mem_ref(last.us);
		udp_rxsz_set(d->us, LARGEST_DATAGRAM);
		(void)udp_setsockopt(d->us, IPPROTO_IP, IP_TOS, &tos,
				     sizeof(tos));
		if (udp_setsockopt(d->us, SOL_SOCKET, SO_RCVBUFFORCE, &waiting,
				   sizeof(waiting)))
			(void)udp_setsockopt(d->us, SOL_SOCKET, SO_RCVBUF,
					     &waiting, sizeof(waiting));
		err = udp_register_helper(&d->helper, d->us, 0, NULL,
					  door_datagram, d);
	} else {
		d->ts = mem_ref(last.ts);
		list_append(&doors, &d->le, d);
	}
	if (err)
		mem_deref(d);
	else
		*dp = d;
	return err;
}
