/**
 * What every reader of a payload needs: JSON within limits, and text that may
 * be shown. Pure; any thread.
 */
#ifndef TOCSIN_PAYLOAD_H
#define TOCSIN_PAYLOAD_H

#include "controller/base/reason.h"

#include <jansson.h>
#include <stddef.h>

/** Longest payload that is looked at, bytes. */
#define PAYLOAD_MAX 65536

/** Deepest nesting of JSON that is followed. */
#define PAYLOAD_MAX_DEPTH 16

/**
 * Reads JSON of at most PAYLOAD_MAX bytes and PAYLOAD_MAX_DEPTH levels.
 *
 * @param flags jansson's decoding flags
 * @param why   filled when NULL is returned; what it quotes is printable
 * @return a new reference, or NULL
 */
json_t *payload_json(const char *payload, size_t len, size_t flags,
		     struct reason *why);

/** Copies text for showing: cut at size - 1, whatever is not printable ASCII as
 *  '?', always ended by NUL. Returns dst. */
char *payload_printable(char *dst, size_t size, const char *src, size_t len);

#endif
