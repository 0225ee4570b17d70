/* Any headers and body at a webhook: nobody comes in who has not signed, and
 * who has is known by one name. Input: six lines (timestamp, signature, id, of
 * each scheme) and the body. */
#include "web/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct hooks *make(void)
{
	static struct sign_key a, b;
	const struct web_hook v[] = {{"a", &a}, {"b", &b}};
	struct hooks *h;

	require(sign_key(&a, SIGN_SHA256, "0123456789abcdef"));
	require(sign_key(&b, SIGN_STANDARD, "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="));
	require(!hooks_alloc(&h));
	require(!hooks_set(h, v, 2));
	return h;
}

/** Signed by us it comes in, if its time is one; with a bit changed not. */
static void sign(struct hooks *h, struct hooks_given *g)
{
	struct sign_key k;
	struct sign_text t = {"", "1795416900", g->body, g->len};
	char out[SIGN_SIZE];
	struct web_signed s;

	require(sign_key(&k, SIGN_SHA256, "0123456789abcdef"));
	sign_make(&k, &t, out);
	g->sha256[HOOKS_TIMESTAMP] = t.timestamp;
	g->sha256[HOOKS_SIGNATURE] = out;
	require(!hooks_enter(h, "a", g, &s));
	require(s.time_us == INT64_C(1795416900000000));
	require(hooks_enter(h, "none", g, &s) == EACCES);
	out[7 + g->len % 64] ^= 1;
	require(hooks_enter(h, "a", g, &s) == EACCES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hooks *h;
	char *text = malloc(size + 1), *p = text;
	struct hooks_given g = {.body = ""};
	struct web_signed s;

	require(text);
	if (!h)
		h = make();
	memcpy(text, data, size);
	text[size] = '\0';
	for (int i = 0; i < 2 * HOOKS_HEADERS; i++) {
		char *end = strchr(p, '\n');

		if (!end)
			break;
		*end = '\0';
		if (*p && i < HOOKS_HEADERS)
			g.sha256[i] = p;
		else if (*p)
			g.standard[i - HOOKS_HEADERS] = p;
		p = end + 1;
	}
	g.body = p;
	g.len = size - (size_t)(p - text);
	/* The key is in this file: a fuzzer does not find its digests. */
	require(hooks_enter(h, "a", &g, &s) == EACCES ||
		g.sha256[HOOKS_SIGNATURE]);
	require(hooks_enter(h, "b", &g, &s) == EACCES ||
		(g.standard[HOOKS_SIGNATURE] && g.standard[HOOKS_ID]));
	sign(h, &g);
	free(text);
	return 0;
}
