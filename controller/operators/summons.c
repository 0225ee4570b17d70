#include "controller/operators/summons.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/entry/entry.h"
#include "controller/operators/legs.h"
#include "controller/operators/turns.h"
#include "controller/sip/dial.h"
#include "controller/text_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct summon;

/** One number that is being called. */
struct line {
	struct summon *owner;
	unsigned i; /* of the stage */
	bool waits; /* its turn has yet to come */
	struct dial *dial;
	int leg; /* of legs, -1 = none */
	char uri[200];
	struct entry presses;
};

struct summon {
	struct summons *owner;
	char key[80], message[CONFIG_MAX_NAME], operators[CONFIG_MAX_NAME];
	char display[128];
	summons_h *h; /* they are to talk */
	void *arg;
	uint8_t level;
	uint64_t cause, since_us;
	struct stages_rule rule;
	struct stages stages;
	struct config_operators *config; /* NULL: gone with a reload */
	struct line line[STAGES_MAX_RING];
	struct tmr due, over;
	bool ended;  /* its reason is; a call that was taken goes on */
	bool yields; /* who has it is wanted elsewhere, and the owner knows */
	const char *bye; /* header for who is hung up on, NULL = none */
	char taker[200];
};

struct summons {
	struct legs *legs;
	struct recorder *recorder;
	struct faults *faults;
	struct stack *stack;
	const struct config *config;
	struct summon *v[SUMMONS_MAX];
	bool turning, turn_again;
};

static void tell(const struct summon *x, const struct summons_told *t)
{
	if (x->h)
		x->h(x->key, t, x->arg);
}

static void forget(struct summon *x);
static void give_turns(struct summons *s);
static void step(struct summon *x, enum stages_event ev, unsigned i);

/* ------------------------------------------------------------------- sound */

static void close_leg(struct line *n)
{
	legs_close(n->owner->owner->legs, n->leg);
	n->leg = -1;
}

/** What it is about is said until who is to talk has taken it. */
static bool open_leg(struct line *n, const struct media_leg *l)
{
	struct legs *legs = n->owner->owner->legs;

	n->leg = legs_open(legs, l, n);
	if (n->leg >= 0)
		legs_say(legs, n->leg, n->owner->message, true);
	return n->leg >= 0;
}

/** Who talks is gone without a word; n is done with. */
static void lost(struct line *n, const char *why)
{
	char who[sizeof(n->uri)];

	snprintf(who, sizeof(who), "%s", n->uri);
	tell(n->owner, &(struct summons_told){.news = SUMMONS_LOST,
					      .who = who,
					      .stage = "",
					      .why = why});
}

static bool talks(const struct line *n)
{
	const struct summon *x = n->owner;

	return x->h && x->stages.state == STAGES_TAKEN &&
	       x->stages.taker == n->i;
}

static void hang_up(struct line *n)
{
	dial_end(n->dial, n->owner->bye);
	n->dial = NULL;
	n->waits = false;
	close_leg(n);
}

/** Some telephones tell a key in both ways. */
static void pressed(struct line *n, enum entry_way way, char key)
{
	if (!entry_press(&n->presses, way, key, clock_mono_ms()))
		return;
	if (talks(n))
		tell(n->owner, &(struct summons_told){.news = SUMMONS_KEY,
						      .who = n->uri,
						      .stage = "",
						      .why = "",
						      .key = key});
	else
		step(n->owner, STAGES_EV_KEY, n->i);
}

static void on_leg(void *line, enum legs_news news, char key)
{
	struct line *n = line;

	if (news == LEGS_KEY) {
		pressed(n, ENTRY_RTP, key);
	} else if (talks(n)) {
		hang_up(n);
		lost(n, "no RTP from him");
	}
}

void summons_report(struct summons *s, const struct media_report *r)
{
	legs_report(s->legs, r);
}

/* ------------------------------------------------------------------- calls */

static void on_media(struct dial *d, const struct dial_media *m, void *arg)
{
	struct line *n = arg;

	(void)d;
	if (m->leg.fd >= 0) {
		/* Who could only hear a message stays, silent, rather than
		 * unanswered; nobody could talk to him. */
		if (!open_leg(n, &m->leg) && n->owner->h) {
			hang_up(n);
			step(n->owner, STAGES_EV_GONE, n->i);
			return;
		}
		step(n->owner, STAGES_EV_ANSWERED, n->i);
	} else if (n->leg >= 0) {
		legs_update(n->owner->owner->legs, n->leg, &m->leg);
	}
}

