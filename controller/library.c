#include "library.h"

#include "sounds.h"
#include "zones/sound/tone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FALLBACK_GAP_MS 0
#define MAX_TONES 64

struct entry {
	char *name;
	struct clip *clip;
	uint32_t cycles;
	bool fallback;
};

struct library {
	struct format fmt[CLIP_MAX_FORMATS];
	size_t n_fmt;
	size_t n_outputs; /**< the first of them: formats of outputs */
	uint32_t rate; /**< sound is put together at the highest rate wanted */
	struct entry *message;
	size_t n_messages;
	struct entry tone[MAX_TONES];
	size_t n_tones;
};

static int tone_clip(const struct library *l, const char *name, uint32_t gap_ms,
		     struct clip **cp)
{
	struct pcm p = {.rate = l->rate};
	int err = tone_make(&p, name, l->rate, 0);

	if (!err)
		err = clip_alloc(cp, &p, gap_ms, l->fmt, l->n_fmt);
	pcm_reset(&p);
	return err;
}

static int message_pcm(const struct library *l, const struct config_message *m,
		       struct pcm *sound, struct reason *why)
{
	int err = 0;

	sound->rate = l->rate;
	if (m->tone) {
		err = tone_make(sound, m->tone, l->rate, m->tone_ms);
		if (err)
			return reason_set(why, err, "tone \"%s\": %s", m->tone,
					  strerror(err));
	}
	for (size_t i = 0; !err && i < m->n_files; i++) {
		struct pcm one = {0};

		err = pcm_load(&one, m->files[i], why);
		/* Looked at before they are joined: many long files would take
		 * gigabytes only to be refused. */
		if (!err &&
		    sound->n / l->rate + one.n / one.rate >= CLIP_MAX_SECONDS)
			err = reason_set(why, EFBIG,
					 "its files together last longer than "
					 "%d s; shorten or split it",
					 CLIP_MAX_SECONDS);
		if (!err && pcm_append(sound, &one))
			err = reason_set(why, ENOMEM, "not enough memory");
		pcm_reset(&one);
	}
	return err;
}

static int message_load(struct library *l, const struct config_message *m,
			struct entry *e, bool strict, library_error_h *h,
			void *arg)
{
	struct pcm sound = {0};
	struct reason why = {""};
	int err;

	e->name = strdup(m->name);
	if (!e->name)
		return ENOMEM;
	err = message_pcm(l, m, &sound, &why);
	if (!err) {
		err = clip_alloc(&e->clip, &sound, m->gap_ms, l->fmt,
				 l->n_outputs);
		if (err)
			reason_set(&why, err, "cannot be encoded: %s",
				   strerror(err));
	}
	pcm_reset(&sound);
	if (err) {
		char text[384];

		snprintf(text, sizeof(text), "message \"%s\": %s", m->name,
			 why.text);
		h(&m->at, text, arg);
		if (strict)
			return err == ENOMEM ? ENOMEM : EINVAL;
		e->fallback = true;
		err = tone_clip(l, LIBRARY_FALLBACK_TONE, FALLBACK_GAP_MS,
				&e->clip);
		if (err)
			return err;
	}
	e->cycles = m->cycles;
	if (m->for_ms) {
		uint32_t cycle = clip_ms(e->clip) + m->gap_ms;

		e->cycles = cycle ? (m->for_ms + cycle - 1) / cycle : 1;
	}
	return 0;
}

int library_build(struct library **lp, const struct config *c, bool strict,
		  library_error_h *h, void *arg)
{
	struct library *l = calloc(1, sizeof(*l));
	int err = 0;

	if (!l)
		return ENOMEM;
	l->n_fmt = sounds_formats(c, l->fmt, &l->n_outputs);
	if (!l->n_fmt) {
		static const struct config_where nowhere;

		h(c->n_sounds ? &c->sounds[0].at : &nowhere,
		  "the outputs ask for more than 14 different formats (codec, "
		  "rate, packet time and gain together); use fewer different "
		  "gains or packet times",
		  arg);
		err = EINVAL;
		goto out;
	}
	for (size_t i = 0; i < l->n_fmt; i++)
		if (l->fmt[i].rate > l->rate)
			l->rate = l->fmt[i].rate;
	l->message = calloc(c->n_messages + 1, sizeof(*l->message));
	if (!l->message) {
		err = ENOMEM;
		goto out;
	}
	for (size_t i = 0; i < c->n_messages; i++) {
		int e = message_load(l, &c->messages[i], &l->message[i], strict,
				     h, arg);

		l->n_messages = i + 1;
		if (e && err != ENOMEM)
			err = e;
	}
out:
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
	free(l->message);
	free(l);
	return NULL;
}

static const struct entry *find(const struct library *l, const char *name)
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

	return e && e->fallback;
}

struct clip *library_tone(struct library *l, const char *name)
{
	struct entry *e;

	for (size_t i = 0; i < l->n_tones; i++)
		if (!strcmp(l->tone[i].name, name))
			return l->tone[i].clip;
	if (l->n_tones == MAX_TONES || !tone_title(name))
		return NULL;
	e = &l->tone[l->n_tones];
	e->name = strdup(name);
	if (!e->name || tone_clip(l, name, 0, &e->clip)) {
		free(e->name);
		e->name = NULL;
		return NULL;
	}
	l->n_tones++;
	return e->clip;
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
	return n;
}
