#include "scope.h"

#include <stdio.h>
#include <string.h>

/* In the order of their bits. */
static const char *const names[] = {"metrics",  "view",      "page",  "alarms",
				    "points",   "schedules", "sound", "calls",
				    "messages", "admin",     NULL};

unsigned scope_find(const char *name)
{
	for (size_t i = 0; names[i]; i++) {
		const unsigned bit = 1u << i;

		if (strcmp(names[i], name))
			continue;
		return bit == SCOPE_ADMIN  ? SCOPES_ADMIN
		       : bit == SCOPE_VIEW ? SCOPES_VIEWER
					   : bit;
	}
	return 0;
}

char *scope_text(unsigned scopes, char buf[SCOPE_TEXT])
{
	size_t n = 0;

	snprintf(buf, SCOPE_TEXT, "none");
	for (size_t i = 0; names[i]; i++)
		if (scopes & 1u << i)
			n += (size_t)snprintf(buf + n, SCOPE_TEXT - n, "%s%s",
					      n ? ", " : "", names[i]);
	return buf;
}

const char *scope_name(size_t n)
{
	return n < sizeof(names) / sizeof(names[0]) ? names[n] : NULL;
}
