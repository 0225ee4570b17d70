/*
 * The way of a request: collected, checked and let in by a web thread, handed
 * over suspended, answered by the control thread (or by the worker, where the
 * disk may be slow), resumed, sent.
 *
 * A request object belongs to its connection: libmicrohttpd says when it is
 * done with it (on_completed), which cannot be while it is suspended.
 */
#include "internal.h"

#include "controller/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEAT_MS 15000
#define MEMORY_LIMIT 16384
#define MAX_CERT 262144

struct request {
	struct web_request pub; /**< first: what the owner sees */
	struct web *web;
	struct MHD_Connection *connection;
	struct request *next, *prev, *next_blocked;
	struct identity who;
	char path[256];
	char *body;
	size_t len;
	bool local, checked, open;
	int status; /**< of the answer, 0 = none yet */
	char *text; /**< of the answer */
	size_t text_len;
	const char *type;
};

static const char media_type_json[] = "application/json";

/* ----------------------------------------------------------------- answers */

static void set_text(struct request *r, int status, const char *type,
		     char *text)
{
	r->status = status;
	r->type = type;
	r->text = text;
	r->text_len = text ? strlen(text) : 0;
}

static void set_json(struct request *r, int status, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	set_text(r, status, media_type_json, text);
}

static void set_error(struct request *r, int status, const char *code,
		      const char *field, const char *message)
{
	json_t *e = json_pack("{s:s,s:s,s:s*}", "code", code, "message",
			      message, "field", field);

	set_json(r, status, json_pack("{s:o}", "error", e));
}

/** Sends the answer that was set. Web thread. */
static enum MHD_Result send_answer(struct request *r)
{
	struct MHD_Response *m = MHD_create_response_from_buffer(
		r->text_len, r->text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result ok;

	if (!m)
		return MHD_NO;
	r->text = NULL;
	MHD_add_response_header(m, "Content-Type", r->type);
	MHD_add_response_header(m, "Cache-Control", "no-store");
	MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(m, "Content-Security-Policy",
				"default-src 'none'");
	if (r->status == 401)
		MHD_add_response_header(m, "WWW-Authenticate",
					"Basic realm=\"tocsin\"");
	if (r->status == 405)
		MHD_add_response_header(m, "Allow",
					"GET, HEAD, POST, PUT, DELETE");
	if (r->status >= 400)
		r->web->n_refused++;
	ok = MHD_queue_response(r->connection, (unsigned)r->status, m);
	MHD_destroy_response(m);
	return ok;
}

/** Takes it off the list of those that wait, and wakes its connection. After
 *  this it may be gone. */
static void resume(struct request *r)
{
	struct web *w = r->web;

	pthread_mutex_lock(&w->lock);
	if (!r->open) {
		pthread_mutex_unlock(&w->lock);
		return;
	}
	r->open = false;
	if (r->prev)
		r->prev->next = r->next;
	else
		w->open = r->next;
	if (r->next)
		r->next->prev = r->prev;
	MHD_resume_connection(r->connection);
	pthread_mutex_unlock(&w->lock);
}

void web_reply(struct web_request *pub, int status, json_t *body)
{
	struct request *r = (struct request *)pub;

	set_json(r, status, body);
	resume(r);
}

void web_reply_error(struct web_request *pub, int status, const char *code,
		     const char *field, const char *fmt, ...)
{
	struct request *r = (struct request *)pub;
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	set_error(r, status, code, field, message);
	resume(r);
}

void web_reply_text(struct web_request *pub, int status, const char *type,
		    const char *text)
{
	struct request *r = (struct request *)pub;

	set_text(r, status, type, strdup(text));
	resume(r);
}

const char *web_query(const struct web_request *pub, const char *name)
{
	const struct request *r = (const struct request *)pub;

	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND,
					   name);
}

/* ---------------------------------------------------------------- handover */

/** Suspends the connection; from here on the request is another thread's. */
static void suspend(struct request *r)
{
	struct web *w = r->web;

	pthread_mutex_lock(&w->lock);
	r->open = true;
	r->prev = NULL;
	r->next = w->open;
	if (w->open)
		w->open->prev = r;
	w->open = r;
	MHD_suspend_connection(r->connection);
	pthread_mutex_unlock(&w->lock);
}

/* Control thread. */
static void on_message(int id, void *data, void *arg)
{
	struct web *w = arg;

	(void)id;
	w->h.request(data, w->arg);
}

static bool is_blocking(const struct web *w, const char *path)
{
	for (const char *const *p = w->h.blocking_paths; p && *p; p++)
		if (!strcmp(*p, path))
			return true;
	return false;
}

