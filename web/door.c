/*
 * Who comes in: the Unix socket's peers by their credentials, everybody else
 * by HTTP Basic against crypt(5) hashes, or by a session that such a password
 * opened; machines by tokens, which are random enough to be kept by a quick
 * digest and looked up at once.
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
#include <openssl/sha.h>
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
	bool token;
	enum web_role role;
	unsigned scopes;
	int64_t expires_s;
	int *zones, *messages;
	size_t n_zones, n_messages;
	struct web_token_use use;
};

struct users {
	struct user *v;
	size_t n;
};

struct door {
	pthread_mutex_t lock;
	struct users people, machines;
	unsigned char key[DIGEST];
	struct {
		unsigned char digest[DIGEST];
		uint64_t until_us;
		size_t user;
	} known[REMEMBERED];
	size_t next_known;
	uint64_t ahead_us[PLACES];
	struct sessions *sessions;
};

struct door_try {
	char name[256], password[256];
	unsigned char digest[DIGEST];
	size_t place;
	bool login; /**< opens a session */
};

int door_alloc(struct door **dp)
{
	struct door *d = calloc(1, sizeof(*d));

	if (!d)
		return ENOMEM;
	pthread_mutex_init(&d->lock, NULL);
	d->sessions = sessions_alloc();
	if (!d->sessions) {
		door_free(d);
		return ENOMEM;
	}
	if (RAND_bytes(d->key, sizeof(d->key)) != 1) {
		door_free(d);
		return EIO;
	}
	*dp = d;
	return 0;
}

static void users_reset(struct users *u)
{
	for (size_t i = 0; i < u->n; i++) {
		free(u->v[i].name);
		free(u->v[i].hash);
		free(u->v[i].zones);
		free(u->v[i].messages);
	}
	free(u->v);
	memset(u, 0, sizeof(*u));
}

struct door *door_free(struct door *d)
{
	if (!d)
		return NULL;
	users_reset(&d->people);
	users_reset(&d->machines);
	sessions_free(d->sessions);
	OPENSSL_cleanse(d->key, sizeof(d->key));
	pthread_mutex_destroy(&d->lock);
	free(d);
	return NULL;
}

static int copy_list(int **to, const int *from, size_t n)
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

static struct user *find_in(const struct users *u, const char *name)
{
	for (size_t i = 0; i < u->n; i++)
		if (!strcmp(u->v[i].name, name))
			return &u->v[i];
	return NULL;
}

static const struct user *find(const struct door *d, const char *name)
{
	return find_in(&d->people, name);
}

static bool still(const char *name, const char *hash, void *arg)
{
	const struct user *u = find(arg, name);

	return u && !strcmp(u->hash, hash);
}

/** Takes those that are tokens, or that are not; ENOMEM leaves some. */
static int users_copy(struct users *to, const struct web_user *from, size_t n,
		      bool token)
{
	int err = 0;

	to->v = calloc(n + 1, sizeof(*to->v));
	if (!to->v)
		return ENOMEM;
	for (size_t i = 0; !err && i < n; i++) {
		const struct web_user *x = &from[i];
		struct user *u = &to->v[to->n];

		if (x->token != token)
			continue;
		to->n++;
		u->name = strdup(x->name);
		u->hash = strdup(x->password_hash);
		u->token = token;
		u->role = x->role;
		u->scopes = x->scopes;
		u->expires_s = x->expires_s;
		u->n_zones = x->n_zones;
		u->n_messages = x->n_messages;
		if (!u->name || !u->hash ||
		    copy_list(&u->zones, x->zones, x->n_zones) ||
		    copy_list(&u->messages, x->messages, x->n_messages))
			err = ENOMEM;
	}
	return err;
}

int door_users(struct door *d, const struct web_user *users, size_t n)
{
	struct users people = {0}, machines = {0}, was[2];

	if (users_copy(&people, users, n, false) ||
	    users_copy(&machines, users, n, true)) {
		users_reset(&people);
		users_reset(&machines);
		return ENOMEM;
	}
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < machines.n; i++) {
		const struct user *old =
			find_in(&d->machines, machines.v[i].name);

		if (old && !strcmp(old->hash, machines.v[i].hash))
			machines.v[i].use = old->use;
	}
	was[0] = d->people;
	was[1] = d->machines;
	d->people = people;
	d->machines = machines;
	/* A password that was changed must not be remembered. */
	memset(d->known, 0, sizeof(d->known));
	sessions_keep(d->sessions, still, d);
	pthread_mutex_unlock(&d->lock);
	users_reset(&was[0]);
	users_reset(&was[1]);
	return 0;
}

