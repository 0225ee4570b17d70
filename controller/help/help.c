/*
 * What is done about a call for help when flow.c says so.
 */
#include "controller/help/help.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"
#include "controller/help/internal.h"
#include "controller/help/match.h"
#include "controller/sip/respri.h"
#include "controller/text_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Heard where the comfort message has no encoding for the point. */
#define COMFORT_TONE "ringing"
/** After it could not be seen to that operators ring, it is tried again. */
#define AGAIN_MS 1000
/** Both hear for so long that they are parted. */
#define YIELD_MS 2000

static void happen(struct help_call *x, enum help_event ev);

static unsigned leg_of(const struct help_call *x)
{
	return MEDIA_FIRST_HELP_LEG + x->i;
}

char *help_key(const struct help_call *x, char buf[80])
{
	snprintf(buf, 80, "help:%llu", (unsigned long long)x->id);
	return buf;
}

json_t *help_fields(const struct help_call *x)
{
	json_t *o = json_pack("{s:s,s:i,s:i}", "point", x->point, "priority",
			      x->level, "waited_s", (int)help_waited_s(x));

	if (x->id)
		json_object_set_new(o, "call", json_integer((json_int_t)x->id));
	if (*x->location)
		json_object_set_new(o, "location", text_json(x->location));
	if (*x->camera)
		json_object_set_new(o, "camera", text_json(x->camera));
	if (*x->operator)
		json_object_set_new(o, "operator", text_json(x->operator));
	return o;
}

/* ----------------------------------------------------------------- records */

static void tell(struct help_call *x, enum event_type type, const char *actor,
		 const char *text)
{
	char subject[80];
	uint64_t id;

	snprintf(subject, sizeof(subject), "helppoint:%s", x->point);
	id = record(x->owner->recorder, type, x->id, subject, actor,
		    help_fields(x), "%s", text);
	if (!x->id)
		x->id = id;
}

static unsigned before(const struct help_call *x)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HELP_MAX; i++) {
		const struct help_call *y = x->owner->call[i];

		n += y && y != x && y->flow.state == HELP_WAITING &&
		     (y->level > x->level ||
		      (y->level == x->level && y->since_us < x->since_us));
	}
	return n;
}

static void news(struct help_call *x, enum help_news n)
{
	struct help *h = x->owner;
	const unsigned s = help_waited_s(x);
	char text[256];

	switch (n) {
	case HELP_NEWS_NONE:
		break;
	case HELP_NEWS_OFFERED:
		h->total++;
		snprintf(text, sizeof(text), "%s calls for help%s%s%s",
			 x->point, *x->location ? " (" : "", x->location,
			 *x->location ? ")" : "");
		tell(x, EVENT_HELP_OFFERED, x->caller, text);
		break;
	case HELP_NEWS_QUEUED:
		snprintf(text, sizeof(text),
			 "%s is answered and waits for operators %s; %u "
			 "calls are before it",
			 x->point, x->operators, before(x));
		tell(x, EVENT_HELP_QUEUED, NULL, text);
		break;
	case HELP_NEWS_TALKING:
		snprintf(text, sizeof(text),
			 "%.150s took the call of %s after %u s", x->operator,
			 x->point, s);
		tell(x, EVENT_HELP_ANSWERED, x->operator, text);
		break;
	case HELP_NEWS_LOST:
		h->lost++;
		snprintf(text, sizeof(text),
			 "%.80s is gone while he talked with %s (%.60s): "
			 "the call waits again, at its place",
			 x->operator, x->point, x->why);
		tell(x, EVENT_HELP_LOST, x->operator, text);
		break;
	case HELP_NEWS_PREEMPTED:
		h->preempted++;
		snprintf(text, sizeof(text),
			 "%.80s talked with %s and is needed by a more urgent "
			 "call: this one %s",
			 x->operator, x->point,
			 x->preempted == PREEMPTED_END
				 ? "is ended"
				 : "waits again, at its place");
		tell(x, EVENT_HELP_PREEMPTED, x->operator, text);
		break;
	case HELP_NEWS_UNANSWERED:
		h->unanswered++;
		snprintf(text, sizeof(text),
			 "nobody of operators %s has taken the call of %s in "
			 "%u s; they ring again",
			 x->operators, x->point, s);
		tell(x, EVENT_HELP_UNANSWERED, NULL, text);
		break;
	case HELP_NEWS_ABANDONED:
		h->abandoned++;
		snprintf(text, sizeof(text),
			 "%s is gone before anybody took its call, after %u s: "
			 "%.80s",
			 x->point, s, x->why);
		tell(x, EVENT_HELP_ABANDONED, x->caller, text);
		break;
	case HELP_NEWS_ENDED:
		snprintf(text, sizeof(text),
			 "the call of %s ended: %.80s; it waited %u s and "
			 "lasted %u s",
			 x->point, x->why, s,
			 (unsigned)((clock_mono_us() - x->since_us) / 1000000));
		tell(x, EVENT_HELP_ENDED, *x->actor ? x->actor : NULL, text);
		break;
	}
}

