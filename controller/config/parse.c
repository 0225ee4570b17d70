/* The text through libconfuse, one statement of the top at a time, so that a
 * mistake in one hides nothing in another. */
#include "load.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/** libconfuse's scanner keeps its state in globals. */
static pthread_mutex_t confuse_lock = PTHREAD_MUTEX_INITIALIZER;

/** Its error function gets no argument: who is reading, under that lock. */
static struct {
	struct load *l;
	const struct scan_node *n;
} reading;

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[256];

	vsnprintf(text, sizeof(text), fmt, ap);
	problem_add(reading.l->p,
		    (struct config_where){reading.n->at.file,
					  reading.n->at.line +
						  (cfg ? cfg->line - 1 : 0)},
		    "%s: %s", reading.n->name, text);
}

/**
 * The rows of a section as libconfuse wants them. Every value is read as text:
 * its own numbers have no units, no bounds, and its first error ends all.
 */
static cfg_opt_t *make_opts(const struct config_section *s);

static void free_opts(cfg_opt_t *o)
{
	for (cfg_opt_t *x = o; x && x->name; x++)
		if (x->type == CFGT_SEC)
			free_opts(x->subopts);
	free(o);
}

static bool add_sections(cfg_opt_t *o, const struct config_section *s)
{
	for (; s && s->name; s++, o++) {
		cfg_opt_t *subs = make_opts(s);

		if (!subs)
			return false;
		*o = (cfg_opt_t)CFG_SEC(
			s->name, subs,
			(s->title ? CFGF_TITLE : 0) |
				(s->place == PLACE_SINGLE ? 0 : CFGF_MULTI));
	}
	return true;
}

static cfg_opt_t *make_opts(const struct config_section *s)
{
	size_t n = 1, i = 0;
	cfg_opt_t *o;

	for (const struct config_key *k = s->keys; k && k->name; k++)
		n++;
	for (const struct config_section *x = s->subs; x && x->name; x++)
		n++;
	o = calloc(n, sizeof(*o)); /* zeroes are CFG_END() */
	if (!o)
		return NULL;
	for (const struct config_key *k = s->keys; k && k->name; k++)
		o[i++] = schema_is_list(k)
				 ? (cfg_opt_t)CFG_STR_LIST(k->name, NULL,
							   CFGF_NODEFAULT)
				 : (cfg_opt_t)CFG_STR(k->name, NULL,
						      CFGF_NODEFAULT);
	if (!add_sections(o + i, s->subs)) {
		free_opts(o);
		return NULL;
	}
	return o;
}

/** Same title before it in the same section: libconfuse would join them. */
static const struct scan_node *twin(const struct scan_node *parent,
				    const struct scan_node *n)
{
	for (const struct scan_node *x = parent->child; x != n; x = x->next)
		if (!x->dead && x->section && x->title && n->title &&
		    !strcmp(x->name, n->name) && !strcmp(x->title, n->title))
			return x;
	return NULL;
}

static bool section_fits(struct load *l, const struct config_section *s,
			 const struct scan_node *parent, struct scan_node *n,
			 const char *where)
{
	const struct config_section *sub = schema_section(s, n->name);
	const struct scan_node *first;

	if (!sub) {
		load_unknown(l, s, n, where);
		return false;
	}
	if (!load_title_fits(l, sub, n, where))
		return false;
	first = twin(parent, n);
	if (first)
		problem_add(l->p, n->at,
			    "%s%s \"%s\" is given twice; the first is at "
			    "%s:%d",
			    where, n->name, n->title, first->at.file,
			    first->at.line);
	return !first;
}

static bool key_fits(struct load *l, const struct config_section *s,
		     struct scan_node *n, const struct scan_node **first,
		     const char *where)
{
	const struct config_key *k = schema_key(s, n->name);

	if (!k) {
		load_unknown(l, s, n, where);
		return false;
	}
	first += k - s->keys;
	if (*first) {
		problem_add(l->p, n->at,
			    "%s\"%s\" is given twice; the first is in line %d",
			    where, n->name, (*first)->at.line);
		return false;
	}
	*first = n;
	if (n->list && !schema_is_list(k)) {
		problem_add(l->p, n->at, "%s\"%s\" takes one value, not a list",
			    where, n->name);
		return false;
	}
	return true;
}

