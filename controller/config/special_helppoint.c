/* Help points: who they are, and what their keys mean together. */
#include "controller/base/text.h"
#include "load.h"
#include "values.h"

#include <stdio.h>
#include <string.h>

/** "sip:USER@ADDRESS": the user, and the address as a network of one. */
static bool read_uri(struct load *l, struct config_helppoint *p, const char *s)
{
	const char *user = s + strlen("sip:"), *at = strchr(s, '@');
	char copy[64];

	if (!value_sip(s, &p->net) || !at || at == user ||
	    (size_t)(at - user) >= sizeof(copy))
		return false;
	snprintf(copy, sizeof(copy), "%.*s", (int)(at - user), user);
	load_text(l, &p->user, copy);
	p->prefix = p->net.ss_family == AF_INET6 ? 128 : 32;
	return true;
}

static bool is_user(const char *s)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._-+*#";

	return *s && strlen(s) < 64 && !s[strspn(s, allowed)];
}

void set_point_from(struct load *l, void *obj, const struct config_value *val)
{
	struct config_helppoint *p = obj;
	const char *s = val->v[0];

	if (!val->given)
		return;
	load_text(l, &p->from, s);
	if (load_find(l, KIND_ENDPOINT, s) >= 0)
		p->kind = FROM_ENDPOINT;
	else if (!strncmp(s, "sip:", 4) && read_uri(l, p, s))
		p->kind = FROM_URI;
	else if (value_net(s, &p->net, &p->prefix))
		p->kind = FROM_NET;
	else if (is_user(s))
		p->kind = FROM_USER;
	else
		load_refuse(l, val, s);
}

void set_keys(struct load *l, void *obj, const struct config_value *val)
{
	const char *s = val->v[0];
	const size_t n = strlen(s);

	if (!val->given)
		return;
	if (!n || n > CONFIG_MAX_KEYS || s[strspn(s, "0123456789*#")])
		load_refuse(l, val, s);
	else
		load_text(l, (char **)((char *)obj + val->key->offset), s);
}

void *open_door(struct load *l, void *parent, const struct scan_node *n)
{
	const struct config_section *s =
		schema_section(schema_kind(KIND_HELPPOINT), "door");
	struct config_helppoint *p = parent;
	struct config_door *x;

	if (p->n_doors == s->max) {
		problem_add(l->p, n->at,
			    "helppoint \"%s\" has more than %zu doors: that is "
			    "the most",
			    p->name, s->max);
		return NULL;
	}
	if (!p->doors)
		p->doors = load_calloc(l, s->max, sizeof(*p->doors));
	if (!p->doors)
		return NULL;
	x = &p->doors[p->n_doors++];
	x->at = n->at;
	x->name = load_strdup(l, n->title);
	return x;
}

const void *nth_door(const struct config *c, const void *parent, size_t i)
{
	const struct config_helppoint *p = parent;

	(void)c;
	return i < p->n_doors ? &p->doors[i] : NULL;
}

static bool peer_helps(const struct config *c, const struct config_helppoint *p)
{
	for (size_t i = 0; i < c->n_peers; i++) {
		const struct config_peer *x = &c->peers[i];
		const struct sockaddr *a = (const struct sockaddr *)&p->net,
				      *b = (const struct sockaddr *)&x->net;

		/* One lies within the other. */
		if (x->help && (p->kind < FROM_URI ||
				config_net_has(&x->net, x->prefix, a) ||
				config_net_has(&p->net, p->prefix, b)))
			return true;
	}
	return false;
}

/** Is there anybody who could be it? */
static void check_from(struct load *l, size_t i)
{
	const struct config *c = l->c;
	const struct config_helppoint *p = &c->helppoints[i];
	const struct config_where at = load_at(l, KIND_HELPPOINT, i, "from");
	int k;

	if (!p->from && !p->extension)
		problem_add(l->p, p->at,
			    "helppoint \"%s\": who is it? Give it \"from\", or "
			    "the \"extension\" that is dialled for help",
			    p->name);
	if (p->kind == FROM_ENDPOINT) {
		k = load_find(l, KIND_ENDPOINT, p->from);
		if (k >= 0 && !c->endpoints[k].may.help)
			problem_add(l->p, at,
				    "helppoint \"%s\": endpoint \"%s\" may not "
				    "ask for help: give it allow = { \"help\" "
				    "}",
				    p->name, p->from);
		return;
	}
	if (peer_helps(c, p))
		return;
	for (size_t n = 0; p->kind == FROM_ANYBODY && n < c->n_endpoints; n++)
		if (c->endpoints[n].may.help)
			return;
	if (p->from || p->extension)
		problem_add(l->p, at,
			    "helppoint \"%s\": nobody could be it: %s%s%s",
			    p->name,
			    p->kind == FROM_USER ? "there is no endpoint of "
						   "that name, and "
						 : "",
			    "no peer from there is allowed \"help\"",
			    p->kind == FROM_ANYBODY ? ", nor an endpoint" : "");
}

