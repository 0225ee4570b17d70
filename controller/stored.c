#include "stored.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"
#include "message/spoken.h"
#include "zones/reel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Longest wait for the recording to be made a message. */
#define MAKE_MS 60000
/** Its key in the journal's state. */
#define KEY_PREFIX "recording:"

enum stored_state {
	STORED_READY,  /**< the talker hears that he is to speak */
	STORED_RUNS,   /**< what he says is kept */
	STORED_ENDING, /**< he is done; the engine may still write to it */
	STORED_MADE,   /**< being made a message */
	STORED_PLAYED, /**< a broadcast by now */
};

struct stored_page {
	struct stored *owner;
	enum stored_state state;
	uint64_t id;
	unsigned leg;
	bool held;    /**< its talker has it still */
	bool full;    /**< the engine is done with it, he is not */
	bool play;    /**< when he is done */
	bool dropped; /**< and that was told */
	uint8_t level;
	char (*zones)[CONFIG_MAX_NAME];
	size_t n_zones;
	char what[64], actor[80], why[160];
	int64_t since_wall_us;
	uint32_t min_ms, wait_ms, ms;
	struct reel *reel;
	size_t bytes;
	stored_h *h;
	void *arg;
};

struct stored {
	struct media *media;
	struct broadcasts *broadcasts;
	struct recorder *recorder;
	struct journal *journal;
	struct spoken *spoken;
	const struct config *config;
	struct library *library;
	struct stored_page *page[STORED_MAX];
	size_t bytes; /**< of all reels */
	bool stops;
};

int stored_alloc(struct stored **sp, struct media *m, struct broadcasts *b,
		 struct recorder *r, struct journal *j)
{
	struct stored *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return ENOMEM;
	s->media = m;
	s->broadcasts = b;
	s->recorder = r;
	s->journal = j;
	err = spoken_alloc(&s->spoken);
	if (err)
		free(s);
	else
		*sp = s;
	return err;
}

static void drop_reel(struct stored_page *x)
{
	x->reel = reel_free(x->reel);
	x->owner->bytes -= x->bytes;
	x->bytes = 0;
}

static void page_free(struct stored_page *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < STORED_MAX; i++)
		if (x->owner->page[i] == x)
			x->owner->page[i] = NULL;
	drop_reel(x);
	free(x->zones);
	free(x);
}

struct stored *stored_free(struct stored *s)
{
	if (!s)
		return NULL;
	s->stops = true;
	s->spoken = spoken_free(s->spoken);
	for (size_t i = 0; i < STORED_MAX; i++)
		page_free(s->page[i]);
	free(s);
	return NULL;
}

void stored_configure(struct stored *s, const struct config *c,
		      struct library *l)
{
	s->config = c;
	s->library = l;
}

static void subject_of(uint64_t id, char buf[40])
{
	snprintf(buf, 40, "broadcast:%llu", (unsigned long long)id);
}

/** What a restart would take with it is known afterwards. */
static void note(const struct stored_page *x, bool there)
{
	char key[48], value[CONFIG_MAX_NAME + 100];

	if (!x->owner->journal)
		return;
	snprintf(key, sizeof(key), KEY_PREFIX "%llu",
		 (unsigned long long)x->id);
	snprintf(value, sizeof(value), "%s of %s by %s", x->what, x->zones[0],
		 x->actor);
	journal_state(x->owner->journal, key, there ? value : NULL);
}

static void on_lost(const char *key, const char *value, void *arg)
{
	struct stored *s = arg;
	uint64_t id = strtoull(key + strlen(KEY_PREFIX), NULL, 10);
	char subject[40];

	subject_of(id, subject);
	record(s->recorder, EVENT_BROADCAST_DROPPED, id, subject, NULL, NULL,
	       "%s was not played: the daemon was restarted meanwhile", value);
	journal_state(s->journal, key, NULL);
}

void stored_restore(struct stored *s)
{
	if (s->journal)
		journal_state_load(s->journal, KEY_PREFIX, on_lost, s);
}

/* ------------------------------------------------------------------ begin */