/** What is open is written down, so that a restart can tell of it. */
static void keep(const struct help_call *x, bool open)
{
	char key[80], since[CLOCK_TEXT_SIZE], *text = NULL;
	json_t *o = NULL;

	if (!x->owner->journal || !x->id)
		return;
	if (open)
		o = json_pack("{s:s,s:o,s:s}", "point", x->point, "location",
			      text_json(x->location), "since",
			      clock_format(since, x->since_wall_us));
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (text || !open)
		journal_state(x->owner->journal, help_key(x, key), text);
	free(text);
	json_decref(o);
}

/* ------------------------------------------------------------------- sound */

/** A message or tone, unless one is being played. */
static void hear(struct help_call *x, const char *message)
{
	struct help *h = x->owner;
	struct clip *c;

	if (!x->leg_open || x->prompt)
		return;
	c = library_heard(h->library, message, COMFORT_TONE, &x->fmt);
	if (!c)
		return;
	media_begin(h->media);
	media_leg_prompt(h->media, leg_of(x), c, 0);
	if (!media_commit(h->media))
		x->prompt = clip_ref(c);
}

static void comfort(struct help_call *x)
{
	hear(x, x->comfort);
}

static void apart(struct help_call *x)
{
	if (!x->leg_open)
		return;
	media_begin(x->owner->media);
	media_leg_room(x->owner->media, leg_of(x), -1);
	(void)media_commit(x->owner->media);
}

static int together(struct help_call *x, unsigned leg)
{
	struct media *m = x->owner->media;

	media_begin(m);
	media_leg_prompt(m, leg_of(x), NULL, 0);
	media_leg_room(m, leg_of(x), (int)x->i);
	media_leg_room(m, leg, (int)x->i);
	return media_commit(m);
}

/* --------------------------------------------------------------- operators */

/** Index of the operators that are to be rung, -1 = there are none. */
static int operators_of(struct help_call *x)
{
	const struct config *c = x->owner->config;
	int p = config_helppoint_find(c, x->point);
	int k = p >= 0 ? c->helppoints[p].operators
		       : config_operators_find(c, x->operators);

	/* Better other people than none. */
	if (k < 0 && c->n_operators)
		k = 0;
	if (k >= 0)
		snprintf(x->operators, sizeof(x->operators), "%s",
			 c->operators[k].name);
	return k;
}

static void on_summons(const char *key, const struct summons_told *t,
		       void *arg);

static bool ring(struct help_call *x)
{
	char key[80];
	struct summons_request rq = {
		.key = help_key(x, key),
		.operators = operators_of(x),
		.message = x->announce,
		.display = *x->location ? x->location : x->point,
		.cause = x->id,
		.h = on_summons,
		.arg = x,
		.level = x->level,
		.since_us = x->since_us,
	};

	return x->owner->summons && !summons_start(x->owner->summons, &rq);
}

static void on_ring(void *arg)
{
	struct help_call *x = arg;

	if (x->flow.state != HELP_WAITING || ring(x))
		return;
	tmr_start(&x->ring, AGAIN_MS, on_ring, x);
	happen(x, HELP_EV_VAIN);
}

