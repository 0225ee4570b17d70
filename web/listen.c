#include "internal.h"

#include "controller/base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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
#define MAX_PEM 262144

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

/* --------------------------------------------------------- the Unix socket */

struct listen_path {
	char *name;
	dev_t dev;
	ino_t ino;
};

/** Does somebody answer on this socket? Then it is not ours to remove. */
static bool answered(const struct sockaddr_un *un)
{
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes;

	if (s < 0)
		return true;
	/* EAGAIN is a full queue: somebody busy. */
	yes = !connect(s, (const struct sockaddr *)un, sizeof(*un)) ||
	      (errno != ECONNREFUSED && errno != ENOENT);
	close(s);
	return yes;
}

/** Makes way for a socket: removes a stale one, and nothing else. */
static int clear_way(const struct sockaddr_un *un, struct reason *why)
{
	const char *path = un->sun_path;
	struct stat st;

	if (lstat(path, &st)) {
		if (errno == ENOENT)
			return 0;
		return reason_set(why, errno, "web.socket: %s: %s", path,
				  strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode))
		return reason_set(why, EEXIST,
				  "web.socket: %s is there and no socket; "
				  "name another path",
				  path);
	if (answered(un))
		return reason_set(why, EADDRINUSE,
				  "web.socket: another daemon answers on %s; "
				  "stop it first",
				  path);
	if (unlink(path))
		return reason_set(why, errno,
				  "web.socket: cannot remove the old %s: %s",
				  path, strerror(errno));
	return 0;
}

static void give_to_group(const char *path, const char *group)
{
	struct group g, *found = NULL;
	char buf[4096];

	if (!group || !*group)
		return;
	/* Without it only our own user gets in: safe, but not what was
	 * meant. */
	if (getgrnam_r(group, &g, buf, sizeof(buf), &found) || !found)
		log_warn(NULL,
			 "web.group: there is no group %s here; only the "
			 "daemon's own user may open %s",
			 group, path);
	else if (chown(path, (uid_t)-1, found->gr_gid))
		log_warn(NULL, "web.group: cannot give %s to group %s: %s",
			 path, group, strerror(errno));
}

static void make_parent(const char *path, const char *group)
{
	char *copy = strdup(path);
	char *dir = copy ? dirname(copy) : NULL;

	if (dir && !mkdir(dir, 0750))
		give_to_group(dir, group);
	free(copy);
}

/** Binds without a moment in which more than the group could come in. */
static int bind_private(int s, const struct sockaddr_un *un)
{
	mode_t mask = umask(0117);
	int err = bind(s, (const struct sockaddr *)un, sizeof(*un)) ? errno : 0;

	umask(mask);
	return err;
}

struct listen_path *listen_path_free(struct listen_path *p)
{
	struct stat st;

	if (!p)
		return NULL;
	if (p->ino && !lstat(p->name, &st) && st.st_dev == p->dev &&
	    st.st_ino == p->ino)
		unlink(p->name);
	free(p->name);
	free(p);
	return NULL;
}

int listen_unix(const char *path, const char *group, struct listen_path **pp,
		int *fd, struct reason *why)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct listen_path *p;
	struct stat st;
	int s, err;

	if (strlen(path) >= sizeof(un.sun_path))
		return reason_set(why, ENAMETOOLONG,
				  "web.socket: %s is longer than %zu bytes",
				  path, sizeof(un.sun_path) - 1);
	memcpy(un.sun_path, path, strlen(path) + 1);
	make_parent(path, group);
	err = clear_way(&un, why);
	if (err)
		return err;
	p = calloc(1, sizeof(*p));
	if (!p || !(p->name = strdup(path))) {
		listen_path_free(p);
		return reason_set(why, ENOMEM, "not enough memory");
	}
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = s < 0 ? errno : bind_private(s, &un);
	if (!err && !lstat(path, &st)) {
		p->dev = st.st_dev;
		p->ino = st.st_ino;
	}
	if (!err && listen(s, BACKLOG))
		err = errno;
	if (err) {
		if (s >= 0)
			close(s);
		listen_path_free(p);
		return reason_set(why, err, "web.socket: cannot make %s: %s",
				  path, strerror(err));
	}
	give_to_group(path, group);
	*pp = p;
	*fd = s;
	return 0;
}

/* --------------------------------------------------------- the certificate */

char *listen_pem(const char *path, struct reason *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : calloc(1, MAX_PEM);
	ssize_t n = text ? read(fd, text, MAX_PEM - 1) : -1;
	int err = n < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	if (!err && strstr(text, "PRIVATE KEY") &&
	    strstr(text, "BEGIN CERTIFICATE"))
		return text;
	listen_pem_free(text);
	reason_set(why, EINVAL,
		   "web.tls-cert: %s must hold a certificate and its key "
		   "(PEM)%s%s",
		   path, err ? ": " : "", err ? strerror(err) : "");
	return NULL;
}

void listen_pem_free(char *pem)
{
	if (pem)
		explicit_bzero(pem, strlen(pem));
	free(pem);
}
