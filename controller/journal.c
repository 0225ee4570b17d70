/*
 * The journal's writer: the one thread that writes the database.
 *
 * The control thread puts events and state into a queue under a lock that is
 * held for list work only; the writer takes all of it out, writes outside the
 * lock in one transaction, and waits again. Every transaction is synced
 * (synchronous = FULL): what journal_state() was told is on disk when the
 * queue is empty. Events alone are gathered for a moment first, so that a busy
 * hour costs some syncs a second and not one for each event.
 */
#include "journal.h"

#include "controller/base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SCHEMA_VERSION 1
/** Events alone may gather for this long before they are written. */
#define GATHER_MS 100
/** Pause after a failed transaction, doubled up to the last. */
#define RETRY_MS 250
#define RETRY_MAX_MS 5000
/** Time for what waits when the daemon stops. */
#define CLOSE_MS 5000
#define BUSY_MS 2000
/** Old events deleted in one go, and how many new ones lead to it. */
#define TRIM_CHUNK 2000
#define TRIM_EVERY 1000

struct entry {
	struct entry *next;
	uint64_t queued_us;
	struct event event;
};

struct state {
	struct state *next;
	char *key, *value; /**< value NULL: delete */
};

struct list {
	struct entry *first, **last;
	struct state *state;
	uint32_t n;
};

struct journal {
	char *path;
	sqlite3 *db;      /**< the writer's, after open */
	uint64_t last_id; /**< control thread */
	pthread_t thread;
	bool started;
	_Atomic uint32_t stall_ms;

	pthread_mutex_t lock; /**< for all below */
	pthread_cond_t wake, idle;
	struct list queue;
	uint32_t writing; /**< events the writer has taken out */
	uint64_t writing_since_us;
	bool busy, stop;
	uint64_t dropped;
	char error[256];
};

static const char *const schema[] = {
	"CREATE TABLE IF NOT EXISTS events("
	"id INTEGER PRIMARY KEY, cause INTEGER NOT NULL, wall_us INTEGER NOT "
	"NULL, mono_us INTEGER NOT NULL, type TEXT NOT NULL, subject TEXT NOT "
	"NULL, actor TEXT NOT NULL, text TEXT NOT NULL, data TEXT NOT NULL)",
	"CREATE INDEX IF NOT EXISTS events_type ON events(type, id)",
	"CREATE INDEX IF NOT EXISTS events_subject ON events(subject, id)",
	"CREATE INDEX IF NOT EXISTS events_time ON events(wall_us)",
	"CREATE TABLE IF NOT EXISTS state(key TEXT PRIMARY KEY, value TEXT NOT "
	"NULL) WITHOUT ROWID",
	"PRAGMA user_version = 1",
};

/* ------------------------------------------------------------------ opening */

static int run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/** First column of the first row; *rc tells whether there was one. */
static int64_t ask(sqlite3 *db, const char *sql, int *rc)
{
	sqlite3_stmt *st = NULL;
	int64_t v = 0;

	*rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	if (*rc == SQLITE_OK)
		*rc = sqlite3_step(st);
	if (*rc == SQLITE_ROW) {
		v = sqlite3_column_int64(st, 0);
		*rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	return v;
}

static int open_db(struct journal *j, int *newer)
{
	int64_t version;
	int rc = sqlite3_open_v2(j->path, &j->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
				 NULL);

	*newer = 0;
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_busy_timeout(j->db, BUSY_MS);
	rc = run(j->db, "PRAGMA journal_mode = WAL");
	if (rc == SQLITE_OK)
		rc = run(j->db, "PRAGMA synchronous = FULL");
	if (rc != SQLITE_OK)
		return rc;
	version = ask(j->db, "PRAGMA user_version", &rc);
	if (rc == SQLITE_OK && version > SCHEMA_VERSION) {
		*newer = (int)version;
		return SQLITE_ERROR;
	}
	for (size_t i = 0; rc == SQLITE_OK && version < SCHEMA_VERSION &&
			   i < sizeof(schema) / sizeof(schema[0]);
	     i++)
		rc = run(j->db, schema[i]);
	if (rc == SQLITE_OK)
		j->last_id = (uint64_t)ask(
			j->db, "SELECT coalesce(max(id), 0) FROM events", &rc);
	if (rc == SQLITE_OK)
		ask(j->db, "SELECT count(*) FROM state", &rc);
	return rc;
}

static bool is_damage(int rc)
{
	return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

/** Puts a damaged database and what belongs to it aside. */
static void put_aside(const char *path, char *aside, size_t size)
{
	static const char *const tail[] = {"", "-wal", "-shm"};
	long long now = clock_wall_us() / 1000000;

	snprintf(aside, size, "%s.damaged-%lld", path, now);
	for (size_t i = 0; i < 3; i++) {
		char from[600], to[600];

		snprintf(from, sizeof(from), "%s%s", path, tail[i]);
		snprintf(to, sizeof(to), "%s%s", aside, tail[i]);
		if (rename(from, to) && errno != ENOENT)
			unlink(from);
	}
}

static void *writer(void *arg);

static int start_writer(struct journal *j)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&j->thread, NULL, writer, j);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err) {
		j->started = true;
		pthread_setname_np(j->thread, "tocsin-journal");
	}
	return err;
}