/** Takes out what libconfuse would stop at, reporting it. */
static void clean(struct load *l, struct scan *scan,
		  const struct config_section *s, struct scan_node *n,
		  const char *where)
{
	const struct scan_node *first[64] = {NULL};
	size_t subs = 0;

	for (struct scan_node *x = n->child; x; x = x->next) {
		bool good;

		if (x->section && subs++ > MEDIA_MAX_OUTPUTS) {
			scan_blank(scan, x);
			continue;
		}
		good = x->section ? section_fits(l, s, n, x, where)
				  : key_fits(l, s, x, first, where);
		if (!good) {
			scan_blank(scan, x);
			n->damaged = true;
			continue;
		}
		if (x->section) {
			char deeper[256];

			snprintf(deeper, sizeof(deeper), "%s%s%s%s%s: ", where,
				 x->name, x->title ? " \"" : "",
				 x->title ? x->title : "",
				 x->title ? "\"" : "");
			clean(l, scan, schema_section(s, x->name), x, deeper);
		}
	}
}

static cfg_t *read_text(struct load *l, struct scan *scan,
			const struct scan_node *n, cfg_opt_t *opts)
{
	cfg_t *cfg = cfg_init(opts, CFGF_NONE);
	const char after = scan->text[n->end];
	int err;

	if (!cfg) {
		l->p->nomem = true;
		return NULL;
	}
	reading.l = l;
	reading.n = n;
	cfg_set_error_function(cfg, on_error);
	scan->text[n->end] = '\0';
	err = cfg_parse_buf(cfg, scan->text + n->begin);
	scan->text[n->end] = after;
	if (err == CFG_SUCCESS)
		return cfg;
	if (err == CFG_FILE_ERROR)
		l->p->nomem = true;
	/* In case it found something to say nothing about. */
	if (!l->p->errors)
		problem_add(l->p, n->at, "%s cannot be read", n->name);
	cfg_free(cfg);
	return NULL;
}

struct reader {
	cfg_opt_t *top;     /**< the keys of the top */
	cfg_opt_t *sec[32]; /**< each section with an end behind it */
	size_t used[KIND_COUNT];
};

static void parse_key(struct load *l, struct scan *scan, struct scan_node *n,
		      struct reader *r)
{
	cfg_t *cfg = read_text(l, scan, n, r->top);
	const struct load_section ls = {&config_schema, n, cfg, ""};

	if (cfg)
		load_fill_key(l, &ls, schema_key(&config_schema, n->name), n,
			      l->c);
	cfg_free(cfg);
}

static void parse_section(struct load *l, struct scan *scan,
			  struct scan_node *n, struct reader *r)
{
	const struct config_section *s =
		schema_section(&config_schema, n->name);
	cfg_opt_t **opts = &r->sec[s - config_schema.subs];
	const struct config_section only[2] = {*s, {0}};
	const struct config_section alone = {.subs = only};
	char where[128];
	cfg_t *cfg;

	snprintf(where, sizeof(where), "%s%s%s%s: ", n->name,
		 n->title ? " \"" : "", n->title ? n->title : "",
		 n->title ? "\"" : "");
	clean(l, scan, s, n, where);
	if (!*opts)
		*opts = make_opts(&alone);
	if (!*opts) {
		l->p->nomem = true;
		return;
	}
	cfg = read_text(l, scan, n, *opts);
	if (cfg) {
		const struct load_section ls = {s, n, cfg_getsec(cfg, s->name),
						where};
		void *obj = s->place == PLACE_SINGLE
				    ? (char *)l->c + s->offset
				    : schema_object(l->c, s, r->used[s->kind]);

		load_fill(l, &ls, obj);
	}
	r->used[s->kind]++;
	cfg_free(cfg);
}

static void parse_all(struct load *l, struct reader *r, bool priorities)
{
	for (size_t f = 0; f < l->n_files; f++) {
		struct scan *scan = &l->file[f].scan;

		for (struct scan_node *n = scan->first; n && !l->p->nomem;
		     n = n->next) {
			if (n->dead || (n == l->priorities) != priorities)
				continue;
			if (n->section)
				parse_section(l, scan, n, r);
			else
				parse_key(l, scan, n, r);
		}
	}
}

void load_parse(struct load *l)
{
	const struct config_section top = {.keys = config_schema.keys};
	struct reader r = {.top = make_opts(&top)};

	if (!r.top) {
		l->p->nomem = true;
		return;
	}
	pthread_mutex_lock(&confuse_lock);
	/* First: other sections name levels. */
	parse_all(l, &r, true);
	parse_all(l, &r, false);
	pthread_mutex_unlock(&confuse_lock);
	free_opts(r.top);
	for (size_t i = 0; i < sizeof(r.sec) / sizeof(*r.sec); i++)
		free_opts(r.sec[i]);
}
