/**
 * Programs that alarms run: each in a thread of its own, bounded in time, in
 * number and in what they write. Control thread.
 */
#ifndef TOCSIN_PROGRAMS_H
#define TOCSIN_PROGRAMS_H

#include <stddef.h>
#include <stdint.h>

struct programs;

/** Most that run at once; the next wait their turn, up to PROGRAMS_WAITING. */
#define PROGRAMS_RUNNING 8
#define PROGRAMS_WAITING 100
/** Variables of its environment. */
#define PROGRAMS_MAX_ENV 8

/** It has ended; why says how when err != 0. */
typedef void(programs_done_h)(const char *subject, const char *program, int err,
			      const char *why, void *arg);

int programs_alloc(struct programs **hp, programs_done_h *h, void *arg);

/** Kills what runs. Returns NULL. */
struct programs *programs_free(struct programs *h);

/**
 * Runs a program; everything is copied.
 *
 * @param subject "alarm:gas", for the handler
 * @param env     "NAME=value", at most PROGRAMS_MAX_ENV
 * @return 0, ENOMEM, or EAGAIN: too many wait
 */
int programs_run(struct programs *h, const char *subject, char *const *argv,
		 size_t n_argv, char *const *env, size_t n_env,
		 uint32_t limit_ms);

#endif
