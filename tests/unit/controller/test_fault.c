/* fault.c: the one list of what is broken. */
#include "controller/fault.h"

#include "controller/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct {
	unsigned raised, cleared;
	struct fault last;
	struct faults *again; /* raise and clear within the handler */
} seen;

static void on_change(const struct fault *f, bool raised, void *arg)
{
	assert_ptr_equal(arg, &seen);
	if (raised)
		seen.raised++;
	else
		seen.cleared++;
	if (seen.again) {
		struct faults *fl = seen.again;

		seen.again = NULL;
		fault_clear(fl, f->key);
		fault_raise(fl, "other", 0, "r", "within");
	}
	seen.last = *f;
}

static struct faults *make(void)
{
	struct faults *f = NULL;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(faults_alloc(&f, on_change, &seen), 0);
	return f;
}

static void raise_renew_clear(void **state)
{
	struct faults *f = make();
	uint64_t before = clock_mono_us(), since;
	const struct fault *x;

	(void)state;
	assert_null(fault_find(f, "mqtt"));
	fault_raise(f, "mqtt", 1500, "Start the broker.", "%s is away", "b");
	x = fault_find(f, "mqtt");
	assert_non_null(x);
	assert_string_equal(x->text, "b is away");
	assert_string_equal(x->remedy, "Start the broker.");
	assert_int_equal(x->detect_ms, 1500);
	assert_true(x->since_us >= before && x->since_us <= clock_mono_us());
	since = x->since_us;
	assert_int_equal(seen.raised, 1);
	assert_string_equal(seen.last.key, "mqtt");

	/* The same again says nothing; a new text does, and keeps the start. */
	fault_raise(f, "mqtt", 9, "Start the broker.", "b is away");
	assert_int_equal(seen.raised, 1);
	fault_raise(f, "mqtt", 9, "Check the password.", "b refuses us");
	assert_int_equal(seen.raised, 2);
	x = fault_find(f, "mqtt");
	assert_string_equal(x->text, "b refuses us");
	assert_string_equal(x->remedy, "Check the password.");
	assert_true(x->since_us == since);
	assert_int_equal(x->detect_ms, 1500);
	assert_int_equal(fault_count(f), 1);

	fault_clear(f, "mqt");
	assert_int_equal(seen.cleared, 0);
	fault_clear(f, "mqtt");
	fault_clear(f, "mqtt");
	assert_int_equal(seen.cleared, 1);
	assert_string_equal(seen.last.text, "b refuses us");
	assert_int_equal(fault_count(f), 0);
	assert_null(faults_free(f));
	assert_null(faults_free(NULL));
}

static bool keep_b(const char *key, void *arg)
{
	assert_string_equal(arg, "arg");
	return !strcmp(key, "zone:b");
}

static void clear_by_prefix(void **state)
{
	struct faults *f = make();
	char arg[] = "arg";

	(void)state;
	fault_raise(f, "zone:a", 0, "", "a");
	fault_raise(f, "mqtt", 0, "", "m");
	fault_raise(f, "zone:b", 0, "", "b");
	fault_raise(f, "zone:c", 0, "", "c");
	fault_clear_prefix(f, "zone:", keep_b, arg);
	assert_int_equal(fault_count(f), 2);
	assert_non_null(fault_find(f, "zone:b"));
	assert_non_null(fault_find(f, "mqtt"));
	assert_int_equal(seen.cleared, 2);
	fault_clear_prefix(f, "zone:", NULL, NULL);
	assert_int_equal(fault_count(f), 1);
	fault_clear_prefix(f, "", NULL, NULL);
	assert_int_equal(fault_count(f), 0);
	faults_free(f);
}

static const char *str(json_t *a, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(a, i), key));
}

static void json_oldest_first(void **state)
{
	struct faults *f = make();
	char since[CLOCK_TEXT_SIZE];
	json_t *a;

	(void)state;
	fault_raise(f, "b", 7, "do b", "b\xff");
	fault_raise(f, "a", 0, "do a", "a");
	fault_raise(f, "c", 0, "do c", "c");
	fault_clear(f, "a");
	fault_raise(f, "a", 0, "do a", "a");
	fault_raise(f, "b", 0, "do b", "b is worse\xff");
	a = faults_json(f);
	assert_int_equal(json_array_size(a), 3);
	assert_string_equal(str(a, 0, "fault"), "b");
	assert_string_equal(str(a, 0, "text"), "b is worse?");
	assert_string_equal(str(a, 0, "remedy"), "do b");
	clock_format(since, fault_find(f, "b")->since_wall_us);
	assert_string_equal(str(a, 0, "since"), since);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(a, 0), "detect_ms")),
			 7);
	assert_string_equal(str(a, 1, "fault"), "c");
	assert_string_equal(str(a, 2, "fault"), "a");
	json_decref(a);
	faults_free(f);
}

