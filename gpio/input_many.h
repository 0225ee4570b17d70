/**
 * One input that hears several topics (a filter with + or #): pure.
 *
 * Each topic has a value of its own, so that a sensor that is normal does not
 * clear what another one says. The whole is active while any of them is, and
 * as good as the worst of them.
 */
#ifndef TOCSIN_INPUT_MANY_H
#define TOCSIN_INPUT_MANY_H

#include "input.h"

/** Topics that one input hears, at most; one more is a fault. */
#define INPUT_MANY_MAX 256

struct input_part {
	char *topic;
	struct input_value value;
};

/** Zeroed before its first use. One thread. */
struct input_many {
	struct input_part *part;
	size_t n;
	bool too_many;
};

/** The value of a topic, a new one of unknown quality when it was never heard;
 *  NULL when there are too many, or without memory. */
struct input_value *input_many_of(struct input_many *m, const char *topic);

/** Declares all of them lost, or unknown (why NULL). */
void input_many_lost(struct input_many *m, const char *why, uint64_t now_us);

/** Ages all of them by the rule; true when any is stale that was not. */
bool input_many_age(struct input_many *m, const struct input_rule *rule,
		    uint64_t now_us);

/** Brings the whole to what its parts are; true when active or quality
 *  changed. Without parts it is left as it is. */
bool input_many_sum(const struct input_many *m, struct input_value *whole,
		    uint64_t now_us);

/** Forgets all. */
void input_many_clear(struct input_many *m);

#endif
