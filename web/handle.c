/*
 * The way of a request through libmicrohttpd's thread: its head is looked at
 * and its sender let in, its body collected, and the whole handed over.
 */
#include "internal.h"
#include "route.h"

#include "controller/base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/** A body that is refused is read so far, for the answer to be seen. */
#define MAX_SWALLOWED (16 * WEB_MAX_BODY)
/** A live stream whose client acknowledges nothing for so long has ended. */
#define STREAM_DEAD_MS 60000u

static const char *header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
					   name);
}

/* ---------------------------------------------------------------- the head */

/** The method as the owner sees it; NULL when it is none of ours. */
static const char *known_method(const char *m)
{
	static const char *const known[] = {"GET", "POST", "PUT", "DELETE"};

	/* The body of an answer to HEAD is left out by libmicrohttpd. */
	if (!strcmp(m, "HEAD"))
		return known[0];
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(m, known[i]))
			return known[i];
	return NULL;
}

static void refuse_method(struct request *r, const char *m)
{
	static const char *const others[] = {"OPTIONS", "PATCH", "TRACE",
					     "CONNECT"};
	int status = 501;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(m, others[i]))
			status = 405;
	answer_set_error(r, status, "bad-method",
			 "GET, HEAD, POST, PUT and DELETE are known");
}

static void refuse_entry(struct request *r, int err)
{
	if (err == EKEYREJECTED || err == EKEYEXPIRED) {
		char why[160];

		r->bearer = true;
		snprintf(why, sizeof(why), "%s from %s",
			 err == EKEYEXPIRED ? "expired token" : "wrong token",
			 r->client->from);
		exchange_note(r->web, r->who.actor, why);
	}
	if (err == EAGAIN)
		answer_set_error(r, 429, "too-many-tries",
				 "too many wrong passwords; wait a minute");
	else
		answer_set_error(r, 401, "unauthorised", "log in");
}

/** The token of a session that the browser has; NULL when none. */
static const char *cookie(const struct request *r)
{
	const char *v = MHD_lookup_connection_value(
		r->connection, MHD_COOKIE_KIND, cookie_name(r->web));

	return v && strlen(v) == SESSION_TOKEN - 1 ? v : NULL;
}

/** A browser adds the cookie to what any page makes it send; only our own page
 *  knows the token that must go with what acts. */
static bool forged(const struct request *r)
{
	const char *v = header(r, "X-CSRF-Token");

	return r->pub.session && *r->pub.method != 'G' &&
	       !(v && strlen(v) == SESSION_TOKEN - 1 &&
		 !CRYPTO_memcmp(v, r->view.csrf, SESSION_TOKEN - 1));
}

/** Lets the sender in, or sets the refusal, or leaves a password to check. */
static void let_in(struct request *r, const char *url)
{
	struct client *x = r->client;
	int err = 0;

	if (r->hook) {
		/* Its signature is over the body: let in when that is here. */
		snprintf(r->who.actor, sizeof(r->who.actor), "webhook");
		identity_role(&r->who, WEB_OPERATOR);
	} else if (r->page || !strcmp(url, "/healthz")) {
		/* The console's page asks who it is by itself; that one says
		 * one word to anybody, and has no password hashed. */
		snprintf(r->who.actor, sizeof(r->who.actor), "anybody");
		identity_role(&r->who, WEB_VIEWER);
	} else if (x->local) {
		snprintf(r->who.actor, sizeof(r->who.actor), "%s", x->actor);
		identity_role(&r->who, WEB_ADMIN);
		if (!*x->actor)
			err = EACCES;
	} else if (r->login) {
		/* Its body says who: looked at when that is here. */
		snprintf(r->who.actor, sizeof(r->who.actor), "anybody");
		identity_role(&r->who, WEB_VIEWER);
	} else if (!header(r, "Authorization") && cookie(r)) {
		snprintf(r->token, sizeof(r->token), "%s", cookie(r));
		err = door_session(r->web->door, r->token, &r->view, &r->who);
		r->pub.session = err ? NULL : &r->view;
	} else {
		err = door_enter(r->web->door, header(r, "Authorization"),
				 x->source, &r->who, &r->guess);
	}
	snprintf(r->who.from, sizeof(r->who.from), "%s", x->from);
	if (err && err != EINPROGRESS)
		refuse_entry(r, err);
}

