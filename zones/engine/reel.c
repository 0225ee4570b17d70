#include "zones/reel.h"

#include "zones/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reel {
	uint32_t rate;
	int16_t *v;
	size_t size;
	_Atomic size_t n;
};

static size_t samples(uint32_t rate, uint32_t ms)
{
	return (size_t)((uint64_t)rate * ms / 1000);
}

size_t reel_bytes(uint32_t rate, uint32_t ms)
{
	return samples(rate, ms) * sizeof(int16_t);
}

int reel_alloc(struct reel **rp, uint32_t rate, uint32_t ms)
{
	struct reel *r;

	if (engine_rate(rate) < 0 || !ms || ms > REEL_MAX_MS)
		return EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return ENOMEM;
	r->rate = rate;
	r->size = samples(rate, ms);
	r->v = malloc(reel_bytes(rate, ms));
	if (!r->v) {
		free(r);
		return ENOMEM;
	}
	/* Written to once, or the media thread would wait for each page. Not
	 * zeros: the compiler may make calloc() of malloc() and those. */
	memset(r->v, 0x55, reel_bytes(rate, ms));
	*rp = r;
	return 0;
}

struct reel *reel_free(struct reel *r)
{
	if (r)
		free(r->v);
	free(r);
	return NULL;
}

uint32_t reel_rate(const struct reel *r)
{
	return r->rate;
}

bool reel_put(struct reel *r, const int16_t *v, size_t n)
{
	size_t at = atomic_load_explicit(&r->n, memory_order_relaxed);
	size_t fits = n < r->size - at ? n : r->size - at;

	if (fits)
		memcpy(r->v + at, v, fits * sizeof(*v));
	atomic_store_explicit(&r->n, at + fits, memory_order_release);
	return fits == n;
}

uint32_t reel_ms(const struct reel *r)
{
	return (uint32_t)((uint64_t)atomic_load_explicit(&r->n,
							 memory_order_acquire) *
			  1000 / r->rate);
}

void reel_take(struct reel *r, struct pcm *p)
{
	pcm_reset(p);
	p->v = r->v;
	p->n = atomic_load_explicit(&r->n, memory_order_acquire);
	p->rate = r->rate;
	r->v = NULL;
	r->size = 0;
	atomic_store_explicit(&r->n, 0, memory_order_relaxed);
}
