/* Polycom decoder: whatever comes, the frames lie inside the datagram, and what
 * was read is written as the same. */
#include "zones/engine/polycom.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void frames(const struct polycom *p, const uint8_t *data, size_t size)
{
	static const uint32_t steps[] = {0, 80, 160, 240, 8, UINT32_MAX};
	const uint8_t *now, *prev;
	size_t len;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		now = polycom_frame(p, steps[i], &prev, &len);
		if (!len || now < data + POLYCOM_SOUND ||
		    now + len != data + size)
			abort();
		if (prev && (prev != data + POLYCOM_SOUND || prev + len != now))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buf[POLYCOM_SOUND + 1] = {0};
	struct polycom p, again;

	if (polycom_decode(&p, data, size))
		return 0;
	if (strlen(p.caller) > POLYCOM_CALLER)
		abort();
	if (p.op == POLYCOM_TRANSMIT) {
		frames(&p, data, size);
		polycom_transmit(buf, &p);
	} else {
		polycom_header(buf, &p);
	}
	if (polycom_decode(&again, buf, sizeof(buf)) || again.op != p.op ||
	    again.channel != p.channel || again.serial != p.serial ||
	    again.codec != p.codec || again.ts != p.ts ||
	    strcmp(again.caller, p.caller))
		abort();
	return 0;
}
