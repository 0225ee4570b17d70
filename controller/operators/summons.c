#include "controller/operators/summons.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/operators/stages.h"
#include "controller/sip/dial.h"
#include "controller/text_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Between two times the message is heard. */
#define AGAIN_MS 1500

struct summon;

/** One number that is being called. */
struct line {
	struct summon *owner;
	unsigned i; /* of the stage */
	struct dial *dial;
	int leg; /* index into legs, -1 = none */
	char uri[200];
	struct tmr again;
};

struct summon {
	struct summons *owner;
	char key[80], message[CONFIG_MAX_NAME], operators[CONFIG_MAX_NAME];
	uint64_t cause, since_us;
	struct stages_rule rule;
	struct stages stages;
	struct config_operators *config; /* NULL: gone with a reload */
	struct line line[STAGES_MAX_RING];
	struct tmr due, over;
	bool ended; /* its reason is; a call that was taken goes on */
	char taker[200];
};

struct leg {
	enum { LEG_FREE, LEG_OPEN, LEG_CLOSING } state;
	struct line *line;
	struct clip *prompt; /* a reference until the engine is done with it */
};

struct summons {
	struct media *media;
	struct recorder *recorder;
	struct faults *faults;
	summons_h *h;
	void *arg;
	struct stack *stack;
	const struct config *config;
	struct library *library;
	struct summon *v[SUMMONS_MAX];
	struct leg leg[MEDIA_OWN_LEGS];
};

static void step(struct summon *x, enum stages_event ev, unsigned i);

/* ------------------------------------------------------------------- media */

static void play(struct line *n)
{
	struct summons *s = n->owner->owner;
	struct leg *g = &s->leg[n->leg];
	struct clip *clip = library_message(s->library, n->owner->message);

	if (!clip)
		clip = library_tone(s->library, n->owner->message);
	if (!clip || g->prompt)
		return;
	media_begin(s->media);
	media_leg_prompt(s->media, MEDIA_FIRST_OWN_LEG + (unsigned)n->leg, clip,
			 1);
	if (!media_commit(s->media))
		g->prompt = clip_ref(clip);
}

static void play_again(void *arg)
{
	struct line *n = arg;

	if (n->leg >= 0)
		play(n);
}

static void close_leg(struct line *n)
{
	struct summons *s = n->owner->owner;

	tmr_cancel(&n->again);
	if (n->leg < 0)
		return;
	media_begin(s->media);
	media_leg_close(s->media, MEDIA_FIRST_OWN_LEG + (unsigned)n->leg);
	(void)media_commit(s->media);
	s->leg[n->leg].state = LEG_CLOSING;
	s->leg[n->leg].line = NULL;
	n->leg = -1;
}

static void open_leg(struct line *n, const struct media_leg *l)
{
	struct summons *s = n->owner->owner;
	int i = 0;

	while (i < MEDIA_OWN_LEGS && s->leg[i].state != LEG_FREE)
		i++;
	if (i == MEDIA_OWN_LEGS) {
		/* The call stays silent rather than unanswered. */
		close(l->fd);
		return;
	}
	media_begin(s->media);
	media_leg_open(s->media, MEDIA_FIRST_OWN_LEG + (unsigned)i, l);
	if (media_commit(s->media)) {
		close(l->fd);
		return;
	}
	s->leg[i] = (struct leg){.state = LEG_OPEN, .line = n};
	n->leg = i;
	play(n);
}

void summons_report(struct summons *s, const struct media_report *r)
{
	struct leg *g = &s->leg[r->index - MEDIA_FIRST_OWN_LEG];
	struct line *n = g->line;

	switch (r->type) {
	case MEDIA_PROMPT_DONE:
		g->prompt = clip_unref(g->prompt);
		if (n)
			tmr_start(&n->again, AGAIN_MS, play_again, n);
		break;
	case MEDIA_LEG_KEY:
		if (n)
			step(n->owner, STAGES_EV_KEY, n->i);
		break;
	case MEDIA_LEG_CLOSED:
		if (g->prompt)
			g->prompt = clip_unref(g->prompt);
		g->state = LEG_FREE;
		break;
	default:
		break;
	}
}

/* ------------------------------------------------------------------- calls */

static void on_media(struct dial *d, const struct dial_media *m, void *arg)
{
	struct line *n = arg;
	struct summons *s = n->owner->owner;

	(void)d;
	if (m->leg.fd >= 0) {
		open_leg(n, &m->leg);
		step(n->owner, STAGES_EV_ANSWERED, n->i);
	} else if (n->leg >= 0) {
		media_begin(s->media);
		media_leg_update(s->media,
				 MEDIA_FIRST_OWN_LEG + (unsigned)n->leg,
				 &m->leg);
		(void)media_commit(s->media);
	}
}

static void on_key(struct dial *d, char key, void *arg)
{
	struct line *n = arg;

	(void)d;
	(void)key;
	step(n->owner, STAGES_EV_KEY, n->i);
}

static void forget(struct summon *x);

