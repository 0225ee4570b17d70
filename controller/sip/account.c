/*
 * Accounts: the requests that enrol.c wants, and what becomes of them.
 *
 * One request of an account is out at a time; its answer, its error or the end
 * of our patience is the event. libre's own sipreg is not used: it retries
 * after up to 30 minutes and keeps no list (LIBRE.md B12).
 */
#include "controller/sip/account_internal.h"
#include "controller/sip/account_words.h"
#include "controller/sip/enrol.h"
#include "controller/sip/lookup.h"
#include "controller/sip/secure.h"

#include "controller/base/clock.h"
#include "controller/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* Rounds of challenge and answer in one request. */
#define MAX_ROUNDS 3
/* Nothing shorter is granted in earnest; renewing faster helps nobody. */
#define MIN_GRANTED_S 10
#define MAX_GRANTED_S 86400
/* An answer that took longer was asked for twice (T1). */
#define LATE_US 450000

struct one {
	struct account_all *owner;
	const struct config_account *c;
	struct enrol e;
	struct tmr tmr; /* due, or the end of patience */
	struct sip_request *req;
	struct lookup *lookup;
	struct sip_auth *auth;
	unsigned auth_for; /* its challenges are of this registrar */
	struct sa addr[ENROL_REGISTRARS]; /* where each was found last */
	bool found[ENROL_REGISTRARS];
	char route_uri[128]; /* of the request that is out */
	struct sa from;      /* listener the registration names */
	uint16_t conn_port;  /* ours, of the connection it came by; 0 = UDP */
	char call_id[40], tag[20];
	uint32_t cseq, expires_s, hold_ms;
	unsigned rounds;
	uint64_t sent_us, since_us;
	bool proved;
	char error[224], told[224];
	uint64_t registrations, failures;
};

struct account_all {
	struct stack *stack;
	struct one **v; /* as config.accounts */
	size_t n;
	bool leaving, turning; /* the loop, once more */
	struct account_handlers h;
	void *arg;
};

static void take(struct one *x, enum enrol_event ev, uint32_t granted_ms);

static struct enrol_rule rule_of(const struct one *x)
{
	return (struct enrol_rule){(unsigned)x->c->n_registrars, x->c->ask_ms};
}

static enum sip_transp transport_of(const struct config_sip_uri *u)
{
	return u->transport == TRANSPORT_UDP   ? SIP_TRANSP_UDP
	       : u->transport == TRANSPORT_TCP ? SIP_TRANSP_TCP
					       : SIP_TRANSP_TLS;
}

static uint16_t port_of(const struct config_sip_uri *u)
{
	if (u->port)
		return u->port;
	return u->transport == TRANSPORT_TLS ? SIP_PORT_TLS : SIP_PORT;
}

/* -------------------------------------------------------------------- words */

static void where_text(const struct one *x, unsigned i, char *text, size_t size)
{
	static const char *const names[] = {"udp", "tcp", "tls"};
	const struct config_sip_uri *u = &x->c->where[i];
	const bool six = strchr(u->host, ':');

	snprintf(text, size, "%s:%s%s%s:%u", names[u->transport],
		 six ? "[" : "", u->host, six ? "]" : "", port_of(u));
}

static const char *user_of(const struct config_account *c)
{
	return c->auth_user ? c->auth_user : c->address.user;
}

/* RFC 5922 4: who the server must prove to be. */
static const char *name_of(const struct one *x, unsigned i)
{
	struct sa sa;

	return sa_set_str(&sa, x->c->where[i].host, 0) ? x->c->where[i].host
						       : x->c->address.host;
}

static void say(struct one *x, int err, const struct sip_msg *msg)
{
	char where[300], phrase[64] = "";
	const struct config_sip_uri *u = &x->c->where[x->e.registrar];
	struct account_failure f = {
		.where = where,
		.user = user_of(x->c),
		.aor = x->c->aor,
		.phrase = phrase,
		.err = err,
		.proved = x->proved,
		.stream = u->transport != TRANSPORT_UDP,
		.secure = u->transport == TRANSPORT_TLS,
	};

	where_text(x, x->e.registrar, where, sizeof(where));
	if (f.secure && err && err != ENOTSUP)
		f.distrust = secure_complaint(name_of(x, x->e.registrar));
	if (msg && !err) {
		f.status = msg->scode;
		caller_clean(phrase, sizeof(phrase), msg->reason.p,
			     msg->reason.l);
	}
	account_words(x->error, sizeof(x->error), &f);
}

