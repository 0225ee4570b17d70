/**
 * Keys pressed in a call, as RTP tells of them (RFC 4733 2.5). Pure.
 */
#ifndef TOCSIN_KEYS_H
#define TOCSIN_KEYS_H

#include <stddef.h>
#include <stdint.h>

/** Presses remembered: a late packet of an old one is no new one. */
#define KEYS_PAST 4

struct keys {
	unsigned n; /**< remembered, up to KEYS_PAST */
	struct {
		uint32_t ssrc, ts;
		uint8_t event;
		uint16_t duration;
	} past[KEYS_PAST]; /**< the newest first */
};

/**
 * Takes the payload of a telephone-event packet.
 *
 * A press is known by its timestamp, not by marker or end bit: any one of its
 * packets is enough, and more of them change nothing.
 *
 * @return the key (0-9, *, #, A-D) when it has just been pressed, else 0
 */
char keys_take(struct keys *k, uint32_t ssrc, uint32_t ts, const uint8_t *p,
	       size_t n);

#endif
