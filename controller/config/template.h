/** Texts with {places} that events fill. Pure; any thread. */
#ifndef TOCSIN_TEMPLATE_H
#define TOCSIN_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

/** What a place may name. */
enum template_place {
	TEMPLATE_SITE,
	TEMPLATE_ID,
	TEMPLATE_TIME,
	TEMPLATE_TYPE,
	TEMPLATE_SUBJECT,
	TEMPLATE_ACTOR,
	TEMPLATE_TEXT,
	TEMPLATE_MORE,
	TEMPLATE_PLACES
};

#define TEMPLATE_ALLOWED                                                       \
	"text with {site}, {id}, {time}, {type}, {subject}, {actor}, {text} "  \
	"and {more}; no other braces and no line ends"

/** Has it only places that there are? */
bool template_good(const char *s);

/** Fills it; what does not fit is cut between characters. Returns buf. */
char *template_fill(const char *s, const char *const value[TEMPLATE_PLACES],
		    char *buf, size_t size);

#endif
