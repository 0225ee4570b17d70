/*
 * How we answer digest challenges: libre's own four functions know MD5 alone,
 * and a challenge for SHA-256, even beside one for MD5, ends their every try
 * (LIBRE.md B5). libre's requests and sessions call these instead.
 *
 * Control thread.
 */
#include "controller/base/compat.h"

#if TC_RE_VER < 31200
#include "controller/sip/digest.h"

#define GUARD __attribute__((visibility("default")))

/** Realms answered to in one request: proxies on the way, and who is asked. */
#define MAX_REALMS 4

struct realm {
	char *realm, *nonce, *opaque, *user, *password;
	enum sip_hdrid hdr;
	bool sha256, qop;
	uint32_t used; /* times that nonce was answered to */
	bool seen;     /* challenged in the message looked at */
};

struct sip_auth {
	struct realm v[MAX_REALMS];
	size_t n;
	sip_auth_h *h;
	void *arg;
	bool ref;
	int err;
};

/* libre's own, which it links to itself by this name. */
int sip_auth_encode(struct mbuf *mb, struct sip_auth *auth, const char *met,
		    const char *uri);

static void forget(struct realm *r)
{
	mem_deref(r->realm);
	mem_deref(r->nonce);
	mem_deref(r->opaque);
	mem_deref(r->user);
	if (r->password)
		memset(r->password, 0, strlen(r->password));
	mem_deref(r->password);
	memset(r, 0, sizeof(*r));
}

GUARD void sip_auth_reset(struct sip_auth *auth)
{
	if (!auth)
		return;
	while (auth->n)
		forget(&auth->v[--auth->n]);
}

static void destructor(void *arg)
{
	struct sip_auth *auth = arg;

	sip_auth_reset(auth);
	if (auth->ref)
		mem_deref(auth->arg);
}

GUARD int sip_auth_alloc(struct sip_auth **authp, sip_auth_h *authh, void *arg,
			 bool ref)
{
	struct sip_auth *auth;

	if (!authp)
		return EINVAL;
	auth = mem_zalloc(sizeof(*auth), destructor);
	if (!auth)
		return ENOMEM;
	auth->h = authh;
	auth->arg = ref ? mem_ref(arg) : arg;
	auth->ref = ref;
	*authp = auth;
	return 0;
}

static struct realm *find(struct sip_auth *auth, const struct pl *name)
{
	for (size_t i = 0; i < auth->n; i++)
		if (!pl_strcasecmp(name, auth->v[i].realm))
			return &auth->v[i];
	return NULL;
}

static int add(struct sip_auth *auth, const struct pl *name, struct realm **rp)
{
	struct realm *r = &auth->v[auth->n];
	int err;

	if (auth->n == MAX_REALMS)
		return EOVERFLOW;
	err = pl_strdup(&r->realm, name);
	if (!err)
		err = auth->h ? auth->h(&r->user, &r->password, r->realm,
					auth->arg)
			      : EACCES;
	if (err) {
		forget(r);
		return err;
	}
	auth->n++;
	*rp = r;
	return 0;
}

/* Challenged again after our answer: with the nonce that was new then, the
 * password is wrong; one that has served before is merely old. */
static bool was_wrong(const struct realm *r,
		      const struct httpauth_digest_chall *ch)
{
	if (pl_isset(&ch->stale) && !pl_strcasecmp(&ch->stale, "true"))
		return false;
	return r->used == 1;
}

/* Is auth among "auth,auth-int"? */
static bool offers_auth(const struct pl *qop)
{
	size_t i = 0;

	while (i < qop->l) {
		const size_t start = i;

		while (i < qop->l && qop->p[i] != ',' && qop->p[i] != ' ')
			i++;
		if (i - start == 4 && !strncasecmp(qop->p + start, "auth", 4))
			return true;
		i++;
	}
	return false;
}

