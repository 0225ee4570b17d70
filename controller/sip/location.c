#include "controller/sip/location.h"

#include "controller/base/clock.h"
#include "controller/sip/dial.h"
#include "controller/sip/registrar_internal.h"

#include <stdlib.h>

#define LOOK_MS 1000

static void sa_of(struct sa *sa, const struct sockaddr_storage *ss)
{
	sa_init(sa, AF_UNSPEC);
	(void)sa_set_sa(sa, (const struct sockaddr *)ss);
}

static size_t slot_of(const struct sa *sa)
{
	return sa_hash(sa, SA_ADDR) % KNOWN_SLOTS;
}

static void learn(struct registrar *r)
{
	memset(r->known, 0, sizeof(r->known));
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < r->v[i].b.n; k++) {
			struct sa sa;

			sa_of(&sa, &r->v[i].b.v[k].from);
			r->known[slot_of(&sa)] = 1;
		}
}

bool registrar_knows(const struct registrar *r, const struct sa *src)
{
	if (!r->known[slot_of(src)])
		return false;
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < r->v[i].b.n; k++) {
			struct sa sa;

			sa_of(&sa, &r->v[i].b.v[k].from);
			if (sa_cmp(&sa, src, SA_ADDR))
				return true;
		}
	return false;
}

/* The same contacts, at the same addresses? */
static bool same(const struct bindings *a, const struct bindings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i].uri, b->v[i].uri) ||
		    strcmp(a->v[i].reach, b->v[i].reach))
			return false;
	return true;
}

void registrar_bind(struct registrar *r, size_t i, const struct bindings *b,
		    bool expired)
{
	struct bindings *old = &r->v[i].b;
	const enum location_change how = !old->n   ? LOCATION_REGISTERED
					 : b->n    ? LOCATION_MOVED
					 : expired ? LOCATION_EXPIRED
						   : LOCATION_LEFT;
	const bool is_same = same(old, b);

	*old = *b;
	if (is_same)
		return;
	learn(r);
	if (r->h.changed)
		r->h.changed(r->v[i].name, how, &r->v[i].b, r->arg);
}

static void look(void *arg)
{
	struct registrar *r = arg;
	const uint64_t now = clock_mono_ms();

	tmr_start(&r->tmr, LOOK_MS, look, r);
	for (size_t i = 0; i < r->n; i++) {
		struct bindings b;

		if (!r->v[i].b.n)
			continue;
		b = r->v[i].b;
		if (register_expire(&b, now))
			registrar_bind(r, i, &b, true);
	}
}

static struct place *place_of(const struct registrar *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->v[i].name, name))
			return &r->v[i];
	return NULL;
}

int registrar_configure(struct registrar *r)
{
	const struct config *c = r->stack->config;
	struct place *v = calloc(c->n_endpoints + 1, sizeof(*v));

	if (!v)
		return ENOMEM;
	for (size_t i = 0; i < c->n_endpoints; i++) {
		const char *name = c->endpoints[i].may.name;
		const struct place *old = place_of(r, name);

		if (old)
			v[i] = *old;
		else
			snprintf(v[i].name, sizeof(v[i].name), "%s", name);
	}
	free(r->v);
	r->v = v;
	r->n = c->n_endpoints;
	learn(r);
	if (r->n)
		tmr_start(&r->tmr, LOOK_MS, look, r);
	else
		tmr_cancel(&r->tmr);
	return 0;
}

/* ------------------------------------------------------------------- public */

size_t location_find(const struct stack *s, const char *name,
		     struct bindings *b)
{
	const struct registrar *r = s->registrar;
	const int i = config_endpoint_find(s->config, name);

	b->n = 0;
	if (i < 0 || (size_t)i >= r->n)
		return 0;
	*b = r->v[i].b;
	(void)register_expire(b, clock_mono_ms());
	/* Few: the newest to the front. */
	for (size_t k = 1; k < b->n; k++)
		for (size_t m = k; m && b->v[m].until_ms > b->v[m - 1].until_ms;
		     m--) {
			const struct binding x = b->v[m];

			b->v[m] = b->v[m - 1];
			b->v[m - 1] = x;
		}
	return b->n;
}

void location_handle(struct stack *s, const struct location_handlers *h,
		     void *arg)
{
	s->registrar->h = *h;
	s->registrar->arg = arg;
}

bool location_restore(struct stack *s, const char *name,
		      const struct bindings *b)
{
	struct place *p = place_of(s->registrar, name);
	struct reason why;

	if (!p || b->n > REGISTER_CONTACTS)
		return false;
	for (size_t i = 0; i < b->n; i++)
		if (!dial_uri_ok(b->v[i].reach, &why))
			return false;
	p->b = *b;
	learn(s->registrar);
	return true;
}

void location_bans(const struct stack *s, ban_h *h, void *arg)
{
	ban_each(s->registrar->ban, clock_mono_ms(), h, arg);
}
