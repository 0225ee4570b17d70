/**
 * SRTP as a sender of group calls needs it (RFC 3711: AES in counter mode with
 * HMAC-SHA1), for the media thread: sealing allocates nothing. libre's own
 * transform allocates for each packet and has no key identifier.
 *
 * The rollover counter is always 0: a stream is given a new SSRC before its
 * sequence numbers wrap, so that a receiver may join at any time and needs to
 * know nothing but the key.
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

/**
 * Opens in place what seal_packet() made with the same key. Replays are not
 * looked for; any thread that owns *s.
 *
 * @return the length without identifier and tag, 0 when it is not of this key
 */
size_t seal_open(struct seal *s, uint8_t *packet, size_t len);

#endif
