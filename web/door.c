/*
 * Who comes in: the Unix socket's peers by their credentials, everybody else
 * by HTTP Basic against crypt(5) hashes.
 *
 * A right password is remembered for a minute under a keyed digest, so that a
 * slow hash is not paid for each request; a wrong one always pays it, as does
 * an unknown name, and each address has a bounded number of tries.
 */
#include "internal.h"

#include "controller/base/clock.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REMEMBER_US 60000000
#define REMEMBERED 64
/** Wrong passwords an address may send, and how soon one is forgiven. */
#define TRIES 5
#define FORGIVE_US 12000000
#define ADDRESSES 256
#define DIGEST 32

struct user {
	char *name, *hash;
	enum web_role role;
	int *zones;
	size_t n_zones;
};

struct door {
	pthread_mutex_t lock;
	struct user *users;
	size_t n;
	unsigned char key[DIGEST];
	struct {
		unsigned char digest[DIGEST];
		uint64_t until_us;
		char name[64];
	} known[REMEMBERED];
	size_t next_known;
	struct {
		char address[64];
		unsigned wrong;
		uint64_t at_us;
	} tries[ADDRESSES];
};

int door_alloc(struct door **dp)
{
	struct door *d = calloc(1, sizeof(*d));

	if (!d)
		return ENOMEM;
	pthread_mutex_init(&d->lock, NULL);
	if (RAND_bytes(d->key, sizeof(d->key)) != 1) {
		door_free(d);
		return EIO;
	}
	*dp = d;
	return 0;
}

static void users_free(struct user *u, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(u[i].name);
		free(u[i].hash);
		free(u[i].zones);
	}
	free(u);
}

struct door *door_free(struct door *d)
{
	if (!d)
		return NULL;
	users_free(d->users, d->n);
	OPENSSL_cleanse(d->key, sizeof(d->key));
	pthread_mutex_destroy(&d->lock);
	free(d);
	return NULL;
}

static int copy_zones(int **to, const int *from, size_t n)
{
	*to = NULL;
	if (!n)
		return 0;
	*to = malloc(n * sizeof(**to));
	if (!*to)
		return ENOMEM;
	memcpy(*to, from, n * sizeof(**to));
	return 0;
}

int door_users(struct door *d, const struct web_user *users, size_t n)
{
	struct user *u = calloc(n + 1, sizeof(*u)), *old;
	size_t n_old;

	for (size_t i = 0; u && i < n; i++) {
		u[i].name = strdup(users[i].name);
		u[i].hash = strdup(users[i].password_hash);
		u[i].role = users[i].role;
		u[i].n_zones = users[i].n_zones;
		if (!u[i].name || !u[i].hash ||
		    copy_zones(&u[i].zones, users[i].zones, u[i].n_zones)) {
			users_free(u, i + 1);
			u = NULL;
		}
	}
	if (!u)
		return ENOMEM;
	pthread_mutex_lock(&d->lock);
	old = d->users;
	n_old = d->n;
	d->users = u;
	d->n = n;
	/* A password that was changed must not be remembered. */
	memset(d->known, 0, sizeof(d->known));
	pthread_mutex_unlock(&d->lock);
	users_free(old, n_old);
	return 0;
}

void identity_reset(struct identity *who)
{
	free(who->zones);
	memset(who, 0, sizeof(*who));
}

static void enter_local(int fd, struct identity *who)
{
	struct ucred c = {.uid = (uid_t)-1};
	socklen_t n = sizeof(c);
	struct passwd pw, *p = NULL;
	char buf[1024];

	snprintf(who->from, sizeof(who->from), "unix");
	who->role = WEB_ADMIN;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n))
		c.uid = (uid_t)-1;
	if (!c.uid)
		snprintf(who->actor, sizeof(who->actor), "unix:root");
	else if (!getpwuid_r(c.uid, &pw, buf, sizeof(buf), &p) && p)
		snprintf(who->actor, sizeof(who->actor), "unix:%s", p->pw_name);
	else
		snprintf(who->actor, sizeof(who->actor), "unix:uid=%u",
			 (unsigned)c.uid);
}

/** Name and password of a Basic header (RFC 7617); false when it is none. */
static bool basic(const char *auth, char *name, char *password, size_t size)
{
	unsigned char plain[512];
	char *colon;
	int n;

	if (!auth || strncasecmp(auth, "Basic ", 6))
		return false;
	auth += 6;
	auth += strspn(auth, " ");
	if (strlen(auth) > sizeof(plain) / 3 * 4 - 4)
		return false;
	n = EVP_DecodeBlock(plain, (const unsigned char *)auth,
			    (int)strlen(auth));
	if (n < 0)
		return false;
	plain[n] = '\0';
	colon = strchr((char *)plain, ':');
	if (!colon || (size_t)(colon - (char *)plain) >= size ||
	    strlen(colon + 1) >= size)
		return false;
	*colon = '\0';
	snprintf(name, size, "%s", (char *)plain);
	snprintf(password, size, "%s", colon + 1);
	OPENSSL_cleanse(plain, sizeof(plain));
	return true;
}

