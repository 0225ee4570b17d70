#include "journal.h"

#include "controller/base/clock.h"
#include "journal_db.h"
#include "statemap.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/** Most events of one transaction. */
#define BATCH 256
/** Events wait this long for others to share their fsync; state does not. */
#define GATHER_US 50000
/** After a write error: first and longest pause before the next try. */
#define RETRY_MIN_US 100000
#define RETRY_MAX_US 2000000
/** How long journal_close() lets the writer write. */
#define CLOSE_US 5000000
/** How long an error that healed by itself stays visible. */
#define SHOW_US 10000000

struct batch {
	struct statemap states;
	struct journal_items events;
	uint32_t n_events;
};

struct journal {
	/* Control thread only. */
	uint64_t last_id;
	struct statemap at_open; /**< never changes after journal_open() */

	char path[4096]; /**< never changes */
	pthread_t thread;

	/* Writer only, once it runs. */
	struct journal_db *db; /**< NULL: to be opened (again) */
	struct statemap kept;  /**< all state as it should be on disk */
	bool rewrite;          /**< db may lack some of it */
	bool set_aside;        /**< once a run: a bad disk damages them all */

	/* Below: under lock, which is held for queue work only. */
	pthread_mutex_t lock;
	pthread_cond_t wake; /**< for the writer */
	pthread_cond_t end;  /**< for journal_close() */
	struct statemap states;
	struct journal_items events;
	uint32_t n_events;      /**< queued and being written */
	uint64_t writing_since; /**< of the oldest being written; 0 = none */
	uint64_t dropped;
	uint32_t stall_ms;
	bool failing;
	uint64_t retry_us, pause_us; /**< next try, last pause */
	uint64_t show_us;            /**< error is shown until then */
	char error[sizeof(((struct journal_health *)0)->error)];
	bool closing, ended, abandoned;
	uint64_t close_us; /**< writing ends then at the latest */
};

/* ------------------------------------------------------------------- queue */

static struct journal_item *item_new(const struct event *e)
{
	const char *const text[] = {e->subject, e->actor, e->text, e->data};
	const char *at[4];
	size_t len[4], size = 0;
	struct journal_item *it;
	char *p;

	for (size_t i = 0; i < 4; i++)
		size += len[i] = strlen(text[i]) + 1;
	it = malloc(sizeof(*it) + size);
	if (!it)
		return NULL;
	p = it->buf;
	for (size_t i = 0; i < 4; i++) {
		at[i] = memcpy(p, text[i], len[i]);
		p += len[i];
	}
	it->id = e->id;
	it->cause = e->cause;
	it->wall_us = e->wall_us;
	it->mono_us = e->mono_us;
	it->type = e->type;
	it->subject = at[0];
	it->actor = at[1];
	it->text = at[2];
	it->data = at[3];
	it->since_us = clock_mono_us();
	return it;
}

static void items_clear(struct journal_items *l)
{
	struct journal_item *it;

	while ((it = TAILQ_FIRST(l))) {
		TAILQ_REMOVE(l, it, le);
		free(it);
	}
}

/* Takes what one transaction writes: all state, the oldest events. */
static void take(struct journal *j, struct batch *b)
{
	struct journal_item *it;
	struct state *s;

	TAILQ_INIT(&b->states);
	TAILQ_INIT(&b->events);
	b->n_events = 0;
	j->writing_since = 0;
	for (s = TAILQ_FIRST(&j->states); s; s = TAILQ_NEXT(s, le))
		if (!j->writing_since || s->since_us < j->writing_since)
			j->writing_since = s->since_us;
	TAILQ_CONCAT(&b->states, &j->states, le);
	it = TAILQ_FIRST(&j->events);
	if (it && (!j->writing_since || it->since_us < j->writing_since))
		j->writing_since = it->since_us;
	while (b->n_events < BATCH && (it = TAILQ_FIRST(&j->events))) {
		TAILQ_REMOVE(&j->events, it, le);
		TAILQ_INSERT_TAIL(&b->events, it, le);
		b->n_events++;
	}
}

/* What could not be written waits again, before what came meanwhile. */
static void put_back(struct journal *j, struct batch *b)
{
	struct state *s;

	while ((s = TAILQ_FIRST(&b->states))) {
		TAILQ_REMOVE(&b->states, s, le);
		if (statemap_find(&j->states, s->key))
			free(s); /* a later value came */
		else
			TAILQ_INSERT_HEAD(&j->states, s, le);
	}
	TAILQ_CONCAT(&b->events, &j->events, le);
	TAILQ_CONCAT(&j->events, &b->events, le);
}

