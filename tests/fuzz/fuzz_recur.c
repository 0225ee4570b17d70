/* Any text as a rule: refused with a reason, or ascending local times from its
 * start on, the same whichever window they are looked at through. */
#include "scheduler/civil.h"
#include "scheduler/recur.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX 400

struct list {
	int64_t v[MAX];
	size_t n;
};

static bool on_time(int64_t local, void *arg)
{
	struct list *l = arg;

	if (l->n == MAX)
		return false;
	if (l->n && local <= l->v[l->n - 1])
		abort();
	l->v[l->n++] = local;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int64_t year = civil_day(2026, 1, 1) * CIVIL_DAY;
	static struct list all, part;
	struct recur *r = NULL;
	struct reason why = {""};
	char text[RECUR_MAX_TEXT + 40];
	int64_t start;

	if (size < 4 || size >= sizeof(text))
		return 0;
	/* The start: a day of some years around, and a minute of it. */
	start = year +
		((int64_t)(data[0] << 8 | data[1]) % 8000 - 7000) * CIVIL_DAY +
		(data[2] * 251 + data[3]) % 1440 * 60;
	memcpy(text, data + 4, size - 4);
	text[size - 4] = '\0';
	if (recur_parse(&r, text, start, NULL, &why)) {
		if (!*why.text)
			abort();
		return 0;
	}
	all.n = part.n = 0;
	recur_each(r, year, year + 60 * CIVIL_DAY, on_time, &all);
	recur_each(r, year + 30 * CIVIL_DAY, year + 60 * CIVIL_DAY, on_time,
		   &part);
	if (all.n && all.v[0] < start)
		abort();
	for (size_t i = 0, k = 0; i < all.n && all.n < MAX; i++)
		if (all.v[i] >= year + 30 * CIVIL_DAY) {
			if (k >= part.n || part.v[k++] != all.v[i])
				abort();
		}
	recur_free(r);
	return 0;
}
