/* Doors: their secrets, and whether they lead anywhere. */
#include "controller/event.h"
#include "load.h"
#include "secret.h"
#include "values.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static const char *const event_types[] = {
#define X(id, name, level) name,
	EVENT_TYPES(X)
#undef X
};

static const char *nth_type(size_t i, const void *arg)
{
	(void)arg;
	return i < sizeof(event_types) / sizeof(*event_types) ? event_types[i]
							      : NULL;
}

static void check_events(struct load *l, size_t i)
{
	const struct config_notify *n = &l->c->notifies[i];

	for (size_t k = 0; k < n->n_events; k++) {
		const char *near, *type;
		size_t t = 0;

		while ((type = nth_type(t, NULL)) &&
		       fnmatch(n->events[k], type, 0))
			t++;
		if (type)
			continue;
		near = value_nearest(n->events[k], nth_type, NULL);
		problem_add(l->p, load_at(l, KIND_NOTIFY, i, "events"),
			    "notify \"%s\": no event has the type "
			    "\"%.60s\"%s%s%s; allowed: types like "
			    "\"alarm.active\", or \"alarm.*\"",
			    n->name, n->events[k],
			    near ? " (did you mean \"" : "", near ? near : "",
			    near ? "\"?)" : "");
	}
}

static void check_mail(struct load *l, struct config_notify *n)
{
	static const char *const sendmail[] = {"/usr/sbin/sendmail", "-t",
					       "-oi"};

	load_default_list(l, &n->command, &n->n_command, sendmail, 3);
	if (!n->subject)
		load_text(l, &n->subject, "[{site}] {text}{more}");
	if (!n->line)
		load_text(l, &n->line, "{time} {type} {subject}: {text}");
	if (n->n_command && access(n->command[0], X_OK) &&
	    strchr(n->command[0], '/'))
		problem_warn(l->p, n->at,
			     "notify \"%s\": command: %s cannot be run: %s",
			     n->name, n->command[0], strerror(errno));
}

static void check_syslog(struct load *l, size_t i)
{
	const struct config_notify *n = &l->c->notifies[i];

	if (!n->cert != !n->key)
		problem_add(
			l->p,
			load_at(l, KIND_NOTIFY, i, n->cert ? "cert" : "key"),
			"notify \"%s\": \"cert\" and \"key\" need each "
			"other",
			n->name);
	if (n->host && n->transport != TRANSPORT_TLS && (n->ca || n->cert))
		problem_add(l->p, load_at(l, KIND_NOTIFY, i, "syslog"),
			    "notify \"%s\": the server is reached without TLS, "
			    "but \"%s\" is given; write \"tls:...\"",
			    n->name, n->ca ? "ca" : "cert");
}

static void check_notify(struct load *l, size_t i)
{
	static const char *const events[] = {"alarm.*", "fault.*", "daemon.*",
					     "config.refused"};
	struct config_notify *n = &l->c->notifies[i];

	if (l->node[KIND_NOTIFY][i]->damaged ||
	    !load_one_kind(l, KIND_NOTIFY, i, n->kind))
		return;
	if (n->kind == NOTIFY_URL)
		read_secret(l, KIND_NOTIFY, i, n->secret_file, n->secret);
	else if (n->kind == NOTIFY_MAIL)
		check_mail(l, n);
	else
		check_syslog(l, i);
	load_default_list(l, &n->events, &n->n_events, events, 4);
	check_events(l, i);
}

void load_check_doors(struct load *l)
{
	const struct config *c = l->c;

	for (size_t i = 0; i < c->n_webhooks; i++)
		check_webhook(l, i);
	for (size_t i = 0; i < c->n_notifies; i++)
		check_notify(l, i);
	if (c->n_webhooks && !c->web.host &&
	    (!c->web.socket || !*c->web.socket))
		problem_add(l->p, c->webhooks[0].at,
			    "webhook \"%s\" needs a web section with "
			    "\"listen\" or \"socket\"",
			    c->webhooks[0].name);
}
