#include "statemap.h"

#include <stdlib.h>
#include <string.h>

struct state *state_new(const char *key, const char *value, uint64_t since_us)
{
	size_t nk = strlen(key) + 1, nv = value ? strlen(value) + 1 : 0;
	struct state *s = malloc(sizeof(*s) + nk + nv);

	if (!s)
		return NULL;
	s->since_us = since_us;
	s->value = NULL;
	memcpy(s->key, key, nk);
	if (value)
		s->value = memcpy(s->key + nk, value, nv);
	return s;
}

struct state *statemap_find(const struct statemap *m, const char *key)
{
	struct state *s;

	for (s = TAILQ_FIRST(m); s; s = TAILQ_NEXT(s, le))
		if (!strcmp(s->key, key))
			return s;
	return NULL;
}

struct state *statemap_put(struct statemap *m, struct state *s)
{
	struct state *old = statemap_find(m, s->key);

	if (old) {
		TAILQ_INSERT_AFTER(m, old, s, le);
		TAILQ_REMOVE(m, old, le);
	} else {
		TAILQ_INSERT_TAIL(m, s, le);
	}
	return old;
}

void statemap_clear(struct statemap *m)
{
	struct state *s;

	while ((s = TAILQ_FIRST(m))) {
		TAILQ_REMOVE(m, s, le);
		free(s);
	}
}
