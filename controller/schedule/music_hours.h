/** Background music by the clock. Control thread. */
#ifndef TOCSIN_MUSIC_HOURS_H
#define TOCSIN_MUSIC_HOURS_H

#include "controller/source/music.h"
#include "schedules.h"

struct music_hours;

int music_hours_alloc(struct music_hours **mp, struct musics *m,
		      struct schedules *s);

struct music_hours *music_hours_free(struct music_hours *m);

/** Takes a new configuration, after musics_configure() and
 *  schedules_configure(). 0, or errno with the reason. */
int music_hours_configure(struct music_hours *m, const struct config *c,
			  struct reason *why);

/** Starts what begins, stops what ends. Once a second. */
void music_hours_watch(struct music_hours *m);

#endif
