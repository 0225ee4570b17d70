/**
 * From a raw reading to what an input means: pure.
 *
 * DESIGN rule 3: a lost source is a fault, never "clear" and never "alarm".
 * Rule 4: nothing old fires. No clock, no I/O.
 */
#ifndef TOCSIN_INPUT_H
#define TOCSIN_INPUT_H

#include "controller/base/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum input_quality {
	INPUT_UNKNOWN, /**< nothing read yet */
	INPUT_GOOD,
	INPUT_STALE, /**< nothing new for max-age */
	INPUT_FAULT, /**< unreadable; the reason says why */
};

/** "unknown", "good", "stale", "fault". */
const char *input_quality_name(enum input_quality q);

/** How a payload is understood. */
struct input_rule {
	const char *json; /**< dotted path, array positions as numbers; NULL */
	const char
		*match; /**< text that means active; NULL = by number or word */
	bool has_above, has_below;
	double above, clear_below, below, clear_above;
	uint32_t max_age_ms; /**< 0 = never stale */
};

/** What is known of one input. */
struct input_value {
	bool active;
	enum input_quality quality;
	double number;       /**< raw value, NaN when it was text */
	char raw[64];        /**< raw value as text, cut */
	uint64_t read_us;    /**< last good reading */
	uint64_t changed_us; /**< last change of active or quality */
	char why[128];       /**< for stale and fault */
};

/**
 * Applies a payload to the value of one input.
 *
 * Without match and windows the words 1/true/on/active/alarm/open count as
 * active and 0/false/off/normal/clear/closed as normal, case ignored; anything
 * else is a fault that quotes it. A number that is no number (NaN, text), a
 * missing path, broken JSON: fault; the last active state is kept.
 *
 * @return true when active or quality changed
 */
bool input_apply(struct input_value *v, const struct input_rule *rule,
		 const char *payload, size_t len, uint64_t now_us);

/** Makes it stale when its age says so; true when that is new. */
bool input_age(struct input_value *v, const struct input_rule *rule,
	       uint64_t now_us);

/** Declares it lost (broker away, chip gone); true when that is new. */
bool input_lost(struct input_value *v, const char *why, uint64_t now_us);

/* ---- commands by MQTT: tocsin/<site>/command/<verb> ---- */

/** Ids remembered against repetition, and for how long. */
#define COMMAND_MEMORY 256

struct command_guard {
	struct {
		char id[64];
		uint64_t at_us;
	} seen[COMMAND_MEMORY];
	unsigned next;
};

/**
 * May this command act? Retained, stale, future, repeated, nameless and
 * unreadable ones may not.
 *
 * @param payload {"id": "...", "time": RFC 3339 or Unix seconds, ...}
 * @param id      gets the id (64 bytes), "" when there was none
 * @return 0, or EINVAL/EALREADY/ESTALE with the reason
 */
int command_check(struct command_guard *g, const char *payload, size_t len,
		  bool retain, int64_t now_wall_us, uint64_t now_us,
		  uint32_t max_age_ms, char id[64], struct reason *why);

#endif
