/**
 * Where a calendar's text comes from: a file or a server, and the last good
 * copy. Functions here may wait for disk and network: any thread, but the
 * control thread only for source_read() and source_cached() at start.
 */
#ifndef TOCSIN_SOURCE_H
#define TOCSIN_SOURCE_H

#include "controller/config/config.h"
#include "controller/fetch.h"
#include "scheduler/calendar.h"

#include <stdbool.h>

/** What a source is; a copy of the configuration's, so that it outlives it. */
struct source {
	char *name, *ics, *url;
	char *cache; /**< the copy in state-dir */
	struct config_days *dates;
	size_t n_dates;
	/* of what was last taken: asked again only for what changed */
	int64_t mtime_ns, size;
	struct fetch_memory memory;
};

/** What came of it. */
struct source_result {
	struct calendar *calendar; /**< NULL = nothing new, or error */
	char error[512];           /**< what is wrong, with file:line; "" */
	size_t bad; /**< events left out; error names the first */
};

/** Copies; 0 or ENOMEM. */
int source_init(struct source *s, const struct config_calendar *c,
		const char *state_dir);

/** Frees what it holds. */
void source_reset(struct source *s);

/** Reads the file or asks the server (if_changed: nothing when it is as it
 *  was); a good one becomes the copy if `keep`. */
void source_read(struct source *s, bool if_changed, bool keep,
		 struct source_result *r);

/** From the last good copy; without one only the dates written in the
 *  configuration. */
void source_cached(struct source *s, struct source_result *r);

#endif
