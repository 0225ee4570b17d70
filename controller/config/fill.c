/* Values into fields, as the table's rows say. */
#include "load.h"
#include "values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Stores into an unsigned field of 1, 2 or 4 bytes. */
static void store(void *field, size_t size, uint64_t v)
{
	uint8_t b = (uint8_t)v;
	uint16_t w = (uint16_t)v;
	uint32_t d = (uint32_t)v;

	memcpy(field,
	       size == 1   ? (void *)&b
	       : size == 2 ? (void *)&w
			   : &d,
	       size);
}

static bool set_number(void *field, const struct config_value *val)
{
	long v;

	if (!value_number(val->v[0], &v) || (double)v < val->key->min ||
	    (double)v > val->key->max)
		return false;
	store(field, val->key->size, (uint64_t)v);
	return true;
}

static bool set_duration(void *field, const struct config_value *val)
{
	const unsigned unit = val->key->unit_ms ? val->key->unit_ms : 1;
	uint64_t ms;

	if (!value_duration(val->v[0], &ms) || (double)ms < val->key->min ||
	    (double)ms > val->key->max || ms % unit)
		return false;
	store(field, val->key->size, ms / unit);
	return true;
}

static bool set_gain(void *field, const struct config_value *val)
{
	int cb;
	int16_t v;

	if (!value_gain(val->v[0], &cb) || cb < val->key->min * 10 ||
	    cb > val->key->max * 10)
		return false;
	v = (int16_t)cb;
	memcpy(field, &v, sizeof(v));
	return true;
}

static bool set_choice(void *field, const struct config_value *val)
{
	for (unsigned i = 0; val->key->choices[i]; i++)
		if (!strcmp(val->key->choices[i], val->v[0])) {
			store(field, val->key->size, i);
			return true;
		}
	return false;
}

static bool set_level(struct load *l, void *field,
		      const struct config_value *val)
{
	const int level = config_level(l->c, val->v[0]);

	store(field, 1, level < 0 ? 0 : (uint64_t)level);
	return level >= 0;
}

static bool set_text(struct load *l, char **field,
		     const struct config_value *val)
{
	const size_t n = strlen(val->v[0]);

	if ((double)n < val->key->min || (double)n > val->key->max)
		return false;
	load_text(l, field, val->v[0]);
	return true;
}

/** Makes it absolute; it must be a readable file when `must`. */
static char *set_path(struct load *l, const char *text, bool must,
		      const struct config_value *val)
{
	char *path = load_path(l, text, val->at);
	struct stat st;
	const char *why = NULL;

	if (!path || !must)
		return path;
	if (stat(path, &st))
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "it is no regular file";
	else if (access(path, R_OK))
		why = strerror(errno);
	if (why)
		problem_add(l->p, val->at, "%s: %s cannot be read: %s",
			    val->where, path, why);
	return path;
}

static void set_files(struct load *l, char *obj, const struct config_value *val)
{
	char **v = load_calloc(l, val->n, sizeof(*v));
	size_t n = 0;

	if (!v)
		return;
	for (size_t i = 0; i < val->n; i++) {
		if (!*val->v[i]) {
			load_refuse(l, val, val->v[i]);
			continue;
		}
		v[n] = set_path(l, val->v[i], true, val);
		n += v[n] != NULL;
	}
	memcpy(obj + val->key->offset, &v, sizeof(v));
	memcpy(obj + val->key->other, &n, sizeof(n));
}

static void set_refs(struct load *l, char *obj, const struct config_value *val)
{
	int *v;
	size_t n = 0;

	if (val->key->star && val->n == 1 && !strcmp(val->v[0], "*"))
		return;
	v = load_calloc(l, val->n, sizeof(*v));
	if (!v)
		return;
	if (!val->n)
		problem_add(l->p, val->at,
			    "%s: the list is empty; name at least one, or "
			    "leave the key out",
			    val->where);
	for (size_t i = 0; i < val->n; i++) {
		const int x = load_refer(l, val->key->kind, val->v[i], val);

		if (x >= 0)
			v[n++] = x;
	}
	memcpy(obj + val->key->offset, &v, sizeof(v));
	memcpy(obj + val->key->other, &n, sizeof(n));
}

static void set_hours(struct load *l, char *obj, const struct config_value *val)
{
	struct window *v = load_calloc(l, val->n, sizeof(*v));
	struct reason why;
	size_t n = 0;

	if (!v)
		return;
	if (!val->n)
		problem_add(l->p, val->at,
			    "%s: the list is empty: it would never be; leave "
			    "the key out for always",
			    val->where);
	for (size_t i = 0; i < val->n; i++)
		if (window_parse(&v[n], val->v[i], &why))
			problem_add(l->p, val->at, "%s: %s", val->where,
				    why.text);
		else
			n++;
	memcpy(obj + val->key->offset, &v, sizeof(v));
	memcpy(obj + val->key->other, &n, sizeof(n));
}

static bool set_ref(struct load *l, void *field, const struct config_value *val)
{
	const int x = load_refer(l, val->key->kind, val->v[0], val);

	memcpy(field, &x, sizeof(x));
	return true; /* reported already */
}

static bool set_plain_path(struct load *l, char **field,
			   const struct config_value *val)
{
	const struct config_key *k = val->key;

	if (!*val->v[0]) {
		if (k->min > 0 || k->type == TYPE_FILE)
			return false;
		load_text(l, field, "");
		return true;
	}
	free(*field);
	*field = set_path(l, val->v[0], k->type == TYPE_FILE, val);
	return !*field || !(k->max > 0) || (double)strlen(*field) <= k->max;
}

