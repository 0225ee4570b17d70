/**
 * Between the files of the SIP stack: its own structures.
 */
#ifndef TOCSIN_SIP_CORE_H
#define TOCSIN_SIP_CORE_H

#include "controller/base/compat.h"
#include "controller/sip/caller.h"
#include "controller/sip/calltrace.h"
#include "controller/sip/dtls.h"
#include "controller/sip/guard_door.h"
#include "controller/sip/limit.h"
#include "controller/sip/nego.h"
#include "controller/sip/registrar.h"
#include "controller/sip/stack.h"

/** RFC 4594: signalling is CS5. */
#define STACK_DSCP 40

/** Seconds after which a 200 that nobody acknowledged ends the call (64 T1,
 *  RFC 3261 13.3.1.4), and then some for libre to notice by itself. */
#define STACK_ACK_MS 33000

/**
 * One local address and port with its own libre SIP stack.
 *
 * libre takes the first transport of a kind whatever the destination (LIBRE.md
 * B13): with one address in each, Via and Contact are right.
 */
struct listener {
	struct le le;
	struct stack *stack;
	struct sa laddr; /**< with the SIP port */
	bool udp, tcp, tls;
	bool fresh; /**< opened in the update that is going on */
	struct sip *sip;
	struct sipsess_sock *sock;
	struct sip_lsnr *policy, *forks, *last_request, *last_response;
	struct door *udp_door, *tcp_door, *tls_door;
	struct tls *tls_context;
};

struct stack {
	const struct config *config;
	struct stack_handlers h;
	void *arg;
	struct list listeners;
	struct list calls;
	unsigned n_calls;
	struct list dials; /**< calls of ours: struct dial */
	unsigned n_dials;
	int dial_fd; /**< keeps dial_port for us, -1 = none yet */
	uint16_t dial_port;
	uint16_t last_port; /**< where the search for an RTP port goes on */
	bool deaf;          /**< reported: a listener is lost */
	bool ports_out;     /**< reported: no RTP port was free */
	struct registrar *registrar;
	struct account_all *accounts;
	struct lamps *lamps; /**< of who watches */
	struct calltrace *trace;
	struct dtls_identity *identity; /**< of encrypted calls */
	/** Of the INVITE that is being worked on: it came over this. */
	const struct config_account *account;
	const struct config_peer *who; /**< may do what the INVITE asks that is
					  being worked on */
	bool proved; /**< by a password: `who` is an endpoint */
	struct limit *requests, *invites, *invites_all, *kept;
	struct limit *tell_strangers, *tell_refusals;
	struct stack_counters counters;
	uint64_t guard_base; /**< guard drops before this stack */
};

/** Opens what config.sip.listen says that is not open, closes the rest. */
int listener_update(struct stack *s, const struct config *c,
		    struct reason *why);

/** Closes all. */
void listener_close_all(struct stack *s);

/** The door's question (arg: struct listener): may this come in? */
bool gate_admit(const struct sa *src, enum door_what what, void *arg);

/** First behind libre's transactions (arg: struct listener): true = the request
 *  has been answered or dropped by policy. */
bool gate_request(const struct sip_msg *msg, void *arg);

/** A listener saw a new INVITE that policy let pass. */
void call_incoming(struct listener *l, const struct sip_msg *msg);

/** Ends every call of this listener (NULL: of all). */
void call_end_all(struct stack *s, const struct listener *l, const char *why);

/** Ends every call of ours from this listener (NULL: all), telling its owner.
 */
void dial_end_all(struct stack *s, const struct listener *l, const char *why);

/** Takes a URI that is to be called apart. False with the reason. */
bool dial_uri_decode(const char *text, struct uri *uri, struct sa *to,
		     enum sip_transp *tp, struct reason *why);

/** The listener a request to an address is sent from, NULL = none. */
struct listener *listener_for(const struct stack *s, const struct sa *to,
			      enum sip_transp tp);

/** Is it the address of somebody we call? His requests are let in. */
bool dial_knows(const struct stack *s, const struct sa *src);

/** Is it a 2xx to an INVITE of an answered call of ours, from somebody else
 * than who has the call? */
bool dial_is_fork(const struct stack *s, const struct sip_msg *msg);

/** Before libre's sessions see a response (arg: struct listener): true = it has
 *  been dealt with. */
bool fork_response(const struct sip_msg *msg, void *arg);

/** May keys of SRTP not go by that transport (sip.srtp-keys)? */
bool stack_exposes(const struct stack *s, enum sip_transp tp);

/** Tells the owner of a call it refused itself. */
void stack_tell_refused(struct stack *s, const struct sa *src, const char *what,
			uint16_t status);

/** Tells the owner of what the door (status 0) or policy turned away, not
 *  oftener than it can be written down. */
void stack_tell_turned_away(struct stack *s, const struct sa *src,
			    const char *what, uint16_t status);

/** Makes sure that requests in a dialog find their way: see target.c. */
int target_pin(struct sip_dialog *dlg, const struct sip_msg *invite,
	       const struct listener *l);

#endif
