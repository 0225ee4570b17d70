#include "paging.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/base/log.h"
#include "controller/base/text.h"
#include "text_json.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** A talker on hold may keep a zone for this long. */
#define HOLD_MAX_MS 60000

/** RFC 4411: the BYE that tells a caller he was preempted. */
#define PREEMPTED_HEADER "Reason: preemption;cause=1;text=\"UA Preemption\""

/** Q.850 cause 46, precedence call blocked, by RFC 6432. */
#define BLOCKED_HEADER "Reason: Q.850;cause=46;text=\"precedence call blocked\""

enum page_state {
	PAGE_LIVE,
	PAGE_PROMPTED, /**< hears that he is to speak, then is recorded */
	PAGE_RECORDS,
	PAGE_SAID, /**< hears that it is over, then the call ends */
};

/** What who is recorded hears when he is done, and when he is not to be
 *  played. */
#define SAID_TONE "go-ahead"
#define DISCARDED_TONE "preempted"

struct page {
	struct paging *owner;
	struct page_call *call;
	uint64_t id;        /**< call's record: its name in the API */
	uint64_t broadcast; /**< 0 = none (any more) */
	enum page_state state;
	struct stored_page *stored; /**< NULL = live, or recorded by now */
	unsigned leg;
	uint8_t level;
	bool leg_open;
	bool held, lost;
	struct clip *prompt;
	struct format fmt; /**< of the caller */
	char caller[128], zone[CONFIG_MAX_NAME];
	char why[160]; /**< to end in the next turn, "" = no */
	char said[64]; /**< of one that is recorded: how it ended */
	char header[192];
	int64_t since_wall_us;
	uint64_t at_us;
	struct tmr end, hold, go;
};

enum leg_state { LEG_FREE, LEG_BUSY, LEG_CLOSING };

struct paging {
	struct media *media;
	struct broadcasts *broadcasts;
	struct stored *stored;
	struct recorder *recorder;
	struct faults *faults;
	const struct config *config;
	struct library *library;
	struct page *page[MEDIA_CALL_LEGS];
	struct {
		enum leg_state state;
		struct clip *prompt; /**< of a call that is gone already */
	} leg[MEDIA_CALL_LEGS];
	struct log_rate strangers;
};

int paging_alloc(struct paging **pp, struct media *m, struct broadcasts *b,
		 struct stored *s, struct recorder *r, struct faults *f)
{
	struct paging *p = calloc(1, sizeof(*p));

	if (!p)
		return ENOMEM;
	p->media = m;
	p->broadcasts = b;
	p->stored = s;
	p->recorder = r;
	p->faults = f;
	p->strangers = (struct log_rate){.burst = 5, .per_ms = 60000};
	*pp = p;
	return 0;
}

static void page_free(struct page *x)
{
	tmr_cancel(&x->end);
	tmr_cancel(&x->hold);
	tmr_cancel(&x->go);
	clip_unref(x->prompt);
	free(x);
}

struct paging *paging_free(struct paging *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < MEDIA_CALL_LEGS; i++) {
		if (p->page[i])
			page_free(p->page[i]);
		clip_unref(p->leg[i].prompt);
	}
	free(p);
	return NULL;
}

void paging_configure(struct paging *p, const struct config *c,
		      struct library *l)
{
	p->config = c;
	p->library = l;
}

static void subject_of(const struct page *x, char buf[40])
{
	snprintf(buf, 40, "call:%llu", (unsigned long long)x->id);
}

/* -------------------------------------------------------------- end a call */

static void on_end(void *arg)
{
	struct page *x = arg;
	char why[sizeof(x->why)], header[sizeof(x->header)];

	/* closed() frees x before page_call_end() returns. */
	memcpy(why, x->why, sizeof(why));
	memcpy(header, x->header, sizeof(header));
	page_call_end(x->call, why, *header ? header : NULL);
}

/** Ends the call in the next turn: safe from within any handler. */
static void end_soon(struct page *x, const char *header, const char *why)
{
	if (*x->why)
		return;
	snprintf(x->why, sizeof(x->why), "%s", why);
	snprintf(x->header, sizeof(x->header), "%s", header ? header : "");
	tmr_start(&x->end, 0, on_end, x);
}

static void on_hold_too_long(void *arg)
{
	end_soon(arg, NULL, "on hold for longer than 60 s");
}

/* ---------------------------------------------------------------- prompts */

