/** Zones of the system and local times, for the tests of the scheduler. */
#ifndef TOCSIN_TEST_SCHED_UTIL_H
#define TOCSIN_TEST_SCHED_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/calendar.h"
#include "scheduler/civil.h"
#include "scheduler/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A zone by its name, NULL when the system has none. */
static inline struct tz *zone_load(const char *name)
{
	static char data[TZ_MAX_FILE];
	char path[256];
	struct tz *z = NULL;
	struct reason why = {""};
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	f = fopen(path, "rb");
	if (!f)
		return NULL;
	n = fread(data, 1, sizeof(data), f);
	fclose(f);
	return tz_parse(&z, data, n, &why) ? NULL : z;
}

/** A zone that must be there. */
static inline struct tz *zone_of(const char *name)
{
	struct tz *z = zone_load(name);

	if (!z)
		fail_msg("no zone %s: install tzdata", name);
	return z;
}

static inline struct tz *zone_h(const char *name, void *arg)
{
	(void)arg;
	return zone_load(name);
}

/** "2026-03-29 02:30" as a local time. */
static inline int64_t at(const char *text)
{
	int y, mo, d, h = 0, mi = 0, s = 0;

	assert_true(sscanf(text, "%d-%d-%d %d:%d:%d", &y, &mo, &d, &h, &mi,
			   &s) >= 3);
	return civil_day(y, mo, d) * CIVIL_DAY + h * 3600 + mi * 60 + s;
}

#endif
