#include "oneway_judge.h"

#include "config/values.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const remedies[ONEWAY_CAUSES] = {
	[ONEWAY_NO_RTP] =
		"Look for a firewall between, which must let UDP through to "
		"sip.rtp-ports, and at the microphone and mute key of the "
		"device.",
	[ONEWAY_STOPPED] = "Look at the device and at the network to it.",
	[ONEWAY_KEY] = "Look at the device's SRTP settings: it must encrypt "
		       "with the key its SDP names. Or set srtp = no for it.",
	[ONEWAY_TYPE] = "Look at the codecs of the device: it must send what "
			"the answer named.",
	[ONEWAY_FOREIGN] =
		"Let the device send from the address and port its SDP names; "
		"look for address translation between.",
	[ONEWAY_ADDRESS] =
		"Correct the address the device puts into its SDP: its network "
		"settings, its STUN or external address, or the PBX between.",
	[ONEWAY_OURS] = "It cannot reach a private address: put the PBX or a "
			"session border controller between, or a route.",
	[ONEWAY_UNREACHABLE] =
		"Look at the device and the firewall before it: nothing "
		"listens where it wants its sound.",
};

const char *oneway_remedy(enum oneway_cause c)
{
	return remedies[c];
}

/* --------------------------------------------------------------- addresses */

enum reach { NOWHERE, THIS_HOST, THIS_LINK, PRIVATE, PUBLIC };

static enum reach reach_four(const uint8_t *a)
{
	if (!a[0])
		return NOWHERE;
	if (a[0] == 127)
		return THIS_HOST;
	if (a[0] == 169 && a[1] == 254)
		return THIS_LINK;
	/* RFC 1918, RFC 6598 */
	return a[0] == 10 || (a[0] == 172 && a[1] >> 4 == 1) ||
			       (a[0] == 192 && a[1] == 168) ||
			       (a[0] == 100 && a[1] >> 6 == 1)
		       ? PRIVATE
		       : PUBLIC;
}

/** How far an address is good for. */
static enum reach reach_of(const struct sockaddr_storage *ss)
{
	const struct in6_addr *six =
		&((const struct sockaddr_in6 *)ss)->sin6_addr;
	size_t n;

	if (ss->ss_family == AF_INET)
		return reach_four(value_bytes(ss, &n));
	if (ss->ss_family != AF_INET6 || IN6_IS_ADDR_UNSPECIFIED(six))
		return NOWHERE;
	if (IN6_IS_ADDR_V4MAPPED(six))
		return reach_four(six->s6_addr + 12);
	if (IN6_IS_ADDR_LOOPBACK(six))
		return THIS_HOST;
	if (IN6_IS_ADDR_LINKLOCAL(six))
		return THIS_LINK;
	return (six->s6_addr[0] & 0xfe) == 0xfc ? PRIVATE : PUBLIC;
}

static bool same_host(const struct sockaddr_storage *a,
		      const struct sockaddr_storage *b)
{
	size_t n, m;
	const uint8_t *p = value_bytes(a, &n), *q = value_bytes(b, &m);

	return a->ss_family == b->ss_family && n == m && !memcmp(p, q, n);
}

__attribute__((format(printf, 3, 4))) static bool
say(struct oneway_verdict *v, enum oneway_cause cause, const char *fmt, ...)
{
	va_list ap;

	v->cause = cause;
	v->remedy = remedies[cause];
	va_start(ap, fmt);
	vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
	return true;
}

bool oneway_address_wrong(const struct oneway_facts *f,
			  struct oneway_verdict *v)
{
	static const char *const kinds[] = {
		[THIS_HOST] = "the device itself",
		[THIS_LINK] = "one link only",
		[PRIVATE] = "a private network",
	};
	const enum reach sdp = reach_of(&f->sdp), sip = reach_of(&f->sip);
	char at[VALUE_ENDPOINT_SIZE], from[VALUE_ENDPOINT_SIZE];

