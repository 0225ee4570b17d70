/**
 * Single-producer, single-consumer ring of fixed-size elements.
 *
 * The way between the control and the media thread: no lock, no allocation
 * after ring_alloc(). Exactly one thread pushes and one pops.
 */
#ifndef TOCSIN_RING_H
#define TOCSIN_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring;

/**
 * Allocates a ring.
 *
 * @param rp   where the ring is put
 * @param size bytes of one element
 * @param n    number of elements, a power of two
 * @return 0, EINVAL or ENOMEM
 */
int ring_alloc(struct ring **rp, size_t size, size_t n);

/** Frees a ring nobody uses any more; NULL is fine. Returns NULL. */
struct ring *ring_free(struct ring *r);

/**
 * Appends a copy of one element without letting the consumer see it yet;
 * false when the ring is full (nothing is appended). Producer only.
 */
bool ring_stage(struct ring *r, const void *el);

/** Shows the consumer all that was staged, at once. Producer only. */
void ring_publish(struct ring *r);

/** Forgets what was staged and not yet published. Producer only. */
void ring_unstage(struct ring *r);

/** ring_stage() and ring_publish() in one. */
bool ring_push(struct ring *r, const void *el);

/** Takes the oldest element; false when there is none. Consumer only. */
bool ring_pop(struct ring *r, void *el);

/** Free places as the producer sees them. Producer only. */
size_t ring_space(const struct ring *r);

#endif