static void digest_of(const struct door *d, const char *auth,
		      unsigned char digest[DIGEST])
{
	unsigned n = DIGEST;

	HMAC(EVP_sha256(), d->key, sizeof(d->key), (const unsigned char *)auth,
	     strlen(auth), digest, &n);
}

/** The place of an address among those that guessed. Lock held. */
static size_t place(const struct door *d, const char *address)
{
	uint32_t h = 2166136261u;

	for (const char *p = address; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	(void)d;
	return h % ADDRESSES;
}

static bool may_try(struct door *d, const char *address)
{
	size_t i = place(d, address);
	uint64_t forgiven = (clock_mono_us() - d->tries[i].at_us) / FORGIVE_US;

	if (strcmp(d->tries[i].address, address))
		return true;
	return d->tries[i].wrong < TRIES + forgiven;
}

static void note_wrong(struct door *d, const char *address)
{
	size_t i = place(d, address);
	uint64_t now = clock_mono_us();
	uint64_t forgiven = (now - d->tries[i].at_us) / FORGIVE_US;

	if (strcmp(d->tries[i].address, address) ||
	    forgiven >= d->tries[i].wrong) {
		snprintf(d->tries[i].address, sizeof(d->tries[i].address), "%s",
			 address);
		d->tries[i].wrong = 0;
	} else {
		d->tries[i].wrong -= (unsigned)forgiven;
	}
	d->tries[i].wrong++;
	d->tries[i].at_us = now;
}

static const struct user *find(const struct door *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (!strcmp(d->users[i].name, name))
			return &d->users[i];
	return NULL;
}

/** Fills who from the user of that name. Lock held. */
static int admit(const struct door *d, const char *name, const char *address,
		 struct identity *who)
{
	const struct user *u = find(d, name);

	if (!u || copy_zones(&who->zones, u->zones, u->n_zones))
		return EACCES;
	who->n_zones = u->n_zones;
	who->role = u->role;
	snprintf(who->actor, sizeof(who->actor), "user:%s", name);
	snprintf(who->from, sizeof(who->from), "%s", address);
	return 0;
}

static bool remembered(const struct door *d, const unsigned char *digest,
		       char name[64])
{
	uint64_t now = clock_mono_us();

	for (size_t i = 0; i < REMEMBERED; i++)
		if (d->known[i].until_us > now &&
		    !CRYPTO_memcmp(d->known[i].digest, digest, DIGEST)) {
			memcpy(name, d->known[i].name, 64);
			return true;
		}
	return false;
}

static void remember(struct door *d, const unsigned char *digest,
		     const char *name)
{
	size_t i = d->next_known++ % REMEMBERED;

	memcpy(d->known[i].digest, digest, DIGEST);
	d->known[i].until_us = clock_mono_us() + REMEMBER_US;
	snprintf(d->known[i].name, sizeof(d->known[i].name), "%s", name);
}

static bool right(const char *password, const char *hash)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *got = data ? crypt_r(password, hash, data) : NULL;
	bool yes = got && strlen(got) == strlen(hash) &&
		   !CRYPTO_memcmp(got, hash, strlen(hash));

	if (data)
		OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return yes;
}

static int enter_remote(struct door *d, const char *auth, const char *address,
			struct identity *who)
{
	/* A hash for unknown names, so that they cost the same. */
	static const char dummy[] =
		"$y$j9T$bAh7qMHQGLlOVVcJk3eqF/"
		"$5vG1yv0B4ZvUZjvXzV7nRWhdIHVN6ycQvHQxTgCkY5D";
	unsigned char digest[DIGEST];
	char name[256], password[256], known[64];
	const struct user *u;
	char *hash;
	bool ok;

	if (!basic(auth, name, password, sizeof(name)))
		return EACCES;
	digest_of(d, auth, digest);
	pthread_mutex_lock(&d->lock);
	if (remembered(d, digest, known)) {
		int err = admit(d, known, address, who);

		pthread_mutex_unlock(&d->lock);
		return err;
	}
	if (!may_try(d, address)) {
		pthread_mutex_unlock(&d->lock);
		return EAGAIN;
	}
	u = find(d, name);
	hash = strdup(u ? u->hash : dummy);
	pthread_mutex_unlock(&d->lock);

	ok = hash && right(password, hash);
	free(hash);
	OPENSSL_cleanse(password, sizeof(password));

	pthread_mutex_lock(&d->lock);
	ok = ok && u && !admit(d, name, address, who);
	if (ok)
		remember(d, digest, name);
	else
		note_wrong(d, address);
	pthread_mutex_unlock(&d->lock);
	return ok ? 0 : EACCES;
}

int door_enter(struct door *d, bool local, int fd, const char *auth,
	       const char *address, struct identity *who)
{
	memset(who, 0, sizeof(*who));
	if (local) {
		enter_local(fd, who);
		return 0;
	}
	return enter_remote(d, auth, address, who);
}