/* ----------------------------------------------------------------- requests */

static int auth_handler(char **user, char **password, const char *realm,
			void *arg)
{
	const struct one *x = arg;
	int err;

	(void)realm;
	if (!x->c->password[0])
		return EAUTH;
	err = str_dup(user, user_of(x->c));
	return err ? err : str_dup(password, x->c->password);
}

static void host_uri(const struct config_account *c, char *text, size_t size)
{
	const struct config_sip_uri *u = &c->address;
	const bool six = strchr(u->host, ':');
	char port[8] = "";

	if (u->port)
		snprintf(port, sizeof(port), ":%u", u->port);
	snprintf(text, size, "sip:%s%s%s%s", six ? "[" : "", u->host,
		 six ? "]" : "", port);
}

static void on_answer(int err, const struct sip_msg *msg, void *arg);

/* Sends what is out now to a registrar whose address is known. */
static int send_request(struct one *x)
{
	const unsigned i = x->e.registrar;
	const enum sip_transp tp = transport_of(&x->c->where[i]);
	const bool ask = x->e.doing == ENROL_DO_ASK;
	const unsigned expires =
		x->e.doing == ENROL_DO_LEAVE ? 0 : x->expires_s;
	struct listener *l = listener_for(x->owner->stack, &x->addr[i], tp);
	char domain[300], tail[64] = "";
	struct uri route;
	struct pl pl;
	int err;

	if (!l)
		return EADDRNOTAVAIL;
	if (tp == SIP_TRANSP_TLS)
		secure_expect(&x->addr[i], name_of(x, i));
	host_uri(x->c, domain, sizeof(domain));
	(void)re_snprintf(
		x->route_uri, sizeof(x->route_uri), "sip:%J%s", &x->addr[i],
		tp == SIP_TRANSP_UDP ? ";transport=udp" : sip_transp_param(tp));
	pl_set_str(&pl, x->route_uri);
	err = uri_decode(&route, &pl);
	if (err)
		return err;
	if (!ask)
		(void)re_snprintf(tail, sizeof(tail), "Expires: %u\r\n",
				  expires);
	if (x->e.doing == ENROL_DO_REGISTER)
		x->from = l->laddr;
	x->sent_us = clock_mono_us();
	return sip_requestf(
		&x->req, l->sip, true, ask ? "OPTIONS" : "REGISTER", domain,
		&route, ask ? NULL : x->auth, NULL, on_answer, x,
		"To: <%s>\r\n"
		"From: <%s>;tag=%s\r\n"
		"Call-ID: %s%s\r\n"
		"CSeq: %u %s\r\n"
		"Contact: <sip:%s@%J%s>%s\r\n"
		"%s"
		"User-Agent: tocsin\r\n"
		"Content-Length: 0\r\n"
		"\r\n",
		ask ? domain : x->c->aor, x->c->aor, x->tag, x->call_id,
		ask ? "-q" : "", ++x->cseq, ask ? "OPTIONS" : "REGISTER",
		x->c->address.user, &l->laddr, sip_transp_param(tp),
		ask       ? ""
		: expires ? ""
			  : ";expires=0",
		tail);
}

/* The end of patience with what is out; libre forgets it by itself. */
static void on_silence(void *arg)
{
	struct one *x = arg;

	x->req = mem_deref(x->req);
	say(x, ETIMEDOUT, NULL);
	take(x, ENROL_EV_UNREACHED, 0);
}

/* What could not even be sent is told from the loop, not from within. */
static void on_unsent(void *arg)
{
	take(arg, ENROL_EV_UNREACHED, 0);
}

static void send_or_fail(struct one *x)
{
	const int err = send_request(x);

	if (err) {
		x->req = NULL;
		say(x, err, NULL);
		tmr_start(&x->tmr, 0, on_unsent, x);
	} else {
		tmr_start(&x->tmr, ACCOUNT_PATIENCE_MS, on_silence, x);
	}
}

