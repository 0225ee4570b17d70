#include "ban.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4

struct source {
	struct sockaddr_storage ss;
	struct key {
		uint8_t address[8];
		uint8_t family; /* 0 = unused */
		uint64_t who;   /* hash of the name, 0 = none */
	} key;
	uint8_t wrong;
	uint8_t bans;
	uint64_t first_ms; /* of the wrong answers counted */
	uint64_t last_ms;
	uint64_t until_ms;
};

struct ban {
	uint64_t seed;
	unsigned tries;
	struct source v[BAN_SOURCES];
};

int ban_alloc(struct ban **bp, uint64_t seed, unsigned tries)
{
	struct ban *b = calloc(1, sizeof(*b));

	if (!b)
		return ENOMEM;
	b->seed = seed;
	b->tries = tries;
	*bp = b;
	return 0;
}

struct ban *ban_free(struct ban *b)
{
	free(b);
	return NULL;
}

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	const uint8_t *v = p;

	for (size_t i = 0; i < n; i++) {
		h = (h ^ v[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

/* An IPv6 host has its /64 to choose from. */
static struct key key_of(const struct ban *b, const struct sockaddr *sa,
			 const char *who)
{
	struct key k = {.family = 6};

	if (sa->sa_family == AF_INET) {
		memcpy(k.address, &((const struct sockaddr_in *)sa)->sin_addr,
		       4);
		k.family = 4;
	} else {
		memcpy(k.address, &((const struct sockaddr_in6 *)sa)->sin6_addr,
		       8);
	}
	if (who)
		k.who = mix(b->seed, who, strlen(who)) | 1;
	return k;
}

static bool same(const struct key *a, const struct key *b)
{
	return a->family == b->family && a->who == b->who &&
	       !memcmp(a->address, b->address, sizeof(a->address));
}

static size_t slot_of(const struct ban *b, const struct key *k)
{
	const uint64_t h = mix(mix(b->seed, k->address, sizeof(k->address)),
			       &k->who, sizeof(k->who));

	return (size_t)(h % (BAN_SOURCES / WAYS)) * WAYS;
}

static const struct source *find(const struct ban *b, const struct key *k)
{
	const struct source *s = &b->v[slot_of(b, k)];

	for (size_t i = 0; i < WAYS; i++)
		if (same(&s[i].key, k))
			return &s[i];
	return NULL;
}

bool ban_holds(const struct ban *b, const struct sockaddr *sa, const char *who,
	       uint64_t now_ms)
{
	const struct key k = key_of(b, sa, who);
	const struct source *s = find(b, &k);

	return s && now_ms < s->until_ms;
}

/* The unused one, else who is not banned and was seen longest ago, else whose
 * ban ends first. */
static struct source *take(struct ban *b, const struct sockaddr *sa,
			   const struct key *k)
{
	struct source *s = &b->v[slot_of(b, k)], *least = s;

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
	least->key = *k;
	memcpy(&least->ss, sa,
	       sa->sa_family == AF_INET ? sizeof(struct sockaddr_in)
					: sizeof(struct sockaddr_in6));
	return least;
}

uint32_t ban_wrong(struct ban *b, const struct sockaddr *sa, const char *who,
		   uint64_t now_ms)
{
	const struct key k = key_of(b, sa, who);
	struct source *s = (struct source *)(uintptr_t)find(b, &k);
	uint64_t ms = BAN_FIRST_MS;

	if (!s)
		s = take(b, sa, &k);
	if (now_ms - s->last_ms > BAN_FORGET_MS)
		s->bans = 0;
	if (!s->wrong || now_ms - s->first_ms > BAN_WINDOW_MS) {
		s->wrong = 0;
		s->first_ms = now_ms;
	}
	s->last_ms = now_ms;
	if (++s->wrong < b->tries)
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

void ban_right(struct ban *b, const struct sockaddr *sa, const char *who)
{
	const struct key k = key_of(b, sa, who);
	struct source *s = (struct source *)(uintptr_t)find(b, &k);

	if (s)
		s->wrong = s->bans = 0;
}

void ban_each(const struct ban *b, uint64_t now_ms, ban_h *h, void *arg)
{
	for (size_t i = 0; i < BAN_SOURCES; i++)
		if (b->v[i].key.family && now_ms < b->v[i].until_ms)
			h(&b->v[i].ss, b->v[i].until_ms - now_ms, arg);
}
