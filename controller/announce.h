/**
 * What the daemon says: texts of the moment, and messages that are not whole.
 *
 * A message whose words cannot be had is a fault and sounds as a tone; its
 * texts are tried again every minute, away from the control thread, and when
 * they succeed the message is put in place and the fault is over.
 * Control thread.
 */
#ifndef TOCSIN_ANNOUNCE_H
#define TOCSIN_ANNOUNCE_H

#include "fault.h"
#include "library.h"
#include "message/spoken.h"

/** Texts of the moment that may wait to be spoken. */
#define ANNOUNCE_MAX_TEXTS 16
/** Longest wait for the words of an emergency; then its tone sounds. */
#define ANNOUNCE_URGENT_MS 3000

struct announce;

/** A text ready to sound. */
struct announced {
	struct clip *clip; /**< NULL: nothing in time */
	char message[48];  /**< "text:KEY": its name while it sounds */
	struct reason why; /**< why the words are not there, "" = they are */
	bool words;        /**< they are */
};

typedef void(announce_h)(const struct announced *a, void *arg);

struct announce_text {
	const char *text, *voice; /**< voice NULL = the default */
	const char *tone;         /**< before it, once; NULL = none */
	bool urgent;              /**< an emergency */
};

int announce_alloc(struct announce **ap, struct faults *f);

/** Every text that waits is answered without a clip. Returns NULL. */
struct announce *announce_free(struct announce *a);

/** Tells of one message anew: its sound was changed. */
void announce_message(struct announce *a, const char *name);

/** Takes what is in force now, and tells the faults of its messages. */
void announce_configure(struct announce *a, const struct config *c,
			struct library *l);

/** Once a second: tries again what could not be spoken. */
void announce_watch(struct announce *a);

/** Counts configurations: what was asked for under another one may mean
 *  something else now. */
unsigned announce_generation(const struct announce *a);

/**
 * Speaks a text of the moment; h is called later, always.
 *
 * @return 0, ENOSPC (too many wait), ENOENT (nothing that speaks), ENOMEM, with
 *         the reason
 */
int announce_say(struct announce *a, const struct announce_text *t,
		 announce_h *h, void *arg, struct reason *why);

/**
 * A text of before, for a restart: its tone and the words that are kept, else
 * a tone alone. Blocks as long as reading a file does.
 *
 * @param words gets: are they there?
 * @return a reference; NULL when there is no memory
 */
struct clip *announce_again(struct announce *a, const struct announce_text *t,
			    bool *words);

#endif
