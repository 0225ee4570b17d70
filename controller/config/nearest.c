/* "Did you mean": the nearest of the names that are there. */
#include "values.h"

#include <ctype.h>
#include <string.h>

#define MAX_LENGTH 63

/** Levenshtein distance, case ignored; MAX_LENGTH for longer names. */
static size_t distance(const char *a, const char *b)
{
	size_t row[MAX_LENGTH + 1];
	const size_t n = strlen(a), m = strlen(b);

	if (n > MAX_LENGTH || m > MAX_LENGTH)
		return MAX_LENGTH;
	for (size_t k = 0; k <= m; k++)
		row[k] = k;
	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= m; k++) {
			const bool same = tolower((unsigned char)a[i - 1]) ==
					  tolower((unsigned char)b[k - 1]);
			size_t best = diagonal + !same;

			if (row[k] + 1 < best)
				best = row[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			diagonal = row[k];
			row[k] = best;
		}
	}
	return row[m];
}

const char *value_nearest(const char *typed,
			  const char *(*next)(size_t i, const void *arg),
			  const void *arg)
{
	/* A third of the letters may be wrong, at least one. */
	size_t best = strlen(typed) / 3 + 2;
	const char *found = NULL, *name;

	for (size_t i = 0; (name = next(i, arg)); i++) {
		const size_t d = distance(typed, name);

		if (d < best) {
			best = d;
			found = name;
		}
	}
	return found;
}
