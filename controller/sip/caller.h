/**
 * Who calls, as text that is safe to log, store and show.
 */
#ifndef TOCSIN_CALLER_H
#define TOCSIN_CALLER_H

#include <stdbool.h>
#include <stddef.h>

struct sip_msg;

struct caller {
	char user[64];     /**< user part of the request URI, unescaped */
	char uri[160];     /**< "sip:201@10.7.0.10" */
	char display[64];  /**< "" = none */
	char call_id[128]; /**< cut when longer */
	int rank;          /**< respri_rank() of it, RESPRI_NONE = not said */
};

/**
 * Fills *c from a request.
 *
 * The host in `uri` is the address the request came from: the From header's is
 * a claim only. Control characters and bytes that are no UTF-8 become '?'.
 *
 * @param trusted who sent it says who the caller is by P-Asserted-Identity (RFC
 *                3325), and how urgent by Resource-Priority (RFC 4412); else
 *                neither is read
 */
void caller_identify(struct caller *c, const struct sip_msg *msg, bool trusted);

/** How urgent a request says it is: respri_rank() of all it says. */
int caller_rank(const struct sip_msg *msg);

/** The key an INFO tells of, as by info_key(); 0 = none. */
char caller_key(const struct sip_msg *msg);

/** Copies n bytes as clean text, cut to fit at a character's end. */
void caller_clean(char *dst, size_t size, const char *p, size_t n);

#endif
