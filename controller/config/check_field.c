/* Inputs and outputs of the field: one kind each, its keys, no line twice. */
#include "load.h"

#include <string.h>

/** Name of the key that makes the object's kind; NULL after a report. */
static void check_kind(struct load *l, enum config_kind kind, size_t i,
		       const char *name, unsigned variant)
{
	const struct config_section *s = schema_kind(kind);
	size_t n = 0;

	if (l->node[kind][i]->damaged)
		return;
	for (size_t k = 0; s->variants[k]; k++)
		n += load_given(l, kind, i, s->variants[k]);
	if (n != 1) {
		problem_add(l->p, load_at(l, kind, i, NULL),
			    "%s \"%s\" has %s; it needs exactly one of "
			    "\"virtual = true\", \"mqtt\", \"gpio\"%s",
			    s->name, name, n ? "more than one kind" : "no kind",
			    kind == KIND_INPUT ? ", \"modbus\", \"pair\" and "
						 "\"webhook\""
					       : " and \"modbus\"");
		return;
	}
	for (const struct config_key *k = s->keys; k->name; k++)
		if (k->variants && !(k->variants & 1u << variant) &&
		    load_given(l, kind, i, k->name))
			problem_add(l->p, load_at(l, kind, i, k->name),
				    "%s \"%s\": \"%s\" has no meaning with "
				    "\"%s\"",
				    s->name, name, k->name,
				    s->variants[variant]);
	if (!strcmp(s->variants[variant], "mqtt") && !l->mqtt)
		problem_add(l->p, load_at(l, kind, i, "mqtt"),
			    "%s \"%s\" needs a broker: add a section "
			    "mqtt { broker = \"mqtt://HOST\" }",
			    s->name, name);
}

/** One side of the hysteresis: on beyond `limit`, off beyond `clear`. */
static void check_window(struct load *l, size_t i, const char *limit_key,
			 const char *clear_key, bool has, double limit,
			 double *clear, int sign)
{
	const struct config_input *x = &l->c->inputs[i];
	const bool given = load_given(l, KIND_INPUT, i, clear_key);

	if (!given)
		*clear = limit;
	if (given && !has && !load_given(l, KIND_INPUT, i, limit_key))
		problem_add(l->p, load_at(l, KIND_INPUT, i, clear_key),
			    "input \"%s\": \"%s\" needs \"%s\"", x->name,
			    clear_key, limit_key);
	else if (given && has && sign * (*clear - limit) > 0)
		problem_add(l->p, load_at(l, KIND_INPUT, i, clear_key),
			    "input \"%s\": %s = %g is %s %s = %g: it would be "
			    "active and normal at once",
			    x->name, clear_key, *clear,
			    sign > 0 ? "above" : "below", limit_key, limit);
}

static void check_rule(struct load *l, size_t i)
{
	struct config_input *x = &l->c->inputs[i];

	check_window(l, i, "above", "clear-below", x->has_above, x->above,
		     &x->clear_below, 1);
	check_window(l, i, "below", "clear-above", x->has_below, x->below,
		     &x->clear_above, -1);
	if (x->match && (x->has_above || x->has_below))
		problem_add(l->p, load_at(l, KIND_INPUT, i, "match"),
			    "input \"%s\": \"match\" compares text, \"above\" "
			    "and \"below\" numbers; use one way",
			    x->name);
	if (x->has_above && x->has_below && x->below >= x->above)
		problem_add(l->p, load_at(l, KIND_INPUT, i, "below"),
			    "input \"%s\": below = %g is not less than above "
			    "= %g: every value would be active",
			    x->name, x->below, x->above);
}

struct line {
	const char *chip, *line, *name;
	struct config_where at;
	const char *section;
};

static struct line line_of(const struct config *c, size_t i)
{
	const struct config_output *o;

	if (i < c->n_inputs) {
		const struct config_input *x = &c->inputs[i];

		return (struct line){x->chip, x->line, x->name, x->at, "input"};
	}
	o = &c->outputs[i - c->n_inputs];
	return (struct line){o->chip, o->line, o->name, o->at, "output"};
}

