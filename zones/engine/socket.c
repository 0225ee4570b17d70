#include "zones/engine/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/pkt_sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the first packets of all outputs at once: each takes about a
 * kilobyte in the kernel. */
#define SEND_BUFFER (4 << 20)
#define EVEN_TRIES 64

void socket_pool_init(struct socket_pool *p)
{
	for (unsigned i = 0; i < SOCKET_MAX; i++)
		p->v[i].fd = -1;
}

void socket_pool_reset(struct socket_pool *p)
{
	for (unsigned i = 0; i < SOCKET_MAX; i++)
		if (p->v[i].fd >= 0)
			close(p->v[i].fd);
	socket_pool_init(p);
}

static bool is_multicast(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET6)
		return IN6_IS_ADDR_MULTICAST(
			&((const struct sockaddr_in6 *)ss)->sin6_addr);
	return IN_MULTICAST(
		ntohl(((const struct sockaddr_in *)ss)->sin_addr.s_addr));
}

static int set(int fd, int level, int name, int v)
{
	return setsockopt(fd, level, name, &v, sizeof(v)) ? errno : 0;
}

int socket_dscp(int fd, sa_family_t family, uint8_t dscp)
{
	return family == AF_INET6
		       ? set(fd, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2)
		       : set(fd, IPPROTO_IP, IP_TOS, dscp << 2);
}

int socket_hear_errors(int fd, sa_family_t family)
{
	return family == AF_INET6 ? set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1)
				  : set(fd, IPPROTO_IP, IP_RECVERR, 1);
}

bool socket_error(int fd, struct sockaddr_storage *to, int *err)
{
	uint8_t control[256], byte;
	struct iovec iov = {&byte, 1};
	struct msghdr h = {
		.msg_name = to,
		.msg_namelen = sizeof(*to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	*to = (struct sockaddr_storage){0};
	*err = 0;
	if (recvmsg(fd, &h, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
		struct sock_extended_err x;

		if (c->cmsg_type != IP_RECVERR && c->cmsg_type != IPV6_RECVERR)
			continue;
		memcpy(&x, CMSG_DATA(c), sizeof(x));
		if (x.ee_errno && x.ee_errno != EMSGSIZE)
			*err = (int)x.ee_errno;
	}
	return true;
}

static int set_v4(int fd, const struct socket_key *k)
{
	int err;

	if (k->multicast) {
		struct ip_mreqn m = {.imr_ifindex = (int)k->ifindex};

		if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)))
			return errno;
		err = set(fd, IPPROTO_IP, IP_MULTICAST_TTL, k->ttl);
		return err ? err
			   : set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, k->loop);
	}
	/* Network order, unlike every other interface index. */
	return k->ifindex ? set(fd, IPPROTO_IP, IP_UNICAST_IF,
				(int)htonl(k->ifindex))
			  : 0;
}

static int set_v6(int fd, const struct socket_key *k)
{
	int err = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);

	if (err)
		return err;
	if (!k->multicast)
		return k->ifindex ? set(fd, IPPROTO_IPV6, IPV6_UNICAST_IF,
					(int)htonl(k->ifindex))
				  : 0;
	err = set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)k->ifindex);
	if (!err)
		err = set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, k->ttl);
	return err ? err : set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, k->loop);
}

/** Binds to an even port of the kernel's choice (RFC 3550 section 11). */
static int bind_even(int fd, sa_family_t family)
{
	struct sockaddr_in6 a = {.sin6_family = family};
	socklen_t len = family == AF_INET6 ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in);

	if (bind(fd, (struct sockaddr *)&a, len) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		return errno;
	return ntohs(a.sin6_port) & 1 ? EAGAIN : 0;
}

/** Beyond the system's limit where allowed; the limit does too. */
static void grow(int fd)
{
	int size = SEND_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size,
				 sizeof(size));
}

/** Binds to a port that others may have too: who listens there has a socket
 *  of his own, and nothing is to be queued on this one. */