static int take(struct sip_auth *auth, enum sip_hdrid hdr,
		const struct httpauth_digest_chall *ch, bool sha256)
{
	struct realm *r = find(auth, &ch->realm);
	int err;

	/* RFC 8760 2.4: the first that can be answered to. */
	if (r && r->seen)
		return 0;
	if (!r) {
		err = add(auth, &ch->realm, &r);
		if (err)
			return err;
	} else if (was_wrong(r, ch)) {
		return EAUTH;
	}
	r->nonce = mem_deref(r->nonce);
	r->opaque = mem_deref(r->opaque);
	r->hdr = hdr;
	r->sha256 = sha256;
	r->qop = pl_isset(&ch->qop);
	r->used = 0;
	r->seen = true;
	err = pl_strdup(&r->nonce, &ch->nonce);
	if (!err && pl_isset(&ch->opaque))
		err = pl_strdup(&r->opaque, &ch->opaque);
	return err;
}

static bool challenge(const struct sip_hdr *hdr, const struct sip_msg *msg,
		      void *arg)
{
	struct httpauth_digest_chall ch;
	struct sip_auth *auth = arg;
	bool sha256;

	(void)msg;
	/* Another scheme, or one that we do not know: another may follow. */
	if (httpauth_digest_challenge_decode(&ch, &hdr->val))
		return false;
	sha256 = pl_isset(&ch.algorithm) &&
		 !pl_strcasecmp(&ch.algorithm, "SHA-256");
	if (!sha256 && pl_isset(&ch.algorithm) &&
	    pl_strcasecmp(&ch.algorithm, "MD5"))
		return false;
	if (pl_isset(&ch.qop) && !offers_auth(&ch.qop))
		return false;
	auth->err = take(auth, hdr->id, &ch, sha256);
	return auth->err;
}

GUARD int sip_auth_authenticate(struct sip_auth *auth,
				const struct sip_msg *msg)
{
	bool any = false;

	if (!auth || !msg)
		return EINVAL;
	for (size_t i = 0; i < auth->n; i++)
		auth->v[i].seen = false;
	auth->err = 0;
	if (sip_msg_hdr_apply(msg, true, SIP_HDR_WWW_AUTHENTICATE, challenge,
			      auth) ||
	    sip_msg_hdr_apply(msg, true, SIP_HDR_PROXY_AUTHENTICATE, challenge,
			      auth))
		return auth->err;
	for (size_t i = 0; i < auth->n; i++)
		any |= auth->v[i].seen;
	return any ? 0 : ENOTSUP;
}

static struct digest_text text(const char *s)
{
	return (struct digest_text){s, strlen(s)};
}

static int answer(struct mbuf *mb, struct realm *r, const char *method,
		  const char *uri)
{
	char cnonce[33], nc[9], response[DIGEST_HEX_SIZE];
	struct digest_answer a = {
		.user = text(r->user),
		.realm = text(r->realm),
		.nonce = text(r->nonce),
		.uri = text(uri),
		.qop = text("auth"),
		.sha256 = r->sha256,
	};
	int err;

	(void)re_snprintf(cnonce, sizeof(cnonce), "%016llx%016llx", rand_u64(),
			  rand_u64());
	(void)re_snprintf(nc, sizeof(nc), "%08x", ++r->used);
	a.cnonce = text(cnonce);
	a.nc = text(nc);
	a.count = r->qop ? r->used : 0;
	if (!digest_response(&a, method, strlen(method), r->password, response))
		return ENOTSUP;
	err = mbuf_printf(mb,
			  "%sAuthorization: Digest username=\"%s\", "
			  "realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
			  "response=\"%s\", algorithm=%s",
			  r->hdr == SIP_HDR_PROXY_AUTHENTICATE ? "Proxy-" : "",
			  r->user, r->realm, r->nonce, uri, response,
			  r->sha256 ? "SHA-256" : "MD5");
	if (!err && r->opaque)
		err = mbuf_printf(mb, ", opaque=\"%s\"", r->opaque);
	if (!err && r->qop)
		err = mbuf_printf(mb, ", cnonce=\"%s\", qop=auth, nc=%s",
				  cnonce, nc);
	return err ? err : mbuf_write_str(mb, "\r\n");
}

GUARD int sip_auth_encode(struct mbuf *mb, struct sip_auth *auth,
			  const char *met, const char *uri)
{
	int err = 0;

	if (!mb || !auth || !met || !uri)
		return EINVAL;
	for (size_t i = 0; !err && i < auth->n; i++)
		err = answer(mb, &auth->v[i], met, uri);
	return err;
}
#endif
