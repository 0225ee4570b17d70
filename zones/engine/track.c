#include "zones/engine/track.h"

#include "zones/engine/samples.h"
#include "zones/sound/coder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RATE 48000
#define MAX_SAMPLES (MAX_RATE / 1000 * TRACK_MAX_MS)
/** Who listens first, or after so long, does not wait for what was missed to
 *  be decoded; but a decoder is to be warm. */
#define JUMP_MS 200
#define WARM_MS 100
/** Sound that concealment goes on from. */
#define MEMORY_MS 40

/** An Opus packet; its bytes are those from `at` on, modulo the ring. */
struct opus_packet {
	int64_t x;
	uint32_t n;
	size_t bytes;
	uint64_t at;
};

struct opus_store {
	struct opus_packet v[TRACK_PACKETS];
	unsigned newest;
	uint64_t used; /**< bytes written in its life */
	uint8_t data[TRACK_PACKET_BYTES];
};

struct track {
	enum codec codec;
	uint32_t clock, per; /**< samples a tick */
	struct samples came;
	struct opus_store *opus;
	struct decoder *decoder, *spare;
	int64_t front; /**< decoded up to this tick ... */
	int64_t low;   /**< ... from this sample on */
	int64_t size;  /**< samples kept, a power of two */
	int16_t *heard;
};

int track_alloc(struct track **lp, enum codec codec, uint32_t rate,
		uint32_t clock)
{
	struct track *l;
	int err;

	if (!lp || codec >= CODEC_COUNT || rate < 8000 || rate > MAX_RATE ||
	    clock < 8000 || rate % clock)
		return EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return ENOMEM;
	l->codec = codec;
	l->clock = clock;
	l->per = rate / clock;
	l->size = 64;
	while (l->size < rate / 2)
		l->size *= 2;
	err = samples_alloc(&l->came, clock,
			    codec == CODEC_OPUS  ? 0
			    : codec == CODEC_L16 ? 2
						 : 1);
	if (!err)
		err = decoder_alloc(&l->decoder, codec, rate);
	if (!err)
		err = decoder_alloc(&l->spare, CODEC_L16, rate);
	l->heard = malloc((size_t)l->size * sizeof(*l->heard));
	if (codec == CODEC_OPUS)
		l->opus = malloc(sizeof(*l->opus));
	if (!err && (!l->heard || (codec == CODEC_OPUS && !l->opus)))
		err = ENOMEM;
	if (err) {
		track_free(l);
		return err;
	}
	/* Written now, so that the media thread faults no page in. */
	memset(l->heard, 0, (size_t)l->size * sizeof(*l->heard));
	if (l->opus)
		memset(l->opus, 0, sizeof(*l->opus));
	*lp = l;
	return 0;
}

struct track *track_free(struct track *l)
{
	if (!l)
		return NULL;
	samples_reset(&l->came);
	decoder_free(l->decoder);
	decoder_free(l->spare);
	free(l->heard);
	free(l->opus);
	free(l);
	return NULL;
}

uint32_t track_per_tick(const struct track *l)
{
	return l->per;
}

uint32_t track_ticks(const struct track *l, const uint8_t *payload,
		     size_t bytes)
{
	uint32_t n = coder_samples(l->codec, payload, bytes) / l->per;

	return n > l->clock * TRACK_MAX_MS / 1000 ? 0 : n;
}

int64_t track_end(const struct track *l)
{
	return l->came.end;
}

bool track_complete(const struct track *l, int64_t x, int64_t n)
{
	return samples_complete(&l->came, x, n);
}

/* ------------------------------------------------------------ Opus packets */

static void opus_put(struct opus_store *o, int64_t x, uint32_t n,
		     const uint8_t *payload, size_t bytes)
{
	size_t at = o->used % TRACK_PACKET_BYTES;

	/* In one piece: what is left at the end of the ring is passed over. */
	if (at + bytes > TRACK_PACKET_BYTES)
		o->used += TRACK_PACKET_BYTES - at;
	memcpy(o->data + o->used % TRACK_PACKET_BYTES, payload, bytes);
	o->newest = (o->newest + 1) % TRACK_PACKETS;
	o->v[o->newest] = (struct opus_packet){x, n, bytes, o->used};
	o->used += bytes;
}

static bool opus_kept(const struct opus_store *o, const struct opus_packet *p)
{
	return p->bytes && o->used - p->at <= TRACK_PACKET_BYTES;
}

static const uint8_t *opus_data(const struct opus_store *o,
				const struct opus_packet *p)
{
	return o->data + p->at % TRACK_PACKET_BYTES;
}

/** The packet that holds x, the newest of several; NULL = none. */
static const struct opus_packet *opus_at(const struct opus_store *o, int64_t x)
{
	for (unsigned i = 0; i < TRACK_PACKETS; i++) {
		const struct opus_packet *p =
			&o->v[(o->newest + TRACK_PACKETS - i) % TRACK_PACKETS];

		if (opus_kept(o, p) && p->x <= x && x < p->x + p->n)
			return p;
	}
	return NULL;
}

/** The first packet that begins behind x and not behind limit. */
static const struct opus_packet *opus_next(const struct opus_store *o,
					   int64_t x, int64_t limit)
{
	const struct opus_packet *best = NULL;

	for (unsigned i = 0; i < TRACK_PACKETS; i++)
		if (opus_kept(o, &o->v[i]) && o->v[i].x > x &&
		    o->v[i].x <= limit && (!best || o->v[i].x < best->x))
			best = &o->v[i];
	return best;
}

