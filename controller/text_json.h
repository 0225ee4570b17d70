/**
 * Text of uncertain origin as a JSON string.
 */
#ifndef TOCSIN_TEXT_JSON_H
#define TOCSIN_TEXT_JSON_H

#include <jansson.h>

/** Longest text, bytes; what is beyond is cut. */
#define TEXT_JSON_MAX 1023

/**
 * A JSON string of text that may not be UTF-8 (a peer's words, a cut in the
 * middle of a character), cleaned by text_clean(). Any thread.
 *
 * @return a new reference, NULL only on ENOMEM
 */
json_t *text_json(const char *s);

#endif
