#include "broadcast_internal.h"

#include "controller/base/clock.h"
#include "controller/base/log.h"
#include "controller/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct route no_route = {-1, -1, 0, 0};

/** Bytes that names of zones may take of a record's data. */
#define ZONES_IN_RECORD 384

static void on_deadline(void *arg);

int broadcasts_alloc(struct broadcasts **bp, struct media *m, struct sounds *s,
		     struct recorder *r, struct journal *j)
{
	struct broadcasts *b = calloc(1, sizeof(*b));

	if (!b)
		return ENOMEM;
	b->media = m;
	b->sounds = s;
	b->recorder = r;
	b->journal = j;
	tmr_init(&b->tmr);
	for (size_t i = 0; i < MEDIA_MAX_OUTPUTS; i++)
		b->route[i] = no_route;
	*bp = b;
	return 0;
}

static void broadcast_free(struct broadcast *x)
{
	if (!x)
		return;
	clip_unref(x->clip);
	clip_unref(x->chime);
	clip_unref(x->before);
	json_decref(x->words);
	free(x->zones);
	free(x);
}

struct broadcasts *broadcasts_free(struct broadcasts *b)
{
	if (!b)
		return NULL;
	tmr_cancel(&b->tmr);
	for (size_t i = 0; i < b->n; i++)
		broadcast_free(b->v[i]);
	for (size_t i = 0; i < MEDIA_MAX_SLOTS; i++)
		clip_unref(b->slot[i].clip);
	free(b);
	return NULL;
}

struct broadcast *broadcast_find(const struct broadcasts *b, uint64_t id)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i]->id == id && !b->v[i]->over)
			return b->v[i];
	return NULL;
}

static void subject_of(const struct broadcast *x, char buf[40])
{
	snprintf(buf, 40, "broadcast:%llu", (unsigned long long)x->id);
}

static json_t *zones_json(const struct broadcast *x)
{
	json_t *a = json_array();

	size_t room = ZONES_IN_RECORD, i;

	/* Enough to tell which; a long list would not fit a record. */
	for (i = 0; i < x->n_zones && strlen(x->zones[i]) + 3 <= room; i++) {
		room -= strlen(x->zones[i]) + 3;
		json_array_append_new(a, json_string(x->zones[i]));
	}
	if (i < x->n_zones)
		json_array_append_new(a, json_string("..."));
	return a;
}

/* ------------------------------------------------------------ persistence */

static void persist(struct broadcasts *b, const struct broadcast *x, bool keep)
{
	char key[48], *text;
	json_t *o, *zones;

	if (!x->persist || !b->journal)
		return;
	snprintf(key, sizeof(key), "broadcast:%llu", (unsigned long long)x->id);
	if (!keep) {
		journal_state(b->journal, key, NULL);
		return;
	}
	zones = json_array();
	for (size_t i = 0; i < x->n_zones; i++)
		json_array_append_new(zones, json_string(x->zones[i]));
	o = json_pack("{s:s,s:s,s:i,s:i,s:s,s:o,s:O*}", "message", x->message,
		      "what", x->what, "level", x->level, "cycles",
		      (int)x->cycles, "actor", x->actor, "zones", zones,
		      "words", x->words);
	text = json_dumps(o, JSON_COMPACT);
	journal_state(b->journal, key, text);
	free(text);
	json_decref(o);
}

/* -------------------------------------------------------------- snapshot */

static void snapshot(const struct broadcast *x, uint64_t now,
		     struct arb_broadcast *a)
{
	a->id = x->id;
	a->seq = x->seq;
	a->forever = x->forever;
	a->level = x->level;
	a->live = x->live;
	a->started = x->started;
	a->background = x->background;
	a->outputs = x->outputs;
	/* While it is heard the clock of its patience has not begun. */
	if (x->heard)
		a->deadline =
			x->lost_ms ? now + x->lost_ms * UINT64_C(1000) : 0;
	else if (x->fresh)
		a->deadline =
			x->wait_ms ? now + x->wait_ms * UINT64_C(1000) : 0;
	else
		a->deadline = x->deadline;
}