/* ---------------------------------------------------------------- writing */

void track_put(struct track *l, int64_t x, uint32_t n, const uint8_t *payload,
	       size_t bytes)
{
	if (x <= l->came.end - l->came.size / 2)
		return;
	if (l->opus)
		opus_put(l->opus, x, n, payload, bytes);
	samples_put(&l->came, x, payload, n);
}

void track_rewind(struct track *l, int64_t x)
{
	if (l->front > x)
		l->front = x;
	/* A reader that joined in a pause was ahead of it. */
	if (l->low > x * l->per)
		l->low = x * l->per;
}

/* --------------------------------------------------------------- decoding */

/** Puts decoded sound of n ticks at the front. */
static void keep(struct track *l, const int16_t *pcm, int64_t n)
{
	int64_t at = l->front * l->per;

	for (int64_t i = 0; i < n * l->per; i++)
		l->heard[(at + i) & (l->size - 1)] = pcm[i];
	l->front += n;
}

/** One step of a codec whose positions stand for themselves. */
static void step_samples(struct track *l, int64_t n)
{
	uint8_t raw[MAX_RATE / 100 * 2];
	int16_t pcm[MAX_RATE / 100];
	uint32_t most = l->clock / 100;
	bool there;
	int64_t run;

	run = samples_run(&l->came, l->front, n < most ? n : most, &there);
	if (there) {
		samples_get(&l->came, raw, l->front, run);
		decoder_run(l->decoder, pcm, MAX_RATE / 100, raw,
			    (size_t)run * l->came.bytes);
	} else {
		decoder_conceal(l->decoder, pcm, (uint32_t)(run * l->per), NULL,
				0);
	}
	keep(l, pcm, run);
}

static void step_opus(struct track *l, int64_t n)
{
	const struct opus_packet *p = opus_at(l->opus, l->front);
	int16_t pcm[MAX_SAMPLES];
	int64_t left = p ? p->x + p->n - l->front : 0;

	if (p && decoder_run(l->decoder, pcm, MAX_SAMPLES,
			     opus_data(l->opus, p), p->bytes) == p->n) {
		/* Of one that came late the rest is heard. */
		keep(l, pcm + (p->n - left), left);
		return;
	}
	p = opus_next(l->opus, l->front, l->front + n);
	if (p)
		n = p->x - l->front;
	if (n > MAX_SAMPLES) {
		n = MAX_SAMPLES;
		p = NULL;
	}
	decoder_conceal(l->decoder, pcm, (uint32_t)n,
			p ? opus_data(l->opus, p) : NULL, p ? p->bytes : 0);
	keep(l, pcm, n);
}

static void decode_to(struct track *l, int64_t from, int64_t to)
{
	if (to - l->front > l->clock * JUMP_MS / 1000) {
		int64_t warm = from - l->clock * WARM_MS / 1000;

		if (warm > l->front) {
			l->front = warm;
			l->low = warm * l->per;
			decoder_reset(l->decoder);
		}
	}
	while (l->front < to)
		if (l->opus)
			step_opus(l, to - l->front);
		else
			step_samples(l, to - l->front);
}

static void copy(const struct track *l, int16_t *dst, int64_t at, int64_t n)
{
	int64_t end = l->front * l->per;

	for (int64_t i = at; i < at + n; i++)
		*dst++ = i < l->low || i < end - l->size || i >= end
				 ? 0
				 : l->heard[i & (l->size - 1)];
}

void track_pcm(struct track *l, int64_t x, uint32_t n, uint32_t history,
	       int16_t *dst)
{
	int64_t at = x * l->per - history;

	decode_to(l, x - (history + l->per - 1) / l->per, x + n);
	copy(l, dst, at, (int64_t)n * l->per + history);
}

bool track_coded(const struct track *l, int64_t x, uint32_t n, uint8_t *dst,
		 size_t *bytes)
{
	const struct opus_packet *p;

	if (!samples_complete(&l->came, x, n))
		return false;
	if (!l->opus) {
		samples_get(&l->came, dst, x, n);
		*bytes = (size_t)n * l->came.bytes;
		return true;
	}
	p = opus_at(l->opus, x);
	if (!p || p->x != x || p->n != n)
		return false;
	memcpy(dst, opus_data(l->opus, p), p->bytes);
	*bytes = p->bytes;
	return true;
}

void track_extend(struct track *l, int64_t x, uint32_t n, unsigned k,
		  uint32_t history, int16_t *dst)
{
	int16_t pcm[MAX_RATE / 1000 * MEMORY_MS + TRACK_EXTEND * MAX_SAMPLES];
	uint32_t memory = l->clock * MEMORY_MS / 1000 * l->per;
	uint32_t frame = n * l->per, made = k * frame;

	if (k > TRACK_EXTEND || frame > MAX_SAMPLES || history > memory) {
		memset(dst, 0, (history + frame) * sizeof(*dst));
		return;
	}
	track_pcm(l, x, 0, memory, pcm);
	decoder_reset(l->spare);
	decoder_heard(l->spare, pcm, memory);
	decoder_conceal(l->spare, pcm + memory, made, NULL, 0);
	memcpy(dst, pcm + memory + made - frame - history,
	       (history + frame) * sizeof(*dst));
}
