/* One run: read, look over, name, parse, resolve, check, tell. */
#include "load.h"

#include <errno.h>
#include <stdlib.h>

static void set_defaults(struct load *l)
{
	for (const struct config_section *s = config_schema.subs; s->name; s++)
		if (s->place == PLACE_SINGLE)
			load_defaults(l, s, (char *)l->c + s->offset);
	load_defaults(l, &config_schema, l->c);
}

static void reset(struct load *l)
{
	for (size_t i = 0; i < l->n_files; i++) {
		scan_reset(&l->file[i].scan);
		free(l->file[i].dir);
	}
	for (size_t k = 0; k < KIND_COUNT; k++) {
		free(l->node[k]);
		free(l->names[k]);
	}
	free(l->sound_node);
	free(l->zone_broken);
	problems_reset(l->p);
	free(l->p);
	free(l);
}

static int run(struct load *l, const char *path)
{
	int err = load_files(l, path);

	if (err)
		return err;
	/* What is given overwrites them. */
	set_defaults(l);
	load_declare(l);
	if (!l->p->nomem)
		load_parse(l);
	if (!l->p->nomem)
		load_zones(l);
	if (!l->p->nomem)
		load_check(l);
	return 0;
}

int config_load(struct config **cp, const char *path, config_error_h *h,
		void *arg)
{
	struct load *l = calloc(1, sizeof(*l));
	struct config *c = calloc(1, sizeof(*c));
	int err;

	if (l)
		l->p = calloc(1, sizeof(*l->p));
	if (!l || !c || !l->p) {
		free(l ? l->p : NULL);
		free(l);
		free(c);
		return ENOMEM;
	}
	l->c = c;
	err = run(l, path);
	problems_tell(l->p, c->files, c->n_files, h, arg);
	if (l->p->nomem)
		err = ENOMEM;
	else if (!err && l->p->errors)
		err = EINVAL;
	reset(l);
	if (err) {
		config_free(c);
		return err;
	}
	*cp = c;
	return 0;
}
