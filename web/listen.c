#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

static bool is_loopback(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *in = (const void *)ss;
	const struct sockaddr_in6 *in6 = (const void *)ss;

	if (ss->ss_family == AF_INET)
		return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

int listen_tcp(const char *host, uint16_t port, bool *loopback, int *fd,
	       struct reason *why)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *in = (void *)&ss;
	struct sockaddr_in6 *in6 = (void *)&ss;
	int one = 1, s, err;

	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		ss.ss_family = AF_INET;
		in->sin_port = htons(port);
	} else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		ss.ss_family = AF_INET6;
		in6->sin6_port = htons(port);
	} else {
		return reason_set(why, EINVAL,
				  "web.listen: %s is no literal address", host);
	}
	*loopback = is_loopback(&ss);
	s = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return reason_set(why, errno, "web.listen: %s",
				  strerror(errno));
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (struct sockaddr *)&ss,
		 ss.ss_family == AF_INET ? sizeof(*in) : sizeof(*in6)) ||
	    listen(s, BACKLOG)) {
		err = errno;
		close(s);
		return reason_set(why, err,
				  "web.listen: cannot listen on %s port %u: "
				  "%s; choose a free port and an address of "
				  "this machine",
				  host, port, strerror(err));
	}
	*fd = s;
	return 0;
}

/** Does somebody answer on this socket? Then it is not ours to remove. */
static bool answered(const struct sockaddr_un *un)
{
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes;

	if (s < 0)
		return false;
	yes = !connect(s, (const struct sockaddr *)un, sizeof(*un));
	close(s);
	return yes;
}

static void make_parent(const char *path)
{
	char *copy = strdup(path);

	if (copy)
		mkdir(dirname(copy), 0750);
	free(copy);
}

int listen_unix(const char *path, const char *group, int *fd,
		struct reason *why)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct group *g = group && *group ? getgrnam(group) : NULL;
	mode_t mask;
	int s, err;

	if (strlen(path) >= sizeof(un.sun_path))
		return reason_set(why, ENAMETOOLONG,
				  "web.socket: %s is longer than %zu bytes",
				  path, sizeof(un.sun_path) - 1);
	memcpy(un.sun_path, path, strlen(path) + 1);
	make_parent(path);
	if (answered(&un))
		return reason_set(why, EADDRINUSE,
				  "web.socket: another daemon answers on %s; "
				  "stop it first",
				  path);
	unlink(path);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Never open to more than its group, not even for a moment. */
	mask = umask(0117);
	err = s < 0 || bind(s, (struct sockaddr *)&un, sizeof(un)) ||
			      listen(s, BACKLOG)
		      ? errno
		      : 0;
	umask(mask);
	if (err) {
		if (s >= 0)
			close(s);
		return reason_set(why, err, "web.socket: cannot make %s: %s",
				  path, strerror(err));
	}
	/* Without the group only our own user gets in: still safe. */
	if (g && chown(path, (uid_t)-1, g->gr_gid))
		reason_set(why, 0, "web.socket: cannot give %s to group %s",
			   path, group);
	*fd = s;
	return 0;
}