static void raise_n(struct faults *f, unsigned from, unsigned to)
{
	char key[32];

	for (unsigned i = from; i < to; i++) {
		snprintf(key, sizeof(key), "speaker:%u", i);
		fault_raise(f, key, 0, "", "speaker %u is dead", i);
	}
}

static void clear_n(struct faults *f, unsigned from, unsigned to)
{
	char key[32];

	for (unsigned i = from; i < to; i++) {
		snprintf(key, sizeof(key), "speaker:%u", i);
		fault_clear(f, key);
	}
}

static void a_full_list_says_so(void **state)
{
	struct faults *f = make();

	(void)state;
	raise_n(f, 0, FAULT_MAX);
	assert_int_equal(fault_count(f), FAULT_MAX);
	assert_null(fault_find(f, "faults"));
	raise_n(f, FAULT_MAX, FAULT_MAX + 3);
	assert_int_equal(fault_count(f), FAULT_MAX + 1);
	assert_non_null(fault_find(f, "faults"));
	assert_null(fault_find(f, "speaker:1024"));
	/* Those that were there are all kept, and one event tells of the
	 * rest. */
	assert_non_null(fault_find(f, "speaker:0"));
	assert_int_equal(seen.raised, FAULT_MAX + 1);

	/* Room alone proves nothing: three still stand unseen. */
	clear_n(f, 0, 10);
	assert_non_null(fault_find(f, "faults"));
	clear_n(f, FAULT_MAX, FAULT_MAX + 1);
	assert_non_null(fault_find(f, "faults"));
	/* One is raised again and listed now, the other clears. */
	raise_n(f, FAULT_MAX + 1, FAULT_MAX + 2);
	assert_non_null(fault_find(f, "speaker:1025"));
	assert_non_null(fault_find(f, "faults"));
	clear_n(f, FAULT_MAX + 2, FAULT_MAX + 3);
	assert_null(fault_find(f, "faults"));
	assert_int_equal(fault_count(f), FAULT_MAX - 10 + 1);
	faults_free(f);
}

static void beyond_all_counting(void **state)
{
	struct faults *f = make();
	const unsigned n = FAULT_MAX + 4096 + 5;

	(void)state;
	raise_n(f, 0, n);
	assert_int_equal(fault_count(f), FAULT_MAX + 1);
	/* All that is known by name clears: five stay unknown. */
	clear_n(f, 1, n);
	assert_non_null(fault_find(f, "faults"));
	clear_n(f, 0, 1);
	assert_int_equal(fault_count(f), 0);

	raise_n(f, 0, FAULT_MAX + 2);
	fault_clear_prefix(f, "speaker:", NULL, NULL);
	assert_int_equal(fault_count(f), 0);
	faults_free(f);
}

static void the_handler_may_change_the_list(void **state)
{
	struct faults *f = make();

	(void)state;
	seen.again = f;
	fault_raise(f, "first", 0, "", "x");
	assert_null(fault_find(f, "first"));
	assert_non_null(fault_find(f, "other"));
	seen.again = f;
	fault_clear(f, "other");
	assert_int_equal(fault_count(f), 1);
	assert_non_null(fault_find(f, "other"));
	raise_n(f, 0, 5);
	seen.again = f;
	fault_clear_prefix(f, "speaker:", NULL, NULL);
	assert_int_equal(fault_count(f), 1);
	faults_free(f);
}

static void long_texts_are_cut(void **state)
{
	struct faults *f = make();
	char key[300], text[600];

	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	memset(text, 't', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fault_raise(f, key, 0, text, "%s", text);
	fault_raise(f, key, 0, text, "%s", text);
	assert_int_equal(seen.raised, 1);
	assert_int_equal(fault_count(f), 1);
	assert_int_equal(strlen(seen.last.text), sizeof(seen.last.text) - 1);
	fault_clear(f, key);
	assert_int_equal(fault_count(f), 0);
	faults_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raise_renew_clear),
		cmocka_unit_test(clear_by_prefix),
		cmocka_unit_test(json_oldest_first),
		cmocka_unit_test(a_full_list_says_so),
		cmocka_unit_test(beyond_all_counting),
		cmocka_unit_test(the_handler_may_change_the_list),
		cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
