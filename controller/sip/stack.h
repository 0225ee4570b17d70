/**
 * SIP for the rest of the controller: the only door to libre's SIP.
 *
 * Owns the transports, the policy before every request, paging calls and their
 * SDP. Decides nothing about zones or priorities: it asks. Control thread.
 */
#ifndef TOCSIN_SIP_STACK_H
#define TOCSIN_SIP_STACK_H

#include "controller/base/reason.h"
#include "controller/config/config.h"
#include "zones/media.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct calltrace;
struct stack;

/** A call to a zone. Lives from page_h's acceptance until closed_h. */
struct page_call;

/** An INVITE from somebody whose address a peer entry trusts, or from an
 *  endpoint. */
struct page_offer {
	const char *user;    /**< user part of the request URI: an extension */
	const char *caller;  /**< for records: "sip:201@10.7.0.10", or
				  "endpoint:desk" proved by its password */
	const char *display; /**< display name, "" = none */
	const char *call_id;
	const struct sockaddr_storage *from; /**< where the request came from */
	const struct config_peer *peer;      /**< its entry, or what the
						endpoint may; never NULL */
	int rank; /**< as who is trusted says (respri.h), RESPRI_NONE = no */
	uint64_t at_us; /**< monotonic, when it was read */
};

struct stack_handlers;

/** What page_h answers. */
struct page_answer {
	uint16_t status;     /**< 200 accepts; else the refusal */
	char reason[128];    /**< reason phrase for a refusal */
	char header[256];    /**< one more header line without CRLF, e.g.
				  Reason: preemption;cause=1;text="..."; "" = none
			      */
	uint64_t record;     /**< its number in the records, 0 = none yet */
	unsigned leg;        /**< accepted: number for the call's media leg */
	void *arg;           /**< accepted: given to the handlers below */
	uint32_t silence_ms; /**< unused by SIP, kept for the owner */
	/** Accepted: who is told of this call from now on, with h_arg; NULL =
	 *  who is told of all. */
	const struct stack_handlers *h;
	void *h_arg;
};

struct stack_handlers {
	/** Somebody trusted calls `user`. Fill *a. Called before any answer is
	 *  sent; may be called for a user that is no extension (answer 404). */
	void (*page)(const struct page_offer *o, struct page_answer *a,
		     void *arg);
	/** The call is answered (200 is on its way) and its RTP socket bound:
	 *  open the leg now. leg->fd belongs to the media engine from here. */
	void (*media)(struct page_call *call, const struct media_leg *leg,
		      void *call_arg, void *arg);
	/** Renegotiated (hold, resume, new address): update the leg. */
	void (*changed)(struct page_call *call, const struct media_leg *leg,
			bool held, void *call_arg, void *arg);
	/** Its caller pressed a key, by INFO; 0-9, *, #, A-D. */
	void (*key)(struct page_call *call, char key, void *call_arg,
		    void *arg);
	/** The call is over, whoever ended it; the object is gone after this.
	 *  why: "caller hung up", "cancelled", "no ACK", ... */
	void (*closed)(struct page_call *call, const char *why, void *call_arg,
		       void *arg);
	/** A request was turned away by policy: for counting and records. */
	void (*refused)(const struct sockaddr_storage *from, const char *what,
			uint16_t status, void *arg);
	/** A transport failed or came back: key for the fault, text "" = fine.
	 */
	void (*trouble)(const char *key, const char *text, const char *remedy,
			void *arg);
};

/**
 * Initialises SIP on the running libre loop with the guards in force, binds all
 * listeners of the configuration and runs the self-test of the guards.
 *
 * @return 0, or errno with the reason (address in use, guard not in force)
 */
int stack_alloc(struct stack **sp, const struct config *c,
		const struct stack_handlers *h, void *arg, struct reason *why);

/** A new configuration: peers and limits take effect for the next request,
 *  calls in progress stay. Listeners that changed are bound anew. */
int stack_reconfigure(struct stack *s, const struct config *c,
		      struct reason *why);

/** Ends all calls (BYE, up to 500 ms), closes. Returns NULL. */
struct stack *stack_free(struct stack *s);

/** RFC 4411: the BYE that tells somebody that he was preempted. */
#define STACK_PREEMPTED "Reason: preemption;cause=1;text=\"UA Preemption\""

/** Ends a call. header: one line for the BYE ("Reason: preemption;..."), or
 *  NULL. closed_h follows, possibly before this returns. */
void page_call_end(struct page_call *call, const char *why, const char *header);

/** Its number in the records: its trace is found by that. */
void page_call_record(struct page_call *call, uint64_t record);

/** What was said in the last calls. */
const struct calltrace *stack_trace(const struct stack *s);

/** Calls that are up. */
unsigned stack_calls(const struct stack *s);

struct stack_counters {
	uint64_t requests, refused, guard_dropped, strangers, limited;
};

void stack_counters(const struct stack *s, struct stack_counters *c);

#endif
