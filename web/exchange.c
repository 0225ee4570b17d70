/*
 * Who holds a request.
 *
 * libmicrohttpd's connection holds one reference. Handing a request over
 * suspends the connection and gives the holder a second: the control thread,
 * the worker (the disk) or the keeper (password hashes). An answer resumes the
 * connection; giving back ends the holder's part. A guard answers for a holder
 * that takes too long, whose own answer then goes nowhere.
 */
#include "internal.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 5000

static const char media_type_json[] = "application/json";

/* ----------------------------------------------------------------- answers */

void answer_set(struct request *r, int status, const char *type, char *text)
{
	free(r->text);
	r->status = status;
	r->type = type;
	r->text = text;
}

static char *error_text(const char *code, const char *field,
			const char *message)
{
	char clean[512];
	json_t *e;
	char *text;

	snprintf(clean, sizeof(clean), "%s", message);
	text_clean(clean);
	e = json_pack("{s:{s:s,s:s,s:s*}}", "error", "code", code, "message",
		      clean, "field", field);
	text = e ? json_dumps(e, JSON_COMPACT) : NULL;
	json_decref(e);
	return text;
}

void answer_set_error(struct request *r, int status, const char *code,
		      const char *message)
{
	answer_set(r, status, media_type_json, error_text(code, NULL, message));
}

#define CSP_ANY                                                                \
	"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "        \
	"form-action 'none'"

/* Nothing but our own files, and no text that becomes markup or script. */
#define CSP_PAGE                                                               \
	CSP_ANY "; script-src 'self'; style-src 'self'; img-src 'self'; "      \
		"connect-src 'self'; media-src 'self'; manifest-src 'self'; "  \
		"require-trusted-types-for 'script'; trusted-types 'none'"

