/**
 * A token bucket for each source address, in bounded memory.
 *
 * 1,024 sources are remembered; a new one takes the place of the one seen
 * longest ago among four that share its slot, so a flood of addresses costs
 * memory nowhere and time of order one. Pure but for its state: the caller
 * gives the time. One owner thread.
 */
#ifndef TOCSIN_LIMIT_H
#define TOCSIN_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define LIMIT_SOURCES 1024

struct limit;

/**
 * Allocates the table with every bucket full.
 *
 * @param per_s tokens a second flow into each bucket
 * @param burst tokens a bucket holds
 * @param seed  anything a peer cannot know: where addresses land in the table
 */
int limit_alloc(struct limit **lp, uint32_t per_s, uint32_t burst,
		uint64_t seed);

/** Frees it; NULL is fine. Returns NULL. */
struct limit *limit_free(struct limit *l);

/** Takes one token of that address (its port does not matter); false when
 *  there is none. */
bool limit_take(struct limit *l, const struct sockaddr *sa, uint64_t now_ms);

#endif
