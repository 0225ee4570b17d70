#include "journal_db.h"

#include "controller/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/** Oldest events deleted in one transaction: more than it adds, so that a
 *  table that is too long shrinks, and few, so that none takes long. */
#define TRIM_CHUNK 512
/** The log is cut back to this size after a checkpoint, bytes. */
#define WAL_LIMIT "8388608"

struct journal_db {
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *event, *state, *forget, *trim;
	char path[];
};

static int errno_of(sqlite3 *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return EBADMSG;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return EACCES;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return sqlite3_system_errno(db) ? sqlite3_system_errno(db)
						: EIO;
	default:
		return EIO;
	}
}

/* Says what failed and what to do; the errno that goes with it. */
static int failed(sqlite3 *db, int rc, const char *path, struct reason *why)
{
	int err = errno_of(db, rc);
	const char *todo;

	switch (err) {
	case ENOSPC:
	case EDQUOT:
		todo = ": free some space";
		break;
	case EROFS:
	case EACCES:
	case EPERM:
		todo = ": make it writable for tocsin";
		break;
	case EBUSY:
		todo = ": end the other program that uses it";
		break;
	case EIO:
		todo = ": look after the disk";
		break;
	default:
		todo = "";
	}
	return reason_set(why, err, "%s: %s%s%s%s", path, sqlite3_errmsg(db),
			  err == EIO || rc == SQLITE_IOERR ? " - " : "",
			  err == EIO || rc == SQLITE_IOERR ? strerror(err) : "",
			  todo);
}

static int exec(struct journal_db *d, const char *sql, struct reason *why)
{
	int rc = sqlite3_exec(d->db, sql, NULL, NULL, NULL);

	return rc ? failed(d->db, rc, d->path, why) : 0;
}

static int prepare(struct journal_db *d, sqlite3_stmt **st, const char *sql,
		   struct reason *why)
{
	int rc = sqlite3_prepare_v3(d->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
				    st, NULL);

	return rc ? failed(d->db, rc, d->path, why) : 0;
}

/* Runs a statement that gives no rows and makes it ready for the next. */
static int run(struct journal_db *d, sqlite3_stmt *st, struct reason *why)
{
	int rc = sqlite3_step(st), err = 0;

	if (rc != SQLITE_DONE)
		err = failed(d->db, rc, d->path, why);
	sqlite3_reset(st);
	return err;
}

/* The first column of the first row as a number; 0 without a row. */
static int number(struct journal_db *d, const char *sql, int64_t *v,
		  struct reason *why)
{
	sqlite3_stmt *st = NULL;
	int err = prepare(d, &st, sql, why), rc;

	*v = 0;
	if (err)
		return err;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*v = sqlite3_column_int64(st, 0);
	else if (rc != SQLITE_DONE)
		err = failed(d->db, rc, d->path, why);
	sqlite3_finalize(st);
	return err;
}

