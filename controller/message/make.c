#include "make.h"

#include "zones/sound/loudness.h"
#include "zones/sound/tone.h"
#include "zones/sound/trim.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** ISO 7240-16 7.2.2. */
#define MAX_SILENCE_MS 10000
#define MAX_BETWEEN_MS 30000
/** Below this, -60 dBFS, nobody hears it; looked at in steps of 10 ms. */
#define SILENT 33
#define STEP_MS 10
/** Packets last 60 ms at most, and no tone is made longer than this for it. */
#define MAX_TURNS 60
/** Between the pieces and the rounds of one that is only uploaded. */
#define UPLOADED_PAUSE_MS 300
#define UPLOADED_GAP_MS 1000
#define MAX_TURNS_MS 60000

struct make {
	const struct config_message *m;
	const struct message_kit *kit;
	struct message_facts *f;
	struct pcm sound;
	size_t words_at; /**< where the words begin */
	size_t words;    /**< pieces of them that are there */
	size_t missing;
	uint32_t attention_ms; /**< of a part that stands for the tone */
	struct loudness part;  /**< of the words added last */
	bool strict;
};

/** Puts a piece behind what there is, after the pause. */
static int add(struct make *k, const struct pcm *p, struct reason *why)
{
	struct pcm *s = &k->sound;
	int err = 0;

	/* Looked at before they are joined: many long files would take
	 * gigabytes only to be refused. */
	if (s->n / s->rate + p->n / p->rate >= CLIP_MAX_SECONDS)
		return reason_set(why, EFBIG,
				  "its parts together last longer than %d s; "
				  "shorten or split it",
				  CLIP_MAX_SECONDS);
	if (s->n && k->m->pause_ms)
		err = pcm_append_silence(s, k->m->pause_ms);
	if (!err)
		err = pcm_append(s, p);
	return err ? reason_set(why, ENOMEM, "not enough memory") : 0;
}

static int add_tone(struct make *k, const char *name, uint32_t ms,
		    struct reason *why)
{
	struct pcm p = {0};
	int err = tone_make(&p, name, k->kit->rate, ms);

	if (err)
		reason_set(why, err, "tone \"%s\": %s", name, strerror(err));
	else
		err = add(k, &p, why);
	pcm_reset(&p);
	return err;
}

/** Brings words to their loudness. *after: how loud they are then, where that
 *  follows without measuring again; else its lufs is NaN. */
static int align(const struct config_message *m, struct pcm *p,
		 struct loudness *after)
{
	double gain = m->gain_cb / 10.0;

	after->lufs = NAN;
	/* As it is, to the last bit. */
	if (m->loudness == CONFIG_LOUDNESS_OFF && !m->gain_cb)
		return 0;
	if (m->loudness != CONFIG_LOUDNESS_OFF) {
		double raise;

		if (loudness_measure(p, after))
			return ENOMEM;
		raise = m->loudness / 10.0 - after->lufs;
		/* Minus infinity: nothing the ear would weigh. */
		gain += !isfinite(raise) || raise > LOUDNESS_MAX_RAISE_DB
				? LOUDNESS_MAX_RAISE_DB
				: raise;
		after->lufs += gain;
		after->peak_db += gain;
		if (after->peak_db > MESSAGE_CEILING_DB)
			after->lufs = NAN;
	}
	return loudness_gain(p, gain, MESSAGE_CEILING_DB);
}

static int add_words(struct make *k, struct pcm *p, struct reason *why)
{
	int err = align(k->m, p, &k->part)
			  ? reason_set(why, ENOMEM, "not enough memory")
			  : 0;

	if (!err && !k->words)
		k->words_at = k->sound.n +
			      (k->sound.n ? (size_t)((uint64_t)k->m->pause_ms *
						     k->sound.rate / 1000)
					  : 0);
	if (!err)
		err = add(k, p, why);
	k->words += !err;
	pcm_reset(p);
	return err;
}

/** A piece that cannot be had: told once, the first counts. */
static void miss(struct make *k, const struct reason *why)
{
	if (!k->missing++)
		k->f->problem = *why;
}

static int add_file(struct make *k, const char *path, struct reason *why)
{
	struct pcm p = {0};
	int err = pcm_load(&p, path, why);

	if (!err)
		return add_words(k, &p, why);
	if (k->strict || err == ENOMEM)
		return err;
	miss(k, why);
	return 0;
}

static int add_text(struct make *k, const char *text, const char *voice,
		    struct reason *why)
{
	const struct message_kit *kit = k->kit;
	struct pcm p = {0};
	struct reason said = {""}, full = {""};

