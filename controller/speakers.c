#include "speakers.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "oneway_judge.h"
#include "sip/ask.h"
#include "sip/dial.h"
#include "sip/location.h"
#include "speaker.h"
#include "text_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A kept call gets a packet of silence this often. */
#define BEAT_MS 10000
/** A question is given up after this: devices answer at once. */
#define ASK_WITHIN_MS 4000
/** Asked and called for the first time within this, not all at once. */
#define SPREAD_MS 2000
#define N MEDIA_MAX_OUTPUTS

struct horn {
	struct speakers *owner;
	const struct config_sound *config; /**< NULL = unused */
	unsigned output;
	struct speaker call;
	struct dial *dial;
	struct ask *ask;
	int16_t level; /**< of what is to sound, -1 = nothing */
	bool faulty;
	uint16_t status; /**< of the answer that refused the last call */
	char astray[96]; /**< key of the fault that its answer names an address
			    that cannot be right, "" = none */
	uint8_t codec;
	bool held, encrypted;
	char why[160];
};

struct speakers {
	struct sounds *sounds;
	struct faults *faults;
	speakers_h *h;
	void *arg;
	struct stack *stack;
	const struct config *config;
	struct horn *v[N]; /**< by output */
	struct arb_set changed;
	struct tmr tmr, tell;
	bool many; /* of them take a step: the timer is set once */
	struct speakers_counters n;
};

static void step(struct horn *x, enum speaker_event ev);

static struct speaker_rule rule_of(const struct horn *x)
{
	const struct config_speaker *k = &x->config->speaker;

	return (struct speaker_rule){
		.keep = k->keep,
		.within_ms = k->within_ms,
		.linger_ms = k->linger_ms,
		.check_ms = k->check_ms,
	};
}

/* ------------------------------------------------------------------ faults */

static void fault_key(const struct horn *x, char key[96])
{
	snprintf(key, 96, "output:%.80s",
		 sounds_name(x->owner->sounds, x->output));
}

static const char *remedy(uint16_t status)
{
	switch (status) {
	case 0:
		return "Look at its power, its cable and its address in this "
		       "section.";
	case 401:
	case 403:
	case 407:
		return "Correct user and password-file of this speaker, or "
		       "allow this address in it.";
	case 404:
		return "Correct the user part of its address.";
	case 480:
	case 486:
	case 600:
		return "It is in another call: give it a line of its own for "
		       "announcements, or let it barge in.";
	case 415:
	case 488:
		return "It has none of the codecs of this section, or cannot "
		       "do what `srtp` says: see `codec` and `srtp`.";
	default:
		return "See the speaker's own log.";
	}
}

static void raise_fault(struct horn *x, const char *what, uint32_t detect_ms)
{
	char key[96];

	fault_key(x, key);
	x->faulty = true;
	snprintf(x->why, sizeof(x->why), "%s", what);
	fault_raise(x->owner->faults, key, detect_ms, remedy(x->status),
		    "speaker %s does not sound: %s",
		    sounds_name(x->owner->sounds, x->output), what);
}

static void clear_fault(struct horn *x)
{
	char key[96];

	if (!x->faulty)
		return;
	fault_key(x, key);
	x->faulty = false;
	x->why[0] = '\0';
	fault_clear(x->owner->faults, key);
}

/** Is a speaker that answers questions known to work again? One that refused
 *  for a lasting reason only when it takes a call. */
static bool was_passing(uint16_t status)
{
	return !status || status == 408 || status == 480 || status == 486 ||
	       status == 503 || status == 600;
}

/* ------------------------------------------------------------------- sound */

static void tell_now(void *arg)
{
	struct speakers *s = arg;
	struct arb_set changed = s->changed;

	s->changed = (struct arb_set){{0}};
	s->h(&changed, s->arg);
}

/** All that answer in one turn of the loop make one change. */
static void tell(struct horn *x)
{
	struct speakers *s = x->owner;

	arb_set_add(&s->changed, x->output);
	if (!tmr_isrunning(&s->tell))
		tmr_start(&s->tell, 0, tell_now, s);
}

static void clear_astray(struct horn *x)
{
	if (*x->astray)
		fault_clear(x->owner->faults, x->astray);
	*x->astray = '\0';
}

/** Would its sound go to an address that cannot be its? */
static void see_address(struct horn *x, const struct dial_media *m)
{
	const struct oneway_facts f = {.sip = m->sip, .sdp = m->remote};
	const char *name = sounds_name(x->owner->sounds, x->output);
	struct oneway_verdict v;

	if (m->held || !oneway_address_wrong(&f, &v)) {
		clear_astray(x);
		return;
	}
	snprintf(x->astray, sizeof(x->astray), "output:%.70s:address", name);
	snprintf(x->why, sizeof(x->why), "%s", v.text);
	fault_raise(x->owner->faults, x->astray, 0, v.remedy,
		    "speaker %s does not sound: %s", name, v.text);
}