static struct broadcast_request request_of(const struct stored_request *rq,
					   uint32_t wait_ms)
{
	return (struct broadcast_request){
		.what = rq->what,
		.message = "",
		.level = rq->level,
		.zones = rq->zones,
		.n_zones = rq->n_zones,
		.cycles = 1,
		.wait_ms = wait_ms,
		.lost_ms = wait_ms,
		.resume = RESUME_RESTART,
		.actor = rq->actor,
		.cause = rq->cause,
	};
}

static struct stored_page **free_place(struct stored *s)
{
	for (size_t i = 0; i < STORED_MAX; i++)
		if (!s->page[i])
			return &s->page[i];
	return NULL;
}

static int room(struct stored *s, size_t bytes, struct reason *why)
{
	if (!free_place(s))
		return reason_set(why, ENOSPC,
				  "%d recorded pages are on or wait already",
				  STORED_MAX);
	if (s->bytes + bytes > STORED_MAX_BYTES)
		return reason_set(why, ENOSPC,
				  "the recordings going on take %u MiB "
				  "already",
				  STORED_MAX_BYTES >> 20);
	return 0;
}

int stored_probe(struct stored *s, const struct stored_request *rq,
		 struct reason *why)
{
	const struct config_zone *z = &s->config->zones[rq->zones[0]];
	struct broadcast_request b = request_of(rq, z->recording_wait_ms);
	struct broadcast_result res;
	int err = room(s, reel_bytes(rq->rate, z->max_recording_ms), why);

	if (err)
		return err;
	/* As one that plays a tape: there is no clip yet. */
	b.tape = true;
	err = broadcast_probe(s->broadcasts, &b, &res);
	if (err)
		*why = res.why;
	return err;
}

static int name_zones(struct stored_page *x, const struct config *c,
		      const struct stored_request *rq)
{
	x->zones = calloc(rq->n_zones, sizeof(*x->zones));
	if (!x->zones)
		return ENOMEM;
	for (; x->n_zones < rq->n_zones; x->n_zones++)
		snprintf(x->zones[x->n_zones], CONFIG_MAX_NAME, "%s",
			 c->zones[rq->zones[x->n_zones]].name);
	return 0;
}

int stored_begin(struct stored_page **xp, struct stored *s,
		 const struct stored_request *rq, struct reason *why)
{
	const struct config_zone *z = &s->config->zones[rq->zones[0]];
	size_t bytes = reel_bytes(rq->rate, z->max_recording_ms);
	struct stored_page *x;
	int err = room(s, bytes, why);

	if (err)
		return err;
	x = calloc(1, sizeof(*x));
	if (!x)
		return reason_set(why, ENOMEM, "not enough memory");
	x->owner = s;
	err = name_zones(x, s->config, rq);
	if (!err)
		err = reel_alloc(&x->reel, rq->rate, z->max_recording_ms);
	if (err) {
		page_free(x);
		return reason_set(why, err, "not enough memory");
	}
	x->bytes = bytes;
	s->bytes += bytes;
	x->held = true;
	x->leg = rq->leg;
	x->level = rq->level;
	x->min_ms = z->min_recording_ms;
	x->wait_ms = z->recording_wait_ms;
	x->since_wall_us = clock_wall_us();
	x->h = rq->h;
	x->arg = rq->arg;
	snprintf(x->what, sizeof(x->what), "%s", rq->what);
	snprintf(x->actor, sizeof(x->actor), "%s", rq->actor);
	text_clean(x->actor);
	x->id = record(
		s->recorder, EVENT_BROADCAST_RECORDING, rq->cause, "broadcast",
		x->actor,
		json_pack("{s:s,s:i}", "zone", x->zones[0], "level", x->level),
		"%s of %s is recorded", x->what, x->zones[0]);
	note(x, true);
	*free_place(s) = x;
	*xp = x;
	return 0;
}

void stored_run(struct stored_page *x)
{
	struct stored *s = x->owner;

	if (x->state != STORED_READY)
		return;
	media_begin(s->media);
	media_record(s->media, x->leg, x->reel);
	if (!media_commit(s->media))
		x->state = STORED_RUNS;
}

uint64_t stored_id(const struct stored_page *x)
{
	return x->id;
}

void stored_owner(struct stored_page *x, void *arg)
{
	x->arg = arg;
}

