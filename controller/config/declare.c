/* What there is: every object counted, placed and named before any is read,
 * so that references may go forward and across files. */
#include "load.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

struct seen {
	const struct scan_node *key[32]; /**< of the top, by row */
	const struct scan_node *single[32];
};

/** Names of one sort: a key is not taken for a section. */
static const char *nth_key(size_t i, const void *arg)
{
	const struct config_key *k = ((const struct config_section *)arg)->keys;

	while (k && k->name && i--)
		k++;
	return k ? k->name : NULL;
}

static const char *nth_section(size_t i, const void *arg)
{
	const struct config_section *s =
		((const struct config_section *)arg)->subs;

	while (s && s->name && i--)
		s++;
	return s ? s->name : NULL;
}

void load_unknown(struct load *l, const struct config_section *s,
		  const struct scan_node *n, const char *where)
{
	const char *(*nth)(size_t, const void *) =
		n->section ? nth_section : nth_key;
	const char *near = value_nearest(n->name, nth, s), *name;
	char list[512] = "";
	size_t used = 0;

	if (n->section && schema_key(s, n->name)) {
		problem_add(l->p, n->at, "%s\"%s\" is a key: write %s = ...",
			    where, n->name, n->name);
		return;
	}
	if (!n->section && schema_section(s, n->name)) {
		const struct config_section *x = schema_section(s, n->name);

		problem_add(l->p, n->at,
			    "%s\"%s\" is a section: write %s%s%s { ... }",
			    where, n->name, n->name, x->title ? " " : "",
			    x->title ? "\"NAME\"" : "");
		return;
	}
	for (size_t i = 0; (name = nth(i, s)) && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s%s", i ? ", " : "", name);
	problem_add(l->p, n->at,
		    "%sunknown %s \"%.80s\"%s%s%s; allowed here: %s", where,
		    n->section ? "section" : "key", n->name,
		    near ? " (did you mean \"" : "", near ? near : "",
		    near ? "\"?)" : "", *list ? list : "none");
}

bool load_title_fits(struct load *l, const struct config_section *s,
		     const struct scan_node *n, const char *where)
{
	if (s->title && !n->title)
		problem_add(l->p, n->at,
			    "%ssection %s needs a title: %s \"%s\" { ... }",
			    where, s->name, s->name, s->title);
	else if (!s->title && n->title)
		problem_add(l->p, n->at,
			    "%ssection %s has no title: write %s { ... }",
			    where, s->name, s->name);
	else
		return true;
	return false;
}

/** A second one of what may stand once; both places are named. */
static bool again(struct load *l, const struct scan_node **first,
		  struct scan_node *n)
{
	if (!*first) {
		*first = n;
		return false;
	}
	problem_add(l->p, n->at,
		    "\"%s\" is given twice; the first is at %s:%d: join them",
		    n->name, (*first)->at.file, (*first)->at.line);
	return true;
}

static bool look_at_top(struct load *l, struct scan_node *n, struct seen *seen,
			size_t *count)
{
	const struct config_section *s =
		n->section ? schema_section(&config_schema, n->name) : NULL;
	const struct config_key *k =
		n->section ? NULL : schema_key(&config_schema, n->name);

	if (!s && !k) {
		load_unknown(l, &config_schema, n, "");
		return false;
	}
	if (k) {
		if (!strcmp(k->name, "site") && !l->site)
			l->site = n;
		if (again(l, &seen->key[k - config_schema.keys], n))
			return false;
		if (n->list && !schema_is_list(k)) {
			problem_add(l->p, n->at,
				    "\"%s\" takes one value, not a list",
				    n->name);
			return false;
		}
		return true;
	}
	if (!load_title_fits(l, s, n, ""))
		return false;
	if (s->place == PLACE_SINGLE)
		return !again(l, &seen->single[s - config_schema.subs], n);
	count[s->kind]++;
	return true;
}

static void name_object(struct load *l, const struct config_section *s,
			size_t index, const struct scan_node *n)
{
	char *obj = schema_object(l->c, s, index);

	*(struct config_where *)(obj + s->at) = n->at;
	load_text(l, (char **)(obj + s->name_at), n->title);
	l->node[s->kind][index] = n;
	l->names[s->kind][index] = (struct load_name){n->title, (int)index};
	if (!s->titleh && !value_name(n->title))
		problem_add(l->p, n->at,
			    "%s \"%.80s\": a name is 1 to 63 of letters, "
			    "digits, \".\", \"_\" and \"-\"",
			    s->name, n->title);
}

static int by_name(const void *a, const void *b)
{
	const struct load_name *x = a, *y = b;
	const int d = strcmp(x->name, y->name);

	return d ? d : x->index < y->index ? -1 : 1;
}

static void sort_names(struct load *l, const struct config_section *s, size_t n)
{
	struct load_name *v = l->names[s->kind];
	size_t kept = 0;

	qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 0; i < n; i++) {
		if (!kept || strcmp(v[kept - 1].name, v[i].name)) {
			v[kept++] = v[i];
			continue;
		}
		const struct config_where first =
			load_at(l, s->kind, (size_t)v[kept - 1].index, NULL);

		problem_add(l->p, load_at(l, s->kind, (size_t)v[i].index, NULL),
			    "%s \"%s\" is there already at %s:%d: join them or "
			    "give it another name",
			    s->name, v[i].name, first.file, first.line);
	}
	l->n_names[s->kind] = kept;
}

