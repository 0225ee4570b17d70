/* Any bytes as a time zone: refused, or every local time is once, twice or
 * never, and its instants show it on the wall. */
#include "scheduler/tz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tz *z = NULL;
	struct reason why = {""};

	if (tz_parse(&z, data, size, &why)) {
		if (!*why.text)
			abort();
		return 0;
	}
	for (int64_t t = -3000000000; t < 7000000000; t += 86400 * 91 + 1801) {
		const int64_t local = tz_local(z, t);
		int64_t at[2] = {0};
		const enum tz_kind kind = tz_utc(z, local, at);

		if (kind == TZ_GAP || tz_local(z, at[0]) != local ||
		    tz_local(z, at[1]) != local)
			abort();
		if (at[0] != t && at[1] != t && kind == TZ_ONCE)
			abort();
	}
	tz_free(z);
	return 0;
}
