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

static bool is_engaged(enum turns_line l)
{
	return l == TURNS_ENGAGED || l == TURNS_TALKS || l == TURNS_YIELDS;
}

/** Does anybody ring for it, after what was decided? */
static bool rings(const struct turns_call *c)
{
	for (unsigned k = 0; k < c->n; k++)
		if (c->ring >> k & 1 ||
		    (c->line[k].now == TURNS_RINGS && !(c->hold >> k & 1)))
			return true;
	return false;
}

static bool wants(const struct turns_call *c, const char *number)
{
	for (unsigned k = 0; k < c->n; k++)
		if (c->line[k].now == TURNS_WAITS &&
		    !strcmp(c->line[k].number, number))
			return true;
	return false;
}

/** Is one of its people about to be free, for it and not for one before? */
static bool comes(struct turns_call **v, unsigned n, const struct turns_call *c,
		  struct taken *claimed)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < v[i]->n; k++)
			if (v[i]->line[k].now == TURNS_YIELDS &&
			    wants(c, v[i]->line[k].number) &&
			    take(claimed, v[i]->line[k].number))
				return true;
	return false;
}

/** Takes away who talks about the least urgent; of such, the youngest. */
static void take_away(struct turns_call **v, unsigned n,
		      const struct turns_call *c)
{
	/* In their order: from the end, the first that fits. */
	for (unsigned i = n; i > 0 && v[i - 1]->level < c->level; i--) {
		struct turns_call *x = v[i - 1];

		for (unsigned k = 0; k < x->n; k++)
			if (x->line[k].now == TURNS_TALKS &&
			    !(x->cede >> k & 1) &&
			    wants(c, x->line[k].number)) {
				x->cede |= UINT32_C(1) << k;
				return;
			}
	}
}

static void decide_away(struct turns_call **v, unsigned n)
{
	struct taken claimed = {.n = 0};

	for (unsigned i = 0; i < n; i++)
		v[i]->cede = 0;
	for (unsigned i = 0; i < n; i++)
		if ((v[i]->pressing || !rings(v[i])) &&
		    !comes(v, n, v[i], &claimed))
			take_away(v, n, v[i]);
}

void turns_decide(struct turns_call **v, unsigned n)
{
	struct taken t = {.n = 0};

	qsort(v, n, sizeof(*v), compare);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < v[i]->n; k++)
			if (is_engaged(v[i]->line[k].now))
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
	decide_away(v, n);
}
