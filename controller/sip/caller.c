#include "caller.h"

#include "controller/base/compat.h"
#include "controller/sip/info.h"
#include "controller/sip/respri.h"

/* Bytes of the UTF-8 character at p, 0 when it is none (RFC 3629 4). */
static size_t utf8_len(const unsigned char *p, size_t n)
{
	static const unsigned least[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len, i;
	unsigned c;

	if (p[0] < 0x80)
		return 1;
	len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
		return 0;
	c = p[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return len;
}

void caller_clean(char *dst, size_t size, const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t at = 0;

	while (n) {
		const size_t len = utf8_len(s, n);
		const size_t step = len ? len : 1;

		if (at + step >= size)
			break;
		if (!len || *s < ' ' || *s == 0x7f)
			dst[at] = '?';
		else
			memcpy(dst + at, s, step);
		at += step;
		s += step;
		n -= step;
	}
	dst[at] = '\0';
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* RFC 3986 2.1. A user longer than any extension may be is cut. */
static size_t unescape(char *dst, size_t size, const struct pl *pl)
{
	size_t i, n = 0;

	for (i = 0; i < pl->l && n < size; i++) {
		const bool escape = pl->p[i] == '%' && i + 2 < pl->l &&
				    hex(pl->p[i + 1]) >= 0 &&
				    hex(pl->p[i + 2]) >= 0;

		if (escape) {
			dst[n++] = (char)(hex(pl->p[i + 1]) << 4 |
					  hex(pl->p[i + 2]));
			i += 2;
		} else {
			dst[n++] = pl->p[i];
		}
	}
	return n;
}

/* libre takes the quotes off a display name; the backslashes (RFC 3261 25.1
 * quoted-pair) are left in. Without quotes there can be none. */
static void display(char *dst, size_t size, const struct pl *name)
{
	char raw[128];
	size_t i, n = 0;

	for (i = 0; i < name->l && n < sizeof(raw); i++) {
		if (name->p[i] == '\\' && i + 1 < name->l)
			i++;
		raw[n++] = name->p[i];
	}
	while (n && raw[n - 1] == ' ')
		n--;
	caller_clean(dst, size, raw, n);
}

/* The first name in it that has a user (RFC 3325 9.1: a SIP URI and a tel URI
 * may be there). */
static bool asserted(const struct sip_hdr *h, const struct sip_msg *msg,
		     void *arg)
{
	struct sip_addr *a = arg;

	(void)msg;
	return !sip_addr_decode(a, &h->val) &&
	       (!pl_strcasecmp(&a->uri.scheme, "sip") ||
		!pl_strcasecmp(&a->uri.scheme, "sips")) &&
	       pl_isset(&a->uri.user);
}

static bool urgent(const struct sip_hdr *h, const struct sip_msg *msg,
		   void *arg)
{
	const int rank = respri_rank(h->val.p, h->val.l);
	int *best = arg;

	(void)msg;
	if (rank > *best)
		*best = rank;
	return false;
}

int caller_rank(const struct sip_msg *msg)
{
	int rank = RESPRI_NONE;

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_RESOURCE_PRIORITY, urgent,
				&rank);
	return rank;
}

void caller_identify(struct caller *c, const struct sip_msg *msg, bool trusted)
{
	char raw[128], user[64], host[64];
	const struct pl *who = &msg->from.uri.user, *name = &msg->from.dname;
	struct sip_addr a;
	size_t n;

	c->rank = trusted ? caller_rank(msg) : RESPRI_NONE;
	if (trusted && sip_msg_hdr_apply(msg, true, SIP_HDR_P_ASSERTED_IDENTITY,
					 asserted, &a)) {
		who = &a.uri.user;
		name = &a.dname;
	}

	n = unescape(raw, sizeof(raw), &msg->uri.user);
	caller_clean(c->user, sizeof(c->user), raw, n);

	n = unescape(raw, sizeof(raw), who);
	caller_clean(user, sizeof(user), raw, n);
	if (sa_ntop(&msg->src, host, sizeof(host)))
		host[0] = '\0';
	(void)re_snprintf(c->uri, sizeof(c->uri),
			  sa_af(&msg->src) == AF_INET6 ? "sip:%s%s[%s]"
						       : "sip:%s%s%s",
			  user, user[0] ? "@" : "", host);

	display(c->display, sizeof(c->display), name);
	caller_clean(c->call_id, sizeof(c->call_id), msg->callid.p,
		     msg->callid.l);
}

char caller_key(const struct sip_msg *msg)
{
	const struct sip_hdr *type = sip_msg_hdr(msg, SIP_HDR_CONTENT_TYPE);

	return type ? info_key(type->val.p, type->val.l,
			       (const char *)mbuf_buf(msg->mb),
			       mbuf_get_left(msg->mb))
		    : 0;
}
