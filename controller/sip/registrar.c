#include "controller/sip/registrar.h"

#include "controller/base/clock.h"
#include "controller/sip/registrar_internal.h"

#include <stdlib.h>

int registrar_alloc(struct registrar **rp, struct stack *s)
{
	struct registrar *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return ENOMEM;
	r->stack = s;
	tmr_init(&r->tmr);
	err = nonces_init(&r->nonces);
	if (!err)
		err = ban_alloc(&r->ban, rand_u64(), BAN_TRIES);
	if (!err)
		err = limit_alloc(&r->rate, REGISTRAR_PER_S, REGISTRAR_BURST,
				  rand_u64());
	if (!err)
		err = registrar_configure(r);
	if (err)
		registrar_free(r);
	else
		*rp = r;
	return err;
}

void registrar_free(struct registrar *r)
{
	if (!r)
		return;
	tmr_cancel(&r->tmr);
	ban_free(r->ban);
	limit_free(r->rate);
	free(r->v);
	free(r);
}

bool registrar_admits(struct registrar *r, const struct sa *src)
{
	const uint64_t now = clock_mono_ms();

	return r->n && !ban_holds(r->ban, &src->u.sa, NULL, now) &&
	       limit_take(r->rate, &src->u.sa, now);
}

/* ----------------------------------------------------------------- contacts */

static bool seconds(const struct pl *pl, uint32_t *to)
{
	uint64_t v = 0;

	for (size_t i = 0; i < pl->l; i++) {
		if (pl->p[i] < '0' || pl->p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(pl->p[i] - '0');
		if (v > UINT32_MAX)
			v = UINT32_MAX;
	}
	*to = (uint32_t)v;
	return pl->l > 0;
}

/* Behind a translator, or with a name for a host, a device is where it sent
 * from; by TCP it is called on its own connection. No address that it names
 * itself is ever sent to, but for another port of its own. */
bool reach_uri(char *to, size_t size, const struct uri *contact,
	       const struct sip_msg *msg)
{
	struct sa sa = msg->src, named;

	if (msg->tp == SIP_TRANSP_UDP &&
	    !sa_set(&named, &contact->host,
		    contact->port ? contact->port : SIP_PORT) &&
	    sa_cmp(&named, &msg->src, SA_ADDR))
		sa = named;
	for (size_t i = 0; i < contact->user.l; i++)
		if (contact->user.p[i] <= ' ' || contact->user.p[i] > '~' ||
		    strchr("<>\"@:;,?\\", contact->user.p[i]))
			return false;
	return re_snprintf(to, size, "sip:%r%s%J%s", &contact->user,
			   contact->user.l ? "@" : "", &sa,
			   sip_transp_param(msg->tp)) > 0;
}

struct contacts {
	struct register_request *rq;
	const struct sip_msg *msg;
	const char *bad;
};

static bool contact_next(const struct sip_hdr *h, const struct sip_msg *msg,
			 void *arg)
{
	struct contacts *all = arg;
	struct register_request *rq = all->rq;
	struct register_contact *c;
	struct sip_addr addr;
	struct pl pl;

	if (!pl_strcmp(&h->val, "*")) {
		rq->star = true;
		return false;
	}
	if (rq->n == REGISTER_CONTACTS) {
		all->bad = "Too many contacts";
		return true;
	}
	c = &rq->v[rq->n];
	if (sip_addr_decode(&addr, &h->val) ||
	    (pl_strcasecmp(&addr.uri.scheme, "sip") &&
	     pl_strcasecmp(&addr.uri.scheme, "sips")) ||
	    !reach_uri(c->reach, sizeof(c->reach), &addr.uri, msg) ||
	    addr.auri.l >= sizeof(c->uri) ||
	    /* RFC 3261 20: whose would they be without brackets? */
	    (pl_isset(&addr.uri.headers) && addr.auri.p == h->val.p)) {
		all->bad = "A Contact that cannot be called";
		return true;
	}
	caller_clean(c->uri, sizeof(c->uri), addr.auri.p, addr.auri.l);
	if (!msg_param_decode(&addr.params, "expires", &pl))
		c->has_expires = seconds(&pl, &c->expires);
	rq->n++;
	return false;
}

static void read_request(struct register_request *rq, struct contacts *all,
			 const struct sip_msg *msg)
{
	const struct sip_hdr *agent = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);

	*rq = (struct register_request){
		.cseq = msg->cseq.num,
		.now_ms = clock_mono_ms(),
	};
	*all = (struct contacts){.rq = rq, .msg = msg};
	rq->has_expires = seconds(&msg->expires, &rq->expires);
	caller_clean(rq->call_id, sizeof(rq->call_id), msg->callid.p,
		     msg->callid.l);
	if (agent)
		caller_clean(rq->agent, sizeof(rq->agent), agent->val.p,
			     agent->val.l);
	tc_sa_get(&rq->from, &msg->src);
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_CONTACT, contact_next, all);
}

