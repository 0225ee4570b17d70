#include "accounts.h"

#include "controller/base/clock.h"
#include "text_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct accounts {
	struct recorder *recorder;
	struct faults *faults;
	const struct config *config;
	struct stack *stack;
};

int accounts_alloc(struct accounts **ap, struct recorder *r, struct faults *f)
{
	struct accounts *a = calloc(1, sizeof(*a));

	if (!a)
		return ENOMEM;
	a->recorder = r;
	a->faults = f;
	*ap = a;
	return 0;
}

struct accounts *accounts_free(struct accounts *a)
{
	static const struct account_handlers nobody;

	if (a && a->stack)
		account_handle(a->stack, &nobody, NULL);
	free(a);
	return NULL;
}

static void fault_key(const char *name, char key[96])
{
	snprintf(key, 96, "account:%.80s", name);
}

static const struct config_account *config_of(const struct accounts *a,
					      const char *name)
{
	for (size_t i = 0; i < a->config->n_accounts; i++)
		if (!strcmp(a->config->accounts[i].may.name, name))
			return &a->config->accounts[i];
	return NULL;
}

static const char *error_of(const struct account_view *v)
{
	return v->error[0] ? v->error : "it has not been answered yet";
}

static void look(struct accounts *a, const struct account_view *v)
{
	const struct config_account *c = config_of(a, v->name);
	char key[96];

	fault_key(v->name, key);
	if (v->registered || !c || !c->supervised)
		fault_clear(a->faults, key);
	else if (clock_mono_us() - v->since_us >=
		 ACCOUNTS_GRACE_MS * UINT64_C(1000))
		fault_raise(a->faults, key, ACCOUNTS_GRACE_MS,
			    "Look at the PBX, at the way there, and at "
			    "registrars, aor and password-file of the account.",
			    "account %s is not registered: %s", v->name,
			    error_of(v));
}

void accounts_watch(struct accounts *a)
{
	struct account_view v;

	for (size_t i = 0; a->stack && account_see(a->stack, i, &v); i++)
		look(a, &v);
}

static void on_changed(const struct account_view *v, bool moved, void *arg)
{
	struct accounts *a = arg;
	char subject[80];

	snprintf(subject, sizeof(subject), "account:%.64s", v->name);
	if (v->registered)
		record(a->recorder, EVENT_ACCOUNT_REGISTERED, 0, subject, NULL,
		       json_pack("{s:o}", "registrar", text_json(v->registrar)),
		       "%s is registered with %s%s", v->name, v->registrar,
		       moved ? " now" : "");
	else
		record(a->recorder, EVENT_ACCOUNT_LOST, 0, subject, NULL,
		       json_pack("{s:o}", "registrar", text_json(v->registrar)),
		       "%s is no longer registered with %s%s%s", v->name,
		       v->registrar, v->error[0] ? ": " : "", v->error);
	look(a, v);
}

static void on_failed(const struct account_view *v, void *arg)
{
	struct accounts *a = arg;
	char subject[80];

	snprintf(subject, sizeof(subject), "account:%.64s", v->name);
	record(a->recorder, EVENT_ACCOUNT_FAILED, 0, subject, NULL,
	       json_pack("{s:o}", "registrar", text_json(v->registrar)),
	       "%s: %s", v->name, v->error);
}

static bool is_configured(const char *key, void *arg)
{
	const struct config_account *c =
		config_of(arg, key + strlen("account:"));

	return c && c->supervised;
}

void accounts_configure(struct accounts *a, const struct config *c,
			struct stack *s)
{
	static const struct account_handlers handlers = {
		.changed = on_changed,
		.failed = on_failed,
	};

	a->config = c;
	a->stack = s;
	fault_clear_prefix(a->faults, "account:", is_configured, a);
	if (s)
		account_handle(s, &handlers, a);
}

/* ---------------------------------------------------------------------- API */

static json_int_t ahead_s(uint64_t at_us, uint64_t now)
{
	return at_us > now ? (json_int_t)((at_us - now) / 1000000) : 0;
}

json_t *accounts_json(const struct accounts *a)
{
	const uint64_t now = clock_mono_us();
	json_t *all = json_array();
	struct account_view v;

	for (size_t i = 0; a->stack && account_see(a->stack, i, &v); i++) {
		const struct config_account *c = config_of(a, v.name);

		json_array_append_new(
			all,
			json_pack(
				"{s:s,s:s,s:s,s:b,s:s,s:I,s:I,s:I,s:o,s:I,s:I}",
				"name", v.name, "aor", c ? c->aor : "", "state",
				v.registered ? "registered" : "away",
				"supervised", c && c->supervised, "registrar",
				v.registrar, "since_s",
				(json_int_t)((now - v.since_us) / 1000000),
				"next_s", ahead_s(v.next_us, now), "expires_s",
				ahead_s(v.until_us, now), "error",
				text_json(v.error), "registrations",
				(json_int_t)v.registrations, "failures",
				(json_int_t)v.failures));
	}
	return all;
}

void accounts_metrics(const struct accounts *a, FILE *f)
{
	struct account_view v;

	fputs("# HELP tocsin_account_registered 1 while an account is "
	      "registered at its PBX.\n"
	      "# TYPE tocsin_account_registered gauge\n",
	      f);
	for (size_t i = 0; a->stack && account_see(a->stack, i, &v); i++)
		fprintf(f, "tocsin_account_registered{account=\"%s\"} %d\n",
			v.name, v.registered);
	fputs("# HELP tocsin_account_failures_total Attempts to register that "
	      "failed.\n"
	      "# TYPE tocsin_account_failures_total counter\n",
	      f);
	for (size_t i = 0; a->stack && account_see(a->stack, i, &v); i++)
		fprintf(f,
			"tocsin_account_failures_total{account=\"%s\"} %llu\n",
			v.name, (unsigned long long)v.failures);
}
