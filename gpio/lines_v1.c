/* GPIO lines through libgpiod 1.6. */
#include "lines_common.h"

#include "controller/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line_in {
	struct gpiod_chip *chip;
	struct gpiod_line *line;
	struct tc_fd fd;
	struct line_watch watch;
};

struct line_out {
	struct gpiod_chip *chip;
	struct gpiod_line *line;
};

/** Finds chip and line by number or name; 0 or errno with the reason. */
static int find_line(const char *chip, const char *line,
		     struct gpiod_chip **chipp, struct gpiod_line **linep,
		     struct reason *why)
{
	struct gpiod_chip *c = gpiod_chip_open_lookup(chip);
	char *end;
	unsigned long offset = strtoul(line, &end, 10);
	struct gpiod_line *l;
	int err;

	if (!c)
		return reason_set(why, errno ? errno : ENOENT,
				  "GPIO chip %s: %s; gpiodetect lists the "
				  "chips",
				  chip, strerror(errno ? errno : ENOENT));
	errno = 0;
	l = *end ? gpiod_chip_find_line(c, line)
		 : gpiod_chip_get_line(c, (unsigned)offset);
	if (!l) {
		err = ENOENT;
		reason_set(why, err,
			   "GPIO chip %s has no line %s (%u lines); gpioinfo "
			   "lists them",
			   chip, line, gpiod_chip_num_lines(c));
		gpiod_chip_close(c);
		return err;
	}
	*chipp = c;
	*linep = l;
	return 0;
}

/** Why a request was refused, naming who holds the line. */
static int refused(struct gpiod_line *l, const char *chip, const char *line,
		   int err, struct reason *why)
{
	const char *who = gpiod_line_consumer(l);

	if (err == EBUSY)
		return reason_set(why, err,
				  "GPIO line %s:%s is held by \"%s\"; stop it "
				  "or choose another line",
				  chip, line, who ? who : "somebody unnamed");
	return reason_set(why, err, "GPIO line %s:%s cannot be used: %s", chip,
			  line, strerror(err));
}

/* ------------------------------------------------------------------- inputs */

static int read_level(void *arg)
{
	struct line_in *l = arg;

	return gpiod_line_get_value(l->line);
}

static void on_edges(int flags, void *arg)
{
	struct line_in *l = arg;
	struct gpiod_line_event ev[16];
	int n;

	(void)flags;
	n = gpiod_line_event_read_multiple(l->line, ev, 16);
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return;
		n = errno;
		tc_fd_close(&l->fd);
		line_watch_dead(&l->watch, n);
		return;
	}
	/* Timestamps are the kernel's, on CLOCK_MONOTONIC since Linux 5.7. */
	for (int i = 0; i < n && !l->watch.dead; i++)
		line_watch_edge(&l->watch,
				ev[i].event_type ==
					GPIOD_LINE_EVENT_RISING_EDGE,
				(uint64_t)ev[i].ts.tv_sec * 1000000 +
					(uint64_t)ev[i].ts.tv_nsec / 1000);
}

int line_in_alloc(struct line_in **lp, const char *chip, const char *line,
		  bool active_low, uint32_t debounce_ms, line_in_h *h,
		  void *arg, struct reason *why)
{
	struct line_in *l = calloc(1, sizeof(*l));
	int err, fd;

	if (!l)
		return reason_set(why, ENOMEM, "not enough memory");
	l->fd.fd = -1;
	err = find_line(chip, line, &l->chip, &l->line, why);
	if (err)
		goto out;
	if (gpiod_line_request_both_edges_events_flags(
		    l->line, LINES_CONSUMER,
		    active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0)) {
		err = refused(l->line, chip, line, errno, why);
		goto out;
	}
	fd = gpiod_line_event_get_fd(l->line);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	err = tc_fd_listen(&l->fd, fd, FD_READ, on_edges, l);
	if (err) {
		reason_set(why, err, "GPIO line %s:%s: %s", chip, line,
			   strerror(err));
		goto out;
	}
	line_watch_start(&l->watch, debounce_ms, read_level, l, h, arg);
out:
	if (err)
		line_in_free(l);
	else
		*lp = l;
	return err;
}

struct line_in *line_in_free(struct line_in *l)
{
	if (!l)
		return NULL;
	line_watch_stop(&l->watch);
	if (l->fd.fd >= 0)
		tc_fd_close(&l->fd);
	if (l->chip)
		gpiod_chip_close(l->chip);
	free(l);
	return NULL;
}

/* ------------------------------------------------------------------ outputs */

int line_out_alloc(struct line_out **lp, const char *chip, const char *line,
		   bool active_low, bool level, struct reason *why)
{
	struct line_out *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return reason_set(why, ENOMEM, "not enough memory");
	err = find_line(chip, line, &l->chip, &l->line, why);
	if (!err &&
	    gpiod_line_request_output_flags(
		    l->line, LINES_CONSUMER,
		    active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0, level))
		err = refused(l->line, chip, line, errno, why);
	if (err) {
		if (l->chip)
			gpiod_chip_close(l->chip);
		free(l);
		return err;
	}
	*lp = l;
	return 0;
}

int line_out_set(struct line_out *l, bool level)
{
	return gpiod_line_set_value(l->line, level) ? errno : 0;
}

struct line_out *line_out_free(struct line_out *l)
{
	if (!l)
		return NULL;
	gpiod_line_set_value(l->line, 0);
	gpiod_chip_close(l->chip);
	free(l);
	return NULL;
}
