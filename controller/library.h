/**
 * Every message and tone ready to be sent: decoded, resampled and encoded once
 * for each format when loaded.
 *
 * library_build() may run in any thread (a reload builds the new library
 * beside the running one); the finished library then belongs to the control
 * thread, which hands out clips by name.
 */
#ifndef TOCSIN_LIBRARY_H
#define TOCSIN_LIBRARY_H

#include "config/config.h"
#include "zones/sound/clip.h"

#include <stdbool.h>

struct library;

/** What sounds in place of an emergency's message that cannot be loaded. */
#define LIBRARY_FALLBACK_TONE "din-33404-3"

/** A message that could not be loaded. */
typedef void(library_error_h)(const struct config_where *at, const char *text,
			      void *arg);

/**
 * Loads all messages of a configuration.
 *
 * @param strict true (check, reload): any message that cannot be loaded is an
 *        error. false (start): it is told too, but a fallback tone takes its
 *        place, because an alarm with a tone is better than none
 * @return 0, EINVAL (told through h) or ENOMEM
 */
int library_build(struct library **lp, const struct config *c, bool strict,
		  library_error_h *h, void *arg);

/** Gives every clip back. Returns NULL. */
struct library *library_free(struct library *l);

/** Clip of a message by name, NULL when there is none. No reference taken. */
struct clip *library_message(struct library *l, const char *name);

/** Was it replaced by a tone because it could not be loaded? */
bool library_is_fallback(const struct library *l, const char *name);

/** Clip of a tone of the table, made when first asked for; NULL when unknown.
 *  No reference taken. Control thread. */
struct clip *library_tone(struct library *l, const char *name);

/** Cycles to play a message, 0 = until stopped (repeat and repeat-for). */
uint32_t library_cycles(const struct library *l, const char *name);

/** Bytes all clips hold. */
size_t library_bytes(const struct library *l);

#endif
