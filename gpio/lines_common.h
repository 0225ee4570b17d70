/**
 * What both libgpiod implementations share: settling, reading again, telling.
 */
#ifndef TOCSIN_LINES_COMMON_H
#define TOCSIN_LINES_COMMON_H

#include "controller/base/compat.h"
#include "debounce.h"
#include "lines.h"

/** A level is read again this often: no lost edge leaves an input stuck. */
#define LINES_READ_MS 1000
#define LINES_CONSUMER "tocsin"

/** Reads the level now: 0, 1 or -1 with errno. */
typedef int(line_read_h)(void *arg);

struct line_watch {
	struct debounce debounce;
	struct tmr settle, again;
	line_read_h *read;
	void *line;
	line_in_h *h;
	void *arg;
	bool dead;
};

/** Begins: the first level is told from the loop. */
void line_watch_start(struct line_watch *w, uint32_t debounce_ms,
		      line_read_h *read, void *line, line_in_h *h, void *arg);

/** An edge came: the level after it, and when. */
void line_watch_edge(struct line_watch *w, bool level, uint64_t at_us);

/** The line cannot be read any more: told once. */
void line_watch_dead(struct line_watch *w, int err);

void line_watch_stop(struct line_watch *w);

#endif
