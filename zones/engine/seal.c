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
	struct media_srtp key;
	/* What was sent last, where the rollover counter runs. */
	bool sent;
	uint32_t ssrc, roc;
	uint16_t seq;
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
	s->key = *key;
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

static void be32(uint8_t b[4], uint32_t v)
{
	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(v >> (24 - 8 * i));
}

/** Encrypts or decrypts the payload behind `head` bytes, which is the same. */
static bool cipher(struct seal *s, uint8_t *packet, size_t head, size_t len,
		   uint32_t roc)
{
	uint8_t iv[16] = {0}, high[4];

	/* 4.1.1: salt, SSRC at 4, packet index (ROC, sequence) at 8. */
	memcpy(iv, s->salt, SALT);
	be32(high, roc);
	for (int i = 0; i < 4; i++) {
		iv[4 + i] ^= packet[8 + i];
		iv[8 + i] ^= high[i];
	}
	iv[12] ^= packet[2];
	iv[13] ^= packet[3];
	return run(s->aes, iv, packet + head, len - head);
}

static void sign(const struct seal *s, const uint8_t *packet, size_t len,
		 uint32_t roc, uint8_t digest[SHA_DIGEST_LENGTH])
{
	SHA_CTX h = s->inner;
	uint8_t high[4];

	be32(high, roc);
	SHA1_Update(&h, packet, len);
	SHA1_Update(&h, high, sizeof(high));
	SHA1_Final(digest, &h);
	h = s->outer;
	SHA1_Update(&h, digest, SHA_DIGEST_LENGTH);
	SHA1_Final(digest, &h);
}

/** Of the packet that is to be sent (3.3.1). */
static uint32_t next_roc(struct seal *s, const uint8_t *packet)
{
	const uint16_t seq = packet_seq(packet);
	const uint32_t ssrc = packet_ssrc(packet);

	if (!s->key.rolls)
		return 0;
	if (!s->sent || s->ssrc != ssrc)
		s->roc = 0;
	else if (seq < s->seq)
		s->roc++;
	s->sent = true;
	s->ssrc = ssrc;
	s->seq = seq;
	return s->roc;
}

size_t seal_packet(struct seal *s, uint8_t *packet, size_t len)
{
	uint8_t digest[SHA_DIGEST_LENGTH];
	const uint32_t roc = next_roc(s, packet);

	/* Cannot fail: the cipher is set up. Were it to, silence it. */
	if (!cipher(s, packet, PACKET_HEADER, len, roc))
		memset(packet + PACKET_HEADER, 0, len - PACKET_HEADER);
	sign(s, packet, len, roc, digest);
	memcpy(packet + len, s->key.mki, s->key.mki_len);
	len += s->key.mki_len;
	memcpy(packet + len, digest, s->key.tag);
	return len + s->key.tag;
}

bool seal_alike(const struct seal *a, const struct seal *b)
{
	return a && b && a->key.rolls == b->key.rolls &&
	       a->key.tag == b->key.tag && a->key.mki_len == b->key.mki_len &&
	       !memcmp(a->key.mki, b->key.mki, a->key.mki_len) &&
	       !memcmp(a->key.key, b->key.key, sizeof(a->key.key));
}

bool seal_rolls(const struct seal *s)
{
	return s->key.rolls;
}

size_t seal_open(struct seal *s, uint8_t *packet, size_t len, uint32_t roc)
{
	const size_t more = (size_t)s->key.mki_len + s->key.tag;
	uint8_t digest[SHA_DIGEST_LENGTH];
	size_t head;

	if (len < PACKET_HEADER + more)
		return 0;
	len -= more;
	head = packet_head(packet, len);
	if (!head)
		return 0;
	sign(s, packet, len, roc, digest);
	if (memcmp(packet + len, s->key.mki, s->key.mki_len) ||
	    CRYPTO_memcmp(packet + len + s->key.mki_len, digest, s->key.tag) ||
	    !cipher(s, packet, head, len, roc))
		return 0;
	return len;
}
