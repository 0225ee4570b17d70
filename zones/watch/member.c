#include "zones/watch/member.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/** net.ipv4.igmp_max_memberships allows 20 for each socket by default. */
#define PER_SOCKET 20
/** Groups of which the first free one is left to ask: RFC 2365 local scope, and
 *  a transient group of site scope (RFC 4291). */
#define PROBE4 UINT32_C(0xefff5400) /* 239.255.84.0 */
#define PROBE6 "ff15::5443:0"
#define PROBES 8

struct group {
	struct sockaddr_storage addr;
	int fd;
};

struct members {
	char interface[IF_NAMESIZE];
	unsigned ifindex;
	struct in_addr own; /**< blocked as a source; 0 = none */
	uint8_t salt; /**< gateways of one network leave different groups: in
			 IGMPv2 only the last who reported one tells that it
			 leaves it */
	int fd;       /**< takes the next groups, -1 = none yet */
	unsigned on_fd;
	struct group *group;
	unsigned n, room;
	struct group probe[2]; /**< IPv4, IPv6; fd -1 = none */
	bool joined[2];
};

static struct in_addr own_address(const char *interface)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq rq = {0};
	struct in_addr a = {0};

	snprintf(rq.ifr_name, sizeof(rq.ifr_name), "%s", interface);
	if (fd >= 0 && !ioctl(fd, SIOCGIFADDR, &rq)) {
		struct sockaddr_in in;

		memcpy(&in, &rq.ifr_addr, sizeof(in));
		a = in.sin_addr;
	}
	if (fd >= 0)
		close(fd);
	return a;
}

int members_alloc(struct members **mp, const char *interface, unsigned ifindex)
{
	struct members *m = calloc(1, sizeof(*m));

	if (!m)
		return ENOMEM;
	snprintf(m->interface, sizeof(m->interface), "%s", interface);
	m->ifindex = ifindex;
	m->own = own_address(interface);
	m->salt = (uint8_t)ntohl(m->own.s_addr);
	m->fd = m->probe[0].fd = m->probe[1].fd = -1;
	*mp = m;
	return 0;
}

struct members *members_free(struct members *m)
{
	if (!m)
		return NULL;
	/* Groups share sockets, in order. */
	for (unsigned i = 0; i < m->n; i++)
		if (!i || m->group[i].fd != m->group[i - 1].fd)
			close(m->group[i].fd);
	if (m->fd >= 0 && (!m->n || m->group[m->n - 1].fd != m->fd))
		close(m->fd);
	for (unsigned i = 0; i < 2; i++)
		if (m->probe[i].fd >= 0)
			close(m->probe[i].fd);
	free(m->group);
	free(m);
	return NULL;
}

static int level_of(sa_family_t family)
{
	return family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
}

static int change(const struct members *m, const struct group *g, int what)
{
	struct group_req rq = {.gr_interface = m->ifindex};

	memcpy(&rq.gr_group, &g->addr, sizeof(rq.gr_group));
	return setsockopt(g->fd, level_of(g->addr.ss_family), what, &rq,
			  sizeof(rq))
		       ? errno
		       : 0;
}

/** A source of IPv6 is chosen by scope: it is not known beforehand. */
static void source(const struct members *m, const struct group *g, int what)
{
	struct group_source_req rq = {.gsr_interface = m->ifindex};
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = m->own};

	if (g->addr.ss_family != AF_INET || !own.sin_addr.s_addr)
		return;
	memcpy(&rq.gsr_group, &g->addr, sizeof(rq.gsr_group));
	memcpy(&rq.gsr_source, &own, sizeof(own));
	(void)setsockopt(g->fd, IPPROTO_IP, what, &rq, sizeof(rq));
}

static bool same_group(const struct sockaddr_storage *a,
		       const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET6)
		return !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
			       &((const struct sockaddr_in6 *)b)->sin6_addr,
			       16);
	return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
	       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
}

static bool is_member(const struct members *m,
		      const struct sockaddr_storage *group)
{
	for (unsigned i = 0; i < m->n; i++)
		if (same_group(&m->group[i].addr, group))
			return true;
	return false;
}

