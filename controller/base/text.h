/**
 * Text from outside, made fit to be shown; texts compared. Pure; any thread.
 */
#ifndef TOCSIN_TEXT_H
#define TOCSIN_TEXT_H

#include <stdbool.h>

/** Puts '?' in place of every byte that is no UTF-8 (RFC 3629) and of control
 *  characters, so that no record or answer is lost over it. Returns s. */
char *text_clean(char *s);

/** Equal texts, or both NULL. */
bool text_same(const char *a, const char *b);

#endif
