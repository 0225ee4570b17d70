/**
 * Keys of SRTP in SDP (SDES, RFC 4568): one "a=crypto" attribute, its text and
 * its meaning. Pure but for the random numbers; any thread.
 */
#ifndef TOCSIN_SDES_H
#define TOCSIN_SDES_H

#include "zones/media.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest attribute, with its NUL. */
#define SDES_SIZE 128

/** In the order we like them. */
enum sdes_suite { SDES_SHA1_80, SDES_SHA1_32, SDES_SUITES };

/** What is taken, for people. */
#define SDES_ALLOWED "AES_CM_128_HMAC_SHA1_80 or AES_CM_128_HMAC_SHA1_32"

struct sdes {
	uint32_t tag;
	enum sdes_suite suite;
	struct media_srtp key;
};

/** A new random key for that suite; false when there is no randomness. */
bool sdes_make(struct sdes *s, enum sdes_suite suite, uint32_t tag);

/**
 * Reads what stands behind "a=crypto:".
 *
 * @return NULL, or why it cannot be used, with nothing of the key in it:
 *         another suite, several keys, session parameters that change how
 *         packets look
 */
const char *sdes_read(struct sdes *s, const char *value);

/** Writes what stands behind "a=crypto:". */
void sdes_print(char text[SDES_SIZE], const struct sdes *s);

#endif
