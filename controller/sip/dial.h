/**
 * Calls that we make: one INVITE to one address, until its end.
 *
 * To a loudspeaker our own sound alone is offered; it leaves from a port that
 * all such calls share (dial_port()), so that one socket serves them all. A
 * call to a person has a socket of its own and goes both ways. The media engine
 * sends; SIP only says where to and how. Control thread.
 */
#ifndef TOCSIN_DIAL_H
#define TOCSIN_DIAL_H

#include "controller/base/reason.h"
#include "controller/sip/stack.h"

/** Most calls of ours at once. */
#define DIAL_MAX 1000

struct dial;

struct dial_request {
	/** sip:[USER@]ADDRESS[:PORT][;parameters]: a numeric address, or the
	 *  host of an account, through which it goes then. */
	const char *uri;
	const char *user;      /**< of From and Contact */
	const char *display;   /**< shown to who is called, "" = none */
	const char *headers;   /**< more header lines, each with CRLF */
	uint8_t level;         /**< how urgent it is, 0 = not at all */
	const char *auth_user; /**< for a digest challenge, NULL = none */
	const char *password;  /**< the same */
	const uint8_t *codecs; /**< enum codec, the best first */
	size_t n_codecs;
	bool talk; /**< both ways, on a socket of its own */
	/** SRTP_AUTO: as the account it goes through says, or the peer its
	 *  address is of. */
	enum config_srtp srtp;
};

/** Where an answered call wants its sound. */
struct dial_media {
	struct sockaddr_storage remote;
	struct sockaddr_storage sip; /**< where we called it */
	struct format fmt;
	bool held;             /**< they want none at present */
	struct media_srtp key; /**< what it is sealed with, if it is */
	/** Of a call that talks; its fd belongs to who is told, and is -1 when
	 *  it was told before. */
	struct media_leg leg;
};

struct dial_handlers {
	/** Answered, or renegotiated since. */
	void (*media)(struct dial *d, const struct dial_media *m, void *arg);
	/** A key was pressed, and told by INFO (RFC 6086); those in RTP come
	 *  from the media engine. May be NULL. */
	void (*key)(struct dial *d, char key, void *arg);
	/**
	 * Over: refused, not reached, hung up. The object is gone after this.
	 * @param status of the answer that refused it, 0 = there was none
	 * @param why    in words
	 */
	void (*closed)(struct dial *d, uint16_t status, const char *why,
		       void *arg);
};

/**
 * Calls. No handler runs before this returns.
 *
 * @return 0; EINVAL (the URI, with a reason that names what is allowed),
 *         EADDRNOTAVAIL (no sip.listen address from which it can be reached by
 *         its transport), ENOTCONN (its account is not registered), ENOSPC,
 *         EADDRINUSE (no RTP port), EPROTO (its keys would be exposed), ENOMEM
 */
int dial_start(struct dial **dp, struct stack *s, const struct dial_request *rq,
	       const struct dial_handlers *h, void *arg, struct reason *why);

/** Ends a call from our side, with BYE or CANCEL; closed is not called for it.
 *  header: one more line for the BYE, or NULL. */
void dial_end(struct dial *d, const char *header);

/** In the closed handler: did the one we called hang up, so that he knows that
 *  the call is over? */
bool dial_hung_up(const struct dial *d);

/** Asks an answered call whether it is still there, by a re-INVITE; closed
 *  follows when it is not. */
void dial_refresh(struct dial *d);

/** The even UDP port our sound leaves from, 0 = none could be had yet. */
uint16_t dial_port(struct stack *s);

/** Can it be called: a SIP URI with a numeric address? Else why not, naming
 *  what is allowed. Pure. */
bool dial_uri_ok(const char *uri, struct reason *why);

#endif
