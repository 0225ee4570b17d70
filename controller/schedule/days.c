#include "days.h"

#include "scheduler/civil.h"

/** As special_schedule.c keeps them. */
#define LEAP_YEAR 1972

static size_t cut(int64_t first, int64_t last, struct rule_range *v)
{
	const int64_t leap = civil_day(LEAP_YEAR, 2, 29);
	size_t n = 0;

	if (first > leap || last < leap) {
		v[n++] = (struct rule_range){first, last};
		return n;
	}
	if (first < leap)
		v[n++] = (struct rule_range){first, leap - 1};
	v[n++] = (struct rule_range){leap, leap};
	if (last > leap)
		v[n++] = (struct rule_range){leap + 1, last};
	return n;
}

size_t days_pieces(const struct config_days *d,
		   struct rule_range v[DAYS_PIECES])
{
	const int64_t end = civil_day(LEAP_YEAR, 12, 31);
	size_t n;

	if (d->last <= end)
		return cut(d->first, d->last, v);
	n = cut(d->first, end, v);
	return n + cut(civil_day(LEAP_YEAR, 1, 1), d->last - 366, v + n);
}

size_t days_of_years(const struct config_days *d, int y1, int y2,
		     struct rule_range *v, size_t max)
{
	struct rule_range piece[DAYS_PIECES];
	size_t n = 0, pieces;

	if (!d->yearly) {
		if (max)
			v[n++] = (struct rule_range){d->first, d->last};
		return n;
	}
	pieces = days_pieces(d, piece);
	for (int y = y1; y <= y2; y++)
		for (size_t i = 0; i < pieces && n < max; i++) {
			const struct civil c =
				civil_of(piece[i].first * CIVIL_DAY);
			const int64_t first = civil_day(y, c.month, c.day);

			if (civil_valid(y, c.month, c.day))
				v[n++] = (struct rule_range){
					first,
					first + piece[i].last - piece[i].first};
		}
	return n;
}