/** What the caller hears: a tone of the table, NULL = silence. */
static void prompt(struct page *x, const char *tone, uint32_t cycles)
{
	struct paging *p = x->owner;
	struct clip *c = tone && *tone
				 ? library_prompt(p->library, tone, &x->fmt)
				 : NULL;

	if (!x->leg_open)
		return;
	media_begin(p->media);
	media_leg_prompt(p->media, x->leg, c, cycles);
	media_commit(p->media);
	/* The one before is played no more once this batch is carried out, but
	 * the engine may read it until then: it is kept until the leg closes
	 * or its end is reported. */
	if (c)
		clip_ref(c);
	if (x->prompt)
		clip_unref(p->leg[x->leg].prompt);
	if (x->prompt)
		p->leg[x->leg].prompt = x->prompt;
	x->prompt = c;
}

static void on_go(void *arg)
{
	struct page *x = arg;

	if (!x->lost)
		prompt(x, x->owner->config->sip.go_ahead, 1);
}

/** Tells the caller to speak, when all can hear him: behind the chime and once
 *  slow outputs and amplifiers are awake. Until then he hears silence. */
static void go_ahead(struct page *x, uint64_t broadcast)
{
	uint32_t hold = broadcast_hold_ms(x->owner->broadcasts, broadcast);
	bool chimes = broadcast_chimes(x->owner->broadcasts, broadcast);

	if ((chimes || hold) && x->prompt)
		prompt(x, NULL, 0);
	if (chimes)
		return;
	if (hold)
		tmr_start(&x->go, hold, on_go, x);
	else
		on_go(x);
}

static void on_broadcast(uint64_t id, enum broadcast_news news,
			 enum arb_cause cause, uint64_t by, const char *text,
			 void *arg)
{
	struct page *x = arg;

	(void)by;
	switch (news) {
	case BROADCAST_SOUNDS:
		if (x->lost) {
			x->lost = false;
			go_ahead(x, id);
		}
		break;
	case BROADCAST_LOST:
		x->lost = true;
		tmr_cancel(&x->go);
		prompt(x, "preempted", 0);
		break;
	case BROADCAST_OPEN:
		go_ahead(x, id);
		break;
	case BROADCAST_GONE:
		x->broadcast = 0;
		end_soon(x,
			 cause == ARB_CAUSE_PREEMPTED ? PREEMPTED_HEADER : NULL,
			 text);
		break;
	}
}

/* --------------------------------------------------------------- recorded */

/** He may speak: what he says is kept from the end of the tone on. */
static void begin_recording(struct page *x)
{
	x->state = PAGE_PROMPTED;
	prompt(x, x->owner->config->sip.go_ahead, 1);
	if (x->prompt)
		return;
	x->state = PAGE_RECORDS;
	stored_run(x->stored);
}

/** He is done: he hears a tone, and the call ends behind it. */
static void said(struct page *x, bool play, const char *why)
{
	struct stored_page *s = x->stored;

	x->stored = NULL;
	x->state = PAGE_SAID;
	snprintf(x->said, sizeof(x->said), "%s", why);
	if (s)
		stored_end(s, play, why);
	prompt(x, play ? SAID_TONE : DISCARDED_TONE, 1);
	if (!x->prompt)
		end_soon(x, NULL, why);
}

static void on_stored(struct stored_page *s, enum stored_news news, void *arg)
{
	struct page *x = arg;

	(void)s;
	if (news == STORED_FULL)
		said(x, true, "the longest recording was reached");
	else
		end_soon(x, NULL, "its recording was dropped");
}

static void on_key(struct page *x, uint32_t key)
{
	if (x->state != PAGE_RECORDS && x->state != PAGE_PROMPTED)
		return;
	if (key == '#')
		said(x, true, "ended by key #");
	else if (key == '*')
		said(x, false, "discarded by key *");
}

static void on_prompt_done(struct page *x)
{
	if (x->state == PAGE_PROMPTED) {
		x->state = PAGE_RECORDS;
		stored_run(x->stored);
	} else if (x->state == PAGE_SAID) {
		end_soon(x, NULL, x->said);
	}
}

static struct stored_request stored_request(const struct page *x,
					    const int *zone, unsigned rate)
{
	return (struct stored_request){
		.what = "recorded page",
		.leg = x->leg,
		.rate = rate,
		.level = x->level,
		.zones = zone,
		.n_zones = 1,
		.actor = x->caller,
		.cause = x->id,
		.h = on_stored,
		.arg = (void *)x,
	};
}

