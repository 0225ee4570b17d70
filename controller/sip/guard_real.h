/**
 * Between the guard's own files.
 */
#ifndef TOCSIN_GUARD_REAL_H
#define TOCSIN_GUARD_REAL_H

#include <dlfcn.h>
#include <stdbool.h>

struct mbuf;

/** libre's own function of that name, found once; NULL when there is none. */
#define GUARD_REAL(name)                                                       \
	({                                                                     \
		static __typeof__(&name) real_##name;                          \
		if (!real_##name)                                              \
			real_##name =                                          \
				(__typeof__(&name))dlsym(RTLD_NEXT, #name);    \
		real_##name;                                                   \
	})

/**
 * Decodes a datagram now, so that the receiver behind is sure to get a message:
 * it would print a line on stderr for anything else (B9).
 *
 * @return false when there is no message in it (counted)
 */
bool guard_hand_over(struct mbuf *mb);

/** Counts one piece of junk. */
void guard_count_junk(void);

#endif
