#include "library.h"

#include "sounds.h"
#include "zones/sound/tone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TONES 96
/** Tones in formats that only callers have. */
#define MAX_PROMPTS 64

struct entry {
	char *name;
	struct clip *clip;
	uint32_t cycles;
	struct message_facts facts;
};

struct library {
	struct message_kit kit;
	struct entry *message;
	size_t n_messages, room;
	struct entry tone[MAX_TONES];
	size_t n_tones;
	struct entry prompt[MAX_PROMPTS];
	size_t n_prompts;
};

static int make_tone(const char *name, uint32_t rate, uint32_t ms,
		     const struct format *f, size_t n, struct clip **cp)
{
	struct pcm p = {.rate = rate};
	int err = tone_make(&p, name, rate, ms);

	if (!err)
		err = clip_alloc(cp, &p, 0, f, n);
	pcm_reset(&p);
	return err;
}

static int tone_clip(const struct library *l, const char *name, uint32_t turns,
		     struct clip **cp)
{
	return make_tone(name, l->kit.rate, turns * tone_cycle_ms(name),
			 l->kit.fmt, l->kit.n_fmt, cp);
}

static void tell(const struct config_message *m, bool warning, const char *why,
		 library_error_h *h, void *arg)
{
	char text[512];

	snprintf(text, sizeof(text), "%smessage \"%s\": %s",
		 warning ? "warning: " : "", m->name, why);
	h(&m->at, text, arg);
}

int library_make(struct clip **cp, struct message_facts *f, const char *name,
		 const struct config_message *base, const struct store_item *i,
		 const char *state_dir, int16_t loudness,
		 const struct message_kit *kit, bool strict, struct reason *why)
{
	const struct store_version *v = store_version(i, 0);
	const bool own = base && (base->n_files || base->text || base->n_parts);
	struct reason first = {""};
	struct config_message m;
	char path[STORE_PATH];
	int err;

	if (!v)
		return message_make(cp, f, base, kit, strict, why);
	store_path(path, state_dir, name, v->number);
	if (message_uploaded(&m, name, base, loudness, path))
		return reason_set(why, ENOMEM, "not enough memory");
	err = message_make(cp, f, &m, kit, own, why);
	config_message_reset(&m);
	if (err && err != ENOMEM && own) {
		first = *why;
		err = message_make(cp, f, base, kit, strict, why);
		f->problem = first;
	}
	f->version = v->number;
	return err;
}

static int message_load(struct library *l, const struct config *c,
			const struct store *store,
			const struct config_message *m, struct entry *e,
			enum library_mode mode, library_error_h *h, void *arg)
{
	struct reason why = {""};
	int err;

	e->name = strdup(m->name);
	if (!e->name)
		return ENOMEM;
	err = library_make(&e->clip, &e->facts, m->name, m,
			   store_find(store, m->name), c->state_dir,
			   c->media.loudness, &l->kit, mode != LIBRARY_START,
			   &why);
	if (err) {
		tell(m, false, why.text, h, arg);
		if (mode != LIBRARY_START)
			return err == ENOMEM ? ENOMEM : EINVAL;
		e->facts = (struct message_facts){.state = MESSAGE_TONE,
						  .problem = why};
		err = tone_clip(l,
				m->emergency ? MESSAGE_ALARM_TONE
					     : MESSAGE_PLAIN_TONE,
				1, &e->clip);
		if (err)
			return err;
		e->facts.ms = clip_ms(e->clip);
	} else if (*e->facts.problem.text && mode == LIBRARY_START) {
		tell(m, false, e->facts.problem.text, h, arg);
	} else if (*e->facts.problem.text && mode == LIBRARY_RELOAD) {
		tell(m, true, e->facts.problem.text, h, arg);
	}
	e->cycles = message_cycles(m, &e->facts);
	return 0;
}

static bool any_text(const struct config *c)
{
	for (size_t i = 0; i < c->n_messages; i++) {
		if (c->messages[i].text)
			return true;
		for (size_t k = 0; k < c->messages[i].n_parts; k++)
			if (c->messages[i].parts[k].text)
				return true;
	}
	return false;
}

/** Formats, rate and speech; false is told. */
static int make_kit(struct library *l, const struct config *c,
		    enum library_mode mode, library_error_h *h, void *arg)
{
	static const struct config_where nowhere;
	struct message_kit *k = &l->kit;
	struct reason why = {""};
	char text[300];

