#include "retained.h"

#include "controller/base/compat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct le le;
	unsigned pass; /**< in which it was said last; 0 = it was found */
	char topic[];
};

struct retained {
	struct hash *topics;
	unsigned pass;
	size_t n;
};

static void entry_destructor(void *arg)
{
	struct entry *e = arg;

	hash_unlink(&e->le);
}

int retained_alloc(struct retained **rp)
{
	struct retained *r = calloc(1, sizeof(*r));

	if (!r || hash_alloc(&r->topics, 1024)) {
		free(r);
		return ENOMEM;
	}
	r->pass = 1;
	*rp = r;
	return 0;
}

struct retained *retained_free(struct retained *r)
{
	if (!r)
		return NULL;
	hash_flush(r->topics);
	mem_deref(r->topics);
	free(r);
	return NULL;
}

static bool is_topic(struct le *le, void *arg)
{
	const struct entry *e = le->data;

	return !strcmp(e->topic, arg);
}

static struct entry *find(const struct retained *r, const char *topic)
{
	struct le *le = hash_lookup(r->topics, hash_joaat_str(topic), is_topic,
				    (void *)topic);

	return le ? le->data : NULL;
}

static struct entry *add(struct retained *r, const char *topic)
{
	size_t size = strlen(topic) + 1;
	struct entry *e;

	if (r->n >= RETAINED_MAX)
		return NULL;
	e = mem_zalloc(sizeof(*e) + size, entry_destructor);
	if (!e)
		return NULL;
	memcpy(e->topic, topic, size);
	hash_append(r->topics, hash_joaat_str(topic), &e->le, e);
	r->n++;
	return e;
}

static void forget(struct retained *r, struct entry *e)
{
	mem_deref(e);
	r->n--;
}

void retained_said(struct retained *r, const char *topic, bool empty)
{
	struct entry *e = find(r, topic);

	if (empty) {
		if (e)
			forget(r, e);
		return;
	}
	if (!e)
		e = add(r, topic);
	if (e)
		e->pass = r->pass;
}

void retained_found(struct retained *r, const char *topic)
{
	if (!find(r, topic))
		add(r, topic);
}

void retained_begin(struct retained *r)
{
	r->pass++;
}

struct sweep {
	struct retained *r;
	retained_h *h;
	void *arg;
};

static bool sweep_one(struct le *le, void *arg)
{
	struct sweep *s = arg;
	struct entry *e = le->data;

	if (e->pass != s->r->pass) {
		s->h(e->topic, s->arg);
		forget(s->r, e);
	}
	return false;
}

void retained_sweep(struct retained *r, retained_h *h, void *arg)
{
	struct sweep s = {.r = r, .h = h, .arg = arg};

	hash_apply(r->topics, sweep_one, &s);
}

size_t retained_count(const struct retained *r)
{
	return r->n;
}
