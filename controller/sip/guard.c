/*
 * The functions of libre this executable replaces: clock, decoder, redirects.
 *
 * Each is an ordinary global definition; libre reaches it through its PLT. The
 * original is found behind us with RTLD_NEXT. Control thread only, but for the
 * clock, which any thread with a libre loop calls.
 */
#include "guard.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/sip/guard_real.h"

#define GUARD __attribute__((visibility("default")))

static struct guard_counters counters;

/* The datagram the door has decoded already; see guard_hand_over(). */
static struct {
	struct sip_msg *msg;
	const struct mbuf *mb;
	size_t end;
} ready;

void guard_counters(struct guard_counters *c)
{
	*c = counters;
}

#if TC_RE_VER < 20100
/* B1: libre 1 and 2.0 count their timers on gettimeofday(). */
GUARD uint64_t tmr_jiffies(void)
{
	return clock_mono_ms();
}

/* B7: sipsess calls this for a 3xx and then follows the new Contact with our
 * credentials. A refusal here ends the session with EACCES and the response. */
GUARD int sip_dialog_update(struct sip_dialog *dlg, const struct sip_msg *msg)
{
	int (*real)(struct sip_dialog *, const struct sip_msg *) =
		GUARD_REAL(sip_dialog_update);

	if (msg && !msg->req && msg->scode >= 300 && msg->scode < 400) {
		counters.redirects_held++;
		return EACCES;
	}
	return real ? real(dlg, msg) : ENOSYS;
}
#endif

/* It becomes the Request-URI of what we send in the dialog: what is none there
 * would be lost on the way, the BYE above all. */
static bool contact_legal(const struct sip_msg *msg)
{
	const struct sip_hdr *h = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;

	return !h || sip_addr_decode(&addr, &h->val) ||
	       guard_uri_legal(addr.auri.p, addr.auri.l);
}

/** What libre did not find although it is there: it takes lone carriage
 *  returns for the end of the headers. A text with a space, or NULL. */
static const char *unread(const struct sip_msg *msg)
{
	if (!msg->via.val.p)
		return "Malformed Via header";
	if (!msg->from.auri.p)
		return "Malformed From header";
	if (!msg->to.auri.p)
		return "Malformed To header";
	if (!msg->callid.p)
		return "Malformed Call-ID header";
	if (!msg->cseq.met.p)
		return "Malformed CSeq header";
	return contact_legal(msg) ? NULL : "Malformed Contact header";
}

/* libre's decoder would look for the request line further on, or find none: it
 * is shown another of the same length. What it points to is then the real one.
 */
static int decode_behind(struct sip_msg **msgp, struct mbuf *mb,
			 int (*real)(struct sip_msg **, struct mbuf *))
{
	static const char tail[] = " SIP/2.0", scheme[] = "sip:x";
	char line[GUARD_MAX_START_LINE];
	uint8_t *p = mbuf_buf(mb);
	size_t len =
		(size_t)((uint8_t *)memchr(p, '\n', mbuf_get_left(mb)) - p);
	const size_t method = (size_t)((uint8_t *)memchr(p, ' ', len) + 1 - p);
	const size_t before = strlen(scheme), behind = strlen(tail);
	int err;

	len -= p[len - 1] == '\r';
	if (len < method + before + behind)
		return EBADMSG;
	memcpy(line, p, len);
	memset(p + method, 'x', len - method);
	memcpy(p + method, scheme, before);
	memcpy(p + len - behind, tail, behind);
	err = real(msgp, mb);
	memcpy(p, line, len);
	return err;
}

static int decode(struct sip_msg **msgp, struct mbuf *mb)
{
	int (*real)(struct sip_msg **, struct mbuf *) =
		GUARD_REAL(sip_msg_decode);
	const struct guard_finding f =
		guard_examine(mbuf_buf(mb), mbuf_get_left(mb));
	struct sip_msg *msg;
	const char *why;

	if (!real)
		return ENOSYS;
	if (f.verdict == GUARD_INCOMPLETE)
		return ENODATA;
	/* A bad response is nobody's business: no transaction must match it. */
	if (f.verdict == GUARD_JUNK || (f.verdict == GUARD_BAD && !f.request) ||
	    (f.bad_line ? decode_behind(&msg, mb, real) : real(&msg, mb))) {
		counters.junk++;
		return EBADMSG;
	}
	why = f.verdict == GUARD_BAD ? f.why : unread(msg);
	if (why && !msg->req) {
		counters.junk++;
		mem_deref(msg);
		return EBADMSG;
	}
	if (why) {
		counters.bad++;
		msg->met.p = why;
		msg->met.l = strlen(why);
	} else {
		counters.passed++;
	}
	*msgp = msg;
	return 0;
}

const char *guard_bad_reason(const struct sip_msg *msg)
{
	/* No token has a space, and every reason has one: see decode(). */
	if (!msg->req || !pl_strchr(&msg->met, ' '))
		return NULL;
	return msg->met.p;
}

uint16_t guard_bad_status(const struct sip_msg *msg)
{
	return msg->met.p == guard_other_version ? 505 : 400;
}

/* B2, B8. A stream is decoded again with every segment: ENODATA means wait. */
GUARD int sip_msg_decode(struct sip_msg **msgp, struct mbuf *mb)
{
	if (!msgp || !mb)
		return EINVAL;
	if (ready.msg && ready.mb == mb) {
		*msgp = ready.msg;
		mb->pos = ready.end;
		ready.msg = NULL;
		return 0;
	}
	return decode(msgp, mb);
}

bool guard_hand_over(struct mbuf *mb)
{
	const size_t pos = mb->pos;

	ready.msg = mem_deref(ready.msg);
	if (decode(&ready.msg, mb)) {
		ready.msg = NULL;
		return false;
	}
	ready.mb = mb;
	ready.end = mb->pos;
	mb->pos = pos;
	return true;
}

void guard_count_junk(void)
{
	counters.junk++;
}