static void on_closed(struct dial *d, uint16_t status, const char *why,
		      void *arg)
{
	struct line *n = arg;
	struct summon *x = n->owner;

	(void)d;
	(void)status;
	n->dial = NULL;
	close_leg(n);
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

static void hang_up(struct line *n)
{
	dial_end(n->dial, NULL);
	n->dial = NULL;
	close_leg(n);
}

static void ring_one(struct summon *x, unsigned i)
{
	static const struct dial_handlers handlers = {
		.media = on_media, .key = on_key, .closed = on_closed};
	static const uint8_t codecs[] = {CODEC_PCMU, CODEC_PCMA};
	const struct config_stage *st = &x->config->stages[x->stages.stage];
	struct line *n = &x->line[i];
	struct reason why = {"SIP is off"};
	struct dial_request rq = {
		.uri = n->uri,
		.user = "tocsin",
		.display = x->key,
		.headers = "Priority: emergency\r\n",
		.auth_user = x->config->user,
		.password = x->config->password,
		.codecs = codecs,
		.n_codecs = sizeof(codecs),
		.talk = true,
	};

	snprintf(n->uri, sizeof(n->uri), "%s", st->ring[i]);
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

static void tell(struct summon *x, const struct stages_act *a)
{
	struct summons *s = x->owner;
	char key[96];

	fault_key(x, key);
	if (a->taken) {
		snprintf(x->taker, sizeof(x->taker), "%s",
			 x->line[x->stages.taker].uri);
		fault_clear(s->faults, key);
		record(s->recorder, EVENT_CALL_ANSWERED, x->cause, x->key,
		       x->taker, NULL, "%s took the call after %u s", x->taker,
		       (unsigned)((clock_mono_us() - x->since_us) / 1000000));
		tmr_start(&x->over, x->config ? x->config->hear_ms : 0, on_over,
			  x);
		if (s->h)
			s->h(x->key, SUMMONS_TAKEN, x->taker, s->arg);
	}
	if (a->round_over)
		fault_raise(s->faults, key, 0,
			    "Look who is on duty, and at the numbers of these "
			    "operators.",
			    "nobody of operators %s has taken the call about "
			    "%s%s",
			    x->operators, x->key,
			    a->vain ? "; all rounds are over" : "");
	if (a->vain && s->h)
		s->h(x->key, SUMMONS_VAIN, "nobody took the call", s->arg);
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

static void step(struct summon *x, enum stages_event ev, unsigned i)
{
	struct stages_act a =
		stages_step(&x->stages, &x->rule, ev, i, clock_mono_us());

	for (unsigned k = 0; k < STAGES_MAX_RING; k++)
		if (a.hang_up >> k & 1)
			hang_up(&x->line[k]);
	tell(x, &a);
	if (a.ring && x->config) {
		const unsigned stage = x->stages.stage;

		record(x->owner->recorder, EVENT_COMMAND, x->cause, x->key,
		       "system", NULL, "operators %s: stage %s rings, round %u",
		       x->operators, x->config->stages[stage].name,
		       x->stages.round + 1);
		for (unsigned k = 0; k < x->rule.stage[stage].n_ring; k++)
			ring_one(x, k);
	}
	arm(x);
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
}

int summons_alloc(struct summons **sp, struct media *m, struct recorder *r,
		  struct faults *f, summons_h *h, void *arg)
{
	struct summons *s = calloc(1, sizeof(*s));

	if (!s)
		return ENOMEM;
	s->media = m;
	s->recorder = r;
	s->faults = f;
	s->h = h;
	s->arg = arg;
	*sp = s;
	return 0;
}

struct summons *summons_free(struct summons *s)
{
	if (!s)
		return NULL;
	for (unsigned i = 0; i < SUMMONS_MAX; i++)
		if (s->v[i])
			forget(s->v[i]);
	for (unsigned i = 0; i < MEDIA_OWN_LEGS; i++)
		clip_unref(s->leg[i].prompt);
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
		.rounds = o->rounds,
	};
	for (unsigned i = 0; i < x->rule.n; i++) {
		x->rule.stage[i].n_ring = (unsigned)o->stages[i].n_ring;
		x->rule.stage[i].for_ms = o->stages[i].for_ms;
		x->rule.stage[i].confirm = o->stages[i].confirm;
	}
}

void summons_configure(struct summons *s, const struct config *c,
		       struct library *l)
{
	s->config = c;
	s->library = l;
	for (unsigned i = 0; i < SUMMONS_MAX; i++) {
		struct summon *x = s->v[i];
		int k = x ? config_operators_find(c, x->operators) : -1;

		if (!x)
			continue;
		if (k < 0) {
			forget(x);
			continue;
		}
		take_rule(x, &c->operators[k]);
		/* Its numbers may be others, or fewer: it begins anew. */
		if (x->stages.state == STAGES_RING ||
		    x->stages.state == STAGES_PAUSE) {
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

int summons_start(struct summons *s, const char *key, int operators,
		  const char *message, uint64_t cause)
{
	struct config_operators *o;
	struct summon *x = find(s, key);
	unsigned i = 0;

	if (operators < 0 || (size_t)operators >= s->config->n_operators)
		return ENOENT;
	o = &s->config->operators[operators];
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
	x->cause = cause;
	x->since_us = clock_mono_us();
	snprintf(x->key, sizeof(x->key), "%s", key);
	snprintf(x->message, sizeof(x->message), "%s", message);
	snprintf(x->operators, sizeof(x->operators), "%s", o->name);
	tmr_init(&x->due);
	tmr_init(&x->over);
	for (unsigned k = 0; k < STAGES_MAX_RING; k++) {
		x->line[k].owner = x;
		x->line[k].i = k;
		x->line[k].leg = -1;
		tmr_init(&x->line[k].again);
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
	bool talks;

	if (!x)
		return;
	talks = x->stages.state == STAGES_TAKEN &&
		x->line[x->stages.taker].dial;
	if (!talks) {
		forget(x);
		return;
	}
	x->ended = true;
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
