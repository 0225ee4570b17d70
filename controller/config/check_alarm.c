/* Alarms: have they an effect, and is it let in? */
#include "load.h"
#include "values.h"

#include <string.h>

/** What can never fire, and what says two things at once. */
static void check_cause(struct load *l, const struct config_alarm *a, size_t i)
{
	const struct {
		const char *key;
		bool given;
	} of_inputs[] = {
		{"when", a->when_all},     {"votes", a->has_votes},
		{"within", a->within_ms},  {"delay", a->delay_ms},
		{"storm-limit", a->storm},
	};

	if (l->node[KIND_ALARM][i]->damaged)
		return;
	if (!a->n_inputs) {
		if (load_given(l, KIND_ALARM, i, "inputs"))
			return;
		for (size_t k = 0; k < sizeof(of_inputs) / sizeof(*of_inputs);
		     k++)
			if (of_inputs[k].given)
				problem_add(l->p,
					    load_at(l, KIND_ALARM, i,
						    of_inputs[k].key),
					    "alarm \"%s\": \"%s\" is about its "
					    "inputs, and it has none",
					    a->name, of_inputs[k].key);
		return;
	}
	if (a->has_votes && load_given(l, KIND_ALARM, i, "when"))
		problem_add(l->p, load_at(l, KIND_ALARM, i, "when"),
			    "alarm \"%s\": \"when\" and \"votes\" say the same "
			    "thing; keep one of them",
			    a->name);
	if (a->has_votes && a->votes > a->n_inputs)
		problem_add(
			l->p, load_at(l, KIND_ALARM, i, "votes"),
			"alarm \"%s\" can never fire: it wants %u votes and "
			"has %zu inputs; allowed are 1 to %zu",
			a->name, a->votes, a->n_inputs, a->n_inputs);
	if (a->within_ms && a->delay_ms >= a->within_ms)
		problem_add(l->p, load_at(l, KIND_ALARM, i, "delay"),
			    "alarm \"%s\" can never fire by what came within "
			    "its time: it is forgotten before delay is over; "
			    "delay must be shorter than within",
			    a->name);
	for (size_t k = 0; k < a->n_inputs; k++)
		for (size_t o = 0; o < k; o++)
			if (a->inputs[k] == a->inputs[o])
				problem_add(
					l->p,
					load_at(l, KIND_ALARM, i, "inputs"),
					"alarm \"%s\": input \"%s\" is named "
					"twice, but has one vote",
					a->name,
					l->c->inputs[a->inputs[k]].name);
}

static void check_alarm(struct load *l, size_t i)
{
	const struct config_alarm *a = &l->c->alarms[i];

	if (!a->n_effects && !l->node[KIND_ALARM][i]->damaged &&
	    !load_given(l, KIND_ALARM, i, "outputs"))
		problem_add(l->p, a->at,
			    "alarm \"%s\" has no effect: give it a \"broadcast "
			    "{ ... }\", another effect or \"outputs\"",
			    a->name);
	check_cause(l, a, i);
	for (size_t k = 0; k < a->n_outputs; k++)
		if (l->c->outputs[a->outputs[k]].role == ROLE_FAULT)
			problem_add(l->p, load_at(l, KIND_ALARM, i, "outputs"),
				    "alarm \"%s\": output \"%s\" has the role "
				    "\"fault\", which only faults drive",
				    a->name, l->c->outputs[a->outputs[k]].name);
	load_check_effects(l, i);
}

void load_check_alarms(struct load *l)
{
	load_check_modes(l);
	for (size_t i = 0; i < l->c->n_alarms; i++)
		check_alarm(l, i);
	load_check_matrix(l);
}
