/**
 * A new configuration, loaded beside the running one.
 *
 * Reading, checking, decoding and encoding happen in a worker thread, so that
 * neither calls nor timers wait for a disk; the result comes back to the
 * control thread whole, or as a list of errors.
 */
#ifndef TOCSIN_RELOAD_H
#define TOCSIN_RELOAD_H

#include "config/config.h"
#include "library.h"

struct reload;

/** Errors of one attempt that are kept as text. */
#define RELOAD_TEXT 4096

/** config and library are NULL when it was refused: errors says why, a line
 *  each. They belong to the receiver. */
typedef void(reload_h)(struct config *config, struct library *library,
		       const char *errors, void *arg);

/** Makes the worker's way back; 0 or errno. */
int reload_alloc(struct reload **rp, reload_h *h, void *arg);

/** Waits for a load in progress. Returns NULL. */
struct reload *reload_free(struct reload *r);

/** Begins; EALREADY while one is in progress (it is done again afterwards). */
int reload_begin(struct reload *r, const char *path);

/** Loads here and now, as library_build(). */
int reload_now(const char *path, enum library_mode mode, struct config **cp,
	       struct library **lp, config_error_h *h, void *arg);

#endif
