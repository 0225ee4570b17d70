/**
 * The library of uploaded messages: taken in, listened to, rolled back,
 * deleted while everything runs.
 *
 * Decoding, measuring, encoding and the disk are a worker thread's, one job at
 * a time; what it made is put in force by the control thread. What plays goes
 * on with the sound it began with. All functions: control thread.
 */
#ifndef TOCSIN_UPLOADS_H
#define TOCSIN_UPLOADS_H

#include "controller/library.h"
#include "controller/recorder.h"

#include <jansson.h>

/** Jobs that may wait, the running one included. */
#define UPLOADS_MAX_JOBS 16

struct uploads;

enum uploads_verb {
	UPLOADS_PUT,
	UPLOADS_ROLLBACK,
	UPLOADS_DELETE,
	UPLOADS_PREVIEW,
};

struct uploads_ask {
	enum uploads_verb verb;
	const char *name;
	int fd;           /**< PUT: the file; it is duplicated */
	uint32_t version; /**< ROLLBACK: to this; PREVIEW: 0 = as it sounds */
	const char *actor, *from;
	/** NULL = not asked for. */
	const char *if_match, *if_none_match;
};

struct uploads_answer {
	int status;       /**< of HTTP */
	const char *code; /**< why not; NULL = done */
	struct reason why;
	int fd; /**< PREVIEW: a WAV file; the handler's. Else -1 */
	uint64_t size;
	char etag[80]; /**< "" = none */
};

/** Once for every uploads_ask(); a->fd is its own. */
typedef void(uploads_h)(const struct uploads_answer *a, void *arg);

/** The library has another sound for a message. */
typedef void(uploads_changed_h)(const char *name, void *arg);

int uploads_alloc(struct uploads **up, struct recorder *r, uploads_changed_h *h,
		  void *arg);

/** Every handler not called yet is called. Returns NULL. */
struct uploads *uploads_free(struct uploads *u);

/** Takes a new configuration and library; 0 or ENOMEM. */
int uploads_configure(struct uploads *u, const struct config *c,
		      struct library *l);

/** Who may change it is the caller's to say. */
void uploads_ask(struct uploads *u, const struct uploads_ask *ask, uploads_h *h,
		 void *arg);

/** What was uploaded for a message; NULL = nothing. */
const struct store_item *uploads_item(const struct uploads *u,
				      const char *name);

/** Entity tag of a message: changes with every upload, rollback and delete. */
char *uploads_etag(const struct uploads *u, const char *name, char buf[80]);

/** Its versions, newest first; NULL when there are none (new reference). */
json_t *uploads_versions_json(const struct uploads *u, const char *name);

#endif
