#include "session.h"

#include "web.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM ((SESSION_TOKEN - 1) / 2)
#define SECOND UINT64_C(1000000)

struct session {
	unsigned char digest[SHA256_DIGEST_LENGTH]; /**< of the token */
	char csrf[SESSION_TOKEN];
	char *user, *hash; /**< NULL = no session */
	uint64_t begun_us, used_us;
};

struct sessions {
	struct session s[WEB_MAX_SESSIONS];
};

struct sessions *sessions_alloc(void)
{
	return calloc(1, sizeof(struct sessions));
}

static void end(struct session *x)
{
	free(x->user);
	free(x->hash);
	OPENSSL_cleanse(x, sizeof(*x));
}

struct sessions *sessions_free(struct sessions *s)
{
	for (size_t i = 0; s && i < WEB_MAX_SESSIONS; i++)
		end(&s->s[i]);
	free(s);
	return NULL;
}

static bool random_text(char text[SESSION_TOKEN])
{
	unsigned char raw[RANDOM];

	if (RAND_bytes(raw, sizeof(raw)) != 1)
		return false;
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(text + 2 * i, 3, "%02x", raw[i]);
	OPENSSL_cleanse(raw, sizeof(raw));
	return true;
}

static void digest_of(const char *token, unsigned char *digest)
{
	SHA256((const unsigned char *)token, strlen(token), digest);
}

static bool over(const struct session *x, uint64_t now_us)
{
	return now_us - x->used_us >= WEB_SESSION_IDLE_S * SECOND ||
	       now_us - x->begun_us >= WEB_SESSION_S * SECOND;
}

/** A free place, or the one to give up. */
static struct session *place(struct sessions *s, const char *user,
			     uint64_t now_us)
{
	struct session *free_one = NULL, *own = NULL, *any = NULL;
	size_t n = 0;

	for (size_t i = 0; i < WEB_MAX_SESSIONS; i++) {
		struct session *x = &s->s[i];

		if (x->user && over(x, now_us))
			end(x);
		if (!x->user) {
			free_one = x;
			continue;
		}
		if (!any || x->used_us < any->used_us)
			any = x;
		if (strcmp(x->user, user))
			continue;
		n++;
		if (!own || x->used_us < own->used_us)
			own = x;
	}
	if (n >= WEB_MAX_USER_SESSIONS)
		return own;
	return free_one ? free_one : any;
}

int session_open(struct sessions *s, const char *user, const char *hash,
		 uint64_t now_us, char token[SESSION_TOKEN])
{
	struct session new = {.begun_us = now_us, .used_us = now_us}, *x;
	int err = 0;

	if (!random_text(token) || !random_text(new.csrf))
		err = EIO;
	new.user = strdup(user);
	new.hash = strdup(hash);
	if (!err && (!new.user || !new.hash))
		err = ENOMEM;
	if (err) {
		end(&new);
		return err;
	}
	digest_of(token, new.digest);
	x = place(s, user, now_us);
	end(x);
	*x = new;
	return 0;
}

static struct session *find(struct sessions *s, const char *token)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	digest_of(token, digest);
	for (size_t i = 0; i < WEB_MAX_SESSIONS; i++)
		if (s->s[i].user &&
		    !CRYPTO_memcmp(s->s[i].digest, digest, sizeof(digest)))
			return &s->s[i];
	return NULL;
}

bool session_use(struct sessions *s, const char *token, uint64_t now_us,
		 struct session_view *v)
{
	struct session *x = find(s, token);
	uint64_t left;

	if (x && over(x, now_us)) {
		end(x);
		x = NULL;
	}
	if (!x)
		return false;
	x->used_us = now_us;
	left = WEB_SESSION_S - (now_us - x->begun_us) / SECOND;
	snprintf(v->user, sizeof(v->user), "%s", x->user);
	snprintf(v->csrf, sizeof(v->csrf), "%s", x->csrf);
	v->ends_s = (unsigned)left;
	v->idle_s =
		left < WEB_SESSION_IDLE_S ? (unsigned)left : WEB_SESSION_IDLE_S;
	return true;
}

void session_close(struct sessions *s, const char *token)
{
	struct session *x = find(s, token);

	if (x)
		end(x);
}

void sessions_keep(struct sessions *s,
		   bool (*still)(const char *user, const char *hash, void *arg),
		   void *arg)
{
	for (size_t i = 0; i < WEB_MAX_SESSIONS; i++)
		if (s->s[i].user && !still(s->s[i].user, s->s[i].hash, arg))
			end(&s->s[i]);
}