static bool make_room(struct load *l, const struct config_section *s, size_t n)
{
	void *array = load_calloc(l, n, s->size);

	*(void **)((char *)l->c + s->offset) = array;
	l->node[s->kind] = load_calloc(l, n, sizeof(struct scan_node *));
	l->names[s->kind] = load_calloc(l, n, sizeof(struct load_name));
	return array && l->node[s->kind] && l->names[s->kind];
}

static void place(struct load *l, const struct config_section *s)
{
	size_t n = 0;

	for (size_t f = 0; f < l->n_files; f++) {
		for (struct scan_node *x = l->file[f].scan.first; x;
		     x = x->next) {
			if (x->dead || !x->section || strcmp(x->name, s->name))
				continue;
			if (n < s->max) {
				name_object(l, s, n++, x);
				continue;
			}
			if (n++ == s->max)
				problem_add(l->p, x->at,
					    "more than %zu %s sections: that "
					    "is the most",
					    s->max, s->name);
			scan_blank(&l->file[f].scan, x);
		}
	}
	n = n < s->max ? n : s->max;
	*(size_t *)((char *)l->c + s->count) = n;
	sort_names(l, s, n);
}

/** Room for all outputs of sound: they must not move while zones are read. */
static void place_sounds(struct load *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->c->n_zones; i++)
		for (const struct scan_node *x = l->node[KIND_ZONE][i]->child;
		     x; x = x->next)
			n += x->section;
	l->max_sounds = n < MEDIA_MAX_OUTPUTS ? n : MEDIA_MAX_OUTPUTS;
	l->c->sounds = load_calloc(l, l->max_sounds, sizeof(*l->c->sounds));
	l->sound_node =
		load_calloc(l, l->max_sounds, sizeof(struct scan_node *));
	l->zone_broken = load_calloc(l, l->c->n_zones, sizeof(bool));
}

/** A site that names no modes has these, none of which is written. */
static void default_modes(struct load *l)
{
	static const char *const names[] = {"day", "night", "maintenance"};
	static const int sorted[] = {0, 2, 1};
	const size_t n = sizeof(names) / sizeof(names[0]);
	struct config *c = l->c;

	free(c->modes);
	free(l->node[KIND_MODE]);
	free(l->names[KIND_MODE]);
	c->modes = load_calloc(l, n, sizeof(*c->modes));
	l->node[KIND_MODE] = load_calloc(l, n, sizeof(struct scan_node *));
	l->names[KIND_MODE] = load_calloc(l, n, sizeof(struct load_name));
	if (!c->modes || !l->node[KIND_MODE] || !l->names[KIND_MODE])
		return;
	for (size_t i = 0; i < n; i++) {
		c->modes[i].name = load_strdup(l, names[i]);
		l->names[KIND_MODE][i] =
			(struct load_name){names[sorted[i]], sorted[i]};
	}
	c->n_modes = l->n_names[KIND_MODE] = n;
}

static const struct scan_node *single(const struct seen *seen, const char *name)
{
	return seen->single[schema_section(&config_schema, name) -
			    config_schema.subs];
}

void load_declare(struct load *l)
{
	size_t count[KIND_COUNT] = {0};
	struct seen seen = {{NULL}, {NULL}};

	for (size_t f = 0; f < l->n_files; f++)
		for (struct scan_node *n = l->file[f].scan.first; n;
		     n = n->next)
			if (!look_at_top(l, n, &seen, count))
				scan_blank(&l->file[f].scan, n);
	for (enum config_kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
		const struct config_section *s = schema_kind(k);

		if (!make_room(l, s, count[k] < s->max ? count[k] : s->max))
			return;
		place(l, s);
	}
	if (!l->c->n_modes)
		default_modes(l);
	place_sounds(l);
	l->sip = single(&seen, "sip");
	l->mqtt = single(&seen, "mqtt");
	l->web = single(&seen, "web");
	l->priorities = single(&seen, "priorities");
	l->plc = single(&seen, "plc");
	l->c->plc.present = l->plc != NULL;
	if (l->plc)
		l->c->plc.at = l->plc->at;
	l->c->mqtt.present = l->mqtt != NULL;
	if (l->mqtt)
		l->c->mqtt.at = l->mqtt->at;
	if (l->web)
		l->c->web.at = l->web->at;
	if (single(&seen, "speech"))
		l->c->speech.at = single(&seen, "speech")->at;
}