/** Nobody else is dialled by its extension. */
static void check_extension(struct load *l, size_t i)
{
	const struct config *c = l->c;
	const struct config_helppoint *p = &c->helppoints[i];
	const struct config_where at =
		load_at(l, KIND_HELPPOINT, i, "extension");
	int k = p->extension ? config_extension_find(c, p->extension) : -1;

	if (k >= 0)
		problem_add(l->p, at,
			    "helppoint \"%s\": \"%s\" is the extension of zone "
			    "\"%s\" (%s:%d)",
			    p->name, p->extension, c->zones[k].name,
			    c->zones[k].at.file, c->zones[k].at.line);
	k = config_code_find(c, p->extension);
	if (k >= 0)
		problem_add(l->p, at,
			    "helppoint \"%s\": \"%s\" is a code (%s:%d)",
			    p->name, p->extension, c->codes[k].at.file,
			    c->codes[k].at.line);
	k = config_endpoint_find(c, p->extension);
	if (k >= 0)
		problem_add(l->p, at,
			    "helppoint \"%s\": \"%s\" is that of endpoint "
			    "\"%s\" (%s:%d)",
			    p->name, p->extension, c->endpoints[k].may.name,
			    c->endpoints[k].may.at.file,
			    c->endpoints[k].may.at.line);
}

/** Is one the beginning of the other? */
static bool collide(const char *a, const char *b)
{
	return a && b &&
	       (!strncmp(a, b, strlen(a)) || !strncmp(a, b, strlen(b)));
}

/** An operator's keys can be told from one another at each of them. */
static void check_keys(struct load *l, const struct config_helppoint *p)
{
	for (size_t i = 0; i < p->n_doors; i++) {
		const struct config_door *d = &p->doors[i];

		if (collide(d->keys, p->end_keys))
			problem_add(l->p, d->at,
				    "helppoint \"%s\": door \"%s\": keys "
				    "\"%s\" and end-keys \"%s\" begin alike: "
				    "the longer could never be typed",
				    p->name, d->name, d->keys, p->end_keys);
		for (size_t k = 0; k < i; k++)
			if (collide(d->keys, p->doors[k].keys))
				problem_add(l->p, d->at,
					    "helppoint \"%s\": door \"%s\": "
					    "keys \"%s\" and those of door "
					    "\"%s\", \"%s\", begin alike: the "
					    "longer could never be typed",
					    p->name, d->name, d->keys,
					    p->doors[k].name, p->doors[k].keys);
		if (d->output >= 0 &&
		    l->c->outputs[d->output].role == ROLE_FAULT)
			problem_add(l->p, d->at,
				    "helppoint \"%s\": door \"%s\": output "
				    "\"%s\" shows faults and opens nothing",
				    p->name, d->name,
				    l->c->outputs[d->output].name);
	}
}

void load_check_helppoints(struct load *l)
{
	const struct config *c = l->c;

	for (size_t i = 0; i < c->n_helppoints; i++) {
		const struct config_helppoint *p = &c->helppoints[i];

		if (l->node[KIND_HELPPOINT][i]->damaged)
			continue;
		check_from(l, i);
		check_extension(l, i);
		check_keys(l, p);
		for (size_t k = 0; k < i; k++) {
			const struct config_helppoint *q = &c->helppoints[k];

			if (text_same(p->from, q->from) &&
			    text_same(p->extension, q->extension))
				problem_add(l->p, p->at,
					    "helppoint \"%s\" is the same "
					    "station as \"%s\" (%s:%d): their "
					    "\"from\" and \"extension\" do not "
					    "differ",
					    p->name, q->name, q->at.file,
					    q->at.line);
		}
	}
}