static void on_media(struct dial *d, const struct dial_media *m, void *arg)
{
	struct horn *x = arg;
	struct media_output out = {
		.dst = m->remote,
		.source_port = dial_port(x->owner->stack),
		.beat_ms = x->config->speaker.keep ? BEAT_MS : 0,
		.srtp = m->key,
	};

	(void)d;
	if (x->call.state == SPEAKER_CALLING)
		x->owner->n.answered++;
	step(x, SPEAKER_EV_ANSWERED);
	clear_fault(x);
	see_address(x, m);
	x->held = m->held;
	x->encrypted = m->key.on;
	x->codec = (uint8_t)m->fmt.codec;
	if (m->held) {
		sounds_disconnect(x->owner->sounds, x->output);
		return;
	}
	sounds_speaker_format(&out.fmt, &x->config->out.fmt, m->fmt.codec);
	out.fmt.pt = m->fmt.pt;
	sounds_connect(x->owner->sounds, x->output, &out);
	tell(x);
}

static void on_closed(struct dial *d, uint16_t status, const char *why,
		      void *arg)
{
	struct horn *x = arg;
	const bool was_up = x->call.state == SPEAKER_UP;

	(void)d;
	x->dial = NULL;
	sounds_disconnect(x->owner->sounds, x->output);
	if (!was_up) {
		x->status = status;
		x->owner->n.failed++;
		raise_fault(x, why, 0);
	}
	step(x, SPEAKER_EV_FAILED);
}

static void on_asked(struct ask *a, uint16_t status, void *arg)
{
	struct horn *x = arg;

	(void)a;
	x->ask = NULL;
	if (status && was_passing(x->status))
		clear_fault(x);
	step(x, status ? SPEAKER_EV_REACHED : SPEAKER_EV_MISSED);
}

/* -------------------------------------------------------------------- acts */

/** FIELD 2.3: what brands want to see before they answer by themselves. */
static const struct {
	const char *headers, *parameter;
} answers[] = {
	[ANSWER_ALL] = {"Alert-Info: Ring Answer\r\n"
			"Call-Info: <sip:tocsin.invalid>;answer-after=0\r\n",
			";intercom=true"},
	[ANSWER_CALL_INFO] =
		{"Call-Info: <sip:tocsin.invalid>;answer-after=0\r\n", ""},
	[ANSWER_ALERT_INFO] = {"Alert-Info: <sip:tocsin.invalid>;"
			       "info=alert-autoanswer;delay=0\r\n",
			       ""},
	[ANSWER_RING_ANSWER] = {"Alert-Info: ring-answer\r\n", ""},
	[ANSWER_AUTO_ANSWER] = {"Alert-Info: info=Auto Answer\r\n", ""},
	[ANSWER_INTERCOM] = {"Alert-Info: Intercom\r\n", ";intercom=true"},
	[ANSWER_MODE] = {"Answer-Mode: Auto\r\nPriv-Answer-Mode: Auto\r\n", ""},
	[ANSWER_P_AUTO] = {"P-Auto-Answer: normal\r\n", ""},
	[ANSWER_NONE] = {"", ""},
};

/* Where it is called; an endpoint is where it registered last. False: nowhere
 * at present. */
static bool locate(const struct horn *x, char *uri, size_t size)
{
	struct bindings b;

	if (config_endpoint_find(x->owner->config, x->config->name) < 0) {
		snprintf(uri, size, "%s", x->config->name);
		return true;
	}
	if (!location_find(x->owner->stack, x->config->name, &b))
		return false;
	snprintf(uri, size, "%s", b.v[0].reach);
	return true;
}

/* As its own section says, or that of the endpoint it is. */
static enum config_srtp srtp_of(const struct horn *x)
{
	const struct config *c = x->owner->config;
	const int i = config_endpoint_find(c, x->config->name);

	if (x->config->speaker.srtp != SRTP_AUTO || i < 0)
		return (enum config_srtp)x->config->speaker.srtp;
	return (enum config_srtp)c->endpoints[i].may.srtp;
}