static void on_cannot(void *arg)
{
	happen(arg, HELP_EV_LOST);
}

static void on_summons(const char *key, const struct summons_told *t, void *arg)
{
	struct help_call *x = arg;
	char text[256];

	(void)key;
	switch (t->news) {
	case SUMMONS_RINGS:
		snprintf(x->stage, sizeof(x->stage), "%s", t->stage);
		x->round = t->round;
		snprintf(text, sizeof(text),
			 "stage %s of operators %s is rung for %s, round %u",
			 t->stage, x->operators, x->point, t->round);
		tell(x, EVENT_HELP_RINGING, NULL, text);
		break;
	case SUMMONS_ROUND:
		happen(x, HELP_EV_VAIN);
		break;
	case SUMMONS_TAKEN:
		snprintf(x->operator, sizeof(x->operator), "%s", t->who);
		memset(&x->keypad, 0, sizeof(x->keypad));
		happen(x, HELP_EV_TAKEN);
		if (x->flow.state != HELP_TALKING)
			break;
		if (together(x, t->leg)) {
			snprintf(x->why, sizeof(x->why),
				 "the media engine cannot connect them");
			tmr_start(&x->end, 0, on_cannot, x);
			break;
		}
		snprintf(text, sizeof(text), "%s and %.150s hear one another",
			 x->point, x->operator);
		tell(x, EVENT_HELP_TALKING, x->operator, text);
		break;
	case SUMMONS_KEY:
		help_operate(x, t->key);
		break;
	case SUMMONS_LEFT:
		snprintf(x->why, sizeof(x->why), "%.100s hung up", t->who);
		happen(x, HELP_EV_LEFT);
		break;
	case SUMMONS_LOST:
		snprintf(x->why, sizeof(x->why), "%s", t->why);
		happen(x, HELP_EV_LOST);
		break;
	case SUMMONS_WANTED:
		snprintf(x->why, sizeof(x->why), "%s", t->why);
		happen(x, HELP_EV_WANTED);
		break;
	case SUMMONS_GONE:
		tmr_start(&x->ring, 0, on_ring, x);
		break;
	}
}

static void on_yielded(void *arg)
{
	struct help_call *x = arg;

	if (x->preempted == PREEMPTED_END) {
		x->header = STACK_PREEMPTED;
		happen(x, HELP_EV_END);
	} else {
		happen(x, HELP_EV_CEDED);
	}
}

/** Point and operator hear why, each alone. */
static void part(struct help_call *x)
{
	char key[80];

	apart(x);
	hear(x, x->yield);
	summons_part(x->owner->summons, help_key(x, key), x->yield,
		     STACK_PREEMPTED);
	tmr_start(&x->yields, YIELD_MS, on_yielded, x);
}

static void ring_no_more(struct help_call *x)
{
	char key[80];

	tmr_cancel(&x->yields);
	tmr_cancel(&x->ring);
	if (x->owner->summons)
		summons_stop(x->owner->summons, help_key(x, key));
}

/* ------------------------------------------------------------- escalation */

static void escalate(struct help_call *x)
{
	struct help *h = x->owner;
	int p = config_helppoint_find(h->config, x->point);
	const struct config_helppoint *c =
		p >= 0 ? &h->config->helppoints[p] : NULL;
	struct reason why;
	char key[80], actor[80];

	fault_raise(h->faults, help_key(x, key), 0,
		    "Go there, or call there; look who is on duty, and at the "
		    "numbers of these operators.",
		    "nobody of operators %s has taken the call for help of "
		    "%s%s%s",
		    x->operators, x->point, *x->location ? ", " : "",
		    x->location);
	snprintf(actor, sizeof(actor), "helppoint:%.60s", x->point);
	for (size_t i = 0; c && i < c->n_unanswered; i++)
		if (alarms_command(h->alarms, c->unanswered[i],
				   ALARM_EV_TRIGGER, 0, actor, x->id,
				   clock_mono_us(), &why))
			record(h->recorder, EVENT_COMMAND_REFUSED, x->id, actor,
			       actor, NULL, "alarm %s: %s",
			       h->config->alarms[c->unanswered[i]].name,
			       why.text);
}

