#include "internal.h"

#include "controller/base/text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define MAX_TEXT 255
#define MAX_DEPTH 16
#define API "/api/v1"
/* Stands for what cannot be decoded: refused as a control character. */
#define BAD '\x01'

static int hex(char ch)
{
	return ch >= '0' && ch <= '9'   ? ch - '0'
	       : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
	       : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
					: -1;
}

size_t request_unescape(char *s)
{
	char *out = s;
	const char *p = s;

	while (*p) {
		int hi, lo;

		if (*p != '%') {
			*out++ = *p++;
			continue;
		}
		hi = hex(p[1]);
		lo = hi < 0 ? -1 : hex(p[2]);
		if (lo < 0) {
			*out++ = BAD;
			p++;
		} else {
			*out++ = hi || lo ? (char)(hi << 4 | lo) : BAD;
			p += 3;
		}
	}
	*out = '\0';
	return (size_t)(out - s);
}

bool request_text_ok(const char *s)
{
	char copy[MAX_TEXT + 1];
	size_t n = strlen(s);

	if (n > MAX_TEXT)
		return false;
	memcpy(copy, s, n + 1);
	return !strcmp(text_clean(copy), s);
}

/** Is the part of a path that ends at end "." or ".."? */
static bool dots(const char *part, const char *end)
{
	size_t n = (size_t)(end - part);

	return n && n <= 2 && part[0] == '.' && part[n - 1] == '.';
}

bool request_path(const char *url, char path[256])
{
	char *out = path, *part;

	if (*url != '/' || !request_text_ok(url))
		return false;
	while (*url) {
		while (*url == '/')
			url++;
		if (!*url)
			break;
		*out++ = '/';
		part = out;
		while (*url && *url != '/')
			*out++ = *url++;
		if (dots(part, out))
			return false;
	}
	if (out == path)
		*out++ = '/';
	*out = '\0';
	return true;
}

const char *request_route(const char *path)
{
	if (!strcmp(path, "/metrics") || !strcmp(path, "/healthz") ||
	    !strncmp(path, "/hooks/", 7))
		return path;
	if (!strncmp(path, API "/", sizeof(API)))
		return path + sizeof(API) - 1;
	return NULL;
}

bool request_is_json(const char *type)
{
	static const char json[] = "application/json";
	const size_t n = sizeof(json) - 1;

	return !strncasecmp(type, json, n) &&
	       (!type[n] || strchr("; \t", type[n]));
}

bool request_same_origin(const char *origin, const char *host)
{
	const char *p = strstr(origin, "://");

	return p && host && !strcasecmp(p + 3, host);
}

bool request_login(const json_t *body, const char **name, const char **password)
{
	json_t *u = json_object_get(body, "user");
	json_t *p = json_object_get(body, "password");

	*name = json_string_value(u);
	*password = json_string_value(p);
	/* A password with a NUL in it is not compared by half. */
	return *name && *password && strlen(*name) == json_string_length(u) &&
	       strlen(*password) == json_string_length(p);
}

/** How deep it goes: jansson's own limit is the thread's stack. */
static bool too_deep(const char *text, size_t len)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				quoted = false;
		} else if (text[i] == '"') {
			quoted = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > MAX_DEPTH)
				return true;
		} else if ((text[i] == '}' || text[i] == ']') && depth) {
			depth--;
		}
	}
	return false;
}

int request_body(const char *text, size_t len, json_t **body,
		 struct reason *why)
{
	json_error_t e;
	json_t *o;

	if (too_deep(text, len))
		return reason_set(why, EINVAL,
				  "the body is nested deeper than %d levels",
				  MAX_DEPTH);
	o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
	if (!o)
		return reason_set(why, EINVAL,
				  "the body is no JSON: line %d, column %d: "
				  "%.120s",
				  e.line, e.column, e.text);
	if (!json_is_object(o)) {
		json_decref(o);
		return reason_set(why, EINVAL,
				  "the body must be a JSON object {...}");
	}
	*body = o;
	return 0;
}
