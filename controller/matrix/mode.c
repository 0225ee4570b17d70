#include "mode.h"

struct mode_choice mode_decide(const struct mode_view *v, size_t n, int hand,
			       struct mode_choice last)
{
	if (hand >= 0)
		return (struct mode_choice){hand, MODE_BY_HAND};
	for (size_t i = 0; i < n; i++)
		if (v[i].has_key && (v[i].known ? v[i].key
						: last.by == MODE_BY_KEY &&
							  last.mode == (int)i))
			return (struct mode_choice){(int)i, MODE_BY_KEY};
	for (size_t i = 0; i < n; i++)
		if (v[i].hours)
			return (struct mode_choice){(int)i, MODE_BY_HOURS};
	return (struct mode_choice){0, MODE_BY_DEFAULT};
}

const char *mode_by_name(enum mode_by by)
{
	static const char *const names[] = {"default", "hours", "key", "hand"};

	return names[by];
}
