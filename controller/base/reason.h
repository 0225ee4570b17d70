/**
 * Why something was refused or failed: one plain sentence a person can act on,
 * saying what was wrong and what is allowed or what to do.
 */
#ifndef TOCSIN_REASON_H
#define TOCSIN_REASON_H

struct reason {
	char text[256];
};

/** Writes the sentence (cut at 255 bytes); r may be NULL. Returns err. */
int reason_set(struct reason *r, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