static struct journal *make(const char *dir)
{
	struct journal *j = calloc(1, sizeof(*j));
	pthread_condattr_t attr;

	if (!j || asprintf(&j->path, "%s/journal.db", dir) < 0) {
		free(j);
		return NULL;
	}
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->wake, &attr);
	pthread_cond_init(&j->idle, &attr);
	pthread_condattr_destroy(&attr);
	j->queue.last = &j->queue.first;
	return j;
}

int journal_open(struct journal **jp, const char *dir, struct reason *why)
{
	struct journal *j = make(dir);
	char aside[600];
	int rc, newer, err = 0;

	if (!j)
		return reason_set(why, ENOMEM, "not enough memory");
	rc = open_db(j, &newer);
	if (is_damage(rc)) {
		sqlite3_close(j->db);
		j->db = NULL;
		put_aside(j->path, aside, sizeof(aside));
		reason_set(why, 0,
			   "%s was damaged; it is kept as %.120s and a new one "
			   "begun",
			   "journal.db", strrchr(aside, '/') + 1);
		rc = open_db(j, &newer);
	}
	if (newer)
		err = reason_set(why, EPROTONOSUPPORT,
				 "%s was written by a newer version (schema "
				 "%d, this one knows %d); install that version "
				 "or move the file away",
				 j->path, newer, SCHEMA_VERSION);
	else if (rc != SQLITE_OK)
		err = reason_set(why, EIO, "%s: %s", j->path,
				 j->db ? sqlite3_errmsg(j->db)
				       : sqlite3_errstr(rc));
	if (!err) {
		err = start_writer(j);
		if (err)
			reason_set(why, err, "journal thread: %s",
				   strerror(err));
	}
	if (err)
		journal_close(j);
	else
		*jp = j;
	return err;
}

/* ------------------------------------------------------------------ writing */

static void entries_free(struct entry *e)
{
	while (e) {
		struct entry *next = e->next;

		free(e);
		e = next;
	}
}

static void states_free(struct state *s)
{
	while (s) {
		struct state *next = s->next;

		free(s->key);
		free(s->value);
		free(s);
		s = next;
	}
}

static int bind_text(sqlite3_stmt *st, int i, const char *s)
{
	return sqlite3_bind_text(st, i, s, -1, SQLITE_STATIC);
}

static int write_states(sqlite3 *db, const struct state *s)
{
	sqlite3_stmt *put = NULL, *del = NULL;
	int rc = sqlite3_prepare_v2(
		db,
		"INSERT INTO state VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE "
		"SET value = excluded.value",
		-1, &put, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, "DELETE FROM state WHERE key = ?1",
					-1, &del, NULL);
	for (; rc == SQLITE_OK && s; s = s->next) {
		sqlite3_stmt *st = s->value ? put : del;

		bind_text(st, 1, s->key);
		if (s->value)
			bind_text(st, 2, s->value);
		rc = sqlite3_step(st);
		rc = rc == SQLITE_DONE ? sqlite3_reset(st) : rc;
	}
	sqlite3_finalize(put);
	sqlite3_finalize(del);
	return rc;
}

