/* Any text as a calendar: read or refused with a line, in bounded time, and
 * what is read is in order. */
#include "scheduler/calendar.h"
#include "scheduler/civil.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct calendar_span span[2000];

static struct tz *on_zone(const char *name, void *arg)
{
	static const struct tz_change change[] = {{1000000000, 3600},
						  {1800000000, 7200}};
	struct tz *z = NULL;

	(void)arg;
	if (!strcmp(name, "Europe/Berlin"))
		tz_make(&z, 0, change, 2);
	return z;
}

static void on_problem(int line, const char *text, void *arg)
{
	if (line < 1 || !*text)
		abort();
	++*(size_t *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int64_t t1 = civil_day(2026, 1, 1) * CIVIL_DAY;
	struct calendar *c = NULL;
	size_t told = 0, bad = 0, n = 0;
	int err;

	if (calendar_alloc(&c))
		abort();
	err = calendar_read(c, (const char *)data, size, on_zone, on_problem,
			    &told, &bad);
	if ((err || bad) && !told)
		abort(); /* refused without a word */
	if (err && calendar_size(c))
		abort();
	calendar_expand(c, tz_of_utc(), t1, t1 + 400 * CIVIL_DAY, span, 2000,
			&n);
	for (size_t i = 0; i < n; i++) {
		if (i && span[i].begin < span[i - 1].begin)
			abort();
		if (span[i].event < 0 ||
		    (size_t)span[i].event >= calendar_size(c))
			abort();
		calendar_fits(c, span[i].event, "*a?");
	}
	calendar_free(c);
	return 0;
}
