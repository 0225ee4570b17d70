/* What lines_v1.c and lines_v2.c say in the same words. */
#include "line_request.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int line_offset(const char *line)
{
	unsigned long v;
	char *end;

	if (*line < '0' || *line > '9')
		return -1;
	errno = 0;
	v = strtoul(line, &end, 10);
	return *end || errno || v > INT_MAX ? -1 : (int)v;
}

int line_why_chip(struct reason *why, int err, const char *chip)
{
	char there[128] = "";
	glob_t g;

	if (err == EACCES || err == EPERM)
		return reason_set(why, err,
				  "GPIO chip %s: %s: put tocsin into the group "
				  "that owns it (gpio)",
				  chip, strerror(err));
	if (!glob("/dev/gpiochip*", 0, NULL, &g)) {
		for (size_t i = 0; i < g.gl_pathc; i++) {
			size_t at = strlen(there);

			snprintf(there + at, sizeof(there) - at, "%s%s",
				 i ? ", " : "",
				 g.gl_pathv[i] + strlen("/dev/"));
		}
	}
	globfree(&g);
	return reason_set(why, err, "GPIO chip %s: %s; this machine has %s",
			  chip, strerror(err), *there ? there : "none");
}

int line_why_missing(struct reason *why, const char *chip, unsigned n_lines,
		     const char *line)
{
	return reason_set(why, ENOENT,
			  "GPIO chip %s has no line %s: use 0 to %u, or the "
			  "name of a line (gpioinfo shows them)",
			  chip, line, n_lines ? n_lines - 1 : 0);
}

int line_why_refused(struct reason *why, int err, const char *chip,
		     const char *line, const char *consumer)
{
	if (err != EBUSY)
		return reason_set(why, err, "GPIO line %s:%s: %s", chip, line,
				  strerror(err));
	if (!consumer || !*consumer)
		return reason_set(why, err,
				  "GPIO line %s:%s is in use by another "
				  "program or by the kernel",
				  chip, line);
	return reason_set(why, err,
			  "GPIO line %s:%s is in use by \"%s\": end that, or "
			  "use another line",
			  chip, line, consumer);
}
