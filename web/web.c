/*
 * The server as a whole: listeners, threads, start and stop.
 *
 * Threads: one of libmicrohttpd's for each listener, the worker (requests that
 * wait for the disk) and the keeper (password hashes, time-outs).
 */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Of each connection: its request's head must fit. */
#define MEMORY_LIMIT 16384

/** libmicrohttpd tells of its troubles here; a stranger must not fill the log
 *  with them. */
static void quiet(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	(void)fmt;
	(void)ap;
}

/** Takes the socket, also when it fails. */
static int start_daemon(struct listener *l, int fd, const char *pem)
{
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)pem},
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)pem},
		{MHD_OPTION_HTTPS_PRIORITIES, 0,
		 (void *)(uintptr_t) "SECURE256:+SECURE128:-VERS-ALL:"
				     "+VERS-TLS1.3:+VERS-TLS1.2"},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD |
			 MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			 (pem ? MHD_USE_TLS : 0);

	l->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, handle_request, l,
		MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)WEB_MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)WEB_IDLE_S, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		l->local ? 0u : (unsigned)WEB_MAX_PER_ADDRESS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_LIMIT,
		MHD_OPTION_UNESCAPE_CALLBACK, handle_unescape, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, handle_completed, l,
		MHD_OPTION_NOTIFY_CONNECTION, client_notify, l,
		MHD_OPTION_ARRAY, pem ? tls : none, MHD_OPTION_END);
	if (l->daemon)
		return 0;
	close(fd);
	return EINVAL;
}

static int open_tcp(struct web *w, const struct web_options *opt,
		    struct reason *why)
{
	bool loopback = false;
	int fd, err;

	err = listen_tcp(opt->host, opt->port, &loopback, &fd, why);
	if (err)
		return err;
	if (opt->tls_cert) {
		w->pem = listen_pem(opt->tls_cert, why);
		err = w->pem ? 0 : EINVAL;
	} else if (!loopback) {
		err = reason_set(why, EINVAL,
				 "web.listen: %s is no loopback address; set "
				 "web.tls-cert",
				 opt->host);
	}
	if (err) {
		close(fd);
		return err;
	}
	err = start_daemon(&w->tcp, fd, w->pem);
	if (err)
		reason_set(why, err, "web.listen: the server does not start%s",
			   w->pem ? "; is the certificate valid and the key "
				    "its own?"
				  : "");
	return err;
}

static int open_unix(struct web *w, const struct web_options *opt,
		     struct reason *why)
{
	int fd, err;

	err = listen_unix(opt->socket, opt->group, &w->path, &fd, why);
	if (err)
		return err;
	err = start_daemon(&w->unix_, fd, NULL);
	if (err)
		reason_set(why, err, "web.socket: the server does not start");
	return err;
}

static void on_beat(void *arg)
{
	struct web *w = arg;

	streams_beat(w->streams);
	tmr_start(&w->beat, WEB_BEAT_MS, on_beat, w);
}

static int start(struct web *w, const struct web_options *opt,
		 struct reason *why)
{
	int err = exchange_start(w, why);

	if (!err && opt->socket)
		err = open_unix(w, opt, why);
	if (!err && opt->host)
		err = open_tcp(w, opt, why);
	return err;
}

int web_alloc(struct web **wp, const struct web_options *opt,
	      const struct web_handlers *h, void *arg, struct reason *why)
{
	struct web *w = calloc(1, sizeof(*w));
	sigset_t all, old;
	int err;

	if (!w)
		return reason_set(why, ENOMEM, "not enough memory");
	w->h = *h;
	w->arg = arg;
	w->tcp.web = w->unix_.web = w;
	w->unix_.local = true;
	w->spool = opt->spool ? strdup(opt->spool) : NULL;
	tmr_init(&w->beat);
	err = streams_alloc(&w->streams);
	if (!err)
		err = door_alloc(&w->door);
	if (!err)
		err = hooks_alloc(&w->hooks);
	if (!err)
		err = door_users(w->door, opt->users, opt->n_users);
	if (err) {
		reason_set(why, err, "web: %s", strerror(err));
		streams_free(w->streams);
		door_free(w->door);
		hooks_free(w->hooks);
		free(w->spool);
		free(w);
		return err;
	}
	/* Signals are the main thread's alone. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = start(w, opt, why);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		web_free(w);
		return err;
	}
	tmr_start(&w->beat, WEB_BEAT_MS, on_beat, w);
	*wp = w;
	return 0;
}

/** No new clients; the listening socket is ours again. */
static int quiesce(struct listener *l)
{
	return l->daemon ? MHD_quiesce_daemon(l->daemon) : -1;
}

struct web *web_free(struct web *w)
{
	int fd_local, fd_tcp;

	if (!w)
		return NULL;
	tmr_cancel(&w->beat);
	fd_local = quiesce(&w->unix_);
	fd_tcp = quiesce(&w->tcp);
	/* libmicrohttpd cannot stop while a connection is suspended. */
	exchange_stop(w);
	streams_stop(w->streams);
	if (w->unix_.daemon)
		MHD_stop_daemon(w->unix_.daemon);
	if (w->tcp.daemon)
		MHD_stop_daemon(w->tcp.daemon);
	if (fd_local >= 0)
		close(fd_local);
	if (fd_tcp >= 0)
		close(fd_tcp);
	listen_path_free(w->path);
	listen_pem_free(w->pem);
	exchange_free(w);
	streams_free(w->streams);
	door_free(w->door);
	hooks_free(w->hooks);
	free(w->spool);
	free(w);
	return NULL;
}

int web_set_users(struct web *w, const struct web_user *users, size_t n)
{
	return door_users(w->door, users, n);
}

void web_token_used(struct web *w, const char *name, struct web_token_use *use)
{
	door_used(w->door, name, use);
}

int web_set_hooks(struct web *w, const struct web_hook *hooks, size_t n)
{
	return hooks_set(w->hooks, hooks, n);
}

void web_publish(struct web *w, uint64_t id, const char *type, const char *json)
{
	streams_publish(w->streams, id, type, json);
}

void web_counters(const struct web *w, struct web_counters *c)
{
	c->requests = w->n_requests;
	c->refused = w->n_refused;
	c->streams = streams_count(w->streams);
	c->connections = w->n_connections;
	c->hook_strangers = hooks_strangers(w->hooks);
}