static int write_events(sqlite3 *db, const struct entry *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(
		db,
		"INSERT OR REPLACE INTO events VALUES(?1, ?2, ?3, ?4, ?5, ?6, "
		"?7, ?8, ?9)",
		-1, &st, NULL);

	for (; rc == SQLITE_OK && e; e = e->next) {
		const struct event *v = &e->event;

		sqlite3_bind_int64(st, 1, (sqlite3_int64)v->id);
		sqlite3_bind_int64(st, 2, (sqlite3_int64)v->cause);
		sqlite3_bind_int64(st, 3, v->wall_us);
		sqlite3_bind_int64(st, 4, (sqlite3_int64)v->mono_us);
		bind_text(st, 5, event_type_name(v->type));
		bind_text(st, 6, v->subject);
		bind_text(st, 7, v->actor);
		bind_text(st, 8, v->text);
		bind_text(st, 9, v->data);
		rc = sqlite3_step(st);
		rc = rc == SQLITE_DONE ? sqlite3_reset(st) : rc;
	}
	sqlite3_finalize(st);
	return rc;
}

static int write_batch(struct journal *j, const struct list *b)
{
	int rc = run(j->db, "BEGIN IMMEDIATE");

	if (rc == SQLITE_OK)
		rc = write_states(j->db, b->state);
	if (rc == SQLITE_OK)
		rc = write_events(j->db, b->first);
	if (rc == SQLITE_OK)
		rc = run(j->db, "COMMIT");
	if (rc != SQLITE_OK) {
		pthread_mutex_lock(&j->lock);
		snprintf(j->error, sizeof(j->error), "%s",
			 sqlite3_errmsg(j->db));
		pthread_mutex_unlock(&j->lock);
		run(j->db, "ROLLBACK");
	}
	return rc;
}

static void trim(struct journal *j)
{
	char sql[200];

	snprintf(sql, sizeof(sql),
		 "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) "
		 "- %d AND id < (SELECT min(id) FROM events) + %d",
		 JOURNAL_KEEP, TRIM_CHUNK);
	run(j->db, sql);
}

static struct timespec after_ms(uint64_t ms)
{
	uint64_t us = clock_mono_us() + ms * 1000;

	return (struct timespec){(time_t)(us / 1000000),
				 (long)(us % 1000000) * 1000};
}

/** Lets events gather, but not when there is state to keep. Lock held. */
static void gather(struct journal *j)
{
	struct timespec until = after_ms(GATHER_MS);

	while (!j->stop && !j->queue.state &&
	       !pthread_cond_timedwait(&j->wake, &j->lock, &until))
		;
}

/** Waits in any case, unless the daemon stops and `stops` says so. Lock held;
 *  what comes in meanwhile joins the queue. */
static void pause_ms(struct journal *j, uint64_t ms, bool stops)
{
	struct timespec until = after_ms(ms);

	while ((!stops || !j->stop) &&
	       !pthread_cond_timedwait(&j->wake, &j->lock, &until))
		;
}

/** States of a failed batch go back under what was said since. */
static void merge_back(struct journal *j, struct list *b)
{
	while (b->state) {
		struct state *s = b->state, *q = j->queue.state;

		b->state = s->next;
		while (q && strcmp(q->key, s->key))
			q = q->next;
		if (q) {
			s->next = NULL;
			states_free(s);
		} else {
			s->next = j->queue.state;
			j->queue.state = s;
		}
	}
	if (b->first) {
		*b->last = j->queue.first;
		if (!j->queue.first)
			j->queue.last = b->last;
		j->queue.first = b->first;
		j->queue.n += b->n;
	}
}

/** Drops the oldest events beyond the bound. Lock held. */
static void bound(struct journal *j)
{
	while (j->queue.n + j->writing > JOURNAL_QUEUE && j->queue.first) {
		struct entry *e = j->queue.first;

		j->queue.first = e->next;
		if (!e->next)
			j->queue.last = &j->queue.first;
		j->queue.n--;
		j->dropped++;
		free(e);
	}
}

static struct list take(struct journal *j)
{
	struct list b = j->queue;

	if (!b.first)
		b.last = &b.first;
	j->writing = b.n;
	j->writing_since_us = b.first ? b.first->queued_us : clock_mono_us();
	j->queue = (struct list){0};
	j->queue.last = &j->queue.first;
	return b;
}

