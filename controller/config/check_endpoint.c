/* Endpoints: their passwords, and that each name is called once. */
#include "load.h"
#include "secret.h"

#include <errno.h>
#include <string.h>

static void check_password(struct load *l, size_t i)
{
	struct config_endpoint *x = &l->c->endpoints[i];
	const char *why = NULL;

	if (x->password_file &&
	    secret_read(x->password_file, x->password, sizeof(x->password),
			&why) != ENOENT &&
	    why)
		problem_add(l->p, load_at(l, KIND_ENDPOINT, i, "password-file"),
			    "endpoint \"%s\": password-file %s: %s",
			    x->may.name, x->password_file, why);
}

/** Does it answer to that number? */
static bool answers(const struct config_endpoint *x, const char *number)
{
	return !strcmp(x->may.name, number) ||
	       (x->extension && !strcmp(x->extension, number));
}

static void check_number(struct load *l, size_t i, const char *number)
{
	const struct config *c = l->c;
	const struct config_endpoint *x = &c->endpoints[i];

	for (size_t k = 0; k < c->n_zones; k++)
		if (c->zones[k].extension &&
		    !strcmp(c->zones[k].extension, number))
			problem_add(l->p, x->may.at,
				    "endpoint \"%s\": \"%s\" is the extension "
				    "of zone \"%s\" (%s:%d)",
				    x->may.name, number, c->zones[k].name,
				    c->zones[k].at.file, c->zones[k].at.line);
	for (size_t k = 0; k < i; k++)
		if (answers(&c->endpoints[k], number))
			problem_add(l->p, x->may.at,
				    "endpoint \"%s\": \"%s\" is that of "
				    "endpoint \"%s\" (%s:%d)",
				    x->may.name, number,
				    c->endpoints[k].may.name,
				    c->endpoints[k].may.at.file,
				    c->endpoints[k].may.at.line);
}

void load_check_endpoints(struct load *l)
{
	const struct config *c = l->c;

	for (size_t i = 0; i < c->n_endpoints; i++) {
		const struct config_endpoint *x = &c->endpoints[i];

		check_password(l, i);
		check_number(l, i, x->may.name);
		if (x->extension && strcmp(x->extension, x->may.name))
			check_number(l, i, x->extension);
		if (x->user && strpbrk(x->user, "\"\\"))
			problem_add(l->p, load_at(l, KIND_ENDPOINT, i, "user"),
				    "endpoint \"%s\": user has a \" or a "
				    "backslash: devices write these in "
				    "different ways; leave them out",
				    x->may.name);
	}
	if (c->n_endpoints && !c->sip.n_listen)
		problem_add(l->p, c->endpoints[0].may.at,
			    "endpoint \"%s\" cannot register without SIP: give "
			    "the sip section \"listen\"",
			    c->endpoints[0].may.name);
}
