/*
 * Webhooks: who may come in by a signature.
 *
 * The signature is checked in libmicrohttpd's thread, where a stranger costs
 * one HMAC of at most 64 kB and nothing else. Whether a signed request is new
 * is the owner's to decide.
 */
#include "internal.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/** Digits of a time in seconds. */
#define MAX_SECONDS 12

struct hook {
	char *name;
	struct sign_key key;
};

struct hooks {
	pthread_mutex_t lock;
	struct hook *v;
	size_t n;
	struct sign_key nobody; /**< of names that there are not */
	_Atomic uint64_t strangers;
};

static void free_all(struct hook *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i].name);
	if (v)
		OPENSSL_cleanse(v, n * sizeof(*v));
	free(v);
}

int hooks_alloc(struct hooks **hp)
{
	struct hooks *h = calloc(1, sizeof(*h));

	if (!h)
		return ENOMEM;
	h->nobody.n = 32;
	if (RAND_bytes(h->nobody.key, 32) != 1) {
		free(h);
		return EIO;
	}
	pthread_mutex_init(&h->lock, NULL);
	*hp = h;
	return 0;
}

struct hooks *hooks_free(struct hooks *h)
{
	if (!h)
		return NULL;
	free_all(h->v, h->n);
	pthread_mutex_destroy(&h->lock);
	free(h);
	return NULL;
}

int hooks_set(struct hooks *h, const struct web_hook *hooks, size_t n)
{
	struct hook *v = calloc(n + 1, sizeof(*v)), *old;
	size_t n_old;

	for (size_t i = 0; v && i < n; i++) {
		v[i].name = strdup(hooks[i].name);
		v[i].key = *hooks[i].key;
		if (!v[i].name) {
			free_all(v, n);
			v = NULL;
		}
	}
	if (!v)
		return ENOMEM;
	pthread_mutex_lock(&h->lock);
	old = h->v;
	n_old = h->n;
	h->v = v;
	h->n = n;
	pthread_mutex_unlock(&h->lock);
	free_all(old, n_old);
	return 0;
}

bool hooks_is_path(const char *url)
{
	static const char api[] = "/api/v1";

	if (!strncmp(url, api, sizeof(api) - 1))
		url += sizeof(api) - 1;
	return !strncmp(url, "/hooks/", 7);
}

/** The key of that name, else one that signs nothing. */
static bool key_of(struct hooks *h, const char *name, struct sign_key *key)
{
	bool found = false;

	*key = h->nobody;
	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < h->n; i++)
		if (!strcmp(h->v[i].name, name)) {
			*key = h->v[i].key;
			found = true;
		}
	pthread_mutex_unlock(&h->lock);
	return found;
}

/** Room, and nothing that would not be written as it is. */
static bool plain(const char *s, size_t most)
{
	if (!s || !*s || strlen(s) > most)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

int hooks_enter(struct hooks *h, const char *name,
		const struct hooks_given *given, struct web_signed *s)
{
	const char *const *v;
	struct sign_text t = {.body = given->body, .len = given->len};
	struct sign_key key;
	bool good = key_of(h, name, &key);

	v = key.scheme == SIGN_STANDARD ? given->standard : given->sha256;
	t.id = key.scheme == SIGN_STANDARD ? v[HOOKS_ID] : "";
	t.timestamp = v[HOOKS_TIMESTAMP];
	if (!plain(t.timestamp, MAX_SECONDS) ||
	    t.timestamp[strspn(t.timestamp, "0123456789")] ||
	    (key.scheme == SIGN_STANDARD && !plain(t.id, SIGN_MAX_ID)) ||
	    !v[HOOKS_SIGNATURE])
		good = false;
	else
		good &= sign_good(&key, &t, v[HOOKS_SIGNATURE]);
	if (good) {
		char own[SIGN_SIZE];

		s->time_us = strtoll(t.timestamp, NULL, 10) * 1000000;
		/* One signature, one request: it tells repetitions apart even
		 * where there is no id. */
		sign_make(&key, &t, own);
		snprintf(s->id, sizeof(s->id), "%s", strpbrk(own, "=,") + 1);
	} else {
		h->strangers++;
	}
	OPENSSL_cleanse(&key, sizeof(key));
	return good ? 0 : EACCES;
}

uint64_t hooks_strangers(const struct hooks *h)
{
	return h->strangers;
}