static bool empty(const struct journal *j)
{
	return !j->queue.first && !j->queue.state;
}

/** One transaction of all that waits. Lock held before and after. */
static bool turn(struct journal *j, uint32_t *since_trim)
{
	struct list b;
	uint32_t stall;
	int rc;

	gather(j);
	stall = atomic_exchange(&j->stall_ms, 0);
	if (stall)
		pause_ms(j, stall, true);
	b = take(j);
	j->busy = true;
	pthread_mutex_unlock(&j->lock);
	rc = write_batch(j, &b);
	if (rc == SQLITE_OK) {
		*since_trim += b.n;
		entries_free(b.first);
		states_free(b.state);
		if (*since_trim >= TRIM_EVERY) {
			trim(j);
			*since_trim = 0;
		}
	}
	pthread_mutex_lock(&j->lock);
	j->busy = false;
	j->writing = 0;
	if (rc == SQLITE_OK)
		j->error[0] = '\0';
	else
		merge_back(j, &b);
	bound(j);
	return rc == SQLITE_OK;
}

static void *writer(void *arg)
{
	struct journal *j = arg;
	uint32_t since_trim = 0, retry = RETRY_MS;
	uint64_t give_up = 0;

	pthread_mutex_lock(&j->lock);
	while (!j->stop || !empty(j)) {
		if (empty(j)) {
			pthread_cond_broadcast(&j->idle);
			pthread_cond_wait(&j->wake, &j->lock);
			continue;
		}
		if (turn(j, &since_trim)) {
			retry = RETRY_MS;
			continue;
		}
		if (j->stop && !give_up)
			give_up = clock_mono_ms() + CLOSE_MS;
		if (j->stop && clock_mono_ms() > give_up)
			break;
		pause_ms(j, retry, !j->stop);
		retry = 2 * retry > RETRY_MAX_MS ? RETRY_MAX_MS : 2 * retry;
	}
	pthread_cond_broadcast(&j->idle);
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

struct journal *journal_close(struct journal *j)
{
	if (!j)
		return NULL;
	if (j->started) {
		pthread_mutex_lock(&j->lock);
		j->stop = true;
		pthread_cond_signal(&j->wake);
		pthread_mutex_unlock(&j->lock);
		pthread_join(j->thread, NULL);
	}
	sqlite3_close(j->db);
	entries_free(j->queue.first);
	states_free(j->queue.state);
	pthread_cond_destroy(&j->wake);
	pthread_cond_destroy(&j->idle);
	pthread_mutex_destroy(&j->lock);
	free(j->path);
	free(j);
	return NULL;
}

uint64_t journal_next_id(struct journal *j)
{
	return ++j->last_id;
}

void journal_write(struct journal *j, const struct event *ev)
{
	struct entry *e = malloc(sizeof(*e));

	pthread_mutex_lock(&j->lock);
	if (e) {
		e->next = NULL;
		e->queued_us = clock_mono_us();
		e->event = *ev;
		*j->queue.last = e;
		j->queue.last = &e->next;
		j->queue.n++;
		bound(j);
	} else {
		j->dropped++;
	}
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
}

void journal_state(struct journal *j, const char *key, const char *value)
{
	char *v = value ? strdup(value) : NULL;
	struct state *s;

	if (value && !v)
		return;
	pthread_mutex_lock(&j->lock);
	for (s = j->queue.state; s && strcmp(s->key, key); s = s->next)
		;
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (s)
			s->key = strdup(key);
		if (s && s->key) {
			s->next = j->queue.state;
			j->queue.state = s;
		} else {
			free(s);
			s = NULL;
		}
	}
	if (s) {
		free(s->value);
		s->value = v;
	} else {
		free(v);
	}
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
}

void journal_health(struct journal *j, struct journal_health *h)
{
	uint64_t since = 0;

	pthread_mutex_lock(&j->lock);
	h->queued = j->queue.n + j->writing;
	if (j->busy)
		since = j->writing_since_us;
	else if (j->queue.first)
		since = j->queue.first->queued_us;
	h->dropped = j->dropped;
	h->oldest_wait_us = since ? clock_mono_us() - since : 0;
	memcpy(h->error, j->error, sizeof(h->error));
	pthread_mutex_unlock(&j->lock);
}

