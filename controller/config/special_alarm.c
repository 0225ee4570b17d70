/* What an alarm does and in which phases: values and nested objects. */
#include "load.h"
#include "values.h"

#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>

/** Longest effect of a time of its own, and the shortest. */
#define UNTIL_MIN_MS 100
#define UNTIL_MAX_MS (24 * 3600 * 1000)

void set_until(struct load *l, void *obj, const struct config_value *val)
{
	struct config_effect *e = obj;
	uint64_t ms;

	if (!strcmp(val->v[0], "reset")) {
		e->until = UNTIL_RESET;
	} else if (!strcmp(val->v[0], "ack")) {
		e->until = UNTIL_ACK;
	} else if (value_duration(val->v[0], &ms) && ms >= UNTIL_MIN_MS &&
		   ms <= UNTIL_MAX_MS) {
		e->until = UNTIL_TIME;
		e->until_ms = (uint32_t)ms;
	} else {
		load_refuse(l, val, val->v[0]);
	}
}

bool show_until(const struct config *c, const void *obj, FILE *f)
{
	const struct config_effect *e = obj;
	char text[VALUE_DURATION_SIZE] = "";

	(void)c;
	if (e->until == UNTIL_TIME)
		value_duration_text(text, e->until_ms);
	schema_quote(f, e->until == UNTIL_RESET ? "reset"
			: e->until == UNTIL_ACK ? "ack"
						: text);
	return true;
}

/** A list of texts at the row's offset, those that `good` refuses told. */
static void set_checked(struct load *l, void *obj,
			const struct config_value *val,
			bool (*good)(const char *s))
{
	char **v = load_calloc(l, val->n, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; v && i < val->n; i++)
		if (!good(val->v[i]))
			load_refuse(l, val, val->v[i]);
		else if ((v[n] = load_strdup(l, val->v[i])))
			n++;
	memcpy((char *)obj + val->key->offset, &v, sizeof(v));
	memcpy((char *)obj + val->key->other, &n, sizeof(n));
}

void set_names(struct load *l, void *obj, const struct config_value *val)
{
	set_checked(l, obj, val, value_name);
}

static bool is_followed(const char *s)
{
	const char *colon = strchr(s, ':');

	if (!colon)
		return !strcmp(s, "fault");
	return (!strncmp(s, "input:", 6) || !strncmp(s, "alarm:", 6) ||
		!strncmp(s, "zone:", 5)) &&
	       value_name(colon + 1);
}

void set_follow(struct load *l, void *obj, const struct config_value *val)
{
	set_checked(l, obj, val, is_followed);
}

static bool is_argument(const char *s)
{
	return strlen(s) <= 1000;
}

void set_hook_command(struct load *l, void *obj, const struct config_value *val)
{
	if (!val->n || !*val->v[0])
		load_refuse(l, val, val->n ? val->v[0] : "");
	set_checked(l, obj, val, is_argument);
}

void set_effect_topic(struct load *l, void *obj, const struct config_value *val)
{
	struct config_effect *e = obj;

	if (!*val->v[0] || *val->v[0] == '$' ||
	    mosquitto_pub_topic_check(val->v[0]) != MOSQ_ERR_SUCCESS)
		load_refuse(l, val, val->v[0]);
	load_text(l, &e->topic, val->v[0]);
}

bool show_effect_topic(const struct config *c, const void *obj, FILE *f)
{
	const struct config_effect *e = obj;

	(void)c;
	schema_quote(f, e->topic);
	return true;
}

/* ----------------------------------------------------------------- objects */

/** Room for one more in an array that grows; zeroed. NULL: reported. */
static void *one_more(struct load *l, void *array, size_t *n, size_t size,
		      size_t max, const char *what, const struct scan_node *at)
{
	char *v, **p = array;

	if (*n == max) {
		problem_add(l->p, at->at, "more than %zu %s: that is the most",
			    max, what);
		return NULL;
	}
	v = realloc(*p, (*n + 1) * size);
	if (!v) {
		l->p->nomem = true;
		return NULL;
	}
	*p = v;
	memset(v + *n * size, 0, size);
	return v + (*n)++ * size;
}

static void *open_effect(struct load *l, struct config_alarm *a,
			 const struct scan_node *n,
			 enum config_effect_kind kind)
{
	struct config_effect *e =
		one_more(l, &a->effects, &a->n_effects, sizeof(*e),
			 CONFIG_MAX_EFFECTS, "effects of an alarm", n);

	if (!e)
		return NULL;
	e->at = n->at;
	e->kind = kind;
	e->message = e->output = e->operators = -1;
	return e;
}

static const void *nth_effect(const struct config_alarm *a, size_t i,
			      enum config_effect_kind kind)
{
	for (size_t k = 0; k < a->n_effects; k++)
		if (a->effects[k].kind == kind && !i--)
			return &a->effects[k];
	return NULL;
}

#define EFFECT(what, kind)                                                     \
	void *open_##what(struct load *l, void *parent,                        \
			  const struct scan_node *n)                           \
	{                                                                      \
		return open_effect(l, parent, n, kind);                        \
	}                                                                      \
	const void *nth_##what(const struct config *c, const void *parent,     \
			       size_t i)                                       \
	{                                                                      \
		(void)c;                                                       \
		return nth_effect(parent, i, kind);                            \
	}
EFFECT(broadcast, EFFECT_BROADCAST)
EFFECT(drive, EFFECT_DRIVE)
EFFECT(publish, EFFECT_PUBLISH)
EFFECT(hook, EFFECT_HOOK)
EFFECT(call, EFFECT_CALL)
EFFECT(notify, EFFECT_NOTIFY)
EFFECT(display, EFFECT_DISPLAY)

void *open_phase(struct load *l, void *parent, const struct scan_node *n)
{
	struct config_alarm *a = parent;
	struct config_phase *p =
		one_more(l, &a->phases, &a->n_phases, sizeof(*p),
			 CONFIG_MAX_PHASES, "phases of an alarm", n);

	if (!p)
		return NULL;
	p->at = n->at;
	p->name = load_strdup(l, n->title);
	if (!value_name(n->title))
		problem_add(l->p, n->at,
			    "phase \"%.80s\": a name is 1 to 63 of letters, "
			    "digits, \".\", \"_\" and \"-\"",
			    n->title);
	return p;
}

const void *nth_phase(const struct config *c, const void *parent, size_t i)
{
	const struct config_alarm *a = parent;

	(void)c;
	return i < a->n_phases ? &a->phases[i] : NULL;
}
