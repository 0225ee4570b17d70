/**
 * Signatures of webhooks, both ways. Pure; any thread.
 *
 * SIGN_SHA256: HMAC-SHA256 over "TIMESTAMP.BODY", sent as hexadecimal in
 * X-Signature: sha256=HEX beside X-Timestamp (seconds since 1970).
 * SIGN_STANDARD: www.standardwebhooks.com: over "ID.TIMESTAMP.BODY", sent as
 * webhook-signature: v1,BASE64, of which several may stand, beside webhook-id
 * and webhook-timestamp.
 */
#ifndef TOCSIN_SIGN_H
#define TOCSIN_SIGN_H

#include <stdbool.h>
#include <stddef.h>

enum sign_scheme { SIGN_SHA256, SIGN_STANDARD };

/** Room for a signature as it is sent. */
#define SIGN_SIZE 80
/** Longest id and longest header of signatures that are looked at. */
#define SIGN_MAX_ID 128
#define SIGN_MAX_HEADER 512

/** A secret as its owner writes it, made a key. */
struct sign_key {
	enum sign_scheme scheme;
	unsigned char key[256];
	size_t n;
};

/** What is signed. id: only SIGN_STANDARD. */
struct sign_text {
	const char *id, *timestamp;
	const void *body;
	size_t len;
};

/** From the secret: with SIGN_STANDARD "whsec_" and base64 is decoded. False
 *  when it does not fit or is empty. */
bool sign_key(struct sign_key *k, enum sign_scheme scheme, const char *secret);

/** Signs; out is as the header has it. */
void sign_make(const struct sign_key *k, const struct sign_text *t,
	       char out[SIGN_SIZE]);

/** Is one of the given signatures the right one? In a time that does not tell
 *  how much of it is right. */
bool sign_good(const struct sign_key *k, const struct sign_text *t,
	       const char *given);

#endif
