/**
 * Broadcasts: what is wanted, what the arbiter makes of it, and the commands
 * that carry it out.
 *
 * Every change (a new one, an end, a deadline, a new configuration) takes the
 * same way: snapshot -> arbiter_decide() -> one media batch -> events. Nothing
 * else starts or stops sound. Control thread.
 */
#ifndef TOCSIN_BROADCAST_H
#define TOCSIN_BROADCAST_H

#include "amps.h"
#include "arbiter.h"
#include "config/config.h"
#include "controller/base/reason.h"
#include "recorder.h"
#include "sounds.h"
#include "speakers.h"
#include "zones/media.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** Broadcasts at once; the last 60 places are kept for emergencies. */
#define BROADCAST_MAX 400
#define BROADCAST_MAX_PLAIN 340

/** What a zone's volume may be set to at run time, in centibels. */
#define BROADCAST_MIN_VOLUME_CB (-400)
#define BROADCAST_MAX_VOLUME_CB 120

struct broadcasts;

/** What the owner of a broadcast hears about it. */
enum broadcast_news {
	BROADCAST_SOUNDS, /**< (again) heard on at least one output */
	BROADCAST_LOST,   /**< waits or is overridden: heard nowhere */
	BROADCAST_GONE,   /**< ended; the id is no longer known */
	BROADCAST_OPEN,   /**< its chime is over: broadcast_hold_ms() counts */
};

/** text: one honest cause; by: id of what beat it, 0 = none. Must not start or
 *  stop a broadcast from within; do so in the next turn. */
typedef void(broadcast_h)(uint64_t id, enum broadcast_news news,
			  enum arb_cause cause, uint64_t by, const char *text,
			  void *arg);

/** How a preempted recorded one goes on. */
enum broadcast_resume {
	RESUME_RESTART,  /**< from its beginning: half a message is none */
	RESUME_CONTINUE, /**< where it was (music) */
};

struct broadcast_request {
	const char *what;    /**< "message evacuate", "live page", ... */
	const char *message; /**< name of the message or tone, "" for live */
	uint8_t level;
	const int *zones; /**< configuration's zone indices */
	size_t n_zones;

	struct clip *clip; /**< recorded; a reference is taken. NULL = live */
	uint32_t cycles;   /**< 0 = until stopped */
	unsigned leg;      /**< live: its leg, opened before */
	bool tape;         /**< its leg plays a tape: recorded, not live */
	bool prompted;     /**< live: who talks waits until broadcast_hold_ms()
			      is over, so amplifiers may be woken first */
	uint64_t id;       /**< its number; 0 = that of its request's event */
	/** Of a page: heard once before it, unless it is an emergency; and
	 *  again when a recorded one begins again. A reference is taken. NULL =
	 *  none. */
	struct clip *chime;

	bool background;
	enum arb_background how; /**< of background: ARB_DUCK or ARB_PAUSE */
	bool forever;            /**< waits as long as it must */
	uint32_t wait_ms;        /**< patience before its first sound */
	uint32_t lost_ms;        /**< patience after it was preempted */
	uint32_t max_ms;         /**< ends by itself after so long, 0 = never */
	struct quiet_volume quiet; /**< over its zones' */
	enum broadcast_resume resume;
	bool persist; /**< an emergency that must survive a restart */
	/** With persist: what is spoken, {text, voice, tone}, for a restart; a
	 *  reference is taken. NULL = its message says all. */
	json_t *words;

	const char *actor;
	uint64_t cause; /**< event that led to it */
	uint64_t at_us; /**< monotonic, when its trigger came in; 0 = now */
	broadcast_h *h; /**< may be NULL */
	void *arg;
};

/** What becomes of music under something more urgent, by the site's settings.
 */
static inline enum arb_background broadcast_under(const struct config *c)
{
	return c->media.music == MUSIC_PAUSE ? ARB_PAUSE : ARB_DUCK;
}

/** What becomes of it. */
struct broadcast_result {
	uint64_t id;
	enum arb_state state;
	enum arb_cause cause;
	uint64_t by;
	struct reason why;
};

