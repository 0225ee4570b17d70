/**
 * The journal: SQLite in WAL mode behind its own writer thread.
 *
 * Keeps every event, and the state that must survive a kill or a power cut
 * (active emergencies, latches, inhibits) as key -> value. Writing never
 * blocks the caller: a bounded queue takes it; when the queue is full because
 * the disk stalls, the oldest *events* are dropped and counted, state is
 * merged by key and never dropped.
 */
#ifndef TOCSIN_JOURNAL_H
#define TOCSIN_JOURNAL_H

#include "controller/base/reason.h"
#include "event.h"

#include <stdbool.h>

/** Events that wait for a stalled disk. */
#define JOURNAL_QUEUE 10000
/** Most events one query returns. */
#define JOURNAL_LIMIT 1000
/** Events kept on disk; the oldest beyond it are deleted. */
#define JOURNAL_KEEP 500000

struct journal;

/** Health as the control thread sees it. */
struct journal_health {
	uint32_t queued;         /**< events not yet on disk */
	uint64_t dropped;        /**< events lost because the queue was full */
	uint64_t oldest_wait_us; /**< how long the oldest event or state has
				    waited; 0 = all is on disk */
	char error[256]; /**< last write error; "" once writing works again.
			    A database found damaged and begun anew while
			    running shows for 10 s. */
};

/**
 * Opens (makes) `dir`/journal.db and starts the writer.
 *
 * A database that is damaged is renamed to journal.db.damaged-<time> and a new
 * one begun; *why then says so though the call succeeds. State is then lost.
 * One that can be read but not written (disk full, read-only) is opened too:
 * *why and the health say what is wrong, and the writer goes on trying.
 * @return 0 or errno with the reason
 */
int journal_open(struct journal **jp, const char *dir, struct reason *why);

/** Writes what waits (up to 5 s), stops the writer, closes. Returns NULL. */
struct journal *journal_close(struct journal *j);

/** Number for the next event: 1 + the highest on disk, then counts up.
 *  Control thread. */
uint64_t journal_next_id(struct journal *j);

/** Queues an event. Control thread. Never blocks. */
void journal_write(struct journal *j, const struct event *e);

/** Queues state: value NULL deletes the key. Committed with fsync, before any
 *  event queued later. Control thread. Never blocks. */
void journal_state(struct journal *j, const char *key, const char *value);

/** Calls h for each key that begins with prefix, as on disk at open. Control
 *  thread, at start. */
void journal_state_load(struct journal *j, const char *prefix,
			void (*h)(const char *key, const char *value,
				  void *arg),
			void *arg);

/** Fills in how the writer fares. Any thread. */
void journal_health(struct journal *j, struct journal_health *h);

struct journal_query {
	uint64_t after;             /**< only ids above it; 0 = all */
	int64_t since_us, until_us; /**< wall time, from since to before until;
				       0 = open */
	char type[32];    /**< exact type or a prefix ending in '.'; "" = all */
	char subject[80]; /**< exact; "" = all */
	uint32_t limit;   /**< 0 or above JOURNAL_LIMIT = JOURNAL_LIMIT */
	bool newest_first;
};

/**
 * Reads events from disk on a connection of its own: any thread but control
 * and media (it may wait for the disk).
 *
 * @return 0 with a JSON array of event_json() rows (new reference), or errno
 */
int journal_query(struct journal *j, const struct journal_query *q,
		  json_t **rows, struct reason *why);

/** Test hook: the writer sleeps this long before its next transaction. */
void journal_stall(struct journal *j, uint32_t ms);

#endif
