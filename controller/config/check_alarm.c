/* Messages and alarms: can they sound, and as the standard wants it? */
#include "load.h"
#include "values.h"

#include <string.h>

/** Emergency begins here (DESIGN section 1). */
#define EMERGENCY_LEVEL 200
/** ISO 7240-16 7.2.2: longest gap, and the alert tone before a message. */
#define EMERGENCY_MAX_GAP_MS 30000
#define ALERT_TONE_MIN_MS 3000
#define ALERT_TONE_MAX_MS 10000

static void check_message(struct load *l, size_t i)
{
	const struct config_message *m = &l->c->messages[i];

	if (!m->tone && !m->n_files && !l->node[KIND_MESSAGE][i]->damaged &&
	    !load_given(l, KIND_MESSAGE, i, "file"))
		problem_add(l->p, m->at,
			    "message \"%s\" has no sound: give it \"tone\" or "
			    "\"file\"",
			    m->name);
	else if (load_given(l, KIND_MESSAGE, i, "file") && !m->n_files)
		problem_add(l->p, load_at(l, KIND_MESSAGE, i, "file"),
			    "message \"%s\": the list of files is empty",
			    m->name);
	if (!m->tone && m->tone_ms)
		problem_add(l->p, load_at(l, KIND_MESSAGE, i, "tone-for"),
			    "message \"%s\": \"tone-for\" needs \"tone\"",
			    m->name);
}

static void check_emergency(struct load *l, const struct config_alarm *a,
			    const struct config_alarm_broadcast *b)
{
	const struct config_message *m = &l->c->messages[b->message];
	const size_t i = (size_t)b->message;

	if (m->cycles != 1 || m->for_ms) {
		if (m->gap_ms > EMERGENCY_MAX_GAP_MS)
			problem_add(l->p, load_at(l, KIND_MESSAGE, i, "gap"),
				    "message \"%s\": its gap is longer than "
				    "30s, but alarm \"%s\" (%s:%d) broadcasts "
				    "it at level %u: ISO 7240-16 7.2.2 allows "
				    "30s at most",
				    m->name, a->name, b->at.file, b->at.line,
				    b->level);
	}
	if (m->tone && m->n_files && m->tone_ms &&
	    (m->tone_ms < ALERT_TONE_MIN_MS || m->tone_ms > ALERT_TONE_MAX_MS))
		problem_warn(l->p, load_at(l, KIND_MESSAGE, i, "tone-for"),
			     "message \"%s\": alarm \"%s\" (%s:%d) broadcasts "
			     "it at level %u, where ISO 7240-16 7.2.2 wants 3s "
			     "to 10s of tone before the words",
			     m->name, a->name, b->at.file, b->at.line,
			     b->level);
}

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
	if (b->message >= 0 && b->level >= EMERGENCY_LEVEL)
		check_emergency(l, a, b);
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
	for (size_t i = 0; i < l->c->n_messages; i++)
		check_message(l, i);
	for (size_t i = 0; i < l->c->n_alarms; i++)
		check_alarm(l, i);
}
