#include "ban.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4

struct source {
	struct sockaddr_storage ss;
	uint8_t key[8];
	uint8_t family; /* 0 = unused */
	uint8_t wrong;
	uint8_t bans;
	uint64_t first_ms; /* of the wrong answers counted */
	uint64_t last_ms;
	uint64_t until_ms;
};

struct ban {
	uint64_t seed;
	struct source v[BAN_SOURCES];
};

int ban_alloc(struct ban **bp, uint64_t seed)
{
	struct ban *b = calloc(1, sizeof(*b));

	if (!b)
		return ENOMEM;
	b->seed = seed;
	*bp = b;
	return 0;
}

struct ban *ban_free(struct ban *b)
{
	free(b);
	return NULL;
}

/* An IPv6 host has its /64 to choose from. */
static uint8_t key_of(const struct sockaddr *sa, uint8_t key[8])
{
	memset(key, 0, 8);
	if (sa->sa_family == AF_INET) {
		memcpy(key, &((const struct sockaddr_in *)sa)->sin_addr, 4);
		return 4;
	}
	memcpy(key, &((const struct sockaddr_in6 *)sa)->sin6_addr, 8);
	return 6;
}

static size_t slot_of(const struct ban *b, const uint8_t key[8])
{
	uint64_t h = b->seed;

	for (size_t i = 0; i < 8; i++) {
		h = (h ^ key[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return (size_t)(h % (BAN_SOURCES / WAYS)) * WAYS;
}

static const struct source *find(const struct ban *b, const struct sockaddr *sa)
{
	uint8_t key[8];
	const uint8_t family = key_of(sa, key);
	const struct source *s = &b->v[slot_of(b, key)];

	for (size_t i = 0; i < WAYS; i++)
		if (s[i].family == family && !memcmp(s[i].key, key, 8))
			return &s[i];
	return NULL;
}

bool ban_holds(const struct ban *b, const struct sockaddr *sa, uint64_t now_ms)
{
	const struct source *s = find(b, sa);

	return s && now_ms < s->until_ms;
}

/* The unused one, else who is not banned and was seen longest ago, else whose
 * ban ends first. */
static struct source *take(struct ban *b, const struct sockaddr *sa)
{
	uint8_t key[8];
	const uint8_t family = key_of(sa, key);
	struct source *s = &b->v[slot_of(b, key)], *least = s;

	for (size_t i = 1; i < WAYS; i++) {
		const uint64_t a = s[i].until_ms > s[i].last_ms ? s[i].until_ms
								: s[i].last_ms;
		const uint64_t z = least->until_ms > least->last_ms
					   ? least->until_ms
					   : least->last_ms;

		if (a < z)
			least = &s[i];
	}
	memset(least, 0, sizeof(*least));
	memcpy(least->key, key, 8);
	least->family = family;
	memcpy(&least->ss, sa,
	       sa->sa_family == AF_INET ? sizeof(struct sockaddr_in)
					: sizeof(struct sockaddr_in6));
	return least;
}

uint32_t ban_wrong(struct ban *b, const struct sockaddr *sa, uint64_t now_ms)
{
	struct source *s = (struct source *)(uintptr_t)find(b, sa);
	uint64_t ms = BAN_FIRST_MS;

	if (!s)
		s = take(b, sa);
	if (now_ms - s->last_ms > BAN_FORGET_MS)
		s->bans = 0;
	if (!s->wrong || now_ms - s->first_ms > BAN_WINDOW_MS) {
		s->wrong = 0;
		s->first_ms = now_ms;
	}
	s->last_ms = now_ms;
	if (++s->wrong < BAN_TRIES)
		return 0;
	s->wrong = 0;
	for (unsigned i = 0; i < s->bans && ms < BAN_LONGEST_MS; i++)
		ms *= 2;
	if (ms > BAN_LONGEST_MS)
		ms = BAN_LONGEST_MS;
	if (s->bans < 16)
		s->bans++;
	s->until_ms = now_ms + ms;
	return (uint32_t)ms;
}

void ban_each(const struct ban *b, uint64_t now_ms, ban_h *h, void *arg)
{
	for (size_t i = 0; i < BAN_SOURCES; i++)
		if (b->v[i].family && now_ms < b->v[i].until_ms)
			h(&b->v[i].ss, b->v[i].until_ms - now_ms, arg);
}
