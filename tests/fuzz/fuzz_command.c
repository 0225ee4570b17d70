/* Any payload as a command: what may act is new, named and remembered. */
#include "gpio/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1795416900000000)

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
	/* One guard for the whole run: repetitions and turn-over as well. */
	static struct command_guard g;
	static uint64_t mono = 1000000;
	const char *p = (const char *)data;
	struct reason why = {""};
	char id[64];
	int64_t us;
	int err;

	mono += 1000;
	err = command_check(&g, p, size, false, NOW, mono, 60000, id, &why);
	require_printable(id, sizeof(id));
	require_printable(why.text, sizeof(why.text));
	require(err == 0 || err == EINVAL || err == ESTALE || err == EALREADY);
	require(!err == !why.text[0]);
	if (!err) {
		require(id[0] && !strpbrk(id, "/+# "));
		require(command_check(&g, p, size, false, NOW, mono, 60000, id,
				      &why) == EALREADY);
		require(command_check(&g, p, size, true, NOW, mono, 60000, id,
				      &why) == ESTALE);
	}
	if (!command_time(p, size, &us))
		require(us >= INT64_C(-62135596800) * 1000000 -
					INT64_C(86400000000) &&
			us <= INT64_C(253402300800) * 1000000 +
					INT64_C(86400000000));
	return 0;
}