static void on_found(const struct sa *v, size_t n, const char *why, void *arg)
{
	struct one *x = arg;
	const unsigned i = x->e.registrar;

	x->lookup = NULL;
	if (!n) {
		snprintf(x->error, sizeof(x->error),
			 "the name %s cannot be looked up: %s",
			 x->c->where[i].host, why);
		tmr_start(&x->tmr, 0, on_unsent, x);
		return;
	}
	/* Each failure asks for another of its addresses. */
	x->addr[i] = v[x->e.v[i].fails % n];
	sa_set_port(&x->addr[i], port_of(&x->c->where[i]));
	x->found[i] = true;
	send_or_fail(x);
}

static void begin(struct one *x)
{
	const unsigned i = x->e.registrar;
	const struct config_sip_uri *u = &x->c->where[i];
	int err;

	x->rounds = 0;
	x->hold_ms = 0;
	x->proved = false;
	if (x->e.doing == ENROL_DO_REGISTER && x->auth_for != i) {
		sip_auth_reset(x->auth);
		x->auth_for = i;
	}
	if (!sa_set_str(&x->addr[i], u->host, port_of(u))) {
		x->found[i] = true;
		send_or_fail(x);
		return;
	}
	/* Within a registration it stays the one that has it. */
	if (x->e.doing != ENROL_DO_REGISTER && x->found[i]) {
		send_or_fail(x);
		return;
	}
	err = lookup_start(&x->lookup, u->host, on_found, x);
	if (err) {
		x->lookup = NULL;
		say(x, err, NULL);
		tmr_start(&x->tmr, 0, on_unsent, x);
		return;
	}
	tmr_start(&x->tmr, ACCOUNT_PATIENCE_MS, on_silence, x);
}

/* ------------------------------------------------------------------ answers */

struct granted {
	const struct one *x;
	uint32_t own, least; /* seconds, UINT32_MAX = none */
};

static uint32_t seconds(const struct pl *pl)
{
	uint64_t v = 0;

	for (size_t i = 0; i < pl->l && i < 10; i++) {
		if (pl->p[i] < '0' || pl->p[i] > '9')
			return UINT32_MAX;
		v = v * 10 + (uint64_t)(pl->p[i] - '0');
	}
	return pl->l && v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

/* A registrar tells of all contacts of the address of record, ours perhaps
 * rewritten (LIBRE.md B12): ours by its user and host, else the shortest. */
static bool contact_next(const struct sip_hdr *h, const struct sip_msg *msg,
			 void *arg)
{
	struct granted *g = arg;
	struct sip_addr addr;
	struct sa host;
	struct pl pl;
	uint32_t s;

	(void)msg;
	if (sip_addr_decode(&addr, &h->val) ||
	    msg_param_decode(&addr.params, "expires", &pl))
		return false;
	s = seconds(&pl);
	if (s < g->least)
		g->least = s;
	if (!pl_strcmp(&addr.uri.user, g->x->c->address.user) &&
	    !sa_set(&host, &addr.uri.host, addr.uri.port) &&
	    sa_cmp(&host, &g->x->from, SA_ADDR))
		g->own = s;
	return false;
}

static uint32_t granted_s(const struct one *x, const struct sip_msg *msg)
{
	struct granted g = {x, UINT32_MAX, UINT32_MAX};
	uint32_t s;

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_CONTACT, contact_next, &g);
	s = g.own != UINT32_MAX     ? g.own
	    : g.least != UINT32_MAX ? g.least
				    : seconds(&msg->expires);
	if (s == UINT32_MAX)
		s = x->expires_s;
	return s < MIN_GRANTED_S   ? MIN_GRANTED_S
	       : s > MAX_GRANTED_S ? MAX_GRANTED_S
				   : s;
}

static uint16_t connection_port(const struct sip_msg *msg)
{
	struct tcp_conn *tc = sip_msg_tcpconn(msg);
	struct sa local;

	return tc && !tcp_conn_local_get(tc, &local) ? sa_port(&local) : 0;
}

