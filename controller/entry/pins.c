#include "pins.h"

#include "controller/sip/ban.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>

struct pins {
	struct ban *caller, *address;
};

int pins_alloc(struct pins **pp)
{
	struct pins *p = calloc(1, sizeof(*p));
	uint64_t seed = 0;
	int err;

	if (!p)
		return ENOMEM;
	(void)RAND_bytes((unsigned char *)&seed, sizeof(seed));
	err = ban_alloc(&p->caller, seed, BAN_TRIES);
	if (!err)
		err = ban_alloc(&p->address, seed, BAN_TRIES_ADDRESS);
	if (err)
		p = pins_free(p);
	*pp = p;
	return err;
}

struct pins *pins_free(struct pins *p)
{
	if (!p)
		return NULL;
	ban_free(p->caller);
	ban_free(p->address);
	free(p);
	return NULL;
}

bool pins_locked(const struct pins *p, const struct sockaddr_storage *from,
		 const char *caller, uint64_t now_ms)
{
	const struct sockaddr *sa = (const struct sockaddr *)from;

	return ban_holds(p->caller, sa, caller, now_ms) ||
	       ban_holds(p->address, sa, NULL, now_ms);
}

uint32_t pins_wrong(struct pins *p, const struct sockaddr_storage *from,
		    const char *caller, uint64_t now_ms)
{
	const struct sockaddr *sa = (const struct sockaddr *)from;
	const uint32_t one = ban_wrong(p->caller, sa, caller, now_ms);
	const uint32_t all = ban_wrong(p->address, sa, NULL, now_ms);

	return one > all ? one : all;
}

void pins_right(struct pins *p, const struct sockaddr_storage *from,
		const char *caller)
{
	ban_right(p->caller, (const struct sockaddr *)from, caller);
}
