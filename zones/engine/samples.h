/**
 * The last second or so of a sound, by position, as encoded, with holes: what
 * a jitter buffer keeps. Nothing is allocated after samples_alloc(). One
 * owner thread.
 */
#ifndef TOCSIN_SAMPLES_H
#define TOCSIN_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct samples {
	int64_t size;   /**< positions kept, a power of two */
	int64_t end;    /**< behind the newest */
	uint32_t bytes; /**< of a sample; 0 = only what is there is kept */
	uint64_t *valid;
	uint8_t *data;
};

/** Keeps at least n samples of so many bytes; 0 or ENOMEM. */
int samples_alloc(struct samples *s, size_t n, uint32_t bytes);

/** Frees what it holds. */
void samples_reset(struct samples *s);

/** Is everything from x to x + n there? */
bool samples_complete(const struct samples *s, int64_t x, int64_t n);

/** How many of the n samples from x on are all there (*there), or all not. */
int64_t samples_run(const struct samples *s, int64_t x, int64_t n, bool *there);

/** Copies n samples out; holes give what lay there a lap ago. */
void samples_get(const struct samples *s, uint8_t *dst, int64_t x, int64_t n);

/** Puts n samples at x; positions left out become holes. x must not lie more
 *  than half the size behind the end. */
void samples_put(struct samples *s, int64_t x, const uint8_t *src, int64_t n);

#endif
