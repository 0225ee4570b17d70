/* Messages: repetition, words, voices, loudness, the program that speaks. */
#include "load.h"
#include "values.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void set_repeat(struct load *l, void *obj, const struct config_value *val)
{
	struct config_message *m = obj;
	const char *s = val->v[0];
	uint64_t ms;
	long n;

	if (!strcmp(s, "until-reset")) {
		m->cycles = 0;
	} else if (value_number(s, &n) && n >= 1 && n <= 100000) {
		m->cycles = (uint32_t)n;
	} else if (!value_number(s, &n) && value_duration(s, &ms) && ms &&
		   ms <= 24 * 3600000u) {
		m->cycles = 1;
		m->for_ms = (uint32_t)ms;
	} else {
		load_refuse(l, val, s);
	}
}

bool show_repeat(const struct config *c, const void *obj, FILE *f)
{
	const struct config_message *m = obj;
	char text[VALUE_DURATION_SIZE];

	(void)c;
	if (m->for_ms)
		fprintf(f, "\"%s\"", value_duration_text(text, m->for_ms));
	else if (m->cycles)
		fprintf(f, "%u", m->cycles);
	else
		fputs("\"until-reset\"", f);
	return true;
}

void set_text_spoken(struct load *l, void *obj, const struct config_value *val)
{
	char **field = (char **)((char *)obj + val->key->offset);

	if (config_text_good(val->v[0]))
		load_text(l, field, val->v[0]);
	else
		load_refuse(l, val, val->v[0]);
}

void set_voice(struct load *l, void *obj, const struct config_value *val)
{
	char **field = (char **)((char *)obj + val->key->offset);

	if (config_voice_good(val->v[0]))
		load_text(l, field, val->v[0]);
	else
		load_refuse(l, val, val->v[0]);
}

void set_loudness(struct load *l, void *obj, const struct config_value *val)
{
	int16_t *field = (int16_t *)((char *)obj + val->key->offset);
	int v;

	if (!strcmp(val->v[0], "off"))
		*field = CONFIG_LOUDNESS_OFF;
	else if (value_gain(val->v[0], &v) && v >= -400 && v <= -80)
		*field = (int16_t)v;
	else
		load_refuse(l, val, val->v[0]);
}

static bool show_lufs(int16_t v, FILE *f)
{
	if (v == CONFIG_LOUDNESS_OFF)
		fputs("\"off\"", f);
	else
		fprintf(f, "-%d.%d", -v / 10, -v % 10);
	return true;
}

bool show_loudness(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	return show_lufs(((const struct config_media *)obj)->loudness, f);
}

bool show_message_loudness(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	return show_lufs(((const struct config_message *)obj)->loudness, f);
}

void set_command(struct load *l, void *obj, const struct config_value *val)
{
	struct config_speech *s = obj;

	if (!val->n || !*val->v[0])
		load_refuse(l, val, val->n ? val->v[0] : "");
	s->command = load_calloc(l, val->n, sizeof(*s->command));
	for (size_t i = 0; s->command && i < val->n; i++)
		s->command[s->n_command++] = load_strdup(l, val->v[i]);
}

bool show_command(const struct config *c, const void *obj, FILE *f)
{
	const struct config_speech *s = obj;

	(void)c;
	for (size_t i = 0; i < s->n_command; i++) {
		fputs(i ? ", " : "{ ", f);
		schema_quote(f, s->command[i]);
	}
	if (s->n_command)
		fputs(" }", f);
	return s->n_command > 0;
}

void *open_say(struct load *l, void *parent, const struct scan_node *n)
{
	const struct config_section *s =
		schema_section(schema_kind(KIND_MESSAGE), "say");
	struct config_message *m = parent;
	struct config_part *p;

	if (m->n_parts == s->max) {
		problem_add(l->p, n->at,
			    "message \"%s\" has more than %zu say sections: "
			    "that is the most",
			    m->name, s->max);
		return NULL;
	}
	if (!m->parts)
		m->parts = load_calloc(l, s->max, sizeof(*m->parts));
	if (!m->parts)
		return NULL;
	p = &m->parts[m->n_parts++];
	p->at = n->at;
	p->name = load_strdup(l, n->title);
	return p;
}

const void *nth_say(const struct config *c, const void *parent, size_t i)
{
	const struct config_message *m = parent;

	(void)c;
	return i < m->n_parts ? &m->parts[i] : NULL;
}