static void on_key(struct dial *d, char key, void *arg)
{
	struct line *n = arg;

	(void)d;
	pressed(n, ENTRY_INFO, key);
}

static void on_closed(struct dial *d, uint16_t status, const char *why,
		      void *arg)
{
	struct line *n = arg;
	struct summon *x = n->owner;

	const bool bye = dial_hung_up(d);

	(void)status;
	n->dial = NULL;
	close_leg(n);
	if (talks(n)) {
		if (bye)
			tell(x, &(struct summons_told){.news = SUMMONS_LEFT,
						       .who = n->uri,
						       .stage = "",
						       .why = why});
		else
			lost(n, why);
		return;
	}
	if (x->stages.state == STAGES_TAKEN && n->i == x->stages.taker) {
		record(x->owner->recorder, EVENT_CALL_ENDED, x->cause, x->key,
		       x->taker, NULL, "%s: %s", n->uri, why);
		if (x->ended)
			forget(x);
		else
			tmr_cancel(&x->over);
		return;
	}
	record(x->owner->recorder, EVENT_CALL_REFUSED, x->cause, x->key, n->uri,
	       NULL, "%s did not take the call: %s", n->uri, why);
	step(x, STAGES_EV_GONE, n->i);
}

static void ring_one(struct summon *x, unsigned i)
{
	static const struct dial_handlers handlers = {
		.media = on_media, .key = on_key, .closed = on_closed};
	static const uint8_t codecs[] = {CODEC_PCMU, CODEC_PCMA};
	struct line *n = &x->line[i];
	struct reason why = {"SIP is off"};
	struct dial_request rq = {
		.uri = n->uri,
		.user = "tocsin",
		.display = x->display,
		.headers = "Priority: emergency\r\n",
		.level = x->level,
		.auth_user = x->config ? x->config->user : NULL,
		.password = x->config ? x->config->password : NULL,
		.codecs = codecs,
		.n_codecs = sizeof(codecs),
		.talk = true,
		.srtp = SRTP_AUTO,
	};

	n->waits = false;
	if (x->owner->stack &&
	    !dial_start(&n->dial, x->owner->stack, &rq, &handlers, n, &why))
		return;
	n->dial = NULL;
	record(x->owner->recorder, EVENT_CALL_REFUSED, x->cause, x->key, n->uri,
	       NULL, "%s cannot be called: %s", n->uri, why.text);
	step(x, STAGES_EV_GONE, i);
}

/* ------------------------------------------------------------------ stages */

static void fault_key(const struct summon *x, char key[96])
{
	snprintf(key, 96, "call:%.80s", x->key);
}

static void on_over(void *arg)
{
	struct summon *x = arg;

	hang_up(&x->line[x->stages.taker]);
	record(x->owner->recorder, EVENT_CALL_ENDED, x->cause, x->key, x->taker,
	       NULL, "%s: the call was ended after %u s", x->taker,
	       x->config ? x->config->hear_ms / 1000 : 0);
	if (x->ended)
		forget(x);
}

static void on_due(void *arg)
{
	step(arg, STAGES_EV_DUE, 0);
}

/** One who talks takes it: his owner is told, and sees to the rest. */
static void taken_to_talk(struct summon *x)
{
	const struct line *n = &x->line[x->stages.taker];

	legs_quiet(x->owner->legs, n->leg);
	tell(x, &(struct summons_told){
			.news = SUMMONS_TAKEN,
			.who = x->taker,
			.stage = "",
			.why = "",
			.leg = legs_number(n->leg),
		});
}

static void act_news(struct summon *x, const struct stages_act *a)
{
	struct summons *s = x->owner;
	char key[96];

	fault_key(x, key);
	if (a->taken && x->h) {
		snprintf(x->taker, sizeof(x->taker), "%s",
			 x->line[x->stages.taker].uri);
		taken_to_talk(x);
	} else if (a->taken) {
		snprintf(x->taker, sizeof(x->taker), "%s",
			 x->line[x->stages.taker].uri);
		fault_clear(s->faults, key);
		record(s->recorder, EVENT_CALL_ANSWERED, x->cause, x->key,
		       x->taker, NULL, "%s took the call after %u s", x->taker,
		       (unsigned)((clock_mono_us() - x->since_us) / 1000000));
		tmr_start(&x->over, x->config ? x->config->hear_ms : 0, on_over,
			  x);
	}
	if (a->round_over && x->h)
		tell(x, &(struct summons_told){.news = SUMMONS_ROUND,
					       .who = "",
					       .stage = "",
					       .why = "",
					       .round = x->stages.round});
	else if (a->round_over)
		fault_raise(s->faults, key, 0,
			    "Look who is on duty, and at the numbers of these "
			    "operators.",
			    "nobody of operators %s has taken the call about "
			    "%s%s",
			    x->operators, x->key,
			    a->vain ? "; all rounds are over" : "");
}

