#include "template.h"

#include <string.h>

static const char *const places[TEMPLATE_PLACES] = {
	[TEMPLATE_SITE] = "site",       [TEMPLATE_ID] = "id",
	[TEMPLATE_TIME] = "time",       [TEMPLATE_TYPE] = "type",
	[TEMPLATE_SUBJECT] = "subject", [TEMPLATE_ACTOR] = "actor",
	[TEMPLATE_TEXT] = "text",       [TEMPLATE_MORE] = "more",
};

/** The place that begins at s, with its length; TEMPLATE_PLACES = none. */
static size_t place_at(const char *s, size_t *len)
{
	const size_t n = strcspn(s + 1, "{}");

	*len = n + 2;
	for (size_t i = 0; s[n + 1] == '}' && i < TEMPLATE_PLACES; i++)
		if (strlen(places[i]) == n && !strncmp(places[i], s + 1, n))
			return i;
	return TEMPLATE_PLACES;
}

bool template_good(const char *s)
{
	size_t n;

	for (; *s; s++) {
		if (*s == '}' || (unsigned char)*s < ' ' || *s == 127)
			return false;
		if (*s != '{')
			continue;
		if (place_at(s, &n) == TEMPLATE_PLACES)
			return false;
		s += n - 1;
	}
	return true;
}

char *template_fill(const char *s, const char *const value[TEMPLATE_PLACES],
		    char *buf, size_t size)
{
	size_t used = 0, n, k;

	while (*s) {
		const size_t place =
			*s == '{' ? place_at(s, &n) : TEMPLATE_PLACES;
		const char *from = s;

		if (place < TEMPLATE_PLACES) {
			s += n;
			from = value[place];
			k = strlen(from);
		} else {
			s++;
			k = 1;
		}
		if (k > size - 1 - used)
			k = size - 1 - used;
		memcpy(buf + used, from, k);
		used += k;
	}
	/* No half character at the end of what was cut. */
	if (used == size - 1)
		while (used && (unsigned char)buf[used - 1] >= 0x80)
			used--;
	buf[used] = '\0';
	return buf;
}
