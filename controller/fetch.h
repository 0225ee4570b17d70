/**
 * A text from a server, by HTTP. Blocks: not for the control or the media
 * thread.
 */
#ifndef TOCSIN_FETCH_H
#define TOCSIN_FETCH_H

#include <stdbool.h>
#include <stddef.h>

/** A server must have answered after this. */
#define FETCH_TIMEOUT_S 30

/** What a server said of the text that was taken last; zeroed: nothing. */
struct fetch_memory {
	char etag[256], modified[64];
};

struct fetch_ask {
	const char *url;
	const char *ca;                   /**< NULL = the system's */
	size_t max;                       /**< largest text, bytes */
	const char *what;                 /**< for texts: "calendar" */
	const struct fetch_memory *since; /**< only if it changed; NULL */
	_Atomic bool *stop;               /**< true: give up; NULL */
};

struct fetch_answer {
	char *text; /**< NULL = as it was, or error; free() it */
	size_t size;
	struct fetch_memory memory;
	char error[512]; /**< "" = none */
};

/** Asks; at most 5 redirections, http and https only. */
void fetch(const struct fetch_ask *q, struct fetch_answer *a);

#endif
