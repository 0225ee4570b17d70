/*
 * Text from others on a person's terminal: what it says, and nothing it does.
 */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

bool text_colours(void)
{
	const char *no = getenv("NO_COLOR"); /* https://no-color.org */

	return isatty(STDOUT_FILENO) && !(no && *no);
}

/** The character at p and its bytes; 0 when it is no UTF-8 (RFC 3629). */
static uint32_t decode(const char *s, size_t *n)
{
	const unsigned char *p = (const unsigned char *)s;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = p[0];

	*n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (!*n || c > 0xf4)
		return 0;
	if (*n > 1)
		c &= 0x7fu >> *n;
	for (size_t i = 1; i < *n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[*n] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	return c;
}

/** Does it steer: a control (also C1: 0x9b is an escape sequence's start), a
 *  line separator, or a change of direction that would mirror what follows? */
static bool steers(uint32_t c, bool lines)
{
	if (lines && (c == '\n' || c == '\t'))
		return false;
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c ||
	       c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/** The next character of src, made safe, into out (5 bytes); moves src on. */
static size_t next(const char **src, char out[5], bool lines)
{
	size_t n;
	uint32_t c = decode(*src, &n);

	if (!c) {
		n = 1;
		out[0] = '?';
	} else if (steers(c, lines)) {
		out[0] = '?';
		*src += n;
		out[1] = '\0';
		return 1;
	} else {
		memcpy(out, *src, n);
	}
	*src += n;
	out[n] = '\0';
	return n;
}

void text_safe(char *dst, size_t size, const char *src, bool lines)
{
	size_t used = 0, room = size - 1, fits = 0;
	char one[5];

	while (*src) {
		size_t n = next(&src, one, lines);

		if (used + n > room) {
			memcpy(dst + fits, "...", 4);
			return;
		}
		memcpy(dst + used, one, n);
		used += n;
		/* How much may stay when dots must follow. */
		if (used + 3 <= room)
			fits = used;
	}
	dst[used] = '\0';
}

void text_print(FILE *f, const char *src, bool lines)
{
	char one[5];

	while (*src) {
		next(&src, one, lines);
		fputs(one, f);
	}
}

int text_width(const char *s)
{
	int width = 0;
	size_t n;

	while (*s) {
		uint32_t c = decode(s, &n);
		int w = c ? wcwidth((wchar_t)c) : 1;

		width += w < 0 ? 1 : w;
		s += c ? n : 1;
	}
	return width;
}
