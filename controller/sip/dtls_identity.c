/*
 * Who we are in a DTLS handshake: one key and one certificate, signed by
 * itself, and what we take from others.
 */
#include "controller/sip/dtls_internal.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

/* It is told by its fingerprint, not by its dates; a clock that is wrong at
 * first must not matter. */
#define BEFORE_S (365L * 24 * 3600)
#define AFTER_S (30L * BEFORE_S)

struct dtls_identity {
	SSL_CTX *ctx;
	struct fingerprint fingerprint;
};

static void destructor(void *arg)
{
	struct dtls_identity *id = arg;

	SSL_CTX_free(id->ctx);
}

/* Who it is, its fingerprint says, which is compared when all is said. */
static int any_certificate(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static X509 *certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;
	uint64_t serial = 0;

	if (name && RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1 &&
	    X509_set_version(cert, X509_VERSION_3) &&
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), -BEFORE_S) &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), AFTER_S) &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				       (const unsigned char *)"call", -1, -1,
				       0) &&
	    X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key) &&
	    X509_sign(cert, key, EVP_sha256()))
		return cert;
	X509_free(cert);
	return NULL;
}

static int set_up(struct dtls_identity *id)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? certificate(key) : NULL;
	const bool ok =
		cert && fingerprint_of(&id->fingerprint, cert) &&
		SSL_CTX_use_certificate(id->ctx, cert) == 1 &&
		SSL_CTX_use_PrivateKey(id->ctx, key) == 1 &&
		SSL_CTX_set_min_proto_version(id->ctx, DTLS1_2_VERSION) &&
		SSL_CTX_set_cipher_list(
			id->ctx, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES") &&
		/* 0 is fine here, and only here */
		!SSL_CTX_set_tlsext_use_srtp(
			id->ctx,
			"SRTP_AES128_CM_SHA1_80:SRTP_AES128_CM_SHA1_32");

	X509_free(cert);
	EVP_PKEY_free(key);
	return ok ? 0 : EIO;
}

int dtls_identity_alloc(struct dtls_identity **ip)
{
	struct dtls_identity *id = mem_zalloc(sizeof(*id), destructor);
	int err;

	if (!id)
		return ENOMEM;
	id->ctx = SSL_CTX_new(DTLS_method());
	if (!id->ctx) {
		mem_deref(id);
		return ENOMEM;
	}
	SSL_CTX_set_options(id->ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET |
					     SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(id->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(id->ctx,
			   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   any_certificate);
	err = set_up(id);
	if (err)
		mem_deref(id);
	else
		*ip = id;
	return err;
}

const struct fingerprint *
dtls_identity_fingerprint(const struct dtls_identity *id)
{
	return &id->fingerprint;
}

SSL_CTX *dtls_identity_ctx(struct dtls_identity *id)
{
	return id->ctx;
}
