#include "drive.h"

void drive_pulse(struct drive *d, const struct drive_rule *r, uint32_t ms,
		 uint64_t now_us)
{
	const uint64_t end_us = now_us + ms * UINT64_C(1000);

	if (d->level && d->pulse_us > now_us) {
		d->pulse_us = end_us > d->pulse_us ? end_us : d->pulse_us;
		return;
	}
	d->pend_ms = ms;
	d->pend_us = end_us + r->min_off_ms * UINT64_C(1000);
}

void drive_cancel(struct drive *d)
{
	d->pend_ms = 0;
	d->pulse_us = 0;
}

bool drive_asks(struct drive *d, const struct drive_rule *r, bool want,
		uint64_t now_us)
{
	if (want && !d->want && r->pulse_ms)
		drive_pulse(d, r, r->pulse_ms, now_us);
	d->want = want;
	if (d->pend_ms && now_us >= d->pend_us)
		d->pend_ms = 0;
	return (want && !r->pulse_ms) || d->pend_ms || now_us < d->pulse_us;
}

static void sooner(uint64_t *wake_us, uint64_t at_us, uint64_t now_us)
{
	if (at_us > now_us && at_us < *wake_us)
		*wake_us = at_us;
}

static void turn(struct drive *d, bool level, uint64_t now_us)
{
	d->level = level;
	d->since_us = now_us;
}

bool drive_step(struct drive *d, const struct drive_rule *r, bool asks,
		bool may, uint64_t now_us, uint64_t *wake_us)
{
	const bool target = asks && may, was = d->level;
	const uint64_t free_us =
		d->since_us +
		(d->level ? r->min_on_ms : r->min_off_ms) * UINT64_C(1000);

	*wake_us = DRIVE_NEVER;
	/* What is kept off has had its pulse. */
	if (!may)
		d->pulse_us = 0;
	if (target != d->level) {
		if (now_us >= free_us)
			turn(d, target, now_us);
		else
			sooner(wake_us, free_us, now_us);
	}
	if (d->level && target && d->pend_ms) {
		d->pulse_us = now_us + d->pend_ms * UINT64_C(1000);
		d->pend_ms = 0;
	}
	sooner(wake_us, d->pulse_us, now_us);
	if (d->pend_ms)
		sooner(wake_us, d->pend_us, now_us);
	return d->level != was;
}

int drive_winner(const struct drive_claim *v, size_t n)
{
	int best = -1;

	for (size_t i = 0; i < n; i++) {
		if (!v[i].asks)
			continue;
		if (best < 0 || v[i].rank > v[best].rank ||
		    (v[i].rank == v[best].rank && v[i].level && !v[best].level))
			best = (int)i;
	}
	return best;
}
