#include "gpio/modbus/server.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "gpio/modbus/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 1000
#define BACKLOG 4

enum coil { COIL_UNKNOWN, COIL_OFF, COIL_ON };

struct conn {
	struct mbus_server *server;
	int fd; /**< -1 = the place is free */
	struct tc_fd tc;
	bool paused; /**< it has had its requests of this second */
	unsigned asked;
	uint64_t last_us;
	char peer[INET6_ADDRSTRLEN];
	uint8_t in[MBUS_MAX_FRAME];
	size_t n_in;
	uint8_t coil[MBUS_SERVER_COILS];
};

struct mbus_server {
	struct mbus_server_handlers h;
	void *arg;
	uint8_t unit;
	int fd;
	struct tc_fd tc;
	bool listening;
	struct tmr tmr;
	struct mbus_server_counters count;
	struct conn conn[MBUS_SERVER_MAX];
};

static void on_data(int flags, void *arg);
static void on_connect(int flags, void *arg);

static void close_conn(struct conn *c)
{
	if (c->fd < 0)
		return;
	if (!c->paused)
		tc_fd_close(&c->tc);
	close(c->fd);
	c->fd = -1;
}

/* ------------------------------------------------------------------- frames */

static int get_bit(uint16_t address, void *arg)
{
	const struct conn *c = arg;
	const struct mbus_server *s = c->server;
	unsigned i = address - MBUS_SERVER_COILS_AT;

	if (address < MBUS_SERVER_COILS_AT || i >= MBUS_SERVER_COILS)
		return s->h.bit(address, s->arg);
	return s->h.coil(i, s->arg) ? c->coil[i] == COIL_ON : -1;
}

static int32_t get_word(uint16_t address, void *arg)
{
	const struct conn *c = arg;

	return c->server->h.word(address, c->server->arg);
}

static uint8_t put_coil(uint16_t address, bool on, void *arg)
{
	struct conn *c = arg;
	struct mbus_server *s = c->server;
	unsigned i = address - MBUS_SERVER_COILS_AT;
	uint8_t e = 0;

	if (address < MBUS_SERVER_COILS_AT || i >= MBUS_SERVER_COILS ||
	    !s->h.coil(i, s->arg))
		return MBUS_ILLEGAL_ADDRESS;
	if (on && c->coil[i] == COIL_UNKNOWN)
		return MBUS_ILLEGAL_VALUE;
	if (on && c->coil[i] == COIL_OFF)
		e = s->h.command(i, c->peer, s->arg);
	c->coil[i] = on && !e ? COIL_ON : COIL_OFF;
	return e;
}

