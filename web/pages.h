/** The console's files, compiled in: pages that anybody may fetch. */
#ifndef TOCSIN_PAGES_H
#define TOCSIN_PAGES_H

#include <stdbool.h>
#include <stddef.h>

struct page {
	const char *path; /**< "/" or "/ui/NAME", compared as it is */
	const char *type; /**< Content-Type */
	const char *data; /**< len bytes, for good */
	size_t len;
	char etag[33]; /**< digest of data, without quotes */
};

/** The page at a decoded path, NULL when there is none. Any thread. */
const struct page *pages_find(const char *path);

/** Does an If-None-Match header (NULL = none) name this page? */
bool pages_fresh(const struct page *p, const char *if_none_match);

#endif
