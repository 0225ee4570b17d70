#include "debounce.h"

void debounce_init(struct debounce *d, uint64_t period_us, bool level,
		   uint64_t now_us)
{
	d->period_us = period_us;
	d->glitches = 0;
	d->level = d->raw = level;
	d->level_us = d->raw_us = now_us;
}

bool debounce_settle(struct debounce *d, uint64_t now_us)
{
	/* An edge may be younger than now_us was read. */
	if (d->raw == d->level || now_us < d->raw_us ||
	    now_us - d->raw_us < d->period_us)
		return false;
	d->level = d->raw;
	d->level_us = d->raw_us;
	return true;
}

void debounce_edge(struct debounce *d, bool level, uint64_t at_us)
{
	d->glitches += d->raw != d->level;
	d->raw = level;
	d->raw_us = at_us;
}

void debounce_reading(struct debounce *d, bool level, uint64_t now_us)
{
	if (level != d->raw)
		debounce_edge(d, level, now_us);
}

uint64_t debounce_due(const struct debounce *d)
{
	return d->raw == d->level ? 0 : d->raw_us + d->period_us;
}