/* ------------------------------------------------------------------ opening */

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS events(id INTEGER PRIMARY KEY,"
	" cause INTEGER NOT NULL, wall_us INTEGER NOT NULL,"
	" mono_us INTEGER NOT NULL, type TEXT NOT NULL,"
	" subject TEXT NOT NULL, actor TEXT NOT NULL, text TEXT NOT NULL,"
	" data TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS events_type ON events(type);"
	"CREATE INDEX IF NOT EXISTS events_subject ON events(subject);"
	"CREATE INDEX IF NOT EXISTS events_wall ON events(wall_us);"
	"CREATE TABLE IF NOT EXISTS state(key TEXT PRIMARY KEY,"
	" value TEXT NOT NULL) WITHOUT ROWID;"
	"PRAGMA user_version=1;"
	"COMMIT";
_Static_assert(JOURNAL_SCHEMA == 1, "schema sets user_version");

static int make_tables(struct journal_db *d, bool read_only, struct reason *why)
{
	int64_t version;
	int err = number(d, "PRAGMA user_version", &version, why);

	if (err)
		return err;
	if (version > JOURNAL_SCHEMA)
		return reason_set(
			why, ENOTSUP,
			"%s was written by a newer tocsin (schema %lld, this "
			"one knows up to %d): use that, or move the file away",
			d->path, (long long)version, JOURNAL_SCHEMA);
	if (version == JOURNAL_SCHEMA || read_only)
		return 0;
	return exec(d, schema, why);
}

/*
 * synchronous=FULL for every transaction: a commit is on the disk when it
 * returns. The writer gathers events into batches, so this costs one fsync a
 * batch, in a thread nobody waits for; and the events just before a power cut
 * are the ones somebody will ask for.
 */
static int prepare_writing(struct journal_db *d, struct reason *why)
{
	int err = exec(d,
		       "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		       "PRAGMA journal_size_limit=" WAL_LIMIT,
		       why);

	/* SQLite opens what it may not write without a word. */
	if (!err && sqlite3_db_readonly(d->db, "main") == 1)
		err = reason_set(why, EROFS,
				 "%s is read-only: make it writable for tocsin",
				 d->path);
	if (!err)
		err = make_tables(d, false, why);
	if (!err)
		err = prepare(d, &d->begin, "BEGIN IMMEDIATE", why);
	if (!err)
		err = prepare(d, &d->commit, "COMMIT", why);
	/* REPLACE: a commit that failed may have reached the disk all the
	 * same, and is tried again. */
	if (!err)
		err = prepare(d, &d->event,
			      "INSERT OR REPLACE INTO events "
			      "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
			      why);
	if (!err)
		err = prepare(d, &d->state,
			      "INSERT OR REPLACE INTO state VALUES(?1,?2)",
			      why);
	if (!err)
		err = prepare(d, &d->forget, "DELETE FROM state WHERE key=?1",
			      why);
	if (!err)
		err = prepare(d, &d->trim,
			      "DELETE FROM events WHERE id IN (SELECT id FROM "
			      "events WHERE id<=?1 ORDER BY id LIMIT ?2)",
			      why);
	return err;
}

int journal_db_open(struct journal_db **dp, const char *path, bool read_only,
		    struct reason *why)
{
	struct journal_db *d = calloc(1, sizeof(*d) + strlen(path) + 1);
	int fd, rc, err = 0;

	if (!d)
		return reason_set(why, ENOMEM, "%s: out of memory", path);
	strcpy(d->path, path);
	/* SQLite would make it readable for all; its log and index get the
	 * permissions of the file. */
	fd = read_only ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd >= 0)
		close(fd);
	rc = sqlite3_open_v2(path, &d->db,
			     SQLITE_OPEN_NOMUTEX |
				     (read_only ? SQLITE_OPEN_READONLY
						: SQLITE_OPEN_READWRITE |
							  SQLITE_OPEN_CREATE),
			     NULL);
	if (rc) {
		err = failed(d->db, rc, path, why);
		goto out;
	}
	sqlite3_extended_result_codes(d->db, 1);
	sqlite3_busy_timeout(d->db, JOURNAL_BUSY_MS);
	err = read_only ? make_tables(d, true, why) : prepare_writing(d, why);

out:
	if (err)
		journal_db_close(d);
	else
		*dp = d;
	return err;
}

struct journal_db *journal_db_close(struct journal_db *d)
{
	if (!d)
		return NULL;
	sqlite3_finalize(d->begin);
	sqlite3_finalize(d->commit);
	sqlite3_finalize(d->event);
	sqlite3_finalize(d->state);
	sqlite3_finalize(d->forget);
	sqlite3_finalize(d->trim);
	sqlite3_close(d->db);
	free(d);
	return NULL;
}

