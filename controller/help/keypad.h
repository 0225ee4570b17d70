/**
 * What an operator types while he talks with a help point: sequences of keys,
 * each of which does something at its last key. Pure, any thread.
 */
#ifndef TOCSIN_HELP_KEYPAD_H
#define TOCSIN_HELP_KEYPAD_H

#include "controller/config/config.h"

/** Keys further apart than this belong to two sequences. */
#define KEYPAD_GAP_MS 4000

struct keypad {
	char typed[CONFIG_MAX_KEYS + 1]; /**< what may yet become one */
	uint64_t at_ms;                  /**< of the last key */
};

enum keypad_act {
	KEYPAD_NOTHING,
	KEYPAD_DOOR,
	KEYPAD_END,
};

/**
 * Takes a press. No sequence of a point is the beginning of another (--check),
 * so that the longest end of what was typed decides: a wrong key before it does
 * not matter.
 *
 * @param door its index in p->doors for KEYPAD_DOOR
 */
enum keypad_act keypad_press(struct keypad *k, char key, uint64_t now_ms,
			     const struct config_helppoint *p, size_t *door);

#endif
