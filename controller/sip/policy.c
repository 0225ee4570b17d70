#include "policy.h"

#include "controller/sip/respri.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ACCEPTED "Accept-Resource-Priority: " RESPRI_ACCEPTED "\r\n"

static bool equal(struct policy_text t, const char *s)
{
	return t.p && t.len == strlen(s) && !memcmp(t.p, s, t.len);
}

static bool equal_nocase(struct policy_text t, const char *s)
{
	return t.p && t.len == strlen(s) && !strncasecmp(t.p, s, t.len);
}

static void reply(struct policy_verdict *v, uint16_t status, const char *reason,
		  const char *header)
{
	v->act = POLICY_REPLY;
	v->status = status;
	v->reason = reason;
	snprintf(v->header, sizeof(v->header), "%s", header);
}

/* RFC 3261 8.2.2.3; its 21.4.15 wants the tags we do not know named. The gate
 * has left out those that we serve, timer and resource-priority; reliable
 * provisional responses are not needed by who is answered at once. */
static void refuse_extensions(struct policy_verdict *v, struct policy_text tags)
{
	size_t i, n = tags.len < 256 ? tags.len : 256;

	reply(v, 420, "Bad Extension", "");
	snprintf(v->header, sizeof(v->header), "Unsupported: %.*s\r\n", (int)n,
		 tags.p);
	for (i = 0; v->header[i] && v->header[i + 2]; i++)
		if ((unsigned char)v->header[i] < ' ')
			v->header[i] = ' ';
}

/* What we know of but do not do. RFC 3261 8.2.1; anything else is a 501. */
static bool known_method(struct policy_text m)
{
	static const char *const known[] = {
		"REGISTER", "NOTIFY", "MESSAGE", "PUBLISH",
		"UPDATE",   "PRACK",  "REFER",
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (equal(m, known[i]))
			return true;
	return false;
}

static void decide_body(const struct policy_request *r,
			struct policy_verdict *v)
{
	if (r->datagram && r->has_length && r->length > r->body)
		reply(v, 400, "Body is shorter than Content-Length", "");
	else if (r->body > POLICY_MAX_BODY)
		reply(v, 413, "Request Entity Too Large", "");
}

static void decide_session_body(const struct policy_request *r,
				struct policy_verdict *v)
{
	if (!r->body)
		return;
	if (r->content_encoding.p &&
	    !equal_nocase(r->content_encoding, "identity"))
		reply(v, 415, "Unsupported Media Type",
		      "Accept-Encoding: identity\r\n");
	else if (!equal_nocase(r->content_type, "application/sdp"))
		reply(v, 415, "Unsupported Media Type",
		      "Accept: application/sdp\r\n");
}

/* Without these there is no dialog (RFC 3261 8.1.1); false when refused. */
static bool decide_dialog(const struct policy_request *r,
			  struct policy_verdict *v)
{
	if (!r->has_contact)
		reply(v, 400, "Missing or malformed Contact header", "");
	else if (!r->has_tag)
		reply(v, 400, "From header without a tag", "");
	return v->act == POLICY_PASS;
}

static void decide_session(const struct policy_request *r,
			   struct policy_verdict *v)
{
	char lines[SESSION_LINES_SIZE];
	struct session_terms t;

	switch (session_answer(&r->session, r->session_s, &t, lines)) {
	case 400:
		reply(v, 400, "Malformed Session-Expires or Min-SE header", "");
		break;
	case 422:
		reply(v, 422, "Session Interval Too Small", lines);
		break;
	}
}

static void decide_invite(const struct policy_request *r,
			  struct policy_verdict *v)
{
	if (!decide_dialog(r, v))
		return;
	decide_session(r, v);
	if (v->act != POLICY_PASS)
		return;
	decide_session_body(r, v);
	if (v->act != POLICY_PASS || r->in_dialog)
		return;
	if (r->no_sdp)
		reply(v, 406, "Not Acceptable", "Accept: application/sdp\r\n");
	else if (!r->may_call)
		reply(v, 403, "Calls from this address are not allowed", "");
	else if (r->over_rate)
		reply(v, 503, "Too many calls at once", "Retry-After: 2\r\n");
	else if (r->calls >= r->max_calls)
		reply(v, 503, "All lines in use", "Retry-After: 10\r\n");
}

static void decide_subscribe(const struct policy_request *r,
			     struct policy_verdict *v)
{
	if (decide_dialog(r, v) && !r->may_call)
		reply(v, 403, "Not Allowed To Watch This", "");
}

#define OPTIONS_LINES                                                          \
	ACCEPTED                                                               \
	"Allow: " POLICY_ALLOW "\r\n"                                          \
	"Allow-Events: dialog\r\n"                                             \
	"Accept: application/sdp\r\n"                                          \
	"Accept-Encoding: identity\r\n"

void policy_decide(const struct policy_request *r, struct policy_verdict *v)
{
	static const char allow[] = "Allow: " POLICY_ALLOW "\r\n";

	*v = (struct policy_verdict){.act = POLICY_PASS};

	if (!r->has_via || r->multicast_via) {
		v->act = POLICY_DROP;
		return;
	}
	if (r->bad) {
		reply(v, r->bad_status, r->bad, "");
		return;
	}
	/* Never answered, whatever is in it (RFC 3261 17). */
	if (equal(r->method, "ACK"))
		return;
	/* The transaction layer would have taken one that cancels anything. */
	if (equal(r->method, "CANCEL")) {
		reply(v, 481, "Call/Transaction Does Not Exist", "");
		return;
	}
	decide_body(r, v);
	if (v->act != POLICY_PASS)
		return;
	if (!equal_nocase(r->scheme, "sip") && !equal_nocase(r->scheme, "sips"))
		reply(v, 416, "Unsupported URI Scheme", "");
	else if (r->require.p)
		refuse_extensions(v, r->require);
	/* RFC 4412 4.6.2 */
	else if (r->unknown_priority)
		reply(v, 417, "Unknown Resource-Priority", ACCEPTED);
	else if (equal(r->method, "OPTIONS"))
		reply(v, 200, "OK",
		      r->session_s ? OPTIONS_LINES "Supported: timer\r\n"
				   : OPTIONS_LINES "Supported: \r\n");
	else if (r->over_rate && (r->in_dialog || !equal(r->method, "INVITE")))
		reply(v, 503, "Too many requests at once",
		      "Retry-After: 2\r\n");
	else if (equal(r->method, "INVITE"))
		decide_invite(r, v);
	else if (equal(r->method, "SUBSCRIBE"))
		decide_subscribe(r, v);
	else if (equal(r->method, "BYE") || equal(r->method, "INFO") ||
		 (equal(r->method, "REFER") && r->in_dialog))
		return;
	else if (equal(r->method, "REGISTER") && r->registrar)
		return;
	else if (known_method(r->method))
		reply(v, 405, "Method Not Allowed", allow);
	else
		reply(v, 501, "Not Implemented", allow);
}
