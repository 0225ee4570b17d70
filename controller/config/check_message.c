/*
 * Messages: have they a sound, and does an emergency's keep the cycle of
 * ISO 7240-16 7.2.2? An alert tone of 3 s to 10 s before the first words, at
 * most 30 s from one time they are said to the next, and the alert tone
 * whenever silence would exceed 10 s.
 *
 * Silence and waiting are errors: nobody would hear them before the day it
 * matters. The alert tone is a warning, for BS 5839-8 (4 s to 10 s), NFPA 72 (1
 * to 3 rounds of T3) and a site's own rules differ. Silence within the files
 * is looked at when they are read (controller/message/make.c).
 */
#include "load.h"
#include "values.h"

#include "zones/sound/tone.h"

#include <string.h>

#define MAX_BETWEEN_MS 30000
#define MAX_SILENCE_MS 10000

struct use {
	const struct config_alarm *alarm;
	const struct config_effect *b;
};

static bool has_words(const struct config_message *m)
{
	return m->n_files || m->text || m->n_parts || m->upload;
}

/** As long as it is sounded: whole cycles. */
static uint32_t tone_ms(const struct config_message *m)
{
	const uint32_t cycle = m->tone ? tone_cycle_ms(m->tone) : 0;

	return !cycle       ? 0
	       : m->tone_ms ? (m->tone_ms - 1) / cycle * cycle + cycle
			    : cycle;
}

static void check_parts(struct load *l, const struct config_message *m)
{
	for (size_t i = 0; i < m->n_parts; i++) {
		const struct config_part *p = &m->parts[i];

		if (!p->text == !p->file)
			problem_add(l->p, p->at,
				    "message \"%s\": say \"%s\": give it "
				    "either \"text\" or \"file\"",
				    m->name, p->name);
		else if (p->file && p->voice)
			problem_add(l->p, p->at,
				    "message \"%s\": say \"%s\": \"voice\" "
				    "needs \"text\": a file has its own",
				    m->name, p->name);
	}
}

static void check_message(struct load *l, size_t i)
{
	struct config_message *m = &l->c->messages[i];
	const bool damaged = l->node[KIND_MESSAGE][i]->damaged;

	if (!load_given(l, KIND_MESSAGE, i, "loudness"))
		m->loudness = l->c->media.loudness;
	if (!m->tone && !m->chime && !has_words(m) && !damaged &&
	    !load_given(l, KIND_MESSAGE, i, "file"))
		problem_add(l->p, m->at,
			    "message \"%s\" has no sound: give it \"tone\", "
			    "\"file\", \"text\", \"say\" or \"upload\"",
			    m->name);
	else if (load_given(l, KIND_MESSAGE, i, "file") && !m->n_files)
		problem_add(l->p, load_at(l, KIND_MESSAGE, i, "file"),
			    "message \"%s\": the list of files is empty",
			    m->name);
	if (!m->tone && m->tone_ms)
		problem_add(l->p, load_at(l, KIND_MESSAGE, i, "tone-for"),
			    "message \"%s\": \"tone-for\" needs \"tone\"",
			    m->name);
	if (!m->tone && m->gap_tone)
		problem_add(l->p, load_at(l, KIND_MESSAGE, i, "gap-tone"),
			    "message \"%s\": \"gap-tone\" needs \"tone\"",
			    m->name);
	if (!m->text && m->voice && !damaged)
		problem_add(l->p, load_at(l, KIND_MESSAGE, i, "voice"),
			    "message \"%s\": \"voice\" needs \"text\"",
			    m->name);
	check_parts(l, m);
	m->attention = m->n_parts > 1 && !m->tone && !m->n_files && !m->text &&
		       !strcmp(m->parts[0].name, CONFIG_ATTENTION);
}

/** " 12.5s", for texts. */
static const char *span(char *buf, uint32_t ms)
{
	return value_duration_text(buf, ms);
}