static void call(struct horn *x)
{
	static const struct dial_handlers handlers = {.media = on_media,
						      .closed = on_closed};
	struct speakers *s = x->owner;
	const struct config_speaker *k = &x->config->speaker;
	const struct config_zone *z = &s->config->zones[x->config->zone];
	char at[256] = "", uri[300], headers[320];
	const bool found = locate(x, at, sizeof(at));
	int err;
	struct reason why = {"it is not registered"};
	struct dial_request rq = {
		.uri = uri,
		.user = "tocsin",
		.display = z->name,
		.headers = headers,
		.level = x->level > 0 ? (uint8_t)x->level : 0,
		.auth_user = k->user,
		.password = k->password,
		.codecs = k->codecs,
		.n_codecs = k->n_codecs,
		.srtp = srtp_of(x),
	};

	snprintf(uri, sizeof(uri), "%s%s", at, answers[k->answer].parameter);
	/* RFC 3261 20.26: such a call is not to be turned away. */
	snprintf(headers, sizeof(headers), "%s%s", answers[k->answer].headers,
		 x->level >= ARB_EMERGENCY ? "Priority: emergency\r\n" : "");
	s->n.calls++;
	err = found ? dial_start(&x->dial, s->stack, &rq, &handlers, x, &why)
		    : ENOENT;
	if (!err)
		return;
	x->dial = NULL;
	/* What we do not offer for want of TLS is as if it were refused. */
	x->status = err == EPROTO ? 488 : 0;
	s->n.failed++;
	raise_fault(x, why.text, 0);
	step(x, SPEAKER_EV_FAILED);
}

static void ask(struct horn *x)
{
	struct reason why;
	char uri[256];

	if (x->ask)
		return;
	if (!locate(x, uri, sizeof(uri)) ||
	    ask_start(&x->ask, x->owner->stack, uri, ASK_WITHIN_MS, on_asked, x,
		      &why)) {
		x->ask = NULL;
		step(x, SPEAKER_EV_MISSED);
	}
}

static void arm(struct speakers *s);

static void act(struct horn *x, unsigned todo)
{
	char text[96];

	if (todo & SPEAKER_DO_HANG_UP) {
		dial_end(x->dial, NULL);
		x->dial = NULL;
		sounds_disconnect(x->owner->sounds, x->output);
	}
	if (todo & SPEAKER_DO_LATE) {
		x->status = 0;
		x->owner->n.failed++;
		snprintf(text, sizeof(text), "no answer within %u ms",
			 x->config->speaker.within_ms);
		raise_fault(x, text, x->config->speaker.within_ms);
	}
	if (todo & SPEAKER_DO_GONE) {
		x->status = 0;
		raise_fault(x, "it answers no SIP",
			    x->config->speaker.check_ms + 2 * ASK_WITHIN_MS +
				    SPEAKER_ASK_AGAIN_MS);
	}
	if (todo & SPEAKER_DO_REFRESH)
		dial_refresh(x->dial);
	if (todo & SPEAKER_DO_CALL) {
		ask_end(x->ask);
		x->ask = NULL;
		call(x);
	}
	if (todo & SPEAKER_DO_ASK)
		ask(x);
}

static void step(struct horn *x, enum speaker_event ev)
{
	const struct speaker_rule r = rule_of(x);

	act(x, speaker_step(&x->call, &r, ev, clock_mono_us()));
	arm(x->owner);
}

static void on_due(void *arg)
{
	struct speakers *s = arg;
	const uint64_t now = clock_mono_us();

	s->many = true;
	for (unsigned i = 0; i < N; i++)
		if (s->v[i] && s->v[i]->call.due <= now)
			step(s->v[i], SPEAKER_EV_DUE);
	s->many = false;
	arm(s);
}

static void arm(struct speakers *s)
{
	const uint64_t now = clock_mono_us();
	uint64_t due = UINT64_MAX;

	if (!s->stack || s->many)
		return;
	for (unsigned i = 0; i < N; i++)
		if (s->v[i] && s->v[i]->call.due < due)
			due = s->v[i]->call.due;
	if (due != UINT64_MAX)
		tmr_start(&s->tmr, due > now ? (due - now) / 1000 + 1 : 0,
			  on_due, s);
}

/* ------------------------------------------------------------------- owner */

int speakers_alloc(struct speakers **sp, struct sounds *sounds,
		   struct faults *f, speakers_h *h, void *arg)
{
	struct speakers *s = calloc(1, sizeof(*s));

	if (!s)
		return ENOMEM;
	s->sounds = sounds;
	s->faults = f;
	s->h = h;
	s->arg = arg;
	tmr_init(&s->tmr);
	tmr_init(&s->tell);
	*sp = s;
	return 0;
}

static void drop(struct speakers *s, unsigned i)
{
	struct horn *x = s->v[i];

	if (!x)
		return;
	dial_end(x->dial, NULL);
	ask_end(x->ask);
	sounds_disconnect(s->sounds, i);
	clear_astray(x);
	free(x);
	s->v[i] = NULL;
}

struct speakers *speakers_free(struct speakers *s)
{
	if (!s)
		return NULL;
	tmr_cancel(&s->tmr);
	tmr_cancel(&s->tell);
	for (unsigned i = 0; i < N; i++)
		drop(s, i);
	free(s);
	return NULL;
}

