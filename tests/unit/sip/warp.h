/*
 * Both clocks in the hand of a test program: libre reaches gettimeofday() and
 * our own clock reaches clock_gettime() in it.
 */
#ifndef TOCSIN_TEST_WARP_H
#define TOCSIN_TEST_WARP_H

#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t wall_step_s, mono_step_s;

#define OURS __attribute__((visibility("default")))

OURS int clock_gettime(clockid_t id, struct timespec *t)
{
	const int err = (int)syscall(SYS_clock_gettime, id, t);

	t->tv_sec += id == CLOCK_MONOTONIC  ? mono_step_s
		     : id == CLOCK_REALTIME ? wall_step_s
					    : 0;
	return err;
}

OURS int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec t;
	const int err = clock_gettime(CLOCK_REALTIME, &t);

	(void)tz;
	tv->tv_sec = t.tv_sec;
	tv->tv_usec = t.tv_nsec / 1000;
	return err;
}

#endif