/** One value by its type; false = it does not fit. */
static bool set_one(struct load *l, char *obj, const struct config_value *val)
{
	void *field = obj + val->key->offset;
	bool yes = true;

	switch (val->key->type) {
	case TYPE_TEXT:
		return set_text(l, field, val);
	case TYPE_NAME:
		if (!value_name(val->v[0]))
			return false;
		load_text(l, field, val->v[0]);
		return true;
	case TYPE_FLAG:
		return value_flag(val->v[0], field);
	case TYPE_NUMBER:
		if (!set_number(field, val))
			return false;
		if (val->key->other)
			memcpy(obj + val->key->other, &yes, sizeof(yes));
		return true;
	case TYPE_REAL:
		if (!value_real(val->v[0], field))
			return false;
		if (val->key->other)
			memcpy(obj + val->key->other, &yes, sizeof(yes));
		return true;
	case TYPE_DURATION:
		return set_duration(field, val);
	case TYPE_GAIN:
		return set_gain(field, val);
	case TYPE_LEVEL:
		return set_level(l, field, val);
	case TYPE_CHOICE:
		return set_choice(field, val);
	case TYPE_PATH:
	case TYPE_FILE:
		return set_plain_path(l, field, val);
	case TYPE_REF:
		return set_ref(l, field, val);
	default:
		return true;
	}
}

static void set_value(struct load *l, void *obj, const struct config_value *val)
{
	const struct config_key *k = val->key;

	const double most = k->max > 0 ? k->max : LOAD_MAX_LIST;

	if (schema_is_list(k) && (double)val->n > most) {
		problem_add(l->p, val->at, "%s: %zu values, %.0f are the most",
			    val->where, val->n, most);
		return;
	}
	if (k->set)
		k->set(l, obj, val);
	else if (k->type == TYPE_FILES)
		set_files(l, obj, val);
	else if (k->type == TYPE_REFS)
		set_refs(l, obj, val);
	else if (k->type == TYPE_HOURS)
		set_hours(l, obj, val);
	else if (!set_one(l, obj, val))
		load_refuse(l, val, val->v[0]);
}

static void set_default(struct load *l, const struct load_section *ls,
			const struct config_key *k, void *obj)
{
	const struct config_value val = {
		.key = k,
		.at = ls->n ? ls->n->at : (struct config_where){0},
		.where = k->name,
		.v = &k->def,
		.n = 1,
	};

	if (k->def)
		set_value(l, obj, &val);
	else if (k->required && ls->n && !ls->n->damaged)
		problem_add(l->p, ls->n->at, "%s\"%s\" is missing", ls->where,
			    k->name);
}

void load_fill_key(struct load *l, const struct load_section *ls,
		   const struct config_key *k, const struct scan_node *n,
		   void *obj)
{
	cfg_opt_t *opt = n ? cfg_getopt(ls->cfg, k->name) : NULL;
	const size_t count = opt ? cfg_opt_size(opt) : 0;
	struct config_value val = {.key = k, .n = count, .given = true};
	const char **v;
	char where[256];

	if (!n) {
		set_default(l, ls, k, obj);
		return;
	}
	/* It is there: libconfuse copies the name to look for it. */
	if (!opt)
		l->p->nomem = true;
	if (!opt || (!count && !schema_is_list(k)))
		return;
	v = load_calloc(l, count, sizeof(*v));
	if (!v)
		return;
	for (size_t i = 0; i < count; i++)
		v[i] = cfg_opt_getnstr(opt, (unsigned)i);
	snprintf(where, sizeof(where), "%s%s", ls->where, k->name);
	val.v = v;
	val.at = n->at;
	val.where = where;
	set_value(l, obj, &val);
	free(v);
}

static void fill_nested(struct load *l, const struct load_section *ls,
			const struct scan_node *n, unsigned index, void *parent)
{
	const struct config_section *s = schema_section(ls->s, n->name);
	cfg_t *cfg = cfg_getnsec(ls->cfg, n->name, index);
	char where[256];
	const struct load_section sub = {s, n, cfg, where};
	const struct config_value title = {.at = n->at,
					   .where = where,
					   .v = (const char **)&n->title,
					   .n = 1,
					   .given = true};
	void *obj = cfg ? s->open(l, parent, n) : NULL;

	if (!cfg)
		l->p->nomem = true;
	if (!obj)
		return;
	snprintf(where, sizeof(where), "%s%s%s%s%s: ", ls->where, n->name,
		 n->title ? " \"" : "", n->title ? n->title : "",
		 n->title ? "\"" : "");
	if (s->titleh)
		s->titleh(l, obj, &title);
	load_fill(l, &sub, obj);
}

void load_fill(struct load *l, const struct load_section *ls, void *obj)
{
	unsigned used[8] = {0};

	if (ls->s->titleh && ls->s->place == PLACE_ARRAY) {
		const struct config_value title = {
			.at = ls->n->at,
			.where = ls->where,
			.v = (const char **)&ls->n->title,
			.n = 1,
			.given = true};

		ls->s->titleh(l, obj, &title);
	}
	for (const struct config_key *k = ls->s->keys; k && k->name; k++)
		load_fill_key(l, ls, k, scan_child(ls->n, k->name), obj);
	for (const struct scan_node *n = ls->n->child; n; n = n->next) {
		const struct config_section *s =
			n->dead || !n->section ? NULL
					       : schema_section(ls->s, n->name);

		if (s)
			fill_nested(l, ls, n, used[s - ls->s->subs]++, obj);
	}
}

void load_defaults(struct load *l, const struct config_section *s, void *obj)
{
	const struct load_section ls = {s, NULL, NULL, ""};

	for (const struct config_key *k = s->keys; k->name; k++)
		set_default(l, &ls, k, obj);
}