static void *worker(void *arg)
{
	struct web *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!w->stop || w->blocked) {
		struct request *r = w->blocked;
		json_t *body = NULL;
		int status;

		if (!r) {
			pthread_cond_wait(&w->work, &w->lock);
			continue;
		}
		w->blocked = r->next_blocked;
		if (!w->blocked)
			w->blocked_last = &w->blocked;
		pthread_mutex_unlock(&w->lock);
		status = w->h.blocking(&r->pub, &body, w->arg);
		set_json(r, status, body);
		resume(r);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static enum MHD_Result hand_over(struct request *r)
{
	struct web *w = r->web;

	suspend(r);
	if (is_blocking(w, r->pub.path)) {
		pthread_mutex_lock(&w->lock);
		r->next_blocked = NULL;
		*w->blocked_last = r;
		w->blocked_last = &r->next_blocked;
		pthread_cond_signal(&w->work);
		pthread_mutex_unlock(&w->lock);
	} else if (mqueue_push(w->mq, 0, r)) {
		/* The pipe is full: the control thread does not keep up. */
		set_error(r, 503, "busy", NULL, "too many requests wait");
		resume(r);
	}
	return MHD_YES;
}

/* ---------------------------------------------------------------- checking */

static void peer_name(struct MHD_Connection *c, char *buf, size_t size)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = i ? i->client_addr : NULL;

	buf[0] = '\0';
	if (sa && sa->sa_family == AF_INET)
		inet_ntop(AF_INET,
			  &((const struct sockaddr_in *)(const void *)sa)
				   ->sin_addr,
			  buf, (socklen_t)size);
	else if (sa && sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6,
			  &((const struct sockaddr_in6 *)(const void *)sa)
				   ->sin6_addr,
			  buf, (socklen_t)size);
}

static const char *header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
					   name);
}

/** Lets the client in or sets the refusal. */
static bool let_in(struct request *r)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(
		r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	char address[64];
	int err;

	peer_name(r->connection, address, sizeof(address));
	err = door_enter(r->web->door, r->local, i ? i->connect_fd : -1,
			 header(r, "Authorization"), address, &r->who);
	if (err && !strcmp(r->path, "/healthz"))
		return true; /* it says one word to anybody */
	if (err == EAGAIN)
		set_error(r, 429, "too-many-tries", NULL,
			  "too many wrong passwords; wait a minute");
	else if (err)
		set_error(r, 401, "unauthorised", NULL, "log in");
	return !err;
}

static bool check_body(struct request *r)
{
	const char *type = header(r, "Content-Type");
	struct reason why;

	if (!r->len)
		return true;
	if (!type ||
	    strncasecmp(type, media_type_json, sizeof(media_type_json) - 1)) {
		set_error(r, 415, "not-json", NULL,
			  "send the body as Content-Type: application/json");
		return false;
	}
	if (request_body(r->body, r->len, &r->pub.body, &why)) {
		set_error(r, 400, "not-json", NULL, why.text);
		return false;
	}
	return true;
}

static enum MHD_Result open_stream(struct request *r)
{
	const char *last = header(r, "Last-Event-ID");
	const char *type = web_query(&r->pub, "type");
	const char *after = web_query(&r->pub, "after");
	struct MHD_Response *m;
	enum MHD_Result ok;

	m = streams_open(r->web->streams, r->connection,
			 last    ? last
			 : after ? after
				 : "",
			 type ? type : "");
	if (!m) {
		set_error(r, 503, "busy", NULL, "too many live streams");
		return send_answer(r);
	}
	MHD_add_response_header(m, "Content-Type", "text/event-stream");
	MHD_add_response_header(m, "Cache-Control", "no-store");
	MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
	MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT,
				  0u);
	ok = MHD_queue_response(r->connection, 200, m);
	MHD_destroy_response(m);
	return ok;
}

/** The whole request is here: check it, let it in, hand it over. */
static enum MHD_Result complete(struct request *r)
{
	const char *route = request_route(r->path);

	r->checked = true;
	if (!r->status && let_in(r)) {
		if (!route)
			set_error(r, 404, "not-found", NULL,
				  "the API is under /api/v1/; see "
				  "/api/v1/openapi.json");
		else if (r->who.role == WEB_VIEWER && *r->pub.method != 'G' &&
			 *r->pub.method != 'H')
			set_error(r, 403, "forbidden", NULL,
				  "a viewer may look, not act");
		else
			check_body(r);
	}
	if (r->status)
		return send_answer(r);
	r->pub.path = route;
	r->pub.actor = r->who.actor;
	r->pub.from = r->who.from;
	r->pub.role = r->who.role;
	r->pub.zones = r->who.zones;
	r->pub.n_zones = r->who.n_zones;
	if (!strcmp(route, "/events") && *r->pub.method == 'G')
		return open_stream(r);
	return hand_over(r);
}