void door_used(struct door *d, const char *name, struct web_token_use *use)
{
	const struct user *u;

	memset(use, 0, sizeof(*use));
	pthread_mutex_lock(&d->lock);
	u = find_in(&d->machines, name);
	if (u)
		*use = u->use;
	pthread_mutex_unlock(&d->lock);
}

void identity_reset(struct identity *who)
{
	free(who->zones);
	free(who->messages);
	memset(who, 0, sizeof(*who));
}

void identity_role(struct identity *who, enum web_role role)
{
	who->role = role;
	who->scopes = role == WEB_ADMIN      ? SCOPES_ADMIN
		      : role == WEB_OPERATOR ? SCOPES_OPERATOR
					     : SCOPES_VIEWER;
}

/** What is asked of a role (may a message of an alarm be changed?) is of the
 *  one that has as much. */
static void identity_scopes(struct identity *who, unsigned scopes)
{
	who->scopes = scopes;
	who->role = scopes & SCOPE_ADMIN     ? WEB_ADMIN
		    : scopes & SCOPES_ACTING ? WEB_OPERATOR
					     : WEB_VIEWER;
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

/** Fills who from the user. Lock held. */
static int admit(const struct user *u, struct identity *who)
{
	if (copy_list(&who->zones, u->zones, u->n_zones) ||
	    copy_list(&who->messages, u->messages, u->n_messages))
		return EACCES;
	who->n_zones = u->n_zones;
	who->n_messages = u->n_messages;
	if (u->token)
		identity_scopes(who, u->scopes);
	else
		identity_role(who, u->role);
	snprintf(who->actor, sizeof(who->actor), "%s:%s",
		 u->token ? "token" : "user", u->name);
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
			return &d->people.v[d->known[i].user];
	return NULL;
}

static void remember(struct door *d, const unsigned char *digest,
		     const struct user *u)
{
	size_t i = d->next_known++ % REMEMBERED;

	memcpy(d->known[i].digest, digest, DIGEST);
	d->known[i].until_us = clock_mono_us() + REMEMBER_US;
	d->known[i].user = (size_t)(u - d->people.v);
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

/** Where the tries of a source are counted. */
static size_t place_of(const struct door *d, const char *source)
{
	unsigned char where[DIGEST];

	digest_of(d, source, where);
	return (where[0] | where[1] << 8) % PLACES;
}

/** Counts a try of a source, or frees it when there were too many. Lock held.
 */
static int count(struct door *d, const char *source, struct door_try *t,
		 struct door_try **tp)
{
	t->place = place_of(d, source);
	if (!take_try(&d->ahead_us[t->place])) {
		door_try_free(t);
		return EAGAIN;
	}
	*tp = t;
	return EINPROGRESS;
}

/** What is to be hashed for these credentials. Lock held. */
static int prepare(struct door *d, const char *auth, const char *source,
		   const unsigned char *digest, struct door_try **tp)
{
	struct door_try *t = calloc(1, sizeof(*t));

	if (!t || !basic(auth, t)) {
		door_try_free(t);
		return EACCES;
	}
	memcpy(t->digest, digest, DIGEST);
	return count(d, source, t, tp);
}

/** "sha256:" and the digest of a token. */
static void token_hash(const char *token, char hash[80])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	size_t n = (size_t)snprintf(hash, 80, "sha256:");

	SHA256((const unsigned char *)token, strlen(token), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		n += (size_t)snprintf(hash + n, 80 - n, "%02x", digest[i]);
}

/** By a token. One that is right always comes in: nobody guesses 256 bits, and
 *  a machine must not be locked out by what else sends wrong ones behind its
 *  address. Lock held. */
static int enter_token(struct door *d, const char *token, const char *source,
		       struct identity *who)
{
	const int64_t now = clock_wall_us();
	char hash[80];

	token_hash(token, hash);
	for (size_t i = 0; i < d->machines.n; i++) {
		struct user *u = &d->machines.v[i];

		if (strlen(u->hash) != strlen(hash) ||
		    CRYPTO_memcmp(u->hash, hash, strlen(hash)))
			continue;
		if (!u->expires_s || now / 1000000 < u->expires_s) {
			u->use.at_us = now;
			snprintf(u->use.from, sizeof(u->use.from), "%s",
				 source);
			return admit(u, who);
		}
		snprintf(who->actor, sizeof(who->actor), "token:%s", u->name);
		return take_try(&d->ahead_us[place_of(d, source)]) ? EKEYEXPIRED
								   : EAGAIN;
	}
	snprintf(who->actor, sizeof(who->actor), "token:?");
	return take_try(&d->ahead_us[place_of(d, source)]) ? EKEYREJECTED
							   : EAGAIN;
}

int door_enter(struct door *d, const char *auth, const char *source,
	       struct identity *who, struct door_try **t)
{
	unsigned char digest[DIGEST];
	const struct user *u;
	int err;

	if (!auth)
		return EACCES;
	if (!strncasecmp(auth, "Bearer ", 7)) {
		pthread_mutex_lock(&d->lock);
		err = enter_token(d, auth + 7 + strspn(auth + 7, " "), source,
				  who);
		pthread_mutex_unlock(&d->lock);
		return err;
	}
	digest_of(d, auth, digest);
	pthread_mutex_lock(&d->lock);
	u = remembered(d, digest);
	if (u)
		err = admit(u, who);
	else
		err = d->people.n ? prepare(d, auth, source, digest, t)
				  : EACCES;
	pthread_mutex_unlock(&d->lock);
	return err;
}

int door_login(struct door *d, const char *name, const char *password,
	       const char *source, struct door_try **tp)
{
	struct door_try *t = calloc(1, sizeof(*t));
	int err = EACCES;

	if (!t || strlen(name) >= sizeof(t->name) ||
	    strlen(password) >= sizeof(t->password)) {
		door_try_free(t);
		return EACCES;
	}
	t->login = true;
	snprintf(t->name, sizeof(t->name), "%s", name);
	snprintf(t->password, sizeof(t->password), "%s", password);
	pthread_mutex_lock(&d->lock);
	if (d->people.n)
		err = count(d, source, t, tp);
	pthread_mutex_unlock(&d->lock);
	if (err == EACCES)
		door_try_free(t);
	return err;
}

int door_session(struct door *d, const char *token, struct session_view *v,
		 struct identity *who)
{
	const struct user *u = NULL;
	int err = EACCES;

	pthread_mutex_lock(&d->lock);
	if (session_use(d->sessions, token, clock_mono_us(), v))
		u = find(d, v->user);
	if (u)
		err = admit(u, who);
	pthread_mutex_unlock(&d->lock);
	return err;
}

void door_logout(struct door *d, const char *token)
{
	pthread_mutex_lock(&d->lock);
	session_close(d->sessions, token);
	pthread_mutex_unlock(&d->lock);
}

int door_verify(struct door *d, const struct door_try *t, struct identity *who,
		char token[SESSION_TOKEN])
{
	const struct user *u;
	char *hash = NULL;
	bool known, ok;
	int err = 0;

	pthread_mutex_lock(&d->lock);
	u = find(d, t->name);
	known = u != NULL;
	/* An unknown name costs what a known one does. */
	if (d->people.n)
		hash = strdup((u ? u : &d->people.v[0])->hash);
	pthread_mutex_unlock(&d->lock);

	ok = hash && right(t->password, hash) && known;

	pthread_mutex_lock(&d->lock);
	/* Users may have changed meanwhile: it must still be this password. */
	u = ok ? find(d, t->name) : NULL;
	ok = u && !strcmp(u->hash, hash) && !admit(u, who);
	if (ok) {
		d->ahead_us[t->place] -= FORGIVE_US;
		if (t->login)
			err = session_open(d->sessions, u->name, u->hash,
					   clock_mono_us(), token);
		else
			remember(d, t->digest, u);
	}
	pthread_mutex_unlock(&d->lock);
	free(hash);
	if (!ok) {
		snprintf(who->actor, sizeof(who->actor), "user:%.70s", t->name);
		text_clean(who->actor);
		err = EACCES;
	}
	return err;
}
