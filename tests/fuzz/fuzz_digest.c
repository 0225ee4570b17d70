/*
 * Any bytes as an Authorization header. What is taken has all that is hashed,
 * within the header.
 */
#include "controller/sip/digest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct digest_text t, const char *p, size_t size)
{
	if (t.p && (t.p < p || t.p + t.len > p + size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct digest_answer a;

	if (!digest_decode(&a, p, size))
		return 0;
	check(a.user, p, size);
	check(a.realm, p, size);
	check(a.nonce, p, size);
	check(a.uri, p, size);
	check(a.cnonce, p, size);
	check(a.qop, p, size);
	if (!a.user.len || !a.nonce.len || !a.uri.len ||
	    a.response.len != (a.sha256 ? 64 : 32) || (a.qop.p && !a.count))
		abort();
	(void)digest_matches(&a, "REGISTER", 8, "password");
	return 0;
}