	if (!speech_say(kit->speech, text, voice, kit->how,
			kit->limit_ms ? kit->limit_ms
				      : speech_limit_ms(kit->speech),
			kit->cancel, &p, &said))
		return add_words(k, &p, why);
	reason_set(&full, EAGAIN, "text \"%.40s\"%s cannot be spoken: %s", text,
		   strlen(text) > 40 ? "..." : "", said.text);
	miss(k, &full);
	k->f->unspoken = true;
	return 0;
}

static int add_part(struct make *k, const struct config_part *p,
		    struct reason *why)
{
	return p->file ? add_file(k, p->file, why)
		       : add_text(k, p->text, p->voice, why);
}

/** The part that stands for the tone: only now its length is known. */
static int add_attention(struct make *k, const struct config_part *p,
			 struct reason *why)
{
	const size_t before = k->sound.n;
	struct reason bad = {""};
	int err = add_part(k, p, why);
	size_t n;

	if (!err && !k->words)
		return add_tone(k, MESSAGE_ALARM_TONE, MESSAGE_ATTENTION_MS,
				why);
	if (err)
		return err;
	n = k->sound.n - k->words_at;
	k->attention_ms = (uint32_t)((uint64_t)n * 1000 / k->sound.rate);
	if (k->attention_ms >= CONFIG_ATTENTION_MIN_MS &&
	    k->attention_ms <= CONFIG_ATTENTION_MAX_MS)
		return 0;
	reason_set(
		&bad, EINVAL,
		"say \"%s\" lasts %.1f s, but an alarm broadcasts it at "
		"level 200 or above, where ISO 7240-16 7.2.2 wants 3 s to 10 "
		"s before the words",
		p->name, k->attention_ms / 1000.0);
	if (k->strict && p->file) {
		*why = bad;
		return EINVAL;
	}
	n = strlen(bad.text);
	snprintf(bad.text + n, sizeof(bad.text) - n,
		 "; tone \"%s\" sounds for %d s in its place",
		 MESSAGE_ALARM_TONE, MESSAGE_ATTENTION_MS / 1000);
	miss(k, &bad);
	k->f->attention = true;
	k->sound.n = before;
	k->words = 0;
	k->attention_ms = MESSAGE_ATTENTION_MS;
	return add_tone(k, MESSAGE_ALARM_TONE, MESSAGE_ATTENTION_MS, why);
}

static int add_all_words(struct make *k, struct reason *why)
{
	const struct config_message *m = k->m;
	int err = 0;

	for (size_t i = 0; !err && i < m->n_files; i++)
		err = add_file(k, m->files[i], why);
	if (!err && m->text)
		err = add_text(k, m->text, m->voice, why);
	if (m->upload && !m->n_files && !m->text && !m->n_parts) {
		reason_set(why, ENOENT,
			   "nothing has been uploaded yet (tocsinctl messages "
			   "upload %s FILE)",
			   m->name);
		miss(k, why);
	}
	for (size_t i = 0; !err && i < m->n_parts; i++)
		err = !i && m->attention && m->emergency
			      ? add_attention(k, &m->parts[i], why)
			      : add_part(k, &m->parts[i], why);
	return err;
}

/** The tone again within the gap: as seldom as keeps every silence within
 *  10 s. What is left of the gap follows the last one. */
static int fill_gap(struct make *k, struct reason *why)
{
	const struct config_message *m = k->m;
	struct pcm p = {0};
	uint32_t ms, n = 0, silence = m->gap_ms;
	int err;

	k->f->gap_ms = m->gap_ms;
	if (!m->gap_tone || !m->tone || m->gap_ms <= MAX_SILENCE_MS)
		return 0;
	err = tone_make(&p, m->tone, k->kit->rate, m->tone_ms);
	if (err)
		return reason_set(why, err, "tone \"%s\": %s", m->tone,
				  strerror(err));
	ms = (uint32_t)(p.n * 1000 / p.rate);
	while (silence > MAX_SILENCE_MS && (n + 1) * ms < m->gap_ms) {
		n++;
		silence = (m->gap_ms - n * ms) / (n + 1);
	}
	for (uint32_t i = 0; !err && i < n; i++)
		err = pcm_append_silence(&k->sound, silence) ||
				      pcm_append(&k->sound, &p)
			      ? ENOMEM
			      : 0;
	pcm_reset(&p);
	k->f->gap_ms = silence;
	return err ? reason_set(why, err, "not enough memory") : 0;
}

/** Longest silence of a cycle; joined over the gap when it goes round. */
static uint32_t longest_silence(const struct make *k, bool round)
{
	const struct pcm *p = &k->sound;
	size_t step = p->rate * STEP_MS / 1000, n = p->n / step;
	uint32_t run = 0, most = 0, first = 0;
	bool begun = false;

	for (size_t i = 0; i < n; i++) {
		bool silent = true;

		for (size_t j = i * step; silent && j < (i + 1) * step; j++)
			silent = abs(p->v[j]) < SILENT;
		run = silent ? run + STEP_MS : 0;
		if (!silent)
			begun = true;
		if (!begun)
			first = run;
		most = run > most ? run : most;
	}
	if (round && run + k->f->gap_ms + first > most)
		most = run + k->f->gap_ms + first;
	return most;
}