static void calm(struct help_call *x)
{
	char key[80];

	fault_clear(x->owner->faults, help_key(x, key));
}

/* --------------------------------------------------------------------- end */

static void on_end(void *arg)
{
	struct help_call *x = arg;
	char why[sizeof(x->why)];

	/* closed() frees x before page_call_end() returns. */
	memcpy(why, x->why, sizeof(why));
	page_call_end(x->call, why, x->header);
}

static void hang_up(struct help_call *x)
{
	calm(x);
	/* Without: as soon as there is one, or when SIP gives it up. */
	if (x->call)
		tmr_start(&x->end, 0, on_end, x);
}

static void forget(struct help_call *x)
{
	struct help *h = x->owner;

	calm(x);
	help_reached(x);
	keep(x, false);
	tmr_cancel(&x->end);
	tmr_cancel(&x->ring);
	if (x->leg_open) {
		media_begin(h->media);
		media_leg_close(h->media, leg_of(x));
		(void)media_commit(h->media);
		h->closing[x->i] = true;
		h->prompt[x->i] = x->prompt;
	}
	h->call[x->i] = NULL;
	free(x);
}

/** Carries a step out; x may be gone after it. */
static void happen(struct help_call *x, enum help_event ev)
{
	const struct help_step s = help_flow_step(&x->flow, ev);

	if (ev == HELP_EV_TAKEN && s.todo & HELP_DO_BRIDGE) {
		x->taken_us = clock_mono_us();
		help_count_answer(x->owner,
				  (double)(x->taken_us - x->since_us) / 1e6);
		calm(x);
	}
	news(x, s.news);
	if (s.todo & (HELP_DO_UNQUEUE | HELP_DO_RELEASE)) {
		ring_no_more(x);
		apart(x);
	}
	if (s.todo & HELP_DO_PART)
		part(x);
	if (s.todo & HELP_DO_QUEUE) {
		x->taken_us = 0;
		comfort(x);
		if (!ring(x))
			tmr_start(&x->ring, 0, on_ring, x);
	}
	if (s.todo & HELP_DO_ESCALATE)
		escalate(x);
	if (s.todo & HELP_DO_HANG_UP)
		hang_up(x);
	if (s.todo & HELP_DO_FORGET)
		forget(x);
}

/* --------------------------------------------------------------------- SIP */

static void on_media(struct page_call *call, const struct media_leg *leg,
		     void *call_arg, void *arg)
{
	struct help_call *x = call_arg;
	struct help *h = arg;

	x->call = call;
	oneway_agreed(&x->sound, leg);
	media_begin(h->media);
	media_leg_open(h->media, leg_of(x), leg);
	if (media_commit(h->media)) {
		/* Not taken over: its socket stays ours. */
		close(leg->fd);
		snprintf(x->why, sizeof(x->why),
			 "the media engine cannot take the call");
		happen(x, HELP_EV_END);
		return;
	}
	x->leg_open = true;
	x->fmt = leg->fmt;
	x->encrypted = leg->out.on;
	if (x->flow.state == HELP_ENDING)
		hang_up(x);
	else
		happen(x, HELP_EV_SOUND);
}

static void on_changed(struct page_call *call, const struct media_leg *leg,
		       bool held, void *call_arg, void *arg)
{
	struct help_call *x = call_arg;
	struct help *h = arg;

	(void)call;
	oneway_agreed(&x->sound, leg);
	media_begin(h->media);
	media_leg_update(h->media, leg_of(x), leg);
	(void)media_commit(h->media);
	x->fmt = leg->fmt;
	x->encrypted = leg->out.on;
	x->held = held;
}

static void on_key(struct page_call *call, char key, void *call_arg, void *arg)
{
	(void)call;
	(void)key;
	(void)call_arg;
	(void)arg;
}

static void on_closed(struct page_call *call, const char *why, void *call_arg,
		      void *arg)
{
	struct help_call *x = call_arg;

	(void)call;
	(void)arg;
	x->call = NULL;
	if (x->flow.state != HELP_ENDING)
		snprintf(x->why, sizeof(x->why), "%s", why);
	happen(x, HELP_EV_CLOSED);
}

