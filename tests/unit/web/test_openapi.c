/* The document in the program: whole, and about the routes there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/scope.h"
#include "web/openapi.h"
#include "web/route.h"

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

static json_t *documented(const struct route *r)
{
	char method[8];

	snprintf(method, sizeof(method), "%s", r->method);
	for (char *p = method; *p; p++)
		*p |= 0x20;
	return json_object_get(
		json_object_get(json_object_get(document, "paths"), r->path),
		method);
}

/** Every route is in the document, says what it refuses, and the other way
 *  round. */
static void test_routes(void **state)
{
	static const char *const methods[] = {"get", "post", "put", "delete"};
	size_t n = 0, n_documented = 0;
	const char *path;
	json_t *item;

	(void)state;
	document = json_loads(openapi_text(), JSON_REJECT_DUPLICATES, NULL);
	for (const struct route *r = routes; r->method; r++, n++) {
		const json_t *op = documented(r);
		const char *name;

		if (!op)
			fail_msg("%s %s is not in web/openapi.json", r->method,
				 r->path);
		if (r->need &&
		    !json_object_get(json_object_get(op, "responses"), "403"))
			fail_msg("%s %s has no 403 in web/openapi.json",
				 r->method, r->path);
		/* No other stands before it. */
		assert_ptr_equal(route_find(r->method, r->path, &name), r);
		assert_int_equal(route_need(r->method, r->path), r->need);
	}
	json_object_foreach(json_object_get(document, "paths"), path, item)
	{
		for (size_t i = 0; i < 4; i++)
			n_documented +=
				json_object_get(item, methods[i]) != NULL;
	}
	assert_int_equal(n, n_documented);
	json_decref(document);
}

static void test_find(void **state)
{
	const char *name;

	(void)state;
	assert_string_equal(route_find("POST", "/alarms/gas/ack", &name)->verb,
			    "ack");
	assert_memory_equal(name, "gas/ack", 7);
	assert_string_equal(
		route_find("POST", "/schedule-changes/bell", &name)->verb,
		"bell");
	assert_null(name);
	assert_string_equal(route_find("GET", "/schedules/next", NULL)->path,
			    "/schedules/next");
	assert_null(route_find("GET", "/", NULL));
	assert_null(route_find("GET", "/zones/", NULL));
	assert_null(route_find("GET", "/zones/a/b", NULL));
	assert_null(route_find("GET", "/zonesx", NULL));
	assert_null(route_find("PUT", "/zones", NULL));
	assert_null(route_find("POST", "/alarms//ack", NULL));
	assert_int_equal(route_need("GET", "/nothing"), 0);
	assert_int_equal(route_need("POST", "/nothing"), SCOPES_ACTING);
}

/** Roles are sets of scopes: viewer < operator < admin. */
static void test_roles(void **state)
{
	(void)state;
	for (const struct route *r = routes; r->method; r++) {
		const bool acts = strcmp(r->method, "GET");

		if (!r->need)
			continue;
		assert_true(r->need & SCOPES_ADMIN);
		if (acts)
			assert_false(r->need & SCOPES_VIEWER);
		if (r->verb)
			assert_true(r->need & SCOPES_OPERATOR);
	}
	assert_int_equal(scope_find("admin"), SCOPES_ADMIN);
	assert_int_equal(scope_find("view"), SCOPES_VIEWER);
	assert_int_equal(scope_find("metrics"), SCOPE_METRICS);
	assert_int_equal(scope_find("pages"), 0);
	assert_int_equal(scope_find(""), 0);
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
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