/** Sets a refusal that says what is missing, unless it may be asked for. */
static void check_scope(struct request *r, const char *route)
{
	const unsigned need = route_need(r->pub.method, route);
	const unsigned has = r->who.scopes;
	char a[SCOPE_TEXT], b[SCOPE_TEXT], why[400];

	if (!need || need & has)
		return;
	if (!strncmp(r->who.actor, "token:", 6))
		snprintf(why, sizeof(why),
			 "%s has not the scope %s, but: %s; an admin may give "
			 "it, in its section of the configuration",
			 r->who.actor, scope_text(need, a), scope_text(has, b));
	else if (need == SCOPE_ADMIN)
		snprintf(why, sizeof(why), "%s is no admin: only an admin may",
			 r->who.actor);
	else
		snprintf(why, sizeof(why),
			 "%s is a viewer, who may look, not act: this needs an "
			 "operator",
			 r->who.actor);
	answer_set_error(r, 403, "forbidden", why);
	snprintf(why, sizeof(why), "%s %.100s refused: it needs the scope %s",
		 r->pub.method, route, scope_text(need, a));
	exchange_note(r->web, r->who.actor, why);
}

/** Sets a refusal when what the head says cannot be right. */
static void check_head(struct request *r, const char *url, const char *method)
{
	const char *length = header(r, "Content-Length");
	const char *origin = header(r, "Origin");

	r->pub.method = known_method(method);
	if (!r->pub.method)
		refuse_method(r, method);
	else if (r->page && *r->pub.method != 'G')
		answer_set_error(r, 405, "bad-method",
				 "a page can only be fetched");
	else if (!request_path(url, r->path))
		answer_set_error(r, 400, "bad-path", "the path is not usable");
	else if (upload_is(r->pub.method, r->path) && length &&
		 strtoull(length, NULL, 10) > WEB_MAX_UPLOAD)
		answer_set_error(r, 413, "too-large", UPLOAD_TOO_LARGE);
	else if (!upload_is(r->pub.method, r->path) && length &&
		 strtoull(length, NULL, 10) > WEB_MAX_BODY)
		answer_set_error(r, 413, "too-large",
				 "a body may have at most 65536 bytes");
	else if (origin && *r->pub.method != 'G' &&
		 !request_same_origin(origin, header(r, "Host")))
		/* A browser sends its user's password with anybody's form. */
		answer_set_error(r, 403, "foreign-origin",
				 "a page of another site may not act here");
	else if (forged(r))
		answer_set_error(r, 403, "csrf",
				 "send X-CSRF-Token with what GET "
				 "/api/v1/session calls csrf");
}

static bool announces_body(const struct request *r)
{
	const char *length = header(r, "Content-Length");

	return header(r, "Transfer-Encoding") ||
	       (length && strtoull(length, NULL, 10));
}

/** A request's head is here. */
static enum MHD_Result begin(const struct listener *l, struct MHD_Connection *c,
			     const char *url, const char *method,
			     void **con_cls)
{
	struct client *x = client_of(c);
	struct request *r = x ? calloc(1, sizeof(*r)) : NULL;

	if (!r)
		return MHD_NO;
	*con_cls = r;
	r->refs = 1;
	r->web = l->web;
	r->web->n_requests++;
	r->connection = c;
	r->client = x;
	r->hook = !strcmp(method, "POST") && hooks_is_path(url);
	r->page = pages_find(url);
	r->session = !strcmp(url, "/api/v1/session");
	r->login = r->session && !strcmp(method, "POST") && !l->local;
	r->file = r->pub.upload = -1;
	let_in(r, url);
	if (!r->status)
		check_head(r, url, method);
	if (!r->status && upload_is(r->pub.method, r->path))
		upload_begin(r, header(r, "Content-Type"));
	/* Answered before a body is taken in, which ends the connection. */
	return r->status && announces_body(r) ? answer_send(r) : MHD_YES;
}

/* ---------------------------------------------------------------- the body */

static enum MHD_Result take_body(struct request *r, const char *data, size_t n)
{
	char *body;

	r->seen += n;
	if (r->status)
		return r->seen <= MAX_SWALLOWED ? MHD_YES : MHD_NO;
	if (r->uploads) {
		upload_take(r, data, n);
		return MHD_YES;
	}
	if (r->seen > WEB_MAX_BODY) {
		answer_set_error(r, 413, "too-large",
				 "a body may have at most 65536 bytes");
		return MHD_YES;
	}
	body = realloc(r->body, r->seen);
	if (!body)
		return MHD_NO;
	memcpy(body + r->len, data, n);
	r->body = body;
	r->len += n;
	return MHD_YES;
}

