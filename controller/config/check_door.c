/* Doors: their secrets, and whether they lead anywhere. */
#include "load.h"
#include "secret.h"

#include <errno.h>
#include <string.h>

/** Shorter ones can be tried out. */
#define SECRET_LEAST 16

static void read_secret(struct load *l, enum config_kind kind, size_t i,
			const char *path, char *secret)
{
	const char *why = NULL;

	/* That it cannot be read is told already. */
	if (!path ||
	    secret_read(path, secret, CONFIG_MAX_SECRET + 1, &why) == ENOENT)
		return;
	if (!why && strlen(secret) < SECRET_LEAST)
		why = "a secret has 16 bytes at least (openssl rand -hex 32)";
	if (why)
		problem_add(l->p, load_at(l, kind, i, "secret-file"),
			    "%s \"%s\": secret-file %s: %s",
			    schema_kind(kind)->name, l->node[kind][i]->title,
			    path, why);
}

/** Is it a word of a list like "page, stop or run"? */
static bool is_word_of(const char *list, const char *word)
{
	const size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if (n && (p == list || p[-1] == '"') && p[n] == '"')
			return true;
	return false;
}

static bool leads_somewhere(const struct config *c,
			    const struct config_webhook *w)
{
	if (w->n_allow || w->n_trigger)
		return true;
	for (size_t i = 0; i < c->n_inputs; i++)
		if (c->inputs[i].webhook &&
		    !strcmp(c->inputs[i].webhook, w->name))
			return true;
	return false;
}

static void check_webhook(struct load *l, size_t i)
{
	struct config_webhook *w = &l->c->webhooks[i];

	if (l->node[KIND_WEBHOOK][i]->damaged)
		return;
	read_secret(l, KIND_WEBHOOK, i, w->secret_file, w->secret);
	for (size_t k = 0; k < w->n_allow; k++)
		if (!is_word_of(WEBHOOK_VERBS, w->allow[k]))
			problem_add(l->p, load_at(l, KIND_WEBHOOK, i, "allow"),
				    "webhook \"%s\": allow: there is no verb "
				    "\"%.40s\"; allowed: %s",
				    w->name, w->allow[k], WEBHOOK_VERBS);
	if (!w->n_allow && w->n_zones)
		problem_add(l->p, load_at(l, KIND_WEBHOOK, i, "zones"),
			    "webhook \"%s\": \"zones\" is about the verbs of "
			    "\"allow\", which is not given",
			    w->name);
	if (!leads_somewhere(l->c, w) &&
	    !load_given(l, KIND_WEBHOOK, i, "allow") &&
	    !load_given(l, KIND_WEBHOOK, i, "trigger"))
		problem_add(l->p, w->at,
			    "webhook \"%s\" does nothing: give it \"allow\" "
			    "or \"trigger\", or name it in an input: webhook "
			    "= \"%s\"",
			    w->name, w->name);
}

void load_check_doors(struct load *l)
{
	const struct config *c = l->c;

	for (size_t i = 0; i < c->n_webhooks; i++)
		check_webhook(l, i);
	if (c->n_webhooks && !c->web.host &&
	    (!c->web.socket || !*c->web.socket))
		problem_add(l->p, c->webhooks[0].at,
			    "webhook \"%s\" needs a web section with "
			    "\"listen\" or \"socket\"",
			    c->webhooks[0].name);
}
