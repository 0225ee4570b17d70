/*
 * A call of ours that several answer: the first has it. libre drops the 200 of
 * another without a word, who would stand there with a call that nobody hears
 * (RFC 3261 13.2.2.4): each is acknowledged, and hung up on at once.
 */
#include "controller/sip/core.h"

#define MAX_ROUTES 8

/* Of such a 200, the requests to its sender. */
struct way {
	char *uri;         /* its Contact */
	char routes[1024]; /* whole lines */
	size_t len;
	struct uri first; /* where it goes */
	unsigned n;
};

/* From the last to the first: what it came by last is gone back to first. */
static bool route_next(const struct sip_hdr *h, const struct sip_msg *msg,
		       void *arg)
{
	struct way *w = arg;
	struct sip_addr addr;
	int n;

	(void)msg;
	if (w->n == MAX_ROUTES || sip_addr_decode(&addr, &h->val))
		return true;
	n = re_snprintf(w->routes + w->len, sizeof(w->routes) - w->len,
			"Route: %r\r\n", &h->val);
	if (n < 0)
		return true;
	w->len += (size_t)n;
	if (!w->n++)
		w->first = addr.uri;
	return false;
}

static int send_request(struct listener *l, const struct way *w,
			const struct sip_msg *msg, const char *method,
			uint32_t cseq)
{
	/* Nobody waits for what is said to the BYE. */
	return sip_requestf(NULL, l->sip, strcmp(method, "ACK") != 0, method,
			    w->uri, &w->first, NULL, NULL, NULL, NULL,
			    "%s"
			    "From: %r\r\n"
			    "To: %r\r\n"
			    "Call-ID: %r\r\n"
			    "CSeq: %u %s\r\n"
			    "Content-Length: 0\r\n\r\n",
			    w->routes, &msg->from.val, &msg->to.val,
			    &msg->callid, cseq, method);
}

static void hang_up(struct listener *l, const struct sip_msg *msg)
{
	const struct sip_hdr *h = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct way w = {.len = 0};
	struct sip_addr addr;

	if (!h || sip_addr_decode(&addr, &h->val) ||
	    sip_msg_hdr_apply(msg, false, SIP_HDR_RECORD_ROUTE, route_next, &w))
		return;
	if (!w.n)
		w.first = addr.uri;
	if (!pl_strdup(&w.uri, &addr.auri) &&
	    !send_request(l, &w, msg, "ACK", msg->cseq.num))
		(void)send_request(l, &w, msg, "BYE", msg->cseq.num + 1);
	mem_deref(w.uri);
}

bool fork_response(const struct sip_msg *msg, void *arg)
{
	struct listener *l = arg;

	if (msg->scode < 200 || msg->scode > 299 ||
	    pl_strcmp(&msg->cseq.met, "INVITE") || !dial_is_fork(l->stack, msg))
		return false;
	hang_up(l, msg);
	return true;
}
