#include "debounce.h"

#include <string.h>

void debounce_init(struct debounce *d, uint32_t period_ms)
{
	memset(d, 0, sizeof(*d));
	d->period_us = period_ms * UINT64_C(1000);
}

bool debounce_see(struct debounce *d, bool level, uint64_t at_us)
{
	uint64_t next;

	if (!d->known) {
		/* What is there at the start is no change, but it is news. */
		d->known = true;
		d->raw = d->stable = level;
		d->raw_us = at_us;
		return true;
	}
	if (level != d->raw) {
		if (d->raw != d->stable)
			d->glitches++;
		d->raw = level;
		d->raw_us = at_us;
	}
	return debounce_wait(d, at_us, &next);
}

bool debounce_wait(struct debounce *d, uint64_t now_us, uint64_t *next_us)
{
	*next_us = 0;
	if (!d->known || d->raw == d->stable)
		return false;
	if (now_us < d->raw_us + d->period_us) {
		*next_us = d->raw_us + d->period_us;
		return false;
	}
	d->stable = d->raw;
	return true;
}
