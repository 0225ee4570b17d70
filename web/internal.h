/** Inside web/: what its files share. */
#ifndef TOCSIN_WEB_INTERNAL_H
#define TOCSIN_WEB_INTERNAL_H

#include "controller/base/compat.h"
#include "web.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

struct request;
struct streams;
struct door;

/** Who a client is, once let in. */
struct identity {
	char actor[80], from[64];
	enum web_role role;
	int *zones; /**< own copy */
	size_t n_zones;
};

struct web {
	struct web_handlers h;
	void *arg;
	struct mqueue *mq;
	struct tmr beat;
	struct MHD_Daemon *tcp, *local;
	struct door *door;
	struct streams *streams;
	char *socket; /**< path to unlink */

	pthread_mutex_t lock; /**< for the two lists */
	pthread_cond_t work;
	struct request *open;    /**< suspended, waiting for an answer */
	struct request *blocked; /**< for the worker, linked by next_blocked */
	struct request **blocked_last;
	pthread_t worker;
	bool worker_runs, stop;
	_Atomic uint64_t n_requests, n_refused, n_connections;
};

/* ---- request.c: pure checks of what a client sent ---- */

/** Is a decoded path one we look at? No control characters, no "..", no empty
 *  or overlong (255) one. */
bool request_path_ok(const char *path);

/** The part below /api/v1, or the path itself for /metrics and /healthz; NULL
 *  for any other. */
const char *request_route(const char *path);

/**
 * Reads a body as a JSON object (depth and size are bounded).
 * @return 0 with *body, or EINVAL with the reason (line and column)
 */
int request_body(const char *text, size_t len, json_t **body,
		 struct reason *why);

/* ---- door.c: who may come in ---- */

int door_alloc(struct door **dp);
struct door *door_free(struct door *d);
int door_users(struct door *d, const struct web_user *users, size_t n);

/**
 * Who is this? Any web thread.
 *
 * @param local   the connection came over the Unix socket on descriptor fd
 * @param auth    Authorization header or NULL
 * @param address peer's address, for the limit on guesses
 * @return 0, EACCES (401) or EAGAIN (429: too many wrong passwords)
 */
int door_enter(struct door *d, bool local, int fd, const char *auth,
	       const char *address, struct identity *who);

void identity_reset(struct identity *who);

/* ---- listen.c: sockets ---- */

int listen_tcp(const char *host, uint16_t port, bool *loopback, int *fd,
	       struct reason *why);
int listen_unix(const char *path, const char *group, int *fd,
		struct reason *why);

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
/** Response that streams events after Last-Event-ID `last` ("" = from now) of
 *  types beginning with `type`; NULL when there are too many streams. */
struct MHD_Response *streams_open(struct streams *s, struct MHD_Connection *c,
				  const char *last, const char *type);

#endif