/** Makes an empty list; all given objects must outlive it. */
int broadcasts_alloc(struct broadcasts **bp, struct media *m, struct sounds *s,
		     struct recorder *r, struct journal *j);

/** Ends everything silently (a restart brings emergencies back). */
struct broadcasts *broadcasts_free(struct broadcasts *b);

/** The amplifiers to switch with what sounds; NULL = none (as at first). They
 *  must outlive the list. */
void broadcasts_amps(struct broadcasts *b, struct amps *a);

/** The SIP loudspeakers to call for what sounds, from the next change on; NULL
 *  = none (as at first). They must outlive the list. */
void broadcasts_speakers(struct broadcasts *b, struct speakers *s);

/** Brings back the volumes that the journal keeps. Call once. */
void broadcasts_restore(struct broadcasts *b);

/** Sets how loud a zone is, over its configured gain, and kept over a restart:
 *  its own outputs and those of the zones it contains. Emergencies are never
 *  made softer by it. */
void broadcasts_volume(struct broadcasts *b, int zone, int16_t cb,
		       const char *actor);

/** Quiet hours of a zone's own outputs begin or (q->on false) end. Emergencies
 *  are never made softer by them. */
void broadcasts_quiet(struct broadcasts *b, int zone,
		      const struct quiet_volume *q);

/** Takes a new configuration: call after sounds_apply(). Zones are found again
 *  by name; what has no zone left ends. */
void broadcasts_configure(struct broadcasts *b, const struct config *c);

/** Outputs came or changed: says their routes again; NULL = every one. */
void broadcasts_reroute(struct broadcasts *b, const struct arb_set *outputs);

/**
 * Starts a broadcast.
 *
 * @return 0 (res->state tells what became of it), EBUSY (refused: outranked,
 *         res->by tells by whom), ENOENT (no output in these zones), ENOSPC
 *         (too many), ENOMEM; res->why says it in words
 */
int broadcast_start(struct broadcasts *b, const struct broadcast_request *rq,
		    struct broadcast_result *res);

/** What would become of it, without doing it. Same returns. */
int broadcast_probe(struct broadcasts *b, const struct broadcast_request *rq,
		    struct broadcast_result *res);

/** How long from now on a live one is kept silent, so that slow outputs and
 *  amplifiers carry all of it; 0 for an unknown one. */
uint32_t broadcast_hold_ms(const struct broadcasts *b, uint64_t id);

/** Is its chime still to be heard, or to be heard to its end? BROADCAST_OPEN
 *  follows unless it ends first. */
bool broadcast_chimes(const struct broadcasts *b, uint64_t id);

/** Another sound for a recorded one, from its beginning: words that could not
 *  be had in time. A reference is taken. ENOENT when it is not known. */
int broadcast_replace(struct broadcasts *b, uint64_t id, struct clip *clip,
		      uint32_t cycles);

/** Ends one; ENOENT when it is not known. */
int broadcast_stop(struct broadcasts *b, uint64_t id, const char *actor,
		   uint64_t cause, const char *why);

/** Is it in any zone that a user limited to these zones may not touch? */
bool broadcast_within(const struct broadcasts *b, uint64_t id, const int *zones,
		      size_t n_zones);

/** A report of the media engine about a slot. */
void broadcasts_report(struct broadcasts *b, const struct media_report *r);

/** Short text "message evacuate by input:gate-2" for causes; "" = unknown. */
const char *broadcast_title(const struct broadcasts *b, uint64_t id);

size_t broadcast_count(const struct broadcasts *b);

/** All, oldest first (new reference). */
json_t *broadcasts_json(const struct broadcasts *b);

/** One, NULL when not known. */
json_t *broadcast_json(const struct broadcasts *b, uint64_t id);

/** Level of what sounds in a zone, -1 = nothing. */
int broadcasts_zone_level(const struct broadcasts *b, int zone);

/** What a zone carries: {playing, waiting, level_dbfs, volume_db} set into
 *  obj. */
void broadcasts_zone_json(const struct broadcasts *b, int zone, json_t *obj);

#endif
