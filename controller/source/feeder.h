/**
 * A program that makes sound: its standard output is a pipe to us, and so is
 * its standard error, of which the last line is kept.
 *
 * It runs in a process group of its own, without our descriptors, real-time
 * priority or signal mask, with bounds on memory, files and what it writes to
 * disk; it dies with us, whatever kills us. Control thread.
 */
#ifndef TOCSIN_FEEDER_H
#define TOCSIN_FEEDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Address space and descriptors it may have. */
#define FEEDER_MAX_BYTES (UINT64_C(1) << 30)
#define FEEDER_MAX_FILES 64

struct feeder {
	pid_t pid; /**< 0 = none */
	int out, err;
	char line[160]; /**< last line of its standard error */
};

/** Starts it; argv[0] is looked for in PATH. 0, or errno and nothing runs. */
int feeder_start(struct feeder *f, char *const argv[]);

/** Reads what it said; call now and then, and before feeder_end(). */
void feeder_listen(struct feeder *f);

/** Kills its whole process group, if it still runs. Its end is awaited by
 *  feeder_reap(). Safe on one that does not run. */
void feeder_end(struct feeder *f);

/** Has it ended by itself? Then *status is as of waitpid(), and feeder_end()
 *  need only close. */
bool feeder_ended(struct feeder *f, int *status);

/** Collects those that were killed; call now and then. */
void feeder_reap(void);

#endif