static void say(struct journal *j, const char *text, uint64_t now)
{
	snprintf(j->error, sizeof(j->error), "%s", text);
	j->show_us = now + SHOW_US;
}

/* ------------------------------------------------------------------ writer */

/* A new database (the old one damaged or gone) gets all state, not only what
 * changes from now on. */
static int write_kept(struct journal *j, struct reason *why)
{
	struct journal_items none = TAILQ_HEAD_INITIALIZER(none);
	int err = journal_db_write(j->db, &j->kept, &none, why);

	if (!err)
		j->rewrite = false;
	return err;
}

static int try_to_write(struct journal *j, const struct batch *b,
			struct reason *why)
{
	int err = 0;

	if (!j->db) {
		j->rewrite = true;
		err = journal_db_open(&j->db, j->path, false, why);
	}
	if (!err && j->rewrite)
		err = write_kept(j, why);
	if (!err && (!TAILQ_EMPTY(&b->states) || !TAILQ_EMPTY(&b->events)))
		err = journal_db_write(j->db, &b->states, &b->events, why);
	/* What a full, gone or read-only disk left in the connection is not
	 * trusted. */
	if (err)
		j->db = journal_db_close(j->db);
	return err;
}

/* 0 with a reason: it was damaged and is begun anew. */
static int put_on_disk(struct journal *j, const struct batch *b,
		       struct reason *why)
{
	struct reason aside;
	int err = try_to_write(j, b, why);

	if (err != EBADMSG || j->set_aside)
		return err;
	j->set_aside = true;
	err = journal_db_set_aside(j->path, &aside);
	if (!err)
		err = try_to_write(j, b, why);
	else
		*why = aside;
	if (!err)
		*why = aside;
	return err;
}

/* What was written is now what should be on disk. */
static void keep(struct journal *j, struct batch *b)
{
	struct state *s, *old;

	while ((s = TAILQ_FIRST(&b->states))) {
		TAILQ_REMOVE(&b->states, s, le);
		old = statemap_put(&j->kept, s);
		free(old);
		if (!s->value) {
			TAILQ_REMOVE(&j->kept, s, le);
			free(s);
		}
	}
	items_clear(&b->events);
}

static void wait_until(struct journal *j, uint64_t us)
{
	struct timespec t = {.tv_sec = (time_t)(us / 1000000),
			     .tv_nsec = (long)(us % 1000000) * 1000};

	pthread_cond_timedwait(&j->wake, &j->lock, &t);
}

static bool waiting(const struct journal *j)
{
	return !TAILQ_EMPTY(&j->states) || !TAILQ_EMPTY(&j->events);
}

/* Waits for the next moment to write; false when it is time to end. */
static bool wait_for_work(struct journal *j)
{
	for (;;) {
		uint64_t now = clock_mono_us(), at = 0;

		if (j->closing && (now >= j->close_us || !waiting(j)))
			return false;
		if (j->failing)
			at = j->retry_us;
		else if (!TAILQ_EMPTY(&j->states) || j->closing ||
			 j->n_events >= BATCH)
			return true;
		else if (!TAILQ_EMPTY(&j->events))
			at = TAILQ_FIRST(&j->events)->since_us + GATHER_US;
		if (at && now >= at)
			return true;
		if (at && j->closing && at > j->close_us)
			at = j->close_us;
		if (at)
			wait_until(j, at);
		else
			pthread_cond_wait(&j->wake, &j->lock);
	}
}

static void written(struct journal *j, const struct batch *b,
		    const struct reason *why)
{
	uint64_t now = clock_mono_us();

	j->n_events -= b->n_events;
	if (j->failing)
		j->show_us = 0;
	j->failing = false;
	j->pause_us = 0;
	/* Not an error any more, but somebody must look after the disk. */
	if (*why->text)
		say(j, why->text, now);
}

static void not_written(struct journal *j, struct batch *b,
			const struct reason *why)
{
	uint64_t now = clock_mono_us();

	put_back(j, b);
	say(j, why->text, now);
	j->failing = true;
	j->pause_us = j->pause_us ? j->pause_us * 2 : RETRY_MIN_US;
	if (j->pause_us > RETRY_MAX_US)
		j->pause_us = RETRY_MAX_US;
	j->retry_us = now + j->pause_us;
}