/* ---------------------------------------------------------------- requests */

static void refuse(struct page_answer *a, uint16_t status, const char *reason,
		   const char *header)
{
	a->status = status;
	snprintf(a->reason, sizeof(a->reason), "%s", reason);
	snprintf(a->header, sizeof(a->header), "%s", header ? header : "");
}

static bool peer_may(const struct config_peer *peer, int zone)
{
	if (!peer->n_zones)
		return true;
	for (size_t i = 0; i < peer->n_zones; i++)
		if (peer->zones[i] == zone)
			return true;
	return false;
}

static int free_leg(const struct paging *p)
{
	for (int i = 0; i < MEDIA_CALL_LEGS; i++)
		if (p->leg[i].state == LEG_FREE)
			return i;
	return -1;
}

static struct broadcast_request live_request(const struct paging *p,
					     const struct page *x, int *zone)
{
	const struct config_sip *sip = &p->config->sip;
	const struct config_zone *z = &p->config->zones[*zone];

	return (struct broadcast_request){
		.what = "live page",
		.message = "",
		.level = x->level,
		.zones = zone,
		.n_zones = 1,
		.leg = x->leg,
		.prompted = true,
		.chime = library_page_chime(p->library, p->config, *zone),
		.lost_ms = sip->preempted == PREEMPTED_WAIT
				   ? sip->preempt_wait_ms
				   : 0,
		.max_ms = z->max_page_ms ? z->max_page_ms : sip->max_page_ms,
		.actor = x->caller,
		.cause = x->id,
		.at_us = x->at_us,
		.h = on_broadcast,
		.arg = (void *)x,
	};
}

static uint8_t page_level(const struct paging *p,
			  const struct config_peer *peer)
{
	uint8_t level = p->config->levels[CLASS_PAGE];

	return level < peer->max_level ? level : peer->max_level;
}

/** Fills *a; returns the zone that may be paged, -1 when refused. */
static int judge(struct paging *p, const struct page_offer *o,
		 struct page_answer *a)
{
	int zone = config_extension_find(p->config, o->user);
	uint8_t level = page_level(p, o->peer);
	const struct config_zone *z;

	if (!o->peer->page) {
		refuse(a, 403, "Paging Not Allowed", NULL);
		return -1;
	}
	if (zone < 0) {
		refuse(a, 404, "No Such Zone", NULL);
		return -1;
	}
	z = &p->config->zones[zone];
	if (!peer_may(o->peer, zone)) {
		refuse(a, 403, "Zone Not Allowed", NULL);
		return -1;
	}
	if (level < z->min_level) {
		refuse(a, 403, "Priority Too Low For This Zone", NULL);
		return -1;
	}
	return zone;
}

/** Is he recorded first? An emergency is never kept waiting. */
static bool records(const struct paging *p, const struct page *x, int zone)
{
	return x->level < ARB_EMERGENCY && config_zone_records(p->config, zone);
}

static void on_page(const struct page_offer *o, struct page_answer *a,
		    void *arg)
{
	struct paging *p = arg;
	int zone = judge(p, o, a), leg = free_leg(p);
	struct broadcast_request rq;
	struct broadcast_result res;
	struct stored_request st;
	struct page *x;
	int err;

	if (zone < 0)
		goto refused;
	if (leg < 0) {
		refuse(a, 503, "All Lines In Use", "Retry-After: 10");
		goto refused;
	}
	x = calloc(1, sizeof(*x));
	if (!x) {
		refuse(a, 503, "Out Of Memory", "Retry-After: 10");
		goto refused;
	}
	x->owner = p;
	x->leg = (unsigned)leg;
	x->at_us = o->at_us;
	x->since_wall_us = clock_wall_us();
	tmr_init(&x->end);
	tmr_init(&x->hold);
	tmr_init(&x->go);
	snprintf(x->caller, sizeof(x->caller), "%s", o->caller);
	text_clean(x->caller);
	snprintf(x->zone, sizeof(x->zone), "%s", p->config->zones[zone].name);
	x->level = page_level(p, o->peer);
	rq = live_request(p, x, &zone);
	/* Its codec is not known yet: the least. */
	st = stored_request(x, &zone, 8000);
	err = records(p, x, zone) ? stored_probe(p->stored, &st, &res.why)
				  : broadcast_probe(p->broadcasts, &rq, &res);
	if (err) {
		if (err == EBUSY)
			refuse(a, 486, "Zone In Use By A More Urgent Broadcast",
			       BLOCKED_HEADER);
		else if (err == ENOENT)
			refuse(a, 480, "Zone Has No Output", NULL);
		else
			refuse(a, 503, "Too Many Broadcasts",
			       "Retry-After: 10");
		page_free(x);
		goto refused;
	}
	p->leg[leg].state = LEG_BUSY;
	p->page[leg] = x;
	a->status = 200;
	a->leg = (unsigned)leg;
	a->arg = x;
	return;
refused:
	record(p->recorder, EVENT_CALL_REFUSED, 0, "call", o->caller,
	       json_pack("{s:o,s:i}", "to", text_json(o->user), "status",
			 a->status),
	       "call to %s refused: %u %s", o->user, a->status, a->reason);
}

