/**
 * State that must survive: an ordered map of key -> value, the latest wins.
 *
 * A value may be "to be deleted" (NULL): then the entry stands for that. No
 * lock of its own.
 */
#ifndef TOCSIN_STATEMAP_H
#define TOCSIN_STATEMAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct state {
	TAILQ_ENTRY(state) le;
	uint64_t since_us; /**< monotonic: waits since, set by the owner */
	char *value;       /**< inside this block; NULL = delete */
	char key[];
};
TAILQ_HEAD(statemap, state);

/** Makes an entry outside of any map; NULL on ENOMEM. */
struct state *state_new(const char *key, const char *value, uint64_t since_us);

/** The entry of a key, or NULL. */
struct state *statemap_find(const struct statemap *m, const char *key);

/**
 * Takes s in the place of the entry with its key, or at the end.
 *
 * @return the entry it replaced, for the caller to free; or NULL
 */
struct state *statemap_put(struct statemap *m, struct state *s);

/** Frees all entries. */
void statemap_clear(struct statemap *m);

#endif
