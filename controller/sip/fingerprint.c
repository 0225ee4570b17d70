#include "fingerprint.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* RFC 8122 5: MD2, MD5 must not be used; SHA-1 can be forged by now. */
static const struct {
	const char *name;
	uint8_t len;
	const EVP_MD *(*md)(void);
} hashes[] = {
	{"sha-256", 32, EVP_sha256},
	{"sha-384", 48, EVP_sha384},
	{"sha-512", 64, EVP_sha512},
};

#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

/** One of its bytes; below 0 when it is none. */
static int hex_byte(const char *p)
{
	static const char digits[] = "0123456789abcdef";
	int v = 0;

	for (unsigned i = 0; i < 2; i++) {
		const char *d =
			p[i] ? strchr(digits, tolower((unsigned char)p[i]))
			     : NULL;

		if (!d)
			return -1;
		v = v << 4 | (int)(d - digits);
	}
	return v;
}

bool fingerprint_read(struct fingerprint *f, const char *value)
{
	const size_t n = strcspn(value, " ");
	unsigned h = 0;

	memset(f, 0, sizeof(*f));
	while (h < HASHES && (strlen(hashes[h].name) != n ||
			      strncasecmp(value, hashes[h].name, n)))
		h++;
	if (h == HASHES)
		return false;
	value += n + strspn(value + n, " ");
	for (f->len = 0; f->len < hashes[h].len; f->len++) {
		const int byte = hex_byte(value);

		if (byte < 0)
			return false;
		f->bytes[f->len] = (uint8_t)byte;
		value += 2;
		if (f->len + 1 < hashes[h].len && *value++ != ':')
			return false;
	}
	if (value[strspn(value, " \t\r\n")])
		return false;
	f->hash = hashes[h].name;
	return true;
}

void fingerprint_print(char text[FINGERPRINT_SIZE], const struct fingerprint *f)
{
	size_t n = (size_t)snprintf(text, FINGERPRINT_SIZE, "%s ", f->hash);

	for (unsigned i = 0; i < f->len; i++)
		n += (size_t)snprintf(text + n, FINGERPRINT_SIZE - n, "%s%02X",
				      i ? ":" : "", f->bytes[i]);
}

static bool digest(struct fingerprint *f, const X509 *cert, unsigned h)
{
	unsigned len = 0;

	*f = (struct fingerprint){.hash = hashes[h].name, .len = hashes[h].len};
	return X509_digest(cert, hashes[h].md(), f->bytes, &len) == 1 &&
	       len == hashes[h].len;
}

bool fingerprint_of(struct fingerprint *f, const X509 *cert)
{
	return digest(f, cert, 0);
}

bool fingerprint_fits(const struct fingerprint *f, const X509 *cert)
{
	struct fingerprint theirs;

	for (unsigned h = 0; f->hash && h < HASHES; h++)
		if (!strcmp(f->hash, hashes[h].name))
			return digest(&theirs, cert, h) &&
			       fingerprint_equal(f, &theirs);
	return false;
}

bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
	return a->hash && b->hash && a->len == b->len &&
	       !strcmp(a->hash, b->hash) && !memcmp(a->bytes, b->bytes, a->len);
}
