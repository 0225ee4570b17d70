/*
 * Connections and the time they may take. libmicrohttpd ends the silent ones;
 * these deadlines end those that send or read a byte now and then.
 */
#include "internal.h"

#include "controller/base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void name_v4(struct client *x, const struct sockaddr_in *in)
{
	inet_ntop(AF_INET, &in->sin_addr, x->from, sizeof(x->from));
	memcpy(x->source, x->from, sizeof(x->source));
}

static void name_v6(struct client *x, const struct sockaddr_in6 *in6)
{
	struct in6_addr net = in6->sin6_addr;

	inet_ntop(AF_INET6, &net, x->from, sizeof(x->from));
	/* Whoever has a v6 address has 2^64 of them. */
	if (!IN6_IS_ADDR_V4MAPPED(&net))
		memset(&net.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &net, x->source, sizeof(x->source));
}

static void identify(struct client *x, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i;
	const struct sockaddr *sa;

	i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	x->fd = i ? i->connect_fd : -1;
	if (x->local) {
		snprintf(x->from, sizeof(x->from), "unix");
		door_local(x->fd, x->actor, sizeof(x->actor));
		return;
	}
	i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	sa = i ? i->client_addr : NULL;
	if (sa && sa->sa_family == AF_INET)
		name_v4(x, (const void *)sa);
	else if (sa && sa->sa_family == AF_INET6)
		name_v6(x, (const void *)sa);
}

void client_allow(struct client *x, uint32_t ms)
{
	x->deadline_us = ms ? clock_mono_us() + ms * 1000ull : 0;
}

struct client *client_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i ? i->socket_context : NULL;
}

static void add(struct web *w, struct client *x)
{
	pthread_mutex_lock(&w->lock);
	client_allow(x, w->transfer_ms);
	x->next = w->clients;
	if (x->next)
		x->next->prev = x;
	else
		/* The keeper sleeps while there is nobody to look after. */
		pthread_cond_signal(&w->keeper_work);
	w->clients = x;
	pthread_mutex_unlock(&w->lock);
}

static void drop(struct web *w, struct client *x)
{
	pthread_mutex_lock(&w->lock);
	if (x->prev)
		x->prev->next = x->next;
	else
		w->clients = x->next;
	if (x->next)
		x->next->prev = x->prev;
	pthread_mutex_unlock(&w->lock);
}

void client_notify(void *cls, struct MHD_Connection *c, void **context,
		   enum MHD_ConnectionNotificationCode code)
{
	const struct listener *l = cls;
	struct web *w = l->web;
	struct client *x = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		w->n_connections++;
		x = calloc(1, sizeof(*x));
		*context = x;
		if (!x)
			return; /* its request will be refused */
		x->local = l->local;
		identify(x, c);
		add(w, x);
	} else {
		w->n_connections--;
		if (x)
			drop(w, x);
		free(x);
		*context = NULL;
	}
}

void clients_reap(struct web *w, uint64_t now_us)
{
	for (struct client *x = w->clients; x; x = x->next) {
		uint64_t at = x->deadline_us;

		/* Its descriptor is open: it is closed after the notice that
		 * takes it off this list. */
		if (at && at <= now_us)
			shutdown(x->fd, SHUT_RDWR);
	}
}
