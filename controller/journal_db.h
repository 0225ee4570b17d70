/**
 * The journal's database: tables, transactions, queries. SQLite is seen in
 * journal_db.c only.
 *
 * A struct journal_db belongs to one thread at a time; journal_db_query() and
 * journal_db_set_aside() need none.
 */
#ifndef TOCSIN_JOURNAL_DB_H
#define TOCSIN_JOURNAL_DB_H

#include "controller/base/reason.h"
#include "event.h"
#include "journal.h"
#include "statemap.h"

#include <stdbool.h>
#include <stdint.h>

/** Version of the tables (PRAGMA user_version) this program writes. */
#define JOURNAL_SCHEMA 1
/** Longest wait for a lock another process holds. */
#define JOURNAL_BUSY_MS 2000

struct journal_db;

/** An event with only the bytes its texts need. */
struct journal_item {
	TAILQ_ENTRY(journal_item) le;
	uint64_t id, cause, mono_us;
	uint64_t since_us; /**< monotonic: waits since */
	int64_t wall_us;
	enum event_type type;
	const char *subject, *actor, *text, *data; /**< inside this block */
	char buf[];
};
TAILQ_HEAD(journal_items, journal_item);

/**
 * Opens the database, makes it and its tables when they are missing.
 *
 * @param read_only of one that cannot be written: only what it holds can be
 *                  read
 * @return 0; EBADMSG: it is damaged; ENOTSUP: it is of a newer program; other
 *         errno: it cannot be opened now. why is filled.
 */
int journal_db_open(struct journal_db **dp, const char *path, bool read_only,
		    struct reason *why);

/** Closes it. Returns NULL. */
struct journal_db *journal_db_close(struct journal_db *d);

/**
 * Renames a damaged database and its log to `path`.damaged-<time>.
 *
 * @param why 0: says what became of it
 */
int journal_db_set_aside(const char *path, struct reason *why);

/** Highest id in the table, 0 = none; EBADMSG or other errno. */
int journal_db_last_id(struct journal_db *d, uint64_t *id, struct reason *why);

/** Reads all state into m. */
int journal_db_states(struct journal_db *d, struct statemap *m,
		      struct reason *why);

/**
 * One transaction: all states, then all events, then as many of the oldest
 * events deleted as JOURNAL_KEEP wants, at most a few hundred. Returns when
 * it is on the disk (fsync), or with nothing of it written.
 */
int journal_db_write(struct journal_db *d, const struct statemap *states,
		     const struct journal_items *events, struct reason *why);

/** journal_query() on a connection of its own. Any thread. */
int journal_db_query(const char *path, const struct journal_query *q,
		     json_t **rows, struct reason *why);

#endif
