/* Captured packets: whatever comes, the payload lies inside the bytes. */
#include "zones/watch/frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f;

	if (frame_decode(&f, data, size))
		return 0;
	if (f.family != AF_INET && f.family != AF_INET6)
		abort();
	if (f.kind == FRAME_QUERY) {
		if (f.version < 1 || f.version > 3 ||
		    (f.family == AF_INET6 && f.version > 2))
			abort();
		return 0;
	}
	if (f.data < data || f.data > data + size ||
	    f.len > (size_t)(data + size - f.data))
		abort();
	return 0;
}