/* ------------------------------------------------------------------ answers */

static void refuse(struct listener *l, const struct sip_msg *msg,
		   uint16_t status, const char *reason)
{
	const unsigned least = l->stack->config->sip.register_min_ms / 1000;
	char header[48] = "";

	if (status == 423)
		re_snprintf(header, sizeof(header), "Min-Expires: %u\r\n",
			    least);
	l->stack->counters.refused++;
	stack_tell_turned_away(l->stack, &msg->src, reason, status);
	(void)sip_treplyf(NULL, NULL, l->sip, msg, false, status, reason,
			  "%sContent-Length: 0\r\n\r\n", header);
}

static void accept_all(struct listener *l, const struct sip_msg *msg,
		       const struct bindings *b)
{
	const uint64_t now = clock_mono_ms();
	char text[REGISTER_CONTACTS * (REGISTER_URI + 48)] = "";
	size_t at = 0;

	for (size_t i = 0; i < b->n; i++) {
		const unsigned left =
			(unsigned)((b->v[i].until_ms - now + 999) / 1000);
		const int n = re_snprintf(text + at, sizeof(text) - at,
					  "Contact: <%s>;expires=%u\r\n",
					  b->v[i].uri, left);

		if (n > 0)
			at += (size_t)n;
	}
	(void)sip_treplyf(NULL, NULL, l->sip, msg, false, 200, "OK",
			  "%sContent-Length: 0\r\n\r\n", text);
}

/* The address of record is its own? The host does not matter: we have one
 * domain. */
static bool is_own(const struct config_endpoint *x, const struct sip_msg *msg)
{
	const struct pl *user = &msg->to.uri.user;

	return !pl_strcmp(user, x->may.name) ||
	       (x->extension && !pl_strcmp(user, x->extension)) ||
	       (x->user && !pl_strcmp(user, x->user));
}

void registrar_request(struct registrar *r, struct listener *l,
		       const struct sip_msg *msg)
{
	const struct config *c = r->stack->config;
	const struct register_limits limits = {
		.min_s = c->sip.register_min_ms / 1000,
		.max_s = c->sip.register_max_ms / 1000,
	};
	struct register_verdict v;
	struct register_request rq;
	struct contacts all;
	int i = registrar_prove(r, l, msg);

	if (i < 0 || (size_t)i >= r->n)
		return;
	if (!is_own(&c->endpoints[i], msg)) {
		refuse(l, msg, 403, "Not your address of record");
		return;
	}
	read_request(&rq, &all, msg);
	if (all.bad) {
		refuse(l, msg, 400, all.bad);
		return;
	}
	register_decide(&r->v[i].b, &rq, &limits, &v);
	if (v.status != 200) {
		refuse(l, msg, v.status, v.reason);
		return;
	}
	accept_all(l, msg, &v.after);
	registrar_bind(r, (size_t)i, &v.after, false);
}

const struct config_peer *registrar_caller(struct registrar *r,
					   struct listener *l,
					   const struct sip_msg *msg)
{
	const int i = registrar_prove(r, l, msg);

	return i < 0 ? NULL : &r->stack->config->endpoints[i].may;
}

bool registrar_redirect(struct registrar *r, struct listener *l,
			const struct sip_msg *msg)
{
	char text[REGISTER_CONTACTS * (REGISTER_URI + 16)] = "";
	struct bindings b;
	struct caller who;
	size_t at = 0;

	caller_identify(&who, msg, false);
	if (config_endpoint_find(r->stack->config, who.user) < 0)
		return false;
	if (!location_find(r->stack, who.user, &b)) {
		refuse(l, msg, 480, "Not registered");
		return true;
	}
	for (size_t i = 0; i < b.n; i++) {
		const int n = re_snprintf(text + at, sizeof(text) - at,
					  "Contact: <%s>\r\n", b.v[i].uri);

		if (n > 0)
			at += (size_t)n;
	}
	(void)sip_treplyf(NULL, NULL, l->sip, msg, false, 302,
			  "Moved Temporarily", "%sContent-Length: 0\r\n\r\n",
			  text);
	return true;
}
