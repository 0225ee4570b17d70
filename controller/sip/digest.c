#include "digest.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ----------------------------------------------------------------- decoding */

bool digest_equal(struct digest_text t, const char *s)
{
	return t.p && t.len == strlen(s) && !memcmp(t.p, s, t.len);
}

static bool equal_nocase(struct digest_text t, const char *s)
{
	return t.p && t.len == strlen(s) && !strncasecmp(t.p, s, t.len);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c && strchr("-.!%*_+`'~", c));
}

struct cursor {
	const char *p, *end;
};

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && is_space(*c->p))
		c->p++;
}

static bool skip(struct cursor *c, char ch)
{
	skip_space(c);
	if (c->p == c->end || *c->p != ch)
		return false;
	c->p++;
	skip_space(c);
	return true;
}

static struct digest_text token(struct cursor *c)
{
	struct digest_text t = {c->p, 0};

	while (c->p < c->end && is_token(*c->p))
		c->p++;
	t.len = (size_t)(c->p - t.p);
	return t;
}

/* No name, nonce or hash of ours needs a quoted pair: one with it is none. */
static bool quoted(struct cursor *c, struct digest_text *t)
{
	t->p = ++c->p;
	while (c->p < c->end && *c->p != '"') {
		if (*c->p == '\\' || (unsigned char)*c->p < ' ')
			return false;
		c->p++;
	}
	if (c->p == c->end)
		return false;
	t->len = (size_t)(c->p++ - t->p);
	return true;
}

static bool value(struct cursor *c, struct digest_text *t)
{
	if (c->p < c->end && *c->p == '"')
		return quoted(c, t);
	*t = token(c);
	return t->len > 0;
}

