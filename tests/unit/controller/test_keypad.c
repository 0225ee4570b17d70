/* An operator's keys: sequences, wrong ones before them, too slow ones. */
#include "controller/help/keypad.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char gate[] = "*1", barrier[] = "*22", cell[] = "##9", stop[] = "*0";
static struct config_door doors[] = {
	{.keys = gate}, {.keys = barrier}, {.keys = cell}};
static const struct config_helppoint point = {
	.end_keys = stop, .doors = doors, .n_doors = 3};

/** Types all of it; what came of it, in letters: a, b, c a door, E the end. */
static void typed(const char *keys, uint64_t gap_ms, const char *want)
{
	struct keypad k = {.at_ms = 0};
	uint64_t now = 100000;
	char got[64] = "";
	size_t n = 0;

	for (const char *p = keys; *p; p++, now += gap_ms) {
		size_t door = 99;

		switch (keypad_press(&k, *p, now, &point, &door)) {
		case KEYPAD_NOTHING:
			break;
		case KEYPAD_DOOR:
			got[n++] = (char)('a' + door);
			break;
		case KEYPAD_END:
			got[n++] = 'E';
			break;
		}
	}
	print_message("%s at %u ms: %s\n", keys, (unsigned)gap_ms, got);
	assert_string_equal(got, want);
}

static void test_sequences(void **state)
{
	(void)state;
	typed("*1", 100, "a");
	typed("*22", 100, "b");
	typed("##9", 100, "c");
	typed("*0", 100, "E");
	typed("*1*1*22", 100, "aab");
	typed("1", 100, "");
	typed("123456789", 100, "");
	/* wrong keys before it */
	typed("55*1", 100, "a");
	typed("**1", 100, "a");
	typed("*2*1", 100, "a");
	typed("*2*22", 100, "b");
	typed("*2#*22", 100, "b");
	typed("#*1", 100, "a");
	typed("###9", 100, "c");
	typed("#####9", 100, "c");
	typed("*2##9", 100, "c");
	typed("*3*", 100, "");
	/* nothing of the one before is left */
	typed("*11", 100, "a");
	typed("*222", 100, "b");
	typed("ABCD*1", 100, "a");
}

static void test_time(void **state)
{
	(void)state;
	typed("*1", KEYPAD_GAP_MS, "a");
	typed("*1", KEYPAD_GAP_MS + 1, "");
	typed("*22", KEYPAD_GAP_MS + 1, "");
}

static void test_nothing_is_set(void **state)
{
	static const struct config_helppoint plain = {.n_doors = 0};
	struct keypad k = {.at_ms = 0};
	size_t door;
	(void)state;

	for (const char *p = "0123456789*#ABCD*1*22"; *p; p++)
		assert_int_equal(keypad_press(&k, *p, 1, &plain, &door),
				 KEYPAD_NOTHING);
}

/** The naive way: after each key, does what was typed since the last that did
 *  something end in a sequence? */
static char naive(char *all, char key)
{
	static const char *const v[] = {gate, barrier, cell, stop};
	const size_t n = strlen(all);

	all[n] = key;
	all[n + 1] = '\0';
	for (unsigned i = 0; i < 4; i++) {
		const size_t len = strlen(v[i]);

		if (n + 1 >= len && !strcmp(all + n + 1 - len, v[i])) {
			all[0] = '\0';
			return i == 3 ? 'E' : (char)('a' + i);
		}
	}
	return 0;
}

static void test_as_the_naive_way(void **state)
{
	static const char keys[] = "0129*#";
	struct keypad k = {.at_ms = 0};
	static char all[200001];
	unsigned acts = 0;
	(void)state;

	srand(7);
	for (unsigned i = 0; i < 200000; i++) {
		const char key = keys[rand() % 6];
		const char want = naive(all, key);
		size_t door = 0;
		const enum keypad_act act =
			keypad_press(&k, key, 1000 + i, &point, &door);
		const char got = act == KEYPAD_END    ? 'E'
				 : act == KEYPAD_DOOR ? (char)('a' + door)
						      : 0;

		assert_int_equal(got, want);
		acts += !!got;
	}
	assert_true(acts > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_nothing_is_set),
		cmocka_unit_test(test_as_the_naive_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
