/* Accounts: their addresses, and that something listens to reach them. */
#include "load.h"
#include "secret.h"
#include "values.h"

#include <errno.h>
#include <string.h>

static const char *const transports[] = {"udp", "tcp", "tls"};

static void check_password(struct load *l, size_t i)
{
	struct config_account *x = &l->c->accounts[i];
	const char *why = NULL;

	if (x->password_file &&
	    secret_read(x->password_file, x->password, sizeof(x->password),
			&why) != ENOENT &&
	    why)
		problem_add(l->p, load_at(l, KIND_ACCOUNT, i, "password-file"),
			    "account \"%s\": password-file %s: %s", x->may.name,
			    x->password_file, why);
	if (x->auth_user && strpbrk(x->auth_user, "\"\\"))
		problem_add(l->p, load_at(l, KIND_ACCOUNT, i, "auth-user"),
			    "account \"%s\": auth-user has a \" or a "
			    "backslash; leave them out",
			    x->may.name);
}

static bool listens(const struct config *c, enum config_transport t)
{
	for (size_t i = 0; i < c->sip.n_listen; i++)
		if (c->sip.listen[i].transport == t)
			return true;
	return false;
}

static void check_registrar(struct load *l, size_t i, size_t k)
{
	struct config_account *x = &l->c->accounts[i];
	const struct config_where at =
		load_at(l, KIND_ACCOUNT, i, "registrars");

	if (!value_sip_uri(x->registrars[k], &x->where[k]) ||
	    x->where[k].user[0])
		problem_add(l->p, at,
			    "account \"%s\": registrar \"%.80s\": allowed: "
			    "\"sip:HOST\", with \":PORT\" and "
			    "\";transport=tcp\" or \";transport=tls\" if "
			    "need be",
			    x->may.name, x->registrars[k]);
	else if (!listens(l->c, x->where[k].transport))
		problem_add(l->p, at,
			    "account \"%s\": registrar \"%.80s\" cannot be "
			    "reached without a \"%s:\" entry in sip.listen",
			    x->may.name, x->registrars[k],
			    transports[x->where[k].transport]);
}

static void default_registrar(struct load *l, struct config_account *x)
{
	char text[300];
	const bool six = strchr(x->address.host, ':');

	snprintf(text, sizeof(text), "sip:%s%s%s", six ? "[" : "",
		 x->address.host, six ? "]" : "");
	load_default_list(l, &x->registrars, &x->n_registrars,
			  (const char *const[]){text}, 1);
}

static void check_one(struct load *l, size_t i)
{
	struct config_account *x = &l->c->accounts[i];

	if (!x->aor)
		return;
	check_password(l, i);
	if (!value_sip_uri(x->aor, &x->address) || !x->address.user[0] ||
	    strchr(x->aor, ';')) {
		problem_add(l->p, load_at(l, KIND_ACCOUNT, i, "aor"),
			    "account \"%s\": aor \"%.80s\": allowed: "
			    "\"sip:USER@HOST\", like "
			    "\"sip:7000@pbx.example\"",
			    x->may.name, x->aor);
		return;
	}
	for (size_t k = 0; k < i; k++)
		if (l->c->accounts[k].aor &&
		    !strcmp(l->c->accounts[k].aor, x->aor))
			problem_add(l->p, load_at(l, KIND_ACCOUNT, i, "aor"),
				    "account \"%s\": account \"%s\" has the "
				    "same aor (%s:%d)",
				    x->may.name, l->c->accounts[k].may.name,
				    l->c->accounts[k].may.at.file,
				    l->c->accounts[k].may.at.line);
	if (!x->n_registrars)
		default_registrar(l, x);
	for (size_t k = 0; k < x->n_registrars; k++)
		check_registrar(l, i, k);
}

void load_check_accounts(struct load *l)
{
	const struct config *c = l->c;

	if (c->n_accounts && !c->sip.n_listen) {
		problem_add(l->p, c->accounts[0].may.at,
			    "account \"%s\" cannot register without SIP: give "
			    "the sip section \"listen\"",
			    c->accounts[0].may.name);
		return;
	}
	for (size_t i = 0; i < c->n_accounts; i++)
		if (!l->node[KIND_ACCOUNT][i]->damaged)
			check_one(l, i);
}

bool load_can_call(const struct config *c, const char *uri)
{
	struct config_sip_uri u;
	struct sockaddr_storage ss;

	if (value_sip(uri, &ss))
		return !value_is_multicast(&ss) && !value_is_any(&ss);
	return value_sip_uri(uri, &u) && u.user[0] &&
	       config_account_of(c, u.host) >= 0;
}