static struct digest_text *part(struct digest_answer *a,
				struct digest_text name)
{
	const struct {
		const char *name;
		struct digest_text *to;
	} parts[] = {
		{"username", &a->user},     {"realm", &a->realm},
		{"nonce", &a->nonce},       {"uri", &a->uri},
		{"response", &a->response}, {"algorithm", &a->algorithm},
		{"cnonce", &a->cnonce},     {"nc", &a->nc},
		{"qop", &a->qop},           {"opaque", &a->opaque},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (equal_nocase(name, parts[i].name))
			return parts[i].to;
	return NULL;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static bool read_hex(struct digest_text t, uint64_t *to)
{
	*to = 0;
	for (size_t i = 0; i < t.len; i++) {
		const int d = hex_digit(t.p[i]);

		if (d < 0)
			return false;
		*to = *to << 4 | (uint64_t)d;
	}
	return t.len > 0 && t.len <= 16;
}

/* All parts are there and in order? */
static bool complete(struct digest_answer *a)
{
	uint64_t count = 0;

	if (!a->user.len || !a->realm.p || !a->nonce.len || !a->uri.len)
		return false;
	if (a->algorithm.p && equal_nocase(a->algorithm, "SHA-256"))
		a->sha256 = true;
	else if (a->algorithm.p && !equal_nocase(a->algorithm, "MD5"))
		return false;
	if (a->response.len != (a->sha256 ? 64 : 32))
		return false;
	if (!a->qop.p)
		return !a->nc.p;
	if (!equal_nocase(a->qop, "auth") || !a->cnonce.len || a->nc.len != 8 ||
	    !read_hex(a->nc, &count) || !count)
		return false;
	a->count = (uint32_t)count;
	return true;
}

bool digest_decode(struct digest_answer *a, const char *p, size_t len)
{
	struct cursor c = {p, p + len};

	memset(a, 0, sizeof(*a));
	skip_space(&c);
	if (!equal_nocase(token(&c), "Digest") || c.p == c.end ||
	    !is_space(*c.p))
		return false;
	skip_space(&c);
	do {
		const struct digest_text name = token(&c);
		struct digest_text *to = part(a, name), ignored = {NULL, 0};

		if (!name.len || (to && to->p) || !skip(&c, '=') ||
		    !value(&c, to ? to : &ignored))
			return false;
	} while (skip(&c, ','));
	return c.p == c.end && complete(a);
}

/* ------------------------------------------------------------------ hashing */

static const char digits[] = "0123456789abcdef";

static void to_hex(char *hex, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		*hex++ = digits[p[i] >> 4];
		*hex++ = digits[p[i] & 15];
	}
	*hex = '\0';
}

/* The hash of the parts with ":" between them. */
static bool hash(char hex[DIGEST_HEX_SIZE], bool sha256,
		 const struct digest_text *v, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool ok;

	ok = ctx &&
	     EVP_DigestInit_ex(ctx, sha256 ? EVP_sha256() : EVP_md5(), NULL);
	for (size_t i = 0; ok && i < n; i++)
		ok = (!i || EVP_DigestUpdate(ctx, ":", 1)) &&
		     EVP_DigestUpdate(ctx, v[i].p, v[i].len);
	ok = ok && EVP_DigestFinal_ex(ctx, md, &len);
	if (ok)
		to_hex(hex, md, len);
	EVP_MD_CTX_free(ctx);
	return ok;
}

static struct digest_text text(const char *s)
{
	return (struct digest_text){s, strlen(s)};
}

bool digest_response(const struct digest_answer *a, const char *method,
		     size_t method_len, const char *password,
		     char hex[DIGEST_HEX_SIZE])
{
	const struct digest_text secret[] = {a->user, a->realm, text(password)};
	const struct digest_text what[] = {{method, method_len}, a->uri};
	char ha1[DIGEST_HEX_SIZE], ha2[DIGEST_HEX_SIZE];
	bool ok;

	if (!hash(ha1, a->sha256, secret, 3) || !hash(ha2, a->sha256, what, 2))
		return false;
	if (a->count) {
		const struct digest_text v[] = {text(ha1), a->nonce, a->nc,
						a->cnonce, a->qop,   text(ha2)};

		ok = hash(hex, a->sha256, v, 6);
	} else {
		const struct digest_text v[] = {text(ha1), a->nonce, text(ha2)};

		ok = hash(hex, a->sha256, v, 3);
	}
	OPENSSL_cleanse(ha1, sizeof(ha1));
	return ok;
}

bool digest_matches(const struct digest_answer *a, const char *method,
		    size_t method_len, const char *password)
{
	char all[DIGEST_HEX_SIZE], given[DIGEST_HEX_SIZE];

	if (!digest_response(a, method, method_len, password, all))
		return false;
	for (size_t i = 0; i < a->response.len; i++) {
		const char c = a->response.p[i];

		given[i] = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
	}
	return !CRYPTO_memcmp(all, given, a->response.len);
}

/* ------------------------------------------------------------------- nonces */

int nonces_init(struct nonces *n)
{
	memset(n, 0, sizeof(*n));
	return RAND_bytes(n->secret, sizeof(n->secret)) == 1 ? 0 : EIO;
}

/* When and which: 24 digits. */
#define HEAD 24

/* Over when and which, and the address without its port. */
static bool mac(const struct nonces *n, const char head[HEAD],
		const struct sockaddr *sa, char hex[33])
{
	uint8_t data[HEAD + 16] = {0}, md[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	memcpy(data, head, HEAD);
	if (sa->sa_family == AF_INET)
		memcpy(data + HEAD, &((const struct sockaddr_in *)sa)->sin_addr,
		       4);
	else
		memcpy(data + HEAD,
		       &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
	if (!HMAC(EVP_sha256(), n->secret, sizeof(n->secret), data,
		  sizeof(data), md, &len))
		return false;
	to_hex(hex, md, 16);
	return true;
}

/* Turns when and which to what nobody else can read, and back: how long we run
 * and how often we are asked is told to no stranger. By its MAC, of another
 * length than what that is made of, each nonce has a mask of its own. */
static bool mask(const struct nonces *n, const char hex[32], uint64_t *at_ms,
		 uint64_t *id)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	uint64_t of_at;
	uint32_t of_id;
	unsigned len = 0;

	if (!HMAC(EVP_sha256(), n->secret, sizeof(n->secret),
		  (const uint8_t *)hex, 32, md, &len))
		return false;
	memcpy(&of_at, md, sizeof(of_at));
	memcpy(&of_id, md + sizeof(of_at), sizeof(of_id));
	*at_ms ^= of_at;
	*id ^= of_id;
	return true;
}

static void print_head(char head[HEAD + 1], uint64_t at_ms, uint64_t id)
{
	snprintf(head, HEAD + 1, "%016llx%08x", (unsigned long long)at_ms,
		 (uint32_t)id);
}

void nonce_make(struct nonces *n, const struct sockaddr *sa, uint64_t now_ms,
		char buf[DIGEST_NONCE_SIZE])
{
	/* A hash that fails leaves a nonce that nothing matches. */
	uint64_t at = now_ms, id = n->next++;
	char hex[33] = "";

	print_head(buf, at, id);
	if (!mac(n, buf, sa, hex) || !mask(n, hex, &at, &id))
		hex[0] = '\0';
	print_head(buf, at, id);
	snprintf(buf + HEAD, DIGEST_NONCE_SIZE - HEAD, "%s", hex);
}

static bool apart(const struct nonces *n, struct digest_text nonce,
		  uint64_t *at_ms, uint64_t *id)
{
	return nonce.len == DIGEST_NONCE_SIZE - 1 &&
	       read_hex((struct digest_text){nonce.p, 16}, at_ms) &&
	       read_hex((struct digest_text){nonce.p + 16, 8}, id) &&
	       mask(n, nonce.p + HEAD, at_ms, id);
}

bool nonce_fresh(const struct nonces *n, struct digest_text nonce,
		 const struct sockaddr *sa, uint64_t now_ms)
{
	char hex[33], head[HEAD + 1];
	uint64_t at, id;

	if (!apart(n, nonce, &at, &id))
		return false;
	print_head(head, at, id);
	return mac(n, head, sa, hex) &&
	       !CRYPTO_memcmp(hex, nonce.p + HEAD, 32) && at <= now_ms &&
	       now_ms - at <= DIGEST_NONCE_MS;
}

bool nonce_use(struct nonces *n, struct digest_text nonce, uint32_t count)
{
	uint64_t at, id;
	size_t i;

	if (!apart(n, nonce, &at, &id))
		return false;
	i = id % DIGEST_NONCES;
	if (n->used[i].at_ms == at + 1 && n->used[i].id == id) {
		/* Without a count it is good for one answer. */
		if (!count || count <= n->used[i].count)
			return false;
		n->used[i].count = count;
		return true;
	}
	if (at < n->floor_ms || (n->used[i].at_ms && at + 1 < n->used[i].at_ms))
		return false;
	/* Which of the forgotten ones were answered is not known any more. */
	if (n->used[i].at_ms > n->floor_ms)
		n->floor_ms = n->used[i].at_ms;
	n->used[i].id = (uint32_t)id;
	n->used[i].at_ms = at + 1;
	n->used[i].count = count;
	return true;
}