	/* Without an address it holds us; that is no mistake. */
	if (sdp == NOWHERE || sdp == PUBLIC || sip <= sdp)
		return false;
	return say(v, ONEWAY_ADDRESS,
		   "its SDP names %s, good for %s, but its SIP is from %s",
		   value_endpoint_text(at, &f->sdp), kinds[sdp],
		   value_endpoint_text(from, &f->sip));
}

/* ------------------------------------------------------------------- causes */

static bool is_foreign(const struct oneway_facts *f, struct oneway_verdict *v)
{
	const struct sockaddr_in6 *by = &f->seen.foreign_by;
	char from[VALUE_ENDPOINT_SIZE], want[VALUE_ENDPOINT_SIZE];
	struct sockaddr_storage ss = {0};

	if (!f->seen.foreign)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&by->sin6_addr)) {
		struct sockaddr_in *four = (struct sockaddr_in *)&ss;

		four->sin_family = AF_INET;
		four->sin_port = by->sin6_port;
		memcpy(&four->sin_addr, by->sin6_addr.s6_addr + 12, 4);
	} else {
		memcpy(&ss, by, sizeof(*by));
	}
	return say(v, ONEWAY_FOREIGN,
		   "packets come from %s, but %s was negotiated",
		   value_endpoint_text(from, &ss),
		   value_endpoint_text(want, &f->sdp));
}

static bool is_wrong_type(const struct oneway_facts *f,
			  struct oneway_verdict *v)
{
	if (f->seen.heard || !f->seen.wrong_type)
		return false;
	if (f->seen.wrong_pt == MEDIA_NO_TYPE)
		return say(v, ONEWAY_TYPE, "what it sends is no RTP");
	return say(v, ONEWAY_TYPE,
		   "it sends payload type %u, but %u (%s) was agreed",
		   f->seen.wrong_pt, f->fmt.pt, codec_name(f->fmt.codec));
}

static bool is_wrong_key(const struct oneway_facts *f, struct oneway_verdict *v)
{
	if (f->seen.heard || !f->seen.unsealed)
		return false;
	return say(v, ONEWAY_KEY,
		   "its packets do not open with the SRTP key that was agreed");
}

static bool is_unreachable(const struct oneway_facts *f,
			   struct oneway_verdict *v)
{
	char at[VALUE_ENDPOINT_SIZE];

	if (!f->seen.unreachable)
		return false;
	return say(v, ONEWAY_UNREACHABLE, "%s%s cannot be reached: %s",
		   f->seen.heard ? "" : "no RTP came, and ",
		   value_endpoint_text(at, &f->sdp),
		   strerror(f->seen.unreachable));
}

void oneway_judge(const struct oneway_facts *f, struct oneway_verdict *v)
{
	char ours[VALUE_ENDPOINT_SIZE], sdp[VALUE_ENDPOINT_SIZE];
	const enum reach here = reach_of(&f->ours);

	if (is_wrong_key(f, v) || is_wrong_type(f, v) || is_foreign(f, v) ||
	    (!f->seen.heard && oneway_address_wrong(f, v)) ||
	    is_unreachable(f, v))
		return;
	value_endpoint_text(ours, &f->ours);
	value_endpoint_text(sdp, &f->sdp);
	if (f->seen.heard)
		say(v, ONEWAY_STOPPED, "its RTP from %s stopped", sdp);
	else if (here == PRIVATE && reach_of(&f->sip) == PUBLIC)
		say(v, ONEWAY_OURS,
		    "no RTP came at all, and it was told to send to %s", ours);
	else if (same_host(&f->sip, &f->sdp))
		say(v, ONEWAY_NO_RTP, "no RTP came at all to %s", ours);
	else
		say(v, ONEWAY_NO_RTP,
		    "no RTP came at all to %s from %s, another host than its "
		    "SIP",
		    ours, sdp);
}