int journal_db_set_aside(const char *path, struct reason *why)
{
	static const char *const part[] = {"", "-wal"};
	char from[4096], to[4096], stamp[32];
	time_t now = (time_t)(clock_wall_us() / 1000000);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (size_t i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "%s%s", path, part[i]);
		snprintf(to, sizeof(to), "%s.damaged-%s%s", path, stamp,
			 part[i]);
		if (rename(from, to) && (i == 0 || errno != ENOENT))
			return reason_set(why, errno,
					  "%s is damaged and cannot be renamed "
					  "to %s: %s",
					  from, to, strerror(errno));
	}
	snprintf(from, sizeof(from), "%s-shm", path);
	unlink(from);
	reason_set(why, 0,
		   "%s was damaged: it is kept as journal.db.damaged-%s, a new "
		   "one is begun",
		   path, stamp);
	return 0;
}

/* ------------------------------------------------------------------ reading */

int journal_db_last_id(struct journal_db *d, uint64_t *id, struct reason *why)
{
	int64_t v;
	int err = number(d, "SELECT max(id) FROM events", &v, why);

	*id = v > 0 ? (uint64_t)v : 0;
	return err;
}

int journal_db_states(struct journal_db *d, struct statemap *m,
		      struct reason *why)
{
	sqlite3_stmt *st = NULL;
	int err = prepare(d, &st, "SELECT key,value FROM state ORDER BY key",
			  why);
	int rc = SQLITE_DONE;

	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(st, 0);
		const char *value = (const char *)sqlite3_column_text(st, 1);
		struct state *s = key ? state_new(key, value, 0) : NULL;

		if (s)
			free(statemap_put(m, s));
		else
			err = reason_set(why, ENOMEM, "%s: out of memory",
					 d->path);
	}
	if (!err && rc != SQLITE_DONE)
		err = failed(d->db, rc, d->path, why);
	sqlite3_finalize(st);
	return err;
}

static void column(char *dst, size_t size, sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	snprintf(dst, size, "%s", s ? s : "");
}

static json_t *row_json(sqlite3_stmt *st)
{
	struct event e = {
		.id = (uint64_t)sqlite3_column_int64(st, 0),
		.cause = (uint64_t)sqlite3_column_int64(st, 1),
		.wall_us = sqlite3_column_int64(st, 2),
	};
	char type[sizeof(((struct journal_query *)0)->type)];
	json_t *o;
	int t;

	column(type, sizeof(type), st, 3);
	column(e.subject, sizeof(e.subject), st, 4);
	column(e.actor, sizeof(e.actor), st, 5);
	column(e.text, sizeof(e.text), st, 6);
	column(e.data, sizeof(e.data), st, 7);
	t = event_type_by_name(type);
	e.type = t < 0 ? EVENT_TYPE_COUNT : (enum event_type)t;
	o = event_json(&e);
	/* A type an earlier version knew keeps its name. */
	if (o && t < 0)
		json_object_set_new(o, "type", json_string(type));
	return o;
}

static int query_prepare(struct journal_db *d, sqlite3_stmt **st,
			 const struct journal_query *q, struct reason *why)
{
	size_t n = strlen(q->type);
	char sql[512], end[sizeof(q->type)];
	int err;

	snprintf(sql, sizeof(sql),
		 "SELECT id,cause,wall_us,type,subject,actor,text,data FROM "
		 "events WHERE id>?1%s%s%s%s ORDER BY id %s LIMIT ?7",
		 q->since_us ? " AND wall_us>=?2" : "",
		 q->until_us ? " AND wall_us<?3" : "",
		 !n                      ? ""
		 : q->type[n - 1] == '.' ? " AND type>=?4 AND type<?5"
					 : " AND type=?4",
		 *q->subject ? " AND subject=?6" : "",
		 q->newest_first ? "DESC" : "ASC");
	err = prepare(d, st, sql, why);
	if (err)
		return err;
	sqlite3_bind_int64(
		*st, 1, q->after > INT64_MAX ? INT64_MAX : (int64_t)q->after);
	sqlite3_bind_int64(*st, 2, q->since_us);
	sqlite3_bind_int64(*st, 3, q->until_us);
	sqlite3_bind_text(*st, 4, q->type, -1, SQLITE_STATIC);
	if (n) {
		/* All that begins with "x." is below "x/". */
		memcpy(end, q->type, n + 1);
		end[n - 1] = '/';
		sqlite3_bind_text(*st, 5, end, -1, SQLITE_TRANSIENT);
	}
	sqlite3_bind_text(*st, 6, q->subject, -1, SQLITE_STATIC);
	sqlite3_bind_int(*st, 7,
			 q->limit && q->limit < JOURNAL_LIMIT ? (int)q->limit
							      : JOURNAL_LIMIT);
	return 0;
}

