/*
 * A web server whose control thread is the test's main thread; clients run in
 * a thread of their own on raw sockets.
 */
#ifndef TOCSIN_TEST_WEB_UTIL_H
#define TOCSIN_TEST_WEB_UTIL_H

#include "web/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/** cmocka's asserts jump, which only the main thread may. */
#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,       \
				__LINE__, #cond);                              \
			abort();                                               \
		}                                                              \
	} while (0)

/** How long anything is awaited before the test counts as failed. */
#define PATIENCE_S 60

struct env {
	struct web *web;
	struct web_options opt;
	char dir[64], path[128];
	uint16_t port;
	void (*client)(struct env *e);
	web_request_h *request; /**< instead of on_request() */
	web_blocking_h *blocking;
	web_refused_h *refused;
	struct mqueue *mq;
	sem_t stall, stalled; /**< "/stall" waits for the first */
	sem_t disk, at_disk;  /**< "/journal" waits for the first if slow */
	_Atomic bool slow_disk;
	struct web_request *kept[WEB_MAX_CONTROL + 8]; /**< by "/never" */
	size_t n_kept;
	struct tmr tmr;
	struct web_request *later;
	_Atomic unsigned handled, kept_now, orders_done;
	_Atomic uint64_t n_published;
};

static inline void nap(void)
{
	struct timespec ts = {.tv_nsec = 2000000};

	nanosleep(&ts, NULL);
}

/** Waits until cond holds; a test that waits in vain fails. */
#define AWAIT(cond)                                                            \
	do {                                                                   \
		time_t end_ = time(NULL) + PATIENCE_S;                         \
		while (!(cond)) {                                              \
			CHECK(time(NULL) < end_);                              \
			nap();                                                 \
		}                                                              \
	} while (0)

/* ------------------------------------------------------------- the control */

static inline json_t *echo(const struct web_request *r)
{
	const char *q = web_query(r, "q");

	return json_pack("{s:s,s:s,s:s,s:s,s:i,s:i,s:s*,s:O*}", "method",
			 r->method, "path", r->path, "actor", r->actor, "from",
			 r->from, "role", (int)r->role, "n_zones",
			 (int)r->n_zones, "q", q, "body", r->body);
}

static inline void on_later(void *arg)
{
	struct env *e = arg;

	web_reply(e->later, 200, echo(e->later));
	e->later = NULL;
}

static inline void on_request(struct web_request *r, void *arg)
{
	struct env *e = arg;

	e->handled++;
	if (!strcmp(r->path, "/never")) {
		e->kept[e->n_kept++] = r;
		e->kept_now++;
	} else if (!strcmp(r->path, "/later")) {
		e->later = r;
		tmr_start(&e->tmr, 30, on_later, e);
	} else if (!strcmp(r->path, "/stall")) {
		sem_post(&e->stalled);
		sem_wait(&e->stall);
		web_reply(r, 200, NULL);
	} else if (!strcmp(r->path, "/refuse")) {
		web_reply_error(r, 409, "outranked", "zones", "%s",
				"by \"\xff\n17\"");
	} else if (!strcmp(r->path, "/healthz") ||
		   !strcmp(r->path, "/metrics")) {
		web_reply_text(r, 200, "text/plain; charset=utf-8", "ok\n");
	} else {
		web_reply(r, 200, echo(r));
	}
}

static inline int on_blocking(const struct web_request *r, json_t **body,
			      void *arg)
{
	struct env *e = arg;

	if (e->slow_disk) {
		sem_post(&e->at_disk);
		sem_wait(&e->disk);
	}
	*body = echo(r);
	return 200;
}

static inline void answer_kept(struct env *e)
{
	for (size_t i = 0; i < e->n_kept; i++)
		web_reply(e->kept[i], 200, NULL);
	e->n_kept = 0;
	e->kept_now = 0;
}

enum order {
	ORDER_END,
	ORDER_ANSWER_KEPT,
	ORDER_PUBLISH,
	ORDER_FREE,
	ORDER_START
};

static inline int env_start(struct env *e, struct reason *why);

static inline void publish(struct env *e, const char *type)
{
	uint64_t id = e->n_published + 1;
	char json[128];

	snprintf(json, sizeof(json), "{\"id\":%llu}", (unsigned long long)id);
	web_publish(e->web, id, type, json);
	e->n_published = id;
}

