/*
 * Who comes in: the Unix socket's peers by their credentials, everybody else
 * by HTTP Basic against crypt(5) hashes.
 *
 * A right password is remembered for a minute under a keyed digest, so that a
 * slow hash is not paid for each request; a wrong one always pays it, as does
 * an unknown name, and each source has a bounded number of tries. Hashing is
 * never done in libmicrohttpd's threads.
 */
#include "internal.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"

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

#define REMEMBER_US 60000000
#define REMEMBERED 64
/** Wrong passwords a source may send, and how soon one is forgiven. */
#define TRIES 5
#define FORGIVE_US 12000000
#define PLACES 1024
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
		size_t user;
	} known[REMEMBERED];
	size_t next_known;
	uint64_t ahead_us[PLACES];
};

struct door_try {
	char name[256], password[256];
	unsigned char digest[DIGEST];
	size_t place;
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

void door_local(int fd, char *actor, size_t size)
{
	struct ucred c;
	socklen_t n = sizeof(c);
	struct passwd pw, *p = NULL;
	char buf[1024];

	*actor = '\0';
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n))
		return;
	/* No directory service is asked for the name everybody knows. */
	if (!c.uid)
		snprintf(actor, size, "unix:root");
	else if (!getpwuid_r(c.uid, &pw, buf, sizeof(buf), &p) && p)
		snprintf(actor, size, "unix:%s", p->pw_name);
	else
		snprintf(actor, size, "unix:uid=%u", (unsigned)c.uid);
	text_clean(actor);
}

/** Name and password of a Basic header (RFC 7617); false when it is none. */
static bool basic(const char *auth, struct door_try *t)
{
	unsigned char plain[512];
	size_t len, n;
	char *colon;
	bool ok;
	int got;

	if (!auth || strncasecmp(auth, "Basic ", 6))
		return false;
	auth += 6;
	auth += strspn(auth, " ");
	len = strlen(auth);
	if (len > sizeof(plain) / 3 * 4 - 4)
		return false;
	got = EVP_DecodeBlock(plain, (const unsigned char *)auth, (int)len);
	if (got < 0)
		return false;
	n = (size_t)got;
	/* It counts what pads the end. */
	for (; n && len && auth[len - 1] == '='; len--)
		n--;
	plain[n] = '\0';
	colon = strchr((char *)plain, ':');
	/* A password with a NUL in it is not compared by half. */
	ok = colon && strlen((char *)plain) == n &&
	     (size_t)(colon - (char *)plain) < sizeof(t->name) &&
	     strlen(colon + 1) < sizeof(t->password);
	if (ok) {
		*colon = '\0';
		snprintf(t->name, sizeof(t->name), "%s", (char *)plain);
		snprintf(t->password, sizeof(t->password), "%s", colon + 1);
	}
	OPENSSL_cleanse(plain, sizeof(plain));
	return ok;
}

static void digest_of(const struct door *d, const char *text,
		      unsigned char digest[DIGEST])
{
	unsigned n = DIGEST;

	HMAC(EVP_sha256(), d->key, sizeof(d->key), (const unsigned char *)text,
	     strlen(text), digest, &n);
}

/* Tries are counted as a time that runs ahead of the clock, one step a try.
 * Sources that fall on one place share it: nobody gains by colliding, and by
 * the keyed digest nobody can choose whom to collide with. */

static bool take_try(uint64_t *ahead_us)
{
	uint64_t now = clock_mono_us();
	uint64_t t = *ahead_us > now ? *ahead_us : now;

	if (t - now > (TRIES - 1) * FORGIVE_US)
		return false;
	*ahead_us = t + FORGIVE_US;
	return true;
}

static const struct user *find(const struct door *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (!strcmp(d->users[i].name, name))
			return &d->users[i];
	return NULL;
}

/** Fills who from the user. Lock held. */
static int admit(const struct user *u, struct identity *who)
{
	if (copy_zones(&who->zones, u->zones, u->n_zones))
		return EACCES;
	who->n_zones = u->n_zones;
	who->role = u->role;
	snprintf(who->actor, sizeof(who->actor), "user:%s", u->name);
	text_clean(who->actor);
	return 0;
}

static const struct user *remembered(const struct door *d,
				     const unsigned char *digest)
{
	uint64_t now = clock_mono_us();

	for (size_t i = 0; i < REMEMBERED; i++)
		if (d->known[i].until_us > now &&
		    !CRYPTO_memcmp(d->known[i].digest, digest, DIGEST))
			return &d->users[d->known[i].user];
	return NULL;
}

static void remember(struct door *d, const unsigned char *digest,
		     const struct user *u)
{
	size_t i = d->next_known++ % REMEMBERED;

	memcpy(d->known[i].digest, digest, DIGEST);
	d->known[i].until_us = clock_mono_us() + REMEMBER_US;
	d->known[i].user = (size_t)(u - d->users);
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

struct door_try *door_try_free(struct door_try *t)
{
	if (t)
		OPENSSL_cleanse(t, sizeof(*t));
	free(t);
	return NULL;
}

/** What is to be hashed for these credentials. Lock held. */
static int prepare(struct door *d, const char *auth, const char *source,
		   const unsigned char *digest, struct door_try **tp)
{
	struct door_try *t = calloc(1, sizeof(*t));
	unsigned char where[DIGEST];

	if (!t || !basic(auth, t)) {
		door_try_free(t);
		return EACCES;
	}
	digest_of(d, source, where);
	t->place = (where[0] | where[1] << 8) % PLACES;
	if (!take_try(&d->ahead_us[t->place])) {
		door_try_free(t);
		return EAGAIN;
	}
	memcpy(t->digest, digest, DIGEST);
	*tp = t;
	return EINPROGRESS;
}

int door_enter(struct door *d, const char *auth, const char *source,
	       struct identity *who, struct door_try **t)
{
	unsigned char digest[DIGEST];
	const struct user *u;
	int err;

	if (!auth)
		return EACCES;
	digest_of(d, auth, digest);
	pthread_mutex_lock(&d->lock);
	u = remembered(d, digest);
	if (u)
		err = admit(u, who);
	else
		err = d->n ? prepare(d, auth, source, digest, t) : EACCES;
	pthread_mutex_unlock(&d->lock);
	return err;
}

int door_verify(struct door *d, const struct door_try *t, struct identity *who)
{
	const struct user *u;
	char *hash = NULL;
	bool known, ok;

	pthread_mutex_lock(&d->lock);
	u = find(d, t->name);
	known = u != NULL;
	/* An unknown name costs what a known one does. */
	if (d->n)
		hash = strdup((u ? u : &d->users[0])->hash);
	pthread_mutex_unlock(&d->lock);

	ok = hash && right(t->password, hash) && known;

	pthread_mutex_lock(&d->lock);
	/* Users may have changed meanwhile: it must still be this password. */
	u = ok ? find(d, t->name) : NULL;
	ok = u && !strcmp(u->hash, hash) && !admit(u, who);
	if (ok) {
		remember(d, t->digest, u);
		d->ahead_us[t->place] -= FORGIVE_US;
	}
	pthread_mutex_unlock(&d->lock);
	free(hash);
	return ok ? 0 : EACCES;
}
