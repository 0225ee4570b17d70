/* The low level SHA1 functions allocate nothing, which EVP_MAC does. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "zones/engine/seal.h"

#include "zones/engine/packet.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define KEY 16
#define SALT 14
#define AUTH 20
#define BLOCK 64

struct seal {
	EVP_CIPHER_CTX *aes;
	SHA_CTX inner, outer; /**< HMAC, the key already taken in */
	uint8_t salt[SALT];
	uint8_t tag, mki_len, mki[MEDIA_SRTP_MAX_MKI];
};

/** XORs the key stream that begins at the counter block over n bytes. */
static bool run(EVP_CIPHER_CTX *aes, const uint8_t iv[16], uint8_t *p, size_t n)
{
	int done;

	return EVP_EncryptInit_ex(aes, NULL, NULL, NULL, iv) == 1 &&
	       EVP_EncryptUpdate(aes, p, &done, p, (int)n) == 1;
}

/** RFC 3711 4.3.1 with a key derivation rate of 0. */
static bool derive(EVP_CIPHER_CTX *aes, const uint8_t *salt, uint8_t label,
		   uint8_t *out, size_t n)
{
	uint8_t iv[16] = {0};

	memcpy(iv, salt, SALT);
	iv[7] ^= label;
	memset(out, 0, n);
	return run(aes, iv, out, n);
}

static void hmac_key(struct seal *s, const uint8_t key[AUTH])
{
	uint8_t pad[BLOCK];

	for (int i = 0; i < BLOCK; i++)
		pad[i] = (i < AUTH ? key[i] : 0) ^ 0x36;
	SHA1_Init(&s->inner);
	SHA1_Update(&s->inner, pad, BLOCK);
	for (int i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA1_Init(&s->outer);
	SHA1_Update(&s->outer, pad, BLOCK);
	OPENSSL_cleanse(pad, sizeof(pad));
}

int seal_alloc(struct seal **sp, const struct media_srtp *key)
{
	struct seal *s = calloc(1, sizeof(*s));
	uint8_t session[KEY], auth[AUTH];
	const uint8_t *salt = key->key + KEY;
	bool ok;

	if (!s)
		return ENOMEM;
	s->tag = key->tag;
	s->mki_len = key->mki_len;
	memcpy(s->mki, key->mki, sizeof(s->mki));
	s->aes = EVP_CIPHER_CTX_new();
	if (!s->aes) {
		free(s);
		return ENOMEM;
	}
	ok = EVP_EncryptInit_ex(s->aes, EVP_aes_128_ctr(), NULL, key->key,
				NULL) == 1 &&
	     derive(s->aes, salt, 0, session, sizeof(session)) &&
	     derive(s->aes, salt, 1, auth, sizeof(auth)) &&
	     derive(s->aes, salt, 2, s->salt, sizeof(s->salt)) &&
	     EVP_EncryptInit_ex(s->aes, NULL, NULL, session, NULL) == 1;
	if (ok)
		hmac_key(s, auth);
	OPENSSL_cleanse(session, sizeof(session));
	OPENSSL_cleanse(auth, sizeof(auth));
	if (!ok) {
		seal_free(s);
		return EIO;
	}
	*sp = s;
	return 0;
}

void seal_free(struct seal *s)
{
	if (!s)
		return;
	EVP_CIPHER_CTX_free(s->aes);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

/** Encrypts or decrypts the payload, which is the same. */
static bool cipher(struct seal *s, uint8_t *packet, size_t len)
{
	uint8_t iv[16] = {0};

	/* 4.1.1: salt, SSRC at 4, packet index (ROC 0, sequence) at 8. */
	memcpy(iv, s->salt, SALT);
	for (int i = 0; i < 4; i++)
		iv[4 + i] ^= packet[8 + i];
	iv[12] ^= packet[2];
	iv[13] ^= packet[3];
	return run(s->aes, iv, packet + PACKET_HEADER, len - PACKET_HEADER);
}

static void sign(const struct seal *s, const uint8_t *packet, size_t len,
		 uint8_t digest[SHA_DIGEST_LENGTH])
{
	static const uint8_t roc[4];
	SHA_CTX h = s->inner;

	SHA1_Update(&h, packet, len);
	SHA1_Update(&h, roc, sizeof(roc));
	SHA1_Final(digest, &h);
	h = s->outer;
	SHA1_Update(&h, digest, SHA_DIGEST_LENGTH);
	SHA1_Final(digest, &h);
}

size_t seal_packet(struct seal *s, uint8_t *packet, size_t len)
{
	uint8_t digest[SHA_DIGEST_LENGTH];

	/* Cannot fail: the cipher is set up. Were it to, silence it. */
	if (!cipher(s, packet, len))
		memset(packet + PACKET_HEADER, 0, len - PACKET_HEADER);
	sign(s, packet, len, digest);
	memcpy(packet + len, s->mki, s->mki_len);
	len += s->mki_len;
	memcpy(packet + len, digest, s->tag);
	return len + s->tag;
}

size_t seal_open(struct seal *s, uint8_t *packet, size_t len)
{
	const size_t more = (size_t)s->mki_len + s->tag;
	uint8_t digest[SHA_DIGEST_LENGTH];

	if (len < PACKET_HEADER + more)
		return 0;
	len -= more;
	sign(s, packet, len, digest);
	if (memcmp(packet + len, s->mki, s->mki_len) ||
	    CRYPTO_memcmp(packet + len + s->mki_len, digest, s->tag) ||
	    !cipher(s, packet, len))
		return 0;
	return len;
}
