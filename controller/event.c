#include "event.h"

#include "controller/base/clock.h"
#include "controller/base/log.h"
#include "controller/base/text.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int level;
} types[EVENT_TYPE_COUNT] = {
#define X(id, name, level) {name, LOG_LEVEL_##level},
	EVENT_TYPES(X)
#undef X
};

const char *event_type_name(enum event_type t)
{
	return types[t].name;
}

int event_type_by_name(const char *name)
{
	for (int i = 0; i < EVENT_TYPE_COUNT; i++)
		if (!strcmp(name, types[i].name))
			return i;
	return -1;
}

int event_type_level(enum event_type t)
{
	return types[t].level;
}

/** A string value, whatever a peer put into the record. */
static json_t *text(const char *s)
{
	char buf[sizeof(((struct event *)0)->text)];

	snprintf(buf, sizeof(buf), "%s", s);
	return json_string(text_clean(buf));
}

json_t *event_json(const struct event *e)
{
	char time[CLOCK_TEXT_SIZE];
	json_t *data, *o;

	o = json_pack("{s:I,s:s,s:s,s:o,s:o,s:o}", "id", (json_int_t)e->id,
		      "time", clock_format(time, e->wall_us), "type",
		      event_type_name(e->type), "subject", text(e->subject),
		      "actor", text(e->actor), "text", text(e->text));
	if (!o)
		return NULL;
	if (e->cause)
		json_object_set_new(o, "cause",
				    json_integer((json_int_t)e->cause));
	data = *e->data ? json_loads(e->data, 0, NULL) : NULL;
	if (data)
		json_object_set_new(o, "data", data);
	return o;
}
