/** Inside web/: what its files share. */
#ifndef TOCSIN_WEB_INTERNAL_H
#define TOCSIN_WEB_INTERNAL_H

#include "controller/base/compat.h"
#include "pages.h"
#include "web.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

/** Requests that may wait for the control thread, for the disk, and for a
 *  password to be hashed. More are answered 503. */
#define WEB_MAX_CONTROL 256
#define WEB_MAX_BLOCKING 64
#define WEB_MAX_HASHING 16
/** Refusals that wait to be written down; more are not. */
#define WEB_MAX_NOTES 64
/** The longest wait for an answer of the control thread or the disk. */
#define WEB_GUARD_MS 30000
/** The longest a client may take to send a request, or to take its answer. */
#define WEB_TRANSFER_MS 60000
#define WEB_BEAT_MS 15000
#define WEB_MAX_QUERY 8

struct request;
struct streams;
struct door;
struct hooks;
struct note;

/** Who a client is, once let in. */
struct identity {
	char actor[80], from[64];
	enum web_role role;
	unsigned scopes;
	int *zones, *messages; /**< own copies */
	size_t n_zones, n_messages;
};

/** One connection; belongs to libmicrohttpd's thread, but for what is said. */
struct client {
	struct client *next, *prev; /**< under web.lock */
	int fd;
	bool local;
	char from[64];   /**< address or "unix" */
	char source[64]; /**< what guesses are counted by: an IPv4 address, an
			    IPv6 /64 */
	char actor[80];  /**< of a local one; "" = unknown */
	/** When it is cut off, monotonic; 0 = not while it waits for us. */
	_Atomic uint64_t deadline_us;
};

/** Requests of one kind that are out of libmicrohttpd's hands. */
enum holder { HOLD_CONTROL, HOLD_BLOCKING, HOLD_HASHING, HOLD_KINDS };

struct job_queue {
	struct request *first, **last;
};

/** One listening socket with its thread. */
struct listener {
	struct web *web;
	struct MHD_Daemon *daemon; /**< NULL = none */
	bool local;
};

struct web {
	struct web_handlers h;
	void *arg;
	struct mqueue *mq;
	struct tmr beat;
	struct listener tcp, unix_;
	struct door *door;
	struct hooks *hooks;
	struct streams *streams;
	struct listen_path *path;
	char *pem;

	pthread_mutex_t lock; /**< for all down to stop */
	struct request *out;  /**< handed over and not given back */
	size_t n_out[HOLD_KINDS];
	struct job_queue blocking, hashing;
	struct note *notes, **last_note;
	size_t n_notes;
	pthread_cond_t blocking_work, keeper_work;
	struct client *clients;
	bool stop;

	pthread_t worker, keeper;
	bool worker_runs, keeper_runs;
	_Atomic uint32_t guard_ms, transfer_ms, tick_ms;
	char *spool;
	_Atomic int n_uploads;
	_Atomic uint64_t n_requests, n_refused, n_connections;
};

/* ---- request.c: pure checks of what a client sent ---- */

/**
 * Decodes %XX in place. What is no such escape, or an escaped NUL, becomes a
 * control character, which request_path() and request_text_ok() refuse.
 * @return bytes of the result
 */
size_t request_unescape(char *s);

/** No control characters, and UTF-8? Up to 255 bytes. */
bool request_text_ok(const char *s);

/**
 * The decoded path with single slashes and none at its end. False when it is
 * not usable: no slash first, "." or ".." in it, not request_text_ok(), or
 * longer than 255 bytes.
 */
bool request_path(const char *url, char path[256]);

/** The part below /api/v1, or the path itself for /metrics, /healthz and
 *  /hooks/...; NULL for any other. */
const char *request_route(const char *path);

/** Is a Content-Type that of JSON? */
bool request_is_json(const char *type);

/** Name and password of a log-in; false when they are not both there. */
bool request_login(const json_t *body, const char **name,
		   const char **password);

/** Does an Origin header name the host that was asked (Host header)? */
bool request_same_origin(const char *origin, const char *host);

/**
 * Reads a body as a JSON object (depth and size are bounded).
 * @return 0 with *body, or EINVAL with the reason (line and column)
 */
int request_body(const char *text, size_t len, json_t **body,
		 struct reason *why);

/* ---- exchange.c: answers, and who holds a request meanwhile ---- */