static void arm(struct summon *x)
{
	const uint64_t now = clock_mono_us();

	if (!x->stages.due)
		tmr_cancel(&x->due);
	else
		tmr_start(&x->due,
			  x->stages.due > now ? (x->stages.due - now) / 1000 + 1
					      : 0,
			  on_due, x);
}

/** Calls all of the stage; who are to talk when it is their turn. */
static void ring_stage(struct summon *x)
{
	const struct config_stage *st = &x->config->stages[x->stages.stage];

	for (unsigned k = 0; k < STAGES_MAX_RING; k++) {
		snprintf(x->line[k].uri, sizeof(x->line[k].uri), "%s",
			 k < st->n_ring ? st->ring[k] : "");
		x->line[k].waits = x->h && k < st->n_ring;
	}
	if (x->h) {
		tell(x, &(struct summons_told){.news = SUMMONS_RINGS,
					       .who = "",
					       .stage = st->name,
					       .why = "",
					       .round = x->stages.round + 1});
		return;
	}
	record(x->owner->recorder, EVENT_COMMAND, x->cause, x->key, "system",
	       NULL, "operators %s: stage %s rings, round %u", x->operators,
	       st->name, x->stages.round + 1);
	for (unsigned k = 0; k < st->n_ring; k++)
		ring_one(x, k);
}

static enum turns_line line_now(const struct summon *x, unsigned k)
{
	if (x->stages.state == STAGES_TAKEN &&
	    (k != x->stages.taker || !x->line[k].dial))
		return TURNS_OFF;
	if (x->stages.state == STAGES_TAKEN)
		return x->yields ? TURNS_YIELDS : TURNS_TALKS;
	switch (x->stages.leg[k]) {
	case STAGES_ANSWERED:
		return TURNS_ENGAGED;
	case STAGES_RINGING:
		return x->line[k].waits ? TURNS_WAITS : TURNS_RINGS;
	default:
		return TURNS_OFF;
	}
}

/** What was decided about a call, where it still holds. */
static void take_turn(struct summon *x, const struct turns_call *t)
{
	for (unsigned k = 0; k < STAGES_MAX_RING; k++) {
		struct line *n = &x->line[k];

		if (t->hold >> k & 1 && line_now(x, k) == TURNS_RINGS) {
			hang_up(n);
			n->waits = true;
		} else if (t->ring >> k & 1 && line_now(x, k) == TURNS_WAITS) {
			ring_one(x, k);
		}
	}
}

/** Who talks is needed elsewhere. */
static void wanted(struct summon *x)
{
	struct summons_told t = {.news = SUMMONS_WANTED,
				 .who = x->taker,
				 .stage = "",
				 .why = "a more urgent call needs him"};

	x->yields = true;
	tell(x, &t);
}

/** Every number rings for the most urgent that wants it. */
static void give_turns(struct summons *s)
{
	struct turns_call call[SUMMONS_MAX], *v[SUMMONS_MAX];
	unsigned n;

	s->turn_again = s->turning;
	if (s->turning || !s->stack)
		return;
	s->turning = true;
	do {
		s->turn_again = false;
		n = 0;
		for (unsigned i = 0; i < SUMMONS_MAX; i++) {
			const struct summon *x = s->v[i];

			if (!x || !x->h)
				continue;
			call[i] = (struct turns_call){
				.level = x->level,
				.since_us = x->since_us,
				.pressing = x->stages.round > 0,
				.n = STAGES_MAX_RING,
			};
			for (unsigned k = 0; k < STAGES_MAX_RING; k++) {
				call[i].line[k].number = x->line[k].uri;
				call[i].line[k].now = line_now(x, k);
			}
			v[n++] = &call[i];
		}
		turns_decide(v, n);
		/* Who has to wait again makes room for the others first. */
		for (unsigned i = 0; i < n; i++)
			take_turn(s->v[v[i] - call], &(struct turns_call){
							     .hold = v[i]->hold,
						     });
		for (unsigned i = 0; i < n && !s->turn_again; i++)
			take_turn(s->v[v[i] - call], &(struct turns_call){
							     .ring = v[i]->ring,
						     });
		for (unsigned i = 0; i < n && !s->turn_again; i++)
			if (v[i]->cede)
				wanted(s->v[v[i] - call]);
	} while (s->turn_again);
	s->turning = false;
}