static void journal_destroy(struct journal *j)
{
	journal_db_close(j->db);
	statemap_clear(&j->at_open);
	statemap_clear(&j->kept);
	statemap_clear(&j->states);
	items_clear(&j->events);
	pthread_cond_destroy(&j->wake);
	pthread_cond_destroy(&j->end);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

static void *writer(void *arg)
{
	struct journal *j = arg;
	bool abandoned;

	pthread_setname_np(pthread_self(), "journal");
	pthread_mutex_lock(&j->lock);
	while (wait_for_work(j)) {
		struct reason why = {""};
		uint32_t stall_ms = j->stall_ms;
		struct batch b;
		int err;

		take(j, &b);
		j->stall_ms = 0;
		pthread_mutex_unlock(&j->lock);
		if (stall_ms) {
			struct timespec t = {
				.tv_sec = stall_ms / 1000,
				.tv_nsec = (long)(stall_ms % 1000) * 1000000};
			nanosleep(&t, NULL);
		}
		err = put_on_disk(j, &b, &why);
		if (!err)
			keep(j, &b);
		pthread_mutex_lock(&j->lock);
		j->writing_since = 0;
		if (err)
			not_written(j, &b, &why);
		else
			written(j, &b, &why);
	}
	pthread_mutex_unlock(&j->lock);
	j->db = journal_db_close(j->db);
	pthread_mutex_lock(&j->lock);
	j->ended = true;
	abandoned = j->abandoned;
	pthread_cond_signal(&j->end);
	pthread_mutex_unlock(&j->lock);
	if (abandoned)
		journal_destroy(j);
	return NULL;
}

/* -------------------------------------------------------------------- open */

/* What a database that opened holds: the state, and the last id. */
static int read_all(struct journal *j, struct journal_db *db,
		    struct reason *why)
{
	int err = journal_db_last_id(db, &j->last_id, why);

	statemap_clear(&j->at_open);
	return err ? err : journal_db_states(db, &j->at_open, why);
}

static int open_and_read(struct journal *j, struct reason *why)
{
	int err = journal_db_open(&j->db, j->path, false, why);

	if (!err)
		err = read_all(j, j->db, why);
	if (err)
		j->db = journal_db_close(j->db);
	return err;
}

/* A full or read-only disk must not keep an emergency from coming back: its
 * state is read, and the writer goes on trying. */
static int read_only(struct journal *j)
{
	struct journal_db *db = NULL;
	int err = journal_db_open(&db, j->path, true, NULL);

	if (!err)
		err = read_all(j, db, NULL);
	journal_db_close(db);
	return err;
}

static int open_db(struct journal *j, struct reason *why)
{
	int err = open_and_read(j, why);

	if (err == EBADMSG) {
		err = journal_db_set_aside(j->path, why);
		if (!err)
			err = open_and_read(j, NULL);
		if (err)
			reason_set(why, err, "%s: no new one can be begun: %s",
				   j->path, strerror(err));
	} else if (err && err != ENOTSUP && !read_only(j)) {
		say(j, why->text, clock_mono_us());
		j->failing = true;
		j->retry_us = clock_mono_us() + RETRY_MIN_US;
		err = 0;
	}
	return err;
}

static int copy_kept(struct journal *j)
{
	struct state *s;

	for (s = TAILQ_FIRST(&j->at_open); s; s = TAILQ_NEXT(s, le)) {
		struct state *c = state_new(s->key, s->value, 0);

		if (!c)
			return ENOMEM;
		TAILQ_INSERT_TAIL(&j->kept, c, le);
	}
	return 0;
}

/* Signals belong to the control thread. */
static int start(struct journal *j)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&j->thread, NULL, writer, j);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

int journal_open(struct journal **jp, const char *dir, struct reason *why)
{
	struct journal *j = calloc(1, sizeof(*j));
	struct reason none;
	pthread_condattr_t attr;
	int err, n;

	if (!why)
		why = &none;
	reason_set(why, 0, "%s", "");
	if (!j)
		return reason_set(why, ENOMEM, "out of memory");
	TAILQ_INIT(&j->at_open);
	TAILQ_INIT(&j->kept);
	TAILQ_INIT(&j->states);
	TAILQ_INIT(&j->events);
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->wake, &attr);
	pthread_cond_init(&j->end, &attr);
	pthread_condattr_destroy(&attr);

	n = snprintf(j->path, sizeof(j->path), "%s/journal.db", dir);
	/* Room for what is put behind a damaged one's name. */
	if (n < 0 || (size_t)n + 64 > sizeof(j->path))
		err = reason_set(why, ENAMETOOLONG,
				 "state-dir is longer than %zu bytes",
				 sizeof(j->path) - 80);
	else
		err = open_db(j, why);
	if (!err && copy_kept(j))
		err = reason_set(why, ENOMEM, "out of memory");
	if (!err) {
		err = start(j);
		if (err)
			reason_set(why, err, "the journal's thread: %s",
				   strerror(err));
	}
	if (err)
		journal_destroy(j);
	else
		*jp = j;
	return err;
}

