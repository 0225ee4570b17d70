/*
 * Events to a syslog server: UDP (RFC 5426), TCP with counted frames (RFC 6587
 * 3.4.1), TLS (RFC 5425).
 *
 * Nothing in syslog says that a record arrived. Over TCP and TLS one counts as
 * sent once the server's TCP has acknowledged it (SIOCOUTQ), so that those of
 * a connection that breaks are sent again.
 */
#include "syslog_text.h"
#include "target.h"

#include "controller/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BATCH 64
/** How soon one who refuses a datagram has said so, ms. */
#define DOUBT_MS 200

struct link {
	const struct target_conf *t;
	struct syslog_from from;
	char host[256];
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
	uint64_t deadline_us;
	bool doubt; /**< UDP: it was refused when last heard of */
};

/* ------------------------------------------------------------ waiting, ends */

static int failed(const struct link *x, struct reason *why, int err,
		  const char *what)
{
	return reason_set(why, err, "%.100s: %s", x->t->c->syslog, what);
}

/** Until the socket is ready, the deadline, or the end. */
static int await(struct link *x, short events, struct reason *why)
{
	for (;;) {
		struct pollfd p[2] = {{x->fd, events, 0},
				      {x->t->cancel, POLLIN, 0}};
		const uint64_t now = clock_mono_us();
		int n;

		if (now >= x->deadline_us)
			return failed(x, why, ETIMEDOUT,
				      "it does not take what is sent");
		n = poll(p, 2, (int)((x->deadline_us - now) / 1000 + 1));
		if (n < 0 && errno != EINTR)
			return failed(x, why, errno, strerror(errno));
		if (n > 0 && p[1].revents)
			return failed(x, why, ECANCELED, "the daemon stops");
		if (n > 0)
			return 0;
	}
}

static void hang_up(struct link *x)
{
	if (x->ssl)
		SSL_free(x->ssl);
	x->ssl = NULL;
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
}

/* --------------------------------------------------------------- connecting */

static int tls_failed(struct link *x, struct reason *why, const char *what)
{
	const long verified =
		x->ssl ? SSL_get_verify_result(x->ssl) : X509_V_OK;
	const unsigned long code = ERR_peek_last_error();
	const char *text = verified != X509_V_OK
				   ? X509_verify_cert_error_string(verified)
			   : code ? ERR_reason_error_string(code)
				  : "the connection ended";

	ERR_clear_error();
	return reason_set(why, EPROTO, "%.100s: %s: %s", x->t->c->syslog, what,
			  text ? text : "unknown");
}

