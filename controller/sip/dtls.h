/**
 * Keys of SRTP by a DTLS handshake on the path of the sound (RFC 5763, 5764).
 *
 * It is made on the call's own socket before the media engine gets it: what
 * comes there meanwhile and is no handshake is dropped, as it could not be
 * opened. Each side shows a certificate that it made itself; who it is, its SDP
 * has told by the certificate's fingerprint. Control thread.
 */
#ifndef TOCSIN_DTLS_H
#define TOCSIN_DTLS_H

#include "controller/base/compat.h"
#include "controller/sip/fingerprint.h"
#include "zones/media.h"

/** How long a handshake may take. */
#define DTLS_MS 10000
/** When a flight is sent again: at first after this, then after twice as long,
 *  up to the most. Shorter than RFC 6347 4.2.4.1 proposes: somebody waits to
 *  be heard. */
#define DTLS_AGAIN_MS 200
#define DTLS_AGAIN_MOST_MS 1600
/** Largest datagram of ours. */
#define DTLS_MTU 1200

struct dtls_identity;
struct dtls;

/** A new key and certificate (ECDSA on P-256), which serve every call until
 *  the program ends; mem_deref() it. ENOMEM or EIO. */
int dtls_identity_alloc(struct dtls_identity **ip);

const struct fingerprint *
dtls_identity_fingerprint(const struct dtls_identity *id);

struct dtls_request {
	int fd; /**< bound UDP socket, stays the caller's */
	struct sa remote;
	bool active; /**< we begin, being the client */
	struct fingerprint theirs;
	unsigned within_ms; /**< DTLS_MS but in tests */
};

struct dtls_result {
	const char *why; /**< NULL, or why there are no keys, for people */
	struct media_srtp out, in; /**< ours and theirs */
	struct sa from;            /**< where they sent it from */
};

/** Called once, when it is over; mem_deref() of the object is fine in it. */
typedef void(dtls_h)(const struct dtls_result *r, void *arg);

/** Begins. mem_deref() ends it without a word to anybody. No handler runs
 *  before this returns. 0, ENOMEM or EIO. */
int dtls_start(struct dtls **dp, struct dtls_identity *id,
	       const struct dtls_request *rq, dtls_h *h, void *arg);

#endif
