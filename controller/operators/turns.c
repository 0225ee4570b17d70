#include "controller/operators/turns.h"

#include <stdlib.h>
#include <string.h>

bool turns_before(const struct turns_call *a, const struct turns_call *b)
{
	if (a->level != b->level)
		return a->level > b->level;
	return a->since_us < b->since_us;
}

static int compare(const void *a, const void *b)
{
	const struct turns_call *x = *(struct turns_call *const *)a,
				*y = *(struct turns_call *const *)b;

	return turns_before(x, y) ? -1 : turns_before(y, x);
}

/** Numbers that are taken. */
struct taken {
	const char *v[TURNS_MAX_NUMBERS];
	unsigned n;
};

/** False when somebody has it already. */
static bool take(struct taken *t, const char *number)
{
	for (unsigned i = 0; i < t->n; i++)
		if (!strcmp(t->v[i], number))
			return false;
	if (t->n == TURNS_MAX_NUMBERS)
		return false;
	t->v[t->n++] = number;
	return true;
}

void turns_decide(struct turns_call **v, unsigned n)
{
	struct taken t = {.n = 0};

	qsort(v, n, sizeof(*v), compare);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < v[i]->n; k++)
			if (v[i]->line[k].now == TURNS_ENGAGED)
				(void)take(&t, v[i]->line[k].number);
	for (unsigned i = 0; i < n; i++) {
		v[i]->ring = v[i]->hold = 0;
		for (unsigned k = 0; k < v[i]->n; k++) {
			const enum turns_line now = v[i]->line[k].now;

			if (now != TURNS_WAITS && now != TURNS_RINGS)
				continue;
			if (!take(&t, v[i]->line[k].number)) {
				if (now == TURNS_RINGS)
					v[i]->hold |= UINT32_C(1) << k;
			} else if (now == TURNS_WAITS) {
				v[i]->ring |= UINT32_C(1) << k;
			}
		}
	}
}
