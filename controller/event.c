#include "event.h"

#include "controller/base/clock.h"
#include "controller/base/log.h"
#include "text_json.h"

#include <string.h>

static const struct {
	const char *name;
	enum log_level level;
} types[EVENT_TYPE_COUNT] = {
#define X(id, name, level) [EVENT_##id] = {name, LOG_LEVEL_##level},
	EVENT_TYPES(X)
#undef X
};

const char *event_type_name(enum event_type t)
{
	return (unsigned)t < EVENT_TYPE_COUNT ? types[t].name : "unknown";
}

int event_type_by_name(const char *name)
{
	for (int i = 0; i < EVENT_TYPE_COUNT; i++)
		if (!strcmp(types[i].name, name))
			return i;
	return -1;
}

int event_type_level(enum event_type t)
{
	return (unsigned)t < EVENT_TYPE_COUNT ? types[t].level : LOG_LEVEL_INFO;
}

/* What is no JSON object is shown as it is rather than lost. */
static json_t *data_json(const char *data)
{
	json_t *o = json_loads(data, 0, NULL);

	if (json_is_object(o))
		return o;
	json_decref(o);
	return json_pack("{s:o}", "unparsed", text_json(data));
}

json_t *event_json(const struct event *e)
{
	char time[CLOCK_TEXT_SIZE];
	json_t *o;

	o = json_pack("{s:I,s:s,s:s,s:o,s:o,s:o}", "id", (json_int_t)e->id,
		      "time", clock_format(time, e->wall_us), "type",
		      event_type_name(e->type), "subject",
		      text_json(e->subject), "actor", text_json(e->actor),
		      "text", text_json(e->text));
	if (!o)
		return NULL;
	if ((e->cause &&
	     json_object_set_new(o, "cause",
				 json_integer((json_int_t)e->cause))) ||
	    (*e->data && json_object_set_new(o, "data", data_json(e->data)))) {
		json_decref(o);
		return NULL;
	}
	return o;
}
