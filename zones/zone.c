#include "zone.h"

#define WORDS (MEDIA_MAX_OUTPUTS / 64)

enum { NEW, OPEN, DONE };

struct walk {
	struct zone_def *defs;
	size_t n;
	int *path;
	zone_cycle_h *h;
	void *arg;
	size_t cycles;
};

static void join(struct media_set *to, const struct media_set *s)
{
	for (size_t i = 0; i < WORDS; i++)
		to->w[i] |= s->w[i];
}

static void take(struct media_set *from, const struct media_set *s)
{
	for (size_t i = 0; i < WORDS; i++)
		from->w[i] &= ~s->w[i];
}

static void join_own(struct media_set *to, const struct zone_def *z)
{
	for (size_t i = 0; i < z->n_own; i++)
		if (z->own[i] >= 0 && z->own[i] < MEDIA_MAX_OUTPUTS)
			media_set_add(to, (unsigned)z->own[i]);
}

static void tell(struct walk *w, int back)
{
	size_t n = 0;
	int z = back;

	do {
		w->path[n++] = z;
		z = w->defs[z].via;
	} while (z != back && n < w->n);
	w->cycles++;
	w->h(w->path, n, w->arg);
}

static void visit(struct walk *w, int i);

/** Outputs of the zones listed, each resolved first. */
static void gather(struct walk *w, int i, const int *list, size_t n,
		   struct media_set *s)
{
	for (size_t k = 0; k < n; k++) {
		const int z = list[k];

		if (z < 0 || (size_t)z >= w->n)
			continue;
		w->defs[i].via = z;
		if (w->defs[z].state == OPEN) {
			tell(w, z);
			continue;
		}
		visit(w, z);
		join(s, &w->defs[z].outputs);
	}
}

static void visit(struct walk *w, int i)
{
	struct zone_def *d = &w->defs[i];
	struct media_set off = {0};

	if (d->state != NEW)
		return;
	d->state = OPEN;
	gather(w, i, d->zones, d->n_zones, &d->outputs);
	if (d->all)
		for (size_t k = 0; k < w->n; k++)
			join_own(&d->outputs, &w->defs[k]);
	gather(w, i, d->except, d->n_except, &off);
	take(&d->outputs, &off);
	join_own(&d->outputs, d);
	d->n_outputs = zone_count(&d->outputs);
	d->state = DONE;
}

size_t zone_resolve(struct zone_def *defs, size_t n, int *path, zone_cycle_h *h,
		    void *arg)
{
	struct walk w = {defs, n, path, h, arg, 0};

	for (size_t i = 0; i < n; i++) {
		defs[i].state = NEW;
		defs[i].outputs = (struct media_set){0};
	}
	for (size_t i = 0; i < n; i++)
		visit(&w, (int)i);
	return w.cycles;
}

size_t zone_count(const struct media_set *s)
{
	size_t n = 0;

	for (size_t i = 0; i < WORDS; i++)
		n += (size_t)__builtin_popcountll(s->w[i]);
	return n;
}

bool zone_within(const struct media_set *a, const struct media_set *b)
{
	for (size_t i = 0; i < WORDS; i++)
		if (a->w[i] & ~b->w[i])
			return false;
	return true;
}
