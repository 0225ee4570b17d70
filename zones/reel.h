/**
 * What a talker says, kept to be played later: samples in memory that is made
 * before he begins. The media thread appends, and never allocates.
 *
 * Filled by one thread; read when that has said it is done (MEDIA_RECORDED).
 */
#ifndef TOCSIN_REEL_H
#define TOCSIN_REEL_H

#include "zones/sound/pcm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reel;

/** Longest a reel may be, in ms: 17 MB at 48 kHz. */
#define REEL_MAX_MS 180000

/** Room for ms of mono 16 bit samples, all of it in memory already; 0, EINVAL
 *  (no rate of the engine, 0 or over REEL_MAX_MS) or ENOMEM. */
int reel_alloc(struct reel **rp, uint32_t rate, uint32_t ms);

/** Frees it; NULL is fine. Returns NULL. */
struct reel *reel_free(struct reel *r);

/** Bytes such a reel takes. */
size_t reel_bytes(uint32_t rate, uint32_t ms);

uint32_t reel_rate(const struct reel *r);

/** Appends what fits of n samples; false when that was not all. Filler. */
bool reel_put(struct reel *r, const int16_t *v, size_t n);

/** How much is on it, in ms. Any thread. */
uint32_t reel_ms(const struct reel *r);

/** Hands its samples over to *p, which is reset before; the reel is empty and
 *  takes nothing more. */
void reel_take(struct reel *r, struct pcm *p);

#endif