/* -------------------------------------------------------------------- end */

/** Tells that it will not be played; it goes when nobody needs it any more. */
static void give_up(struct stored_page *x, const char *actor, const char *why)
{
	char subject[40];

	x->play = false;
	x->dropped = true;
	subject_of(x->id, subject);
	record(x->owner->recorder, EVENT_BROADCAST_DROPPED, x->id, subject,
	       actor ? actor : x->actor, NULL, "%s of %s is not played: %s",
	       x->what, x->zones[0], why);
	note(x, false);
}

static void forget(struct stored_page *x, const char *why)
{
	give_up(x, NULL, why);
	page_free(x);
}

static void on_broadcast(uint64_t id, enum broadcast_news news,
			 enum arb_cause cause, uint64_t by, const char *text,
			 void *arg)
{
	struct stored_page *x = arg;

	(void)id;
	(void)cause;
	(void)by;
	(void)text;
	if (news != BROADCAST_GONE)
		return;
	note(x, false);
	page_free(x);
}

static void play(struct stored_page *x, struct clip *clip)
{
	struct stored *s = x->owner;
	struct broadcast_request rq;
	struct broadcast_result res;
	struct stored_request as = {.what = x->what,
				    .level = x->level,
				    .actor = x->actor,
				    .cause = x->id};
	int *zones = calloc(x->n_zones, sizeof(*zones));

	for (size_t i = 0; zones && i < x->n_zones; i++) {
		int z = config_zone_find(s->config, x->zones[i]);

		if (z >= 0)
			zones[as.n_zones++] = z;
	}
	as.zones = zones;
	if (!as.n_zones) {
		free(zones);
		forget(x, "its zone was taken out of the configuration");
		return;
	}
	rq = request_of(&as, x->wait_ms);
	rq.clip = clip;
	rq.chime = library_page_chime(s->library, s->config, zones[0]);
	rq.id = x->id;
	rq.h = on_broadcast;
	rq.arg = x;
	x->state = STORED_PLAYED;
	if (broadcast_start(s->broadcasts, &rq, &res))
		forget(x, res.why.text);
	free(zones);
}

static void on_made(struct clip *clip, const struct message_facts *f,
		    const struct reason *why, void *arg)
{
	struct stored_page *x = arg;
	char subject[40];

	/* The engine and the broadcasts may be gone by now. */
	if (x->owner->stops || !x->play || !clip) {
		clip_unref(clip);
		if (!x->owner->stops && x->play)
			give_up(x, NULL, why->text);
		page_free(x);
		return;
	}
	subject_of(x->id, subject);
	record(x->owner->recorder, EVENT_BROADCAST_RECORDED, x->id, subject,
	       x->actor,
	       json_pack("{s:I,s:I}", "recorded_ms", (json_int_t)x->ms,
			 "speech_ms", (json_int_t)f->ms),
	       "%s of %s: %.1f s recorded, %.1f s of it to be played (%s)",
	       x->what, x->zones[0], x->ms / 1000.0, f->ms / 1000.0, x->why);
	play(x, clip);
	clip_unref(clip);
}

static void make(struct stored_page *x)
{
	struct stored *s = x->owner;
	const struct config_message m = {
		.name = (char *)(uintptr_t) "recording",
		.loudness = s->config->media.loudness,
		.cycles = 1,
	};
	struct pcm p = {0};

	x->state = STORED_MADE;
	x->ms = reel_ms(x->reel);
	reel_take(x->reel, &p);
	drop_reel(x);
	if (spoken_record(s->spoken, &m, library_kit(s->library), &p, x->min_ms,
			  MAKE_MS, on_made, x))
		forget(x, "not enough memory to prepare it");
	pcm_reset(&p);
}

/** The engine is done with it, and so is he who spoke. */
static void after_recording(struct stored_page *x)
{
	if (x->play)
		make(x);
	else
		page_free(x);
}

void stored_end(struct stored_page *x, bool play, const char *why)
{
	struct stored *s = x->owner;

	x->held = false;
	x->play = play && !x->dropped;
	snprintf(x->why, sizeof(x->why), "%s", why);
	if (x->state == STORED_READY)
		x->play = false;
	if (!x->play && !x->dropped)
		give_up(x, NULL, why);
	if (x->state == STORED_READY || x->full) {
		after_recording(x);
		return;
	}
	x->state = STORED_ENDING;
	media_begin(s->media);
	media_record(s->media, x->leg, NULL);
	(void)media_commit(s->media);
}

