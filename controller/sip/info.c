#include "controller/sip/info.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_type(const char *type, size_t len, const char *want)
{
	const char *end = memchr(type, ';', len);

	len = end ? (size_t)(end - type) : len;
	while (len && (type[len - 1] == ' ' || type[len - 1] == '\t'))
		len--;
	return len == strlen(want) && !strncasecmp(type, want, len);
}

static const char *skip(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/** A key alone, up to the line's end; some write 10 and 11 for * and #. */
static char key_of(const char *p, const char *end)
{
	const char *q;
	char key;

	p = skip(p, end);
	if (p == end)
		return 0;
	key = (char)toupper((unsigned char)*p);
	q = p + 1;
	if (q < end && *p == '1' && (*q == '0' || *q == '1'))
		key = *q++ == '0' ? '*' : '#';
	q = skip(q, end);
	if (q < end && *q != '\r' && *q != '\n')
		return 0;
	return key && strchr("0123456789*#ABCD", key) ? key : 0;
}

char info_key(const char *type, size_t type_len, const char *body, size_t len)
{
	static const char signal[] = "signal";
	const char *end = body + len;

	if (is_type(type, type_len, "application/dtmf"))
		return key_of(body, end);
	if (!is_type(type, type_len, "application/dtmf-relay"))
		return 0;
	for (const char *p = body; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *line_end = eol ? eol : end;
		const size_t n = sizeof(signal) - 1;

		p = skip(p, line_end);
		if ((size_t)(line_end - p) > n && !strncasecmp(p, signal, n)) {
			p = skip(p + n, line_end);
			return p < line_end && *p == '='
				       ? key_of(p + 1, line_end)
				       : 0;
		}
		p = eol ? eol + 1 : end;
	}
	return 0;
}