int journal_db_query(const char *path, const struct journal_query *q,
		     json_t **rows, struct reason *why)
{
	struct journal_db *d = NULL;
	sqlite3_stmt *st = NULL;
	json_t *a = json_array();
	int rc = SQLITE_DONE;
	int err = a ? journal_db_open(&d, path, true, why)
		    : reason_set(why, ENOMEM, "out of memory");

	if (!err)
		err = query_prepare(d, &st, q, why);
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW)
		if (json_array_append_new(a, row_json(st)))
			err = reason_set(why, ENOMEM, "out of memory");
	if (!err && rc != SQLITE_DONE)
		err = failed(d->db, rc, path, why);
	sqlite3_finalize(st);
	journal_db_close(d);
	if (err)
		json_decref(a);
	else
		*rows = a;
	return err;
}

/* ------------------------------------------------------------------ writing */

static int put_state(struct journal_db *d, const struct state *s,
		     struct reason *why)
{
	sqlite3_stmt *st = s->value ? d->state : d->forget;

	sqlite3_bind_text(st, 1, s->key, -1, SQLITE_STATIC);
	if (s->value)
		sqlite3_bind_text(st, 2, s->value, -1, SQLITE_STATIC);
	return run(d, st, why);
}

static int put_event(struct journal_db *d, const struct journal_item *e,
		     struct reason *why)
{
	sqlite3_bind_int64(d->event, 1, (sqlite3_int64)e->id);
	sqlite3_bind_int64(d->event, 2, (sqlite3_int64)e->cause);
	sqlite3_bind_int64(d->event, 3, e->wall_us);
	sqlite3_bind_int64(d->event, 4, (sqlite3_int64)e->mono_us);
	sqlite3_bind_text(d->event, 5, event_type_name(e->type), -1,
			  SQLITE_STATIC);
	sqlite3_bind_text(d->event, 6, e->subject, -1, SQLITE_STATIC);
	sqlite3_bind_text(d->event, 7, e->actor, -1, SQLITE_STATIC);
	sqlite3_bind_text(d->event, 8, e->text, -1, SQLITE_STATIC);
	sqlite3_bind_text(d->event, 9, e->data, -1, SQLITE_STATIC);
	return run(d, d->event, why);
}

/* Numbers have hardly any gaps: those JOURNAL_KEEP below the newest are
 * found without counting half a million rows. */
static int trim(struct journal_db *d, uint64_t newest, struct reason *why)
{
	if (newest <= JOURNAL_KEEP)
		return 0;
	sqlite3_bind_int64(d->trim, 1, (sqlite3_int64)(newest - JOURNAL_KEEP));
	sqlite3_bind_int(d->trim, 2, TRIM_CHUNK);
	return run(d, d->trim, why);
}

int journal_db_write(struct journal_db *d, const struct statemap *states,
		     const struct journal_items *events, struct reason *why)
{
	const struct journal_item *e;
	const struct state *s;
	uint64_t newest = 0;
	int err = run(d, d->begin, why);

	if (err)
		return err;
	for (s = TAILQ_FIRST(states); s; s = TAILQ_NEXT(s, le))
		if (!err)
			err = put_state(d, s, why);
	for (e = TAILQ_FIRST(events); e; e = TAILQ_NEXT(e, le)) {
		if (!err)
			err = put_event(d, e, why);
		newest = e->id;
	}
	if (!err)
		err = trim(d, newest, why);
	if (!err)
		err = run(d, d->commit, why);
	/* Some failures have rolled back by themselves. */
	if (err && !sqlite3_get_autocommit(d->db))
		sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}
