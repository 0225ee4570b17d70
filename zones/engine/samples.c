#include "zones/engine/samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int samples_alloc(struct samples *s, size_t n, uint32_t bytes)
{
	size_t size = 64;

	while (size < n)
		size *= 2;
	s->valid = malloc(size / 8);
	s->data = malloc(size * bytes + 1);
	if (!s->valid || !s->data) {
		samples_reset(s);
		return ENOMEM;
	}
	/* Written now, so that the media thread faults no page in. */
	memset(s->valid, 0, size / 8);
	memset(s->data, 0, size * bytes);
	s->size = (int64_t)size;
	s->bytes = bytes;
	s->end = 0;
	return 0;
}

void samples_reset(struct samples *s)
{
	free(s->valid);
	free(s->data);
	s->valid = NULL;
	s->data = NULL;
}

/** The word of the bitmap that x is in, and the bits of at most n positions
 *  from there. */
static uint64_t *word(const struct samples *s, int64_t x, int64_t n,
		      uint64_t *bits, int64_t *run)
{
	uint64_t i = (uint64_t)x & (uint64_t)(s->size - 1);

	*run = 64 - (int64_t)(i % 64);
	if (*run > n)
		*run = n;
	*bits = (*run == 64 ? ~UINT64_C(0) : (UINT64_C(1) << *run) - 1)
		<< i % 64;
	return &s->valid[i / 64];
}

static void mark(struct samples *s, int64_t x, int64_t n, bool valid)
{
	while (n > 0) {
		int64_t run;
		uint64_t bits, *w = word(s, x, n, &bits, &run);

		*w = valid ? *w | bits : *w & ~bits;
		x += run;
		n -= run;
	}
}

bool samples_complete(const struct samples *s, int64_t x, int64_t n)
{
	if (x + n > s->end || x < s->end - s->size)
		return false;
	while (n > 0) {
		int64_t run;
		uint64_t bits, *w = word(s, x, n, &bits, &run);

		if ((*w & bits) != bits)
			return false;
		x += run;
		n -= run;
	}
	return true;
}

int64_t samples_run(const struct samples *s, int64_t x, int64_t n, bool *there)
{
	int64_t known = s->end - x, run = 0;

	*there = known > 0 && samples_complete(s, x, 1);
	if (known < n)
		n = *there ? known : n;
	while (run < n) {
		uint64_t bit = (uint64_t)(x + run) & (uint64_t)(s->size - 1);
		bool is = x + run < s->end && x + run >= s->end - s->size &&
			  s->valid[bit / 64] >> bit % 64 & 1;

		if (is != *there)
			break;
		run++;
	}
	return run;
}

void samples_get(const struct samples *s, uint8_t *dst, int64_t x, int64_t n)
{
	while (n > 0) {
		int64_t i = x & (s->size - 1);
		int64_t run = s->size - i < n ? s->size - i : n;

		memcpy(dst, s->data + i * s->bytes, (size_t)run * s->bytes);
		dst += run * s->bytes;
		x += run;
		n -= run;
	}
}

void samples_put(struct samples *s, int64_t x, const uint8_t *src, int64_t n)
{
	if (x + n > s->end) {
		int64_t from = s->end;

		if (x + n - from > s->size)
			from = x + n - s->size;
		mark(s, from, x + n - from, false);
		s->end = x + n;
	}
	mark(s, x, n, true);
	while (n > 0) {
		int64_t i = x & (s->size - 1);
		int64_t run = s->size - i < n ? s->size - i : n;

		memcpy(s->data + i * s->bytes, src, (size_t)run * s->bytes);
		src += run * s->bytes;
		x += run;
		n -= run;
	}
}