static struct arb_world world(struct broadcasts *b, uint64_t now,
			      const struct broadcast *extra)
{
	struct arb_world w = {
		.now = now,
		.tie_last = b->config && b->config->tie_last,
		.n_outputs = sounds_count(b->sounds),
		.n = b->n + (extra ? 1 : 0),
		.b = b->row,
	};

	for (size_t i = 0; i < b->n; i++)
		snapshot(b->v[i], now, &b->row[i]);
	if (extra)
		snapshot(extra, now, &b->row[b->n]);
	return w;
}

/* ---------------------------------------------------------------- actions */

static int take_slot(struct broadcasts *b, struct broadcast *x,
		     struct clip *clip)
{
	for (int i = 0; i < MEDIA_MAX_SLOTS; i++)
		if (b->slot[i].state == SLOT_FREE) {
			b->slot[i].state = SLOT_BUSY;
			b->slot[i].clip = clip ? clip_ref(clip) : NULL;
			b->slot[i].id = x->id;
			return i;
		}
	return -1;
}

/** All of its outputs wait while Polycom phones are alerted, so that nobody
 *  misses its beginning; an emergency waits for nothing. */
static uint32_t hold_of(const struct broadcasts *b, const struct broadcast *x)
{
	return x->level < ARB_EMERGENCY ? sounds_hold_ms(b->sounds, &x->outputs)
					: 0;
}

static uint32_t lead_of(const struct broadcasts *b, const struct broadcast *x)
{
	uint32_t lead = hold_of(b, x);
	int last = -1;

	/* A zone of zones has no amplifiers of its own to look at. */
	for (size_t i = 0; i < x->n_zones; i++) {
		int z = config_zone_find(b->config, x->zones[i]);

		if (z >= 0 && !b->config->zones[z].n_own &&
		    b->config->zones[z].lead_ms > lead)
			lead = b->config->zones[z].lead_ms;
	}
	for (unsigned i = 0; i < sounds_count(b->sounds); i++) {
		int z = sounds_owner(b->sounds, i);
		uint32_t ms;

		if (z < 0 || z == last || !arb_set_has(&x->outputs, i))
			continue;
		last = z;
		ms = b->amps ? amps_lead(b->amps, z)
			     : b->config->zones[z].lead_ms;
		lead = ms > lead ? ms : lead;
	}
	return lead;
}

/** Says what its slot is. Who waits for a sign to talk loses no word to
 *  amplifiers that wake. */
static void describe_source(struct broadcasts *b, struct broadcast *x)
{
	uint32_t quiet = x->prompted ? lead_of(b, x) : hold_of(b, x);

	x->quiet_us = clock_mono_us() + quiet * UINT64_C(1000);
	media_slot(b->media, (unsigned)x->slot, x->level, quiet);
}

static void begin_source(struct broadcasts *b, struct broadcast *x)
{
	struct clip *clip = x->chime ? x->chime : x->clip;

	x->slot = take_slot(b, x, clip);
	if (x->slot < 0)
		return;
	x->runs = true;
	if (!clip) {
		media_live(b->media, (unsigned)x->slot, x->leg, x->id);
	} else {
		struct media_play p = {
			.clip = clip,
			.cycles = x->chime ? 1 : x->cycles,
			/* The chime woke what needs to be woken. */
			.lead_ms = x->chimed ? 0 : lead_of(b, x),
			.tag = x->id,
		};

		media_play(b->media, (unsigned)x->slot, &p);
	}
	describe_source(b, x);
}

static void end_source(struct broadcasts *b, struct broadcast *x)
{
	if (x->slot < 0)
		return;
	media_stop(b->media, (unsigned)x->slot);
	b->slot[x->slot].state = SLOT_DRAINING;
	x->slot = -1;
}

static bool is_heard(const struct arb_row *r)
{
	return r->state == ARB_PLAY || r->state == ARB_PARTIAL;
}

/** Is it to be heard anywhere, not only held behind a foreground? */
static bool sounds_at_all(const struct broadcasts *b, size_t row)
{
	const struct arb_set *set = &b->verdict.row[row].granted;

	for (unsigned i = 0; i < sounds_count(b->sounds); i++) {
		const struct arb_output *o = &b->verdict.out[i];

		if (arb_set_has(set, i) &&
		    (o->fg == (int)row ||
		     (o->bg == (int)row && o->bg_how != ARB_PAUSE)))
			return true;
	}
	return false;
}