struct request {
	struct web_request pub; /**< first: what the owner sees */
	struct web *web;        /**< NULL once web is gone; control thread */
	struct MHD_Connection *connection;
	struct client *client;
	_Atomic int refs; /**< the connection's and the holder's */

	/* Under web.lock. */
	struct request *next, *prev; /**< in web.out */
	struct request *next_job;
	enum holder holder;
	bool waiting;   /**< its connection is suspended for the holder */
	bool delivered; /**< the control thread has seen it */
	uint64_t since_us;

	struct identity who;
	char path[256];
	struct {
		char *name, *value;
	} query[WEB_MAX_QUERY];
	size_t n_query;
	char *body;
	size_t len, seen;
	bool complete, guessed;
	bool bearer;             /**< came with a token that is not taken */
	const struct page *page; /**< of the console; NULL = none */
	bool hook;    /**< let in by its signature, once it is whole */
	bool login;   /**< POST /session: name and password are in its body */
	bool session; /**< about /session, whoever asks */
	struct session_view view;  /**< when it came in by a session */
	char token[SESSION_TOKEN]; /**< of that, or of the new one */
	struct web_signed signed_;
	struct door_try *guess; /**< a password that has to be hashed */

	bool uploads; /**< counted among web.n_uploads */
	char if_match[80], if_none_match[80], etag[80];

	int status; /**< of the answer, 0 = none yet */
	char *text;
	int file; /**< in place of text; -1 = none */
	uint64_t file_size;
	const char *type;
};

/** Sets the answer of a request that nobody else holds. Takes text. */
void answer_set(struct request *r, int status, const char *type, char *text);
void answer_set_error(struct request *r, int status, const char *code,
		      const char *message);

/** "__Host-" keeps a browser from taking it from plain HTTP. */
static inline const char *cookie_name(const struct web *w)
{
	return w->pem ? "__Host-tocsin" : "tocsin";
}

/** What every answer tells a browser not to do. A page of the console (NULL =
 *  none) may run its own scripts, and is asked for again by its tag. */
void answer_secure(struct MHD_Response *m, const struct page *page);

/** Sends a page, or that it has not changed. Web thread. */
enum MHD_Result answer_page(struct request *r, const char *if_none_match);

/** Sends the answer that was set. Web thread. */
enum MHD_Result answer_send(struct request *r);

/** Suspends the connection and gives the request to a holder. When that one
 *  has too many, an answer is set instead and false returned. */
bool exchange_hand_over(struct request *r, enum holder holder);

/** Has the owner write down who was refused and why. Any thread. */
void exchange_note(struct web *w, const char *actor, const char *why);

/** Gives a reference back. */
void request_unref(struct request *r);

int exchange_start(struct web *w, struct reason *why);
/** Ends the threads and answers all that wait: nothing is suspended after it.
 */
void exchange_stop(struct web *w);
/** Once both daemons have stopped: frees what the owner has not seen. */
void exchange_free(struct web *w);

/* ---- upload.c: a body that is a file ---- */

#define UPLOAD_TOO_LARGE "an audio file may have at most 33554432 bytes (32 MB)"

/** Is the body of this a file? path: decoded. */
bool upload_is(const char *method, const char *path);

/** May a file be sent as this Content-Type (NULL = none)? */
bool upload_type_ok(const char *type);

/** Opens the file, or sets the refusal. */
void upload_begin(struct request *r, const char *type);

/** Takes a part of the body; r->seen counts it. May set a refusal. */
void upload_take(struct request *r, const char *data, size_t n);

/** Closes the file; nothing when there is none. */
void upload_end(struct request *r);

/* ---- handle.c: libmicrohttpd's callbacks; cls is a struct listener ---- */

enum MHD_Result handle_request(void *cls, struct MHD_Connection *c,
			       const char *url, const char *method,
			       const char *version, const char *data,
			       size_t *size, void **con_cls);
void handle_completed(void *cls, struct MHD_Connection *c, void **con_cls,
		      enum MHD_RequestTerminationCode why);
size_t handle_unescape(void *cls, struct MHD_Connection *c, char *s);

/* ---- client.c: connections and their deadlines ---- */

void client_notify(void *cls, struct MHD_Connection *c, void **context,
		   enum MHD_ConnectionNotificationCode code);
struct client *client_of(struct MHD_Connection *c);
/** Starts (or with 0 stops) the time it may take. */
void client_allow(struct client *x, uint32_t ms);
/** Cuts off those that took too long. Lock held. */
void clients_reap(struct web *w, uint64_t now_us);

