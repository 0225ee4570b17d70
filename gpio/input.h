/**
 * From a raw reading to what an input means: pure.
 *
 * DESIGN rule 3: a lost source is a fault, never "clear" and never "alarm".
 * No clock, no I/O. Commands are in gpio/command.h.
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

/**
 * How a payload is understood: by match, else by the windows, else by words.
 *
 * With a window it is active from beyond `above` (`below`) until it is beyond
 * `clear_below` (`clear_above`) again; a value on a bound changes nothing. Two
 * windows are held apart: the one that made it active must clear.
 */
struct input_rule {
	const char *json;  /**< dotted path, array positions as numbers; NULL */
	const char *match; /**< active when the text equals this, to the letter;
			      any other text is normal. NULL = by number or
			      word */
	bool has_above, has_below;
	double above, clear_below; /**< clear_below <= above */
	double below, clear_above; /**< clear_above >= below */
	uint32_t max_age_ms;       /**< 0 = never stale */
};

/** What is known of one input. */
struct input_value {
	bool active;
	enum input_quality quality;
	double number;       /**< last good value, NaN when it was text */
	char raw[64];        /**< last good value as printable ASCII, cut */
	uint64_t read_us;    /**< last good reading */
	uint64_t changed_us; /**< last change of active or quality */
	char why[128];       /**< for stale and fault */
};

/**
 * Applies a payload to the value of one input; of one longer than PAYLOAD_MAX
 * nothing but its length is looked at.
 *
 * White space around a payload that is no JSON does not count. A JSON string
 * that is wholly a number counts as one; true and false count as words.
 * Without match and windows the words 1/true/on/active/alarm/open count as
 * active and 0/false/off/normal/clear/closed as normal, case ignored; anything
 * else is a fault that quotes it. A number that is no number (NaN, text), a
 * missing path, an empty payload, broken JSON or JSON beyond the limits of
 * gpio/payload.h: fault; the last active state and value are kept.
 *
 * @return true when active or quality changed
 */
bool input_apply(struct input_value *v, const struct input_rule *rule,
		 const char *payload, size_t len, uint64_t now_us);

/** Takes a good reading as it is: active or not, with the number and the text
 *  shown for it. @return as input_apply() */
bool input_take(struct input_value *v, bool active, double number,
		const char *raw, uint64_t now_us);

/** Would this number make it active, as it stands? */
bool input_beyond(const struct input_value *v, const struct input_rule *rule,
		  double number);

/**
 * Makes it stale when nothing good came for max_age_ms; true when that is new.
 * For one of which nothing was ever read, the time runs from the first call.
 */
bool input_age(struct input_value *v, const struct input_rule *rule,
	       uint64_t now_us);

/** Declares it lost (broker away, chip gone); true when that is new. */
bool input_lost(struct input_value *v, const char *why, uint64_t now_us);

#endif