static const struct stack_handlers call_handlers = {
	.media = on_media,
	.changed = on_changed,
	.key = on_key,
	.closed = on_closed,
};

/** The same station calls again while it waits: it has forgotten the call
 *  before, or has lost it. The new one takes its place. */
static void replace(struct help *h, struct help_call *x)
{
	for (unsigned i = 0; i < HELP_MAX; i++) {
		struct help_call *y = h->call[i];

		if (!y || y == x || y->flow.state != HELP_WAITING ||
		    strcmp(y->caller, x->caller) || strcmp(y->point, x->point))
			continue;
		if (y->since_us < x->since_us) {
			x->since_us = y->since_us;
			x->since_wall_us = y->since_wall_us;
		}
		snprintf(y->why, sizeof(y->why), "it calls again");
		happen(y, HELP_EV_END);
	}
}

/** Its own, or what who is trusted says, if that is more. */
static uint8_t level_of(const struct config *c, const struct page_offer *o,
			const struct config_helppoint *p)
{
	uint8_t said = respri_level(c, o->rank);

	if (said > o->peer->max_level)
		said = o->peer->max_level;
	return said > p->level ? said : p->level;
}

static struct help_call *call_alloc(struct help *h, const struct page_offer *o,
				    const struct config_helppoint *p)
{
	struct help_call *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->owner = h;
	x->level = level_of(h->config, o, p);
	x->since_us = o->at_us;
	x->sound.sip = *o->from;
	x->since_wall_us = clock_wall_us();
	tmr_init(&x->end);
	tmr_init(&x->ring);
	tmr_init(&x->yields);
	snprintf(x->point, sizeof(x->point), "%s", p->name);
	snprintf(x->operators, sizeof(x->operators), "%s",
		 h->config->operators[p->operators].name);
	snprintf(x->comfort, sizeof(x->comfort), "%s", p->comfort);
	snprintf(x->announce, sizeof(x->announce), "%s", p->announce);
	snprintf(x->yield, sizeof(x->yield), "%s", p->yield);
	x->preempted = p->preempted;
	snprintf(x->location, sizeof(x->location), "%s",
		 p->location ? p->location : "");
	snprintf(x->camera, sizeof(x->camera), "%s",
		 p->camera ? p->camera : "");
	snprintf(x->caller, sizeof(x->caller), "%s", o->caller);
	text_clean(x->caller);
	return x;
}

static void refuse(struct help *h, const struct page_offer *o,
		   struct page_answer *a, const char *point)
{
	char subject[80];

	snprintf(subject, sizeof(subject), "helppoint:%s", point);
	a->status = 503;
	snprintf(a->reason, sizeof(a->reason), "All Lines In Use");
	snprintf(a->header, sizeof(a->header), "Retry-After: 1");
	fault_raise(h->faults, "help", 0,
		    "Look at the calls that are up: more help points call than "
		    "can be answered.",
		    "the call for help of %s was refused: %u are up, the most "
		    "there can be",
		    point, HELP_MAX);
	a->record = record(
		h->recorder, EVENT_CALL_REFUSED, 0, subject, o->caller, NULL,
		"call for help of %s refused: all %u lines are in use", point,
		HELP_MAX);
}

bool help_offer(struct help *h, const struct page_offer *o,
		struct page_answer *a)
{
	int p = o->peer->help
			? help_match(h->config, o->caller,
				     (const struct sockaddr *)o->from, o->user)
			: -1;
	struct help_call *x;
	unsigned i = 0;

	if (p < 0)
		return false;
	while (i < HELP_MAX && (h->call[i] || h->closing[i]))
		i++;
	x = i < HELP_MAX ? call_alloc(h, o, &h->config->helppoints[p]) : NULL;
	if (!x) {
		refuse(h, o, a, h->config->helppoints[p].name);
		return true;
	}
	fault_clear(h->faults, "help");
	h->call[i] = x;
	x->i = i;
	a->status = 200;
	a->leg = leg_of(x);
	a->arg = x;
	a->h = &call_handlers;
	a->h_arg = h;
	happen(x, HELP_EV_OFFERED);
	a->record = x->id;
	keep(x, true);
	replace(h, x);
	return true;
}