/* ---- door.c: who may come in ---- */

/** A name and password to be checked by door_verify(). */
struct door_try;

int door_alloc(struct door **dp);
struct door *door_free(struct door *d);
int door_users(struct door *d, const struct web_user *users, size_t n);

/** Who is behind a Unix socket: "unix:NAME" or "unix:uid=N"; "" when the
 *  kernel does not say. */
void door_local(int fd, char *actor, size_t size);

/**
 * Who is this? Any web thread; quick.
 *
 * @param auth   Authorization header or NULL
 * @param source what wrong passwords are counted by
 * @param t      set with EINPROGRESS
 * @return 0, EACCES (401), EAGAIN (429: too many wrong passwords), EINPROGRESS:
 *         door_verify() must hash *t; or (401) of a token EKEYREJECTED: there
 *         is no such, EKEYEXPIRED: it has expired, and who->actor had it
 */
int door_enter(struct door *d, const char *auth, const char *source,
	       struct identity *who, struct door_try **t);

/**
 * The same for a name and password that were sent to open a session.
 * @return EINPROGRESS, EACCES or EAGAIN
 */
int door_login(struct door *d, const char *name, const char *password,
	       const char *source, struct door_try **t);

/** The same by the token of a session. @return 0 with *v, or EACCES */
int door_session(struct door *d, const char *token, struct session_view *v,
		 struct identity *who);
void door_logout(struct door *d, const char *token);

/**
 * Hashes and compares: slow. One of door_login() opens a session, whose token
 * is written; of one that is refused, who->actor is the name it gave.
 * @return 0, EACCES, EIO or ENOMEM
 */
int door_verify(struct door *d, const struct door_try *t, struct identity *who,
		char token[SESSION_TOKEN]);

struct door_try *door_try_free(struct door_try *t);

void identity_reset(struct identity *who);

/** Sets the role's scopes. */
void identity_role(struct identity *who, enum web_role role);

/** When a token came in last. */
void door_used(struct door *d, const char *name, struct web_token_use *use);

/* ---- hooks.c: who may come in by a signature ---- */

/** What a request says of itself, by scheme; NULL where it does not. */
enum hooks_header { HOOKS_TIMESTAMP, HOOKS_SIGNATURE, HOOKS_ID, HOOKS_HEADERS };
struct hooks_given {
	const char *sha256[HOOKS_HEADERS], *standard[HOOKS_HEADERS];
	const char *body;
	size_t len;
};

int hooks_alloc(struct hooks **hp);
struct hooks *hooks_free(struct hooks *h);
int hooks_set(struct hooks *h, const struct web_hook *hooks, size_t n);
/** Is this where webhooks come in, before it is decoded? */
bool hooks_is_path(const char *url);
/** Is it signed with the secret of that webhook? Any thread. A name that there
 *  is not takes as long. @return 0 with *s, or EACCES */
int hooks_enter(struct hooks *h, const char *name,
		const struct hooks_given *given, struct web_signed *s);
/** Requests that were not. */
uint64_t hooks_strangers(const struct hooks *h);

/* ---- listen.c: sockets ---- */

/** A Unix socket's name in the file system, while it is ours. */
struct listen_path;

int listen_tcp(const char *host, uint16_t port, bool *loopback, int *fd,
	       struct reason *why);
int listen_unix(const char *path, const char *group, struct listen_path **p,
		int *fd, struct reason *why);
/** Removes the name unless somebody else's socket stands there now. */
struct listen_path *listen_path_free(struct listen_path *p);
/** Reads a certificate with its key; NULL with the reason. */
char *listen_pem(const char *path, struct reason *why);
void listen_pem_free(char *pem);

/* ---- stream.c: live events ---- */

int streams_alloc(struct streams **sp);
/** After both MHD daemons have stopped. */
struct streams *streams_free(struct streams *s);
/** Ends all streams; before the daemons stop. */
void streams_stop(struct streams *s);
void streams_publish(struct streams *s, uint64_t id, const char *type,
		     const char *json);
/** Wakes every waiting stream for a sign of life. */
void streams_beat(struct streams *s);
uint64_t streams_count(const struct streams *s);
/**
 * Response that streams the events after number *after (NULL = from now) of
 * types beginning with `type`; NULL when there are too many streams.
 */
struct MHD_Response *streams_open(struct streams *s, struct MHD_Connection *c,
				  const uint64_t *after, const char *type);

#endif
