/**
 * The name of a certificate in SDP: "a=fingerprint" (RFC 8122), its text and
 * its meaning. Pure, any thread.
 */
#ifndef TOCSIN_FINGERPRINT_H
#define TOCSIN_FINGERPRINT_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Room for its text: "sha-512 " and 64 bytes of 3 characters. */
#define FINGERPRINT_SIZE 208

struct fingerprint {
	const char *hash; /**< a constant: "sha-256", NULL = none */
	uint8_t len;
	uint8_t bytes[64];
};

/** What is taken, for people. */
#define FINGERPRINT_ALLOWED "sha-256, sha-384 or sha-512"

/** Reads what stands behind "a=fingerprint:"; false when it cannot be used:
 *  another hash, not as many bytes as that has. */
bool fingerprint_read(struct fingerprint *f, const char *value);

/** Writes what stands behind "a=fingerprint:". */
void fingerprint_print(char text[FINGERPRINT_SIZE],
		       const struct fingerprint *f);

/** That of a certificate by SHA-256; false without memory. */
bool fingerprint_of(struct fingerprint *f, const X509 *cert);

/** Is it that certificate's? */
bool fingerprint_fits(const struct fingerprint *f, const X509 *cert);

bool fingerprint_equal(const struct fingerprint *a,
		       const struct fingerprint *b);

#endif