static void check_body(struct request *r)
{
	const char *type = header(r, "Content-Type");
	struct reason why;

	if (r->uploads && !r->seen)
		answer_set_error(r, 400, "empty",
				 "the body is empty: send the audio file as "
				 "the body");
	if (!r->len || r->hook || r->status)
		return;
	if (!type || !request_is_json(type))
		answer_set_error(
			r, 415, "not-json",
			"send the body as Content-Type: application/json");
	else if (request_body(r->body, r->len, &r->pub.body, &why))
		answer_set_error(r, 400, "not-json", why.text);
}

/* --------------------------------------------------------------- the whole */

static enum MHD_Result on_query(void *cls, enum MHD_ValueKind kind,
				const char *name, const char *value)
{
	struct request *r = cls;
	char *n, *v;

	(void)kind;
	value = value ? value : "";
	if (r->n_query == WEB_MAX_QUERY || !request_text_ok(name) ||
	    !request_text_ok(value)) {
		answer_set_error(r, 400, "bad-query",
				 "the query is not usable");
		return MHD_NO;
	}
	n = strdup(name);
	v = strdup(value);
	if (!n || !v) {
		free(n);
		free(v);
		answer_set_error(r, 503, "no-memory", "not enough memory");
		return MHD_NO;
	}
	r->query[r->n_query].name = n;
	r->query[r->n_query++].value = v;
	return MHD_YES;
}