	k->how = mode == LIBRARY_RELOAD ? SPEECH_RENDER : SPEECH_KEPT;
	k->cancel = -1;
	k->n_fmt = sounds_formats(c, k->fmt, &k->n_outputs);
	if (!k->n_fmt) {
		h(c->n_sounds ? &c->sounds[0].at : &nowhere,
		  "the outputs ask for more than 14 different formats (codec, "
		  "rate, packet time and gain together); use fewer different "
		  "gains or packet times",
		  arg);
		return EINVAL;
	}
	for (size_t i = 0; i < k->n_fmt; i++)
		if (k->fmt[i].rate > k->rate)
			k->rate = k->fmt[i].rate;
	if (speech_alloc(&k->speech, c, mode != LIBRARY_CHECK))
		return ENOMEM;
	if (mode == LIBRARY_CHECK && any_text(c) &&
	    speech_ready(k->speech, &why)) {
		snprintf(text, sizeof(text), "warning: speech: %s", why.text);
		h(c->speech.at.file ? &c->speech.at : &nowhere, text, arg);
	}
	return 0;
}

/** A message as a chime: the caller waits for it. Tones were looked at when the
 *  configuration was read. */
static int check_chime(const struct library *l, const char *name,
		       const struct config_where *at, const char *where,
		       library_error_h *h, void *arg)
{
	char text[400];

	for (size_t i = 0; name && i < l->n_messages; i++) {
		const struct entry *e = &l->message[i];

		if (strcmp(e->name, name) || !e->clip ||
		    clip_ms(e->clip) <= CONFIG_CHIME_MAX_MS)
			continue;
		snprintf(text, sizeof(text),
			 "%s: chime: message \"%s\" is %u.%u s long; a chime "
			 "may be %d s long, for the caller waits for it",
			 where, name, clip_ms(e->clip) / 1000,
			 clip_ms(e->clip) % 1000 / 100,
			 CONFIG_CHIME_MAX_MS / 1000);
		h(at, text, arg);
		return EINVAL;
	}
	return 0;
}

int library_check_chimes(const struct library *l, const struct config *c,
			 library_error_h *h, void *arg)
{
	int err = check_chime(l, c->sip.chime, &c->sip.chime_at, "sip", h, arg);

	for (size_t i = 0; i < c->n_zones; i++) {
		const struct config_zone *z = &c->zones[i];
		char where[CONFIG_MAX_NAME + 8];

		snprintf(where, sizeof(where), "zone \"%s\"", z->name);
		if (check_chime(l, z->chime, &z->chime_at, where, h, arg))
			err = EINVAL;
	}
	return err;
}

/** Those that the configuration does not name. */
static int load_uploads(struct library *l, const struct config *c,
			const struct store *store)
{
	int err = 0;

	for (size_t i = 0; !err && i < store->n; i++) {
		const char *name = store->v[i].name;
		struct entry *e = &l->message[l->n_messages];
		struct reason why;

		if (config_message_find(c, name) >= 0)
			continue;
		e->name = strdup(name);
		e->cycles = 1;
		err = !e->name ? ENOMEM
			       : library_make(&e->clip, &e->facts, name, NULL,
					      &store->v[i], c->state_dir,
					      c->media.loudness, &l->kit, false,
					      &why);
		l->n_messages++;
	}
	return err;
}

int library_build(struct library **lp, const struct config *c,
		  enum library_mode mode, library_error_h *h, void *arg)
{
	struct library *l = calloc(1, sizeof(*l));
	struct store store = {.n = 0};
	int err;

	if (!l)
		return ENOMEM;
	err = make_kit(l, c, mode, h, arg);
	if (err)
		goto out;
	l->room = c->n_messages + STORE_MAX_ITEMS;
	l->message = calloc(l->room, sizeof(*l->message));
	if (!l->message || store_load(&store, c->state_dir)) {
		err = ENOMEM;
		goto out;
	}
	for (size_t i = 0; i < c->n_messages; i++) {
		int e = message_load(l, c, &store, &c->messages[i],
				     &l->message[i], mode, h, arg);

		l->n_messages = i + 1;
		if (e && err != ENOMEM)
			err = e;
	}
	if (!err)
		err = load_uploads(l, c, &store);
	/* At the start pages go without it rather than nothing at all. */
	if (!err && library_check_chimes(l, c, h, arg) && mode != LIBRARY_START)
		err = EINVAL;
	if (!err && mode == LIBRARY_RELOAD)
		speech_prune(l->kit.speech);
out:
	store_reset(&store);
	if (err)
		library_free(l);
	else
		*lp = l;
	return err;
}

struct library *library_free(struct library *l)
{
	if (!l)
		return NULL;
	for (size_t i = 0; i < l->n_messages; i++) {
		clip_unref(l->message[i].clip);
		free(l->message[i].name);
	}
	for (size_t i = 0; i < l->n_tones; i++) {
		clip_unref(l->tone[i].clip);
		free(l->tone[i].name);
	}
	for (size_t i = 0; i < l->n_prompts; i++) {
		clip_unref(l->prompt[i].clip);
		free(l->prompt[i].name);
	}
	free(l->message);
	speech_unref(l->kit.speech);
	free(l);
	return NULL;
}

static struct entry *find(const struct library *l, const char *name)
{
	for (size_t i = 0; i < l->n_messages; i++)
		if (!strcmp(l->message[i].name, name))
			return &l->message[i];
	return NULL;
}