/** Lets a recorded one run, or holds it where it is. */
static void run_source(struct broadcasts *b, struct broadcast *x, bool run,
		       bool again)
{
	if ((x->live && !x->chime) || x->slot < 0 || run == x->runs)
		return;
	if (again && x->resume == RESUME_RESTART)
		media_restart(b->media, (unsigned)x->slot);
	media_pause(b->media, (unsigned)x->slot, !run);
	x->runs = run;
}

/** A recorded one that begins again does so with its chime. */
static void chime_again(struct broadcasts *b, struct broadcast *x)
{
	if (!x->before || !x->chimed || x->resume != RESUME_RESTART)
		return;
	end_source(b, x);
	x->chime = clip_ref(x->before);
	x->chimed = false;
}

/** Brings every source to what its row says. */
static void act_sources(struct broadcasts *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct broadcast *x = b->v[i];
		bool heard = is_heard(&b->verdict.row[i]);

		if (x->over || b->verdict.row[i].state == ARB_END) {
			end_source(b, x);
			continue;
		}
		if (heard && !x->heard && x->started)
			chime_again(b, x);
		if (heard && x->slot < 0)
			begin_source(b, x);
		else if (heard && !x->heard && x->live)
			describe_source(b, x);
		run_source(b, x, heard && sounds_at_all(b, i),
			   heard && !x->heard && x->started);
	}
}

/** How loud an output of a zone is while this sounds, NULL = nothing. */
static int16_t volume_of(const struct broadcasts *b, int zone,
			 const struct broadcast *x)
{
	int16_t cb = zone >= 0 ? b->volume[zone] : 0;

	/* Neither by hand nor by the hour. */
	if (x && x->level >= ARB_EMERGENCY)
		return cb > 0 ? cb : 0;
	if (x)
		cb = quiet_apply(&x->quiet, cb);
	return zone >= 0 ? quiet_apply(&b->quiet[zone], cb) : cb;
}

static struct route route_of(const struct broadcasts *b, unsigned output)
{
	const struct arb_output *o = &b->verdict.out[output];
	struct route r = no_route;

	int zone = sounds_owner(b->sounds, output);

	r.volume = volume_of(b, zone,
			     o->fg >= 0   ? b->v[o->fg]
			     : o->bg >= 0 ? b->v[o->bg]
					  : NULL);
	if (o->fg >= 0)
		r.fg = (int16_t)b->v[o->fg]->slot;
	if (o->bg >= 0) {
		r.bg = (int16_t)b->v[o->bg]->slot;
		r.duck = o->bg_how == ARB_DUCK    ? b->config->media.duck_cb
			 : o->bg_how == ARB_PAUSE ? MEDIA_BG_PAUSED
						  : 0;
	}
	return r;
}

static bool same_route(const struct route *a, const struct route *c)
{
	return a->fg == c->fg && a->bg == c->bg && a->duck == c->duck &&
	       a->volume == c->volume;
}

/** Says each route that changed; equal ones go as one set. */
static void act_routes(struct broadcasts *b)
{
	unsigned n = sounds_count(b->sounds);
	bool done[MEDIA_MAX_OUTPUTS] = {false};

	for (unsigned i = 0; i < n; i++) {
		struct route r = route_of(b, i);
		struct media_set set = {{0}};
		bool louder = false;

		if (done[i] || same_route(&r, &b->route[i]))
			continue;
		for (unsigned k = i; k < n; k++) {
			struct route q = route_of(b, k);

			if (done[k] || !same_route(&q, &r) ||
			    same_route(&q, &b->route[k]))
				continue;
			media_set_add(&set, k);
			louder = louder || b->route[k].volume != r.volume;
			b->route[k] = r;
			done[k] = true;
		}
		media_route(b->media, &set, r.fg, r.bg, r.duck);
		if (louder)
			media_volume(b->media, &set, r.volume);
	}
	for (unsigned i = n; i < MEDIA_MAX_OUTPUTS; i++)
		b->route[i] = no_route;
}

