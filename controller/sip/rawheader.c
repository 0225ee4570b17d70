#include "rawheader.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct raw_span raw_trim(const char *p, struct raw_span s)
{
	while (s.len && is_blank(p[s.at])) {
		s.at++;
		s.len--;
	}
	while (s.len && is_blank(p[s.at + s.len - 1]))
		s.len--;
	return s;
}

/** Behind the line at `at`. */
static size_t line_end(const char *p, size_t len, size_t at)
{
	const char *e = at < len ? memchr(p + at, '\n', len - at) : NULL;

	return e ? (size_t)(e - p) + 1 : len;
}

struct raw_walk raw_walk(const char *p, size_t len)
{
	return (struct raw_walk){p, len, line_end(p, len, 0)};
}

bool raw_next(struct raw_walk *w, struct raw_header *h)
{
	while (w->pos < w->len) {
		const size_t at = w->pos;
		size_t end = line_end(w->p, w->len, at);
		const char *colon;
		struct raw_span line;

		/* RFC 3261 7.3.1: what begins with a blank goes on. */
		while (end < w->len && (w->p[end] == ' ' || w->p[end] == '\t'))
			end = line_end(w->p, w->len, end);
		w->pos = end;
		line = raw_trim(w->p, (struct raw_span){at, end - at});
		if (!line.len)
			return false;
		colon = memchr(w->p + line.at, ':', line.len);
		if (!colon)
			continue;
		h->name.at = line.at;
		h->name.len = (size_t)(colon - w->p) - line.at;
		h->value.at = line.at + h->name.len + 1;
		h->value.len = line.len - h->name.len - 1;
		h->name = raw_trim(w->p, h->name);
		h->value = raw_trim(w->p, h->value);
		return true;
	}
	return false;
}

bool raw_is(const struct raw_walk *w, const struct raw_header *h,
	    const char *name, char compact)
{
	const char *p = w->p + h->name.at;

	if (compact && h->name.len == 1)
		return (p[0] | 0x20) == compact;
	return h->name.len == strlen(name) &&
	       !strncasecmp(p, name, h->name.len);
}

bool raw_find(const char *p, size_t len, const char *name, char compact,
	      struct raw_span *value)
{
	struct raw_walk w = raw_walk(p, len);
	struct raw_header h;

	while (raw_next(&w, &h))
		if (raw_is(&w, &h, name, compact)) {
			*value = h.value;
			return true;
		}
	return false;
}