static void check_gap(struct load *l, size_t i, const struct use *u)
{
	const struct config_message *m = &l->c->messages[i];
	const uint32_t alert = tone_ms(m);
	const uint32_t between =
		m->gap_ms + alert + (m->chime ? tone_cycle_ms(m->chime) : 0) +
		m->pause_ms * ((m->tone != NULL) + (m->chime != NULL));
	char text[VALUE_DURATION_SIZE];

	if (m->gap_ms > MAX_BETWEEN_MS)
		problem_add(l->p, load_at(l, KIND_MESSAGE, i, "gap"),
			    "message \"%s\": its gap is longer than 30s, but "
			    "alarm \"%s\" (%s:%d) broadcasts it at level %u: "
			    "ISO 7240-16 7.2.2 allows 30s at most",
			    m->name, u->alarm->name, u->b->at.file,
			    u->b->at.line, u->b->level);
	else if (m->gap_ms > MAX_SILENCE_MS && !m->gap_tone)
		problem_add(l->p, load_at(l, KIND_MESSAGE, i, "gap"),
			    "message \"%s\": its gap is %s of silence, but "
			    "alarm \"%s\" (%s:%d) broadcasts it at level %u: "
			    "ISO 7240-16 7.2.2 allows 10s; shorten it, or let "
			    "the tone sound again within it: gap-tone = true",
			    m->name, span(text, m->gap_ms), u->alarm->name,
			    u->b->at.file, u->b->at.line, u->b->level);
	else if (has_words(m) && between > MAX_BETWEEN_MS)
		problem_add(
			l->p,
			load_at(l, KIND_MESSAGE, i,
				alert > m->gap_ms ? "tone-for" : "gap"),
			"message \"%s\": %s pass from its last words to its "
			"next first ones (gap, chime and tone together), but "
			"alarm \"%s\" (%s:%d) broadcasts it at level %u: ISO "
			"7240-16 7.2.2 allows 30s; shorten gap or tone-for",
			m->name, span(text, between), u->alarm->name,
			u->b->at.file, u->b->at.line, u->b->level);
}

static void check_alert(struct load *l, size_t i, const struct use *u)
{
	const struct config_message *m = &l->c->messages[i];
	const uint32_t alert = tone_ms(m);
	char text[VALUE_DURATION_SIZE];

	/* How long a spoken one is shows when it is spoken: message/make.c. */
	if (!has_words(m) || m->attention)
		return;
	if (!m->tone)
		problem_warn(l->p, m->at,
			     "message \"%s\": alarm \"%s\" (%s:%d) broadcasts "
			     "it at level %u, where ISO 7240-16 7.2.2 wants 3s "
			     "to 10s of tone before the words: give it "
			     "\"tone\", or a first say \"attention\"",
			     m->name, u->alarm->name, u->b->at.file,
			     u->b->at.line, u->b->level);
	else if (alert < CONFIG_ATTENTION_MIN_MS ||
		 alert > CONFIG_ATTENTION_MAX_MS)
		problem_warn(l->p,
			     load_at(l, KIND_MESSAGE, i,
				     m->tone_ms ? "tone-for" : "tone"),
			     "message \"%s\": its tone lasts %s, but alarm "
			     "\"%s\" (%s:%d) broadcasts it at level %u, where "
			     "ISO 7240-16 7.2.2 wants 3s to 10s of tone before "
			     "the words: set tone-for",
			     m->name, span(text, alert), u->alarm->name,
			     u->b->at.file, u->b->at.line, u->b->level);
}

void load_check_messages(struct load *l)
{
	for (size_t i = 0; i < l->c->n_messages; i++)
		check_message(l, i);
	for (size_t i = 0; i < l->c->n_alarms; i++) {
		const struct config_alarm *a = &l->c->alarms[i];

		for (size_t k = 0; k < a->n_effects; k++) {
			const struct use u = {a, &a->effects[k]};
			struct config_message *m;

			if (u.b->message < 0 || u.b->level < EMERGENCY_LEVEL)
				continue;
			m = &l->c->messages[u.b->message];
			/* Once is enough, however many alarms use it. */
			if (m->emergency)
				continue;
			m->emergency = true;
			if (m->cycles != 1 || m->for_ms)
				check_gap(l, (size_t)u.b->message, &u);
			check_alert(l, (size_t)u.b->message, &u);
		}
	}
}
