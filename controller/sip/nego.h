/**
 * Agreeing on a call's sound: SDP offers and answers (RFC 3264, RFC 4566).
 *
 * One audio stream over RTP/AVP, RTP/SAVP with SDES keys (RFC 4568) or
 * UDP/TLS/RTP/SAVP with keys by DTLS (RFC 5764): Opus (RFC 7587), G.722, G.711
 * mu-law or A-law, L16 at 16 kHz, and telephone-event; every other stream
 * offered is answered with port 0. One struct nego lives as long as its call.
 * Control thread.
 *
 * What is only offered goes as RTP/AVP with "a=crypto", which who knows nothing
 * of it leaves out, as baresip, Asterisk and others have it; what is required
 * goes as RTP/SAVP, or by DTLS where SDES must not be. Each is taken from
 * others.
 */
#ifndef TOCSIN_NEGO_H
#define TOCSIN_NEGO_H

#include "controller/base/compat.h"
#include "controller/base/reason.h"
#include "controller/config/config.h"
#include "controller/sip/fingerprint.h"
#include "zones/sound/codec.h"

/** Limits of a body before libre's patterns see it. */
#define NEGO_MAX_BYTES 8192
#define NEGO_MAX_LINE 512
#define NEGO_MAX_LINES 200
#define NEGO_MAX_STREAMS 8

/** What is accepted, for people. */
#define NEGO_ALLOWED                                                           \
	"opus/48000/2, G722/8000, PCMU/8000, PCMA/8000 or L16/16000 over "     \
	"RTP/AVP"

struct nego;

/** What has been agreed. */
struct nego_result {
	struct format fmt;
	uint8_t event_pt; /**< 0 = none */
	struct sa remote; /**< where they want their sound; may be 0.0.0.0 */
	bool send, recv;  /**< our direction, after both sides */
	struct media_srtp out, in; /**< our key and theirs, if it is encrypted
				    */
	/** The keys are made by DTLS, once for the whole call. */
	bool dtls;
	bool active; /**< we begin with it */
	struct fingerprint theirs;
};

/** laddr: our RTP address and port. */
int nego_alloc(struct nego **np, const struct sa *laddr);

/**
 * Says whether the sound is to be encrypted. At once after nego_alloc(); until
 * then it is not.
 *
 * @param exposed the way of the SDP is none that keys may go by: DTLS is left
 * @param dtls    our certificate; NULL = no DTLS: what is only to be offered is
 *                left out when exposed. Lives as long as the call
 * @return 0, ENOMEM, or EPROTO with the reason: required, and not possible
 */
int nego_secure(struct nego *n, enum config_srtp srtp, bool exposed,
		const struct fingerprint *dtls, struct reason *why);

/** Offers and takes only these codecs (enum codec), the best first, and with
 *  sendonly hears nothing. Before the first offer. */
void nego_limit(struct nego *n, const uint8_t *wanted, size_t count,
		bool sendonly);

/**
 * Takes their offer and makes our answer.
 *
 * @param body   from its position to its end; not changed
 * @param answer our answer, mem_deref() it
 * @return 0, or EPROTO with why it cannot be accepted (488), or ENOMEM
 */
int nego_answer(struct nego *n, const struct mbuf *body, struct mbuf **answer,
		struct nego_result *r, struct reason *why);

/** Makes our offer with all we can, for an INVITE without one. */
int nego_offer(struct nego *n, struct mbuf **offer);

/** Takes their answer to our offer; errors as nego_answer(). */
int nego_answered(struct nego *n, const struct mbuf *body,
		  struct nego_result *r, struct reason *why);

#endif
