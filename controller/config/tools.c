/* Small things that all of a load use. */
#include "load.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

char *load_strdup(struct load *l, const char *s)
{
	char *d = strdup(s);

	if (!d)
		l->p->nomem = true;
	return d;
}

void *load_calloc(struct load *l, size_t n, size_t size)
{
	/* calloc(0) may give NULL, which would look like no memory. */
	void *v = calloc(n ? n : 1, size);

	if (!v)
		l->p->nomem = true;
	return v;
}

void load_text(struct load *l, char **field, const char *s)
{
	free(*field);
	*field = load_strdup(l, s);
}

char *load_path(struct load *l, const char *path, struct config_where at)
{
	const char *dir = ".";
	char *whole;

	if (*path == '/')
		return load_strdup(l, path);
	for (size_t i = 0; i < l->n_files; i++)
		if (l->file[i].name == at.file && l->file[i].dir)
			dir = l->file[i].dir;
	if (asprintf(&whole, "%s/%s", dir, path) < 0) {
		l->p->nomem = true;
		return NULL;
	}
	return whole;
}

void load_refuse(struct load *l, const struct config_value *val,
		 const char *text)
{
	char allowed[256];

	problem_add(l->p, val->at, "%s: \"%.80s\" does not fit; allowed: %s",
		    val->where, text,
		    schema_allowed(val->key, allowed, sizeof(allowed)));
}

static int by_name(const void *name, const void *entry)
{
	return strcmp(name, ((const struct load_name *)entry)->name);
}

int load_find(const struct load *l, enum config_kind kind, const char *name)
{
	const struct load_name *e =
		l->names[kind] ? bsearch(name, l->names[kind], l->n_names[kind],
					 sizeof(struct load_name), by_name)
			       : NULL;

	return e ? e->index : -1;
}

struct candidates {
	const struct load_name *v;
	size_t n;
};

static const char *candidate(size_t i, const void *arg)
{
	const struct candidates *c = arg;

	return i < c->n ? c->v[i].name : NULL;
}

int load_refer(struct load *l, enum config_kind kind, const char *name,
	       const struct config_value *val)
{
	const struct candidates c = {l->names[kind], l->n_names[kind]};
	const char *section = schema_kind(kind)->name, *near;
	const int i = load_find(l, kind, name);

	if (i >= 0)
		return i;
	/* Of many mistakes the last ones are told without a proposal: it costs
	 * a look at every name. */
	near = l->p->n < 100 ? value_nearest(name, candidate, &c) : NULL;
	if (!strcmp(name, "*"))
		problem_add(l->p, val->at,
			    "%s: \"*\" is not allowed here; name a zone that "
			    "has zones = { \"*\" }",
			    val->where);
	else if (near)
		problem_add(l->p, val->at,
			    "%s: there is no %s \"%.80s\"; did you mean "
			    "\"%s\"?",
			    val->where, section, name, near);
	else
		problem_add(l->p, val->at,
			    "%s: there is no %s \"%.80s\"; add a section %s "
			    "\"%.80s\" or correct the name",
			    val->where, section, name, section, name);
	return -1;
}

struct config_where load_at(const struct load *l, enum config_kind kind,
			    size_t index, const char *key)
{
	const struct scan_node *n = l->node[kind][index];
	const struct scan_node *k = key ? scan_child(n, key) : NULL;

	return k ? k->at : n->at;
}

bool load_given(const struct load *l, enum config_kind kind, size_t index,
		const char *key)
{
	return scan_child(l->node[kind][index], key) != NULL;
}

void set_list(struct load *l, void *obj, const struct config_value *val)
{
	char **v = load_calloc(l, val->n + 1, sizeof(*v));

	if (!v)
		return;
	for (size_t i = 0; i < val->n; i++)
		v[i] = load_strdup(l, val->v[i]);
	memcpy((char *)obj + val->key->offset, &v, sizeof(v));
	memcpy((char *)obj + val->key->other, &val->n, sizeof(val->n));
}

bool load_one_kind(struct load *l, enum config_kind kind, size_t i,
		   unsigned variant)
{
	const struct config_section *s = schema_kind(kind);
	const char *name = l->node[kind][i]->title;
	char list[128] = "";
	size_t n = 0, used = 0;

	for (size_t k = 0; s->variants[k]; k++) {
		n += load_given(l, kind, i, s->variants[k]);
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s\"%s\"",
					 !k                    ? ""
					 : !s->variants[k + 1] ? " and "
							       : ", ",
					 s->variants[k]);
	}
	if (n != 1) {
		problem_add(l->p, load_at(l, kind, i, NULL),
			    "%s \"%s\" has %s; it needs exactly one of %s",
			    s->name, name, n ? "more than one kind" : "no kind",
			    list);
		return false;
	}
	for (const struct config_key *k = s->keys; k->name; k++)
		if (k->variants && !(k->variants & 1u << variant) &&
		    load_given(l, kind, i, k->name))
			problem_add(l->p, load_at(l, kind, i, k->name),
				    "%s \"%s\": \"%s\" has no meaning with "
				    "\"%s\"",
				    s->name, name, k->name,
				    s->variants[variant]);
	return true;
}

void load_default_list(struct load *l, char ***v, size_t *n,
		       const char *const *from, size_t count)
{
	if (*n)
		return;
	free(*v);
	*v = load_calloc(l, count, sizeof(**v));
	for (size_t i = 0; *v && i < count; i++)
		(*v)[(*n)++] = load_strdup(l, from[i]);
}
