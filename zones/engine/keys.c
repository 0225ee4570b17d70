#include "zones/engine/keys.h"

#include <string.h>

char keys_take(struct keys *k, uint32_t ssrc, uint32_t ts, const uint8_t *p,
	       size_t n)
{
	static const char keys[] = "0123456789*#ABCD";
	uint16_t duration;

	if (n < 4 || p[0] >= sizeof(keys) - 1)
		return 0;
	duration = (uint16_t)(p[2] << 8 | p[3]);
	for (unsigned i = 0; i < k->n; i++) {
		if (k->past[i].ssrc != ssrc)
			continue;
		if (k->past[i].ts == ts) {
			if (duration > k->past[i].duration)
				k->past[i].duration = duration;
			return 0;
		}
		/* Held for so long that it goes on in another segment (RFC
		 * 4733 2.5.1.3). */
		if (!i && k->past[i].event == p[0] &&
		    k->past[i].duration == UINT16_MAX &&
		    ts == k->past[i].ts + UINT16_MAX) {
			k->past[i].ts = ts;
			k->past[i].duration = duration;
			return 0;
		}
		/* Of before the newest press, and forgotten meanwhile. */
		if (!i && (int32_t)(ts - k->past[i].ts) < 0)
			return 0;
	}
	memmove(k->past + 1, k->past, sizeof(k->past) - sizeof(k->past[0]));
	k->n += k->n < KEYS_PAST;
	k->past[0].ssrc = ssrc;
	k->past[0].ts = ts;
	k->past[0].event = p[0];
	k->past[0].duration = duration;
	return keys[p[0]];
}
