/*
 * The first line of the input is a URL, the rest a body. What is accepted must
 * be fit to be used: a path without tricks, a text that goes into JSON, an
 * object that can be written again.
 */
#include "web/internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path)
{
	size_t n = strlen(path);
	json_t *j = json_string(path);

	/* jansson refuses what is no UTF-8. */
	if (!j || !n || n > 255 || path[0] != '/' ||
	    (n > 1 && path[n - 1] == '/') || strstr(path, "//") ||
	    strstr(path, "/../") || strstr(path, "/./"))
		abort();
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)path[i] < 0x20)
			abort();
	json_decref(j);
	(void)request_route(path);
}

static void check_url(const char *url, size_t len)
{
	char *s = calloc(1, len + 1), path[256];
	size_t n;

	if (!s)
		abort();
	memcpy(s, url, len);
	(void)request_is_json(s);
	(void)request_same_origin(s, s);
	n = request_unescape(s);
	if (n != strlen(s) || n > len)
		abort();
	if (request_path(s, path))
		check_path(path);
	free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - data) : size;
	struct reason why;
	json_t *o = NULL;
	char *text;

	check_url((const char *)data, n);
	if (!end)
		return 0;
	if (request_body((const char *)end + 1, size - n - 1, &o, &why)) {
		if (o || !*why.text)
			abort();
		return 0;
	}
	text = json_dumps(o, JSON_COMPACT);
	if (!json_is_object(o) || !text)
		abort();
	free(text);
	json_decref(o);
	return 0;
}
