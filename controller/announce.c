#include "announce.h"

#include "controller/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_US 60000000
/** How a text of the moment is put together. */
#define TEXT_PAUSE_MS 300
#define TEXT_GAP_MS 1000
/** A text may wait for another before it. */
#define QUEUE_MS 2000
#define PREFIX "text:"

struct announce {
	struct faults *faults;
	struct spoken *spoken;
	const struct config *config;
	struct library *library;
	unsigned generation;
	uint64_t next_us;
	size_t remaking, texts;
};

struct asked {
	struct announce *a;
	char key[SPEECH_KEY_SIZE];
	announce_h *h;
	void *arg;
};

struct remade {
	struct announce *a;
	unsigned generation;
	size_t message;
};

int announce_alloc(struct announce **ap, struct faults *f)
{
	struct announce *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return ENOMEM;
	a->faults = f;
	err = spoken_alloc(&a->spoken);
	if (err)
		free(a);
	else
		*ap = a;
	return err;
}

struct announce *announce_free(struct announce *a)
{
	if (!a)
		return NULL;
	a->spoken = spoken_free(a->spoken);
	free(a);
	return NULL;
}

unsigned announce_generation(const struct announce *a)
{
	return a->generation;
}

/* ------------------------------------------------------------------ faults */

static void on_long_chime(const struct config_where *at, const char *text,
			  void *arg)
{
	struct reason *first = arg;

	(void)at;
	if (!*first->text)
		reason_set(first, EINVAL, "%s", text);
}

/** How long a spoken chime is shows when it is spoken. */
static void check_chimes(struct announce *a)
{
	struct reason first = {""};

	if (!library_check_chimes(a->library, a->config, on_long_chime, &first))
		fault_clear(a->faults, "chime");
	else
		fault_raise(a->faults, "chime", 0,
			    "Make this message shorter, or name another as "
			    "chime, and reload.",
			    "%s; tone \"%s\" sounds in its place", first.text,
			    MESSAGE_PLAIN_TONE);
}

static void tell_message(struct announce *a, const char *name)
{
	const struct message_facts *f = library_facts(a->library, name);
	char key[96];

	snprintf(key, sizeof(key), "message:%s", name);
	if (!f || !*f->problem.text) {
		fault_clear(a->faults, key);
		return;
	}
	fault_raise(a->faults, key, 0,
		    f->unspoken ? "See that the program of the speech section "
				  "is installed and speaks this voice; it is "
				  "tried again every minute."
		    : f->attention
			    ? "Make the words of this section shorter or "
			      "longer, or give the message a tone in its "
			      "place, and reload."
			    : "Upload a good file for it (tocsinctl "
			      "messages upload), or put one in the place of "
			      "its own and reload.",
		    "message \"%s\": %s; %s", name, f->problem.text,
		    f->state == MESSAGE_TONE      ? "a tone sounds in its place"
		    : f->state == MESSAGE_PARTIAL ? "the rest of it sounds"
						  : "it sounds so");
}

void announce_message(struct announce *a, const char *name)
{
	tell_message(a, name);
	check_chimes(a);
}

/** Stands the fault of a message still? It is renewed then, not cleared. */
static bool stands(const char *key, void *arg)
{
	const struct announce *a = arg;
	const struct message_facts *f =
		library_facts(a->library, key + strlen("message:"));

	return f && *f->problem.text;
}

void announce_configure(struct announce *a, const struct config *c,
			struct library *l)
{
	const char *name;

	a->config = c;
	a->library = l;
	a->generation++;
	a->next_us = 0;
	fault_clear_prefix(a->faults, "message:", stands, a);
	for (size_t i = 0; (name = library_name(l, i)); i++)
		tell_message(a, name);
	check_chimes(a);
}

/* ------------------------------------------------------------------- again */

static void on_remade(struct clip *clip, const struct message_facts *f,
		      const struct reason *why, void *arg)
{
	struct remade *r = arg;
	struct announce *a = r->a;
	const struct message_facts *now =
		r->generation == a->generation
			? library_facts(a->library,
					a->config->messages[r->message].name)
			: NULL;

	(void)why;
	a->remaking--;
	/* Meanwhile an upload may have taken the place of its words. */
	if (!clip || !now || now->version) {
		clip_unref(clip);
	} else {
		const struct config_message *m =
			&a->config->messages[r->message];

		library_replace(a->library, m, clip, f);
		announce_message(a, m->name);
	}
	free(r);
}

