/**
 * Words to sound: rendered by a program (speech.command), kept by content.
 *
 * What was rendered is kept in state-dir/speech under a digest of the text, the
 * voice and the program with its arguments: a change of any renders anew,
 * nothing else does. Blocks; not for the control or the media thread, but for
 * SPEECH_KEPT, which only reads files.
 */
#ifndef TOCSIN_SPEECH_H
#define TOCSIN_SPEECH_H

#include "controller/config/config.h"
#include "zones/sound/pcm.h"

#include <stdbool.h>

/** Bytes a program may write for one text. */
#define SPEECH_MAX_BYTES (64u << 20)

/** Name under which a rendered text is kept: 32 hexadecimal digits. */
#define SPEECH_KEY_SIZE 33

enum speech_how {
	SPEECH_KEPT,   /**< only what is kept */
	SPEECH_RENDER, /**< else by the program */
};

/** Settings, apart from any configuration. */
struct speech;

/** Settings from a configuration. keep: may files be written in state-dir?
 *  0 or ENOMEM. */
int speech_alloc(struct speech **sp, const struct config *c, bool keep);

/** Another reference, from any thread. Returns s. */
struct speech *speech_ref(struct speech *s);

/** Gives a reference back. Returns NULL. */
struct speech *speech_unref(struct speech *s);

/** Can texts be spoken at all? Else ENOENT, with the remedy. */
int speech_ready(const struct speech *s, struct reason *why);

/** The name of a text. voice NULL = the default. */
void speech_key(const struct speech *s, const char *text, const char *voice,
		char key[SPEECH_KEY_SIZE]);

/**
 * Speaks.
 *
 * @param cancel readable: give up; -1 = none
 * @return 0; EAGAIN (SPEECH_KEPT: not there); or errno of child_run() or
 *         pcm_load_fd(), with the reason
 */
int speech_say(const struct speech *s, const char *text, const char *voice,
	       enum speech_how how, uint32_t limit_ms, int cancel,
	       struct pcm *p, struct reason *why);

/** The file in which a text of this name is kept, if it is. */
void speech_path(const struct speech *s, const char *key, char *path,
		 size_t size);

/** Longest run the settings allow. */
uint32_t speech_limit_ms(const struct speech *s);

/** Removes the longest unused until the rest fits speech.cache. */
void speech_prune(const struct speech *s);

#endif
