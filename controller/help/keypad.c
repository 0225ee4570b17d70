#include "controller/help/keypad.h"

#include <string.h>

/* Is what was typed from here on a whole sequence, or the beginning of one? */
static bool begins(const char *typed, const char *keys)
{
	return keys && !strncmp(typed, keys, strlen(typed));
}

static bool begins_any(const char *typed, const struct config_helppoint *p)
{
	bool any = begins(typed, p->end_keys);

	for (size_t i = 0; i < p->n_doors && !any; i++)
		any = begins(typed, p->doors[i].keys);
	return any;
}

enum keypad_act keypad_press(struct keypad *k, char key, uint64_t now_ms,
			     const struct config_helppoint *p, size_t *door)
{
	size_t n;

	if (now_ms - k->at_ms > KEYPAD_GAP_MS)
		k->typed[0] = '\0';
	k->at_ms = now_ms;
	n = strlen(k->typed);
	if (n == sizeof(k->typed) - 1)
		memmove(k->typed, k->typed + 1, n--);
	k->typed[n] = key;
	k->typed[n + 1] = '\0';
	while (*k->typed && !begins_any(k->typed, p))
		memmove(k->typed, k->typed + 1, strlen(k->typed));
	if (!*k->typed)
		return KEYPAD_NOTHING;
	for (size_t i = 0; i < p->n_doors; i++)
		if (!strcmp(k->typed, p->doors[i].keys)) {
			*door = i;
			k->typed[0] = '\0';
			return KEYPAD_DOOR;
		}
	if (p->end_keys && !strcmp(k->typed, p->end_keys)) {
		k->typed[0] = '\0';
		return KEYPAD_END;
	}
	return KEYPAD_NOTHING;
}