/** Answers one frame of n bytes; false when the connection must go. */
static bool answer(struct conn *c, size_t n)
{
	const struct mbus_image img = {
		.bit = get_bit, .word = get_word, .write = put_coil, .arg = c};
	uint8_t out[MBUS_MAX_FRAME];
	size_t len = mbus_serve(c->server->unit, &img, c->in, n, out);

	c->server->count.requests++;
	c->server->count.refused += out[MBUS_HEADER] >> 7;
	c->n_in -= n;
	memmove(c->in, c->in + n, c->n_in);
	/* Whoever does not take its answers is not waited for. */
	return send(c->fd, out, len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	       (ssize_t)len;
}

/** Answers what is there; false when the connection must go. */
static bool work(struct conn *c)
{
	int n;

	while ((n = mbus_frame_size(c->in, c->n_in)) > 0 &&
	       c->n_in >= (size_t)n) {
		if (c->asked >= MBUS_SERVER_RATE) {
			if (!c->paused)
				tc_fd_close(&c->tc);
			c->paused = true;
			return true;
		}
		c->asked++;
		c->last_us = clock_mono_us();
		if (!answer(c, (size_t)n))
			return false;
	}
	return n >= 0;
}

static void on_data(int flags, void *arg)
{
	struct conn *c = arg;
	ssize_t n;

	(void)flags;
	if (c->fd < 0)
		return;
	n = recv(c->fd, c->in + c->n_in, sizeof(c->in) - c->n_in, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->n_in += (size_t)n;
	if (n <= 0 || !work(c))
		close_conn(c);
}

/* -------------------------------------------------------------- connections */

static struct conn *free_place(struct mbus_server *s)
{
	for (size_t i = 0; i < MBUS_SERVER_MAX; i++)
		if (s->conn[i].fd < 0)
			return &s->conn[i];
	return NULL;
}

static void begin(struct mbus_server *s, int fd, const struct sockaddr *from,
		  socklen_t len)
{
	struct conn *c = s->h.allowed(from, s->arg) ? free_place(s) : NULL;
	int one = 1;

	if (!c) {
		s->count.strangers++;
		close(fd);
		return;
	}
	*c = (struct conn){.server = s, .fd = fd, .last_us = clock_mono_us()};
	if (getnameinfo(from, len, c->peer, sizeof(c->peer), NULL, 0,
			NI_NUMERICHOST))
		snprintf(c->peer, sizeof(c->peer), "?");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (tc_fd_listen(&c->tc, fd, FD_READ, on_data, c)) {
		close(fd);
		c->fd = -1;
	}
}

static void on_connect(int flags, void *arg)
{
	struct mbus_server *s = arg;
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);
	int fd = accept4(s->fd, (struct sockaddr *)&from, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)flags;
	if (fd >= 0) {
		begin(s, fd, (const struct sockaddr *)&from, len);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
		/* It would spin: heard again with the next look. */
		tc_fd_close(&s->tc);
		s->listening = false;
	}
}

static void on_look(void *arg)
{
	struct mbus_server *s = arg;
	uint64_t now = clock_mono_us();

	tmr_start(&s->tmr, LOOK_MS, on_look, s);
	if (!s->listening)
		s->listening =
			!tc_fd_listen(&s->tc, s->fd, FD_READ, on_connect, s);
	for (size_t i = 0; i < MBUS_SERVER_MAX; i++) {
		struct conn *c = &s->conn[i];

		if (c->fd < 0)
			continue;
		c->asked = 0;
		if (now - c->last_us > MBUS_SERVER_IDLE_S * UINT64_C(1000000)) {
			close_conn(c);
			continue;
		}
		if (!c->paused)
			continue;
		c->paused = false;
		if (tc_fd_listen(&c->tc, c->fd, FD_READ, on_data, c)) {
			c->paused = true; /* it is not listened to */
			close_conn(c);
		} else if (!work(c)) {
			close_conn(c);
		}
	}
}

/* -------------------------------------------------------------------- start */

static int open_socket(const char *host, uint16_t port, int *fdp)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICHOST |
						   AI_NUMERICSERV | AI_PASSIVE};
	struct addrinfo *x = NULL;
	char text[8];
	int fd, one = 1, err = 0;

	snprintf(text, sizeof(text), "%u", port);
	if (getaddrinfo(host, text, &hints, &x))
		return EINVAL;
	fd = socket(x->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0) {
		err = errno;
	} else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, x->ai_addr, x->ai_addrlen) ||
		    listen(fd, BACKLOG)) {
			err = errno;
			close(fd);
		}
	}
	freeaddrinfo(x);
	*fdp = fd;
	return err;
}

int mbus_server_alloc(struct mbus_server **sp, const char *host, uint16_t port,
		      uint8_t unit, const struct mbus_server_handlers *h,
		      void *arg, struct reason *why)
{
	struct mbus_server *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return reason_set(why, ENOMEM, "not enough memory");
	s->h = *h;
	s->arg = arg;
	s->unit = unit;
	for (size_t i = 0; i < MBUS_SERVER_MAX; i++)
		s->conn[i].fd = -1;
	err = open_socket(host, port, &s->fd);
	if (err) {
		free(s);
		return reason_set(
			why, err, "%s port %u: %s%s", host, port, strerror(err),
			err == EACCES ? ": ports below 1024 need a right "
					"(CAP_NET_BIND_SERVICE), or use "
					"another port"
				      : "");
	}
	err = tc_fd_listen(&s->tc, s->fd, FD_READ, on_connect, s);
	if (err) {
		close(s->fd);
		free(s);
		return reason_set(why, err, "%s port %u: %s", host, port,
				  strerror(err));
	}
	s->listening = true;
	tmr_init(&s->tmr);
	tmr_start(&s->tmr, LOOK_MS, on_look, s);
	*sp = s;
	return 0;
}

struct mbus_server *mbus_server_free(struct mbus_server *s)
{
	if (!s)
		return NULL;
	tmr_cancel(&s->tmr);
	for (size_t i = 0; i < MBUS_SERVER_MAX; i++)
		close_conn(&s->conn[i]);
	if (s->listening)
		tc_fd_close(&s->tc);
	close(s->fd);
	free(s);
	return NULL;
}

void mbus_server_counters(const struct mbus_server *s,
			  struct mbus_server_counters *c)
{
	*c = s->count;
	c->connections = 0;
	for (size_t i = 0; i < MBUS_SERVER_MAX; i++)
		c->connections += s->conn[i].fd >= 0;
}