/* Has it been answered with another request? */
static bool go_on(struct one *x, const struct sip_msg *msg)
{
	const struct sip_hdr *h;
	uint32_t least;
	int err;

	if (++x->rounds > MAX_ROUNDS)
		return false;
	if (msg->scode == 401 || msg->scode == 407) {
		err = sip_auth_authenticate(x->auth, msg);
		if (err == ENOTSUP)
			say(x, err, NULL);
		if (err)
			return false;
		x->proved = true;
		send_or_fail(x);
		return true;
	}
	if (msg->scode == 423 && x->e.doing == ENROL_DO_REGISTER) {
		h = sip_msg_xhdr(msg, "Min-Expires");
		least = h ? seconds(&h->val) : UINT32_MAX;
		if (least > MAX_GRANTED_S || least <= x->expires_s)
			return false;
		x->expires_s = least;
		send_or_fail(x);
		return true;
	}
	return false;
}

static enum enrol_event refused(struct one *x, const struct sip_msg *msg)
{
	const struct sip_hdr *h = sip_msg_hdr(msg, SIP_HDR_RETRY_AFTER);
	struct pl number = {NULL, 0};
	uint32_t s;

	if (h) {
		number = h->val;
		number.l = 0;
		while (number.l < h->val.l && h->val.p[number.l] >= '0' &&
		       h->val.p[number.l] <= '9')
			number.l++;
		s = seconds(&number);
		x->hold_ms = s < 3600 ? s * 1000 : 0;
	}
	if (!x->error[0])
		say(x, 0, msg);
	sip_auth_reset(x->auth);
	return ENROL_EV_REFUSED;
}

static enum enrol_event asked(const struct one *x, const struct sip_msg *msg)
{
	const bool late = clock_mono_us() - x->sent_us > LATE_US;

	return late || connection_port(msg) != x->conn_port ? ENROL_EV_ANEW
							    : ENROL_EV_ALIVE;
}

static void on_answer(int err, const struct sip_msg *msg, void *arg)
{
	struct one *x = arg;

	if (!err && msg && msg->scode < 200)
		return;
	tmr_cancel(&x->tmr);
	if (err || !msg) {
		say(x, err, NULL);
		take(x, ENROL_EV_UNREACHED, 0);
		return;
	}
	if (x->e.doing == ENROL_DO_ASK) {
		take(x, asked(x, msg), 0);
		return;
	}
	x->error[0] = '\0';
	if (msg->scode >= 300 && go_on(x, msg))
		return;
	if (x->e.doing == ENROL_DO_LEAVE) {
		take(x, ENROL_EV_ALIVE, 0);
	} else if (msg->scode < 300) {
		x->conn_port = connection_port(msg);
		take(x, ENROL_EV_GRANTED, granted_s(x, msg) * 1000);
	} else {
		take(x, refused(x, msg), 0);
	}
}

/* ------------------------------------------------------------------- events */

static void view(const struct one *x, struct account_view *v)
{
	const int i = x->e.with >= 0 ? x->e.with : (int)x->e.registrar;

	*v = (struct account_view){
		.name = x->c->may.name,
		.registered = x->e.with >= 0,
		.registrar = x->c->registrars[i],
		.since_us = x->since_us,
		.next_us = x->e.with >= 0 ? x->e.renew_at : x->e.due,
		.until_us = x->e.with >= 0 ? x->e.until : 0,
		.error = x->error,
		.registrations = x->registrations,
		.failures = x->failures,
	};
}

static void tell(struct one *x, enum enrol_told told)
{
	struct account_all *a = x->owner;
	struct account_view v;

	if (a->leaving)
		return; /* at our own wish */
	if (told != ENROL_SAME)
		x->since_us = clock_mono_us();
	view(x, &v);
	if (told != ENROL_SAME) {
		snprintf(x->told, sizeof(x->told), "%s", x->error);
		if (a->h.changed)
			a->h.changed(&v, told == ENROL_MOVED, a->arg);
	} else if (strcmp(x->told, x->error) != 0) {
		snprintf(x->told, sizeof(x->told), "%s", x->error);
		if (x->error[0] && a->h.failed)
			a->h.failed(&v, a->arg);
	}
}

static void on_due(void *arg)
{
	take(arg, ENROL_EV_DUE, 0);
}

static void look_whether_all_left(struct account_all *a)
{
	if (!a->turning)
		return;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i]->e.doing != ENROL_DO_NOTHING)
			return;
	re_cancel();
}