/* Control thread. */
static inline void on_order(int id, void *data, void *arg)
{
	struct env *e = arg;
	size_t n = (size_t)(uintptr_t)data;

	switch ((enum order)id) {
	case ORDER_END:
		re_cancel();
		break;
	case ORDER_ANSWER_KEPT:
		answer_kept(e);
		break;
	case ORDER_PUBLISH:
		for (size_t i = 0; i < n; i++)
			publish(e, e->n_published & 1 ? "zone.b" : "alarm.a");
		break;
	case ORDER_FREE:
		tmr_cancel(&e->tmr);
		e->web = web_free(e->web);
		break;
	case ORDER_START:
		CHECK(!env_start(e, NULL));
		break;
	}
	e->orders_done++;
}

/** From the client's thread: the control thread does that. */
static inline void order(struct env *e, enum order o, size_t n)
{
	CHECK(!mqueue_push(e->mq, o, (void *)(uintptr_t)n));
}

/** The same, and waits until it is done. */
static inline void order_now(struct env *e, enum order o, size_t n)
{
	unsigned done = e->orders_done;

	order(e, o, n);
	AWAIT(e->orders_done != done);
}

static inline void publish_now(struct env *e, size_t n)
{
	order_now(e, ORDER_PUBLISH, n);
}

static inline void *client_main(void *arg)
{
	struct env *e = arg;

	e->client(e);
	order(e, ORDER_END, 0);
	return NULL;
}

static inline uint16_t free_port(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(in);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(s >= 0 && !bind(s, (struct sockaddr *)&in, n) &&
	      !getsockname(s, (struct sockaddr *)&in, &n));
	close(s);
	return ntohs(in.sin_port);
}

static const char *const blocking_paths[] = {"/journal", NULL};

/** Makes the folder and the options of a server on a Unix socket; with_tcp
 *  also on loopback. */
static inline void env_init(struct env *e, bool with_tcp)
{
	memset(e, 0, sizeof(*e));
	snprintf(e->dir, sizeof(e->dir), "/tmp/tocsin-web-XXXXXX");
	CHECK(mkdtemp(e->dir));
	snprintf(e->path, sizeof(e->path), "%s/s/tocsin.sock", e->dir);
	e->opt.socket = e->path;
	if (with_tcp) {
		e->opt.host = "127.0.0.1";
		e->opt.port = e->port = free_port();
	}
	sem_init(&e->stall, 0, 0);
	sem_init(&e->stalled, 0, 0);
	sem_init(&e->disk, 0, 0);
	sem_init(&e->at_disk, 0, 0);
}

static inline int env_start(struct env *e, struct reason *why)
{
	const struct web_handlers h = {
		.request = e->request ? e->request : on_request,
		.refused = e->refused,
		.blocking_paths = blocking_paths,
		.blocking = e->blocking ? e->blocking : on_blocking,
	};

	return web_alloc(&e->web, &e->opt, &h, e, why);
}

/** Shorter time-outs than a test would live to see. */
static inline void env_hurry(struct env *e, uint32_t guard_ms,
			     uint32_t transfer_ms)
{
	e->web->guard_ms = guard_ms;
	e->web->transfer_ms = transfer_ms;
	e->web->tick_ms = 10;
}

/** Runs the control loop until the client is through. */
static inline void env_run(struct env *e, void (*client)(struct env *e))
{
	pthread_t t;

	e->client = client;
	CHECK(!mqueue_alloc(&e->mq, on_order, e));
	CHECK(!pthread_create(&t, NULL, client_main, e));
	CHECK(!re_main(NULL));
	pthread_join(t, NULL);
	e->mq = mem_deref(e->mq);
}

static inline void env_end(struct env *e)
{
	char parent[128];

	tmr_cancel(&e->tmr);
	e->web = web_free(e->web);
	/* An owner that answers late does no harm. */
	answer_kept(e);
	CHECK(access(e->path, F_OK));
	snprintf(parent, sizeof(parent), "%s/s", e->dir);
	rmdir(parent);
	CHECK(!rmdir(e->dir));
}

/** All of it for one server with the given client. */
static inline void serve(bool with_tcp, void (*client)(struct env *e))
{
	struct env e;
	struct reason why = {""};

	env_init(&e, with_tcp);
	if (env_start(&e, &why)) {
		fprintf(stderr, "%s\n", why.text);
		abort();
	}
	env_run(&e, client);
	env_end(&e);
}

static inline void control_init(void)
{
	CHECK(!libre_init());
}