void announce_watch(struct announce *a)
{
	uint64_t now = clock_mono_us();
	struct message_kit kit;

	if (!a->config || a->remaking || now < a->next_us)
		return;
	a->next_us = now + AGAIN_US;
	kit = *library_kit(a->library);
	for (size_t i = 0; i < a->config->n_messages; i++) {
		const struct config_message *m = &a->config->messages[i];
		const struct message_facts *f =
			library_facts(a->library, m->name);
		struct remade *r;

		if (!f || !f->unspoken)
			continue;
		r = malloc(sizeof(*r));
		if (!r)
			return;
		*r = (struct remade){a, a->generation, i};
		if (spoken_make(a->spoken, m, &kit, false, UINT32_MAX / 2,
				on_remade, r))
			free(r);
		else
			a->remaking++;
	}
}

/* ------------------------------------------------------------------- texts */

static void on_said(struct clip *clip, const struct message_facts *f,
		    const struct reason *why, void *arg)
{
	struct asked *q = arg;
	struct announce *a = q->a;
	struct announced r = {.clip = clip};

	a->texts--;
	snprintf(r.message, sizeof(r.message), PREFIX "%s", q->key);
	r.words = clip && f->state == MESSAGE_READY;
	r.why = clip ? f->problem : *why;
	if (r.words)
		fault_clear(a->faults, "speech");
	else
		fault_raise(a->faults, "speech", 0,
			    "See that the program of the speech section is "
			    "installed and speaks this voice; the next text "
			    "that is spoken takes this fault off the list.",
			    "%s", r.why.text);
	q->h(&r, q->arg);
	clip_unref(clip);
	free(q);
}

/** Its strings are the text's. */
static struct config_message message_of(const struct announce *a,
					const struct announce_text *t)
{
	return (struct config_message){
		.name = (char *)(uintptr_t) "text",
		.tone = (char *)(uintptr_t)t->tone,
		.text = (char *)(uintptr_t)t->text,
		.voice = (char *)(uintptr_t)t->voice,
		.pause_ms = TEXT_PAUSE_MS,
		.gap_ms = TEXT_GAP_MS,
		.loudness = a->config->media.loudness,
		.cycles = 1,
		.emergency = t->urgent,
	};
}

int announce_say(struct announce *a, const struct announce_text *t,
		 announce_h *h, void *arg, struct reason *why)
{
	struct message_kit kit = *library_kit(a->library);
	struct config_message m = message_of(a, t);
	uint32_t limit = speech_limit_ms(kit.speech);
	struct asked *q;
	int err;

	if (a->texts >= ANNOUNCE_MAX_TEXTS)
		return reason_set(why, ENOSPC,
				  "%d texts wait to be spoken already; try "
				  "again",
				  ANNOUNCE_MAX_TEXTS);
	if (t->urgent && limit > ANNOUNCE_URGENT_MS)
		limit = ANNOUNCE_URGENT_MS;
	kit.limit_ms = limit;
	q = calloc(1, sizeof(*q));
	if (!q)
		return reason_set(why, ENOMEM, "not enough memory");
	q->a = a;
	q->h = h;
	q->arg = arg;
	speech_key(kit.speech, t->text, t->voice, q->key);
	err = spoken_make(a->spoken, &m, &kit, t->urgent,
			  t->urgent ? limit : limit + QUEUE_MS, on_said, q);
	if (err) {
		free(q);
		return reason_set(why, err,
				  err == ENOSPC ? "too many messages wait to "
						  "be spoken; try again"
						: "no thread to speak in");
	}
	a->texts++;
	return 0;
}

struct clip *announce_again(struct announce *a, const struct announce_text *t,
			    bool *words)
{
	struct message_kit kit = *library_kit(a->library);
	struct config_message m = message_of(a, t);
	struct message_facts f;
	struct reason why;
	struct clip *clip = NULL;

	kit.how = SPEECH_KEPT;
	*words = !message_make(&clip, &f, &m, &kit, false, &why) &&
		 f.state == MESSAGE_READY;
	return clip;
}
