/**
 * Who guesses PINs is locked out for a while, each time longer: a caller after
 * BAN_TRIES wrong ones within a minute, all callers of one address after
 * BAN_TRIES_ADDRESS. Control thread.
 */
#ifndef TOCSIN_PINS_H
#define TOCSIN_PINS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct pins;

/** 0 or ENOMEM. */
int pins_alloc(struct pins **pp);

/** Frees it; NULL is fine. Returns NULL. */
struct pins *pins_free(struct pins *p);

/** Is this caller, or his address, locked out? */
bool pins_locked(const struct pins *p, const struct sockaddr_storage *from,
		 const char *caller, uint64_t now_ms);

/** A wrong one; for how long he is locked out with it, 0 = not. */
uint32_t pins_wrong(struct pins *p, const struct sockaddr_storage *from,
		    const char *caller, uint64_t now_ms);

/** The right one: this caller begins anew. */
void pins_right(struct pins *p, const struct sockaddr_storage *from,
		const char *caller);

#endif
