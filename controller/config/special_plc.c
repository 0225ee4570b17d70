/* The Modbus server for PLCs. */
#include "load.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

void set_plc_listen(struct load *l, void *obj, const struct config_value *val)
{
	struct config_plc *p = obj;

	load_endpoint(l, val, &p->host, &p->port);
}

bool show_plc_listen(const struct config *c, const void *obj, FILE *f)
{
	const struct config_plc *p = obj;

	(void)c;
	return show_endpoint(f, p->host, p->port);
}

void set_plc_allow(struct load *l, void *obj, const struct config_value *val)
{
	struct config_plc *p = obj;

	p->allow = load_calloc(l, val->n + 1, sizeof(*p->allow));
	for (size_t i = 0; p->allow && i < val->n; i++) {
		struct config_net *n = &p->allow[p->n_allow];

		if (!value_net(val->v[i], &n->net, &n->prefix)) {
			load_refuse(l, val, val->v[i]);
			continue;
		}
		n->name = load_strdup(l, val->v[i]);
		p->n_allow++;
	}
}

bool show_plc_allow(const struct config *c, const void *obj, FILE *f)
{
	const struct config_plc *p = obj;

	(void)c;
	for (size_t i = 0; i < p->n_allow; i++) {
		fputs(i ? ", " : "{ ", f);
		schema_quote(f, p->allow[i].name);
	}
	if (p->n_allow)
		fputs(" }", f);
	return p->n_allow;
}

static struct config_where at(const struct load *l, const char *key)
{
	const struct scan_node *n = scan_child(l->plc, key);

	return n ? n->at : l->plc->at;
}

static const char *name_of(const struct config *c, const char *key, int i)
{
	return !strcmp(key, "zones")    ? c->zones[i].name
	       : !strcmp(key, "inputs") ? c->inputs[i].name
					: c->alarms[i].name;
}

/** What is in a list twice would have two addresses. */
static void check_once(struct load *l, const char *key, const int *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (v[i] == v[k]) {
				problem_add(l->p, at(l, key),
					    "plc: %s: \"%s\" is named twice",
					    key, name_of(l->c, key, v[i]));
				return;
			}
}

static void check_within(struct load *l, const char *key, const int *v,
			 size_t n)
{
	const struct config_plc *p = &l->c->plc;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < p->n_alarms && p->alarms[k] != v[i])
			k++;
		if (k == p->n_alarms)
			problem_add(l->p, at(l, key),
				    "plc: %s: alarm \"%s\" has no address; add "
				    "it to \"alarms\"",
				    key, l->c->alarms[v[i]].name);
	}
}

void load_check_plc(struct load *l)
{
	const struct config_plc *p = &l->c->plc;

	if (!l->plc)
		return;
	check_once(l, "zones", p->zones, p->n_zones);
	check_once(l, "alarms", p->alarms, p->n_alarms);
	check_once(l, "inputs", p->inputs, p->n_inputs);
	check_within(l, "trigger", p->trigger, p->n_trigger);
	check_within(l, "reset", p->reset, p->n_reset);
	if (scan_child(l->plc, "allow") && !p->n_allow && !l->plc->damaged &&
	    !l->p->errors)
		problem_add(l->p, at(l, "allow"),
			    "plc: allow is empty: nobody may connect");
}
