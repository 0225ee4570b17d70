/* What may be spoken, and by which voice: the same for files and the API. */
#include "config.h"

#include <ctype.h>
#include <string.h>

/** Length of the UTF-8 character at s, 0 when it is none (RFC 3629). */
static size_t utf8(const unsigned char *s)
{
	size_t n = s[0] < 0x80                    ? 1
		   : s[0] >= 0xc2 && s[0] <= 0xdf ? 2
		   : (s[0] & 0xf0) == 0xe0        ? 3
		   : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
						  : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

bool config_text_good(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	bool sounds = false;
	size_t n;

	if (strlen(text) > CONFIG_MAX_SPOKEN)
		return false;
	for (; *s; s += n) {
		n = utf8(s);
		if (!n || *s < ' ' || *s == 0x7f ||
		    (n == 2 && s[0] == 0xc2 && s[1] < 0xa0))
			return false;
		sounds = sounds || n > 1 || isalnum(*s);
	}
	return sounds;
}

bool config_voice_good(const char *voice)
{
	const size_t n = strlen(voice);

	if (!n || n > 31 || !isalnum((unsigned char)*voice))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)voice[i]) &&
		    !strchr("._+-", voice[i]))
			return false;
	return true;
}
