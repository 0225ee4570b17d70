#include "calendar_internal.h"

#include "civil.h"
#include "rule.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int calendar_alloc(struct calendar **cp)
{
	*cp = calloc(1, sizeof(**cp));
	return *cp ? 0 : ENOMEM;
}

static void event_free(struct calendar_event *e)
{
	free(e->text);
	free(e->categories);
	free(e->uid);
	recur_free(e->recur);
	free(e->rdate);
	free(e->exdate);
}

struct calendar *calendar_free(struct calendar *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->n; i++)
		event_free(&c->v[i]);
	for (size_t i = 0; i < c->n_zones; i++) {
		free(c->zone[i].name);
		tz_free(c->zone[i].tz);
	}
	free(c->v);
	free(c);
	return NULL;
}

struct calendar_event *calendar_new(struct calendar *c)
{
	if (c->n == c->room) {
		const size_t room = c->room ? c->room * 2 : 16;
		void *v = realloc(c->v, room * sizeof(*c->v));

		if (!v)
			return NULL;
		c->v = v;
		c->room = room;
	}
	c->v[c->n] = (struct calendar_event){0};
	return &c->v[c->n++];
}

void calendar_drop(struct calendar *c)
{
	event_free(&c->v[--c->n]);
}

int calendar_date(int64_t **v, size_t *n, int64_t local)
{
	int64_t *grown;

	if (*n == CALENDAR_MAX_DATES)
		return ENOSPC;
	grown = realloc(*v, (*n + 1) * sizeof(**v));
	if (!grown)
		return ENOMEM;
	grown[(*n)++] = local;
	*v = grown;
	return 0;
}

int calendar_add_days(struct calendar *c, int64_t first, int64_t last,
		      bool yearly, const char *text)
{
	struct calendar_event *e = calendar_new(c);
	struct reason why;

	if (!e)
		return ENOMEM;
	e->whole = true;
	e->start = first * CIVIL_DAY;
	e->length = (last - first + 1) * CIVIL_DAY;
	e->text = strdup(text);
	e->categories = strdup("");
	if (!e->text || !e->categories ||
	    (yearly &&
	     recur_parse(&e->recur, "FREQ=YEARLY", e->start, NULL, &why))) {
		calendar_drop(c);
		return ENOMEM;
	}
	return 0;
}

size_t calendar_size(const struct calendar *c)
{
	return c->n;
}

const char *calendar_text(const struct calendar *c, int event)
{
	return c->v[event].text;
}

const char *calendar_categories(const struct calendar *c, int event)
{
	return c->v[event].categories;
}

int calendar_line(const struct calendar *c, int event)
{
	return c->v[event].line;
}

bool calendar_fits(const struct calendar *c, int event, const char *pattern)
{
	const struct calendar_event *e = &c->v[event];
	char one[256];

	if (!fnmatch(pattern, e->text, FNM_CASEFOLD))
		return true;
	for (const char *p = e->categories; *p;) {
		const size_t n = strcspn(p, ",");

		snprintf(one, sizeof(one), "%.*s", (int)n, p);
		if (!fnmatch(pattern, one, FNM_CASEFOLD))
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

/* ---------------------------------------------------------------- expansion */

struct look {
	const struct calendar *c;
	const struct tz *tz; /**< of the event at hand */
	int event;
	int64_t t1, t2;
	struct calendar_span *v;
	size_t n, max;
	int err;
};

/** Is this occurrence taken off, or is another in its place? */
static bool taken_off(const struct look *l, const struct calendar_event *e,
		      int64_t local)
{
	for (size_t i = 0; i < e->n_exdates; i++)
		if (e->exdate[i] == local)
			return true;
	if (!e->uid || e->override || (!e->recur && !e->n_rdates))
		return false;
	for (size_t i = 0; i < l->c->n; i++) {
		const struct calendar_event *o = &l->c->v[i];

		if (o->override && o->instead == local && o->uid &&
		    !strcmp(o->uid, e->uid))
			return true;
	}
	return false;
}

/** The instant of a local time: behind a gap, the first of two. */
static int64_t instant(const struct tz *tz, int64_t local)
{
	int64_t at[2];

	tz_utc(tz, local, at);
	return at[0];
}

static bool put(int64_t local, void *arg)
{
	struct look *l = arg;
	const struct calendar_event *e = &l->c->v[l->event];
	struct calendar_span s = {.event = l->event, .whole = e->whole};

	s.begin = instant(l->tz, local);
	s.end = e->whole ? instant(l->tz, local + e->length)
			 : s.begin + e->length;
	if (e->whole) {
		s.day = civil_day_of(local);
		s.days = e->length / CIVIL_DAY;
	}
	/* One without a length counts where it begins. */
	if (s.begin > l->t2 || (s.end <= l->t1 && s.begin < l->t1))
		return true;
	if (taken_off(l, e, local))
		return true;
	if (l->n == l->max) {
		l->err = E2BIG;
		return false;
	}
	l->v[l->n++] = s;
	return true;
}

static int order(const void *a, const void *b)
{
	const struct calendar_span *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return (x->event > y->event) - (x->event < y->event);
}

static void unite(struct look *l)
{
	size_t n = 0;

	qsort(l->v, l->n, sizeof(*l->v), order);
	/* An RDATE at an occurrence of the rule is the same one. */
	for (size_t i = 0; i < l->n; i++)
		if (!n || l->v[n - 1].begin != l->v[i].begin ||
		    l->v[n - 1].event != l->v[i].event)
			l->v[n++] = l->v[i];
	l->n = n;
}

int calendar_expand(const struct calendar *c, const struct tz *tz, int64_t t1,
		    int64_t t2, struct calendar_span *v, size_t max, size_t *n)
{
	struct look l = {.c = c, .t1 = t1, .t2 = t2, .v = v, .max = max};
	int err = 0;

	for (size_t i = 0; i < c->n && !err && !l.err; i++) {
		const struct calendar_event *e = &c->v[i];

		if (e->cancelled)
			continue;
		l.event = (int)i;
		l.tz = e->tz ? e->tz : tz;
		if (e->recur)
			err = recur_each(e->recur,
					 t1 - e->length - 2 * CIVIL_DAY,
					 t2 + 2 * CIVIL_DAY, put, &l);
		else
			put(e->start, &l);
		for (size_t k = 0; k < e->n_rdates && !l.err; k++)
			put(e->rdate[k], &l);
	}
	unite(&l);
	*n = l.n;
	return err ? err : l.err;
}
