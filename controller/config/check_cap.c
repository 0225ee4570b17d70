/* Public alerts: words that CAP has, and zones for every area. */
#include "load.h"

#include <string.h>

/** The first `known` of the words count; also NULL-terminated. */
static void check_words(struct load *l, size_t i, const char *key,
			char *const *v, size_t n, const char *const *known)
{
	for (size_t k = 0; k < n; k++) {
		size_t w = 0;

		while (known[w] && strcmp(known[w], v[k]))
			w++;
		if (!known[w])
			problem_add(
				l->p, load_at(l, KIND_CAP, i, key),
				"cap \"%s\": %s: \"%.40s\" is no word that is "
				"allowed: %s",
				l->c->caps[i].name, key, v[k],
				schema_key(schema_kind(KIND_CAP), key)
					->allowed);
	}
}

static void check_languages(struct load *l, size_t i)
{
	const struct config_cap *c = &l->c->caps[i];

	for (size_t k = 0; k < c->n_languages; k++) {
		const char *s = c->languages[k], *voice = strchr(s, '=');
		const size_t n = voice ? (size_t)(voice - s) : strlen(s);

		if (!n || n > 20 ||
		    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz0123456789-") < n ||
		    (voice && !config_voice_good(voice + 1)))
			problem_add(l->p, load_at(l, KIND_CAP, i, "languages"),
				    "cap \"%s\": \"%.40s\" does not fit; "
				    "allowed: languages like \"de\", or with a "
				    "voice, like \"en=en-gb\"",
				    c->name, s);
	}
}

static void check_areas(struct load *l, const struct config_cap *c)
{
	for (size_t k = 0; k < c->n_areas; k++) {
		const struct config_cap_area *a = &c->areas[k];

		if (!a->n_geocodes && !a->n_match && !a->has_location)
			problem_add(l->p, a->at,
				    "cap \"%s\": area \"%s\" says nothing: "
				    "give it \"geocodes\", \"match\" or "
				    "\"location\"",
				    c->name, a->name);
		if (!a->n_zones && !c->n_zones)
			problem_add(l->p, a->at,
				    "cap \"%s\": area \"%s\" has no \"zones\", "
				    "nor has its section",
				    c->name, a->name);
		for (size_t g = 0; g < a->n_geocodes; g++)
			if (!strchr(a->geocodes[g], '='))
				problem_add(l->p, a->at,
					    "cap \"%s\": area \"%s\": geocode "
					    "\"%.40s\" is not like "
					    "\"SAME=006109\"",
					    c->name, a->name, a->geocodes[g]);
	}
	if (!c->n_areas && !c->n_zones)
		problem_add(l->p, c->at,
			    "cap \"%s\" is heard nowhere: give it \"zones\" or "
			    "area sections",
			    c->name);
}

static void check_cap(struct load *l, size_t i)
{
	static const char *const actual[] = {"actual"};
	static const char *const soon[] = {"immediate", "expected"};
	static const char *const sure[] = {"observed", "likely"};
	static const char *const statuses[] = {"actual", "exercise", "test",
					       NULL};
	static const char *const urgencies[] = {
		"immediate", "expected", "future", "past", "unknown", NULL};
	static const char *const certainties[] = {
		"observed", "likely", "possible", "unlikely", "unknown", NULL};
	struct config_cap *c = &l->c->caps[i];

	if (l->node[KIND_CAP][i]->damaged ||
	    !load_one_kind(l, KIND_CAP, i, c->kind))
		return;
	/* It is part of who starts the broadcast. */
	if (strlen(c->name) > 40)
		problem_add(l->p, c->at,
			    "cap \"%s\": this name may have 40 bytes at most",
			    c->name);
	load_default_list(l, &c->status, &c->n_status, actual, 1);
	load_default_list(l, &c->urgency, &c->n_urgency, soon, 2);
	load_default_list(l, &c->certainty, &c->n_certainty, sure, 2);
	check_words(l, i, "status", c->status, c->n_status, statuses);
	check_words(l, i, "urgency", c->urgency, c->n_urgency, urgencies);
	check_words(l, i, "certainty", c->certainty, c->n_certainty,
		    certainties);
	check_languages(l, i);
	check_areas(l, c);
}

void load_check_caps(struct load *l)
{
	for (size_t i = 0; i < l->c->n_caps; i++)
		check_cap(l, i);
}