/** Switches the amplifiers of what sounds from now on. */
static void act_amps(struct broadcasts *b)
{
	bool sounds[CONFIG_MAX_ZONES] = {false};
	uint64_t cause = 0;

	if (!b->amps)
		return;
	for (unsigned i = 0; i < sounds_count(b->sounds); i++) {
		const struct arb_output *o = &b->verdict.out[i];
		int zone = sounds_owner(b->sounds, i);

		if (zone >= 0 &&
		    (o->fg >= 0 || (o->bg >= 0 && o->bg_how != ARB_PAUSE)))
			sounds[zone] = true;
	}
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i]->fresh)
			cause = b->v[i]->event;
	amps_update(b->amps, sounds, cause);
}

/** Calls, or hangs up, where what sounds has changed. */
static void act_speakers(struct broadcasts *b)
{
	int16_t level[MEDIA_MAX_OUTPUTS];
	unsigned n = sounds_count(b->sounds);

	if (!b->speakers)
		return;
	for (unsigned i = 0; i < n; i++) {
		const struct arb_output *o = &b->verdict.out[i];
		int x = o->fg >= 0                             ? o->fg
			: o->bg >= 0 && o->bg_how != ARB_PAUSE ? o->bg
							       : -1;

		level[i] = x >= 0 ? b->v[x]->level : -1;
	}
	speakers_update(b->speakers, level, n);
}

/* ----------------------------------------------------------------- events */

static void tell(struct broadcast *x, enum broadcast_news news,
		 enum arb_cause cause, uint64_t by, const char *text)
{
	if (x->h)
		x->h(x->id, news, cause, by, text, x->arg);
}

static void cause_text(const struct broadcasts *b, const struct arb_row *row,
		       char *buf, size_t size)
{
	const char *by = broadcast_title(b, row->by);

	snprintf(buf, size, "%s%s%s", arbiter_cause(row->cause),
		 *by ? ": " : "", by);
}

static void note_change(struct broadcasts *b, struct broadcast *x,
			const struct arb_row *row, uint64_t now)
{
	bool heard = is_heard(row);
	enum arb_state before = x->row.state;
	char subject[40], text[256];
	json_t *data;

	subject_of(x, subject);
	cause_text(b, row, text, sizeof(text));
	data = json_object();
	json_object_set_new(data, "zones", zones_json(x));
	if (row->by)
		json_object_set_new(data, "by",
				    json_integer((json_int_t)row->by));
	if (row->state == ARB_END) {
		record(b->recorder,
		       x->started ? EVENT_BROADCAST_ENDED
				  : EVENT_BROADCAST_REFUSED,
		       x->event, subject, x->actor, data, "%s: %s", x->what,
		       text);
		x->over = true;
		persist(b, x, false);
		tell(x, BROADCAST_GONE, row->cause, row->by, text);
	} else if (heard && !x->heard) {
		record(b->recorder,
		       x->started ? EVENT_BROADCAST_RESUMED
				  : EVENT_BROADCAST_STARTED,
		       x->event, subject, x->actor, data,
		       "%s (%s) to %zu zone%s%s%s", x->what,
		       config_level_name(b->config, x->level), x->n_zones,
		       x->n_zones == 1 ? "" : "s",
		       row->state == ARB_PARTIAL ? ", in part: " : "",
		       row->state == ARB_PARTIAL ? text : "");
		tell(x, BROADCAST_SOUNDS, row->cause, row->by, text);
	} else if (!heard && (x->heard || x->fresh)) {
		record(b->recorder,
		       x->started ? EVENT_BROADCAST_PREEMPTED
				  : EVENT_BROADCAST_WAITING,
		       x->event, subject, x->actor, data, "%s: %s", x->what,
		       text);
		tell(x, BROADCAST_LOST, row->cause, row->by, text);
	} else if (heard && before != row->state) {
		record(b->recorder,
		       row->state == ARB_PARTIAL ? EVENT_BROADCAST_PREEMPTED
						 : EVENT_BROADCAST_RESUMED,
		       x->event, subject, x->actor, data, "%s: %s", x->what,
		       row->state == ARB_PARTIAL
			       ? "goes on in part of its outputs"
			       : "back on all its outputs");
	} else {
		json_decref(data);
	}
	if (!heard && (x->heard || x->fresh)) {
		uint32_t patience = x->started ? x->lost_ms : x->wait_ms;

		x->deadline = patience ? now + patience * UINT64_C(1000) : 0;
	}
	x->heard = heard;
	x->started = x->started || heard;
	x->fresh = false;
	x->row = *row;
	if (x->chimed && !x->told_open && heard && x->slot >= 0) {
		x->told_open = true;
		tell(x, BROADCAST_OPEN, row->cause, row->by, "");
	}
}