static bool is_mine(const struct summons *s, const struct summon *x)
{
	for (unsigned i = 0; i < SUMMONS_MAX; i++)
		if (s->v[i] == x)
			return true;
	return false;
}

static void step(struct summon *x, enum stages_event ev, unsigned i)
{
	struct summons *s = x->owner;
	struct stages_act a =
		stages_step(&x->stages, &x->rule, ev, i, clock_mono_us());

	for (unsigned k = 0; k < STAGES_MAX_RING; k++)
		if (a.hang_up >> k & 1)
			hang_up(&x->line[k]);
	act_news(x, &a);
	/* Who was told may have stopped it. */
	if (!is_mine(s, x))
		return;
	if (a.ring && x->config)
		ring_stage(x);
	arm(x);
	if (x->h)
		give_turns(x->owner);
}

/* ------------------------------------------------------------------- owner */

static void forget(struct summon *x)
{
	struct summons *s = x->owner;
	char key[96];

	for (unsigned i = 0; i < STAGES_MAX_RING; i++)
		hang_up(&x->line[i]);
	tmr_cancel(&x->due);
	tmr_cancel(&x->over);
	fault_key(x, key);
	fault_clear(s->faults, key);
	for (unsigned i = 0; i < SUMMONS_MAX; i++)
		if (s->v[i] == x)
			s->v[i] = NULL;
	free(x);
	give_turns(s);
}

int summons_alloc(struct summons **sp, struct media *m, struct recorder *r,
		  struct faults *f)
{
	struct summons *s = calloc(1, sizeof(*s));

	if (!s)
		return ENOMEM;
	if (legs_alloc(&s->legs, m, on_leg)) {
		free(s);
		return ENOMEM;
	}
	s->recorder = r;
	s->faults = f;
	*sp = s;
	return 0;
}

struct summons *summons_free(struct summons *s)
{
	if (!s)
		return NULL;
	s->stack = NULL; /* nobody else is called */
	for (unsigned i = 0; i < SUMMONS_MAX; i++)
		if (s->v[i])
			forget(s->v[i]);
	legs_free(s->legs);
	free(s);
	return NULL;
}

static struct summon *find(const struct summons *s, const char *key)
{
	for (unsigned i = 0; i < SUMMONS_MAX; i++)
		if (s->v[i] && !strcmp(s->v[i]->key, key))
			return s->v[i];
	return NULL;
}

static void take_rule(struct summon *x, struct config_operators *o)
{
	x->config = o;
	x->rule = (struct stages_rule){
		.n = (unsigned)o->n_stages,
		.rounds = x->h ? 0 : o->rounds,
	};
	for (unsigned i = 0; i < x->rule.n; i++) {
		x->rule.stage[i].n_ring = (unsigned)o->stages[i].n_ring;
		x->rule.stage[i].for_ms = o->stages[i].for_ms;
		x->rule.stage[i].confirm = o->stages[i].confirm;
	}
}

/** Does the stage that rings ring these very numbers? */
static bool same_numbers(const struct summon *x)
{
	const struct config_stage *st;

	if (x->stages.stage >= (unsigned)x->config->n_stages)
		return false;
	st = &x->config->stages[x->stages.stage];
	for (unsigned k = 0; k < STAGES_MAX_RING; k++)
		if (strcmp(x->line[k].uri, k < st->n_ring ? st->ring[k] : ""))
			return false;
	return true;
}

/** Its operators are. */
static void gone(struct summon *x)
{
	struct summon was = *x;

	if (x->h && x->stages.state == STAGES_TAKEN) {
		x->config = NULL;
		return;
	}
	forget(x);
	tell(&was,
	     &(struct summons_told){
		     .news = SUMMONS_GONE, .who = "", .stage = "", .why = ""});
}

void summons_configure(struct summons *s, const struct config *c,
		       struct library *l)
{
	s->config = c;
	legs_library(s->legs, l);
	for (unsigned i = 0; i < SUMMONS_MAX; i++) {
		struct summon *x = s->v[i];
		int k = x ? config_operators_find(c, x->operators) : -1;

		if (!x)
			continue;
		if (k < 0) {
			gone(x);
			continue;
		}
		take_rule(x, &c->operators[k]);
		if ((x->stages.state == STAGES_RING ||
		     x->stages.state == STAGES_PAUSE) &&
		    !same_numbers(x)) {
			step(x, STAGES_EV_STOP, 0);
			step(x, STAGES_EV_START, 0);
		}
	}
}

