#include "internal.h"

#include <errno.h>
#include <string.h>

#define MAX_PATH 255
#define API "/api/v1"

bool request_path_ok(const char *path)
{
	size_t n = strlen(path);

	if (!n || n > MAX_PATH || path[0] != '/')
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
			return false;
	for (const char *p = path; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || !p[3])
			return false;
	return true;
}

const char *request_route(const char *path)
{
	if (!strcmp(path, "/metrics") || !strcmp(path, "/healthz"))
		return path;
	if (!strncmp(path, API "/", sizeof(API)))
		return path + sizeof(API) - 1;
	return NULL;
}

int request_body(const char *text, size_t len, json_t **body,
		 struct reason *why)
{
	json_error_t e;
	json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);

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