static int bind_port(int fd, const struct socket_key *k)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6,
				   .sin6_port = htons(k->port)};
	struct sockaddr_in four = {.sin_family = AF_INET,
				   .sin_port = htons(k->port)};
	const bool v6 = k->family == AF_INET6;
	int err = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (!err)
		err = v6 ? set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)
			 : set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	if (err)
		return err;
	return bind(fd, v6 ? (struct sockaddr *)&six : (struct sockaddr *)&four,
		    v6 ? sizeof(six) : sizeof(four))
		       ? errno
		       : 0;
}

static int open_one(const struct socket_key *k, int *fdp)
{
	int err;
	int fd =
		socket(k->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	err = k->family == AF_INET6 ? set_v6(fd, k) : set_v4(fd, k);
	if (!err)
		err = socket_dscp(fd, k->family, k->dscp);
	if (!err)
		err = k->port ? bind_port(fd, k) : bind_even(fd, k->family);
	if (!err && !k->multicast)
		err = socket_hear_errors(fd, k->family);
	if (err) {
		close(fd);
		return err;
	}
	grow(fd);
	*fdp = fd;
	return 0;
}

static bool same(const struct socket_key *a, const struct socket_key *b)
{
	return a->family == b->family && a->multicast == b->multicast &&
	       a->loop == b->loop && a->link == b->link &&
	       a->ifindex == b->ifindex && a->ttl == b->ttl &&
	       a->dscp == b->dscp && a->port == b->port;
}

/** The place of the socket with this key, or of none: *place is free then, or
 *  -1. */
static bool find(const struct socket_pool *p, const struct socket_key *k,
		 int *place)
{
	*place = -1;
	for (int i = 0; i < SOCKET_MAX; i++) {
		if (p->v[i].fd >= 0 && same(&p->v[i].key, k)) {
			*place = i;
			return true;
		}
		if (p->v[i].fd < 0 && *place < 0)
			*place = i;
	}
	return false;
}

static void put(struct socket_pool *p, int place, const struct socket_key *k,
		int fd)
{
	p->v[place].fd = fd;
	p->v[place].key = *k;
	p->v[place].fresh = true;
}

int socket_pool_get(struct socket_pool *p, const struct media_output *o,
		    int *index)
{
	struct socket_key k = {
		.family = o->dst.ss_family,
		.multicast = is_multicast(&o->dst),
		.ifindex = o->ifindex,
		.dscp = o->dscp,
		.port = o->source_port,
	};
	int fd = -1, place, err = EAGAIN;

	if (k.multicast) {
		k.loop = o->loop;
		k.ttl = o->ttl;
		if (!k.ifindex)
			return ENODEV;
	}
	if (find(p, &k, index))
		return 0;
	place = *index;
	if (place < 0)
		return EMFILE;
	for (int i = 0; i < EVEN_TRIES && err == EAGAIN; i++)
		err = open_one(&k, &fd);
	if (err)
		return err == EAGAIN ? EADDRINUSE : err;
	put(p, place, &k, fd);
	return 0;
}

int socket_pool_link(struct socket_pool *p, const struct media_output *o,
		     int *index)
{
	struct socket_key k = {
		.family = AF_PACKET,
		.link = true,
		.ifindex = o->ifindex,
		.dscp = o->dscp,
	};
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)o->ifindex,
	};
	int fd, err = 0;

	if (find(p, &k, index))
		return 0;
	if (*index < 0)
		return EMFILE;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	/* As IP_TOS does: a VLAN's priorities are taken from it. */
	err = set(fd, SOL_SOCKET, SO_PRIORITY,
		  o->dscp >= 32 ? TC_PRIO_INTERACTIVE : TC_PRIO_BESTEFFORT);
	if (!err && bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err = errno;
	if (err) {
		close(fd);
		return err;
	}
	grow(fd);
	put(p, *index, &k, fd);
	return 0;
}

uint16_t socket_port(int fd)
{
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &len)
		       ? 0
		       : ntohs(a.sin6_port);
}