static const char *known_method(const char *m)
{
	static const char *const known[] = {"GET", "HEAD", "POST", "PUT",
					    "DELETE"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(m, known[i]))
			return known[i];
	return NULL;
}

static enum MHD_Result begin(struct web *w, struct MHD_Connection *c,
			     const char *url, const char *method, bool local,
			     void **con_cls)
{
	struct request *r = calloc(1, sizeof(*r));
	const char *length;

	if (!r)
		return MHD_NO;
	*con_cls = r;
	w->n_requests++;
	r->web = w;
	r->connection = c;
	r->local = local;
	r->pub.method = known_method(method);
	length = header(r, "Content-Length");
	if (!r->pub.method) {
		set_error(r, 405, "bad-method", NULL,
			  "GET, HEAD, POST, PUT and DELETE are known");
	} else if (!request_path_ok(url)) {
		set_error(r, 400, "bad-path", NULL, "the path is not usable");
	} else if (length && strtoull(length, NULL, 10) > WEB_MAX_BODY) {
		set_error(r, 413, "too-large", NULL,
			  "a body may have at most 65536 bytes");
		/* Answered before the body is taken in. */
		return send_answer(r);
	}
	snprintf(r->path, sizeof(r->path), "%s", url);
	return MHD_YES;
}

static enum MHD_Result take_body(struct request *r, const char *data,
				 size_t size)
{
	char *body;

	if (r->status)
		return MHD_YES;
	if (r->len + size > WEB_MAX_BODY) {
		set_error(r, 413, "too-large", NULL,
			  "a body may have at most 65536 bytes");
		return MHD_YES;
	}
	body = realloc(r->body, r->len + size);
	if (!body)
		return MHD_NO;
	memcpy(body + r->len, data, size);
	r->body = body;
	r->len += size;
	return MHD_YES;
}

static enum MHD_Result handle(struct web *w, struct MHD_Connection *c,
			      const char *url, const char *method,
			      const char *data, size_t *size, void **con_cls,
			      bool local)
{
	struct request *r = *con_cls;
	enum MHD_Result ok;

	if (!r)
		return begin(w, c, url, method, local, con_cls);
	if (*size) {
		ok = take_body(r, data, *size);
		*size = 0;
		return ok;
	}
	/* Called again once it was resumed: then there is an answer. */
	if (r->checked)
		return send_answer(r);
	r->pub.at_us = clock_mono_us();
	return complete(r);
}

static enum MHD_Result on_tcp(void *cls, struct MHD_Connection *c,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *size, void **con_cls)
{
	(void)version;
	return handle(cls, c, url, method, data, size, con_cls, false);
}

static enum MHD_Result on_local(void *cls, struct MHD_Connection *c,
				const char *url, const char *method,
				const char *version, const char *data,
				size_t *size, void **con_cls)
{
	(void)version;
	return handle(cls, c, url, method, data, size, con_cls, true);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **con_cls,
			 enum MHD_RequestTerminationCode why)
{
	struct request *r = *con_cls;

	(void)cls;
	(void)c;
	(void)why;
	if (!r)
		return;
	json_decref(r->pub.body);
	identity_reset(&r->who);
	free(r->body);
	free(r->text);
	free(r);
	*con_cls = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *c,
			  void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct web *w = cls;

	(void)c;
	(void)socket_context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		w->n_connections++;
	else
		w->n_connections--;
}

/* ------------------------------------------------------------ start and stop
 */

/** libmicrohttpd tells of its troubles here; a stranger must not fill the log
 *  with them. */
static void quiet(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	(void)fmt;
	(void)ap;
}

static struct MHD_Daemon *start_daemon(struct web *w, int fd,
				       MHD_AccessHandlerCallback h,
				       const char *pem)
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
			 MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

	if (pem)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(
		flags, 0, NULL, NULL, h, w, MHD_OPTION_EXTERNAL_LOGGER, quiet,
		NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)WEB_MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)WEB_IDLE_S, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		h == on_tcp ? (unsigned)WEB_MAX_PER_ADDRESS : 0u,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_LIMIT,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, w,
		MHD_OPTION_ARRAY, pem ? tls : none, MHD_OPTION_END);
}

static char *read_pem(const char *path, struct reason *why)
{
	FILE *f = fopen(path, "re");
	char *text = f ? calloc(1, MAX_CERT) : NULL;
	size_t n = text ? fread(text, 1, MAX_CERT - 1, f) : 0;

	if (f)
		fclose(f);
	if (!n || !strstr(text, "PRIVATE KEY") ||
	    !strstr(text, "BEGIN CERTIFICATE")) {
		reason_set(why, EINVAL,
			   "web.tls-cert: %s must hold a certificate and its "
			   "key (PEM)%s%s",
			   path, f ? "" : ": ", f ? "" : strerror(errno));
		free(text);
		return NULL;
	}
	return text;
}

