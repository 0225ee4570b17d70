/* What an alarm does, and its phases: is each whole, and can it happen? */
#include "load.h"
#include "values.h"

#include <string.h>
#include <unistd.h>

static void check_broadcast(struct load *l, const struct config_alarm *a,
			    const struct config_effect *b)
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

static void check_drive(struct load *l, const struct config_alarm *a,
			const struct config_effect *e)
{
	if (e->output >= 0 && l->c->outputs[e->output].role == ROLE_FAULT)
		problem_add(l->p, e->at,
			    "alarm \"%s\": output \"%s\" has the role "
			    "\"fault\", which only faults drive",
			    a->name, l->c->outputs[e->output].name);
}

static void check_publish(struct load *l, const struct config_alarm *a,
			  const struct config_effect *e)
{
	if (!l->mqtt)
		problem_add(l->p, e->at,
			    "alarm \"%s\": \"publish\" needs a broker: add a "
			    "section mqtt { broker = \"mqtt://HOST\" }",
			    a->name);
	if (e->retain && !e->end_payload)
		problem_add(l->p, e->at,
			    "alarm \"%s\": what the broker keeps must be taken "
			    "back: give it an \"end-payload\"",
			    a->name);
}

static void check_hook(struct load *l, const struct config_alarm *a,
		       const struct config_effect *e)
{
	const char *program = e->n_command ? e->command[0] : "";

	if (strchr(program, '/') && access(program, X_OK))
		problem_add(l->p, e->at,
			    "alarm \"%s\": hook: %s is no program that can be "
			    "run",
			    a->name, program);
}

/** Nobody is told twice. */
static void check_notify(struct load *l, const struct config_alarm *a,
			 const struct config_effect *e)
{
	for (size_t i = 0; i < e->n_to; i++)
		for (size_t k = 0; k < i; k++)
			if (e->to[i] == e->to[k])
				problem_add(l->p, e->at,
					    "alarm \"%s\": notify \"%s\" is "
					    "named twice",
					    a->name,
					    l->c->notifies[e->to[i]].name);
}

/** Can each be sent to? */
static void check_display(struct load *l, const struct config_alarm *a,
			  const struct config_effect *e)
{
	if (!l->c->sip.n_listen)
		problem_add(l->p, e->at,
			    "alarm \"%s\": nothing is shown on phones without "
			    "SIP: give the sip section \"listen\"",
			    a->name);
	for (size_t i = 0; i < e->n_phones; i++)
		if (config_endpoint_find(l->c, e->phones[i]) < 0 &&
		    !load_can_call(l->c, e->phones[i]))
			problem_add(l->p, e->at,
				    "alarm \"%s\": display: \"%.80s\" is no "
				    "endpoint, and no SIP URI whose host is an "
				    "address or that of an account's aor",
				    a->name, e->phones[i]);
}

/** Names of phases to bits. */
static void find_phases(struct load *l, const struct config_alarm *a,
			struct config_effect *e)
{
	for (size_t i = 0; i < e->n_phases; i++) {
		size_t k = 0;

		while (k < a->n_phases &&
		       strcmp(a->phases[k].name, e->phases[i]))
			k++;
		if (k == a->n_phases)
			problem_add(l->p, e->at,
				    "alarm \"%s\" has no phase \"%s\": add a "
				    "section phase \"%s\" to it or correct the "
				    "name",
				    a->name, e->phases[i], e->phases[i]);
		else
			e->phase_bits |= 1u << k;
	}
}

/** In the phases it is in for one stretch it must come to its turn. */
static void check_turn(struct load *l, const struct config_alarm *a,
		       const struct config_effect *e)
{
	uint64_t longest = 0, stretch = 0;

	if (!e->phase_bits)
		return;
	for (size_t k = 0; k < a->n_phases; k++) {
		const struct config_phase *p = &a->phases[k];

		if (!(e->phase_bits >> k & 1)) {
			stretch = 0;
			continue;
		}
		if (k + 1 == a->n_phases || !p->for_ms)
			return;
		stretch += p->for_ms;
		longest = stretch > longest ? stretch : longest;
	}
	if (e->after_ms >= longest)
		problem_add(l->p, e->at,
			    "alarm \"%s\": this never begins: its phases are "
			    "over before its \"after\" is",
			    a->name);
}

static void check_phases(struct load *l, const struct config_alarm *a,
			 size_t alarm)
{
	unsigned before = a->has_votes                 ? a->votes
			  : a->when_all && a->n_inputs ? (unsigned)a->n_inputs
						       : 1;

	if (l->node[KIND_ALARM][alarm]->damaged)
		return;
	for (size_t k = 0; k < a->n_phases; k++) {
		const struct config_phase *p = &a->phases[k];

		if (k + 1 == a->n_phases &&
		    (p->for_ms || p->votes || p->n_inputs))
			problem_add(l->p, p->at,
				    "alarm \"%s\": phase \"%s\" is the last "
				    "one: nothing follows its \"for\", "
				    "\"votes\" or \"inputs\"",
				    a->name, p->name);
		if (!p->votes)
			continue;
		if (p->votes > a->n_inputs)
			problem_add(l->p, p->at,
				    "alarm \"%s\": phase \"%s\" waits for %u "
				    "votes, and there are %zu inputs: they "
				    "never come",
				    a->name, p->name, p->votes, a->n_inputs);
		else if (p->votes <= before)
			problem_add(l->p, p->at,
				    "alarm \"%s\": phase \"%s\" would be over "
				    "at once: %u votes are there when it "
				    "begins; allowed are %u to %zu",
				    a->name, p->name, before, before + 1,
				    a->n_inputs);
		before = p->votes > before ? p->votes : before;
	}
}

void load_check_effects(struct load *l, size_t alarm)
{
	static void (*const check[EFFECT_KINDS])(
		struct load *, const struct config_alarm *,
		const struct config_effect *) = {
		[EFFECT_BROADCAST] = check_broadcast,
		[EFFECT_DRIVE] = check_drive,
		[EFFECT_PUBLISH] = check_publish,
		[EFFECT_HOOK] = check_hook,
		[EFFECT_NOTIFY] = check_notify,
		[EFFECT_DISPLAY] = check_display,
	};
	const struct config_alarm *a = &l->c->alarms[alarm];

	for (size_t i = 0; i < a->n_effects; i++) {
		struct config_effect *e = &a->effects[i];

		if (check[e->kind])
			check[e->kind](l, a, e);
		find_phases(l, a, e);
		check_turn(l, a, e);
	}
	check_phases(l, a, alarm);
}
