/**
 * Why nothing is heard of a call: the likeliest cause, from what was agreed and
 * what was seen. Pure.
 */
#ifndef TOCSIN_ONEWAY_JUDGE_H
#define TOCSIN_ONEWAY_JUDGE_H

#include "zones/media.h"

#include <stdbool.h>

enum oneway_cause {
	ONEWAY_NO_RTP,  /**< nothing came at all */
	ONEWAY_KEY,     /**< what comes does not open with the agreed key */
	ONEWAY_STOPPED, /**< it was heard, then no more */
	ONEWAY_TYPE,    /**< it sends what was not agreed */
	ONEWAY_FOREIGN, /**< it comes from an address not negotiated */
	ONEWAY_ADDRESS, /**< its SDP names an address that cannot be right */
	ONEWAY_OURS,    /**< our SDP names one that cannot be right for it */
	ONEWAY_UNREACHABLE, /**< ICMP: its address or port is closed */
	ONEWAY_CAUSES
};

struct oneway_facts {
	struct sockaddr_storage sip;  /**< where its SIP comes from */
	struct sockaddr_storage sdp;  /**< where it wants its sound */
	struct sockaddr_storage ours; /**< where we wait for sound */
	struct format fmt;            /**< agreed */
	struct media_leg_stats seen;
};

struct oneway_verdict {
	enum oneway_cause cause;
	char text[160];     /**< what is wrong: "no RTP came at all to ..." */
	const char *remedy; /**< what to do about it */
};

/** Judges a call of which nothing is heard. */
void oneway_judge(const struct oneway_facts *f, struct oneway_verdict *v);

/** Can the address in its SDP not be right? Then says why (ONEWAY_ADDRESS). */
bool oneway_address_wrong(const struct oneway_facts *f,
			  struct oneway_verdict *v);

/** What to do about it. */
const char *oneway_remedy(enum oneway_cause c);

#endif