static void sweep(struct broadcasts *b)
{
	size_t k = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (b->v[i]->over)
			broadcast_free(b->v[i]);
		else
			b->v[k++] = b->v[i];
	}
	b->n = k;
}

static void arm(struct broadcasts *b, uint64_t now)
{
	uint64_t wake = b->verdict.wake;

	for (size_t i = 0; i < b->n; i++)
		if (b->v[i]->ends_us && (!wake || b->v[i]->ends_us < wake))
			wake = b->v[i]->ends_us;
	if (wake)
		tmr_start(&b->tmr, wake > now ? (wake - now) / 1000 + 1 : 0,
			  on_deadline, b);
	else
		tmr_cancel(&b->tmr);
}

/** Decides, carries out, records. The one place where sound changes. */
static void apply(struct broadcasts *b)
{
	uint64_t now = clock_mono_us();
	struct arb_row row[BROADCAST_MAX];
	struct arb_world w;
	int err;

	/* What is over takes no part, but its source must be stopped in the
	 * same batch in which its outputs get their next one. */
	media_begin(b->media);
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i]->over)
			end_source(b, b->v[i]);
	sweep(b);
	w = world(b, now, NULL);
	arbiter_decide(&w, &b->verdict);
	act_sources(b);
	act_routes(b);
	err = media_commit(b->media);
	if (err)
		log_error(NULL,
			  "the media engine did not take a change: %s; "
			  "restart the daemon",
			  strerror(err));
	/* The silence that wakes them is on its way already. */
	act_speakers(b);
	act_amps(b);

	/* A handler may look at the list, so rows are kept apart. */
	memcpy(row, b->verdict.row, b->n * sizeof(row[0]));
	for (size_t i = 0; i < b->n; i++)
		note_change(b, b->v[i], &row[i], now);
	sweep(b);
	arm(b, now);
}

static void finish(struct broadcasts *b, struct broadcast *x, const char *actor,
		   uint64_t cause, const char *why)
{
	char subject[40];

	x->over = true;
	persist(b, x, false);
	subject_of(x, subject);
	record(b->recorder, EVENT_BROADCAST_ENDED, cause ? cause : x->event,
	       subject, actor, json_pack("{s:o}", "zones", zones_json(x)),
	       "%s: %s", x->what, why);
	tell(x, BROADCAST_GONE, ARB_CAUSE_NONE, 0, why);
}

static void on_deadline(void *arg)
{
	struct broadcasts *b = arg;
	uint64_t now = clock_mono_us();

	for (size_t i = 0; i < b->n; i++)
		if (b->v[i]->ends_us && b->v[i]->ends_us <= now)
			finish(b, b->v[i], "system", 0,
			       "reached its longest time");
	apply(b);
}

/* --------------------------------------------------------------- requests */

