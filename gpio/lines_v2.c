/* line_request.h with libgpiod 2.x. */
#include "line_request.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <gpiod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line_request {
	struct gpiod_line_request *req;
	struct gpiod_edge_event_buffer *edges;
	unsigned offset;
};

/* The chip with this label, NULL when there is none. */
static struct gpiod_chip *open_label(const char *label)
{
	struct gpiod_chip *chip = NULL;
	glob_t g;

	if (glob("/dev/gpiochip*", 0, NULL, &g)) {
		globfree(&g);
		errno = ENOENT;
		return NULL;
	}
	for (size_t i = 0; i < g.gl_pathc && !chip; i++) {
		struct gpiod_chip_info *info;

		chip = gpiod_chip_open(g.gl_pathv[i]);
		info = chip ? gpiod_chip_get_info(chip) : NULL;
		if (!info || strcmp(gpiod_chip_info_get_label(info), label)) {
			if (chip)
				gpiod_chip_close(chip);
			chip = NULL;
		}
		if (info)
			gpiod_chip_info_free(info);
	}
	globfree(&g);
	if (!chip)
		errno = ENOENT;
	return chip;
}

static struct gpiod_chip *open_chip(const char *name)
{
	char path[256];

	if (*name == '/')
		return gpiod_chip_open(name);
	snprintf(path, sizeof(path), "/dev/%s", name);
	return gpiod_is_gpiochip_device(path) ? gpiod_chip_open(path)
					      : open_label(name);
}

static int find(struct gpiod_chip *chip, const char *name, const char *line,
		unsigned *offset, struct reason *why)
{
	struct gpiod_chip_info *info = gpiod_chip_get_info(chip);
	int n = line_offset(line), err = 0;
	unsigned n_lines;

	if (!info)
		return line_why_chip(why, errno, name);
	n_lines = (unsigned)gpiod_chip_info_get_num_lines(info);
	gpiod_chip_info_free(info);
	/* A line without a name is called "" here. */
	if (n < 0 && *line)
		n = gpiod_chip_get_line_offset_from_name(chip, line);
	if (n < 0 || (unsigned)n >= n_lines)
		err = line_why_missing(why, name, n_lines, line);
	*offset = (unsigned)n;
	return err;
}

/* Says who holds the line, when the kernel knows. */
static int refused(struct gpiod_chip *chip, unsigned offset, int err,
		   const char *name, const char *line, struct reason *why)
{
	struct gpiod_line_info *info = gpiod_chip_get_line_info(chip, offset);

	line_why_refused(why, err, name, line,
			 info ? gpiod_line_info_get_consumer(info) : NULL);
	if (info)
		gpiod_line_info_free(info);
	return err;
}

/* Takes the line with these settings; 0 or errno, told by refused(). */
static int take(struct line_request *r, struct gpiod_chip *chip,
		struct gpiod_line_settings *settings)
{
	struct gpiod_request_config *rc = gpiod_request_config_new();
	struct gpiod_line_config *lc = gpiod_line_config_new();
	int err = rc && lc ? 0 : ENOMEM;

	if (!err) {
		gpiod_request_config_set_consumer(rc, LINE_CONSUMER);
		gpiod_request_config_set_event_buffer_size(rc, LINE_EDGES);
		if (gpiod_line_config_add_line_settings(lc, &r->offset, 1,
							settings))
			err = errno;
	}
	if (!err) {
		r->req = gpiod_chip_request_lines(chip, rc, lc);
		if (!r->req)
			err = errno;
	}
	if (rc)
		gpiod_request_config_free(rc);
	if (lc)
		gpiod_line_config_free(lc);
	return err;
}

static int request(struct line_request **rp, const char *chip_name,
		   const char *line, struct gpiod_line_settings *settings,
		   struct reason *why)
{
	struct line_request *r = calloc(1, sizeof(*r));
	struct gpiod_chip *chip;
	int err;

	if (!r || !settings) {
		free(r);
		return reason_set(why, ENOMEM, "out of memory");
	}
	chip = open_chip(chip_name);
	if (!chip) {
		err = line_why_chip(why, errno, chip_name);
		free(r);
		return err;
	}
	err = find(chip, chip_name, line, &r->offset, why);
	if (!err) {
		err = take(r, chip, settings);
		if (err)
			refused(chip, r->offset, err, chip_name, line, why);
	}
	/* The request lives without it. */
	gpiod_chip_close(chip);
	if (err)
		line_request_free(r);
	else
		*rp = r;
	return err;
}

