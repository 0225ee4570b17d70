#include "input.h"

#include "payload.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One value out of a payload: text into the payload or its JSON. */
struct reading {
	const char *text;
	size_t len;
	char buf[40]; /* text of a JSON number */
};

const char *input_quality_name(enum input_quality q)
{
	static const char *const name[] = {
		[INPUT_UNKNOWN] = "unknown",
		[INPUT_GOOD] = "good",
		[INPUT_STALE] = "stale",
		[INPUT_FAULT] = "fault",
	};

	return name[q];
}

static bool set_quality(struct input_value *v, enum input_quality q,
			uint64_t now_us, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The reason is shown as JSON: a cut must not split a character of it. */
static bool set_quality(struct input_value *v, enum input_quality q,
			uint64_t now_us, const char *fmt, ...)
{
	bool changed = v->quality != q;
	char text[sizeof(v->why)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	payload_printable(v->why, sizeof(v->why), text, strlen(text));
	v->quality = q;
	if (changed)
		v->changed_us = now_us;
	return changed;
}

/* ---------------------------------------------------------------- the value */

static void trim(struct reading *r)
{
	while (r->len && isspace((unsigned char)r->text[0])) {
		r->text++;
		r->len--;
	}
	while (r->len && isspace((unsigned char)r->text[r->len - 1]))
		r->len--;
}

static const json_t *step_into(const json_t *o, const char *key, size_t len)
{
	size_t i = 0;

	if (json_is_object(o)) {
		char name[128];

		if (len >= sizeof(name))
			return NULL;
		memcpy(name, key, len);
		name[len] = '\0';
		return json_object_get(o, name);
	}
	/* Nine digits are more than a payload has places. */
	if (!json_is_array(o) || !len || len > 9)
		return NULL;
	for (size_t k = 0; k < len; k++) {
		if (!isdigit((unsigned char)key[k]))
			return NULL;
		i = i * 10 + (size_t)(key[k] - '0');
	}
	return json_array_get(o, i);
}

static const json_t *follow(const json_t *o, const char *path)
{
	while (o) {
		size_t len = strcspn(path, ".");

		o = step_into(o, path, len);
		if (!path[len])
			return o;
		path += len + 1;
	}
	return NULL;
}

static bool read_json_value(struct reading *r, const json_t *x)
{
	switch (json_typeof(x)) {
	case JSON_STRING:
		r->text = json_string_value(x);
		r->len = json_string_length(x);
		return true;
	case JSON_INTEGER:
		snprintf(r->buf, sizeof(r->buf), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(x));
		break;
	case JSON_REAL:
		snprintf(r->buf, sizeof(r->buf), "%.15g", json_real_value(x));
		break;
	case JSON_TRUE:
		strcpy(r->buf, "true");
		break;
	case JSON_FALSE:
		strcpy(r->buf, "false");
		break;
	default:
		return false;
	}
	r->text = r->buf;
	r->len = strlen(r->buf);
	return true;
}

/* A whole decimal number; NaN for anything else, also for what strtod() calls
 * one beyond that: hexadecimal, infinity. */
static double number_of(const struct reading *r)
{
	char buf[64], *end;
	double x;

	if (!r->len || r->len >= sizeof(buf))
		return NAN;
	memcpy(buf, r->text, r->len);
	buf[r->len] = '\0';
	if (strspn(buf, "0123456789+-.eE") != r->len)
		return NAN;
	x = strtod(buf, &end);
	return *end || !isfinite(x) ? NAN : x;
}

/* --------------------------------------------------------------- its meaning
 */

static bool is_one_of(const struct reading *r, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == r->len &&
		    !strncasecmp(*words, r->text, r->len))
			return true;
	return false;
}

/* While it is active the last number tells which window holds it; where it
 * cannot (the rule changed, the value was text) either does. */
bool input_beyond(const struct input_value *v, const struct input_rule *u,
		  double x)
{
	bool in_high = u->has_above && v->number >= u->clear_below;
	bool in_low = u->has_below && v->number <= u->clear_above;
	bool high = v->active && (in_high || !in_low);
	bool low = v->active && (in_low || !in_high);

	return (u->has_above &&
		(x > u->above || (high && x >= u->clear_below))) ||
	       (u->has_below && (x < u->below || (low && x <= u->clear_above)));
}

/* false: the reading means nothing, and the fault says so. */
static bool understand(struct input_value *v, const struct input_rule *u,
		       const struct reading *r, double x, uint64_t now_us,
		       bool *active, bool *changed)
{
	static const char *const on[] = {"1",     "true", "on", "active",
					 "alarm", "open", NULL};
	static const char *const off[] = {"0",     "false",  "off", "normal",
					  "clear", "closed", NULL};
	char text[41];

	payload_printable(text, sizeof(text), r->text, r->len);
	if (u->match) {
		*active = strlen(u->match) == r->len &&
			  !memcmp(u->match, r->text, r->len);
	} else if (u->has_above || u->has_below) {
		if (isnan(x)) {
			*changed = set_quality(v, INPUT_FAULT, now_us,
					       "\"%s\" is not a number", text);
			return false;
		}
		*active = input_beyond(v, u, x);
	} else if (is_one_of(r, on)) {
		*active = true;
	} else if (is_one_of(r, off)) {
		*active = false;
	} else {
		*changed = set_quality(
			v, INPUT_FAULT, now_us,
			"\"%s\" is neither active (1, true, on, ...) nor "
			"normal (0, false, off, ...)",
			text);
		return false;
	}
	return true;
}

static bool take(struct input_value *v, bool active, double number,
		 const struct reading *r, uint64_t now_us)
{
	bool changed = set_quality(v, INPUT_GOOD, now_us, "%s", "");

	if (active != v->active) {
		v->active = active;
		v->changed_us = now_us;
		changed = true;
	}
	v->number = number;
	v->read_us = now_us;
	payload_printable(v->raw, sizeof(v->raw), r->text, r->len);
	return changed;
}

static bool apply_reading(struct input_value *v, const struct input_rule *u,
			  const struct reading *r, uint64_t now_us)
{
	double x = number_of(r);
	bool active, changed = false;

	if (!r->len)
		return set_quality(v, INPUT_FAULT, now_us,
				   "the value is empty");
	if (!understand(v, u, r, x, now_us, &active, &changed))
		return changed;
	return take(v, active, x, r, now_us);
}

bool input_take(struct input_value *v, bool active, double number,
		const char *raw, uint64_t now_us)
{
	const struct reading r = {.text = raw, .len = strlen(raw)};

	return take(v, active, number, &r, now_us);
}

static bool apply_json(struct input_value *v, const struct input_rule *u,
		       const char *payload, size_t len, uint64_t now_us)
{
	struct reading r;
	struct reason why;
	json_t *o = payload_json(payload, len, JSON_DECODE_ANY, &why);
	const json_t *x = o ? follow(o, u->json) : NULL;
	bool changed;

	if (!o)
		changed = set_quality(v, INPUT_FAULT, now_us, "%s", why.text);
	else if (!x)
		changed = set_quality(v, INPUT_FAULT, now_us,
				      "the JSON has no \"%s\"", u->json);
	else if (!read_json_value(&r, x))
		changed = set_quality(v, INPUT_FAULT, now_us,
				      "\"%s\" is %s: a number, text, true or "
				      "false is wanted",
				      u->json,
				      json_is_null(x)    ? "null"
				      : json_is_array(x) ? "an array"
							 : "an object");
	else
		changed = apply_reading(v, u, &r, now_us);
	json_decref(o);
	return changed;
}

bool input_apply(struct input_value *v, const struct input_rule *rule,
		 const char *payload, size_t len, uint64_t now_us)
{
	struct reading r = {.text = payload, .len = len};

	if (len > PAYLOAD_MAX)
		return set_quality(
			v, INPUT_FAULT, now_us,
			"the payload has %zu bytes, at most %d are read", len,
			PAYLOAD_MAX);
	if (rule->json)
		return apply_json(v, rule, payload, len, now_us);
	trim(&r);
	return apply_reading(v, rule, &r, now_us);
}

/* ------------------------------------------------------------------ its age */

bool input_age(struct input_value *v, const struct input_rule *rule,
	       uint64_t now_us)
{
	bool never = v->quality == INPUT_UNKNOWN;
	uint64_t since;

	if (!rule->max_age_ms || (!never && v->quality != INPUT_GOOD))
		return false;
	if (never && !v->changed_us)
		v->changed_us = now_us;
	since = never ? v->changed_us : v->read_us;
	if (now_us <= since ||
	    now_us - since <= rule->max_age_ms * UINT64_C(1000))
		return false;
	return set_quality(v, INPUT_STALE, now_us,
			   never ? "nothing was ever received (max-age %g s)"
				 : "nothing was received for %g s (max-age)",
			   rule->max_age_ms / 1000.0);
}

bool input_lost(struct input_value *v, const char *why, uint64_t now_us)
{
	return set_quality(v, INPUT_FAULT, now_us, "%s", why);
}