/** An IPv6 socket takes IPv4 groups as well, but not where IPv6 is off. */
static int open_for(sa_family_t family)
{
	return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

int members_join(struct members *m, const struct sockaddr_storage *group)
{
	struct group *g;
	int err = 0;

	if (is_member(m, group))
		return 0;
	if (m->n == m->room) {
		unsigned room = m->room ? m->room * 2 : 16;

		g = realloc(m->group, room * sizeof(*g));
		if (!g)
			return ENOMEM;
		m->group = g;
		m->room = room;
	}
	if (m->n && m->group[m->n - 1].addr.ss_family != group->ss_family)
		m->on_fd = PER_SOCKET;
	if (m->fd < 0 || m->on_fd >= PER_SOCKET) {
		int fd = open_for(group->ss_family);

		if (fd < 0)
			return errno;
		if (m->fd >= 0 && (!m->n || m->group[m->n - 1].fd != m->fd))
			close(m->fd);
		m->fd = fd;
		m->on_fd = 0;
	}
	g = &m->group[m->n];
	g->addr = *group;
	g->fd = m->fd;
	err = change(m, g, MCAST_JOIN_GROUP);
	if (err)
		return err;
	source(m, g, MCAST_BLOCK_SOURCE);
	m->on_fd++;
	m->n++;
	return 0;
}

static void probe_address(struct sockaddr_storage *ss, sa_family_t family,
			  uint8_t i)
{
	*ss = (struct sockaddr_storage){.ss_family = family};
	if (family == AF_INET6) {
		struct sockaddr_in6 *a = (struct sockaddr_in6 *)ss;

		inet_pton(AF_INET6, PROBE6, &a->sin6_addr);
		a->sin6_addr.s6_addr[15] = i;
	} else {
		((struct sockaddr_in *)ss)->sin_addr.s_addr = htonl(PROBE4 + i);
	}
}

static void mac_of(const struct sockaddr_storage *ss, uint8_t mac[6])
{
	if (ss->ss_family == AF_INET6) {
		mac[0] = mac[1] = 0x33;
		memcpy(mac + 2,
		       ((const struct sockaddr_in6 *)ss)->sin6_addr.s6_addr +
			       12,
		       4);
	} else {
		uint32_t a = ntohl(
			((const struct sockaddr_in *)ss)->sin_addr.s_addr);
		const uint8_t v[6] = {1,
				      0,
				      0x5e,
				      (uint8_t)(a >> 16 & 0x7f),
				      (uint8_t)(a >> 8),
				      (uint8_t)a};

		memcpy(mac, v, 6);
	}
}

int members_join_probe(struct members *m, sa_family_t family, uint8_t mac[6])
{
	const unsigned k = family == AF_INET6;
	struct group *g = &m->probe[k];
	unsigned i = 0;
	int err;

	do
		probe_address(&g->addr, family, (uint8_t)(m->salt + i));
	while (is_member(m, &g->addr) && ++i < PROBES);
	mac_of(&g->addr, mac);
	if (g->fd < 0)
		g->fd = open_for(family);
	if (g->fd < 0)
		return errno;
	err = change(m, g, MCAST_JOIN_GROUP);
	m->joined[k] = !err;
	return err;
}

void members_ask(struct members *m, sa_family_t family)
{
	const unsigned k = family == AF_INET6;

	if (m->probe[k].fd >= 0 && m->joined[k])
		m->joined[k] = change(m, &m->probe[k], MCAST_LEAVE_GROUP) != 0;
}

void members_asked(struct members *m, sa_family_t family)
{
	const unsigned k = family == AF_INET6;

	if (m->probe[k].fd >= 0 && !m->joined[k])
		m->joined[k] = !change(m, &m->probe[k], MCAST_JOIN_GROUP);
}

void members_refresh(struct members *m)
{
	const struct in_addr now = own_address(m->interface);

	if (now.s_addr == m->own.s_addr)
		return;
	for (unsigned i = 0; i < m->n; i++)
		source(m, &m->group[i], MCAST_UNBLOCK_SOURCE);
	m->own = now;
	for (unsigned i = 0; i < m->n; i++)
		source(m, &m->group[i], MCAST_BLOCK_SOURCE);
}

unsigned members_count(const struct members *m)
{
	return m->n;
}