/** Must it be called anew to be as configured now? */
static bool differs(const struct config_sound *a, const struct config_sound *b)
{
	const char *user = a->speaker.user ? a->speaker.user : "";
	const char *other = b->speaker.user ? b->speaker.user : "";

	return strcmp(a->name, b->name) || strcmp(user, other) ||
	       strcmp(a->speaker.password, b->speaker.password) ||
	       a->speaker.answer != b->speaker.answer ||
	       a->speaker.keep != b->speaker.keep ||
	       a->speaker.srtp != b->speaker.srtp ||
	       a->speaker.n_codecs != b->speaker.n_codecs ||
	       memcmp(a->speaker.codecs, b->speaker.codecs,
		      a->speaker.n_codecs);
}

static int take(struct speakers *s, const struct config_sound *c, unsigned i)
{
	struct horn *x = s->v[i];

	if (x && (differs(x->config, c) ||
		  (x->call.state == SPEAKER_UP && !x->held &&
		   !sounds_connected(s->sounds, i)))) {
		drop(s, i);
		x = NULL;
	}
	if (x) {
		x->config = c;
		return 0;
	}
	x = calloc(1, sizeof(*x));
	if (!x)
		return ENOMEM;
	x->owner = s;
	x->config = c;
	x->output = i;
	x->level = -1;
	/* Begins when there is a stack; the first questions are spread. */
	x->call.due = clock_mono_us() +
		      i * UINT64_C(7919) % SPREAD_MS * UINT64_C(1000);
	x->call.state = c->speaker.keep ? SPEAKER_RETRY : SPEAKER_IDLE;
	s->v[i] = x;
	return 0;
}

int speakers_configure(struct speakers *s, const struct config *c)
{
	bool stays[N] = {false};
	int err = 0;

	s->n.speakers = 0;
	s->config = c;
	for (size_t i = 0; i < c->n_sounds && !err; i++) {
		unsigned k = sounds_index(s->sounds, i);

		if (c->sounds[i].kind != SOUND_SPEAKER || k >= N)
			continue;
		stays[k] = true;
		s->n.speakers++;
		err = take(s, &c->sounds[i], k);
	}
	for (unsigned i = 0; i < N; i++)
		if (!stays[i])
			drop(s, i);
	arm(s);
	return err;
}

void speakers_stack(struct speakers *s, struct stack *stack)
{
	if (s->stack == stack)
		return;
	s->stack = stack;
	s->many = true;
	for (unsigned i = 0; stack && i < N; i++)
		if (s->v[i] && s->v[i]->level >= 0)
			step(s->v[i], SPEAKER_EV_WANT);
	s->many = false;
	arm(s);
}

void speakers_update(struct speakers *s, const int16_t *level, unsigned n)
{
	s->many = true;
	for (unsigned i = 0; i < N && s->n.speakers; i++) {
		struct horn *x = s->v[i];
		const int16_t now = i < n ? level[i] : -1;

		if (!x || x->level == now)
			continue;
		if ((x->level < 0) == (now < 0)) {
			x->level = now;
			continue;
		}
		x->level = now;
		/* Else what sounds already is told when there is one. */
		if (s->stack)
			step(x, now >= 0 ? SPEAKER_EV_WANT : SPEAKER_EV_UNWANT);
	}
	s->many = false;
	if (s->n.speakers)
		arm(s);
}

void speakers_trouble(struct speakers *s, unsigned output)
{
	struct horn *x = output < N ? s->v[output] : NULL;

	if (x && x->call.state == SPEAKER_UP && x->dial)
		dial_refresh(x->dial);
}

/* ------------------------------------------------------------------ to see */

json_t *speakers_json(const struct speakers *s, unsigned output)
{
	static const char *const states[] = {
		[SPEAKER_IDLE] = "idle",
		[SPEAKER_CALLING] = "calling",
		[SPEAKER_UP] = "up",
		[SPEAKER_RETRY] = "retrying",
	};
	const struct horn *x = output < N ? s->v[output] : NULL;
	const bool up = x && x->call.state == SPEAKER_UP;

	if (!x)
		return json_null();
	return json_pack(
		"{s:s,s:o,s:o,s:o,s:b,s:b}", "state",
		up && x->held ? "held" : states[x->call.state], "codec",
		up ? json_string(codec_name(x->codec)) : json_null(), "up_s",
		up ? json_integer(
			     (json_int_t)((clock_mono_us() - x->call.up_us) /
					  1000000))
		   : json_null(),
		"fault",
		x->faulty || *x->astray ? text_json(x->why) : json_null(),
		"keep", x->config->speaker.keep, "encrypted",
		up && x->encrypted);
}

void speakers_counters(const struct speakers *s, struct speakers_counters *c)
{
	*c = s->n;
	c->up = c->faulty = 0;
	for (unsigned i = 0; i < N; i++) {
		c->up += s->v[i] && s->v[i]->call.state == SPEAKER_UP;
		c->faulty += s->v[i] && s->v[i]->faulty;
	}
}
