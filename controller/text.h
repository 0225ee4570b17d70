/**
 * Text of uncertain origin, as JSON may carry it.
 */
#ifndef TOCSIN_TEXT_H
#define TOCSIN_TEXT_H

#include <jansson.h>

/** Longest text looked at, bytes; what is beyond is cut. */
#define TEXT_JSON_MAX 1024

/**
 * A JSON string of text that may not be UTF-8 (a peer's words, a cut in the
 * middle of a character): every byte that belongs to no whole character
 * becomes U+FFFD. Any thread.
 *
 * @return a new reference, NULL only on ENOMEM
 */
json_t *text_json(const char *s);

#endif
