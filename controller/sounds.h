/**
 * The outputs of sound in force, each at an index that it keeps over reloads.
 *
 * config.sounds[] is numbered anew by every configuration; the arbiter and the
 * media engine know an output by its index here, so that a stream that did not
 * change is not touched by a reload. Watches interfaces: one that is missing
 * is a fault, and the output begins by itself when it is there.
 * Control thread.
 */
#ifndef TOCSIN_SOUNDS_H
#define TOCSIN_SOUNDS_H

#include "arbiter.h"
#include "config/config.h"
#include "fault.h"
#include "zones/media.h"

struct sounds;

/** Makes an empty table; 0 or ENOMEM. */
int sounds_alloc(struct sounds **sp, struct media *m, struct faults *f);

struct sounds *sounds_free(struct sounds *s);

/**
 * Puts the outputs of a configuration in force. Call outside a media batch.
 * @return 0, or ENOBUFS (more outputs than the engine has, old and new)
 */
int sounds_apply(struct sounds *s, const struct config *c);

/** Outputs of one zone of the configuration applied last. */
const struct arb_set *sounds_zone(const struct sounds *s, int zone);

/** One above the highest index in use. */
unsigned sounds_count(const struct sounds *s);

/**
 * Looks for interfaces that came, went or lost their carrier; call about once
 * a second.
 * @return true when outputs came: their routes must be said again
 */
bool sounds_watch(struct sounds *s);

/**
 * A SIP loudspeaker answered, or wants its sound elsewhere: from now on its
 * output exists. Of `out` destination, format and source port count; the rest
 * is as configured. Say its route afterwards.
 */
void sounds_connect(struct sounds *s, unsigned index,
		    const struct media_output *out);

/** It hung up, or holds us: the output is gone for now. */
void sounds_disconnect(struct sounds *s, unsigned index);

/** Has it answered? */
bool sounds_connected(const struct sounds *s, unsigned index);

/** The index of the i-th of config.sounds[]. */
unsigned sounds_index(const struct sounds *s, size_t i);

/** The engine said that sending fails (err) or works again (0); target as n of
 *  MEDIA_OUTPUT_ERROR. */
void sounds_trouble(struct sounds *s, unsigned index, unsigned target, int err);

/** What watches an output needs to know of it. */
struct sound_view {
	const char *name;      /**< as sounds_name() */
	const char *interface; /**< "" = by route */
	const struct media_output *out;
	bool hear_back, foreign_talkers;
	bool faulty; /**< its own fault stands: it is known to be mute */
};

/** Reads one output; false for an unused index. Pointers are good until the
 *  next sounds_apply(). */
bool sounds_view(const struct sounds *s, unsigned index, struct sound_view *v);

/** The number a Polycom output sends as its sender's. */
uint32_t sounds_serial(const struct sounds *s, unsigned index);

/** How long a broadcast to these outputs waits so that all carry its beginning:
 *  while Polycom phones are alerted, while SIP loudspeakers that are not known
 *  to be dead are called; 0 = not at all. */
uint32_t sounds_hold_ms(const struct sounds *s, const struct arb_set *set);

/** The zone whose own output it is, -1 for an unused index. */
int sounds_owner(const struct sounds *s, unsigned index);

/** "platform-1 239.192.7.1:5004", "" for an unused index. */
const char *sounds_name(const struct sounds *s, unsigned index);

/** The format in which a SIP loudspeaker gets a codec. */
void sounds_speaker_format(struct format *f, const struct format *configured,
			   enum codec codec);

/**
 * Distinct formats of all outputs, then those a caller can have: prompts are
 * wanted in all of them, messages only in the outputs'.
 *
 * @param out     room for CLIP_MAX_FORMATS
 * @param outputs gets how many of them are outputs', at least 1
 * @return how many in all; 0 when there are too many
 */
size_t sounds_formats(const struct config *c, struct format *out,
		      size_t *outputs);

#endif