void summons_stack(struct summons *s, struct stack *stack)
{
	bool came = stack && !s->stack;

	s->stack = stack;
	for (unsigned i = 0; came && i < SUMMONS_MAX; i++)
		if (s->v[i])
			step(s->v[i], STAGES_EV_START, 0);
}

int summons_start(struct summons *s, const struct summons_request *rq)
{
	struct config_operators *o;
	struct summon *x = find(s, rq->key);
	unsigned i = 0;

	if (rq->operators < 0 ||
	    (size_t)rq->operators >= s->config->n_operators)
		return ENOENT;
	o = &s->config->operators[rq->operators];
	if (x && !x->ended)
		return 0;
	if (x)
		forget(x);
	while (i < SUMMONS_MAX && s->v[i])
		i++;
	if (i == SUMMONS_MAX)
		return ENOSPC;
	x = calloc(1, sizeof(*x));
	if (!x)
		return ENOMEM;
	s->v[i] = x;
	x->owner = s;
	x->cause = rq->cause;
	x->since_us = rq->h ? rq->since_us : clock_mono_us();
	x->h = rq->h;
	x->arg = rq->arg;
	x->level = rq->level;
	snprintf(x->key, sizeof(x->key), "%s", rq->key);
	snprintf(x->message, sizeof(x->message), "%s", rq->message);
	snprintf(x->display, sizeof(x->display), "%s",
		 rq->display ? rq->display : rq->key);
	snprintf(x->operators, sizeof(x->operators), "%s", o->name);
	tmr_init(&x->due);
	tmr_init(&x->over);
	for (unsigned k = 0; k < STAGES_MAX_RING; k++) {
		x->line[k].owner = x;
		x->line[k].i = k;
		x->line[k].leg = -1;
	}
	take_rule(x, o);
	/* Else it begins when there is one. */
	if (s->stack)
		step(x, STAGES_EV_START, 0);
	return 0;
}

void summons_stop(struct summons *s, const char *key)
{
	struct summon *x = find(s, key);
	bool hears;

	if (!x)
		return;
	hears = !x->h && x->stages.state == STAGES_TAKEN &&
		x->line[x->stages.taker].dial;
	if (!hears) {
		forget(x);
		return;
	}
	x->ended = true;
}

void summons_part(struct summons *s, const char *key, const char *message,
		  const char *header)
{
	struct summon *x = find(s, key);
	struct line *n = x && x->stages.state == STAGES_TAKEN
				 ? &x->line[x->stages.taker]
				 : NULL;

	if (!n || n->leg < 0)
		return;
	x->bye = header;
	legs_leave_room(s->legs, n->leg);
	legs_say(s->legs, n->leg, message, false);
}

/* ------------------------------------------------------------------ to see */

static json_t *to_json(const struct summon *x)
{
	static const char *const states[] = {
		[STAGES_OFF] = "waiting",   [STAGES_RING] = "ringing",
		[STAGES_PAUSE] = "pausing", [STAGES_TAKEN] = "taken",
		[STAGES_VAIN] = "in-vain",
	};
	const bool stage = x->stages.state == STAGES_RING && x->config;

	return json_pack(
		"{s:o,s:o,s:s,s:o,s:i,s:o,s:b,s:i}", "about", text_json(x->key),
		"operators", text_json(x->operators), "state",
		states[x->stages.state], "stage",
		stage ? text_json(x->config->stages[x->stages.stage].name)
		      : json_null(),
		"round", (int)x->stages.round + 1, "taken_by",
		x->stages.state == STAGES_TAKEN ? text_json(x->taker)
						: json_null(),
		"talking",
		x->stages.state == STAGES_TAKEN &&
			x->line[x->stages.taker].dial != NULL,
		"since_s", (int)((clock_mono_us() - x->since_us) / 1000000));
}

json_t *summons_json(const struct summons *s)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < SUMMONS_MAX; i++)
		if (s->v[i])
			json_array_append_new(a, to_json(s->v[i]));
	return a;
}

json_t *summons_one_json(const struct summons *s, const char *key)
{
	const struct summon *x = find(s, key);

	return x ? to_json(x) : json_null();
}
