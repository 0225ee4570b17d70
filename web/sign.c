#include "sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#define DIGEST 32

bool sign_key(struct sign_key *k, enum sign_scheme scheme, const char *secret)
{
	static const char prefix[] = "whsec_";
	const size_t n = strlen(secret);
	int got;

	*k = (struct sign_key){.scheme = scheme};
	if (!n || n >= sizeof(k->key))
		return false;
	if (scheme != SIGN_STANDARD ||
	    strncmp(secret, prefix, sizeof(prefix) - 1)) {
		memcpy(k->key, secret, n);
		k->n = n;
		return true;
	}
	secret += sizeof(prefix) - 1;
	got = EVP_DecodeBlock(k->key, (const unsigned char *)secret,
			      (int)strlen(secret));
	/* It counts what pads the end. */
	for (size_t i = strlen(secret); got > 0 && secret[i - 1] == '='; i--)
		got--;
	k->n = got > 0 ? (size_t)got : 0;
	return k->n;
}

static void digest_of(const struct sign_key *k, const struct sign_text *t,
		      unsigned char digest[DIGEST])
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *c = mac ? EVP_MAC_CTX_new(mac) : NULL;
	char sha256[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string("digest", sha256, 0),
		OSSL_PARAM_construct_end(),
	};
	size_t n = 0;

	memset(digest, 0, DIGEST);
	if (c && EVP_MAC_init(c, k->key, k->n, params)) {
		if (k->scheme == SIGN_STANDARD) {
			EVP_MAC_update(c, (const unsigned char *)t->id,
				       strlen(t->id));
			EVP_MAC_update(c, (const unsigned char *)".", 1);
		}
		EVP_MAC_update(c, (const unsigned char *)t->timestamp,
			       strlen(t->timestamp));
		EVP_MAC_update(c, (const unsigned char *)".", 1);
		if (t->len)
			EVP_MAC_update(c, t->body, t->len);
		EVP_MAC_final(c, digest, &n, DIGEST);
	}
	EVP_MAC_CTX_free(c);
	EVP_MAC_free(mac);
}

void sign_make(const struct sign_key *k, const struct sign_text *t,
	       char out[SIGN_SIZE])
{
	unsigned char digest[DIGEST];
	char *p = out;

	digest_of(k, t, digest);
	if (k->scheme == SIGN_STANDARD) {
		strcpy(out, "v1,");
		EVP_EncodeBlock((unsigned char *)out + 3, digest, DIGEST);
		return;
	}
	p += sprintf(p, "sha256=");
	for (size_t i = 0; i < DIGEST; i++)
		p += sprintf(p, "%02x", digest[i]);
}

bool sign_good(const struct sign_key *k, const struct sign_text *t,
	       const char *given)
{
	char right[SIGN_SIZE];
	bool good = false;
	size_t want;

	if (strlen(given) > SIGN_MAX_HEADER)
		return false;
	sign_make(k, t, right);
	want = strlen(right);
	while (*given) {
		const size_t n = strcspn(given, " ");

		good |= n == want && !CRYPTO_memcmp(given, right, want);
		given += n;
		given += strspn(given, " ");
	}
	OPENSSL_cleanse(right, sizeof(right));
	return good;
}
