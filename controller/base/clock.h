/**
 * Two clocks, never mixed (DESIGN rule 10).
 *
 * Monotonic microseconds for everything that waits; wall microseconds only for
 * schedules and records. Any thread may call any function here.
 */
#ifndef TOCSIN_CLOCK_H
#define TOCSIN_CLOCK_H

#include <stdint.h>

/** Microseconds on CLOCK_MONOTONIC: deadlines, time-outs, durations. */
uint64_t clock_mono_us(void);

/** Milliseconds on CLOCK_MONOTONIC. */
uint64_t clock_mono_ms(void);

/** Microseconds since 1970 UTC: only for schedules and records. */
int64_t clock_wall_us(void);

/** Smallest difference between the two clocks called a step: 500 ms. */
#define CLOCK_STEP_MIN_US 500000

/** Watches the wall clock for steps against the monotonic one. */
struct clock_watch {
	int64_t offset_us; /**< wall - monotonic at the last look */
};

/** Starts watching from this pair of readings. */
void clock_watch_init(struct clock_watch *w, uint64_t mono_us, int64_t wall_us);

/**
 * Compares a new pair of readings with the last.
 *
 * @return how far the wall clock was stepped in microseconds (negative: set
 *         back), 0 while the two run together. Slow slewing below
 *         CLOCK_STEP_MIN_US between two looks is followed, not reported.
 */
int64_t clock_watch_step(struct clock_watch *w, uint64_t mono_us,
			 int64_t wall_us);

/** Room for clock_format(): "2026-11-23T06:55:00.123456Z" and NUL. */
#define CLOCK_TEXT_SIZE 32

/** Writes a wall time as RFC 3339 in UTC with microseconds; returns buf. */
char *clock_format(char buf[CLOCK_TEXT_SIZE], int64_t wall_us);

#endif
