#include "lines.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "debounce.h"
#include "line_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/** A lost edge is made good after this long. */
#define REREAD_MS 1000
/** A kernel time further off is not CLOCK_MONOTONIC (Linux before 5.7). */
#define EDGE_AGE_MAX_US 60000000

struct line_in {
	struct line_request *req; /**< NULL: failed or freed */
	struct tc_fd fd;
	struct tmr first;  /**< hands out the first level */
	struct tmr reread; /**< reads the level again */
	struct tmr settle; /**< a level has held then */
	struct debounce debounce;
	bool told; /**< of the first level */
	char *chip, *line;
	line_in_h *h;
	void *arg;
};

static void stop(struct line_in *l)
{
	tmr_cancel(&l->first);
	tmr_cancel(&l->reread);
	tmr_cancel(&l->settle);
	tc_fd_close(&l->fd);
	l->req = line_request_free(l->req);
}

static void destructor(void *arg)
{
	struct line_in *l = arg;

	stop(l);
	free(l->chip);
	free(l->line);
}

/* The owner may free the line in its handler: whoever calls one of these holds
 * a reference and looks at l->req afterwards. */
static void tell(struct line_in *l)
{
	l->told = true;
	l->h(l->debounce.level, l->debounce.level_us, 0, NULL, l->arg);
}

static void fail(struct line_in *l, int err)
{
	struct reason why;

	reason_set(&why, err, "GPIO line %s:%s cannot be read any more: %s",
		   l->chip, l->line,
		   err == ENODEV || err == ENXIO ? "its chip is gone"
						 : strerror(err));
	stop(l);
	l->h(l->debounce.level, clock_mono_us(), err, why.text, l->arg);
}

static void on_settle(void *arg);

static void wait_to_settle(struct line_in *l)
{
	uint64_t due = debounce_due(&l->debounce), now = clock_mono_us();

	if (due)
		tmr_start(&l->settle, now < due ? (due - now + 999) / 1000 : 0,
			  on_settle, l);
	else
		tmr_cancel(&l->settle);
}

/* Tells of a level that has held until at_us. */
static void settle(struct line_in *l, uint64_t at_us)
{
	if (debounce_settle(&l->debounce, at_us))
		tell(l);
}

/* Takes all edges that wait. Returns whether some may have been lost. */
static bool take_edges(struct line_in *l)
{
	bool lost = false;
	size_t n;

	do {
		struct line_edge e[LINE_EDGES];
		int err = line_request_edges(l->req, e, &n);

		if (err) {
			fail(l, err);
			return false;
		}
		for (size_t i = 0; i < n && l->req; i++) {
			uint64_t now = clock_mono_us(), at = e[i].at_us;

			if (at > now || now - at > EDGE_AGE_MAX_US)
				at = now;
			settle(l, at);
			if (!l->req)
				return false;
			debounce_edge(&l->debounce, e[i].level, at);
			settle(l, at); /* at once without debouncing */
		}
		/* The kernel's buffer was full: it drops edges then. */
		lost = lost || n == LINE_EDGES;
	} while (l->req && n == LINE_EDGES);
	return lost;
}

static void read_level(struct line_in *l)
{
	bool level;
	int err = line_request_get(l->req, &level);

	if (err) {
		fail(l, err);
		return;
	}
	debounce_reading(&l->debounce, level, clock_mono_us());
	settle(l, clock_mono_us());
}

static void on_first(void *arg)
{
	struct line_in *l = arg;

	if (!l->told)
		tell(l);
}

static void on_edges(int flags, void *arg)
{
	struct line_in *l = mem_ref(arg);

	if (l->req && !l->told)
		tell(l);
	/* A reading says what an exception means: an error of its own, or
	 * nothing to read. */
	if (l->req && (take_edges(l) || flags & FD_EXCEPT) && l->req)
		read_level(l);
	/* One that lasts would spin. */
	if (l->req && flags & FD_EXCEPT)
		fail(l, ENODEV);
	if (l->req)
		wait_to_settle(l);
	mem_deref(l);
}

static void on_reread(void *arg)
{
	struct line_in *l = mem_ref(arg);

	tmr_start(&l->reread, REREAD_MS, on_reread, l);
	if (!l->told)
		tell(l);
	/* Edges first: they know when it was. */
	if (l->req)
		take_edges(l);
	if (l->req)
		read_level(l);
	if (l->req)
		wait_to_settle(l);
	mem_deref(l);
}

static void on_settle(void *arg)
{
	struct line_in *l = mem_ref(arg);

	/* An edge that waits to be read means that it has not held. */
	take_edges(l);
	if (l->req)
		settle(l, clock_mono_us());
	if (l->req)
		wait_to_settle(l);
	mem_deref(l);
}

int line_in_alloc(struct line_in **lp, const struct line_in_spec *spec,
		  line_in_h *h, void *arg, struct reason *why)
{
	uint64_t debounce_us;
	struct line_in *l;
	bool level;
	int err;

	if (!lp || !spec || !spec->chip || !spec->line || !h)
		return reason_set(why, EINVAL, "GPIO line: nothing given");
	l = mem_zalloc(sizeof(*l), destructor);
	if (!l)
		return reason_set(why, ENOMEM, "out of memory");
	l->fd.fd = -1;
	l->h = h;
	l->arg = arg;
	l->chip = strdup(spec->chip);
	l->line = strdup(spec->line);
	debounce_us = spec->debounce_ms * UINT64_C(1000);
	if (!l->chip || !l->line) {
		err = reason_set(why, ENOMEM, "out of memory");
		goto out;
	}
	err = line_request_input(&l->req, spec, &debounce_us, why);
	if (err)
		goto out;
	err = line_request_get(l->req, &level);
	if (!err)
		err = tc_fd_listen(&l->fd, line_request_fd(l->req),
				   FD_READ | FD_EXCEPT, on_edges, l);
	if (err) {
		line_why_refused(why, err, spec->chip, spec->line, NULL);
		goto out;
	}
	debounce_init(&l->debounce, debounce_us, level, clock_mono_us());
	tmr_start(&l->first, 0, on_first, l);
	tmr_start(&l->reread, REREAD_MS, on_reread, l);

out:
	if (err)
		mem_deref(l);
	else
		*lp = l;
	return err;
}

uint32_t line_in_glitches(const struct line_in *l)
{
	return l->debounce.glitches;
}

struct line_in *line_in_free(struct line_in *l)
{
	if (!l)
		return NULL;
	stop(l);
	mem_deref(l);
	return NULL;
}

/* ------------------------------------------------------------------ output */

struct line_out {
	struct line_request *req;
};

int line_out_alloc(struct line_out **lp, const char *chip, const char *line,
		   bool active_low, bool level, struct reason *why)
{
	struct line_out *l;
	int err;

	if (!lp || !chip || !line)
		return reason_set(why, EINVAL, "GPIO line: nothing given");
	l = calloc(1, sizeof(*l));
	if (!l)
		return reason_set(why, ENOMEM, "out of memory");
	err = line_request_output(&l->req, chip, line, active_low, level, why);
	if (err)
		free(l);
	else
		*lp = l;
	return err;
}

int line_out_set(struct line_out *l, bool level)
{
	return l ? line_request_set(l->req, level) : EINVAL;
}

struct line_out *line_out_leave(struct line_out *l, bool level)
{
	if (!l)
		return NULL;
	(void)line_request_set(l->req, level);
	line_request_free(l->req);
	free(l);
	return NULL;
}

struct line_out *line_out_free(struct line_out *l)
{
	return line_out_leave(l, false);
}
