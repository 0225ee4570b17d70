/**
 * HTTP for people and machines: libmicrohttpd in its own threads.
 *
 * A web thread never touches state: a request that passed the door (size, form,
 * who may) is handed to the control thread, which answers with web_reply().
 * Live events are pushed with web_publish() and streamed by the web threads
 * alone, each client at its own pace; a slow one loses nobody else's time.
 */
#ifndef TOCSIN_WEB_H
#define TOCSIN_WEB_H

#include "controller/base/reason.h"
#include "controller/base/scope.h"
#include "web/session.h"
#include "web/sign.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Limits a stranger meets. */
#define WEB_MAX_BODY 65536
/** A file that is uploaded: bytes, how many at once, how long each may take. */
#define WEB_MAX_UPLOAD (32u << 20)
#define WEB_MAX_UPLOADS 4
#define WEB_UPLOAD_MS 300000
#define WEB_MAX_CONNECTIONS 512
#define WEB_MAX_PER_ADDRESS 64
#define WEB_IDLE_S 30
#define WEB_MAX_STREAMS 256
/** Sessions: of all, of one user; how long one lasts when nothing is asked,
 *  and in any case. */
#define WEB_MAX_SESSIONS 256
#define WEB_MAX_USER_SESSIONS 16
#define WEB_SESSION_IDLE_S 3600
#define WEB_SESSION_S 43200
/** Events kept for clients that resume with Last-Event-ID. */
#define WEB_EVENT_MEMORY 1024

enum web_role { WEB_VIEWER, WEB_OPERATOR, WEB_ADMIN };

/** A person with a password, or a machine with a token. */
struct web_user {
	const char *name;
	const char *password_hash; /**< crypt(5) string; of a token "sha256:"
				      and 64 hex digits */
	enum web_role role;        /**< of a person */
	bool token;
	unsigned scopes;   /**< of a token: enum scope */
	int64_t expires_s; /**< of a token: wall clock, 0 = never */
	const int *zones;  /**< indices the owner understands; n 0 = all */
	size_t n_zones;
	const int *messages; /**< the only ones to start, the same way */
	size_t n_messages;
};

/** When a token last came in: wall clock, 0 = not since the start. */
struct web_token_use {
	int64_t at_us;
	char from[64];
};

/** A webhook: POST /hooks/NAME (and below /api/v1). */
struct web_hook {
	const char *name;
	const struct sign_key *key;
};

/** What the signature of a webhook's request says. */
struct web_signed {
	int64_t time_us; /**< wall clock of the sender, whole seconds */
	char id[64];     /**< no other request has it: of the signature */
};

struct web_options {
	const char *host; /**< literal address, NULL = no TCP listener */
	uint16_t port;
	const char *tls_cert; /**< PEM file with key; NULL = plain (loopback
				 only) */
	const char *socket; /**< Unix socket path, NULL = none; who may open it
				 (mode 0660, group) is an admin */
	const char *group;
	const char *spool; /**< folder for what is uploaded, NULL = nothing */
	const struct web_user *users; /**< copied */
	size_t n_users;
};

/** One request, owned by web; valid until web_reply(). */
struct web_request {
	const char *method; /**< "GET", "POST", "DELETE", "PUT" */
	const char *path;   /**< below /api/v1, "/zones/all"; percent-decoded */
	json_t *body;       /**< parsed object, or NULL when there was none */
	const char *actor;  /**< "user:x", "unix:uid=0": for records */
	const char *from;   /**< peer address or "unix" */
	enum web_role role; /**< of a token: the most that its scopes allow */
	unsigned scopes;    /**< enum scope */
	const int *zones;   /**< limits of that user; n_zones 0 = all */
	size_t n_zones;
	const int *messages; /**< the only ones it may start; 0 = all */
	size_t n_messages;
	uint64_t at_us; /**< monotonic, when the web thread had it whole */
	/* of a webhook, whose path is "/hooks/NAME": */
	const struct web_signed *signed_; /**< NULL = none */
	const char *raw;                  /**< its body as it is, len bytes */
	size_t len;
	/** PUT /messages/NAME: the body as a file without a name, -1 = none;
	 * the owner may read it, and keep it by dup(). */
	int upload;
	uint64_t upload_size;
	const char *if_match, *if_none_match; /**< headers, NULL = none */
	const struct session_view *session;   /**< NULL = not in one */
	/** POST /session: the name or password was wrong, and the actor is who
	 * it claimed to be. */
	bool denied;
};

struct web;

/** A request for the control thread; answer now or later with web_reply(). */
typedef void(web_request_h)(struct web_request *r, void *arg);

/**
 * A request that may wait for the disk (journal): called in a web thread.
 * Returns the HTTP status and *body (new reference). ENOENT path: 404.
 */
typedef int(web_blocking_h)(const struct web_request *r, json_t **body,
			    void *arg);

/** Somebody was refused for who he is: to be written down. Control thread.
 *  For wrong tokens at most as often as they are tried (five, then one in 12 s
 *  of an address). */
typedef void(web_refused_h)(const char *actor, const char *why, void *arg);

struct web_handlers {
	web_request_h *request;
	web_refused_h *refused; /**< may be NULL */
	/** Paths for which `blocking` is called instead, NULL-terminated. */
	const char *const *blocking_paths;
	web_blocking_h *blocking;
	/** Text of /metrics, made in the control thread: reply with
	 *  web_reply_text(). Path "/metrics" and "/healthz" come through
	 *  `request` with their full path. */
};

/**
 * Starts the listeners and threads. Handlers of kind web_request_h are called
 * in the thread that calls this (it must run libre's loop).
 *
 * @return 0, or errno with the reason (address in use, bad certificate)
 */
int web_alloc(struct web **wp, const struct web_options *opt,
	      const struct web_handlers *h, void *arg, struct reason *why);

/** Stops listening, ends every connection. Returns NULL. */
struct web *web_free(struct web *w);

/** New users after a reload. */
int web_set_users(struct web *w, const struct web_user *users, size_t n);

/** When a token was last used. Any thread. */
void web_token_used(struct web *w, const char *name, struct web_token_use *use);

/** The webhooks there are; copied. 0 or ENOMEM. */
int web_set_hooks(struct web *w, const struct web_hook *hooks, size_t n);

/** Query parameter of a request, percent-decoded; NULL when absent. */
const char *web_query(const struct web_request *r, const char *name);

/** Answers with JSON (takes the reference; NULL = no body) and forgets r.
 *  Control thread. */
void web_reply(struct web_request *r, int status, json_t *body);

/** Answers with {"error":{"code","message","field"}}; field may be NULL. */
void web_reply_error(struct web_request *r, int status, const char *code,
		     const char *field, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/** The entity tag of the answer that follows, without its quotes. */
void web_set_etag(struct web_request *r, const char *etag);

/** Answers with a file of `size` bytes from its begin; takes fd. */
void web_reply_file(struct web_request *r, int status, const char *type, int fd,
		    uint64_t size);

/** Answers with text of a type. */
void web_reply_text(struct web_request *r, int status, const char *type,
		    const char *text);

/** Sends an event to all GET /events streams. json is copied. Control thread.
 */
void web_publish(struct web *w, uint64_t id, const char *type,
		 const char *json);

struct web_counters {
	uint64_t requests, refused, streams, connections;
	uint64_t hook_strangers; /**< webhooks not signed as they should */
};

void web_counters(const struct web *w, struct web_counters *c);

#endif