void stored_report(struct stored *s, const struct media_report *r)
{
	struct stored_page *x = NULL;

	/* Who is done comes before who may have begun on the same leg. */
	for (size_t i = 0; i < STORED_MAX; i++) {
		struct stored_page *y = s->page[i];

		if (!y || y->leg != r->index || y->full)
			continue;
		if (y->state == STORED_ENDING)
			x = y;
		else if (y->state == STORED_RUNS && !x)
			x = y;
	}
	if (!x)
		return;
	if (x->state == STORED_ENDING) {
		after_recording(x);
		return;
	}
	x->full = true;
	x->h(x, STORED_FULL, x->arg);
}

static struct stored_page *find(const struct stored *s, uint64_t id)
{
	for (size_t i = 0; id && i < STORED_MAX; i++)
		if (s->page[i] && s->page[i]->id == id &&
		    !s->page[i]->dropped && s->page[i]->state != STORED_PLAYED)
			return s->page[i];
	return NULL;
}

int stored_drop(struct stored *s, uint64_t id, const char *actor)
{
	struct stored_page *x = find(s, id);
	char why[160];

	if (!x)
		return ENOENT;
	snprintf(why, sizeof(why), "stopped by %s", actor);
	give_up(x, actor, why);
	if (x->held)
		x->h(x, STORED_DROPPED, x->arg);
	return 0;
}

/* ------------------------------------------------------------------ views */

bool stored_within(const struct stored *s, uint64_t id, const int *zones,
		   size_t n_zones)
{
	const struct stored_page *x = find(s, id);

	return x && config_zones_within(s->config, x->zones, x->n_zones, zones,
					n_zones);
}

static json_t *page_json(const struct stored_page *x)
{
	char since[CLOCK_TEXT_SIZE];
	json_t *zones = json_array();
	uint32_t ms = x->reel ? reel_ms(x->reel) : x->ms;

	for (size_t i = 0; i < x->n_zones; i++)
		json_array_append_new(zones, json_string(x->zones[i]));
	return json_pack("{s:I,s:s,s:s,s:i,s:s,s:s,s:b,s:o,s:s,s:f,s:I}", "id",
			 (json_int_t)x->id, "what", x->what, "priority",
			 config_level_name(x->owner->config, x->level), "level",
			 x->level, "actor", x->actor, "since",
			 clock_format(since, x->since_wall_us), "live", 0,
			 "zones", zones, "state",
			 x->state <= STORED_RUNS ? "recording" : "preparing",
			 "recorded_s", ms / 1000.0, "event", (json_int_t)x->id);
}

void stored_list_json(const struct stored *s, json_t *list)
{
	for (size_t i = 0; i < STORED_MAX; i++)
		if (s->page[i] && find(s, s->page[i]->id))
			json_array_append_new(list, page_json(s->page[i]));
}

json_t *stored_json(const struct stored *s, uint64_t id)
{
	const struct stored_page *x = find(s, id);

	return x ? page_json(x) : NULL;
}

/** Will it be heard anywhere in a zone? */
static bool touches(const struct stored_page *x, int zone)
{
	const struct config *c = x->owner->config;

	for (size_t i = 0; i < x->n_zones; i++) {
		int z = config_zone_find(c, x->zones[i]);

		for (size_t w = 0; z >= 0 && w < MEDIA_MAX_OUTPUTS / 64; w++)
			if (c->zones[z].outputs.w[w] &
			    c->zones[zone].outputs.w[w])
				return true;
	}
	return false;
}

void stored_zone_json(const struct stored *s, int zone, json_t *obj)
{
	json_t *a = json_array();

	for (size_t i = 0; i < STORED_MAX; i++)
		if (s->page[i] && find(s, s->page[i]->id) &&
		    touches(s->page[i], zone))
			json_array_append_new(
				a, json_integer((json_int_t)s->page[i]->id));
	json_object_set_new(obj, "recording", a);
}
