#include "text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the character at s, 0 when there is none (RFC 3629 section 4: no
 * overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t character(const unsigned char *s)
{
	uint32_t c;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	c = s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		/* The NUL at the end is no continuation either. */
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))) ||
	    (n == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	return n;
}

json_t *text_json(const char *s)
{
	char clean[3 * TEXT_JSON_MAX]; /* U+FFFD takes three bytes */
	const unsigned char *p = (const unsigned char *)s;
	size_t n, out = 0;

	while (*p && out <= sizeof(clean) - 4) {
		n = character(p);
		if (n) {
			memcpy(clean + out, p, n);
			out += n;
			p += n;
		} else {
			memcpy(clean + out, "\xef\xbf\xbd", 3);
			out += 3;
			p++;
		}
	}
	return json_stringn(clean, out);
}