static void check_lines(struct load *l)
{
	const struct config *c = l->c;

	for (size_t i = 0; i < c->n_inputs + c->n_outputs; i++) {
		const struct line a = line_of(c, i);

		for (size_t k = 0; a.chip && k < i; k++) {
			const struct line b = line_of(c, k);

			if (!b.chip || strcmp(a.chip, b.chip) ||
			    strcmp(a.line, b.line))
				continue;
			problem_add(l->p, a.at,
				    "%s \"%s\": the line %s:%s is taken by %s "
				    "\"%s\" (%s:%d)",
				    a.section, a.name, a.chip, a.line,
				    b.section, b.name, b.at.file, b.at.line);
			break;
		}
	}
}

static void check_topics(struct load *l, size_t i)
{
	const struct config *c = l->c;
	const struct config_output *o = &c->outputs[i];

	if (o->on && o->off && !strcmp(o->on, o->off))
		problem_add(l->p, load_at(l, KIND_OUTPUT, i, "on"),
			    "output \"%s\": \"on\" and \"off\" are the same "
			    "text",
			    o->name);
	for (size_t k = 0; o->topic && k < i; k++)
		if (c->outputs[k].topic &&
		    !strcmp(c->outputs[k].topic, o->topic)) {
			problem_add(l->p, load_at(l, KIND_OUTPUT, i, "mqtt"),
				    "output \"%s\": the topic \"%s\" is taken "
				    "by output \"%s\" (%s:%d)",
				    o->name, o->topic, c->outputs[k].name,
				    c->outputs[k].at.file,
				    c->outputs[k].at.line);
			break;
		}
}

static void check_confirm(struct load *l, size_t i)
{
	struct config_output *o = &l->c->outputs[i];

	if (!o->confirm && (o->confirm_json || o->confirm_on || o->confirm_off))
		problem_add(l->p, o->at,
			    "output \"%s\": \"confirm-json\", \"confirm-on\" "
			    "and \"confirm-off\" need \"confirm\"",
			    o->name);
	if (!o->confirm)
		return;
	if (!o->confirm_on && o->on)
		load_text(l, &o->confirm_on, o->on);
	if (!o->confirm_off && o->off)
		load_text(l, &o->confirm_off, o->off);
	if (o->topic && !strcmp(o->confirm, o->topic))
		problem_add(l->p, load_at(l, KIND_OUTPUT, i, "confirm"),
			    "output \"%s\": what we publish on \"%s\" comes "
			    "back from the broker and confirms nothing; name "
			    "the topic on which the device answers",
			    o->name, o->topic);
	if (o->confirm_on && o->confirm_off &&
	    !strcmp(o->confirm_on, o->confirm_off))
		problem_add(l->p, load_at(l, KIND_OUTPUT, i, "confirm"),
			    "output \"%s\": \"confirm-on\" and "
			    "\"confirm-off\" are the same text",
			    o->name);
}

void load_check_field(struct load *l)
{
	const struct config *c = l->c;

	for (size_t i = 0; i < c->n_inputs; i++)
		if (load_given(l, KIND_INPUT, i, "pair"))
			c->inputs[i].kind = INPUT_PAIR;
	for (size_t i = 0; i < c->n_inputs; i++) {
		check_kind(l, KIND_INPUT, i, c->inputs[i].name,
			   c->inputs[i].kind);
		if (c->inputs[i].kind == INPUT_MQTT ||
		    c->inputs[i].kind == INPUT_WEBHOOK ||
		    c->inputs[i].kind == INPUT_MODBUS)
			check_rule(l, i);
		if (c->inputs[i].kind == INPUT_PAIR)
			load_check_loop(l, i);
	}
	for (size_t i = 0; i < c->n_outputs; i++) {
		check_kind(l, KIND_OUTPUT, i, c->outputs[i].name,
			   c->outputs[i].kind);
		if (c->outputs[i].kind == OUTPUT_MQTT)
			check_topics(l, i);
		check_confirm(l, i);
		load_check_output(l, i);
	}
	check_lines(l);
	load_check_modbus(l);
}
