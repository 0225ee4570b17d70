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
#include "message/make.h"
#include "message/store.h"
#include "zones/sound/clip.h"

#include <stdbool.h>

struct library;

/** What sounds in place of an emergency's message that cannot be loaded. */
#define LIBRARY_FALLBACK_TONE MESSAGE_ALARM_TONE

/** A message that could not be loaded. */
typedef void(library_error_h)(const struct config_where *at, const char *text,
			      void *arg);

enum library_mode {
	/** --check: what cannot be played is an error; texts are not spoken,
	 *  only the program is looked for, and nothing is written. */
	LIBRARY_CHECK,
	/** Reload: the same for files; texts are spoken. One that cannot be is
	 *  a warning, and a tone takes its place. */
	LIBRARY_RELOAD,
	/** Start: what cannot be played gives way to a tone, because an alarm
	 *  with a tone is better than none; of texts only what is kept. */
	LIBRARY_START,
};

/**
 * Loads all messages of a configuration.
 *
 * @return 0, EINVAL (told through h) or ENOMEM
 */
int library_build(struct library **lp, const struct config *c,
		  enum library_mode mode, library_error_h *h, void *arg);

/** Gives every clip back. Returns NULL. */
struct library *library_free(struct library *l);

/** Clip of a message by name, NULL when there is none. No reference taken. */
struct clip *library_message(struct library *l, const char *name);

/** What came of making it; NULL when there is none. */
const struct message_facts *library_facts(const struct library *l,
					  const char *name);

/** Was it replaced by a tone because it could not be loaded? */
bool library_is_fallback(const struct library *l, const char *name);

/** Puts a message made anew in the place of the old one, or adds it (at most
 *  STORE_MAX_ITEMS beyond the configuration's); takes the reference. What plays
 *  the old one goes on with it. */
void library_replace(struct library *l, const struct config_message *m,
		     struct clip *clip, const struct message_facts *f);

/** Takes out one that is only uploaded. */
void library_remove(struct library *l, const char *name);

/** Name of the i-th message: the configuration's first, then those that are
 *  only uploaded; NULL behind the last. */
const char *library_name(const struct library *l, size_t i);

/**
 * Makes a message with its upload, else as the configuration says.
 *
 * An upload that cannot be used is told in f->problem; then what the
 * configuration says sounds, or a tone.
 *
 * @param base NULL: there is none in the configuration
 * @param i    NULL: nothing was uploaded
 * @return as message_make()
 */
int library_make(struct clip **cp, struct message_facts *f, const char *name,
		 const struct config_message *base, const struct store_item *i,
		 const char *state_dir, int16_t loudness,
		 const struct message_kit *kit, bool strict,
		 struct reason *why);

/** What its messages were made for and with. Valid as long as l. */
const struct message_kit *library_kit(const struct library *l);

/** Clip of a tone of the table, made when first asked for; NULL when unknown.
 *  No reference taken. Control thread. */
struct clip *library_tone(struct library *l, const char *name);

/** The same for a tone that goes round: of as many of its cycles as end with a
 *  packet, so that its cadence is exact. *cycles (0 = until stopped) becomes
 *  how often that is to be played. */
struct clip *library_tone_loop(struct library *l, const char *name,
			       uint32_t *cycles);

/** The same for a caller: with an encoding of his format, made when first
 *  asked for. */
struct clip *library_prompt(struct library *l, const char *name,
			    const struct format *f);

/** Clip of a message, else of a tone, in a caller's format; the tone `instead`
 *  where the message has none in it. No reference taken. Control thread. */
struct clip *library_heard(struct library *l, const char *name,
			   const char *instead, const struct format *f);

/** Clip of a message, else of a tone, to be heard once before a live page; of
 *  MESSAGE_PLAIN_TONE when it is too long; NULL when there is none. No
 * reference taken. Control thread. */
struct clip *library_chime(struct library *l, const char *name);

/** Are messages that are chimes short enough as they are now? Tells each that
 *  is not; 0 or EINVAL. */
int library_check_chimes(const struct library *l, const struct config *c,
			 library_error_h *h, void *arg);

/** What a zone hears before a page, by its key or the site's. The same. */
struct clip *library_page_chime(struct library *l, const struct config *c,
				int zone);

/** Cycles to play a message, 0 = until stopped (repeat and repeat-for). */
uint32_t library_cycles(const struct library *l, const char *name);

/** Bytes all clips hold. */
size_t library_bytes(const struct library *l);

#endif
