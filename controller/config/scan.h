/**
 * The shape of a configuration text: which statement stands where.
 *
 * libconfuse knows only the last line of a section, takes an unclosed one at
 * the end of the file for closed, expands ${...} from the environment and
 * stops at its first error. So the text is looked over first: every statement
 * gets its line and its range, whatever is malformed is reported and blanked,
 * and what goes to libconfuse afterwards is well formed.
 */
#ifndef TOCSIN_CONFIG_SCAN_H
#define TOCSIN_CONFIG_SCAN_H

#include "controller/config/problems.h"

/** Deepest nesting of sections. */
#define SCAN_MAX_DEPTH 4
/** Longest value or title, bytes. */
#define SCAN_MAX_VALUE 1024

/** One statement: `key = value` or `section "title" { ... }`. */
struct scan_node {
	char *name;
	char *title;            /**< of a section; NULL = none */
	struct config_where at; /**< of its name */
	size_t begin, end;      /**< bytes of it in the text */
	bool section;
	bool list;    /**< the value is in braces */
	bool damaged; /**< a statement in it was malformed and is gone */
	bool dead;    /**< blanked: nobody looks at it any more */
	struct scan_node *child, *next;
};

struct scan {
	char *text; /**< comments and malformed statements are blanked;
		       lines stay where they are */
	size_t len;
	struct scan_node *first; /**< the statements that are well formed */
};

/** May `name` be a section within section `parent`, or only at the top? Says
 *  true for the latter: then a brace was forgotten before it. */
typedef bool(scan_top_h)(const char *parent, const char *name);

/**
 * Looks a text over.
 *
 * @param s    gets the result, also when problems were found; scan_reset()
 * @param file for the places, kept as pointer
 * @param text len bytes and a NUL; owned by *s afterwards
 */
void scan_text(struct scan *s, const char *file, char *text, size_t len,
	       scan_top_h *toph, struct problems *p);

/** Overwrites a statement with spaces, so that libconfuse does not see it. */
void scan_blank(struct scan *s, struct scan_node *n);

/** First child key or section of that name, NULL = none. */
const struct scan_node *scan_child(const struct scan_node *n, const char *name);

void scan_reset(struct scan *s);

#endif
