#include "rtpport.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static int bind_port(int fd, const struct sockaddr *local, uint16_t port)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a = {.sa = {0}};
	socklen_t len;

	if (local->sa_family == AF_INET6) {
		len = sizeof(a.in6);
		memcpy(&a, local, len);
		a.in6.sin6_port = htons(port);
	} else {
		len = sizeof(a.in);
		memcpy(&a, local, len);
		a.in.sin_port = htons(port);
	}
	return bind(fd, &a.sa, len) ? errno : 0;
}

int rtpport_open(int *fdp, uint16_t *port, const struct sockaddr *local,
		 uint16_t min, uint16_t max)
{
	const unsigned first = (min + 1u) & ~1u;
	const unsigned pairs = max > first ? (max - first + 1u) / 2u : 0;
	unsigned p, i;
	int fd, err = EADDRINUSE;

	if (!pairs)
		return EINVAL;
	fd = socket(local->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return errno;

	p = *port >= first && *port < first + 2 * pairs
		    ? (*port - first) / 2 + 1
		    : 0;
	for (i = 0; i < pairs; i++) {
		const uint16_t try = (uint16_t)(first + (p + i) % pairs * 2);

		err = bind_port(fd, local, try);
		if (!err) {
			*port = try;
			*fdp = fd;
			return 0;
		}
		if (err != EADDRINUSE)
			break;
	}
	close(fd);
	return err;
}
