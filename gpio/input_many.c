#include "input_many.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input_value *input_many_of(struct input_many *m, const char *topic)
{
	struct input_part *v;

	for (size_t i = 0; i < m->n; i++)
		if (!strcmp(m->part[i].topic, topic))
			return &m->part[i].value;
	if (m->n == INPUT_MANY_MAX) {
		m->too_many = true;
		return NULL;
	}
	v = realloc(m->part, (m->n + 1) * sizeof(*v));
	if (!v)
		return NULL;
	m->part = v;
	v += m->n;
	memset(v, 0, sizeof(*v));
	v->topic = strdup(topic);
	if (!v->topic)
		return NULL;
	m->n++;
	return &v->value;
}

void input_many_lost(struct input_many *m, const char *why, uint64_t now_us)
{
	for (size_t i = 0; i < m->n; i++) {
		struct input_value *v = &m->part[i].value;

		if (why) {
			input_lost(v, why, now_us);
			continue;
		}
		v->quality = INPUT_UNKNOWN;
		v->changed_us = now_us;
		v->why[0] = '\0';
	}
}

bool input_many_age(struct input_many *m, const struct input_rule *rule,
		    uint64_t now_us)
{
	bool changed = false;

	for (size_t i = 0; i < m->n; i++)
		changed = input_age(&m->part[i].value, rule, now_us) || changed;
	return changed;
}

/* How bad, the worst highest. */
static int badness(enum input_quality q)
{
	static const int bad[] = {
		[INPUT_GOOD] = 0,
		[INPUT_UNKNOWN] = 1,
		[INPUT_STALE] = 2,
		[INPUT_FAULT] = 3,
	};

	return bad[q];
}

bool input_many_sum(const struct input_many *m, struct input_value *whole,
		    uint64_t now_us)
{
	const struct input_part *shown = NULL, *worst = NULL;
	const enum input_quality quality = whole->quality;
	const bool was = whole->active;
	bool active = false;

	if (!m->n)
		return false;
	for (size_t i = 0; i < m->n; i++) {
		const struct input_part *p = &m->part[i];

		active = active || p->value.active;
		if (!worst ||
		    badness(p->value.quality) > badness(worst->value.quality))
			worst = p;
	}
	/* What is shown is the latest of those that decide. */
	for (size_t i = 0; i < m->n; i++) {
		const struct input_part *p = &m->part[i];

		if (p->value.active == active &&
		    (!shown || p->value.read_us > shown->value.read_us))
			shown = p;
	}
	whole->active = active;
	whole->number = shown->value.number;
	memcpy(whole->raw, shown->value.raw, sizeof(whole->raw));
	whole->read_us = shown->value.read_us;
	whole->quality = m->too_many ? INPUT_FAULT : worst->value.quality;
	whole->why[0] = '\0';
	if (m->too_many)
		snprintf(whole->why, sizeof(whole->why),
			 "more than %d topics match: narrow the filter",
			 INPUT_MANY_MAX);
	else if (worst->value.why[0])
		snprintf(whole->why, sizeof(whole->why), "%.60s: %.60s",
			 worst->topic, worst->value.why);
	if (whole->active == was && whole->quality == quality)
		return false;
	whole->changed_us = now_us;
	return true;
}

void input_many_clear(struct input_many *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->part[i].topic);
	free(m->part);
	memset(m, 0, sizeof(*m));
}
