#include "listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/* Of Linux 4.20; not in the C library's headers. */
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

static int set(int fd, int level, int name, int v)
{
	return setsockopt(fd, level, name, &v, sizeof(v)) ? errno : 0;
}

int listener_open(int *fdp, const struct sockaddr_storage *addr, bool multicast)
{
	bool v6 = addr->ss_family == AF_INET6;
	socklen_t len =
		v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int fd = socket(addr->ss_family,
			SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return errno;
	if (v6)
		err = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	/* Others on this machine may listen to the group too. */
	if (!err && multicast)
		err = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* Else the memberships of every other socket count for this one. */
	if (!err && multicast)
		err = v6 ? set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)
			 : set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	if (!err && bind(fd, (const struct sockaddr *)addr, len))
		err = errno;
	if (err)
		close(fd);
	else
		*fdp = fd;
	return err;
}

int listener_join(int fd, const struct sockaddr_storage *group,
		  unsigned ifindex)
{
	int r;

	if (group->ss_family == AF_INET6) {
		struct ipv6_mreq mr = {
			.ipv6mr_multiaddr =
				((const struct sockaddr_in6 *)group)->sin6_addr,
			.ipv6mr_interface = ifindex,
		};

		r = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mr,
			       sizeof(mr));
	} else {
		struct ip_mreqn mr = {
			.imr_multiaddr =
				((const struct sockaddr_in *)group)->sin_addr,
			.imr_ifindex = (int)ifindex,
		};

		r = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mr,
			       sizeof(mr));
	}
	return r && errno != EADDRINUSE ? errno : 0;
}
