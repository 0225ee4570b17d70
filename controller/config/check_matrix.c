/* What a matrix says against itself: what can never begin, two alarms that
 * want one output on and off, and what would be its own cause. */
#include "load.h"

#include "gpio/mqtt.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ modes, hours */

static bool has(const int *v, size_t n, int x)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == x)
			return true;
	return false;
}

static bool meet(const struct window *a, size_t n, const struct window *b,
		 size_t m)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m; k++)
			if (window_overlap(&a[i], &b[k]))
				return true;
	return false;
}

/** Is the site ever in one of the gate's modes at one of its hours, if nobody
 *  sets a mode by hand? */
static bool opens(const struct config *c, const struct config_gate *g)
{
	if (!g->n_modes || !g->n_hours)
		return true;
	for (size_t i = 0; i < g->n_modes; i++) {
		const struct config_mode *m = &c->modes[g->modes[i]];

		if (!g->modes[i] || !m->n_hours || m->n_input ||
		    meet(m->hours, m->n_hours, g->hours, g->n_hours))
			return true;
	}
	return false;
}

/** Can both be open at once? */
static bool open_together(const struct config_gate *a,
			  const struct config_gate *b)
{
	bool modes = !a->n_modes || !b->n_modes;

	for (size_t i = 0; i < a->n_modes && !modes; i++)
		modes = has(b->modes, b->n_modes, a->modes[i]);
	return modes && (!a->n_hours || !b->n_hours ||
			 meet(a->hours, a->n_hours, b->hours, b->n_hours));
}

static void check_types(struct load *l, const struct window *v, size_t n,
			struct config_where at)
{
	for (size_t i = 0; i < n; i++)
		if (*v[i].types)
			problem_add(l->p, at,
				    "\"on %s\": the hours of modes, alarms and "
				    "their effects know no types of day; name "
				    "weekdays",
				    v[i].types);
}

static void check_gates(struct load *l, size_t alarm)
{
	const struct config *c = l->c;
	const struct config_alarm *a = &c->alarms[alarm];
	size_t apart = 0;

	check_types(l, a->gate.hours, a->gate.n_hours,
		    load_at(l, KIND_ALARM, alarm, "hours"));
	if (!opens(c, &a->gate))
		problem_add(l->p, load_at(l, KIND_ALARM, alarm, "hours"),
			    "alarm \"%s\" can never fire: its hours and those "
			    "of its modes never meet",
			    a->name);
	for (size_t i = 0; i < a->n_effects; i++) {
		const struct config_effect *e = &a->effects[i];

		check_types(l, e->gate.hours, e->gate.n_hours, e->at);
		if (!opens(c, &e->gate))
			problem_add(l->p, e->at,
				    "alarm \"%s\": this never begins: its "
				    "hours and those of its modes never meet",
				    a->name);
		apart += !open_together(&a->gate, &e->gate);
	}
	if (apart && apart == a->n_effects && !a->n_outputs)
		problem_add(l->p, a->at,
			    "alarm \"%s\" does nothing when it fires: the "
			    "modes and hours of all its effects exclude its "
			    "own",
			    a->name);
}

void load_check_modes(struct load *l)
{
	const struct config *c = l->c;

	for (size_t i = 0; i < c->n_modes; i++) {
		const struct config_mode *m = &c->modes[i];

		if (!l->node[KIND_MODE][i])
			return; /* those that stand for none */
		check_types(l, m->hours, m->n_hours,
			    load_at(l, KIND_MODE, i, "hours"));
		for (size_t k = 0; k < i; k++)
			if (m->n_input && c->modes[k].n_input &&
			    m->input[0] == c->modes[k].input[0])
				problem_add(
					l->p, load_at(l, KIND_MODE, i, "input"),
					"mode \"%s\": input \"%s\" is the key "
					"of mode \"%s\" (%s:%d)",
					m->name, c->inputs[m->input[0]].name,
					c->modes[k].name, c->modes[k].at.file,
					c->modes[k].at.line);
	}
}

/* ---------------------------------------------------------------- opposites */

/** Where an alarm drives an output on (or off); NULL = it does not. */
static const struct config_where *drives(const struct config_alarm *a,
					 int output, bool off)
{
	if (!off && has(a->outputs, a->n_outputs, output))
		return &a->at;
	for (size_t i = 0; i < a->n_effects; i++) {
		const struct config_effect *e = &a->effects[i];

		if (e->kind == EFFECT_DRIVE && e->output == output &&
		    (e->drive == DRIVE_OFF) == off)
			return &e->at;
	}
	return NULL;
}

static void check_opposites(struct load *l, const struct config_alarm *a)
{
	const struct config *c = l->c;

	for (size_t i = 0; i < a->n_effects; i++) {
		const struct config_effect *e = &a->effects[i];

		if (e->kind != EFFECT_DRIVE || e->drive != DRIVE_OFF ||
		    e->output < 0)
			continue;
		for (size_t k = 0; k < c->n_alarms; k++) {
			const struct config_where *on =
				drives(&c->alarms[k], e->output, false);

			if (on)
				problem_add(l->p, e->at,
					    "alarm \"%s\" drives output \"%s\" "
					    "off, and alarm \"%s\" drives it "
					    "on (%s:%d): at once it cannot be "
					    "both",
					    a->name, c->outputs[e->output].name,
					    c->alarms[k].name, on->file,
					    on->line);
		}
	}
}

/* ------------------------------------------------------------------ circles */

/** Inputs, outputs and alarms, numbered one after another. */
struct graph {
	const struct config *c;
	size_t n;
	uint8_t *seen; /**< 1 = on the path, 2 = done */
	size_t *path;
	size_t length;
};

