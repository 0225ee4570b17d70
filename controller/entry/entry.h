/**
 * What a caller types: digits up to #, * begins again. Pure; any thread.
 *
 * A key may come to us in several ways at once (RFC 4733, SIP INFO): it is one
 * press.
 */
#ifndef TOCSIN_ENTRY_H
#define TOCSIN_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

/** Digits taken; more make an entry that is right nowhere. */
#define ENTRY_MAX 12
/** The same key in another way within this is the same press. */
#define ENTRY_SAME_MS 500

enum entry_way { ENTRY_RTP, ENTRY_INFO };

struct entry {
	char digits[ENTRY_MAX + 2]; /**< "" = none, terminated */
	bool pressed;
	char last;
	enum entry_way way;
	uint64_t at_ms; /**< of the last press */
};

/** Is it a press of its own? Notes it. */
bool entry_press(struct entry *e, enum entry_way way, char key,
		 uint64_t now_ms);

/** Takes a press; true: # ended it, and digits holds what was typed. Call
 *  entry_again() then. */
bool entry_key(struct entry *e, char key);

/** Forgets the digits, not the last press. */
void entry_again(struct entry *e);

/** Is that what was typed? Takes the same time for any wrong one of up to
 *  ENTRY_MAX digits. */
bool entry_is(const struct entry *e, const char *pin);

#endif