static int measure(struct make *k)
{
	struct loudness l;
	struct pcm words = k->sound;

	if (k->words == 1 && !isnan(k->part.lufs)) {
		k->f->lufs = k->part.lufs;
		k->f->peak_db = k->part.peak_db;
		return 0;
	}
	if (k->words) {
		words.v += k->words_at;
		words.n -= k->words_at;
	}
	if (loudness_measure(&words, &l))
		return ENOMEM;
	k->f->lufs = l.lufs;
	k->f->peak_db = l.peak_db;
	return 0;
}

uint32_t message_turns(const struct message_kit *kit, uint32_t cycle_ms)
{
	for (uint32_t n = 1; n <= MAX_TURNS; n++) {
		bool whole = n * cycle_ms <= MAX_TURNS_MS || n == 1;

		for (size_t i = 0; whole && i < kit->n_outputs; i++)
			whole = !(n * cycle_ms % kit->fmt[i].ptime_ms);
		if (whole)
			return n;
	}
	return 1;
}

/** A tone alone that goes round without a gap. */
static int loop_tone(struct make *k, uint32_t cycle_ms, struct reason *why)
{
	struct pcm one = k->sound;
	int err = 0;

	k->f->turns = message_turns(k->kit, cycle_ms);
	if (k->f->turns < 2)
		return 0;
	k->sound = (struct pcm){.rate = one.rate};
	for (uint32_t i = 0; !err && i < k->f->turns; i++)
		err = pcm_append(&k->sound, &one);
	pcm_reset(&one);
	return err ? reason_set(why, ENOMEM, "not enough memory") : 0;
}

/** From the last words of one cycle to the first of the next. */
static uint32_t between_ms(const struct make *k)
{
	const struct config_message *m = k->m;

	return m->gap_ms + k->attention_ms + m->pause_ms +
	       (m->chime ? tone_cycle_ms(m->chime) + m->pause_ms : 0);
}

static const char *substitute(const struct config_message *m)
{
	return m->emergency ? MESSAGE_ALARM_TONE : MESSAGE_PLAIN_TONE;
}

static int assemble(struct make *k, struct reason *why)
{
	const struct config_message *m = k->m;
	const bool repeats = m->cycles != 1 || m->for_ms;
	int err = 0;

	if (m->chime)
		err = add_tone(k, m->chime, 0, why);
	if (!err && m->tone)
		err = add_tone(k, m->tone, m->tone_ms, why);
	if (!err)
		err = add_all_words(k, why);
	if (!err && !k->sound.n)
		err = add_tone(k, substitute(m), 0, why);
	if (!err && repeats && !k->words && !m->chime && !m->gap_ms)
		err = loop_tone(
			k,
			(uint32_t)((uint64_t)k->sound.n * 1000 / k->sound.rate),
			why);
	if (!err && measure(k))
		err = reason_set(why, ENOMEM, "not enough memory");
	if (!err)
		err = fill_gap(k, why);
	if (err)
		return err;
	k->f->state = !k->missing ? MESSAGE_READY
		      : k->words  ? MESSAGE_PARTIAL
				  : MESSAGE_TONE;
	k->f->silence_ms = longest_silence(k, repeats);
	if (repeats && k->attention_ms && between_ms(k) > MAX_BETWEEN_MS) {
		reason_set(why, EINVAL,
			   "%.1f s pass from its last words to its next first "
			   "ones (gap, chime and say \"%s\" together), but an "
			   "alarm broadcasts it at level 200 or above: ISO "
			   "7240-16 7.2.2 allows 30 s; shorten gap",
			   between_ms(k) / 1000.0, m->parts[0].name);
		if (k->strict)
			return EINVAL;
		if (!*k->f->problem.text)
			k->f->problem = *why;
	}
	if (m->emergency && repeats && k->f->silence_ms > MAX_SILENCE_MS) {
		reason_set(why, EINVAL,
			   "it is silent for %.1f s on end, but an alarm "
			   "broadcasts it at level 200 or above: ISO 7240-16 "
			   "7.2.2 allows 10 s; cut the silence out of its "
			   "files or shorten gap",
			   k->f->silence_ms / 1000.0);
		if (k->strict)
			return EINVAL;
		if (!*k->f->problem.text)
			k->f->problem = *why;
	}
	return 0;
}

/** Encodes what was put together. */
static int encode(struct make *k, struct clip **cp, struct reason *why)
{
	int err = clip_alloc(cp, &k->sound, k->f->gap_ms, k->kit->fmt,
			     k->kit->n_outputs);

	if (err)
		return reason_set(why, err, "cannot be encoded: %s",
				  strerror(err));
	k->f->ms = clip_ms(*cp);
	return 0;
}

