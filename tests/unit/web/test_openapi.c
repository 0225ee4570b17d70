/* The document in the program: whole, and about the routes there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/openapi.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static json_t *document;

/** What a "$ref" of the document points to; NULL when to nothing. */
static const json_t *resolve(const char *ref)
{
	const json_t *o = document;
	char part[64];

	if (strncmp(ref, "#/", 2))
		return NULL;
	for (ref++; *ref == '/'; ref += strlen(part)) {
		snprintf(part, sizeof(part), "%.*s", (int)strcspn(ref + 1, "/"),
			 ref + 1);
		ref++;
		o = json_object_get(o, part);
	}
	return o;
}

static void check_refs(const json_t *v)
{
	const char *key;
	size_t i;
	json_t *x;

	json_object_foreach((json_t *)v, key, x)
	{
		if (!strcmp(key, "$ref"))
			assert_non_null(resolve(json_string_value(x)));
		check_refs(x);
	}
	json_array_foreach(v, i, x) check_refs(x);
}

static void check_operation(const char *path, const json_t *op)
{
	json_t *responses = json_object_get(op, "responses"), *params, *p;
	const char *open = strchr(path, '{');
	bool named = false;
	size_t i;

	assert_non_null(json_string_value(json_object_get(op, "summary")));
	assert_true(json_object_size(responses) > 0);
	params = json_object_get(op, "parameters");
	json_array_foreach(
		params, i,
		p) if (!strcmp(json_string_value(json_object_get(p, "in")),
			       "path"))
	{
		const char *name =
			json_string_value(json_object_get(p, "name"));

		named = open && !strncmp(open + 1, name, strlen(name));
	}
	assert_int_equal(named, open != NULL);
}

static void test_document(void **state)
{
	static const char *const methods[] = {"get", "post", "put", "delete"};
	json_t *paths, *item;
	const char *path;

	(void)state;
	document = json_loads(openapi_text(), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(document);
	paths = json_object_get(document, "paths");
	json_object_foreach(paths, path, item)
	{
		int n = 0;

		for (size_t i = 0; i < 4; i++) {
			json_t *op = json_object_get(item, methods[i]);

			if (op)
				check_operation(path, op);
			n += op != NULL;
		}
		assert_true(n > 0);
	}
	check_refs(document);
	assert_non_null(json_object_get(
		json_object_get(paths, "/alarms/{name}/trigger"), "post"));
	assert_non_null(
		json_object_get(json_object_get(paths, "/events"), "get"));
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
