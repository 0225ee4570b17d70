#include "rule.h"

#include "civil.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/** Further than any zone is from UTC, in seconds. */
#define SLACK (2 * CIVIL_DAY)

struct job {
	const struct rule *r;
	const struct tz *tz;
	int64_t t1, t2;
	struct rule_time *v;
	size_t n, max;
	int err;
};

static bool on_day(const struct rule *r, int64_t day)
{
	for (size_t i = 0; i < r->n_ranges; i++)
		if (day >= r->range[i].first && day <= r->range[i].last)
			return true;
	return !r->n_ranges;
}

static bool taken_off(const struct rule *r, int64_t local)
{
	for (size_t i = 0; i < r->n_exdates; i++)
		if (r->exdate[i] == local)
			return true;
	return false;
}

static void put(struct job *j, int64_t at, int64_t local, enum rule_how how)
{
	if (at <= j->t1 || at > j->t2)
		return;
	if (j->n == j->max) {
		j->err = E2BIG;
		return;
	}
	j->v[j->n++] = (struct rule_time){at, local, how};
}

/** A local time of the rule becomes none, one or two instants. */
static void resolve(struct job *j, int64_t local)
{
	int64_t at[2];

	switch (tz_utc(j->tz, local, at)) {
	case TZ_ONCE:
		put(j, at[0], local, RULE_AS_SAID);
		break;
	case TZ_GAP:
		put(j, at[0], local,
		    j->r->gap == RULE_GAP_NEXT ? RULE_MOVED : RULE_SKIPPED);
		break;
	case TZ_FOLD:
		if (j->r->fold != RULE_FOLD_SECOND)
			put(j, at[0], local, RULE_AS_SAID);
		if (j->r->fold != RULE_FOLD_FIRST)
			put(j, at[1], local, RULE_AGAIN);
		break;
	}
}

static bool on_recur(int64_t local, void *arg)
{
	struct job *j = arg;

	if (on_day(j->r, civil_day_of(local)) && !taken_off(j->r, local))
		resolve(j, local);
	return !j->err;
}

static void by_times(struct job *j, int64_t from, int64_t to)
{
	const struct rule *r = j->r;

	if (!r->n_times)
		return;
	/* Times beyond midnight belong to the day before. */
	for (int64_t d = civil_day_of(from) - 1; d <= civil_day_of(to); d++) {
		if (!(r->days >> civil_weekday(d) & 1) || !on_day(r, d) ||
		    taken_off(r, d * CIVIL_DAY))
			continue;
		for (size_t i = 0; i < r->n_times && !j->err; i++)
			resolve(j, d * CIVIL_DAY + r->time[i]);
		if (j->err)
			return;
	}
}

/** At one instant what was said comes before what was moved or skipped. */
static int order(const void *a, const void *b)
{
	const struct rule_time *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->how != y->how)
		return x->how < y->how ? -1 : 1;
	return (x->local > y->local) - (x->local < y->local);
}

static void unite(struct job *j)
{
	size_t n = 0;

	qsort(j->v, j->n, sizeof(*j->v), order);
	for (size_t i = 0; i < j->n; i++)
		if (!n || j->v[n - 1].at != j->v[i].at ||
		    (j->v[i].how == RULE_SKIPPED &&
		     j->v[n - 1].how == RULE_SKIPPED &&
		     j->v[n - 1].local != j->v[i].local))
			j->v[n++] = j->v[i];
	j->n = n;
}

int rule_expand(const struct rule *r, const struct tz *tz, int64_t t1,
		int64_t t2, struct rule_time *v, size_t max, size_t *n)
{
	struct job j = {r, tz, t1, t2, v, 0, max, 0};
	const int64_t from = t1 - SLACK, to = t2 + SLACK;
	int err = 0;

	*n = 0;
	if (t1 >= t2)
		return 0;
	by_times(&j, from, to);
	if (r->recur && !j.err)
		err = recur_each(r->recur, from, to, on_recur, &j);
	for (size_t i = 0; i < r->n_rdates; i++)
		if (r->rdate[i] >= from && r->rdate[i] <= to)
			on_recur(r->rdate[i], &j);
	unite(&j);
	*n = j.n;
	return err ? err : j.err;
}
