#include "sanity.h"

enum sanity sanity_of(const struct sanity_view *v)
{
	if (v->now < SANITY_OLDEST)
		return SANITY_TOO_OLD;
	if (v->wait && !v->synced)
		return SANITY_NOT_SYNC;
	/* Who set it, a person or a time server, is believed. */
	if (v->seen - v->now > SANITY_BACK && !v->set && !v->synced)
		return SANITY_BEHIND;
	return SANITY_GOOD;
}