void journal_stall(struct journal *j, uint32_t ms)
{
	atomic_store(&j->stall_ms, ms);
}

/* ------------------------------------------------------------------ reading */

static sqlite3 *reader(const struct journal *j)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(j->path, &db, SQLITE_OPEN_READONLY, NULL) !=
	    SQLITE_OK) {
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db, BUSY_MS);
	return db;
}

void journal_state_load(struct journal *j, const char *prefix,
			void (*h)(const char *key, const char *value,
				  void *arg),
			void *arg)
{
	sqlite3 *db = reader(j);
	sqlite3_stmt *st = NULL;

	if (db && sqlite3_prepare_v2(db,
				     "SELECT key, value FROM state WHERE "
				     "substr(key, 1, length(?1)) = ?1 ORDER BY "
				     "key",
				     -1, &st, NULL) == SQLITE_OK) {
		bind_text(st, 1, prefix);
		while (sqlite3_step(st) == SQLITE_ROW)
			h((const char *)sqlite3_column_text(st, 0),
			  (const char *)sqlite3_column_text(st, 1), arg);
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static void copy_text(char *dst, size_t size, sqlite3_stmt *st, int column)
{
	const char *s = (const char *)sqlite3_column_text(st, column);

	snprintf(dst, size, "%s", s ? s : "");
}

static json_t *row_json(sqlite3_stmt *st)
{
	struct event e = {
		.id = (uint64_t)sqlite3_column_int64(st, 0),
		.cause = (uint64_t)sqlite3_column_int64(st, 1),
		.wall_us = sqlite3_column_int64(st, 2),
		.mono_us = (uint64_t)sqlite3_column_int64(st, 3),
	};
	const char *type = (const char *)sqlite3_column_text(st, 4);
	int t = type ? event_type_by_name(type) : -1;
	json_t *o;

	e.type = t < 0 ? EVENT_COMMAND : (enum event_type)t;
	copy_text(e.subject, sizeof(e.subject), st, 5);
	copy_text(e.actor, sizeof(e.actor), st, 6);
	copy_text(e.text, sizeof(e.text), st, 7);
	copy_text(e.data, sizeof(e.data), st, 8);
	o = event_json(&e);
	/* Written by a version that knew more types than this one. */
	if (o && t < 0 && type)
		json_object_set_new(o, "type", json_string(type));
	return o;
}

static sqlite3_stmt *select_events(sqlite3 *db, const struct journal_query *q)
{
	sqlite3_stmt *st = NULL;
	size_t n = strlen(q->type);
	char sql[600];
	uint32_t limit =
		q->limit && q->limit < JOURNAL_LIMIT ? q->limit : JOURNAL_LIMIT;

	snprintf(sql, sizeof(sql),
		 "SELECT id, cause, wall_us, mono_us, type, subject, actor, "
		 "text, data FROM events WHERE id > ?1%s%s%s%s ORDER BY id%s "
		 "LIMIT %u",
		 q->since_us ? " AND wall_us >= ?2" : "",
		 q->until_us ? " AND wall_us < ?3" : "",
		 !n ? ""
		 : q->type[n - 1] == '.'
			 ? " AND substr(type, 1, length(?4)) = ?4"
			 : " AND type = ?4",
		 *q->subject ? " AND subject = ?5" : "",
		 q->newest_first ? " DESC" : "", limit);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		return NULL;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)q->after);
	sqlite3_bind_int64(st, 2, q->since_us);
	sqlite3_bind_int64(st, 3, q->until_us);
	bind_text(st, 4, q->type);
	bind_text(st, 5, q->subject);
	return st;
}

int journal_query(struct journal *j, const struct journal_query *q,
		  json_t **rows, struct reason *why)
{
	sqlite3 *db = reader(j);
	sqlite3_stmt *st = db ? select_events(db, q) : NULL;
	json_t *a = json_array();
	int rc = SQLITE_ERROR, err = 0;

	while (st && a && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		json_t *o = row_json(st);

		if (o)
			json_array_append_new(a, o);
	}
	if (rc != SQLITE_DONE) {
		err = reason_set(why, EIO, "the journal cannot be read: %s",
				 db ? sqlite3_errmsg(db) : j->path);
		json_decref(a);
	} else {
		*rows = a;
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	return err;
}
