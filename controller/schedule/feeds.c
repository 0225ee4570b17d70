#include "feeds.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/base/text.h"
#include "source.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct feed {
	struct source src; /**< the worker's while it runs */
	struct calendar *cal;
	const struct config_calendar *conf;
	uint64_t due_us;
	int64_t loaded_wall_us;
	bool looked; /**< at least once */
	bool orphan; /**< its calendar is gone, the worker still has it */
	char error[512];
};

struct feeds {
	struct recorder *recorder;
	struct faults *faults;
	feeds_h *h;
	void *arg;
	struct mqueue *mq;
	struct feed **v;
	size_t n;
	uint64_t since_us; /**< of this configuration */
	char *state_dir;
	/* the worker */
	pthread_t thread;
	struct feed *busy;
	bool first; /**< it begins with the copy, if the source fails */
	struct source_result result;
};

static void feed_free(struct feed *f)
{
	if (!f)
		return;
	source_reset(&f->src);
	calendar_free(f->cal);
	free(f);
}

static void start_next(struct feeds *f);

static void fault_key(const struct feed *x, char key[96])
{
	snprintf(key, 96, "calendar:%s", x->src.name);
}

static void tell(struct feeds *f, struct feed *x, const struct source_result *r)
{
	char key[96];

	fault_key(x, key);
	snprintf(x->error, sizeof(x->error), "%s", r->error);
	if (*r->error)
		fault_raise(f->faults, key, FEEDS_FILE_S * 1000,
			    "Correct the calendar or its address; until then "
			    "the last good copy is used.",
			    "calendar %s: %s%s", x->src.name,
			    r->calendar ? "an event is left out: " : "",
			    r->error);
	else
		fault_clear(f->faults, key);
	if (r->calendar && (x->src.ics || x->src.url))
		record(f->recorder, EVENT_CALENDAR_LOADED, 0, key, NULL,
		       json_pack("{s:i,s:i}", "events",
				 (int)calendar_size(r->calendar), "left_out",
				 (int)r->bad),
		       "calendar %s was read: %zu events, %zu left out",
		       x->src.name, calendar_size(r->calendar), r->bad);
}

static void on_done(int id, void *data, void *arg)
{
	struct feeds *f = arg;
	struct feed *x = f->busy;
	struct source_result r = f->result;
	bool asked = !f->first || !x->src.url;
	uint64_t wait_s;

	(void)id;
	(void)data;
	pthread_join(f->thread, NULL);
	f->busy = NULL;
	if (x->orphan) {
		calendar_free(r.calendar);
		feed_free(x);
		start_next(f);
		return;
	}
	wait_s = !asked        ? 0
		 : !x->src.url ? FEEDS_FILE_S
		 : *r.error    ? FEEDS_RETRY_S
			       : x->conf->poll_s;
	if (asked && wait_s > x->conf->poll_s && x->src.url)
		wait_s = x->conf->poll_s;
	x->due_us = clock_mono_us() + wait_s * UINT64_C(1000000);
	/* A file that did not change says nothing about its errors. */
	if (r.calendar || *r.error || x->src.url)
		tell(f, x, &r);
	x->looked = true;
	if (r.calendar) {
		calendar_free(x->cal);
		x->cal = r.calendar;
		x->loaded_wall_us = clock_wall_us();
	}
	f->h(f->arg);
	start_next(f);
}

static void *worker(void *arg)
{
	struct feeds *f = arg;
	struct source *s = &f->busy->src;
	struct source_result copy;

	if (f->first && s->url) {
		source_cached(s, &f->result);
	} else {
		source_read(s, !f->first, true, &f->result);
		if (f->first && !f->result.calendar) {
			source_cached(s, &copy);
			f->result.calendar = copy.calendar;
			f->result.bad = copy.bad;
		}
	}
	mqueue_push(f->mq, 0, NULL);
	return NULL;
}

static void start_next(struct feeds *f)
{
	const uint64_t now = clock_mono_us();
	struct feed *best = NULL;

	if (f->busy)
		return;
	for (size_t i = 0; i < f->n; i++) {
		struct feed *x = f->v[i];

		/* Plain dates are read once. */
		if (x->looked && !x->src.ics && !x->src.url)
			continue;
		if (x->due_us <= now &&
		    (!best || (best->looked && !x->looked) ||
		     (best->looked == x->looked && x->due_us < best->due_us)))
			best = x;
	}
	if (!best)
		return;
	f->busy = best;
	f->first = !best->looked;
	if (pthread_create(&f->thread, NULL, worker, f)) {
		f->busy = NULL;
		best->due_us = now + FEEDS_RETRY_S * UINT64_C(1000000);
	}
}

