#include "limit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define SETS (LIMIT_SOURCES / WAYS)

/* Thousandths of a token, so that slow rates lose nothing between looks. */
#define TOKEN 1000

struct bucket {
	uint8_t addr[16];
	int family;    /* 0 = free */
	uint64_t used; /* the table's turn at its last look */
	uint64_t seen_ms;
	uint64_t tokens;
};

struct limit {
	uint32_t per_s, burst;
	uint64_t seed;
	uint64_t turn;
	struct bucket b[SETS][WAYS];
};

int limit_alloc(struct limit **lp, uint32_t per_s, uint32_t burst,
		uint64_t seed)
{
	struct limit *l = calloc(1, sizeof(*l));

	if (!l)
		return ENOMEM;
	l->per_s = per_s;
	l->burst = burst;
	l->seed = seed;
	*lp = l;
	return 0;
}

struct limit *limit_free(struct limit *l)
{
	free(l);
	return NULL;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static struct bucket *find(struct limit *l, const struct bucket *key,
			   uint64_t now_ms)
{
	uint64_t w[2], h;
	struct bucket *set, *oldest;
	int i;

	memcpy(w, key->addr, sizeof(w));
	h = mix(mix(mix(l->seed, w[0]), w[1]), (uint64_t)key->family);
	set = l->b[h % SETS];
	oldest = set;
	for (i = 0; i < WAYS; i++) {
		if (set[i].family == key->family &&
		    !memcmp(set[i].addr, key->addr, sizeof(key->addr)))
			return &set[i];
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	*oldest = *key;
	oldest->seen_ms = now_ms;
	oldest->tokens = (uint64_t)l->burst * TOKEN;
	return oldest;
}

bool limit_take(struct limit *l, const struct sockaddr *sa, uint64_t now_ms)
{
	struct bucket key = {.family = sa->sa_family}, *b;
	const uint64_t full = (uint64_t)l->burst * TOKEN;

	if (sa->sa_family == AF_INET)
		memcpy(key.addr, &((const struct sockaddr_in *)sa)->sin_addr,
		       4);
	else if (sa->sa_family == AF_INET6)
		memcpy(key.addr, &((const struct sockaddr_in6 *)sa)->sin6_addr,
		       16);
	else
		return false;

	b = find(l, &key, now_ms);
	b->used = ++l->turn;
	if (now_ms > b->seen_ms) {
		const uint64_t ms = now_ms - b->seen_ms;

		if (ms > full)
			b->tokens = full;
		else
			b->tokens += ms * l->per_s * TOKEN / 1000;
		if (b->tokens > full)
			b->tokens = full;
		b->seen_ms = now_ms;
	}
	if (b->tokens < TOKEN)
		return false;
	b->tokens -= TOKEN;
	return true;
}
