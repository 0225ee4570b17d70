#include "paging_internal.h"

#include "controller/base/clock.h"
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

/** Q.850 cause 46, precedence call blocked, by RFC 6432. */
#define BLOCKED_HEADER "Reason: Q.850;cause=46;text=\"precedence call blocked\""

/** What who is recorded hears when he is done, and when he is not to be
 *  played. */
#define SAID_TONE "go-ahead"
#define DISCARDED_TONE PAGING_PREEMPTED_TONE
/** Who is displaced and hung up on hears why for at most this long. */
#define TOLD_MS 2000

int paging_alloc(struct paging **pp, struct media *m, struct broadcasts *b,
		 struct stored *s, struct alarms *a, struct recorder *r,
		 struct faults *f)
{
	struct paging *p = calloc(1, sizeof(*p));

	if (!p || pins_alloc(&p->pins) || oneway_alloc(&p->oneway, f)) {
		pins_free(p ? p->pins : NULL);
		free(p);
		return ENOMEM;
	}
	p->alarms = a;
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
	tmr_cancel(&x->key);
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
	pins_free(p->pins);
	oneway_free(p->oneway);
	free(p);
	return NULL;
}

void paging_configure(struct paging *p, const struct config *c,
		      struct library *l)
{
	p->config = c;
	p->library = l;
}

void page_subject(const struct page *x, char buf[40])
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
void page_end_soon(struct page *x, const char *header, const char *why)
{
	if (*x->why)
		return;
	snprintf(x->why, sizeof(x->why), "%s", why);
	snprintf(x->header, sizeof(x->header), "%s", header ? header : "");
	tmr_start(&x->end, 0, on_end, x);
}

static void on_hold_too_long(void *arg)
{
	page_end_soon(arg, NULL, "on hold for longer than 60 s");
}

/* ---------------------------------------------------------------- prompts */

static void play(struct page *x, struct clip *c, uint32_t cycles)
{
	struct paging *p = x->owner;

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

/** What the caller hears: a tone of the table, NULL = silence. */
void page_prompt(struct page *x, const char *tone, uint32_t cycles)
{
	play(x,
	     tone && *tone ? library_prompt(x->owner->library, tone, &x->fmt)
			   : NULL,
	     cycles);
}

/** What the site says to who is displaced. */
static void tell_preempted(struct page *x, uint32_t cycles)
{
	const struct paging *p = x->owner;

	play(x,
	     library_heard(p->library, p->config->sip.preempted_message,
			   PAGING_PREEMPTED_TONE, &x->fmt),
	     cycles);
}

static void on_go(void *arg)
{
	struct page *x = arg;

	if (!x->lost)
		page_prompt(x, x->owner->config->sip.go_ahead, 1);
}

/** Tells the caller to speak, when all can hear him: behind the chime and once
 *  slow outputs and amplifiers are awake. Until then he hears silence. */
static void go_ahead(struct page *x, uint64_t broadcast)
{
	uint32_t hold = broadcast_hold_ms(x->owner->broadcasts, broadcast);
	bool chimes = broadcast_chimes(x->owner->broadcasts, broadcast);

	if ((chimes || hold) && x->prompt)
		page_prompt(x, NULL, 0);
	if (chimes)
		return;
	if (hold)
		tmr_start(&x->go, hold, on_go, x);
	else
		on_go(x);
}

static void on_told(void *arg)
{
	struct page *x = arg;

	page_end_soon(x, x->said_header, x->said);
}

/** Its broadcast is over: who is hung up on in favour of another is told so
 *  before, unless he has been hearing it. */
static void displaced(struct page *x, bool preempted, const char *why)
{
	if (preempted && !x->lost && x->leg_open) {
		x->state = PAGE_SAID;
		x->said_header = STACK_PREEMPTED;
		snprintf(x->said, sizeof(x->said), "%s", why);
		tell_preempted(x, 1);
		tmr_start(&x->go, x->prompt ? TOLD_MS : 0, on_told, x);
	} else {
		page_end_soon(x, preempted ? STACK_PREEMPTED : NULL, why);
	}
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
		tell_preempted(x, 0);
		break;
	case BROADCAST_OPEN:
		go_ahead(x, id);
		break;
	case BROADCAST_GONE:
		x->broadcast = 0;
		displaced(x, cause == ARB_CAUSE_PREEMPTED, text);
		break;
	}
}