static bool same_register(const struct config_modbus *a,
			  const struct config_modbus *b)
{
	return a->bus && b->bus && !strcmp(a->bus, b->bus) &&
	       a->unit == b->unit && a->table == b->table &&
	       a->address[a->table] == b->address[b->table];
}

static bool output_feeds(const struct config_output *o,
			 const struct config_input *in)
{
	return (o->topic && in->topic &&
		mqtt_topic_match(in->topic, o->topic)) ||
	       (o->kind == OUTPUT_MODBUS && in->kind == INPUT_MODBUS &&
		same_register(&o->modbus, &in->modbus));
}

static bool alarm_feeds(const struct config *c, const struct config_alarm *a,
			const struct config_input *in)
{
	char own[200];

	if (!in->topic)
		return false;
	snprintf(own, sizeof(own), "tocsin/%s/alarm/%s/state", c->site,
		 a->name);
	if (mqtt_topic_match(in->topic, own))
		return true;
	for (size_t i = 0; i < a->n_effects; i++)
		if (a->effects[i].topic &&
		    mqtt_topic_match(in->topic, a->effects[i].topic))
			return true;
	return false;
}

static bool alarm_hears(const struct config_alarm *a, int input)
{
	if (has(a->inputs, a->n_inputs, input))
		return true;
	for (size_t i = 0; i < a->n_phases; i++)
		if (has(a->phases[i].inputs, a->phases[i].n_inputs, input))
			return true;
	return false;
}

static bool follows(const struct config_output *o, enum config_follow_kind kind,
		    int index)
{
	for (size_t i = 0; i < o->n_follow; i++)
		if (o->follow[i].kind == kind && o->follow[i].index == index)
			return true;
	return false;
}

/** Drives it, or is followed by it, itself or by where it sounds. */
static bool alarm_moves(const struct config *c, size_t alarm, size_t output)
{
	const struct config_alarm *a = &c->alarms[alarm];
	const struct config_output *o = &c->outputs[output];

	if (drives(a, (int)output, false) || drives(a, (int)output, true) ||
	    follows(o, FOLLOW_ALARM, (int)alarm))
		return true;
	for (size_t i = 0; i < a->n_effects; i++)
		for (size_t k = 0; k < a->effects[i].n_zones; k++)
			if (follows(o, FOLLOW_ZONE, a->effects[i].zones[k]))
				return true;
	return false;
}

/** Does the state of one lead to the state of the other? */
static bool leads(const struct config *c, size_t from, size_t to)
{
	const size_t outputs = c->n_inputs, alarms = outputs + c->n_outputs;

	if (from < outputs) {
		if (to < outputs)
			return has(c->inputs[to].pair, c->inputs[to].n_pair,
				   (int)from);
		return to < alarms ? follows(&c->outputs[to - outputs],
					     FOLLOW_INPUT, (int)from)
				   : alarm_hears(&c->alarms[to - alarms],
						 (int)from);
	}
	if (from < alarms)
		return to < outputs && output_feeds(&c->outputs[from - outputs],
						    &c->inputs[to]);
	if (to < outputs)
		return alarm_feeds(c, &c->alarms[from - alarms],
				   &c->inputs[to]);
	return to < alarms && alarm_moves(c, from - alarms, to - outputs);
}

static const char *node_name(const struct config *c, size_t i,
			     const char **section)
{
	*section = "input";
	if (i < c->n_inputs)
		return c->inputs[i].name;
	*section = "output";
	i -= c->n_inputs;
	if (i < c->n_outputs)
		return c->outputs[i].name;
	*section = "alarm";
	return c->alarms[i - c->n_outputs].name;
}

static void tell_circle(struct load *l, const struct graph *g, size_t start)
{
	const struct config *c = g->c;
	const size_t alarms = c->n_inputs + c->n_outputs;
	struct config_where at = {0};
	char text[400] = "";
	size_t used = 0;

	for (size_t i = start; i <= g->length; i++) {
		const size_t k = g->path[i < g->length ? i : start];
		const char *section, *name = node_name(c, k, &section);

		if (k >= alarms && !at.file)
			at = c->alarms[k - alarms].at;
		if (used < sizeof(text))
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%s%s \"%s\"",
				i > start ? " -> " : "", section, name);
	}
	if (at.file)
		problem_add(l->p, at,
			    "this alarm would be its own cause and could never "
			    "be reset: %s",
			    text);
}

static void visit(struct load *l, struct graph *g, size_t node)
{
	g->seen[node] = 1;
	g->path[g->length++] = node;
	for (size_t to = 0; to < g->n; to++) {
		size_t start = 0;

		if (g->seen[to] == 2 || !leads(g->c, node, to))
			continue;
		if (!g->seen[to]) {
			visit(l, g, to);
			continue;
		}
		while (g->path[start] != to)
			start++;
		tell_circle(l, g, start);
	}
	g->length--;
	g->seen[node] = 2;
}

static void check_circles(struct load *l)
{
	const struct config *c = l->c;
	struct graph g = {
		.c = c,
		.n = c->n_inputs + c->n_outputs + c->n_alarms,
	};

	g.seen = load_calloc(l, g.n, sizeof(*g.seen));
	g.path = load_calloc(l, g.n, sizeof(*g.path));
	/* A circle without an alarm drives nothing. */
	for (size_t i = c->n_inputs + c->n_outputs; g.seen && g.path && i < g.n;
	     i++)
		if (!g.seen[i])
			visit(l, &g, i);
	free(g.seen);
	free(g.path);
}

void load_check_matrix(struct load *l)
{
	for (size_t i = 0; i < l->c->n_alarms; i++) {
		if (l->node[KIND_ALARM][i]->damaged)
			continue;
		check_gates(l, i);
		check_opposites(l, &l->c->alarms[i]);
	}
	check_circles(l);
}