static void take(struct one *x, enum enrol_event ev, uint32_t granted_ms)
{
	const struct enrol_rule rule = rule_of(x);
	const enum enrol_do was = x->e.doing;
	const uint64_t now = clock_mono_us();
	struct enrol_act a;

	lookup_end(x->lookup);
	x->lookup = NULL;
	if (ev == ENROL_EV_GRANTED) {
		x->registrations++;
		x->error[0] = '\0';
	} else if (was == ENROL_DO_REGISTER) {
		x->failures++;
	}
	a = enrol_step(&x->e, &rule, ev,
		       &(struct enrol_news){granted_ms, x->hold_ms, rand_u32()},
		       now);
	tmr_cancel(&x->tmr);
	tell(x, a.told);
	if (a.act != ENROL_DO_NOTHING)
		begin(x);
	else if (x->e.due)
		tmr_start(&x->tmr,
			  x->e.due > now ? (x->e.due - now) / 1000 + 1 : 0,
			  on_due, x);
	look_whether_all_left(x->owner);
}

/* ------------------------------------------------------------ configuration */

static void one_destructor(void *arg)
{
	struct one *x = arg;

	tmr_cancel(&x->tmr);
	lookup_end(x->lookup);
	mem_deref(x->req);
	mem_deref(x->auth);
}

static struct one *one_alloc(struct account_all *a,
			     const struct config_account *c)
{
	struct one *x = mem_zalloc(sizeof(*x), one_destructor);

	if (!x)
		return NULL;
	x->owner = a;
	x->c = c;
	tmr_init(&x->tmr);
	enrol_init(&x->e);
	x->since_us = clock_mono_us();
	x->expires_s = c->expires_ms / 1000;
	x->cseq = rand_u16();
	(void)re_snprintf(x->call_id, sizeof(x->call_id), "%016llx%016llx",
			  rand_u64(), rand_u64());
	(void)re_snprintf(x->tag, sizeof(x->tag), "%016llx", rand_u64());
	if (sip_auth_alloc(&x->auth, auth_handler, x, false)) {
		mem_deref(x);
		return NULL;
	}
	return x;
}

int account_all_alloc(struct account_all **ap, struct stack *s)
{
	struct account_all *a = calloc(1, sizeof(*a));

	if (!a)
		return ENOMEM;
	a->stack = s;
	*ap = a;
	return 0;
}

struct account_all *account_all_free(struct account_all *a)
{
	if (!a)
		return NULL;
	for (size_t i = 0; i < a->n; i++)
		mem_deref(a->v[i]);
	free(a->v);
	free(a);
	return NULL;
}

static bool same(const struct config_account *a, const struct config_account *b)
{
	if (strcmp(a->may.name, b->may.name) != 0 ||
	    strcmp(a->aor, b->aor) != 0 ||
	    strcmp(user_of(a), user_of(b)) != 0 ||
	    strcmp(a->password, b->password) != 0 ||
	    a->expires_ms != b->expires_ms ||
	    a->n_registrars != b->n_registrars)
		return false;
	for (size_t i = 0; i < a->n_registrars; i++)
		if (strcmp(a->registrars[i], b->registrars[i]) != 0)
			return false;
	return true;
}

/* Is what the registrar would call still listened on? */
static bool still_listens(const struct one *x)
{
	const struct le *le;

	if (x->e.with < 0)
		return true;
	for (le = list_head(&x->owner->stack->listeners); le; le = le->next) {
		const struct listener *l = le->data;

		if (sa_cmp(&l->laddr, &x->from, SA_ALL))
			return true;
	}
	return false;
}

static struct one *take_over(struct account_all *a,
			     const struct config_account *c)
{
	for (size_t i = 0; i < a->n; i++) {
		struct one *x = a->v[i];

		/* While an end goes on its requests are of the old. */
		if (x && same(x->c, c) && still_listens(x)) {
			a->v[i] = NULL;
			x->c = c;
			return x;
		}
	}
	return one_alloc(a, c);
}

/* Whoever is not taken over lets go of its registration, unheard. */
static void drop(struct one *x)
{
	if (x && x->e.with >= 0) {
		x->req = mem_deref(x->req);
		x->e.registrar = (unsigned)x->e.with;
		x->e.doing = ENROL_DO_LEAVE;
		(void)send_request(x);
	}
	mem_deref(x);
}