/** A dead peer would hold the place of a stream for many minutes. */
static void watch_peer(const struct client *x)
{
	unsigned ms = STREAM_DEAD_MS;
	int one = 1;

	if (x->local)
		return;
	setsockopt(x->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(x->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

/** The number to go on after: Last-Event-ID, or ?after= for the first time. */
static bool resume_after(const struct request *r, const uint64_t **after,
			 uint64_t *id)
{
	const char *text = header(r, "Last-Event-ID");
	char *end;

	*after = NULL;
	if (!text)
		text = web_query(&r->pub, "after");
	if (!text || !*text)
		return true;
	errno = 0;
	*id = strtoull(text, &end, 10);
	*after = id;
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static enum MHD_Result open_stream(struct request *r)
{
	const char *type = web_query(&r->pub, "type");
	const uint64_t *after;
	struct MHD_Response *m;
	enum MHD_Result ok;
	uint64_t id;

	if (!resume_after(r, &after, &id)) {
		answer_set_error(r, 400, "bad-request",
				 "Last-Event-ID and \"after\" are the number "
				 "of an event");
		return answer_send(r);
	}
	m = streams_open(r->web->streams, r->connection, after,
			 type ? type : "");
	if (!m) {
		answer_set_error(r, 503, "busy", "too many live streams");
		return answer_send(r);
	}
	MHD_add_response_header(m, "Content-Type", "text/event-stream");
	answer_secure(m, NULL);
	client_allow(r->client, 0);
	watch_peer(r->client);
	MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT,
				  0u);
	ok = MHD_queue_response(r->connection, 200, m);
	MHD_destroy_response(m);
	return ok;
}

static bool is_blocking(const struct web *w, const char *path)
{
	for (const char *const *p = w->h.blocking_paths; p && *p; p++)
		if (!strcmp(*p, path))
			return true;
	return false;
}

/** Lets a webhook in, or tells it nothing. */
static void check_hook(struct request *r, const char *route)
{
	const struct hooks_given given = {
		.sha256 = {header(r, "X-Timestamp"), header(r, "X-Signature"),
			   NULL},
		.standard = {header(r, "webhook-timestamp"),
			     header(r, "webhook-signature"),
			     header(r, "webhook-id")},
		.body = r->body ? r->body : "",
		.len = r->len,
	};
	const char *name =
		route && !strncmp(route, "/hooks/", 7) ? route + 7 : "";

	if (hooks_enter(r->web->hooks, name, &given, &r->signed_)) {
		answer_set_error(r, 401, "unauthorised", "log in");
		return;
	}
	snprintf(r->who.actor, sizeof(r->who.actor), "webhook:%.64s", name);
	r->pub.signed_ = &r->signed_;
	r->pub.raw = given.body;
	r->pub.len = given.len;
}

/** A header that the owner may see; one that is too long matches nothing. */
static void copy_header(const struct request *r, const char *name, char buf[80],
			const char **to)
{
	const char *v = header(r, name);

	if (v)
		*to = snprintf(buf, 80, "%s", v) < 80 ? buf : "too long";
}

/** From now on it is a request of the session that it opened. */
static void enter_session(struct request *r)
{
	int err;

	identity_reset(&r->who);
	err = door_session(r->web->door, r->token, &r->view, &r->who);
	snprintf(r->who.from, sizeof(r->who.from), "%s", r->client->from);
	if (err)
		refuse_entry(r, err);
	else
		r->pub.session = &r->view;
}

static enum MHD_Result complete(struct request *r)
{
	const char *route = request_route(r->path);

	r->complete = true;
	if (r->page && !r->status)
		return answer_page(r, header(r, "If-None-Match"));
	r->pub.at_us = clock_mono_us();
	if (!r->status && r->hook)
		check_hook(r, route);
	if (!r->status && !route)
		answer_set_error(r, 404, "not-found",
				 "the API is under /api/v1/; see "
				 "/api/v1/openapi.json");
	else if (!r->status)
		check_scope(r, route);
	if (!r->status && !r->login)
		check_body(r);
	if (!r->status && r->login && !r->pub.denied)
		enter_session(r);
	if (!r->status && r->session && *r->pub.method == 'D')
		door_logout(r->web->door, r->token);
	if (!r->status)
		MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND,
					  on_query, r);
	if (r->status)
		return answer_send(r);
	copy_header(r, "If-Match", r->if_match, &r->pub.if_match);
	copy_header(r, "If-None-Match", r->if_none_match,
		    &r->pub.if_none_match);
	r->pub.path = route;
	r->pub.actor = r->who.actor;
	r->pub.from = r->who.from;
	r->pub.role = r->who.role;
	r->pub.zones = r->who.zones;
	r->pub.n_zones = r->who.n_zones;
	r->pub.scopes = r->who.scopes;
	r->pub.messages = r->who.messages;
	r->pub.n_messages = r->who.n_messages;
	if (!strcmp(route, "/events") && *r->pub.method == 'G')
		return open_stream(r);
	if (!exchange_hand_over(r, is_blocking(r->web, route) ? HOLD_BLOCKING
							      : HOLD_CONTROL))
		return answer_send(r);
	return MHD_YES;
}

/** Has the password hashed: the next call sees what came of it. */
static enum MHD_Result check_guess(struct request *r)
{
	r->guessed = true;
	return exchange_hand_over(r, HOLD_HASHING) ? MHD_YES : answer_send(r);
}

/** Looks at the name and password in the body. False: an answer is set. */
static bool check_login(struct request *r)
{
	const char *name, *password;
	int err = EACCES;

	check_body(r);
	if (r->status)
		return false;
	if (!request_login(r->pub.body, &name, &password)) {
		answer_set_error(r, 400, "bad-request",
				 "send {\"user\": ..., \"password\": ...}");
	} else {
		err = door_login(r->web->door, name, password,
				 r->client->source, &r->guess);
		/* It goes nowhere else. */
		explicit_bzero((char *)(uintptr_t)password, strlen(password));
		if (err != EINPROGRESS)
			refuse_entry(r, err);
	}
	json_decref(r->pub.body);
	r->pub.body = NULL;
	return !r->status;
}

enum MHD_Result handle_request(void *cls, struct MHD_Connection *c,
			       const char *url, const char *method,
			       const char *version, const char *data,
			       size_t *size, void **con_cls)
{
	struct request *r = *con_cls;
	enum MHD_Result ok;

	(void)version;
	if (!r)
		return begin(cls, c, url, method, con_cls);
	if (*size) {
		ok = take_body(r, data, *size);
		*size = 0;
		return ok;
	}
	if (r->login && !r->guess && !r->status && !check_login(r))
		return answer_send(r);
	/* Not before the body is here: libmicrohttpd 0.9 and 1.0 differ in what
	 * they call after a head that was suspended. */
	if (r->guess && !r->guessed && !r->status)
		return check_guess(r);
	/* Called again once it was resumed: then there is an answer. */
	return r->complete ? answer_send(r) : complete(r);
}

void handle_completed(void *cls, struct MHD_Connection *c, void **con_cls,
		      enum MHD_RequestTerminationCode why)
{
	struct request *r = *con_cls;

	(void)cls;
	(void)c;
	(void)why;
	if (!r)
		return;
	*con_cls = NULL;
	client_allow(r->client, r->web->transfer_ms);
	request_unref(r);
}

size_t handle_unescape(void *cls, struct MHD_Connection *c, char *s)
{
	(void)cls;
	(void)c;
	return request_unescape(s);
}
