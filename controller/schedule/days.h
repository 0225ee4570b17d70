/** Days of a year as the configuration writes them. Pure. */
#ifndef TOCSIN_DAYS_H
#define TOCSIN_DAYS_H

#include "controller/config/config.h"
#include "scheduler/rule.h"

/** Most pieces of one entry. */
#define DAYS_PIECES 6

/**
 * A yearly entry cut at the year's end and around 29 February, in 1972: each
 * piece has its length in every year that has its first day.
 */
size_t days_pieces(const struct config_days *d,
		   struct rule_range v[DAYS_PIECES]);

/** An entry as days of the years from y1 to y2; how many of at most max. */
size_t days_of_years(const struct config_days *d, int y1, int y2,
		     struct rule_range *v, size_t max);

#endif
