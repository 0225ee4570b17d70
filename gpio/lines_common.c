#include "lines_common.h"

#include "controller/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void on_settle(void *arg);

static void tell(struct line_watch *w, uint64_t at_us)
{
	w->h(w->debounce.stable, at_us, 0, "", w->arg);
}

/** Arms the settling timer when something has yet to settle. */
static void arm(struct line_watch *w, uint64_t now_us)
{
	uint64_t next;

	if (debounce_wait(&w->debounce, now_us, &next)) {
		tell(w, now_us);
		return;
	}
	if (next)
		tmr_start(&w->settle, (next - now_us + 999) / 1000, on_settle,
			  w);
}

static void on_settle(void *arg)
{
	struct line_watch *w = arg;

	arm(w, clock_mono_us());
}

void line_watch_dead(struct line_watch *w, int err)
{
	char why[128];

	if (w->dead)
		return;
	w->dead = true;
	tmr_cancel(&w->settle);
	tmr_cancel(&w->again);
	snprintf(why, sizeof(why), "the line cannot be read any more: %s",
		 strerror(err));
	w->h(w->debounce.stable, clock_mono_us(), err ? err : EIO, why, w->arg);
}

void line_watch_edge(struct line_watch *w, bool level, uint64_t at_us)
{
	if (w->dead)
		return;
	if (debounce_see(&w->debounce, level, at_us))
		tell(w, at_us);
	else
		arm(w, clock_mono_us());
}

static void on_again(void *arg)
{
	struct line_watch *w = arg;
	int level = w->read(w->line);

	if (level < 0) {
		line_watch_dead(w, errno);
		return;
	}
	tmr_start(&w->again, LINES_READ_MS, on_again, w);
	line_watch_edge(w, level, clock_mono_us());
}

void line_watch_start(struct line_watch *w, uint32_t debounce_ms,
		      line_read_h *read, void *line, line_in_h *h, void *arg)
{
	memset(w, 0, sizeof(*w));
	debounce_init(&w->debounce, debounce_ms);
	tmr_init(&w->settle);
	tmr_init(&w->again);
	w->read = read;
	w->line = line;
	w->h = h;
	w->arg = arg;
	tmr_start(&w->again, 0, on_again, w);
}

void line_watch_stop(struct line_watch *w)
{
	w->dead = true;
	tmr_cancel(&w->settle);
	tmr_cancel(&w->again);
}