static int tls_settings(struct link *x, struct reason *why)
{
	const struct config_notify *c = x->t->c;

	if (x->ctx)
		return 0;
	x->ctx = SSL_CTX_new(TLS_client_method());
	if (!x->ctx)
		return failed(x, why, ENOMEM, "not enough memory");
	SSL_CTX_set_min_proto_version(x->ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(x->ctx, SSL_VERIFY_PEER, NULL);
	if (c->ca ? !SSL_CTX_load_verify_locations(x->ctx, c->ca, NULL)
		  : !SSL_CTX_set_default_verify_paths(x->ctx))
		return tls_failed(x, why, "ca");
	if (c->cert &&
	    (SSL_CTX_use_certificate_chain_file(x->ctx, c->cert) != 1 ||
	     SSL_CTX_use_PrivateKey_file(x->ctx, c->key, SSL_FILETYPE_PEM) !=
		     1))
		return tls_failed(x, why, "cert and key");
	return 0;
}

/** What a call of the library wants before it can go on; else what failed. */
static int tls_wants(struct link *x, int rc, struct reason *why,
		     const char *what)
{
	switch (SSL_get_error(x->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return await(x, POLLIN, why);
	case SSL_ERROR_WANT_WRITE:
		return await(x, POLLOUT, why);
	default:
		return tls_failed(x, why, what);
	}
}

static int shake_hands(struct link *x, struct reason *why)
{
	struct in6_addr any;
	const char *host = x->t->c->host;
	const bool literal = inet_pton(AF_INET, host, &any) == 1 ||
			     inet_pton(AF_INET6, host, &any) == 1;
	int rc, err = tls_settings(x, why);

	if (err) {
		SSL_CTX_free(x->ctx);
		x->ctx = NULL;
		return err;
	}
	x->ssl = SSL_new(x->ctx);
	if (!x->ssl || !SSL_set_fd(x->ssl, x->fd) ||
	    (literal ? !X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(x->ssl),
						      host)
		     : !SSL_set1_host(x->ssl, host) ||
			       !SSL_set_tlsext_host_name(x->ssl, host)))
		return failed(x, why, ENOMEM, "not enough memory");
	while ((rc = SSL_connect(x->ssl)) != 1) {
		err = tls_wants(x, rc, why, "TLS");
		if (err)
			return err;
	}
	return 0;
}

static int reach(struct link *x, const struct addrinfo *a, struct reason *why)
{
	const int one = 1;
	const unsigned dead_ms = TARGET_TIMEOUT_MS;
	socklen_t size = sizeof(int);
	int err = 0;

	x->fd = socket(a->ai_family,
		       a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0)
		return failed(x, why, errno, strerror(errno));
	if (a->ai_socktype == SOCK_STREAM) {
		setsockopt(x->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		setsockopt(x->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
		setsockopt(x->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms,
			   sizeof(dead_ms));
	}
	if (!connect(x->fd, a->ai_addr, a->ai_addrlen))
		return 0;
	if (errno != EINPROGRESS)
		return failed(x, why, errno, strerror(errno));
	err = await(x, POLLOUT, why);
	if (err)
		return err;
	getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &err, &size);
	return err ? failed(x, why, err, strerror(err)) : 0;
}

static int connect_to(struct link *x, struct reason *why)
{
	const struct config_notify *c = x->t->c;
	const struct addrinfo hints = {
		.ai_socktype = c->transport == TRANSPORT_UDP ? SOCK_DGRAM
							     : SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG,
	};
	struct addrinfo *list = NULL;
	char port[8];
	int err;

	if (x->fd >= 0)
		return 0;
	snprintf(port, sizeof(port), "%u", c->port);
	err = getaddrinfo(c->host, port, &hints, &list);
	if (err)
		return failed(x, why, EHOSTUNREACH, gai_strerror(err));
	err = EHOSTUNREACH;
	for (const struct addrinfo *a = list; a && err && err != ECANCELED;
	     a = a->ai_next) {
		hang_up(x);
		err = reach(x, a, why);
		if (!err && c->transport == TRANSPORT_TLS)
			err = shake_hands(x, why);
	}
	freeaddrinfo(list);
	return err;
}

/* ------------------------------------------------------------------ sending */

static int write_all(struct link *x, const char *p, size_t n,
		     struct reason *why)
{
	while (n) {
		ssize_t k = x->ssl ? SSL_write(x->ssl, p, (int)n)
				   : send(x->fd, p, n, MSG_NOSIGNAL);
		int err = 0;

		if (k > 0) {
			p += k;
			n -= (size_t)k;
		} else if (x->ssl) {
			err = tls_wants(x, (int)k, why, "TLS");
		} else if (errno == EAGAIN) {
			err = await(x, POLLOUT, why);
		} else {
			err = failed(x, why, errno, strerror(errno));
		}
		if (err)
			return err;
	}
	return 0;
}

/** Has the server hung up? It sends nothing that we would read. */
static int still_there(struct link *x, struct reason *why)
{
	char junk[256];
	ssize_t n;

	ERR_clear_error();
	do {
		n = x->ssl ? SSL_read(x->ssl, junk, sizeof(junk))
			   : recv(x->fd, junk, sizeof(junk), MSG_DONTWAIT);
	} while (n > 0);
	if (x->ssl && SSL_get_error(x->ssl, (int)n) == SSL_ERROR_WANT_READ)
		return 0;
	if (!x->ssl && n < 0 && errno == EAGAIN)
		return 0;
	return failed(x, why, ECONNRESET,
		      n < 0 && !x->ssl ? strerror(errno)
				       : "the server hung up");
}

/** Until its TCP has all of it. */
static int await_taken(struct link *x, struct reason *why)
{
	for (;;) {
		struct pollfd p = {x->t->cancel, POLLIN, 0};
		int left = 0, err = still_there(x, why);

		if (err)
			return err;
		if (ioctl(x->fd, SIOCOUTQ, &left) || !left)
			return 0;
		if (clock_mono_us() >= x->deadline_us)
			return failed(x, why, ETIMEDOUT,
				      "it does not take what is sent");
		if (poll(&p, 1, 2) > 0)
			return failed(x, why, ECANCELED, "the daemon stops");
	}
}

static int send_stream(struct link *x, const struct event *const *e, size_t n,
		       struct reason *why)
{
	char frame[SYSLOG_MAX + 8], record[SYSLOG_MAX];
	int err = still_there(x, why);

	for (size_t i = 0; !err && i < n; i++) {
		const size_t len = syslog_write(record, &x->from, e[i]);
		const int head = snprintf(frame, 8, "%zu ", len);

		memcpy(frame + head, record, len);
		err = write_all(x, frame, (size_t)head + len, why);
	}
	return err ? err : await_taken(x, why);
}

/** What ICMP has told since, after up to ms. */
static int refused(struct link *x, int ms, struct reason *why)
{
	struct pollfd p = {x->fd, 0, 0};
	socklen_t size = sizeof(int);
	int err = 0;

	poll(&p, 1, ms);
	getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &err, &size);
	if (!err)
		return 0;
	x->doubt = true;
	return failed(x, why, err, strerror(err));
}

static int send_datagram(struct link *x, const struct event *e,
			 struct reason *why)
{
	char record[SYSLOG_MAX];
	const size_t len = syslog_write(record, &x->from, e);

	if (send(x->fd, record, len, MSG_NOSIGNAL) != (ssize_t)len)
		return failed(x, why, errno, strerror(errno));
	return 0;
}

/** Whom it was refused by must not refuse it again before he counts as
 *  there: else each record would end a fault and begin it anew. */
static int send_datagrams(struct link *x, const struct event *const *e,
			  size_t *n, struct reason *why)
{
	const size_t count = x->doubt ? 1 : *n;
	int err = refused(x, 0, why);

	*n = 0;
	while (!err && *n < count) {
		err = send_datagram(x, e[*n], why);
		if (!err && x->doubt)
			err = refused(x, DOUBT_MS, why);
		*n += !err;
	}
	if (!err)
		x->doubt = false;
	return err;
}

static int syslog_send(void *link, const struct event *const *e, size_t *n,
		       struct reason *why)
{
	struct link *x = link;
	const size_t count = *n;
	int err;

	*n = 0;
	x->deadline_us = clock_mono_us() + TARGET_TIMEOUT_MS * UINT64_C(1000);
	err = connect_to(x, why);
	if (!err && x->t->c->transport == TRANSPORT_UDP) {
		*n = count;
		err = send_datagrams(x, e, n, why);
	} else if (!err) {
		err = send_stream(x, e, count, why);
		*n = err ? 0 : count;
	}
	if (err)
		hang_up(x);
	/* None is refused for good. */
	return err == EACCES ? EIO : err;
}

/** Connects before there is something to say: a server that is away is a
 *  fault at once. */
static int syslog_look(void *link, struct reason *why)
{
	struct link *x = link;
	int err;

	x->deadline_us = clock_mono_us() + TARGET_TIMEOUT_MS * UINT64_C(1000);
	err = connect_to(x, why);
	if (!err && x->t->c->transport == TRANSPORT_UDP) {
		err = refused(x, 0, why);
		/* Only a record that is not refused tells more. */
		if (!err && x->doubt)
			return -1;
	} else if (!err) {
		err = still_there(x, why);
	}
	if (err)
		hang_up(x);
	return err;
}

static void *syslog_open(const struct target_conf *t)
{
	struct link *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->t = t;
	x->fd = -1;
	if (gethostname(x->host, sizeof(x->host) - 1))
		x->host[0] = '\0';
	x->from = (struct syslog_from){t->c->facility, x->host, t->site,
				       (long)getpid()};
	return x;
}

static void syslog_close(void *link)
{
	struct link *x = link;

	if (x->ssl)
		SSL_shutdown(x->ssl);
	hang_up(x);
	SSL_CTX_free(x->ctx);
	free(x);
}

const struct target_kind target_syslog = {
	.open = syslog_open,
	.close = syslog_close,
	.send = syslog_send,
	.look = syslog_look,
	.batch = BATCH,
};
