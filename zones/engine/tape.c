#include "zones/tape.h"

#include "controller/base/ring.h"
#include "zones/sound/codec.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct frame {
	uint32_t reel;
	int16_t v[TAPE_MAX_SAMPLES];
};

struct tape {
	uint32_t rate;
	struct ring *ring;
	_Atomic uint32_t reel; /**< frames of another are passed over */
	_Atomic uint64_t played, empty;
	struct frame in, out; /**< of either thread */
};

/** Bytes of a frame on the ring. */
static size_t frame_bytes(const struct tape *t)
{
	return offsetof(struct frame, v) +
	       tape_samples(t->rate) * sizeof(int16_t);
}

int tape_alloc(struct tape **tp, uint32_t rate)
{
	struct tape *t;
	int err;

	if (rate < 8000 || rate > 48000 || rate % 50)
		return EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return ENOMEM;
	t->rate = rate;
	err = ring_alloc(&t->ring, frame_bytes(t), TAPE_FRAMES);
	if (err)
		free(t);
	else
		*tp = t;
	return err;
}

struct tape *tape_free(struct tape *t)
{
	if (t)
		ring_free(t->ring);
	free(t);
	return NULL;
}

uint32_t tape_rate(const struct tape *t)
{
	return t->rate;
}

size_t tape_room(const struct tape *t)
{
	return ring_space(t->ring);
}

bool tape_put(struct tape *t, const int16_t *frame)
{
	t->in.reel = atomic_load_explicit(&t->reel, memory_order_relaxed);
	memcpy(t->in.v, frame, tape_samples(t->rate) * sizeof(*frame));
	return ring_push(t->ring, &t->in);
}

void tape_flush(struct tape *t)
{
	atomic_fetch_add_explicit(&t->reel, 1, memory_order_relaxed);
}

bool tape_take(struct tape *t, uint8_t *l16)
{
	while (ring_pop(t->ring, &t->out)) {
		if (t->out.reel !=
		    atomic_load_explicit(&t->reel, memory_order_relaxed))
			continue;
		codec_encode(CODEC_L16, l16, t->out.v, tape_samples(t->rate));
		atomic_fetch_add_explicit(&t->played, 1, memory_order_relaxed);
		return true;
	}
	atomic_fetch_add_explicit(&t->empty, 1, memory_order_relaxed);
	return false;
}

void tape_stats(const struct tape *t, struct tape_stats *s)
{
	s->played = atomic_load_explicit(&t->played, memory_order_relaxed);
	s->empty = atomic_load_explicit(&t->empty, memory_order_relaxed);
}