int message_make(struct clip **cp, struct message_facts *f,
		 const struct config_message *m, const struct message_kit *kit,
		 bool strict, struct reason *why)
{
	struct make k = {.m = m,
			 .kit = kit,
			 .f = f,
			 .sound = {.rate = kit->rate},
			 .strict = strict};
	int err;

	*f = (struct message_facts){0};
	err = assemble(&k, why);
	if (!err)
		err = encode(&k, cp, why);
	pcm_reset(&k.sound);
	return err;
}

int message_sound(struct pcm *p, struct message_facts *f,
		  const struct config_message *m, const struct message_kit *kit,
		  struct reason *why)
{
	struct make k = {
		.m = m, .kit = kit, .f = f, .sound = {.rate = kit->rate}};
	int err;

	*f = (struct message_facts){0};
	err = assemble(&k, why);
	if (!err && pcm_append_silence(&k.sound, f->gap_ms))
		err = reason_set(why, ENOMEM, "not enough memory");
	if (err)
		pcm_reset(&k.sound);
	*p = k.sound;
	return err;
}

int message_of_speech(struct clip **cp, struct message_facts *f,
		      const struct config_message *m,
		      const struct message_kit *kit, struct pcm *p,
		      uint32_t min_ms, struct reason *why)
{
	struct make k = {
		.m = m, .kit = kit, .f = f, .sound = {.rate = kit->rate}};
	struct trim_span span;
	int err;

	*f = (struct message_facts){0};
	trim_find(p, &span);
	if (!span.spoken_ms || span.spoken_ms < min_ms) {
		pcm_reset(p);
		return reason_set(why, ENODATA,
				  span.spoken_ms ? "only %.1f s of speech in it"
						 : "nothing was said in it",
				  span.spoken_ms / 1000.0);
	}
	trim_cut(p, &span);
	err = add_words(&k, p, why);
	if (!err && measure(&k))
		err = reason_set(why, ENOMEM, "not enough memory");
	if (!err)
		err = encode(&k, cp, why);
	pcm_reset(&k.sound);
	return err;
}

uint32_t message_cycles(const struct config_message *m,
			const struct message_facts *f)
{
	uint32_t cycle = f->ms + f->gap_ms;

	if (!m->for_ms && f->turns > 1)
		return (m->cycles + f->turns - 1) / f->turns;
	if (!m->for_ms)
		return m->cycles;
	return cycle ? (m->for_ms + cycle - 1) / cycle : 1;
}

/* -------------------------------------------------------------------- copy */

static int copy_text(char **to, const char *s)
{
	*to = s ? strdup(s) : NULL;
	return s && !*to ? ENOMEM : 0;
}

int message_copy(struct config_message *to, const struct config_message *m)
{
	int err;

	*to = *m;
	to->name = to->chime = to->tone = to->text = to->voice = NULL;
	to->n_files = to->n_parts = 0;
	to->files = calloc(m->n_files + 1, sizeof(*to->files));
	to->parts = calloc(m->n_parts + 1, sizeof(*to->parts));
	err = !to->files || !to->parts ? ENOMEM : 0;
	err = err ? err : copy_text(&to->name, m->name);
	err = err ? err : copy_text(&to->chime, m->chime);
	err = err ? err : copy_text(&to->tone, m->tone);
	err = err ? err : copy_text(&to->text, m->text);
	err = err ? err : copy_text(&to->voice, m->voice);
	for (size_t i = 0; !err && i < m->n_files; i++)
		err = copy_text(&to->files[to->n_files++], m->files[i]);
	for (size_t i = 0; !err && i < m->n_parts; i++) {
		const struct config_part *a = &m->parts[i];
		struct config_part *b = &to->parts[to->n_parts++];

		*b = (struct config_part){0};
		err = copy_text(&b->name, a->name);
		err = err ? err : copy_text(&b->file, a->file);
		err = err ? err : copy_text(&b->text, a->text);
		err = err ? err : copy_text(&b->voice, a->voice);
	}
	to->at = (struct config_where){0};
	if (err)
		config_message_reset(to);
	return err;
}

int message_uploaded(struct config_message *to, const char *name,
		     const struct config_message *base, int16_t loudness,
		     const char *path)
{
	char *files[1] = {(char *)(uintptr_t)path};
	struct config_message m = {.pause_ms = UPLOADED_PAUSE_MS,
				   .gap_ms = UPLOADED_GAP_MS,
				   .loudness = loudness,
				   .cycles = 1};

	if (base)
		m = *base;
	m.name = (char *)(uintptr_t)name;
	m.text = m.voice = NULL;
	m.n_parts = 0;
	m.files = files;
	m.n_files = 1;
	m.upload = true;
	return message_copy(to, &m);
}