static struct broadcast *make(struct broadcasts *b,
			      const struct broadcast_request *rq)
{
	struct broadcast *x = calloc(1, sizeof(*x));
	uint64_t now = clock_mono_us();

	if (!x)
		return NULL;
	x->zones = calloc(rq->n_zones + 1, sizeof(*x->zones));
	if (!x->zones) {
		free(x);
		return NULL;
	}
	for (size_t i = 0; i < rq->n_zones; i++) {
		const struct arb_set *s = sounds_zone(b->sounds, rq->zones[i]);

		snprintf(x->zones[x->n_zones++], CONFIG_MAX_NAME, "%s",
			 b->config->zones[rq->zones[i]].name);
		for (size_t w = 0; w < ARB_MAX_OUTPUTS / 64; w++)
			x->outputs.w[w] |= s->w[w];
	}
	snprintf(x->what, sizeof(x->what), "%s", rq->what);
	snprintf(x->message, sizeof(x->message), "%s",
		 rq->message ? rq->message : "");
	snprintf(x->actor, sizeof(x->actor), "%s",
		 rq->actor ? rq->actor : "system");
	/* A cut in the middle of a character would make no JSON. */
	text_clean(x->what);
	text_clean(x->message);
	text_clean(x->actor);
	x->seq = ++b->seq;
	x->id = UINT64_MAX; /* its number is given when it is taken */
	x->level = rq->level;
	x->live = !rq->clip && !rq->tape;
	x->forever =
		rq->forever || rq->level >= ARB_EMERGENCY || rq->background;
	x->persist = rq->persist;
	x->words = json_incref(rq->words);
	x->fresh = true;
	x->background = rq->background ? rq->how : ARB_FOREGROUND;
	x->resume = rq->resume;
	x->clip = rq->clip ? clip_ref(rq->clip) : NULL;
	if (rq->chime && rq->level < ARB_EMERGENCY)
		x->chime = clip_ref(rq->chime);
	if (x->chime && x->clip)
		x->before = clip_ref(x->chime);
	x->prompted = x->live && rq->prompted;
	x->cycles = rq->cycles;
	x->wait_ms = rq->wait_ms;
	x->lost_ms = rq->lost_ms;
	x->quiet = rq->quiet;
	x->leg = rq->leg;
	x->at_us = rq->at_us ? rq->at_us : now;
	x->ends_us = rq->max_ms ? now + rq->max_ms * UINT64_C(1000) : 0;
	x->since_wall_us = clock_wall_us();
	x->slot = -1;
	x->h = rq->h;
	x->arg = rq->arg;
	return x;
}

/** What the arbiter makes of the one at row i. */
static int judge(struct broadcasts *b, size_t i, struct broadcast_result *res)
{
	const struct arb_row *row = &b->verdict.row[i];

	res->state = row->state;
	res->cause = row->cause;
	res->by = row->by;
	cause_text(b, row, res->why.text, sizeof(res->why.text));
	if (row->state != ARB_END)
		return 0;
	return row->cause == ARB_CAUSE_NO_OUTPUT ? ENOENT : EBUSY;
}

static int try_out(struct broadcasts *b, const struct broadcast_request *rq,
		   struct broadcast **xp, struct broadcast_result *res)
{
	size_t max = rq->level >= ARB_EMERGENCY ? BROADCAST_MAX
						: BROADCAST_MAX_PLAIN;
	struct broadcast *x;
	struct arb_world w;

	memset(res, 0, sizeof(*res));
	if (b->n >= max)
		return reason_set(&res->why, ENOSPC,
				  "%zu broadcasts are on already, at most %zu "
				  "of this priority may be; stop one first",
				  b->n, max);
	x = make(b, rq);
	if (!x)
		return reason_set(&res->why, ENOMEM, "not enough memory");
	w = world(b, clock_mono_us(), x);
	arbiter_decide(&w, &b->verdict);
	*xp = x;
	return judge(b, b->n, res);
}

int broadcast_probe(struct broadcasts *b, const struct broadcast_request *rq,
		    struct broadcast_result *res)
{
	struct broadcast *x = NULL;
	int err = try_out(b, rq, &x, res);

	broadcast_free(x);
	return err;
}

int broadcast_start(struct broadcasts *b, const struct broadcast_request *rq,
		    struct broadcast_result *res)
{
	struct broadcast *x = NULL;
	char subject[40] = "broadcast";
	int err = try_out(b, rq, &x, res);

