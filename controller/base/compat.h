/**
 * The one place where libre's and librem's versions differ.
 *
 * Includes <re.h> with the defines it needs on every supported version and
 * gives the few calls whose prototypes changed under tc_ names. TC_RE_VER is
 * the library's version as major * 10000 + minor * 100 + patch, given by the
 * Makefile from pkg-config.
 */
#ifndef TOCSIN_COMPAT_H
#define TOCSIN_COMPAT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifndef TC_RE_VER
#error "TC_RE_VER is not set: build with the Makefile"
#endif

/* re_trace.h came with 2.0, re_async.h with 2.7: the headers found must be of
 * the version pkg-config spoke of. */
#if __has_include(<re_trace.h>) != (TC_RE_VER >= 20000)
#error "libre's headers are not of the version TC_RE_VER says"
#endif
#if __has_include(<re_async.h>) != (TC_RE_VER >= 20700)
#error "libre's headers are not of the version TC_RE_VER says"
#endif

#ifndef HAVE_INTTYPES_H
#define HAVE_INTTYPES_H 1
#endif
#ifndef HAVE_STDBOOL_H
#define HAVE_STDBOOL_H 1
#endif
#ifndef HAVE_INET6
#define HAVE_INET6 1
#endif
#ifndef HAVE_ATOMIC
#define HAVE_ATOMIC 1
#endif
/* Shows tls_openssl_context(). */
#ifndef USE_OPENSSL
#define USE_OPENSSL 1
#endif
/* Without it libre's inline buffer checks are a breakpoint trap. */
#ifndef RELEASE
#define RELEASE 1
#endif

/* libre's JSON enumerators collide with jansson's, which is what we use. */
#define JSON_STRING RE_JSON_STRING
#define JSON_INT RE_JSON_INT
#define JSON_DOUBLE RE_JSON_DOUBLE
#define JSON_BOOL RE_JSON_BOOL
#define JSON_NULL RE_JSON_NULL
#include <re.h>
#include <rem.h>
/* For dbg_init() alone: its macros want these, and go again below. */
#define DEBUG_MODULE "tocsin"
#define DEBUG_LEVEL 0
#include <re_dbg.h>
#undef DEBUG_MODULE
#undef DEBUG_LEVEL
#undef JSON_STRING
#undef JSON_INT
#undef JSON_DOUBLE
#undef JSON_BOOL
#undef JSON_NULL

/* libre leaks these very general names. */
#undef VERSION
#undef ARCH
#undef OS
#undef min
#undef max
#undef MIN
#undef MAX
#undef DEBUG_WARNING
#undef DEBUG_NOTICE
#undef DEBUG_INFO
#undef DEBUG_PRINTF

#define TC_RE_20100 (TC_RE_VER >= 20100)

/**
 * A file descriptor watched by the calling thread's loop.
 * Handlers must tolerate EAGAIN: libre 1 and 2 dispatch by number, and a
 * number may have been closed and opened anew within one batch.
 */
struct tc_fd {
	int fd;
#if TC_RE_VER >= 30600
	struct re_fhs *fhs;
#endif
};

/** Watches fd for FD_READ, FD_WRITE or FD_EXCEPT; 0 or errno. */
static inline int tc_fd_listen(struct tc_fd *t, int fd, int flags, fd_h *h,
			       void *arg)
{
	t->fd = fd;
#if TC_RE_VER >= 30600
	return fd_listen(&t->fhs, fd, flags, h, arg);
#else
	return fd_listen(fd, flags, h, arg);
#endif
}

/** Stops watching; the descriptor itself stays open. */
static inline void tc_fd_close(struct tc_fd *t)
{
#if TC_RE_VER >= 30600
	t->fhs = fd_close(t->fhs);
#else
	if (t->fd >= 0)
		fd_close(t->fd);
#endif
	t->fd = -1;
}

#define TC_TMR_INIT                                                            \
	{                                                                      \
		.le = { 0 }                                                    \
	}

/** sipsess_accept() without reliable provisional responses. */
#if TC_RE_VER >= 20600
#define tc_sipsess_accept(sessp, sock, msg, scode, reason, ...)                \
	sipsess_accept(sessp, sock, msg, scode, reason, REL100_DISABLED,       \
		       __VA_ARGS__)
#else
#define tc_sipsess_accept(sessp, sock, msg, scode, reason, ...)                \
	sipsess_accept(sessp, sock, msg, scode, reason, __VA_ARGS__)
#endif

/**
 * sipsess_connect() with one offer made beforehand: `desc`, and a handler that
 * gives a new reference to it, of which libre wants the one or the other.
 * route: where the request goes first, NULL = to its URI.
 */
#if TC_RE_VER >= 30000
#define tc_sipsess_connect(sessp, sock, to_uri, from_name, from_uri, cuser,    \
			   route, desc, desch, authh, aarg, ...)               \
	sipsess_connect(sessp, sock, to_uri, from_name, from_uri, cuser,       \
			(const char *[]){route}, (route) ? 1 : 0,              \
			"application/sdp", authh, aarg, false, NULL, desch,    \
			__VA_ARGS__)
#else
#define tc_sipsess_connect(sessp, sock, to_uri, from_name, from_uri, cuser,    \
			   route, desc, desch, authh, aarg, ...)               \
	sipsess_connect(sessp, sock, to_uri, from_name, from_uri, cuser,       \
			(const char *[]){route}, (route) ? 1 : 0,              \
			"application/sdp", desc, authh, aarg, false,           \
			__VA_ARGS__)
#endif

/** Descriptor of a TCP connection, -1 where libre does not give it. */
static inline int tc_tcp_fd(const struct tcp_conn *tc)
{
#if TC_RE_VER >= 20300
	(void)tc;
	return -1;
#else
	return tcp_conn_fd(tc);
#endif
}

/** Copies an address out of libre's type. */
static inline void tc_sa_get(struct sockaddr_storage *dst, const struct sa *sa)
{
	const size_t n = sa->len < sizeof(sa->u) ? sa->len : sizeof(sa->u);

	*dst = (struct sockaddr_storage){0};
	memcpy(dst, &sa->u, n);
}

#endif
