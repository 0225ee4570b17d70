/**
 * The daemon put together: every part made in order, wired, reloaded and taken
 * down. One per process; everything here runs in the control thread.
 */
#ifndef TOCSIN_CONTROL_H
#define TOCSIN_CONTROL_H

#include "controller/base/reason.h"

#include <stdbool.h>

struct control;

/** Exit codes of tocsind (DESIGN 6.2). */
enum control_exit {
	CONTROL_STOPPED = 0,
	CONTROL_BAD_CONFIG = 1,
	CONTROL_CANNOT_START = 2,
	CONTROL_INTERNAL = 3,
};

/** Reads, checks and prints every error of a configuration, messages and all.
 *  @return CONTROL_STOPPED or CONTROL_BAD_CONFIG */
enum control_exit control_check(const char *path);

/**
 * Starts everything on the running libre instance.
 *
 * @param debug log all, whatever the configuration says
 * @return CONTROL_STOPPED on success; else the exit code, reasons logged
 */
enum control_exit control_alloc(struct control **cp, const char *path,
				bool debug);

/** Takes everything down in order. Returns NULL. */
struct control *control_free(struct control *c);

/** Begins to load the configuration anew (SIGHUP): in the background, then
 *  swapped as a whole or refused as a whole. */
void control_reload(struct control *c);

#endif
