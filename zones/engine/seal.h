/**
 * SRTP (RFC 3711: AES in counter mode with HMAC-SHA1), for the media thread:
 * sealing allocates nothing. libre's own transform allocates for each packet
 * and has no key identifier.
 *
 * To a group the rollover counter is always 0: a stream is given a new SSRC
 * before its sequence numbers wrap, so that a receiver may join at any time and
 * needs to know nothing but the key. In a call it runs (media_srtp.rolls); of
 * what is received there see callseal.h.
 */
#ifndef TOCSIN_SEAL_H
#define TOCSIN_SEAL_H

#include "zones/media.h"

/** Bytes that sealing adds at most: key identifier and tag. */
#define SEAL_ROOM (MEDIA_SRTP_MAX_MKI + 10)

struct seal;

/** Derives the session keys; 0, ENOMEM, or EIO when the library refuses. */
int seal_alloc(struct seal **sp, const struct media_srtp *key);

/** Frees it and wipes its keys; NULL is fine. */
void seal_free(struct seal *s);

/**
 * Encrypts one RTP packet in place and authenticates it.
 *
 * @param packet header (12 bytes, as we write it) and payload, with SEAL_ROOM
 *               bytes of room behind them
 * @return its new length
 */
size_t seal_packet(struct seal *s, uint8_t *packet, size_t len);

/** Of the same key, so that one may go on for the other? NULL: false. */
bool seal_alike(const struct seal *a, const struct seal *b);

/** Does its rollover counter run? */
bool seal_rolls(const struct seal *s);

/**
 * Opens in place what was sealed with the same key under that rollover counter.
 * Replays are not looked for; any thread that owns *s.
 *
 * @return the length without identifier and tag, 0 when it is not of this key,
 *         and then nothing is changed
 */
size_t seal_open(struct seal *s, uint8_t *packet, size_t len, uint32_t roc);

#endif
