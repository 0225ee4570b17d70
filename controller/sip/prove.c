/*
 * Who sent a request: its digest answer held against the endpoints.
 *
 * An unknown user takes the same way as a wrong password, with a password that
 * nobody has; both are told the same.
 */
#include "controller/base/clock.h"
#include "controller/sip/registrar_internal.h"

#include <stdio.h>

enum proof { PROOF_NONE, PROOF_STALE, PROOF_WRONG, PROOF_GOOD };

struct claim {
	struct registrar *r;
	enum proof proof;
	int endpoint;
	char user[64];
};

static bool allowed(const struct config_sip *c, bool sha256)
{
	return c->digest != (sha256 ? DIGEST_MD5 : DIGEST_SHA256);
}

static int find_user(const struct config *c, struct digest_text user)
{
	for (size_t i = 0; i < c->n_endpoints; i++) {
		const struct config_endpoint *x = &c->endpoints[i];

		if (digest_equal(user, x->user ? x->user : x->may.name))
			return (int)i;
	}
	return -1;
}

/* The first answer in our realm counts. */
static bool answer_next(const struct sip_hdr *h, const struct sip_msg *msg,
			void *arg)
{
	struct claim *cl = arg;
	struct registrar *r = cl->r;
	const struct config *c = r->stack->config;
	const struct sockaddr *src = &msg->src.u.sa;
	struct digest_answer a;
	const char *password;
	bool good;
	int i;

	if (!digest_decode(&a, h->val.p, h->val.l) ||
	    !digest_equal(a.realm, c->sip.realm) || !allowed(&c->sip, a.sha256))
		return false;
	caller_clean(cl->user, sizeof(cl->user), a.user.p, a.user.len);
	i = find_user(c, a.user);
	password =
		i < 0 ? "nobody has this password" : c->endpoints[i].password;
	good = digest_matches(&a, msg->met.p, msg->met.l, password);
	/* RFC 7616 3.4.6: an answer to another request. */
	good = good && i >= 0 && a.uri.len == msg->ruri.l &&
	       !memcmp(a.uri.p, msg->ruri.p, a.uri.len);
	if (!good)
		cl->proof = PROOF_WRONG;
	else if (!nonce_fresh(&r->nonces, a.nonce, src, clock_mono_ms()) ||
		 !nonce_use(&r->nonces, a.nonce, a.count))
		cl->proof = PROOF_STALE;
	else
		cl->proof = PROOF_GOOD;
	cl->endpoint = i;
	return true;
}

static int challenge_line(char *to, size_t size, const char *realm,
			  const char *nonce, const char *algorithm, bool stale)
{
	return re_snprintf(to, size,
			   "WWW-Authenticate: Digest realm=\"%s\", "
			   "nonce=\"%s\", algorithm=%s, qop=\"auth\"%s\r\n",
			   realm, nonce, algorithm,
			   stale ? ", stale=true" : "");
}

static void challenge(struct registrar *r, struct listener *l,
		      const struct sip_msg *msg, bool stale)
{
	const struct config_sip *c = &r->stack->config->sip;
	char nonce[DIGEST_NONCE_SIZE], sha[320] = "", md5[320] = "";

	nonce_make(&r->nonces, &msg->src.u.sa, clock_mono_ms(), nonce);
	if (allowed(c, true))
		(void)challenge_line(sha, sizeof(sha), c->realm, nonce,
				     "SHA-256", stale);
	if (allowed(c, false))
		(void)challenge_line(md5, sizeof(md5), c->realm, nonce, "MD5",
				     stale);
	(void)sip_replyf(l->sip, msg, 401, "Unauthorized",
			 "%s%sContent-Length: 0\r\n\r\n", sha, md5);
}

static void wrong(struct registrar *r, const struct sip_msg *msg,
		  const char *claimed)
{
	struct sockaddr_storage from;
	uint32_t ms;

	tc_sa_get(&from, &msg->src);
	ms = ban_wrong(r->ban, &msg->src.u.sa, NULL, clock_mono_ms());
	/* Guesses from many addresses are no reason to fill the journal. */
	if (r->h.wrong && limit_take(r->stack->tell_refusals, &msg->src.u.sa,
				     clock_mono_ms()))
		r->h.wrong(&from, claimed, r->arg);
	if (ms && r->h.banned)
		r->h.banned(&from, ms, r->arg);
}

int registrar_prove(struct registrar *r, struct listener *l,
		    const struct sip_msg *msg)
{
	struct claim cl = {.r = r, .endpoint = -1};

	if (ban_holds(r->ban, &msg->src.u.sa, NULL, clock_mono_ms()))
		return -1;
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_AUTHORIZATION, answer_next,
				&cl);
	if (cl.proof == PROOF_GOOD)
		return cl.endpoint;
	if (cl.proof == PROOF_WRONG)
		wrong(r, msg, cl.user);
	challenge(r, l, msg, cl.proof == PROOF_STALE);
	return -1;
}