int feeds_alloc(struct feeds **fp, struct recorder *r, struct faults *fl,
		feeds_h *h, void *arg)
{
	struct feeds *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return ENOMEM;
	f->recorder = r;
	f->faults = fl;
	f->h = h;
	f->arg = arg;
	err = mqueue_alloc(&f->mq, on_done, f);
	if (err)
		free(f);
	else
		*fp = f;
	return err;
}

struct feeds *feeds_free(struct feeds *f)
{
	if (!f)
		return NULL;
	if (f->busy) {
		pthread_join(f->thread, NULL);
		calendar_free(f->result.calendar);
		if (f->busy->orphan)
			feed_free(f->busy);
	}
	for (size_t i = 0; i < f->n; i++)
		feed_free(f->v[i]);
	mem_deref(f->mq);
	free(f->v);
	free(f);
	return NULL;
}

static bool same(const struct source *a, const struct source *b)
{
	return text_same(a->name, b->name) && text_same(a->ics, b->ics) &&
	       text_same(a->url, b->url) && text_same(a->cache, b->cache) &&
	       a->n_dates == b->n_dates &&
	       !memcmp(a->dates, b->dates, a->n_dates * sizeof(*a->dates));
}

/** An old feed of the same source; it is taken out of the old list. */
static struct feed *take(struct feeds *f, const struct source *s)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i] && same(&f->v[i]->src, s)) {
			struct feed *x = f->v[i];

			f->v[i] = NULL;
			return x;
		}
	return NULL;
}

static void drop(struct feeds *f, struct feed *x)
{
	char key[96];

	if (!x)
		return;
	fault_key(x, key);
	fault_clear(f->faults, key);
	if (x == f->busy)
		x->orphan = true;
	else
		feed_free(x);
}

int feeds_configure(struct feeds *f, const struct config *c)
{
	struct feed **v = calloc(c->n_calendars + 1, sizeof(struct feed *));
	size_t n = 0;
	int err = v ? 0 : ENOMEM;

	for (; !err && n < c->n_calendars; n++) {
		v[n] = calloc(1, sizeof(*v[n]));
		err = v[n] ? source_init(&v[n]->src, &c->calendars[n],
					 c->state_dir)
			   : ENOMEM;
	}
	if (err) {
		for (size_t i = 0; v && i < c->n_calendars; i++)
			feed_free(v[i]);
		free(v);
		return err;
	}
	for (size_t i = 0; i < n; i++) {
		struct feed *old = take(f, &v[i]->src);

		if (old) {
			feed_free(v[i]);
			v[i] = old;
		}
		v[i]->conf = &c->calendars[i];
		if (v[i] != f->busy)
			v[i]->due_us = 0;
	}
	for (size_t i = 0; i < f->n; i++)
		drop(f, f->v[i]);
	free(f->v);
	f->v = v;
	f->n = n;
	f->since_us = clock_mono_us();
	start_next(f);
	return 0;
}

const struct calendar *feeds_calendar(const struct feeds *f, size_t i)
{
	return f->v[i]->cal;
}

bool feeds_ready(const struct feeds *f)
{
	if (clock_mono_us() - f->since_us >
	    FEEDS_PATIENCE_S * UINT64_C(1000000))
		return true;
	for (size_t i = 0; i < f->n; i++)
		if (!f->v[i]->looked)
			return false;
	return true;
}

void feeds_watch(struct feeds *f)
{
	start_next(f);
}

json_t *feeds_json(const struct feeds *f)
{
	json_t *a = json_array();

	for (size_t i = 0; i < f->n; i++) {
		const struct feed *x = f->v[i];
		char loaded[CLOCK_TEXT_SIZE];

		json_array_append_new(
			a, json_pack("{s:s,s:i,s:s*,s:s*,s:s*,s:s*,s:s*}",
				     "name", x->conf->name, "events",
				     x->cal ? (int)calendar_size(x->cal) : 0,
				     "ics", x->conf->ics, "url", x->conf->url,
				     "day_type", x->conf->day_type, "loaded",
				     x->cal ? clock_format(loaded,
							   x->loaded_wall_us)
					    : NULL,
				     "error", *x->error ? x->error : NULL));
	}
	return a;
}
