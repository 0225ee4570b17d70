#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

uint64_t clock_mono_us(void)
{
	return (uint64_t)read_us(CLOCK_MONOTONIC);
}

uint64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}

void clock_watch_init(struct clock_watch *w, uint64_t mono_us, int64_t wall_us)
{
	w->offset_us = wall_us - (int64_t)mono_us;
}

int64_t clock_watch_step(struct clock_watch *w, uint64_t mono_us,
			 int64_t wall_us)
{
	int64_t offset = wall_us - (int64_t)mono_us;
	int64_t step = offset - w->offset_us;

	w->offset_us = offset;
	return llabs(step) < CLOCK_STEP_MIN_US ? 0 : step;
}

char *clock_format(char buf[CLOCK_TEXT_SIZE], int64_t wall_us)
{
	int64_t sec = wall_us / 1000000, frac = wall_us % 1000000;
	struct tm tm;
	time_t t;

	if (frac < 0) {
		frac += 1000000;
		sec--;
	}
	t = (time_t)sec;
	gmtime_r(&t, &tm);
	snprintf(buf, CLOCK_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000u,
		 (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_mday % 100u,
		 (unsigned)tm.tm_hour % 100u, (unsigned)tm.tm_min % 100u,
		 (unsigned)tm.tm_sec % 100u, (unsigned)frac % 1000000u);
	return buf;
}
