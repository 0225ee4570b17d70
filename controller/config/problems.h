/**
 * What was found wrong in one run, kept until all is read: then it is told in
 * order of file and line. One thread.
 */
#ifndef TOCSIN_CONFIG_PROBLEMS_H
#define TOCSIN_CONFIG_PROBLEMS_H

#include "controller/config/config.h"

/** Problems kept of one run; the next is counted, not told. */
#define PROBLEMS_MAX 1000

struct problem {
	struct config_where at;
	char *text;
};

struct problems {
	struct problem v[PROBLEMS_MAX];
	size_t n;
	size_t errors;  /**< all, the ones not kept too; warnings not */
	size_t dropped; /**< not kept */
	bool nomem;     /**< something could not be allocated */
};

/** Adds an error. */
void problem_add(struct problems *p, struct config_where at, const char *fmt,
		 ...) __attribute__((format(printf, 3, 4)));

/** Adds a warning: told with the prefix "warning: ", not fatal. */
void problem_warn(struct problems *p, struct config_where at, const char *fmt,
		  ...) __attribute__((format(printf, 3, 4)));

/** Tells all of them; files gives the order of the files. */
void problems_tell(struct problems *p, char *const *files, size_t n_files,
		   config_error_h *h, void *arg);

/** Frees what it holds; it is empty afterwards. */
void problems_reset(struct problems *p);

#endif
