/**
 * Pages that are recorded first, and played when who speaks is done.
 *
 * From the talker's first word to the end of its broadcast a recorded page has
 * one number: it is shown among the broadcasts, recording at first, and stopped
 * like one. It is held in memory only: a restart drops it, and says so.
 * Control thread.
 */
#ifndef TOCSIN_STORED_H
#define TOCSIN_STORED_H

#include "broadcast.h"
#include "library.h"

/** Recorded, prepared, waiting or played at once; and what all reels that are
 *  being filled may take. */
#define STORED_MAX 16
#define STORED_MAX_BYTES (64u << 20)

struct stored;
struct stored_page;

/** Why a talker hears that his recording is over. */
enum stored_news {
	STORED_FULL,    /**< as long as it may be */
	STORED_DROPPED, /**< taken away: it will not be played */
};

/** His owner is to let him go, in the next turn; stored_end() is his still. */
typedef void(stored_h)(struct stored_page *x, enum stored_news news, void *arg);

struct stored_request {
	const char *what; /**< "recorded page" */
	unsigned leg;     /**< where he speaks, open */
	uint32_t rate;    /**< of his sound */
	uint8_t level;    /**< below 200 */
	const int *zones; /**< the first says how long and how short */
	size_t n_zones;
	const char *actor;
	uint64_t cause;
	stored_h *h;
	void *arg;
};

int stored_alloc(struct stored **sp, struct media *m, struct broadcasts *b,
		 struct recorder *r, struct journal *j);

/** Drops all of them; the media engine must be gone. Returns NULL. */
struct stored *stored_free(struct stored *s);

/** Takes a new configuration and library; recordings go on. */
void stored_configure(struct stored *s, const struct config *c,
		      struct library *l);

/** Tells which recordings the last run took with it. Call once. */
void stored_restore(struct stored *s);

/** Is there room for one more? 0, ENOSPC with the reason, or as
 *  broadcast_probe(). */
int stored_probe(struct stored *s, const struct stored_request *rq,
		 struct reason *why);

/** Takes a place, and memory; nothing is recorded yet. 0, ENOSPC or ENOMEM
 *  with the reason. */
int stored_begin(struct stored_page **xp, struct stored *s,
		 const struct stored_request *rq, struct reason *why);

/** From now on what he says is kept. */
void stored_run(struct stored_page *x);

/** He is done, why tells how: it will be played, if enough was said in it and
 *  he is not to be forgotten. The pointer is no longer his. */
void stored_end(struct stored_page *x, bool play, const char *why);

/** Its owner has moved. */
void stored_owner(struct stored_page *x, void *arg);

/** Number of the page. */
uint64_t stored_id(const struct stored_page *x);

/** A report of the media engine: MEDIA_RECORDED. */
void stored_report(struct stored *s, const struct media_report *r);

/** Drops one that is not played yet; ENOENT when there is none. */
int stored_drop(struct stored *s, uint64_t id, const char *actor);

/** Is it in any zone that a user limited to these zones may not touch? */
bool stored_within(const struct stored *s, uint64_t id, const int *zones,
		   size_t n_zones);

/** Appends those that are not played yet to the list of broadcasts. */
void stored_list_json(const struct stored *s, json_t *list);

/** One of them, NULL when it is none. */
json_t *stored_json(const struct stored *s, uint64_t id);

/** Sets "recording" of a zone: numbers of those that will sound in it. */
void stored_zone_json(const struct stored *s, int zone, json_t *obj);

#endif
