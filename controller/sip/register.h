/**
 * What a REGISTER does to an endpoint's contacts (RFC 3261 10.3). Pure: what is
 * bound, what is asked, in; what is bound then, out: all of it or nothing.
 */
#ifndef TOCSIN_REGISTER_H
#define TOCSIN_REGISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/** Contacts of an endpoint at most; one more takes the place of the one that
 *  would expire first. */
#define REGISTER_CONTACTS 4
#define REGISTER_URI 256
#define REGISTER_CALL_ID 128

struct binding {
	char uri[REGISTER_URI];   /**< as in Contact */
	char reach[REGISTER_URI]; /**< where it is called: see reach.c */
	char call_id[REGISTER_CALL_ID];
	char agent[64];
	uint32_t cseq;
	uint64_t until_ms; /**< monotonic */
	struct sockaddr_storage from;
};

struct bindings {
	struct binding v[REGISTER_CONTACTS];
	size_t n;
};

struct register_contact {
	char uri[REGISTER_URI], reach[REGISTER_URI];
	bool has_expires;
	uint32_t expires; /**< s */
};

struct register_request {
	struct register_contact v[REGISTER_CONTACTS];
	size_t n;
	bool star;        /**< "Contact: *", alone */
	bool has_expires; /**< the Expires header */
	uint32_t expires;
	char call_id[REGISTER_CALL_ID];
	char agent[64];
	uint32_t cseq;
	struct sockaddr_storage from;
	uint64_t now_ms;
};

struct register_limits {
	uint32_t min_s, max_s;
};

struct register_verdict {
	uint16_t status;
	const char *reason;
	struct bindings after; /**< 200: what is bound now */
};

/** Decides. Contacts that ask for less than min_s (but not 0) are refused with
 *  423, those that ask for more than max_s get max_s. */
void register_decide(const struct bindings *old,
		     const struct register_request *rq,
		     const struct register_limits *limits,
		     struct register_verdict *v);

/** Takes off what has expired; true when something had. */
bool register_expire(struct bindings *b, uint64_t now_ms);

#endif