/* -------------------------------------------------------------- the client */

static inline int ready(int s)
{
	struct timeval tv = {.tv_sec = PATIENCE_S};

	CHECK(s >= 0);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return s;
}

static inline int dial_unix(const struct env *e)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int s = ready(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", e->path);
	CHECK(!connect(s, (struct sockaddr *)&un, sizeof(un)));
	return s;
}

static inline int dial_tcp(const struct env *e)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(e->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int s = ready(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	CHECK(!connect(s, (struct sockaddr *)&in, sizeof(in)));
	return s;
}

/** Sends all, or what the peer takes. */
static inline bool say_n(int s, const char *text, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t k = send(s, text + at, n - at, MSG_NOSIGNAL);

		if (k <= 0)
			return false;
		at += (size_t)k;
	}
	return true;
}

static inline bool say(int s, const char *text)
{
	return say_n(s, text, strlen(text));
}

struct reply {
	int status;
	bool closes;
	char head[4096], body[70000];
	size_t len;
};

/** Reads one answer; status 0 when the connection was closed instead. */
static inline void hear(int s, struct reply *r, bool head_only)
{
	size_t n = 0, want = 0;
	const char *p;

	memset(r, 0, sizeof(*r));
	while (!strstr(r->head, "\r\n\r\n")) {
		ssize_t k = recv(s, r->head + n, 1, 0);

		CHECK(k >= 0 || errno == ECONNRESET);
		if (k <= 0)
			return;
		CHECK(++n < sizeof(r->head) - 1);
	}
	CHECK(sscanf(r->head, "HTTP/1.1 %d", &r->status) == 1);
	r->closes = strcasestr(r->head, "\r\nConnection: close") != NULL;
	p = strcasestr(r->head, "\r\nContent-Length:");
	if (p)
		want = strtoul(p + 17, NULL, 10);
	CHECK(want < sizeof(r->body));
	while (!head_only && r->len < want) {
		ssize_t k = recv(s, r->body + r->len, want - r->len, 0);

		CHECK(k > 0);
		r->len += (size_t)k;
	}
}

/** One request on a connection that stays. */
static inline void ask(int s, struct reply *r, const char *method,
		       const char *path, const char *headers, const char *body)
{
	char head[2048];

	snprintf(head, sizeof(head),
		 "%s %s HTTP/1.1\r\nHost: h:1\r\n%s%s%s%zu\r\n\r\n", method,
		 path, headers,
		 body && !strstr(headers, "Content-Type")
			 ? "Content-Type: application/json\r\n"
			 : "",
		 "Content-Length: ", body ? strlen(body) : 0);
	CHECK(say(s, head));
	if (body)
		say(s, body);
	hear(s, r, !strcmp(method, "HEAD"));
}

/** The same on a connection of its own over the Unix socket. */
static inline void ask_once(const struct env *e, struct reply *r,
			    const char *method, const char *path,
			    const char *headers, const char *body)
{
	int s = dial_unix(e);

	ask(s, r, method, path, headers, body);
	close(s);
}

/** Is the answer the error of that code? */
static inline bool is_error(const struct reply *r, int status, const char *code)
{
	json_t *o = json_loadb(r->body, r->len, 0, NULL);
	json_t *x = json_object_get(o, "error");
	const char *c = json_string_value(json_object_get(x, "code"));
	const char *m = json_string_value(json_object_get(x, "message"));
	bool ok = r->status == status && c && !strcmp(c, code) && m && *m;

	if (!ok)
		fprintf(stderr, "got %d %.*s\n", r->status, (int)r->len,
			r->body);
	json_decref(o);
	return ok;
}

/** Is a member of the answer that text? */
static inline bool has(const struct reply *r, const char *member,
		       const char *text)
{
	json_t *o = json_loadb(r->body, r->len, 0, NULL);
	const char *v = json_string_value(json_object_get(o, member));
	bool ok = v && !strcmp(v, text);

	json_decref(o);
	return ok;
}

/** Has the peer closed? Waits for it. */
static inline bool closed(int s)
{
	char buf[4096];
	ssize_t n;

	while ((n = recv(s, buf, sizeof(buf), 0)) > 0)
		;
	return n == 0 || errno == ECONNRESET || errno == EPIPE;
}

/** Nothing to read at this moment? */
static inline bool silent(int s)
{
	struct pollfd p = {.fd = s, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

#endif
