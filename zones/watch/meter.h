/**
 * How loud one packet is, taken out of its stream: a sample has no neighbour,
 * so it is decoded by itself, and what a decoder needs to find its way is left
 * out of account. Exact for G.711 and L16, within 9 dB for Opus; of G.722 it
 * can only tell sound (within 21 dB) from our own silence.
 *
 * One owner at a time. Only meter_alloc() allocates.
 */
#ifndef TOCSIN_WATCH_METER_H
#define TOCSIN_WATCH_METER_H

#include "zones/sound/codec.h"

struct meter;

/** Makes one for all codecs and any number of streams; 0 or ENOMEM. */
int meter_alloc(struct meter **mp);

/** Frees it; NULL is fine. Returns NULL. */
struct meter *meter_free(struct meter *m);

/** Level of a payload in -dBFS up to 127, HEARD_NO_LEVEL where it is none of
 *  this codec. */
uint8_t meter_level(struct meter *m, enum codec codec, const uint8_t *payload,
		    size_t len);

#endif