struct clip *library_message(struct library *l, const char *name)
{
	const struct entry *e = find(l, name);

	return e ? e->clip : NULL;
}

bool library_is_fallback(const struct library *l, const char *name)
{
	const struct entry *e = find(l, name);

	return e && e->facts.state == MESSAGE_TONE;
}

const struct message_facts *library_facts(const struct library *l,
					  const char *name)
{
	const struct entry *e = find(l, name);

	return e ? &e->facts : NULL;
}

void library_replace(struct library *l, const struct config_message *m,
		     struct clip *clip, const struct message_facts *f)
{
	struct entry *e = find(l, m->name);

	if (!e && l->n_messages < l->room) {
		e = &l->message[l->n_messages];
		e->name = strdup(m->name);
		if (e->name)
			l->n_messages++;
		else
			e = NULL;
	}
	if (!e) {
		clip_unref(clip);
		return;
	}
	clip_unref(e->clip);
	e->clip = clip;
	e->facts = *f;
	e->cycles = message_cycles(m, f);
}

void library_remove(struct library *l, const char *name)
{
	struct entry *e = find(l, name);

	if (!e)
		return;
	clip_unref(e->clip);
	free(e->name);
	memmove(e, e + 1,
		(size_t)(&l->message[--l->n_messages] - e) * sizeof(*e));
	l->message[l->n_messages] = (struct entry){0};
}

const char *library_name(const struct library *l, size_t i)
{
	return i < l->n_messages ? l->message[i].name : NULL;
}

const struct message_kit *library_kit(const struct library *l)
{
	return &l->kit;
}

/** A tone of so many of its cycles, made when first asked for. */
static struct clip *tone(struct library *l, const char *name, uint32_t turns)
{
	struct entry *e;

	for (size_t i = 0; i < l->n_tones; i++)
		if (!strcmp(l->tone[i].name, name) &&
		    l->tone[i].facts.turns == turns)
			return l->tone[i].clip;
	if (l->n_tones == MAX_TONES || !tone_title(name))
		return NULL;
	e = &l->tone[l->n_tones];
	e->name = strdup(name);
	e->facts.turns = turns;
	if (!e->name || tone_clip(l, name, turns, &e->clip)) {
		free(e->name);
		e->name = NULL;
		return NULL;
	}
	l->n_tones++;
	return e->clip;
}

struct clip *library_tone(struct library *l, const char *name)
{
	return tone(l, name, 1);
}

struct clip *library_tone_loop(struct library *l, const char *name,
			       uint32_t *cycles)
{
	uint32_t ms = tone_cycle_ms(name);
	uint32_t turns = ms ? message_turns(&l->kit, ms) : 1;

	*cycles = (*cycles + turns - 1) / turns;
	return tone(l, name, turns);
}

struct clip *library_prompt(struct library *l, const char *name,
			    const struct format *f)
{
	struct clip *c = library_tone(l, name);
	struct entry *e;

	if (!c || clip_format(c, f) >= 0)
		return c;
	for (size_t i = 0; i < l->n_prompts; i++)
		if (!strcmp(l->prompt[i].name, name) &&
		    clip_format(l->prompt[i].clip, f) >= 0)
			return l->prompt[i].clip;
	if (l->n_prompts == MAX_PROMPTS)
		return c;
	e = &l->prompt[l->n_prompts];
	e->name = strdup(name);
	if (!e->name || make_tone(name, f->rate, 0, f, 1, &e->clip)) {
		free(e->name);
		e->name = NULL;
		return c;
	}
	l->n_prompts++;
	return e->clip;
}

struct clip *library_heard(struct library *l, const char *name,
			   const char *instead, const struct format *f)
{
	struct clip *c = library_message(l, name);

	if (c && clip_format(c, f) >= 0)
		return c;
	c = library_prompt(l, c ? instead : name, f);
	return c ? c : library_prompt(l, instead, f);
}

struct clip *library_chime(struct library *l, const char *name)
{
	struct clip *c = library_message(l, name);

	if (!c)
		c = library_tone(l, name);
	return c && clip_ms(c) > CONFIG_CHIME_MAX_MS
		       ? library_tone(l, MESSAGE_PLAIN_TONE)
		       : c;
}

struct clip *library_page_chime(struct library *l, const struct config *c,
				int zone)
{
	const char *name =
		c->zones[zone].chime ? c->zones[zone].chime : c->sip.chime;

	return name && *name ? library_chime(l, name) : NULL;
}

uint32_t library_cycles(const struct library *l, const char *name)
{
	const struct entry *e = find(l, name);

	return e ? e->cycles : 1;
}

size_t library_bytes(const struct library *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_messages; i++)
		n += clip_bytes(l->message[i].clip);
	for (size_t i = 0; i < l->n_tones; i++)
		n += clip_bytes(l->tone[i].clip);
	for (size_t i = 0; i < l->n_prompts; i++)
		n += clip_bytes(l->prompt[i].clip);
	return n;
}
