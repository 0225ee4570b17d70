/**
 * What was said in the last calls: every SIP message of each, without its
 * secrets (mask.h), in bounded memory.
 *
 * A trace begins with the INVITE of a Call-ID that is not known; what carries
 * that Call-ID later belongs to it. Calls that are turned away, and calls of
 * our own, have places of their own: neither pushes out the calls that were
 * answered. Pure but for its memory: the caller gives the time. One owner
 * thread.
 */
#ifndef TOCSIN_CALLTRACE_H
#define TOCSIN_CALLTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum calltrace_kind {
	CALLTRACE_ANSWERED, /**< it came in, and was answered */
	CALLTRACE_REFUSED,  /**< it came in, and was not (yet) */
	CALLTRACE_MADE,     /**< we called */
	CALLTRACE_KINDS
};

/** Calls kept of each kind; the one silent for longest goes. */
#define CALLTRACE_MAX_ANSWERED 100
#define CALLTRACE_MAX_REFUSED 50
#define CALLTRACE_MAX_MADE 256
/** Bytes of messages kept of each kind. */
#define CALLTRACE_BYTES_ANSWERED (4u << 20)
#define CALLTRACE_BYTES_REFUSED (1u << 20)
#define CALLTRACE_BYTES_MADE (4u << 20)
/** Messages kept of a call: its first, and its last. */
#define CALLTRACE_FIRST 16
#define CALLTRACE_LAST 32
/** Bytes kept of a message. */
#define CALLTRACE_MESSAGE 4096

enum calltrace_transport {
	CALLTRACE_UDP,
	CALLTRACE_TCP,
	CALLTRACE_TLS, /**< as it was before encryption */
};

struct calltrace_message {
	int64_t wall_us;
	bool sent;
	enum calltrace_transport transport;
	struct sockaddr_storage from, to; /**< no family = not known */
	size_t size;                      /**< of the message */
	size_t kept;                      /**< of them in text */
	const char *text;
};

/** A call. */
struct calltrace_call {
	uint64_t number; /**< of the trace: its name is "t" and this */
	uint64_t record; /**< of the call in the records, 0 = none */
	const char *call_id;
	const char *from, *to; /**< of its INVITE, as they were written */
	enum calltrace_kind kind;
	uint16_t status;   /**< last final answer to an INVITE, 0 = none */
	uint64_t messages; /**< in all */
	size_t kept;       /**< of them, see calltrace_message_at() */
	int64_t since_wall_us, last_wall_us;
};

struct calltrace;

/** 0 or ENOMEM. */
int calltrace_alloc(struct calltrace **tp);

/** NULL is fine. Returns NULL. */
struct calltrace *calltrace_free(struct calltrace *t);

/** Takes a message that went out or came in; m->kept does not matter. Copied.
 *  One that belongs to no call, or for which there is no memory, is passed
 *  over. */
void calltrace_take(struct calltrace *t, const struct calltrace_message *m);

/** The call with this Call-ID has that number in the records. */
void calltrace_record(struct calltrace *t, const char *call_id,
		      uint64_t record);

/** The i-th call, in no order; false behind the last. */
bool calltrace_see(const struct calltrace *t, size_t i,
		   struct calltrace_call *c);

/** By name: the call's number in the records, "t" and the number of the trace,
 *  or its Call-ID. False: there is none. */
bool calltrace_find(const struct calltrace *t, const char *name,
		    struct calltrace_call *c);

/** The i-th message that was kept of the trace with this number, from the
 *  oldest; false behind the last. Its text lives until the next message is
 *  taken. */
bool calltrace_message_at(const struct calltrace *t, uint64_t number, size_t i,
			  struct calltrace_message *m);

#endif
