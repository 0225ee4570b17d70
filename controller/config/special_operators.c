/* People to call: their numbers, and what the keys mean together. */
#include "load.h"
#include "secret.h"
#include "values.h"

#include <errno.h>

void set_ring(struct load *l, void *obj, const struct config_value *val)
{
	struct config_stage *s = obj;
	struct config_sip_uri uri;

	s->ring = load_calloc(l, val->n + 1, sizeof(*s->ring));
	for (size_t i = 0; s->ring && i < val->n; i++) {
		if (!value_sip_uri(val->v[i], &uri))
			load_refuse(l, val, val->v[i]);
		else
			load_text(l, &s->ring[s->n_ring++], val->v[i]);
	}
}

bool show_ring(const struct config *c, const void *obj, FILE *f)
{
	const struct config_stage *s = obj;

	(void)c;
	for (size_t i = 0; i < s->n_ring; i++) {
		fputs(i ? ", " : "{ ", f);
		schema_quote(f, s->ring[i]);
	}
	if (s->n_ring)
		fputs(" }", f);
	return s->n_ring > 0;
}

void *open_stage(struct load *l, void *parent, const struct scan_node *n)
{
	const struct config_section *s =
		schema_section(schema_kind(KIND_OPERATORS), "stage");
	struct config_operators *o = parent;
	struct config_stage *x;

	if (o->n_stages == s->max) {
		problem_add(l->p, n->at,
			    "operators \"%s\" have more than %zu stages: that "
			    "is the most",
			    o->name, s->max);
		return NULL;
	}
	if (!o->stages)
		o->stages = load_calloc(l, s->max, sizeof(*o->stages));
	if (!o->stages)
		return NULL;
	x = &o->stages[o->n_stages++];
	x->at = n->at;
	x->name = load_strdup(l, n->title);
	return x;
}

const void *nth_stage(const struct config *c, const void *parent, size_t i)
{
	const struct config_operators *o = parent;

	(void)c;
	return i < o->n_stages ? &o->stages[i] : NULL;
}

static void check_ring(struct load *l, const struct config_operators *o,
		       const struct config_stage *s)
{
	for (size_t i = 0; i < s->n_ring; i++)
		if (!load_can_call(l->c, s->ring[i]))
			problem_add(l->p, o->at,
				    "operators \"%s\": stage \"%s\": "
				    "\"%.80s\" cannot be called: its host is "
				    "neither an address nor that of an "
				    "account's aor",
				    o->name, s->name, s->ring[i]);
}

void load_check_operators(struct load *l)
{
	struct config *c = l->c;

	for (size_t i = 0; i < c->n_operators; i++) {
		struct config_operators *o = &c->operators[i];
		const char *why = NULL;

		if (l->node[KIND_OPERATORS][i]->damaged)
			continue;
		if (!o->n_stages)
			problem_add(l->p, o->at,
				    "operators \"%s\": nobody is called; give "
				    "it stage \"desk\" { ring = { ... } }",
				    o->name);
		for (size_t k = 0; k < o->n_stages; k++)
			check_ring(l, o, &o->stages[k]);
		if (!c->sip.n_listen)
			problem_add(l->p, o->at,
				    "operators \"%s\" cannot be called without "
				    "SIP: give the sip section \"listen\"",
				    o->name);
		if (!o->user != !o->password_file)
			problem_add(l->p, o->at,
				    "operators \"%s\": \"user\" and "
				    "\"password-file\" belong together",
				    o->name);
		if (o->password_file &&
		    secret_read(o->password_file, o->password,
				sizeof(o->password), &why) != ENOENT &&
		    why)
			problem_add(
				l->p,
				load_at(l, KIND_OPERATORS, i, "password-file"),
				"operators \"%s\": password-file %s: %s",
				o->name, o->password_file, why);
	}
}
