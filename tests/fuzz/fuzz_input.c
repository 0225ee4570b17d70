/* Any payload against any kind of rule. The first byte chooses the rule; the
 * payload is applied twice to see that the same news is news once. */
#include "gpio/input.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void require_printable(const char *text, size_t size)
{
	size_t n = strnlen(text, size);

	require(n < size);
	for (size_t i = 0; i < n; i++)
		require(text[i] >= 0x20 && text[i] <= 0x7e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const path[] = {NULL, "v", "a.0.v", "1"};
	struct input_value v = {.active = size & 1}, before = v;
	struct input_rule rule = {0};
	uint8_t kind = size ? data[0] : 0;

	if (!size)
		return 0;
	data++;
	size--;
	rule.json = path[kind & 3];
	rule.match = kind & 4 ? "on" : NULL;
	rule.has_above = kind & 8;
	rule.has_below = kind & 16;
	rule.above = 40;
	rule.clear_below = 30;
	rule.below = 5;
	rule.clear_above = 10;

	require(input_apply(&v, &rule, (const char *)data, size, 100));
	require(v.quality == INPUT_GOOD || v.quality == INPUT_FAULT);
	require_printable(v.raw, sizeof(v.raw));
	require_printable(v.why, sizeof(v.why));
	require((v.quality == INPUT_GOOD) == !v.why[0]);
	if (v.quality == INPUT_FAULT) {
		require(v.active == before.active && !v.read_us);
	} else {
		require(v.read_us == 100 && !isinf(v.number));
		if (!rule.match && (rule.has_above || rule.has_below))
			require(!isnan(v.number));
	}
	require(!input_apply(&v, &rule, (const char *)data, size, 200));
	require(v.changed_us == 100);
	return 0;
}