	if (err) {
		record(b->recorder, EVENT_BROADCAST_REFUSED, rq->cause, subject,
		       rq->actor,
		       x ? json_pack("{s:o}", "zones", zones_json(x)) : NULL,
		       "%s: %s", rq->what, res->why.text);
		broadcast_free(x);
		return err;
	}
	/* The request's event is its number: one name everywhere. */
	x->event = record(b->recorder, EVENT_BROADCAST_REQUESTED, rq->cause,
			  subject, rq->actor,
			  json_pack("{s:o,s:i,s:b}", "zones", zones_json(x),
				    "level", x->level, "live", x->live),
			  "%s at %s", x->what,
			  config_level_name(b->config, x->level));
	x->id = rq->id ? rq->id : x->event;
	res->id = x->id;
	b->v[b->n++] = x;
	apply(b);
	x = broadcast_find(b, res->id);
	if (x)
		persist(b, x, true);
	return 0;
}

uint32_t broadcast_hold_ms(const struct broadcasts *b, uint64_t id)
{
	const struct broadcast *x = broadcast_find(b, id);
	uint64_t now = clock_mono_us();

	return x && x->quiet_us > now
		       ? (uint32_t)((x->quiet_us - now + 999) / 1000)
		       : 0;
}

bool broadcast_chimes(const struct broadcasts *b, uint64_t id)
{
	const struct broadcast *x = broadcast_find(b, id);

	return x && (x->chime || (x->chimed && !x->told_open));
}

int broadcast_replace(struct broadcasts *b, uint64_t id, struct clip *clip,
		      uint32_t cycles)
{
	struct broadcast *x = broadcast_find(b, id);

	if (!x || !x->clip)
		return ENOENT;
	clip_unref(x->clip);
	x->clip = clip_ref(clip);
	x->cycles = cycles;
	persist(b, x, true);
	/* A chime that sounds now is followed by it anyway. */
	if (x->chime)
		return 0;
	media_begin(b->media);
	end_source(b, x);
	apply(b);
	return 0;
}

int broadcast_stop(struct broadcasts *b, uint64_t id, const char *actor,
		   uint64_t cause, const char *why)
{
	struct broadcast *x = broadcast_find(b, id);

	if (!x)
		return ENOENT;
	finish(b, x, actor, cause, why);
	apply(b);
	return 0;
}

/* ----------------------------------------------------------------- volume */

void broadcasts_amps(struct broadcasts *b, struct amps *a)
{
	b->amps = a;
	act_amps(b);
}

void broadcasts_speakers(struct broadcasts *b, struct speakers *s)
{
	b->speakers = s;
}

static void keep_volume(struct broadcasts *b, int zone, int16_t cb)
{
	char key[CONFIG_MAX_NAME + 8], value[16];

	b->volume[zone] = cb;
	if (!b->journal)
		return;
	snprintf(key, sizeof(key), "volume:%s", b->config->zones[zone].name);
	snprintf(value, sizeof(value), "%d", cb);
	journal_state(b->journal, key, cb ? value : NULL);
}

void broadcasts_volume(struct broadcasts *b, int zone, int16_t cb,
		       const char *actor)
{
	const struct config_zone *z = &b->config->zones[zone];
	const struct arb_set *set = sounds_zone(b->sounds, zone);
	char subject[CONFIG_MAX_NAME + 8];
	int last = -1;

	for (unsigned i = 0; i < sounds_count(b->sounds); i++) {
		int owner = sounds_owner(b->sounds, i);

		if (owner < 0 || owner == last || !arb_set_has(set, i))
			continue;
		last = owner;
		keep_volume(b, owner, cb);
	}
	snprintf(subject, sizeof(subject), "zone:%s", z->name);
	record(b->recorder, EVENT_ZONE_VOLUME, 0, subject, actor,
	       json_pack("{s:f}", "db", cb / 10.0),
	       "volume of zone %s is %+.1f dB over its configured gain",
	       z->name, cb / 10.0);
	apply(b);
}

void broadcasts_quiet(struct broadcasts *b, int zone,
		      const struct quiet_volume *q)
{
	struct quiet_volume *now = &b->quiet[zone];

	if (now->on == q->on && now->ceiling == q->ceiling && now->cb == q->cb)
		return;
	*now = *q;
	apply(b);
}

static void restore_volume(const char *key, const char *value, void *arg)
{
	struct broadcasts *b = arg;
	int zone = config_zone_find(b->config, strchr(key, ':') + 1);
	int cb = atoi(value);

	if (zone >= 0 && cb >= BROADCAST_MIN_VOLUME_CB &&
	    cb <= BROADCAST_MAX_VOLUME_CB)
		b->volume[zone] = (int16_t)cb;
}

