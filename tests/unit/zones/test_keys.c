/* Keys out of telephone-event packets: once for each press, whatever is lost,
 * doubled or late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zones/engine/keys.h"

#include <stdbool.h>
#include <stdlib.h>

static char take(struct keys *k, uint32_t ts, uint8_t event, bool end,
		 uint16_t duration)
{
	const uint8_t p[4] = {event, (uint8_t)(end ? 0x8a : 0x0a),
			      (uint8_t)(duration >> 8), (uint8_t)duration};

	return keys_take(k, 7, ts, p, 4);
}

static void one_for_each_press(void **state)
{
	struct keys k = {0};
	(void)state;

	assert_int_equal(take(&k, 1000, 5, false, 160), '5');
	assert_int_equal(take(&k, 1000, 5, false, 320), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(&k, 1000, 5, true, 480), 0);
	/* The same key again: only its timestamp tells. */
	assert_int_equal(take(&k, 2600, 5, false, 160), '5');
	/* Of the next only the end came through. */
	assert_int_equal(take(&k, 4000, 11, true, 800), '#');
	/* Packets of old presses come late. */
	assert_int_equal(take(&k, 2600, 5, true, 480), 0);
	assert_int_equal(take(&k, 1000, 5, true, 480), 0);
	assert_int_equal(take(&k, 900, 3, true, 80), 0);
	assert_int_equal(take(&k, 6000, 10, false, 160), '*');
	assert_int_equal(take(&k, 8000, 15, false, 160), 'D');
}

static void held_for_long(void **state)
{
	struct keys k = {0};
	(void)state;

	assert_int_equal(take(&k, 1000, 1, false, UINT16_MAX), '1');
	assert_int_equal(take(&k, 1000 + UINT16_MAX, 1, false, 160), 0);
	assert_int_equal(take(&k, 1000 + UINT16_MAX, 1, true, 800), 0);
	assert_int_equal(take(&k, 1000 + UINT16_MAX + 1600, 1, false, 160),
			 '1');
}

static void no_key(void **state)
{
	const uint8_t flash[4] = {16, 0x0a, 0, 160};
	struct keys k = {0};
	(void)state;

	assert_int_equal(keys_take(&k, 7, 1000, flash, 4), 0);
	assert_int_equal(keys_take(&k, 7, 1000, flash, 3), 0);
	assert_int_equal(keys_take(&k, 7, 1000, flash, 0), 0);
	/* Another sender's timestamps are his own. */
	assert_int_equal(take(&k, 5000, 1, false, 160), '1');
	assert_int_equal(keys_take(&k, 8, 100, (uint8_t[]){2, 0, 0, 9}, 4),
			 '2');
}

/* Losses, doubles and a wrap of the timestamp: every press that left one
 * packet is heard once. */
static void through_a_bad_network(void **state)
{
	(void)state;
	srand(1);
	for (unsigned round = 0; round < 2000; round++) {
		struct keys k = {0};
		uint32_t ts = (uint32_t)rand() << 8 | 0xffff0000u;
		unsigned pressed = 0, heard = 0;

		for (unsigned i = 0; i < 8; i++) {
			const uint8_t event = (uint8_t)(rand() % 16);
			unsigned left = 0;

			for (unsigned n = 1; n <= 5; n++) {
				if (rand() % 3 == 0)
					continue;
				left++;
				heard += take(&k, ts, event, n > 2,
					      (uint16_t)(n * 160)) != 0;
				heard += take(&k, ts, event, n > 2,
					      (uint16_t)(n * 160)) != 0;
			}
			pressed += left > 0;
			ts += 160 * (uint32_t)(6 + rand() % 50);
		}
		assert_int_equal(heard, pressed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_for_each_press),
		cmocka_unit_test(held_for_long),
		cmocka_unit_test(no_key),
		cmocka_unit_test(through_a_bad_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