static void on_media(struct page_call *call, const struct media_leg *leg,
		     void *call_arg, void *arg)
{
	struct paging *p = arg;
	struct page *x = call_arg;
	int zone = config_zone_find(p->config, x->zone);
	struct broadcast_request rq;
	struct broadcast_result res;
	char subject[40] = "call";
	int err;

	x->call = call;
	media_begin(p->media);
	media_leg_open(p->media, x->leg, leg);
	if (media_commit(p->media)) {
		/* Not taken over: its socket stays ours. */
		close(leg->fd);
		end_soon(x, NULL, "the media engine cannot take the call");
		return;
	}
	x->leg_open = true;
	x->fmt = leg->fmt;
	x->id = record(p->recorder, EVENT_CALL_ANSWERED, 0, subject, x->caller,
		       json_pack("{s:s,s:s}", "zone", x->zone, "codec",
				 codec_name(leg->fmt.codec)),
		       "%s pages %s", x->caller, x->zone);
	if (zone < 0) {
		end_soon(x, NULL,
			 "the zone was taken out of the configuration");
		return;
	}
	if (records(p, x, zone)) {
		struct stored_request st =
			stored_request(x, &zone, leg->fmt.rate);

		if (stored_begin(&x->stored, p->stored, &st, &res.why))
			end_soon(x, NULL, res.why.text);
		else
			begin_recording(x);
		return;
	}
	rq = live_request(p, x, &zone);
	err = broadcast_start(p->broadcasts, &rq, &res);
	if (err) {
		end_soon(x, err == EBUSY ? PREEMPTED_HEADER : NULL,
			 res.why.text);
		return;
	}
	x->broadcast = res.id;
	if (!x->lost)
		go_ahead(x, res.id);
}

static void on_changed(struct page_call *call, const struct media_leg *leg,
		       bool held, void *call_arg, void *arg)
{
	struct paging *p = arg;
	struct page *x = call_arg;
	struct media_leg l = *leg;
	char subject[40];

	(void)call;
	/* A caller on hold often sends music: never into the zone. */
	if (held)
		l.recv = false;
	media_begin(p->media);
	media_leg_update(p->media, x->leg, &l);
	media_commit(p->media);
	x->fmt = l.fmt;
	if (held == x->held)
		return;
	x->held = held;
	if (held)
		tmr_start(&x->hold, HOLD_MAX_MS, on_hold_too_long, x);
	else
		tmr_cancel(&x->hold);
	subject_of(x, subject);
	record(p->recorder, EVENT_CALL_HELD, x->id, subject, x->caller, NULL,
	       held ? "%s holds its page of %s" : "%s resumes its page of %s",
	       x->caller, x->zone);
}

static void on_closed(struct page_call *call, const char *why, void *call_arg,
		      void *arg)
{
	struct paging *p = arg;
	struct page *x = call_arg;
	uint64_t broadcast = x->broadcast;
	char subject[40];

	(void)call;
	subject_of(x, subject);
	x->broadcast = 0;
	/* Its end is no news to a call that is over. */
	if (!*x->why)
		snprintf(x->why, sizeof(x->why), "%s", why);
	if (broadcast)
		broadcast_stop(p->broadcasts, broadcast, x->caller, x->id, why);
	if (x->stored)
		stored_end(x->stored, true, why);
	x->stored = NULL;
	tmr_cancel(&x->end);
	if (x->leg_open) {
		media_begin(p->media);
		media_leg_close(p->media, x->leg);
		media_commit(p->media);
		p->leg[x->leg].state = LEG_CLOSING;
		record(p->recorder, EVENT_CALL_ENDED, x->id, subject, x->caller,
		       json_pack("{s:s}", "zone", x->zone),
		       "page of %s by %s ended: %s", x->zone, x->caller, why);
		if (x->prompt) {
			clip_unref(p->leg[x->leg].prompt);
			p->leg[x->leg].prompt = x->prompt;
			x->prompt = NULL;
		}
	} else {
		p->leg[x->leg].state = LEG_FREE;
	}
	p->page[x->leg] = NULL;
	page_free(x);
}

