/**
 * What is done with a request before anything else looks at it. Pure.
 *
 * Strangers never come this far: the door drops what no peer entry covers. This
 * is about requests from trusted addresses that we do not serve, cannot serve
 * or should not (RFC 3261 8.2).
 */
#ifndef TOCSIN_POLICY_H
#define TOCSIN_POLICY_H

#include "controller/sip/session_timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_ALLOW "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, SUBSCRIBE"

/** Largest body taken. */
#define POLICY_MAX_BODY 8192

/** Requests a second from one address, and at once. */
#define POLICY_REQUESTS_PER_S 500
#define POLICY_REQUESTS_BURST 1000
/** New calls a second: each refused one is remembered for 32 s. */
#define POLICY_INVITES_PER_S 100
#define POLICY_INVITES_BURST 200
/** The same for all addresses together. */
#define POLICY_INVITES_ALL_PER_S 300
#define POLICY_INVITES_ALL_BURST 600

/** Other requests of all addresses together that are remembered for 32 s so
 * that a repeated one is told the same: but for BYE, which frees more. */
#define POLICY_KEPT_PER_S 200
#define POLICY_KEPT_BURST 2000

struct policy_text {
	const char *p; /**< not terminated; NULL = not there */
	size_t len;
};

/** A request as far as policy looks at it. */
struct policy_request {
	/** require: but what we know of */
	struct policy_text method, scheme, require, content_type,
		content_encoding;
	const char *bad;       /**< guard_bad_reason(), NULL = in order */
	uint16_t bad_status;   /**< guard_bad_status() */
	bool unknown_priority; /**< Require: resource-priority, and none that we
				* know */
	bool has_via;          /**< a reply finds its way */
	bool multicast_via; /**< Via with maddr: the reply would go anywhere */
	bool in_dialog;     /**< To has a tag */
	bool has_contact;
	bool has_tag;    /**< From has one */
	bool no_sdp;     /**< Accept leaves out what we answer with */
	bool datagram;   /**< came by UDP: Content-Length may lie */
	bool has_length; /**< Content-Length is there */
	size_t length;   /**< its value */
	size_t body;     /**< bytes that came */
	bool over_rate;  /**< it is one too many */
	bool registrar;  /**< endpoints may register here */
	bool may_call;   /**< the peer may page or ask for help */
	unsigned calls, max_calls;
	struct session_said session;
	uint32_t session_s; /**< session timers are ours for, 0 = not */
};

enum policy_act {
	POLICY_PASS,  /**< to the session layer */
	POLICY_DROP,  /**< no word */
	POLICY_REPLY, /**< status, reason, header */
};

struct policy_verdict {
	enum policy_act act;
	uint16_t status;
	const char *reason;
	char header[768]; /**< whole lines with CRLF, "" = none */
};

void policy_decide(const struct policy_request *r, struct policy_verdict *v);

#endif