/* ------------------------------------------------------------------- sound */

void help_report(struct help *h, const struct media_report *r)
{
	const unsigned i = r->index - MEDIA_FIRST_HELP_LEG;
	struct help_call *x = i < HELP_MAX ? h->call[i] : NULL;

	if (i >= HELP_MAX)
		return;
	switch (r->type) {
	case MEDIA_LEG_CLOSED:
		h->closing[i] = false;
		h->prompt[i] = clip_unref(h->prompt[i]);
		break;
	case MEDIA_PROMPT_DONE:
		if (!x)
			break;
		x->prompt = clip_unref(x->prompt);
		if (x->flow.state == HELP_WAITING && r->err != ENOTSUP)
			comfort(x);
		break;
	case MEDIA_LEG_RTP:
		if (x)
			help_heard(x);
		break;
	case MEDIA_LEG_SILENT:
		if (x && !x->held)
			help_silent(x, &r->stats);
		break;
	case MEDIA_LEG_UNREACHABLE:
		if (x)
			help_unreachable(x, r->err);
		break;
	default:
		break;
	}
}

/* ------------------------------------------------------------------- owner */

static struct help_call *find(const struct help *h, uint64_t id)
{
	for (unsigned i = 0; h && id && i < HELP_MAX; i++)
		if (h->call[i] && h->call[i]->id == id)
			return h->call[i];
	return NULL;
}

bool help_has(const struct help *h, uint64_t id)
{
	return find(h, id);
}

int help_hangup(struct help *h, uint64_t id, const char *actor)
{
	struct help_call *x = find(h, id);

	if (!x)
		return ENOENT;
	if (x->flow.state != HELP_ENDING) {
		snprintf(x->why, sizeof(x->why), "ended by %s", actor);
		snprintf(x->actor, sizeof(x->actor), "%s", actor);
		happen(x, HELP_EV_END);
	}
	return 0;
}

int help_alloc(struct help **hp, struct media *m, struct recorder *r,
	       struct faults *f, struct alarms *a, struct journal *j,
	       struct field *field)
{
	struct help *h = calloc(1, sizeof(*h));

	if (!h)
		return ENOMEM;
	h->media = m;
	h->recorder = r;
	h->field = field;
	h->faults = f;
	h->alarms = a;
	h->journal = j;
	*hp = h;
	return 0;
}

struct help *help_free(struct help *h)
{
	if (!h)
		return NULL;
	for (unsigned i = 0; i < HELP_MAX; i++)
		clip_unref(h->prompt[i]);
	free(h);
	return NULL;
}

void help_configure(struct help *h, const struct config *c, struct library *l)
{
	h->config = c;
	h->library = l;
	help_hear_configure(h);
	/* Made now, not when the first point waits for them. */
	library_tone(l, COMFORT_TONE);
	for (size_t i = 0; i < c->n_helppoints; i++) {
		library_tone(l, c->helppoints[i].comfort);
		library_tone(l, c->helppoints[i].yield);
	}
}

void help_summons(struct help *h, struct summons *s)
{
	h->summons = s;
}

static void on_kept(const char *key, const char *value, void *arg)
{
	struct help *h = arg;
	json_t *o = json_loads(value, 0, NULL);
	const char *point = "?", *since = "?";
	char subject[80];

	if (o)
		json_unpack(o, "{s:s,s:s}", "point", &point, "since", &since);
	snprintf(subject, sizeof(subject), "helppoint:%.60s", point);
	record(h->recorder, EVENT_HELP_CUT, strtoull(key + 5, NULL, 10),
	       subject, NULL, NULL,
	       "the call of %s, which came at %s, was cut off by a restart: "
	       "call back",
	       point, since);
	journal_state(h->journal, key, NULL);
	json_decref(o);
}

void help_restore(struct help *h)
{
	journal_state_load(h->journal, "help:", on_kept, h);
}
