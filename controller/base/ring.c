#include "ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct ring {
	size_t size, n;
	/* The two ends live on cache lines of their own: each is written by
	 * one thread only. */
	_Alignas(64) _Atomic size_t head; /**< next to pop */
	_Alignas(64) _Atomic size_t tail; /**< next to publish */
	size_t staged;                    /**< producer's own: next to write */
	_Alignas(64) unsigned char el[];
};

int ring_alloc(struct ring **rp, size_t size, size_t n)
{
	struct ring *r;
	size_t bytes;

	if (!rp || !size || !n || (n & (n - 1)) ||
	    __builtin_mul_overflow(size, n, &bytes))
		return EINVAL;
	bytes = (sizeof(*r) + bytes + 63) & ~(size_t)63;
	r = aligned_alloc(64, bytes);
	if (!r)
		return ENOMEM;
	/* Touches every page now, so that the media thread faults none. */
	memset(r, 0, bytes);
	r->size = size;
	r->n = n;
	*rp = r;
	return 0;
}

struct ring *ring_free(struct ring *r)
{
	free(r);
	return NULL;
}

size_t ring_space(const struct ring *r)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_acquire);

	return r->n - (r->staged - head);
}

bool ring_stage(struct ring *r, const void *el)
{
	if (!ring_space(r))
		return false;
	memcpy(r->el + (r->staged & (r->n - 1)) * r->size, el, r->size);
	r->staged++;
	return true;
}

void ring_publish(struct ring *r)
{
	atomic_store_explicit(&r->tail, r->staged, memory_order_release);
}

void ring_unstage(struct ring *r)
{
	r->staged = atomic_load_explicit(&r->tail, memory_order_relaxed);
}

bool ring_push(struct ring *r, const void *el)
{
	if (!ring_stage(r, el))
		return false;
	ring_publish(r);
	return true;
}

bool ring_pop(struct ring *r, void *el)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (head == atomic_load_explicit(&r->tail, memory_order_acquire))
		return false;
	memcpy(el, r->el + (head & (r->n - 1)) * r->size, r->size);
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}
