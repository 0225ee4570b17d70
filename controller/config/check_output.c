/* Outputs: what they follow, their times and their interlock groups. */
#include "load.h"

#include <string.h>

static void find_followed(struct load *l, size_t i)
{
	static const struct {
		const char *prefix;
		enum config_follow_kind kind;
		enum config_kind of;
	} kinds[] = {
		{"input:", FOLLOW_INPUT, KIND_INPUT},
		{"alarm:", FOLLOW_ALARM, KIND_ALARM},
		{"zone:", FOLLOW_ZONE, KIND_ZONE},
	};
	struct config_output *o = &l->c->outputs[i];
	const struct config_value val = {
		.at = load_at(l, KIND_OUTPUT, i, "follow"),
		.where = "follow",
	};

	o->follow = load_calloc(l, o->n_follow_texts, sizeof(*o->follow));
	for (size_t t = 0; o->follow && t < o->n_follow_texts; t++) {
		const char *text = o->follow_texts[t];
		struct config_follow f = {FOLLOW_FAULT, 0};

		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			const size_t n = strlen(kinds[k].prefix);

			if (strncmp(text, kinds[k].prefix, n))
				continue;
			f.kind = kinds[k].kind;
			f.index = load_refer(l, kinds[k].of, text + n, &val);
		}
		if (f.index >= 0)
			o->follow[o->n_follow++] = f;
	}
}

/** What a fault output cannot have: it obeys nobody but the faults. */
static void check_fault_role(struct load *l, size_t i)
{
	const struct config_output *o = &l->c->outputs[i];
	const struct {
		const char *key;
		bool said;
	} keys[] = {
		{"follow", o->n_follow_texts}, {"pulse", o->pulse_ms},
		{"min-on", o->min_on_ms},      {"min-off", o->min_off_ms},
		{"interlock", o->interlock},   {"on-exit", o->on_exit},
	};

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		if (keys[k].said)
			problem_add(l->p,
				    load_at(l, KIND_OUTPUT, i, keys[k].key),
				    "output \"%s\": \"%s\" has no meaning with "
				    "the role \"fault\", which only faults "
				    "drive",
				    o->name, keys[k].key);
}

static void check_group(struct load *l, size_t i)
{
	const struct config *c = l->c;
	const char *group = c->outputs[i].interlock;
	size_t n = 0, before = 0;

	for (size_t k = 0; k < c->n_outputs; k++)
		if (c->outputs[k].interlock &&
		    !strcmp(c->outputs[k].interlock, group)) {
			n++;
			before += k < i;
		}
	if (n == 1)
		problem_add(l->p, load_at(l, KIND_OUTPUT, i, "interlock"),
			    "output \"%s\" is alone in the interlock group "
			    "\"%s\": name it in the other output as well",
			    c->outputs[i].name, group);
	if (before == CONFIG_MAX_INTERLOCK)
		problem_add(l->p, load_at(l, KIND_OUTPUT, i, "interlock"),
			    "more than %d outputs in the interlock group "
			    "\"%s\": that is the most",
			    CONFIG_MAX_INTERLOCK, group);
}

void load_check_output(struct load *l, size_t i)
{
	const struct config_output *o = &l->c->outputs[i];

	find_followed(l, i);
	if (o->role == ROLE_FAULT)
		check_fault_role(l, i);
	else if (o->interlock)
		check_group(l, i);
	if (o->kind == OUTPUT_MODBUS && o->on_exit == EXIT_KEEP)
		problem_add(
			l->p, load_at(l, KIND_OUTPUT, i, "on-exit"),
			"output \"%s\": on Modbus \"on-exit\" is \"off\" or "
			"\"on\": the device is told before we leave it",
			o->name);
	if (o->pulse_ms && o->min_on_ms > o->pulse_ms)
		problem_add(l->p, load_at(l, KIND_OUTPUT, i, "min-on"),
			    "output \"%s\": \"min-on\" is longer than its "
			    "\"pulse\"",
			    o->name);
}