void answer_secure(struct MHD_Response *m, const struct page *page)
{
	const char *const headers[][2] = {
		{"Cache-Control", page ? "no-cache" : "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		{"Content-Security-Policy", page ? CSP_PAGE : CSP_ANY},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(m, headers[i][0], headers[i][1]);
}

/** Gives the session that was opened to the browser, or takes it back. */
static void add_cookie(struct MHD_Response *m, const struct request *r)
{
	const bool opened = r->login && r->status == 204;
	const bool closed =
		r->status == 204 && r->pub.method && *r->pub.method == 'D';
	char cookie[256];

	if (!opened && !closed)
		return;
	snprintf(cookie, sizeof(cookie),
		 "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
		 cookie_name(r->web), opened ? r->token : "",
		 opened ? "" : "; Max-Age=0", r->web->pem ? "; Secure" : "");
	MHD_add_response_header(m, "Set-Cookie", cookie);
	OPENSSL_cleanse(cookie, sizeof(cookie));
}

static void add_headers(struct MHD_Response *m, const struct request *r)
{
	char etag[88];

	if (r->text || r->file >= 0)
		MHD_add_response_header(m, "Content-Type", r->type);
	if (*r->etag) {
		snprintf(etag, sizeof(etag), "\"%s\"", r->etag);
		MHD_add_response_header(m, "ETag", etag);
	}
	answer_secure(m, NULL);
	if (r->session)
		add_cookie(m, r);
	/* A browser must not ask by itself where a page has its own form: it
	 * would keep the answer from that page. */
	if (r->status == 401)
		MHD_add_response_header(m, "WWW-Authenticate",
					r->bearer ? "Bearer realm=\"tocsin\", "
						    "error=\"invalid_token\""
					: r->session || *r->token
						? "Session realm=\"tocsin\""
						: "Basic realm=\"tocsin\", "
						  "charset=\"UTF-8\"");
	if (r->status == 405)
		MHD_add_response_header(
			m, "Allow",
			r->page ? "GET, HEAD" : "GET, HEAD, POST, PUT, DELETE");
	if (r->status == 429)
		MHD_add_response_header(m, "Retry-After", "60");
	if (r->status == 413)
		MHD_add_response_header(m, "Connection", "close");
}

enum MHD_Result answer_send(struct request *r)
{
	struct MHD_Response *m;
	enum MHD_Result ok;

	if (r->file >= 0)
		m = MHD_create_response_from_fd64(r->file_size, r->file);
	else
		m = MHD_create_response_from_buffer(
			r->text ? strlen(r->text) : 0, r->text,
			MHD_RESPMEM_MUST_FREE);
	if (!m)
		return MHD_NO;
	add_headers(m, r);
	r->text = NULL; /* the response's now */
	r->file = -1;
	if (r->status >= 400)
		r->web->n_refused++;
	client_allow(r->client, r->web->transfer_ms);
	ok = MHD_queue_response(r->connection, (unsigned)r->status, m);
	MHD_destroy_response(m);
	return ok;
}

enum MHD_Result answer_page(struct request *r, const char *if_none_match)
{
	const struct page *p = r->page;
	const bool fresh = pages_fresh(p, if_none_match);
	struct MHD_Response *m = MHD_create_response_from_buffer(
		fresh ? 0 : p->len, (void *)(uintptr_t)p->data,
		MHD_RESPMEM_PERSISTENT);
	char etag[sizeof(p->etag) + 2];
	enum MHD_Result ok;

	if (!m)
		return MHD_NO;
	snprintf(etag, sizeof(etag), "\"%s\"", p->etag);
	MHD_add_response_header(m, "ETag", etag);
	MHD_add_response_header(m, "Content-Type", p->type);
	answer_secure(m, p);
	client_allow(r->client, r->web->transfer_ms);
	ok = MHD_queue_response(r->connection, fresh ? 304 : 200, m);
	MHD_destroy_response(m);
	return ok;
}

void request_unref(struct request *r)
{
	if (--r->refs)
		return;
	json_decref(r->pub.body);
	identity_reset(&r->who);
	door_try_free(r->guess);
	for (size_t i = 0; i < r->n_query; i++) {
		free(r->query[i].name);
		free(r->query[i].value);
	}
	/* A password may be in it. */
	if (r->body)
		OPENSSL_cleanse(r->body, r->len);
	OPENSSL_cleanse(r->token, sizeof(r->token));
	free(r->body);
	free(r->text);
	if (r->file >= 0)
		close(r->file);
	upload_end(r);
	free(r);
}

/** Answers and wakes the connection, if it still waits. Lock held. */
static void wake(struct request *r, int status, const char *type, char *text)
{
	if (!r->waiting) {
		free(text);
		return;
	}
	r->waiting = false;
	if (status)
		answer_set(r, status, type, text);
	client_allow(r->client, r->web->transfer_ms);
	MHD_resume_connection(r->connection);
}

/** The holder is done with it. Lock held; the reference is the caller's. */
static void give_back(struct request *r)
{
	struct web *w = r->web;

	w->n_out[r->holder]--;
	if (r->prev)
		r->prev->next = r->next;
	else
		w->out = r->next;
	if (r->next)
		r->next->prev = r->prev;
}

/** The holder's answer; status 0 lets the web thread go on instead. */
static void answer(struct request *r, int status, const char *type, char *text)
{
	struct web *w = r->web;

	/* Parts of it may be in the answer: its references are counted in the
	 * holder's thread only. */
	json_decref(r->pub.body);
	r->pub.body = NULL;
	if (!w) { /* web is gone, and the connection with it */
		free(text);
		request_unref(r);
		return;
	}
	pthread_mutex_lock(&w->lock);
	wake(r, status, type, text);
	give_back(r);
	pthread_mutex_unlock(&w->lock);
	request_unref(r);
}

static void answer_json(struct request *r, int status, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (body && !text)
		answer(r, 500, media_type_json,
		       error_text("internal", NULL, "no answer could be made"));
	else
		answer(r, status, media_type_json, text);
	json_decref(body);
}

void web_reply(struct web_request *pub, int status, json_t *body)
{
	answer_json((struct request *)pub, status, body);
}

void web_reply_error(struct web_request *pub, int status, const char *code,
		     const char *field, const char *fmt, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	answer((struct request *)pub, status, media_type_json,
	       error_text(code, field, message));
}

void web_reply_text(struct web_request *pub, int status, const char *type,
		    const char *text)
{
	answer((struct request *)pub, status, type, strdup(text));
}

void web_set_etag(struct web_request *pub, const char *etag)
{
	struct request *r = (struct request *)pub;

	if (!r->web)
		return;
	pthread_mutex_lock(&r->web->lock);
	/* One that was answered for us is being sent. */
	if (r->waiting)
		snprintf(r->etag, sizeof(r->etag), "%s", etag);
	pthread_mutex_unlock(&r->web->lock);
}

void web_reply_file(struct web_request *pub, int status, const char *type,
		    int fd, uint64_t size)
{
	struct request *r = (struct request *)pub;

	if (r->web) {
		pthread_mutex_lock(&r->web->lock);
		if (r->waiting) {
			r->file = fd;
			r->file_size = size;
			fd = -1;
		}
		pthread_mutex_unlock(&r->web->lock);
	}
	if (fd >= 0)
		close(fd);
	answer(r, status, type, NULL);
}

const char *web_query(const struct web_request *pub, const char *name)
{
	const struct request *r = (const struct request *)pub;

	for (size_t i = 0; i < r->n_query; i++)
		if (!strcmp(r->query[i].name, name))
			return r->query[i].value;
	return NULL;
}

/* --------------------------------------------------------------- hand over */

static char *busy(void)
{
	return error_text("busy", NULL,
			  "too many requests wait; nothing was done, try "
			  "again");
}

static void put_job(struct job_queue *q, struct request *r)
{
	r->next_job = NULL;
	*q->last = r;
	q->last = &r->next_job;
}

static struct request *take_job(struct job_queue *q)
{
	struct request *r = q->first;

	if (!r)
		return NULL;
	q->first = r->next_job;
	if (!q->first)
		q->last = &q->first;
	return r;
}

/** Suspends the connection and counts the request among the holder's. False
 *  when that one has too many. */
static bool entrust(struct request *r, enum holder holder)
{
	static const size_t limit[] = {WEB_MAX_CONTROL, WEB_MAX_BLOCKING,
				       WEB_MAX_HASHING};
	struct web *w = r->web;

	if (w->stop || w->n_out[holder] >= limit[holder])
		return false;
	w->n_out[holder]++;
	r->refs++;
	r->holder = holder;
	r->waiting = true;
	r->since_us = clock_mono_us();
	r->prev = NULL;
	r->next = w->out;
	if (w->out)
		w->out->prev = r;
	w->out = r;
	client_allow(r->client, 0);
	MHD_suspend_connection(r->connection);
	return true;
}

bool exchange_hand_over(struct request *r, enum holder holder)
{
	struct web *w = r->web;
	bool ok;

	pthread_mutex_lock(&w->lock);
	ok = entrust(r, holder);
	if (ok && holder == HOLD_BLOCKING) {
		put_job(&w->blocking, r);
		pthread_cond_signal(&w->blocking_work);
	} else if (ok && holder == HOLD_HASHING) {
		put_job(&w->hashing, r);
		pthread_cond_signal(&w->keeper_work);
	}
	pthread_mutex_unlock(&w->lock);
	if (!ok)
		answer_set(r, 503, media_type_json, busy());
	/* Without the lock: the control thread must not wake up to wait. */
	else if (holder == HOLD_CONTROL && mqueue_push(w->mq, 0, r))
		answer(r, 503, media_type_json, busy());
	return ok;
}

/* ------------------------------------------------------------------- notes */

/** A refusal that the owner writes down; no request waits for it. */
struct note {
	struct note *next;
	char actor[80], why[256];
};

void exchange_note(struct web *w, const char *actor, const char *why)
{
	struct note *n = w->h.refused ? calloc(1, sizeof(*n)) : NULL;
	bool room;

	if (!n)
		return;
	snprintf(n->actor, sizeof(n->actor), "%s", actor);
	snprintf(n->why, sizeof(n->why), "%s", why);
	pthread_mutex_lock(&w->lock);
	room = w->n_notes < WEB_MAX_NOTES && !w->stop;
	if (room) {
		*w->last_note = n;
		w->last_note = &n->next;
		w->n_notes++;
	}
	pthread_mutex_unlock(&w->lock);
	if (room)
		(void)mqueue_push(w->mq, 0, NULL);
	else
		free(n);
}

/** Hands over all that there are. Control thread. */
static void take_notes(struct web *w)
{
	struct note *n, *next;

	pthread_mutex_lock(&w->lock);
	n = w->notes;
	w->notes = NULL;
	w->last_note = &w->notes;
	w->n_notes = 0;
	pthread_mutex_unlock(&w->lock);
	for (; n; n = next) {
		next = n->next;
		w->h.refused(n->actor, n->why, w->arg);
		free(n);
	}
}

/* Control thread. */
static void on_message(int id, void *data, void *arg)
{
	struct request *r = data;
	struct web *w = arg;
	bool late;

	(void)id;
	if (!r) {
		take_notes(w);
		return;
	}
	pthread_mutex_lock(&w->lock);
	r->delivered = true;
	late = !r->waiting;
	if (late)
		give_back(r);
	pthread_mutex_unlock(&w->lock);
	/* The client was told that it failed: nothing old fires. */
	if (late)
		request_unref(r);
	else
		w->h.request(&r->pub, w->arg);
}

/* ----------------------------------------------------------------- threads */

static void *worker(void *arg)
{
	struct web *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		struct request *r = take_job(&w->blocking);
		json_t *body = NULL;
		int status = 503;

		if (!r) {
			pthread_cond_wait(&w->blocking_work, &w->lock);
			continue;
		}
		if (r->waiting) {
			pthread_mutex_unlock(&w->lock);
			status = w->h.blocking(&r->pub, &body, w->arg);
		} else {
			pthread_mutex_unlock(&w->lock);
		}
		answer_json(r, status, body);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/** Answers for holders that take too long. Lock held. */
static void guard(struct web *w, uint64_t now_us)
{
	for (struct request *r = w->out; r; r = r->next) {
		/* Minutes of sound take a while to be decoded and encoded. */
		const unsigned patience = r->uploads ? 4 : 1;

		if (!r->waiting ||
		    now_us - r->since_us < patience * w->guard_ms * 1000ull)
			continue;
		wake(r, 503, media_type_json,
		     error_text("timeout", NULL,
				r->holder == HOLD_CONTROL && !r->delivered
					? "the controller does not keep up; "
					  "nothing was done"
					: "no answer in time; look whether it "
					  "was done before trying again"));
	}
}

static void hash(struct request *r)
{
	struct web *w = r->web;

	int err = door_verify(w->door, r->guess, &r->who, r->token);

	r->pub.denied = err && r->login;
	/* The control thread writes down who did not come in. */
	if (err && !r->login)
		answer(r, 401, media_type_json,
		       error_text("unauthorised", NULL, "log in"));
	else
		answer(r, 0, NULL, NULL);
}

static void *keeper(void *arg)
{
	struct web *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		struct request *r = take_job(&w->hashing);
		uint64_t now = clock_mono_us();
		struct timespec at;

		clients_reap(w, now);
		guard(w, now);
		if (r) {
			pthread_mutex_unlock(&w->lock);
			hash(r);
			pthread_mutex_lock(&w->lock);
		} else if (w->clients) {
			clock_gettime(CLOCK_MONOTONIC, &at);
			at.tv_sec += w->tick_ms / 1000;
			at.tv_nsec += w->tick_ms % 1000 * 1000000;
			if (at.tv_nsec >= 1000000000) {
				at.tv_nsec -= 1000000000;
				at.tv_sec++;
			}
			pthread_cond_timedwait(&w->keeper_work, &w->lock, &at);
		} else {
			pthread_cond_wait(&w->keeper_work, &w->lock);
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---------------------------------------------------------- start and stop */

int exchange_start(struct web *w, struct reason *why)
{
	pthread_condattr_t attr;
	int err;

	w->guard_ms = WEB_GUARD_MS;
	w->transfer_ms = WEB_TRANSFER_MS;
	w->tick_ms = TICK_MS;
	w->blocking.last = &w->blocking.first;
	w->hashing.last = &w->hashing.first;
	w->last_note = &w->notes;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->blocking_work, &attr);
	pthread_cond_init(&w->keeper_work, &attr);
	pthread_condattr_destroy(&attr);
	err = mqueue_alloc(&w->mq, on_message, w);
	if (!err) {
		err = pthread_create(&w->keeper, NULL, keeper, w);
		w->keeper_runs = !err;
		if (!err)
			pthread_setname_np(w->keeper, "web-keeper");
	}
	if (!err && w->h.blocking) {
		err = pthread_create(&w->worker, NULL, worker, w);
		w->worker_runs = !err;
		if (!err)
			pthread_setname_np(w->worker, "web-worker");
	}
	if (err)
		return reason_set(why, err, "web: cannot start: %s",
				  strerror(err));
	return 0;
}

void exchange_stop(struct web *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->blocking_work);
	pthread_cond_signal(&w->keeper_work);
	pthread_mutex_unlock(&w->lock);
	if (w->worker_runs)
		pthread_join(w->worker, NULL);
	if (w->keeper_runs)
		pthread_join(w->keeper, NULL);
	pthread_mutex_lock(&w->lock);
	for (struct request *r = w->out; r; r = r->next)
		wake(r, 503, media_type_json,
		     error_text("stopping", NULL, "the daemon stops"));
	pthread_mutex_unlock(&w->lock);
}

void exchange_free(struct web *w)
{
	struct request *r, *next;

	for (r = w->out; r; r = next) {
		next = r->next;
		/* What the owner has seen it may still answer. */
		r->web = NULL;
		if (r->holder != HOLD_CONTROL || !r->delivered)
			request_unref(r);
	}
	while (w->notes) {
		struct note *n = w->notes;

		w->notes = n->next;
		free(n);
	}
	mem_deref(w->mq);
	pthread_cond_destroy(&w->keeper_work);
	pthread_cond_destroy(&w->blocking_work);
	pthread_mutex_destroy(&w->lock);
}