int line_request_input(struct line_request **rp,
		       const struct line_in_spec *spec, uint64_t *debounce_us,
		       struct reason *why)
{
	static const enum gpiod_line_bias bias[] = {
		[LINE_AS_IS] = GPIOD_LINE_BIAS_AS_IS,
		[LINE_PULL_UP] = GPIOD_LINE_BIAS_PULL_UP,
		[LINE_PULL_DOWN] = GPIOD_LINE_BIAS_PULL_DOWN,
		[LINE_NO_PULL] = GPIOD_LINE_BIAS_DISABLED,
	};
	struct gpiod_line_settings *s = gpiod_line_settings_new();
	struct line_request *r = NULL;
	int err, fd;

	if (s) {
		gpiod_line_settings_set_direction(s,
						  GPIOD_LINE_DIRECTION_INPUT);
		gpiod_line_settings_set_edge_detection(s, GPIOD_LINE_EDGE_BOTH);
		gpiod_line_settings_set_event_clock(s,
						    GPIOD_LINE_CLOCK_MONOTONIC);
		gpiod_line_settings_set_active_low(s, spec->active_low);
		gpiod_line_settings_set_bias(s, bias[spec->bias]);
		if (*debounce_us <= UINT32_MAX)
			gpiod_line_settings_set_debounce_period_us(
				s, (unsigned long)*debounce_us);
	}
	err = request(&r, spec->chip, spec->line, s, why);
	if (s)
		gpiod_line_settings_free(s);
	if (err)
		return err;
	if (*debounce_us <= UINT32_MAX)
		*debounce_us = 0;
	r->edges = gpiod_edge_event_buffer_new(LINE_EDGES);
	fd = gpiod_line_request_get_fd(r->req);
	if (!r->edges || fcntl(fd, F_SETFL, O_NONBLOCK)) {
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
	struct gpiod_line_settings *s = gpiod_line_settings_new();
	int err;

	if (s) {
		gpiod_line_settings_set_direction(s,
						  GPIOD_LINE_DIRECTION_OUTPUT);
		gpiod_line_settings_set_active_low(s, active_low);
		gpiod_line_settings_set_output_value(
			s, level ? GPIOD_LINE_VALUE_ACTIVE
				 : GPIOD_LINE_VALUE_INACTIVE);
	}
	err = request(rp, chip, line, s, why);
	if (s)
		gpiod_line_settings_free(s);
	return err;
}

int line_request_fd(const struct line_request *r)
{
	return gpiod_line_request_get_fd(r->req);
}

int line_request_get(struct line_request *r, bool *level)
{
	enum gpiod_line_value v =
		gpiod_line_request_get_value(r->req, r->offset);

	if (v == GPIOD_LINE_VALUE_ERROR)
		return errno;
	*level = v == GPIOD_LINE_VALUE_ACTIVE;
	return 0;
}

int line_request_set(struct line_request *r, bool level)
{
	return gpiod_line_request_set_value(r->req, r->offset,
					    level ? GPIOD_LINE_VALUE_ACTIVE
						  : GPIOD_LINE_VALUE_INACTIVE)
		       ? errno
		       : 0;
}

int line_request_edges(struct line_request *r, struct line_edge *e, size_t *n)
{
	int got = gpiod_line_request_read_edge_events(r->req, r->edges,
						      LINE_EDGES);

	*n = 0;
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : errno;
	for (int i = 0; i < got; i++) {
		struct gpiod_edge_event *ev = gpiod_edge_event_buffer_get_event(
			r->edges, (unsigned long)i);

		e[i].level = gpiod_edge_event_get_event_type(ev) ==
			     GPIOD_EDGE_EVENT_RISING_EDGE;
		e[i].at_us = gpiod_edge_event_get_timestamp_ns(ev) / 1000;
	}
	*n = (size_t)got;
	return 0;
}

struct line_request *line_request_free(struct line_request *r)
{
	if (!r)
		return NULL;
	if (r->edges)
		gpiod_edge_event_buffer_free(r->edges);
	if (r->req)
		gpiod_line_request_release(r->req);
	free(r);
	return NULL;
}
