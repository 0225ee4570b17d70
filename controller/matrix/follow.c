#include "follow.h"

#include "controller/base/compat.h"

#include <errno.h>
#include <stdlib.h>

struct follow {
	const struct command_scope *scope;
	struct faults *faults;
	struct tmr tmr;
};

int follow_alloc(struct follow **fp, const struct command_scope *scope,
		 struct faults *faults)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (!f)
		return ENOMEM;
	f->scope = scope;
	f->faults = faults;
	tmr_init(&f->tmr);
	*fp = f;
	return 0;
}

struct follow *follow_free(struct follow *f)
{
	if (!f)
		return NULL;
	tmr_cancel(&f->tmr);
	free(f);
	return NULL;
}

static bool active(const struct follow *f, const struct config_follow *x)
{
	const struct command_scope *s = f->scope;

	switch (x->kind) {
	case FOLLOW_INPUT:
		return field_input(s->field, x->index)->active;
	case FOLLOW_ALARM:
		return alarm_snapshot(s->alarms, x->index)->state !=
		       ALARM_NORMAL;
	case FOLLOW_ZONE:
		return broadcasts_zone_level(s->broadcasts, x->index) >= 0;
	default:
		return fault_count(f->faults) > 0;
	}
}

static void look(void *arg)
{
	struct follow *f = arg;
	const struct config *c = f->scope->config;

	if (f->scope->changing)
		return;
	for (size_t i = 0; i < c->n_outputs; i++) {
		const struct config_output *o = &c->outputs[i];
		bool on = false;

		for (size_t k = 0; k < o->n_follow && !on; k++)
			on = active(f, &o->follow[k]);
		field_output_follow(f->scope->field, (int)i, on);
	}
}

void follow_event(const struct event *e, void *arg)
{
	struct follow *f = arg;

	(void)e;
	if (!tmr_isrunning(&f->tmr))
		tmr_start(&f->tmr, 0, look, f);
}
