/**
 * Sound of who is called by operators: the engine's legs from
 * MEDIA_FIRST_OWN_LEG on, one for each line that is open, and the message that
 * is said on it over and over. Who is called, and why, is none of its business
 * (summons.h). Control thread.
 */
#ifndef TOCSIN_LEGS_H
#define TOCSIN_LEGS_H

#include "controller/library.h"
#include "zones/media.h"

/** Between two times the message is heard. */
#define LEGS_AGAIN_MS 1500

struct legs;

enum legs_news {
	LEGS_KEY,    /**< a key was pressed, as RFC 4733 tells it */
	LEGS_SILENT, /**< no RTP comes any more */
};

/** What happened on the leg that was opened for `line`; may close it. */
typedef void(legs_h)(void *line, enum legs_news news, char key);

/** 0 or ENOMEM. */
int legs_alloc(struct legs **lp, struct media *m, legs_h *h);

/** Before the engine is freed; every leg was closed. Returns NULL. */
struct legs *legs_free(struct legs *l);

/** Where messages and tones are looked up from now on. */
void legs_library(struct legs *l, struct library *lib);

/** Opens a leg; m->fd is owned from here on, whatever comes of it. Returns the
 *  leg, from 0, or -1 when there is none free or the engine takes no more. */
int legs_open(struct legs *l, const struct media_leg *m, void *line);

/** Renegotiated. */
void legs_update(struct legs *l, int leg, const struct media_leg *m);

/** Its line hears nothing of it any more; it is free again when the engine has
 *  let it go. -1 does nothing. */
void legs_close(struct legs *l, int leg);

/** Plays a message, or a tone of that name; once, or until legs_quiet(). Not
 *  while another still plays; an unknown name is silence. */
void legs_say(struct legs *l, int leg, const char *message, bool over_and_over);

/** Ends what is said. */
void legs_quiet(struct legs *l, int leg);

/** Takes it out of the conference it is in. */
void legs_leave_room(struct legs *l, int leg);

/** The engine's number of a leg. */
unsigned legs_number(int leg);

/** A report of the engine about a leg from MEDIA_FIRST_OWN_LEG on. */
void legs_report(struct legs *l, const struct media_report *r);

#endif
