#include "zones/watch/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** net.ipv4.igmp_max_memberships allows 20 for each socket by default. */
#define PER_SOCKET 20
#define BUFFER (1 << 20)

struct ear {
	int fd;
	sa_family_t family;
	in_port_t port;
	unsigned groups;
	uint32_t drops;
};

struct loop {
	unsigned ifindex;
	struct ear *ear;
	unsigned n, next;
};

int loop_alloc(struct loop **lp, unsigned ifindex)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return ENOMEM;
	l->ifindex = ifindex;
	*lp = l;
	return 0;
}

struct loop *loop_free(struct loop *l)
{
	if (!l)
		return NULL;
	for (unsigned i = 0; i < l->n; i++)
		close(l->ear[i].fd);
	free(l->ear);
	free(l);
	return NULL;
}

static int set(int fd, int level, int name, int v)
{
	return setsockopt(fd, level, name, &v, sizeof(v)) ? errno : 0;
}

/** Only what was joined by this socket, with where it was sent to. */
static int prepare(int fd, sa_family_t family)
{
	int err = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (!err && family == AF_INET6) {
		err = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		if (!err)
			err = set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
		if (!err)
			err = set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	} else if (!err) {
		err = set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
		if (!err)
			err = set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	}
	(void)set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	(void)set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER);
	return err;
}

static int open_ear(struct loop *l, sa_family_t family, in_port_t port)
{
	struct sockaddr_in6 any = {.sin6_family = family, .sin6_port = port};
	socklen_t len = family == AF_INET6 ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in);
	struct ear *v = realloc(l->ear, (l->n + 1) * sizeof(*v));
	int fd, err;

	if (!v)
		return ENOMEM;
	l->ear = v;
	fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	err = prepare(fd, family);
	if (!err && bind(fd, (struct sockaddr *)&any, len))
		err = errno;
	if (err) {
		close(fd);
		return err;
	}
	l->ear[l->n++] = (struct ear){fd, family, port, 0, 0};
	return 0;
}

int loop_add(struct loop *l, const struct sockaddr_storage *group)
{
	const sa_family_t family = group->ss_family;
	/* The port lies at one place in both. */
	const in_port_t port = ((const struct sockaddr_in *)group)->sin_port;
	struct group_req rq = {.gr_interface = l->ifindex};
	struct ear *e = NULL;
	int err;

	for (unsigned i = 0; i < l->n && !e; i++)
		if (l->ear[i].family == family && l->ear[i].port == port &&
		    l->ear[i].groups < PER_SOCKET)
			e = &l->ear[i];
	if (!e) {
		err = open_ear(l, family, port);
		if (err)
			return err;
		e = &l->ear[l->n - 1];
	}
	memcpy(&rq.gr_group, group, sizeof(rq.gr_group));
	if (setsockopt(e->fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       MCAST_JOIN_GROUP, &rq, sizeof(rq)))
		return errno;
	e->groups++;
	return 0;
}

void loop_sample(struct loop *l, uint16_t mask)
{
	/* The data of a UDP socket's filter begins at the UDP header. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xc0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x80, 2, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 3, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 10),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, FILTER_SNAP),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	for (unsigned i = 0; i < l->n; i++)
		(void)setsockopt(l->ear[i].fd, SOL_SOCKET, SO_ATTACH_FILTER,
				 &prog, sizeof(prog));
}

static void from(struct frame *f, const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)ss;

		memcpy(f->src, &a->sin6_addr, 16);
		f->sport = ntohs(a->sin6_port);
	} else {
		const struct sockaddr_in *a = (const struct sockaddr_in *)ss;

		memcpy(f->src, &a->sin_addr, 4);
		f->sport = ntohs(a->sin_port);
	}
}

/** Where it was sent to, by which interface, what was lost before it. */
static bool ancillary(const struct loop *l, struct ear *e, struct frame *f,
		      struct msghdr *h, uint64_t *drops)
{
	bool here = false;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		struct in_pktinfo i4;
		struct in6_pktinfo i6;
		uint32_t n;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&i4, CMSG_DATA(c), sizeof(i4));
			memcpy(f->dst, &i4.ipi_addr, 4);
			here = (unsigned)i4.ipi_ifindex == l->ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
			   c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&i6, CMSG_DATA(c), sizeof(i6));
			memcpy(f->dst, &i6.ipi6_addr, 16);
			here = i6.ipi6_ifindex == l->ifindex;
		} else if (c->cmsg_level == SOL_SOCKET &&
			   c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&n, CMSG_DATA(c), sizeof(n));
			if (drops)
				*drops += n - e->drops;
			e->drops = n;
		}
	}
	return here;
}

static bool read_one(const struct loop *l, struct ear *e, tap_h *h, void *arg,
		     uint64_t *drops)
{
	uint8_t buf[FILTER_SNAP];
	union {
		struct cmsghdr align;
		char buf[256];
	} control;
	struct sockaddr_storage ss = {0};
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr m = {
		.msg_name = &ss,
		.msg_namelen = sizeof(ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct frame f = {
		.kind = FRAME_UDP,
		.family = e->family,
		.dport = ntohs(e->port),
		.data = buf,
	};
	ssize_t n = recvmsg(e->fd, &m, 0);

	if (n < 0)
		return false;
	f.len = (size_t)n;
	from(&f, &ss);
	if (ancillary(l, e, &f, &m, drops))
		h(&f, false, arg);
	return true;
}

int loop_read(struct loop *l, unsigned most, tap_h *h, void *arg,
	      uint64_t *drops)
{
	unsigned done = 0;

	/* Each gets its turn, whatever the others have. */
	for (unsigned i = 0; i < l->n && done < most; i++) {
		struct ear *e = &l->ear[l->next++ % l->n];

		while (done < most && read_one(l, e, h, arg, drops))
			done++;
	}
	return (int)done;
}