static int open_tcp(struct web *w, const struct web_options *opt,
		    struct reason *why)
{
	bool loopback = false;
	char *pem = NULL;
	int fd, err;

	err = listen_tcp(opt->host, opt->port, &loopback, &fd, why);
	if (err)
		return err;
	if (opt->tls_cert) {
		pem = read_pem(opt->tls_cert, why);
		err = pem ? 0 : EINVAL;
	} else if (!loopback) {
		err = reason_set(why, EINVAL,
				 "web.listen: %s is no loopback address; set "
				 "web.tls-cert",
				 opt->host);
	}
	if (!err) {
		w->tcp = start_daemon(w, fd, on_tcp, pem);
		if (!w->tcp)
			err = reason_set(why, EINVAL,
					 "web.listen: the server does not "
					 "start%s",
					 pem ? "; is the certificate valid and "
					       "the key its own?"
					     : "");
	}
	free(pem);
	if (err)
		close(fd);
	return err;
}

static int open_local(struct web *w, const struct web_options *opt,
		      struct reason *why)
{
	int fd, err;

	err = listen_unix(opt->socket, opt->group, &fd, why);
	if (err)
		return err;
	w->socket = strdup(opt->socket);
	w->local = start_daemon(w, fd, on_local, NULL);
	if (!w->local) {
		close(fd);
		return reason_set(why, EINVAL,
				  "web.socket: the server does not start");
	}
	return 0;
}

static void on_beat(void *arg)
{
	struct web *w = arg;

	streams_beat(w->streams);
	tmr_start(&w->beat, BEAT_MS, on_beat, w);
}

static int start_worker(struct web *w)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&w->worker, NULL, worker, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	w->worker_runs = !err;
	return err;
}

int web_alloc(struct web **wp, const struct web_options *opt,
	      const struct web_handlers *h, void *arg, struct reason *why)
{
	struct web *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return reason_set(why, ENOMEM, "not enough memory");
	w->h = *h;
	w->arg = arg;
	w->blocked_last = &w->blocked;
	tmr_init(&w->beat);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	err = mqueue_alloc(&w->mq, on_message, w);
	if (!err)
		err = streams_alloc(&w->streams);
	if (!err)
		err = door_alloc(&w->door);
	if (!err)
		err = door_users(w->door, opt->users, opt->n_users);
	if (!err && h->blocking)
		err = start_worker(w);
	if (err)
		reason_set(why, err, "web: %s", strerror(err));
	if (!err && opt->socket)
		err = open_local(w, opt, why);
	if (!err && opt->host)
		err = open_tcp(w, opt, why);
	if (err) {
		web_free(w);
		return err;
	}
	tmr_start(&w->beat, BEAT_MS, on_beat, w);
	*wp = w;
	return 0;
}

/** Answers every request that still waits, so that its connection can end. */
static void answer_all(struct web *w)
{
	for (;;) {
		struct request *r;

		pthread_mutex_lock(&w->lock);
		r = w->open;
		pthread_mutex_unlock(&w->lock);
		if (!r)
			return;
		set_error(r, 503, "stopping", NULL, "the daemon stops");
		resume(r);
	}
}

struct web *web_free(struct web *w)
{
	MHD_socket fd_local, fd_tcp;

	if (!w)
		return NULL;
	tmr_cancel(&w->beat);
	/* No new clients; the listening sockets are ours again. */
	fd_local = w->local ? MHD_quiesce_daemon(w->local) : MHD_INVALID_SOCKET;
	fd_tcp = w->tcp ? MHD_quiesce_daemon(w->tcp) : MHD_INVALID_SOCKET;
	if (w->worker_runs) {
		pthread_mutex_lock(&w->lock);
		w->stop = true;
		pthread_cond_signal(&w->work);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->worker, NULL);
	}
	if (w->streams)
		streams_stop(w->streams);
	answer_all(w);
	if (w->local)
		MHD_stop_daemon(w->local);
	if (w->tcp)
		MHD_stop_daemon(w->tcp);
	if (fd_local != MHD_INVALID_SOCKET)
		close(fd_local);
	if (fd_tcp != MHD_INVALID_SOCKET)
		close(fd_tcp);
	if (w->socket)
		unlink(w->socket);
	free(w->socket);
	mem_deref(w->mq);
	streams_free(w->streams);
	door_free(w->door);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

int web_set_users(struct web *w, const struct web_user *users, size_t n)
{
	return door_users(w->door, users, n);
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
}
