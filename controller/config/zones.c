/* Nested zones: from names to outputs. */
#include "load.h"
#include "zones/zone.h"

#include <stdlib.h>
#include <string.h>

static void on_cycle(const int *path, size_t n, void *arg)
{
	struct load *l = arg;
	const struct config_zone *z = l->c->zones;
	char text[512] = "";
	size_t used = 0;

	for (size_t i = 0; i <= n && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s\"%s\"", i ? " -> " : "",
					 z[path[i % n]].name);
	for (size_t i = 0; i < n; i++)
		l->zone_broken[path[i]] = true;
	problem_add(l->p, load_at(l, KIND_ZONE, (size_t)path[0], "zones"),
		    "zones contain each other in a circle: %s", text);
}

static void set_own(struct load *l)
{
	struct config *c = l->c;

	for (size_t i = 0; i < c->n_sounds; i++) {
		struct config_zone *z = &c->zones[c->sounds[i].zone];

		/* Those of one zone stand together. */
		if (!z->own)
			z->own = load_calloc(l, c->n_sounds - i, sizeof(int));
		if (!z->own)
			return;
		z->own[z->n_own++] = (int)i;
	}
	for (size_t i = 0; i < c->n_zones; i++) {
		struct config_zone *z = &c->zones[i];
		int *less = realloc(z->own, (z->n_own + 1) * sizeof(int));

		if (less)
			z->own = less;
	}
}

static bool named(const int *list, size_t n, int zone)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == zone)
			return true;
	return false;
}

/** Has the zone outputs of its own, all of them in the set? */
static bool own_within(const struct config_zone *z, const struct media_set *s)
{
	for (size_t i = 0; i < z->n_own; i++)
		if (!media_set_has(s, (unsigned)z->own[i]))
			return false;
	return z->n_own > 0;
}

/** The zones contained in the end. */
static void set_contained(struct load *l, struct config_zone *z)
{
	struct config *c = l->c;
	size_t n = 0;

	if (z->all) {
		free(z->zones);
		z->zones = load_calloc(l, c->n_zones, sizeof(int));
		for (size_t i = 0; z->zones && i < c->n_zones; i++)
			if (&c->zones[i] != z &&
			    own_within(&c->zones[i], &z->outputs))
				z->zones[n++] = (int)i;
	} else {
		for (size_t i = 0; i < z->n_zones; i++)
			if (!named(z->except, z->n_except, z->zones[i]) &&
			    !named(z->zones, n, z->zones[i]))
				z->zones[n++] = z->zones[i];
	}
	z->n_zones = n;
}

void load_zones(struct load *l)
{
	struct config *c = l->c;
	struct zone_def *defs = load_calloc(l, c->n_zones, sizeof(*defs));
	int *path = load_calloc(l, c->n_zones, sizeof(*path));

	set_own(l);
	if (!defs || !path || l->p->nomem)
		goto out;
	for (size_t i = 0; i < c->n_zones; i++) {
		const struct config_zone *z = &c->zones[i];

		defs[i] = (struct zone_def){.own = z->own,
					    .n_own = z->n_own,
					    .all = z->all,
					    .zones = z->zones,
					    .n_zones = z->n_zones,
					    .except = z->except,
					    .n_except = z->n_except};
	}
	zone_resolve(defs, c->n_zones, path, on_cycle, l);
	for (size_t i = 0; i < c->n_zones; i++) {
		c->zones[i].outputs = defs[i].outputs;
		c->zones[i].n_outputs = defs[i].n_outputs;
	}
	for (size_t i = 0; i < c->n_zones; i++)
		set_contained(l, &c->zones[i]);
out:
	free(defs);
	free(path);
}
