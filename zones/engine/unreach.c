#include "zones/engine/unreach.h"

void unreach_note(struct unreach *u, int err, uint64_t now)
{
	if (!unreach_lately(u, now))
		u->first_us = now;
	u->last_us = now;
	u->err = err;
}

int unreach_lately(const struct unreach *u, uint64_t now)
{
	return u->err && now - u->last_us < UNREACH_OVER_US ? u->err : 0;
}

bool unreach_changed(struct unreach *u, uint64_t now)
{
	int err = unreach_lately(u, now);

	if (err && !u->told && u->last_us - u->first_us < UNREACH_AFTER_US)
		err = 0;
	if (!err == !u->told)
		return false;
	u->told = err;
	return true;
}
