#include "list.h"

#include "controller/text_json.h"
#include "zones/sound/tone.h"

#include <math.h>

static const char *const states[] = {
	[MESSAGE_READY] = "ready",
	[MESSAGE_PARTIAL] = "partial",
	[MESSAGE_TONE] = "tone",
};

/** What it is made of: "chime-2, tone din-33404-3, 2 files, 1 text". */
static json_t *sources(const struct config_message *m, bool uploaded)
{
	json_t *a = json_array();

	if (m && m->chime)
		json_array_append_new(a, json_sprintf("chime %s", m->chime));
	if (m && m->tone)
		json_array_append_new(a, json_sprintf("tone %s", m->tone));
	if (uploaded)
		json_array_append_new(a, json_string("upload"));
	if (!m || uploaded)
		return a;
	for (size_t i = 0; i < m->n_files; i++)
		json_array_append_new(a, text_json(m->files[i]));
	if (m->text)
		json_array_append_new(a, text_json(m->text));
	for (size_t i = 0; i < m->n_parts; i++)
		json_array_append_new(a, text_json(m->parts[i].file
							   ? m->parts[i].file
							   : m->parts[i].text));
	return a;
}

/** To a tenth; null where there is nothing to measure. */
static json_t *decibels(double v)
{
	return isfinite(v) ? json_real(round(v * 10) / 10) : json_null();
}

json_t *message_one_json(const struct config *c, struct library *l,
			 const struct uploads *u, const char *name)
{
	const struct message_facts *f = library_facts(l, name);
	const struct store_item *up = uploads_item(u, name);
	const int i = config_message_find(c, name);
	const struct config_message *m = i >= 0 ? &c->messages[i] : NULL;
	uint32_t cycles = library_cycles(l, name);
	char etag[80];
	json_t *o;

	if (!f)
		return NULL;
	o = json_pack(
		"{s:s,s:s,s:i,s:i,s:o,s:o,s:o,s:s*,s:i,s:o,s:b,s:b,s:i,s:s}",
		"name", name, "state", states[f->state], "duration_ms",
		(int)f->ms, "gap_ms", (int)f->gap_ms, "lufs", decibels(f->lufs),
		"peak_dbtp", decibels(f->peak_db), "sources",
		sources(m, f->version), "tone", m ? m->tone : NULL, "files",
		m ? (int)m->n_files : 0, "repeat",
		cycles ? json_integer(cycles) : json_string("until-reset"),
		"fallback", f->state == MESSAGE_TONE, "configured", m != NULL,
		"version", (int)f->version, "etag",
		uploads_etag(u, name, etag));
	if (up)
		json_object_set_new(o, "upload",
				    store_version_json(store_version(up, 0)));
	if (*f->problem.text)
		json_object_set_new(o, "problem", text_json(f->problem.text));
	return o;
}

json_t *message_list_json(const struct config *c, struct library *l,
			  const struct uploads *u)
{
	json_t *a = json_array();
	const char *name;

	for (size_t i = 0; (name = library_name(l, i)); i++)
		json_array_append_new(a, message_one_json(c, l, u, name));
	return a;
}

json_t *message_tones_json(void)
{
	json_t *a = json_array();
	const char *name;

	for (size_t i = 0; (name = tone_name(i)); i++)
		json_array_append_new(
			a, json_pack("{s:s,s:s,s:i,s:o}", "name", name, "title",
				     tone_title(name), "cycle_ms",
				     (int)tone_cycle_ms(name), "peak_dbfs",
				     decibels((double)tone_peak_db(name))));
	return a;
}
