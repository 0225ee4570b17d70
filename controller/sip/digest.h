/**
 * Digest authentication: RFC 7616 and RFC 8760, the older RFC 2617 answers of
 * devices included. Pure but for the state of struct nonces.
 *
 * A nonce carries when it was issued, unreadable to others, and a MAC over that
 * and the asker's address, so that strangers cost no memory. Once an answer
 * with it was right, its nonce count is remembered: no answer is taken twice.
 */
#ifndef TOCSIN_DIGEST_H
#define TOCSIN_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/** How long a nonce may be answered to; then "stale". */
#define DIGEST_NONCE_MS 300000
/** Nonces whose count is remembered. */
#define DIGEST_NONCES 1024
/** Issued at, number, MAC: in hexadecimal, with the 0 at the end. */
#define DIGEST_NONCE_SIZE (16 + 8 + 32 + 1)

/** A response in hexadecimal with the 0: of SHA-256, the longer one. */
#define DIGEST_HEX_SIZE 65

struct digest_text {
	const char *p; /**< not terminated; NULL = not there */
	size_t len;
};

/** An Authorization header's parts; they point into it. */
struct digest_answer {
	struct digest_text user, realm, nonce, uri, response, algorithm, cnonce,
		nc, qop, opaque;
	bool sha256;    /**< else MD5 */
	uint32_t count; /**< nc; 0 = an answer without qop (RFC 2069) */
};

/** Takes a header's value apart. False: it is not one that can be checked
 *  (another scheme or algorithm, a part missing, doubled or malformed). */
bool digest_decode(struct digest_answer *a, const char *p, size_t len);

/** What that password gives for this request: the response in hexadecimal, of
 *  user, realm, nonce, uri, sha256, and with a count cnonce, nc and qop. False
 *  when the hash cannot be had. */
bool digest_response(const struct digest_answer *a, const char *method,
		     size_t method_len, const char *password,
		     char hex[DIGEST_HEX_SIZE]);

/** Is it what that password gives for this request? Takes the same time
 *  wherever the answer differs. */
bool digest_matches(const struct digest_answer *a, const char *method,
		    size_t method_len, const char *password);

/** Are they the same text? */
bool digest_equal(struct digest_text t, const char *s);

struct nonces {
	uint8_t secret[32];
	uint32_t next;
	uint64_t floor_ms; /**< older ones without an entry are used up */
	struct {
		uint32_t id, count;
		uint64_t at_ms; /**< issued; 0 = unused */
	} used[DIGEST_NONCES];
};

/** A new secret: every nonce issued before is foreign. 0 or EIO. */
int nonces_init(struct nonces *n);

/** A fresh nonce for that address. */
void nonce_make(struct nonces *n, const struct sockaddr *sa, uint64_t now_ms,
		char text[DIGEST_NONCE_SIZE]);

/** Was it issued by us to that address and not too long ago? */
bool nonce_fresh(const struct nonces *n, struct digest_text nonce,
		 const struct sockaddr *sa, uint64_t now_ms);

/** Notes that a right answer with this fresh nonce and count came; false when
 *  it, or a later one, has come before. */
bool nonce_use(struct nonces *n, struct digest_text nonce, uint32_t count);

#endif