/** The call ends behind this tone. */
void page_last_tone(struct page *x, const char *tone, uint32_t cycles,
		    const char *why)
{
	x->state = PAGE_SAID;
	tmr_cancel(&x->key);
	snprintf(x->said, sizeof(x->said), "%s", why);
	page_prompt(x, tone, cycles);
	if (!x->prompt)
		page_end_soon(x, NULL, why);
}

/* --------------------------------------------------------------- recorded */

/** He may speak: what he says is kept from the end of the tone on. */
static void begin_recording(struct page *x)
{
	x->state = PAGE_PROMPTED;
	page_prompt(x, x->owner->config->sip.go_ahead, 1);
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
	if (s)
		stored_end(s, play, why);
	page_last_tone(x, play ? SAID_TONE : DISCARDED_TONE, 1, why);
}

static void on_stored(struct stored_page *s, enum stored_news news, void *arg)
{
	struct page *x = arg;

	(void)s;
	if (news == STORED_FULL)
		said(x, true, "the longest recording was reached");
	else
		page_end_soon(x, NULL, "its recording was dropped");
}

void page_recorded_key(struct page *x, char key)
{
	if (key == '#')
		said(x, true, "ended by key #");
	else if (key == '*')
		said(x, false, "discarded by key *");
}

static void on_prompt_done(struct page *x)
{
	if (page_asks(x)) {
		page_prompt(x, ENTER_TONE, 0);
	} else if (x->state == PAGE_PROMPTED) {
		x->state = PAGE_RECORDS;
		stored_run(x->stored);
	} else if (x->state == PAGE_SAID) {
		on_told(x);
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

/** rank: as who called says, if he is believed (respri.h). */
static uint8_t page_level(const struct paging *p,
			  const struct config_peer *peer, int rank)
{
	uint8_t level = rank == RESPRI_NONE ? p->config->levels[CLASS_PAGE]
					    : respri_level(p->config, rank);

	return level < peer->max_level ? level : peer->max_level;
}

/** Why this zone may not be paged, NULL = it may. */
const char *page_forbidden(const struct paging *p,
			   const struct config_peer *peer, int rank, int zone)
{
	if (!peer_may(peer, zone))
		return "Zone Not Allowed";
	if (page_level(p, peer, rank) < p->config->zones[zone].min_level)
		return "Priority Too Low For This Zone";
	return NULL;
}

/** What was dialled: one of them, the other -1. */
struct target {
	int zone, code;
};

/** May it be called? Fills *a when not. */
static bool judge(struct paging *p, const struct page_offer *o,
		  struct page_answer *a, struct target *t)
{
	const struct config_code *code;
	const struct config_pin *pin;
	const char *why = NULL;

	t->zone = config_extension_find(p->config, o->user);
	t->code = config_code_find(p->config, o->user);
	code = t->code >= 0 ? &p->config->codes[t->code] : NULL;
	if (code && code->kind == CODE_ALARM) {
		if (!o->peer->alarm)
			why = "Alarms Not Allowed";
	} else if (!o->peer->page) {
		why = "Paging Not Allowed";
	} else if (t->zone >= 0) {
		why = page_forbidden(p, o->peer, o->rank, t->zone);
	} else if (!code) {
		refuse(a, 404, "No Such Zone", NULL);
		return false;
	}
	if (why) {
		refuse(a, 403, why, NULL);
		return false;
	}
	pin = code ? &code->pin : &p->config->zones[t->zone].pin;
	if (*pin->digits &&
	    pins_locked(p->pins, o->from, o->caller, clock_mono_ms())) {
		refuse(a, 403, "Too Many Wrong PINs", NULL);
		return false;
	}
	return true;
}

/** Is he recorded first? An emergency is never kept waiting. */
static bool records(const struct paging *p, const struct page *x, int zone)
{
	return x->level < ARB_EMERGENCY && config_zone_records(p->config, zone);
}

/** Could it sound now? Fills *a when not. */
bool page_probe(struct paging *p, struct page *x, int zone,
		struct page_answer *a)
{
	struct broadcast_request rq = live_request(p, x, &zone);
	/* Its codec is not known yet: the least. */
	struct stored_request st = stored_request(x, &zone, 8000);
	struct broadcast_result res;
	const int err = records(p, x, zone)
				? stored_probe(p->stored, &st, &res.why)
				: broadcast_probe(p->broadcasts, &rq, &res);

	if (err == EBUSY)
		refuse(a, 486, "Zone In Use By A More Urgent Broadcast",
		       BLOCKED_HEADER);
	else if (err == ENOENT)
		refuse(a, 480, "Zone Has No Output", NULL);
	else if (err)
		refuse(a, 503, "Too Many Broadcasts", "Retry-After: 10");
	return !err;
}

static void on_page(const struct page_offer *o, struct page_answer *a,
		    void *arg)
{
	struct paging *p = arg;
	int leg = free_leg(p);
	struct target t;
	struct page *x;

	if (p->help && help_offer(p->help, o, a))
		return;
	if (!judge(p, o, a, &t))
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
	tmr_init(&x->key);
	snprintf(x->caller, sizeof(x->caller), "%s", o->caller);
	text_clean(x->caller);
	x->from = *o->from;
	x->sound.sip = *o->from;
	x->rank = o->rank;
	x->level = page_level(p, o->peer, x->rank);
	if (t.code >= 0)
		snprintf(x->code, sizeof(x->code), "%s",
			 p->config->codes[t.code].name);
	else
		snprintf(x->zone, sizeof(x->zone), "%s",
			 p->config->zones[t.zone].name);
	if (t.zone >= 0 && !page_probe(p, x, t.zone, a)) {
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
	a->record = record(
		p->recorder, EVENT_CALL_REFUSED, 0, "call", o->caller,
		json_pack("{s:o,s:i}", "to", text_json(o->user), "status",
			  a->status),
		"call to %s refused: %u %s", o->user, a->status, a->reason);
}

void paging_help(struct paging *p, struct help *h)
{
	p->help = h;
}

void page_start(struct page *x, int zone)
{
	struct paging *p = x->owner;
	struct broadcast_request rq;
	struct broadcast_result res;
	int err;

	x->state = PAGE_LIVE;
	tmr_cancel(&x->key);
	if (records(p, x, zone)) {
		struct stored_request st =
			stored_request(x, &zone, x->fmt.rate);

		if (stored_begin(&x->stored, p->stored, &st, &res.why))
			page_end_soon(x, NULL, res.why.text);
		else
			begin_recording(x);
		return;
	}
	rq = live_request(p, x, &zone);
	err = broadcast_start(p->broadcasts, &rq, &res);
	if (err) {
		page_end_soon(x, err == EBUSY ? STACK_PREEMPTED : NULL,
			      res.why.text);
		return;
	}
	x->broadcast = res.id;
	if (!x->lost)
		go_ahead(x, res.id);
}

static void on_media(struct page_call *call, const struct media_leg *leg,
		     void *call_arg, void *arg)
{
	struct paging *p = arg;
	struct page *x = call_arg;

	x->call = call;
	oneway_agreed(&x->sound, leg);
	media_begin(p->media);
	media_leg_open(p->media, x->leg, leg);
	if (media_commit(p->media)) {
		/* Not taken over: its socket stays ours. */
		close(leg->fd);
		page_end_soon(x, NULL, "the media engine cannot take the call");
		return;
	}
	x->leg_open = true;
	x->fmt = leg->fmt;
	x->encrypted = leg->out.on;
	x->id = record(
		p->recorder, EVENT_CALL_ANSWERED, 0, "call", x->caller,
		json_pack("{s:s*,s:s*,s:s,s:b}", "zone", page_known(x->zone),
			  "code", page_known(x->code), "codec",
			  codec_name(leg->fmt.codec), "encrypted", leg->out.on),
		*x->code ? "%s dialled %s" : "%s pages %s", x->caller,
		*x->code ? x->code : x->zone);
	page_call_record(call, x->id);
	page_proceed(x);
}

static void on_changed(struct page_call *call, const struct media_leg *leg,
		       bool held, void *call_arg, void *arg)
{
	struct paging *p = arg;
	struct page *x = call_arg;
	struct media_leg l = *leg;
	char subject[40];

	(void)call;
	oneway_agreed(&x->sound, leg);
	/* A caller on hold often sends music: never into the zone. */
	if (held)
		l.recv = false;
	media_begin(p->media);
	media_leg_update(p->media, x->leg, &l);
	media_commit(p->media);
	x->fmt = l.fmt;
	x->encrypted = l.out.on;
	if (held == x->held)
		return;
	x->held = held;
	if (held)
		tmr_start(&x->hold, HOLD_MAX_MS, on_hold_too_long, x);
	else
		tmr_cancel(&x->hold);
	page_subject(x, subject);
	record(p->recorder, EVENT_CALL_HELD, x->id, subject, x->caller, NULL,
	       held ? "%s holds its page of %s" : "%s resumes its page of %s",
	       x->caller, *x->zone ? x->zone : x->code);
}

static void on_closed(struct page_call *call, const char *why, void *call_arg,
		      void *arg)
{
	struct paging *p = arg;
	struct page *x = call_arg;
	uint64_t broadcast = x->broadcast;
	char subject[40];

	(void)call;
	page_subject(x, subject);
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
		       json_pack("{s:s*,s:s*}", "zone", page_known(x->zone),
				 "code", page_known(x->code)),
		       *x->zone ? "page of %s by %s ended: %s"
				: "call to %s by %s ended: %s",
		       *x->zone ? x->zone : x->code, x->caller, why);
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

static void on_info_key(struct page_call *call, char key, void *call_arg,
			void *arg)
{
	(void)call;
	(void)arg;
	page_key(call_arg, ENTRY_INFO, key);
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

/** Nothing comes from him: the page makes no sense, and he should know. */
static void on_silent(struct page *x, const struct media_leg_stats *seen)
{
	struct paging *p = x->owner;
	struct oneway_verdict v;
	char why[sizeof(x->why)];

	x->sound.seen = *seen;
	oneway_judge(&x->sound, &v);
	snprintf(why, sizeof(why), "no RTP from the caller: %.130s", v.text);
	/* That he was heard before says that his calls can be. */
	if (v.cause != ONEWAY_STOPPED)
		oneway_silent(p->oneway, x->caller, &v,
			      p->config->sip.rtp_timeout_ms);
	page_end_soon(x, NULL, why);
}

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
			page_key(x, ENTRY_RTP, (char)r->n);
		break;
	case MEDIA_PROMPT_DONE:
		if (x)
			on_prompt_done(x);
		break;
	case MEDIA_LEG_SILENT:
		if (x && !x->held)
			on_silent(x, &r->stats);
		break;
	case MEDIA_LEG_RTP:
		if (x)
			oneway_heard(p->oneway, x->caller);
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
			page_end_soon(p->page[i], NULL, why);
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

bool paging_has_caller(const struct paging *p, const char *caller)
{
	for (size_t i = 0; i < MEDIA_CALL_LEGS; i++)
		if (p->page[i] && !strcmp(p->page[i]->caller, caller))
			return true;
	return false;
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
			json_pack("{s:I,s:s,s:s,s:s?,s:s?,s:s,s:b,s:I,s:s}",
				  "id", (json_int_t)x->id, "kind", "page",
				  "caller", x->caller, "zone",
				  page_known(x->zone), "code",
				  page_known(x->code), "state",
				  x->held                 ? "held"
				  : x->state == PAGE_SAID ? "ending"
				  : page_asks(x)          ? "entering"
				  : x->state              ? "recording"
				  : x->lost               ? "preempted"
							  : "talking",
				  "encrypted", x->encrypted, "broadcast",
				  (json_int_t)(x->stored ? stored_id(x->stored)
							 : x->broadcast),
				  "since",
				  clock_format(since, x->since_wall_us)));
	}
	return a;
}
