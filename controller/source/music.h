/**
 * Background music: a program's sound, played to zones as background.
 *
 * Every piece of it comes from a child process (feeder.h): our own decoder for
 * files and folders, ffmpeg for a stream, or any command. What the child writes
 * is kept some seconds ahead (tape.h). One that dies, hangs or is silent is a
 * fault by name, and started again: after 1 s, then twice as long each time, at
 * most 30 s; of a list the next file is tried. Control thread.
 */
#ifndef TOCSIN_MUSIC_H
#define TOCSIN_MUSIC_H

#include "controller/base/reason.h"
#include "controller/broadcast.h"
#include "controller/config/config.h"
#include "controller/fault.h"
#include "controller/journal.h"
#include "controller/recorder.h"
#include "zones/media.h"

#include <jansson.h>
#include <stdio.h>

/** Longest without a byte while there is room for it. */
#define MUSIC_HANG_MS 10000
#define MUSIC_RETRY_MIN_MS 1000
/** To the next file of a list after one that is no good, from the second in a
 *  row on and until all were. */
#define MUSIC_SKIP_MS 100
#define MUSIC_RETRY_MAX_MS 30000
/** Peak below which music counts as silent: -60 dBFS. */
#define MUSIC_SILENT_PEAK 33
/** Files of a folder that are played; the rest is left out. */
#define MUSIC_MAX_FILES 10000

struct musics;

/** Makes an empty list; all given objects must outlive it (j NULL: nothing is
 *  kept over a restart). 0 or ENOMEM. */
int musics_alloc(struct musics **mp, struct media *m, struct broadcasts *b,
		 struct recorder *r, struct journal *j, struct faults *f);

/** Kills the children. Call after media_free(). Returns NULL. */
struct musics *musics_free(struct musics *m);

/** Takes a new configuration, after broadcasts_configure(). Music that did not
 *  change is not touched; what has autostart begins. 0 or ENOMEM. */
int musics_configure(struct musics *m, const struct config *c);

/** Starts again what was started by hand and not stopped before the daemon
 *  ended, however it ended. Call once, after musics_configure(). */
void musics_restore(struct musics *m);

/** Sees who hangs or is silent; call once a second. */
void musics_watch(struct musics *m);

/** A report of the media engine about a leg of ours. */
void musics_report(struct musics *m, const struct media_report *r);

/** The first leg that is for music. */
#define MUSIC_FIRST_LEG (MEDIA_CALL_LEGS + CONFIG_MAX_SOURCES)

enum music_verb { MUSIC_START, MUSIC_STOP, MUSIC_NEXT };

/** Carries out a verb; 0, or ENOENT (no such music), EALREADY (it is so
 *  already), ENOTSUP (a stream has no next), EINVAL (does not play). */
int music_do(struct musics *m, const char *name, enum music_verb verb,
	     const char *actor, struct reason *why);

/** Configuration's zones of one; 0 when there is none of that name. */
size_t music_zones(const struct musics *m, const char *name, const int **zones);

/** All, in the order of the configuration (new reference). */
json_t *musics_json(const struct musics *m);

/** One, NULL when there is none of that name. */
json_t *music_json(const struct musics *m, const char *name);

/** Their figures in Prometheus' format. */
void musics_metrics(const struct musics *m, FILE *f);

#endif
