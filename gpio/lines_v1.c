/* line_request.h with libgpiod 1.6. It needs a kernel with the first GPIO
 * character device ABI (CONFIG_GPIO_CDEV_V1). */
#include "line_request.h"

#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <stdlib.h>

struct line_request {
	struct gpiod_chip *chip;
	struct gpiod_line *line;
	int fd; /**< of the edges */
};

static int find(struct line_request *r, const char *chip, const char *line,
		struct reason *why)
{
	int offset = line_offset(line);

	r->chip = gpiod_chip_open_lookup(chip);
	if (!r->chip)
		return line_why_chip(why, errno ? errno : ENOENT, chip);
	if (offset < 0)
		r->line = gpiod_chip_find_line(r->chip, line);
	else if ((unsigned)offset < gpiod_chip_num_lines(r->chip))
		r->line = gpiod_chip_get_line(r->chip, (unsigned)offset);
	else
		errno = ENOENT;
	if (r->line)
		return 0;
	if (errno == EINVAL || errno == ENOTTY)
		return reason_set(why, errno,
				  "GPIO chip %s: the kernel lacks "
				  "CONFIG_GPIO_CDEV_V1, which libgpiod 1.6 "
				  "needs; build with libgpiod 2",
				  chip);
	return line_why_missing(why, chip, gpiod_chip_num_lines(r->chip), line);
}

static int request(struct line_request **rp, const char *chip, const char *line,
		   int type, int flags, bool level, struct reason *why)
{
	struct gpiod_line_request_config config = {
		.consumer = LINE_CONSUMER,
		.request_type = type,
		.flags = flags,
	};
	struct line_request *r = calloc(1, sizeof(*r));
	const char *consumer = NULL;
	int err;

	if (!r)
		return reason_set(why, ENOMEM, "out of memory");
	r->fd = -1;
	err = find(r, chip, line, why);
	if (!err && gpiod_line_request(r->line, &config, level)) {
		err = errno;
		/* What it knew of the line may be older than the holder. */
		if (!gpiod_line_update(r->line))
			consumer = gpiod_line_consumer(r->line);
		line_why_refused(why, err, chip, line, consumer);
	}
	if (err)
		line_request_free(r);
	else
		*rp = r;
	return err;
}

static int low_flag(bool active_low)
{
	return active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
}

int line_request_input(struct line_request **rp,
		       const struct line_in_spec *spec, uint64_t *debounce_us,
		       struct reason *why)
{
	static const int bias[] = {
		[LINE_AS_IS] = 0,
		[LINE_PULL_UP] = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP,
		[LINE_PULL_DOWN] = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN,
		[LINE_NO_PULL] = GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE,
	};
	struct line_request *r = NULL;
	int err;

	(void)debounce_us; /* all of it is ours: 1.6 asks no kernel for it */
	err = request(
		&r, spec->chip, spec->line, GPIOD_LINE_REQUEST_EVENT_BOTH_EDGES,
		low_flag(spec->active_low) | bias[spec->bias], false, why);
	if (err)
		return err;
	r->fd = gpiod_line_event_get_fd(r->line);
	if (r->fd < 0 || fcntl(r->fd, F_SETFL, O_NONBLOCK)) {
		err = line_why_refused(why, errno, spec->chip, spec->line,
				       NULL);
		line_request_free(r);
		return err;
	}
	*rp = r;
	return 0;
}

int line_request_output(struct line_request **rp, const char *chip,
			const char *line, bool active_low, bool level,
			struct reason *why)
{
	return request(rp, chip, line, GPIOD_LINE_REQUEST_DIRECTION_OUTPUT,
		       low_flag(active_low), level, why);
}

int line_request_fd(const struct line_request *r)
{
	return r->fd;
}

int line_request_get(struct line_request *r, bool *level)
{
	int v = gpiod_line_get_value(r->line);

	if (v < 0)
		return errno;
	*level = v;
	return 0;
}

int line_request_set(struct line_request *r, bool level)
{
	return gpiod_line_set_value(r->line, level) ? errno : 0;
}

int line_request_edges(struct line_request *r, struct line_edge *e, size_t *n)
{
	struct gpiod_line_event ev[LINE_EDGES];
	int got = gpiod_line_event_read_fd_multiple(r->fd, ev, LINE_EDGES);

	*n = 0;
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : errno;
	for (int i = 0; i < got; i++) {
		e[i].level = ev[i].event_type == GPIOD_LINE_EVENT_RISING_EDGE;
		e[i].at_us = (uint64_t)ev[i].ts.tv_sec * 1000000 +
			     (uint64_t)ev[i].ts.tv_nsec / 1000;
	}
	*n = (size_t)got;
	return 0;
}

struct line_request *line_request_free(struct line_request *r)
{
	if (!r)
		return NULL;
	/* Gives back the line as well. */
	if (r->chip)
		gpiod_chip_close(r->chip);
	free(r);
	return NULL;
}