struct journal *journal_close(struct journal *j)
{
	struct timespec t;
	uint64_t until;
	int rc = 0;

	if (!j)
		return NULL;
	pthread_mutex_lock(&j->lock);
	j->closing = true;
	j->close_us = clock_mono_us() + CLOSE_US;
	pthread_cond_signal(&j->wake);
	until = j->close_us + RETRY_MIN_US;
	t.tv_sec = (time_t)(until / 1000000);
	t.tv_nsec = (long)(until % 1000000) * 1000;
	while (!j->ended && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&j->end, &j->lock, &t);
	if (!j->ended) {
		/* It hangs in the disk: it frees when the disk lets it go. */
		j->abandoned = true;
		pthread_detach(j->thread);
		pthread_mutex_unlock(&j->lock);
		return NULL;
	}
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->thread, NULL);
	journal_destroy(j);
	return NULL;
}

/* ---------------------------------------------------------------- callers */

uint64_t journal_next_id(struct journal *j)
{
	return ++j->last_id;
}

void journal_write(struct journal *j, const struct event *e)
{
	struct journal_item *it = item_new(e), *old = NULL;
	bool wake;

	pthread_mutex_lock(&j->lock);
	if (!it) {
		j->dropped++;
		pthread_mutex_unlock(&j->lock);
		return;
	}
	/* The queue itself is never empty then: a batch is smaller. */
	if (j->n_events == JOURNAL_QUEUE) {
		old = TAILQ_FIRST(&j->events);
		TAILQ_REMOVE(&j->events, old, le);
		j->n_events--;
		j->dropped++;
	}
	/* Otherwise it is awake or waits for a moment that stays the same. */
	wake = TAILQ_EMPTY(&j->events) || j->n_events + 1 == BATCH;
	TAILQ_INSERT_TAIL(&j->events, it, le);
	j->n_events++;
	if (wake)
		pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
	free(old);
}

void journal_state(struct journal *j, const char *key, const char *value)
{
	uint64_t now = clock_mono_us();
	struct state *s = state_new(key, value, now), *old = NULL;

	pthread_mutex_lock(&j->lock);
	if (s) {
		old = statemap_put(&j->states, s);
		/* It waits since its key first waited. */
		if (old)
			s->since_us = old->since_us;
		pthread_cond_signal(&j->wake);
	} else {
		say(j, "out of memory: state could not be kept", now);
	}
	pthread_mutex_unlock(&j->lock);
	free(old);
}

void journal_state_load(struct journal *j, const char *prefix,
			void (*h)(const char *key, const char *value,
				  void *arg),
			void *arg)
{
	size_t len = strlen(prefix);
	struct state *s;

	for (s = TAILQ_FIRST(&j->at_open); s; s = TAILQ_NEXT(s, le))
		if (!strncmp(s->key, prefix, len))
			h(s->key, s->value, arg);
}

void journal_health(struct journal *j, struct journal_health *h)
{
	const struct journal_item *it;
	const struct state *s;
	uint64_t now = clock_mono_us(), since;

	pthread_mutex_lock(&j->lock);
	since = j->writing_since;
	it = TAILQ_FIRST(&j->events);
	if (it && (!since || it->since_us < since))
		since = it->since_us;
	for (s = TAILQ_FIRST(&j->states); s; s = TAILQ_NEXT(s, le))
		if (!since || s->since_us < since)
			since = s->since_us;
	h->queued = j->n_events;
	h->dropped = j->dropped;
	/* 0 is for "none waits". */
	h->oldest_wait_us = !since ? 0 : now > since ? now - since : 1;
	snprintf(h->error, sizeof(h->error), "%s",
		 j->failing || now < j->show_us ? j->error : "");
	pthread_mutex_unlock(&j->lock);
}

int journal_query(struct journal *j, const struct journal_query *q,
		  json_t **rows, struct reason *why)
{
	return journal_db_query(j->path, q, rows, why);
}

void journal_stall(struct journal *j, uint32_t ms)
{
	pthread_mutex_lock(&j->lock);
	j->stall_ms = ms;
	pthread_mutex_unlock(&j->lock);
}
