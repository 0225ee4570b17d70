/* Doors: values of their own kind. */
#include "load.h"

void set_webhook_input(struct load *l, void *obj,
		       const struct config_value *val)
{
	struct config_input *i = obj;

	i->kind = INPUT_WEBHOOK;
	load_refer(l, KIND_WEBHOOK, val->v[0], val);
	load_text(l, &i->webhook, val->v[0]);
}

bool show_webhook_input(const struct config *c, const void *obj, FILE *f)
{
	const struct config_input *i = obj;

	(void)c;
	if (i->webhook)
		schema_quote(f, i->webhook);
	return i->webhook;
}
