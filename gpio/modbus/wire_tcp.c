/* A master's TCP connection: one request at a time, each answer looked over. */
#include "gpio/modbus/wire.h"

#include "controller/base/clock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct mbus_tcp {
	int fd;
	uint16_t transaction;
	uint8_t in[MBUS_MAX_FRAME];
	size_t n_in;
};

/** 0 when fd is ready, ETIMEDOUT, ECANCELED (woken), or what poll() says. */
static int await(int fd, int wakefd, short events, uint64_t until_us)
{
	struct pollfd p[2] = {{.fd = fd, .events = events},
			      {.fd = wakefd, .events = POLLIN}};

	for (;;) {
		uint64_t now = clock_mono_us();
		int ms = now < until_us ? (int)((until_us - now + 999) / 1000)
					: 0;
		int n = poll(p, 2, ms);

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0 && p[0].revents)
			return 0;
		if (n > 0)
			return ECANCELED;
		if (!n && clock_mono_us() >= until_us)
			return ETIMEDOUT;
	}
}

static int try_address(const struct addrinfo *x, int wakefd, uint64_t until_us,
		       int *fdp)
{
	int fd = socket(x->ai_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err = 0, one = 1;
	socklen_t len = sizeof(err);

	if (fd < 0)
		return errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, x->ai_addr, x->ai_addrlen)) {
		err = errno;
		if (err == EINPROGRESS)
			err = await(fd, wakefd, POLLOUT, until_us);
		if (!err && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
			err = errno;
	}
	if (err)
		close(fd);
	else
		*fdp = fd;
	return err;
}

static int say_why(struct reason *why, int err, const struct mbus_address *a)
{
	switch (err) {
	case ECONNREFUSED:
		return reason_set(why, err,
				  "%s port %u: connection refused: no Modbus "
				  "server runs there, or it listens on another "
				  "port",
				  a->host, a->port);
	case ETIMEDOUT:
		return reason_set(why, err,
				  "%s port %u: no answer: check power, cable "
				  "and address",
				  a->host, a->port);
	default:
		return reason_set(why, err, "%s port %u: %s", a->host, a->port,
				  strerror(err));
	}
}

int mbus_tcp_open(struct mbus_tcp **tp, const struct mbus_address *a,
		  uint32_t timeout_ms, int wakefd, struct reason *why)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	struct mbus_tcp *t;
	char port[8];
	int err, fd = -1;

	snprintf(port, sizeof(port), "%u", a->port);
	err = getaddrinfo(a->host, port, &hints, &list);
	if (err)
		return reason_set(why, EHOSTUNREACH,
				  "the name \"%.100s\" cannot be resolved: %s",
				  a->host, gai_strerror(err));
	for (const struct addrinfo *x = list; x && fd < 0; x = x->ai_next) {
		uint64_t until = clock_mono_us() + timeout_ms * UINT64_C(1000);

		err = try_address(x, wakefd, until, &fd);
		if (err == ECANCELED)
			break;
	}
	freeaddrinfo(list);
	if (fd < 0)
		return say_why(why, err, a);
	t = calloc(1, sizeof(*t));
	if (!t) {
		close(fd);
		return reason_set(why, ENOMEM, "not enough memory");
	}
	t->fd = fd;
	/* A gateway may still hold an answer for the connection before. */
	t->transaction = (uint16_t)clock_mono_us();
	*tp = t;
	return 0;
}

struct mbus_tcp *mbus_tcp_close(struct mbus_tcp *t)
{
	if (t)
		close(t->fd);
	free(t);
	return NULL;
}

static struct mbus_result lost(int err, const char *text)
{
	return (struct mbus_result){
		.status = MBUS_LOST, .err = err, .text = text};
}

/** Reads more of what came; false when the connection is gone. */
static bool take_more(struct mbus_tcp *t, struct mbus_result *r)
{
	ssize_t n = recv(t->fd, t->in + t->n_in, sizeof(t->in) - t->n_in, 0);

	if (n > 0) {
		t->n_in += (size_t)n;
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	*r = n ? lost(errno, NULL)
	       : lost(0, "the other side closed the connection");
	return false;
}

static void drop(struct mbus_tcp *t, size_t n)
{
	t->n_in -= n;
	memmove(t->in, t->in + n, t->n_in);
}

/** Looks for our answer in what came; true when r is the result. Answers to
 *  earlier requests, which came too late for them, are passed over. */
static bool look(struct mbus_tcp *t, const struct mbus_request *rq,
		 uint16_t *values, struct mbus_result *r)
{
	for (;;) {
		int size = mbus_frame_size(t->in, t->n_in);

		if (size < 0) {
			*r = lost(0, "what it sends is not Modbus");
			return true;
		}
		if (!size || t->n_in < (size_t)size)
			return false;
		if (mbus_frame_transaction(t->in) == t->transaction) {
			*r = mbus_answer(rq, t->in, (size_t)size, values);
			drop(t, (size_t)size);
			return true;
		}
		drop(t, (size_t)size);
	}
}

struct mbus_result mbus_tcp_ask(struct mbus_tcp *t,
				const struct mbus_request *rq,
				uint32_t timeout_ms, int wakefd,
				uint16_t *values)
{
	uint64_t until = clock_mono_us() + timeout_ms * UINT64_C(1000);
	uint8_t out[MBUS_MAX_FRAME];
	struct mbus_result r;
	size_t n;
	int err;

	n = mbus_frame(out, ++t->transaction, rq);
	/* A dozen bytes: where they have no room the other side has not read
	 * for a very long time. */
	if (send(t->fd, out, n, MSG_NOSIGNAL) != (ssize_t)n)
		return lost(errno == EAGAIN ? ETIMEDOUT : errno, NULL);
	for (;;) {
		if (look(t, rq, values, &r))
			return r;
		err = await(t->fd, wakefd, POLLIN, until);
		if (err == ETIMEDOUT)
			return (struct mbus_result){.status = MBUS_TIMEOUT};
		if (err)
			return lost(err, NULL);
		if (!take_more(t, &r))
			return r;
	}
}
