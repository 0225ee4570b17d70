/* Alarms: have they an effect, and is it let in? */
#include "load.h"
#include "values.h"

#include <string.h>

static void check_broadcast(struct load *l, const struct config_alarm *a,
			    const struct config_alarm_broadcast *b)
{
	for (size_t i = 0; i < b->n_zones; i++) {
		const struct config_zone *z = &l->c->zones[b->zones[i]];

		if (b->level < z->min_level)
			problem_add(l->p, b->at,
				    "alarm \"%s\": its level %u is not let "
				    "into zone \"%s\", which takes %u and "
				    "above (%s:%d)",
				    a->name, b->level, z->name, z->min_level,
				    z->at.file, z->at.line);
	}
}

static void check_alarm(struct load *l, size_t i)
{
	const struct config_alarm *a = &l->c->alarms[i];

	if (!a->n_broadcasts && !l->node[KIND_ALARM][i]->damaged &&
	    !load_given(l, KIND_ALARM, i, "outputs"))
		problem_add(l->p, a->at,
			    "alarm \"%s\" has no effect: give it a \"broadcast "
			    "{ ... }\" or \"outputs\"",
			    a->name);
	for (size_t k = 0; k < a->n_outputs; k++)
		if (l->c->outputs[a->outputs[k]].role == ROLE_FAULT)
			problem_add(l->p, load_at(l, KIND_ALARM, i, "outputs"),
				    "alarm \"%s\": output \"%s\" has the role "
				    "\"fault\", which only faults drive",
				    a->name, l->c->outputs[a->outputs[k]].name);
	for (size_t k = 0; k < a->n_broadcasts; k++)
		check_broadcast(l, a, &a->broadcasts[k]);
}

void load_check_alarms(struct load *l)
{
	for (size_t i = 0; i < l->c->n_alarms; i++)
		check_alarm(l, i);
}