void broadcasts_restore(struct broadcasts *b)
{
	if (!b->journal)
		return;
	journal_state_load(b->journal, "volume:", restore_volume, b);
	apply(b);
}

/** Zones are found again by name. */
static void move_volumes(struct broadcasts *b, const struct config *c)
{
	int16_t volume[CONFIG_MAX_ZONES] = {0};
	struct quiet_volume quiet[CONFIG_MAX_ZONES] = {{0}};

	for (size_t i = 0; b->config && i < b->config->n_zones; i++) {
		int z = config_zone_find(c, b->config->zones[i].name);

		if (z < 0)
			continue;
		volume[z] = b->volume[i];
		/* Whether they still apply is said right after. */
		quiet[z] = b->quiet[i];
	}
	memcpy(b->volume, volume, sizeof(volume));
	memcpy(b->quiet, quiet, sizeof(quiet));
}

void broadcasts_configure(struct broadcasts *b, const struct config *c)
{
	move_volumes(b, c);
	if (b->media) {
		media_begin(b->media);
		media_ramps(b->media, c->media.ramp_ms, c->media.ramp_back_ms);
		media_commit(b->media);
	}
	b->config = c;
	for (size_t i = 0; i < b->n; i++) {
		struct broadcast *x = b->v[i];

		memset(&x->outputs, 0, sizeof(x->outputs));
		for (size_t k = 0; k < x->n_zones; k++) {
			int z = config_zone_find(c, x->zones[k]);
			const struct arb_set *s = sounds_zone(b->sounds, z);

			for (size_t w = 0; w < ARB_MAX_OUTPUTS / 64; w++)
				x->outputs.w[w] |= s->w[w];
		}
	}
	broadcasts_reroute(b, NULL);
}

void broadcasts_reroute(struct broadcasts *b, const struct arb_set *outputs)
{
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++)
		if (!outputs || arb_set_has(outputs, i))
			b->route[i] = (struct route){-2, -2, 0, INT16_MIN};
	apply(b);
}

/** What is to be heard but found every slot still draining. */
static void serve_waiting_for_slot(struct broadcasts *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i]->heard && b->v[i]->slot < 0) {
			apply(b);
			return;
		}
}

/** Its talker takes the chime's place, by a source of his own. */
static void chime_over(struct broadcasts *b, struct broadcast *x)
{
	x->chime = clip_unref(x->chime);
	x->chimed = true;
	media_begin(b->media);
	end_source(b, x);
	apply(b);
}

void broadcasts_report(struct broadcasts *b, const struct media_report *r)
{
	struct broadcast *x;
	char subject[40];

	if (r->type == MEDIA_SLOT_FREE) {
		if (r->index < MEDIA_MAX_SLOTS &&
		    b->slot[r->index].state == SLOT_DRAINING) {
			b->slot[r->index].state = SLOT_FREE;
			b->slot[r->index].clip =
				clip_unref(b->slot[r->index].clip);
			serve_waiting_for_slot(b);
		}
		return;
	}
	x = broadcast_find(b, r->tag);
	if (!x || x->slot != (int)r->index)
		return;
	subject_of(x, subject);
	if (r->type == MEDIA_FIRST_SENT) {
		int64_t us = (int64_t)(r->at_us - x->at_us);

		/* After its chime, or from its beginning again. */
		if (x->sent)
			return;
		x->sent = true;
		record(b->recorder, EVENT_BROADCAST_SOUNDING, x->event, subject,
		       x->actor,
		       json_pack("{s:I,s:i}", "trigger_to_sound_us",
				 (json_int_t)us, "outputs", (int)r->n),
		       "%s: first packet to %u output%s %lld us after its "
		       "trigger",
		       x->what, r->n, r->n == 1 ? "" : "s", (long long)us);
	} else if (r->type == MEDIA_FINISHED && x->chime) {
		chime_over(b, x);
	} else if (r->type == MEDIA_FINISHED) {
		finish(b, x, "system", 0, "played to its end");
		apply(b);
	}
}