static void on_refused(const struct sockaddr_storage *from, const char *what,
		       uint16_t status, void *arg)
{
	struct paging *p = arg;
	char host[NI_MAXHOST] = "?";

	getnameinfo((const struct sockaddr *)from, sizeof(*from), host,
		    sizeof(host), NULL, 0, NI_NUMERICHOST);
	if (status)
		log_rated(&p->strangers, LOG_LEVEL_NOTICE, NULL,
			  "SIP request from %s refused: %s (%u)", host, what,
			  status);
	else
		log_rated(&p->strangers, LOG_LEVEL_NOTICE, NULL,
			  "SIP request from %s not answered: %s", host, what);
}

static void on_trouble(const char *key, const char *text, const char *remedy,
		       void *arg)
{
	struct paging *p = arg;

	if (*text)
		fault_raise(p->faults, key, 0, remedy, "%s", text);
	else
		fault_clear(p->faults, key);
}

/* A press may come by RTP as well: the first ends the recording. */
static void on_info_key(struct page_call *call, char key, void *call_arg,
			void *arg)
{
	(void)call;
	(void)arg;
	on_key(call_arg, (uint32_t)key);
}

const struct stack_handlers paging_handlers = {
	.page = on_page,
	.media = on_media,
	.changed = on_changed,
	.key = on_info_key,
	.closed = on_closed,
	.refused = on_refused,
	.trouble = on_trouble,
};

/* ---------------------------------------------------------------- reports */

void paging_report(struct paging *p, const struct media_report *r)
{
	struct page *x;

	if (r->index >= MEDIA_CALL_LEGS)
		return;
	x = p->page[r->index];
	switch (r->type) {
	case MEDIA_LEG_CLOSED:
		if (p->leg[r->index].state == LEG_CLOSING) {
			p->leg[r->index].state = LEG_FREE;
			p->leg[r->index].prompt =
				clip_unref(p->leg[r->index].prompt);
		}
		break;
	case MEDIA_LEG_KEY:
		if (x)
			on_key(x, r->n);
		break;
	case MEDIA_PROMPT_DONE:
		if (x)
			on_prompt_done(x);
		break;
	case MEDIA_LEG_SILENT:
		if (x && !x->held)
			end_soon(x, NULL, "no RTP from the caller");
		break;
	default:
		break;
	}
}

int paging_hangup(struct paging *p, uint64_t id, const char *actor)
{
	char why[160];

	for (size_t i = 0; id && i < MEDIA_CALL_LEGS; i++)
		if (p->page[i] && p->page[i]->id == id) {
			snprintf(why, sizeof(why), "ended by %s", actor);
			end_soon(p->page[i], NULL, why);
			return 0;
		}
	return ENOENT;
}

const char *paging_zone(const struct paging *p, uint64_t id)
{
	for (size_t i = 0; id && i < MEDIA_CALL_LEGS; i++)
		if (p->page[i] && p->page[i]->id == id)
			return p->page[i]->zone;
	return NULL;
}

json_t *paging_json(const struct paging *p)
{
	json_t *a = json_array();
	char since[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < MEDIA_CALL_LEGS; i++) {
		const struct page *x = p->page[i];

		if (!x || !x->id)
			continue;
		json_array_append_new(
			a,
			json_pack("{s:I,s:s,s:s,s:s,s:I,s:s}", "id",
				  (json_int_t)x->id, "caller", x->caller,
				  "zone", x->zone, "state",
				  x->held                 ? "held"
				  : x->state == PAGE_SAID ? "ending"
				  : x->state              ? "recording"
				  : x->lost               ? "preempted"
							  : "talking",
				  "broadcast",
				  (json_int_t)(x->stored ? stored_id(x->stored)
							 : x->broadcast),
				  "since",
				  clock_format(since, x->since_wall_us)));
	}
	return a;
}
