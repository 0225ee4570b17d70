/**
 * Who guesses passwords or PINs is not listened to for a while, each time
 * longer.
 *
 * A source is an address (IPv6: a network of /64), or a name at an address.
 * Bounded memory: 1,024 sources are remembered; a new
 * one takes the place of the least guilty of four that share its slot. Pure but
 * for its state: the caller gives the time. One owner thread.
 */
#ifndef TOCSIN_BAN_H
#define TOCSIN_BAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define BAN_SOURCES 1024
/** Wrong answers of one source, and of all names at one address together,
 *  within BAN_WINDOW_MS that lead to a ban. */
#define BAN_TRIES 5
#define BAN_TRIES_ADDRESS 20
#define BAN_WINDOW_MS 60000
/** The first ban; the next are twice as long each, up to the longest. */
#define BAN_FIRST_MS 60000
#define BAN_LONGEST_MS 3600000
/** Who has been quiet for so long begins anew. */
#define BAN_FORGET_MS 7200000

struct ban;

/** seed: anything a peer cannot know. tries: wrong answers that lead to a ban,
 *  1-255. 0 or ENOMEM. */
int ban_alloc(struct ban **bp, uint64_t seed, unsigned tries);

/** Frees it; NULL is fine. Returns NULL. */
struct ban *ban_free(struct ban *b);

/** Is it banned now? who: the name at that address, NULL = the address. */
bool ban_holds(const struct ban *b, const struct sockaddr *sa, const char *who,
	       uint64_t now_ms);

/** Notes a wrong answer; the length of the ban that begins with it, or 0. */
uint32_t ban_wrong(struct ban *b, const struct sockaddr *sa, const char *who,
		   uint64_t now_ms);

/** What went wrong before is forgotten: it knows the answer. */
void ban_right(struct ban *b, const struct sockaddr *sa, const char *who);

typedef void(ban_h)(const struct sockaddr_storage *ss, uint64_t left_ms,
		    void *arg);

/** Each that is banned now. */
void ban_each(const struct ban *b, uint64_t now_ms, ban_h *h, void *arg);

#endif
