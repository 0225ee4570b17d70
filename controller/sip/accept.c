#include "accept.h"

#include "controller/base/compat.h"

static bool is(const char *p, size_t n, const char *range, size_t len)
{
	return n >= len && !strncasecmp(p, range, len) &&
	       (n == len || strchr(" \t;", p[len]));
}

bool accept_covers(const char *value, size_t len, const char *type)
{
	const size_t family = strcspn(type, "/") + 1;
	size_t at = 0;

	while (at < len) {
		const char *p = value + at;
		const char *comma = memchr(p, ',', len - at);
		size_t n = comma ? (size_t)(comma - p) : len - at;

		at += n + 1;
		while (n && (*p == ' ' || *p == '\t'))
			p++, n--;
		if (is(p, n, type, strlen(type)) || is(p, n, "*/*", 3) ||
		    (n > family && !strncasecmp(p, type, family) &&
		     is(p + family, n - family, "*", 1)))
			return true;
	}
	return false;
}

static bool covers_next(const struct sip_hdr *h, const struct sip_msg *msg,
			void *arg)
{
	(void)msg;
	return accept_covers(h->val.p, h->val.l, arg);
}

bool accept_wants(const struct sip_msg *msg, const char *type)
{
	const struct sip_hdr *h = sip_msg_hdr(msg, SIP_HDR_ACCEPT);

	return !h || !h->val.l ||
	       sip_msg_hdr_apply(msg, true, SIP_HDR_ACCEPT, covers_next,
				 (void *)(uintptr_t)type);
}