int account_all_configure(struct account_all *a)
{
	const struct config *c = a->stack->config;
	struct one **v = calloc(c->n_accounts + 1, sizeof(struct one *));

	if (!v)
		return ENOMEM;
	for (size_t i = 0; i < c->n_accounts; i++) {
		v[i] = take_over(a, &c->accounts[i]);
		if (!v[i])
			log_error(NULL, "account %s: not enough memory",
				  c->accounts[i].may.name);
	}
	for (size_t i = 0; i < a->n; i++)
		drop(a->v[i]);
	free(a->v);
	a->v = v;
	a->n = c->n_accounts;
	for (size_t i = 0; i < a->n; i++)
		if (v[i]->e.doing == ENROL_DO_NOTHING &&
		    !tmr_isrunning(&v[i]->tmr))
			tmr_start(&v[i]->tmr, 0, on_due, v[i]);
	return 0;
}

/* --------------------------------------------------------------------- view */

void account_handle(struct stack *s, const struct account_handlers *h,
		    void *arg)
{
	s->accounts->h = *h;
	s->accounts->arg = arg;
}

bool account_see(const struct stack *s, size_t i, struct account_view *v)
{
	if (i >= s->accounts->n)
		return false;
	view(s->accounts->v[i], v);
	return true;
}

static void leave_in_vain(void *arg)
{
	(void)arg;
	re_cancel();
}

void account_leave(struct stack *s)
{
	struct account_all *a = s->accounts;
	struct tmr tmr;
	bool any = false;

	a->leaving = true;
	for (size_t i = 0; i < a->n; i++) {
		struct one *x = a->v[i];

		x->req = mem_deref(x->req);
		take(x, ENROL_EV_STOP, 0);
		any |= x->e.doing != ENROL_DO_NOTHING;
	}
	if (!any)
		return;
	a->turning = true;
	tmr_init(&tmr);
	tmr_start(&tmr, ACCOUNT_LEAVE_MS, leave_in_vain, NULL);
	(void)re_main(NULL);
	tmr_cancel(&tmr);
	a->turning = false;
}

/* -------------------------------------------------------------------- calls */

static bool is_registrar(const struct one *x, const struct sa *src)
{
	for (unsigned i = 0; i < x->c->n_registrars; i++)
		if (x->found[i] && sa_cmp(&x->addr[i], src, SA_ADDR))
			return true;
	return false;
}

bool account_all_know(const struct account_all *a, const struct sa *src)
{
	for (size_t i = 0; i < a->n; i++)
		if (is_registrar(a->v[i], src))
			return true;
	return false;
}

const struct config_account *account_all_caller(const struct account_all *a,
						const struct sip_msg *msg)
{
	const struct config_account *other = NULL;

	for (size_t i = 0; i < a->n; i++) {
		const struct config_account *c = a->v[i]->c;

		if (!is_registrar(a->v[i], &msg->src))
			continue;
		if (!pl_strcmp(&msg->uri.user, c->address.user))
			return c;
		/* A trunk: other numbers come by it as well. */
		if (!other || !pl_strcmp(&msg->to.uri.user, c->address.user))
			other = c;
	}
	return other;
}

void account_number(const struct config_account *x, const struct sip_msg *msg,
		    char *user, size_t size)
{
	if (pl_strcmp(&msg->uri.user, x->address.user))
		return;
	if (x->extension)
		(void)re_snprintf(user, size, "%s", x->extension);
	else
		caller_clean(user, size, msg->to.uri.user.p,
			     msg->to.uri.user.l);
}

int account_all_route(const struct account_all *a, const struct pl *host,
		      struct account_route *r, struct reason *why)
{
	const struct one *x = NULL;

	for (size_t i = 0; i < a->n; i++) {
		if (pl_strcasecmp(host, a->v[i]->c->address.host))
			continue;
		/* Of several at one PBX, one that is registered. */
		if (!x || (x->e.with < 0 && a->v[i]->e.with >= 0))
			x = a->v[i];
	}
	if (!x)
		return ENOENT;
	if (x->e.with < 0)
		return reason_set(why, ENOTCONN,
				  "account %s is not registered: %s",
				  x->c->may.name,
				  x->error[0] ? x->error : "not answered yet");
	r->account = x->c;
	r->to = x->addr[x->e.with];
	r->tp = transport_of(&x->c->where[x->e.with]);
	(void)re_snprintf(r->route, sizeof(r->route), "sip:%J%s", &r->to,
			  sip_transp_param(r->tp));
	return 0;
}
