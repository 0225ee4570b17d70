#include "payload.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

char *payload_printable(char *dst, size_t size, const char *src, size_t len)
{
	size_t n = len < size ? len : size - 1;

	for (size_t i = 0; i < n; i++)
		dst[i] = src[i] >= 0x20 && src[i] <= 0x7e ? src[i] : '?';
	dst[n] = '\0';
	return dst;
}

/* jansson recurses up to 2,048 levels; a flat scan costs no stack. */
static size_t depth_of(const char *p, size_t len)
{
	size_t depth = 0, deepest = 0;
	bool text = false;

	for (size_t i = 0; i < len; i++) {
		if (text) {
			if (p[i] == '\\')
				i++;
			else if (p[i] == '"')
				text = false;
		} else if (p[i] == '"') {
			text = true;
		} else if (p[i] == '{' || p[i] == '[') {
			if (++depth > deepest)
				deepest = depth;
		} else if ((p[i] == '}' || p[i] == ']') && depth) {
			depth--;
		}
	}
	return deepest;
}

json_t *payload_json(const char *payload, size_t len, size_t flags,
		     struct reason *why)
{
	char text[160];
	json_error_t e;
	json_t *o;

	if (len > PAYLOAD_MAX) {
		reason_set(why, EINVAL,
			   "the payload has %zu bytes, at most %d are read",
			   len, PAYLOAD_MAX);
		return NULL;
	}
	if (depth_of(payload, len) > PAYLOAD_MAX_DEPTH) {
		reason_set(why, EINVAL,
			   "the JSON is nested deeper than %d levels",
			   PAYLOAD_MAX_DEPTH);
		return NULL;
	}
	/* jansson wants a pointer even for nothing. */
	o = json_loadb(len ? payload : "", len, flags, &e);
	if (!o)
		reason_set(why, EINVAL, "unreadable JSON at byte %d: %s",
			   e.position,
			   payload_printable(text, sizeof(text), e.text,
					     strlen(e.text)));
	return o;
}
