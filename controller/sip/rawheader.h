/**
 * Headers of a SIP message as bytes: no decoder, no copy, linear time. For what
 * looks at messages of any state, whole or cut. Pure.
 */
#ifndef TOCSIN_RAWHEADER_H
#define TOCSIN_RAWHEADER_H

#include <stdbool.h>
#include <stddef.h>

/** A piece of the message: offset and bytes. */
struct raw_span {
	size_t at, len;
};

struct raw_header {
	struct raw_span name;  /**< without blanks around it */
	struct raw_span value; /**< the same; with its folded lines */
};

struct raw_walk {
	const char *p;
	size_t len;
	size_t pos; /**< next line; behind the last header: the body */
};

/** Stands at the first header of a message, behind its start line. */
struct raw_walk raw_walk(const char *p, size_t len);

/** The next header; false at the end of all. A line that is none is passed
 *  over. */
bool raw_next(struct raw_walk *w, struct raw_header *h);

/** Is that its name, or its compact form (RFC 3261 7.3.3; 0 = it has none)? */
bool raw_is(const struct raw_walk *w, const struct raw_header *h,
	    const char *name, char compact);

/** The first value of a header; false when there is none. */
bool raw_find(const char *p, size_t len, const char *name, char compact,
	      struct raw_span *value);

/** The same with the blanks cut off at both ends. */
struct raw_span raw_trim(const char *p, struct raw_span s);

#endif
