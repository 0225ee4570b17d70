#include "log.h"

#include "clock.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum log_level max_level = LOG_LEVEL_INFO;
static bool to_journal;

void log_init(enum log_level max)
{
	max_level = max;
	to_journal = getenv("JOURNAL_STREAM") != NULL;
}

enum log_level log_level_by_name(const char *name)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERROR] = "error",   [LOG_LEVEL_WARN] = "warn",
		[LOG_LEVEL_NOTICE] = "notice", [LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};

	for (int i = LOG_LEVEL_ERROR; name && i <= LOG_LEVEL_DEBUG; i++)
		if (!strcmp(name, names[i]))
			return (enum log_level)i;
	return LOG_LEVEL_INFO;
}

static const char *word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARN:
		return "warning";
	case LOG_LEVEL_NOTICE:
		return "notice";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		break;
	}
	return "debug";
}

static void emit(enum log_level level, const char *fields, const char *suffix,
		 const char *fmt, va_list ap)
{
	char line[1024], text[768], time[CLOCK_TEXT_SIZE];
	int n;

	vsnprintf(text, sizeof(text), fmt, ap);
	if (to_journal)
		n = snprintf(line, sizeof(line), "<%d>", (int)level);
	else
		n = snprintf(line, sizeof(line),
			     "%s %s: ", clock_format(time, clock_wall_us()),
			     word(level));
	n += snprintf(line + n, sizeof(line) - (size_t)n, "%s%s%s%s%s", text,
		      suffix, fields ? " [" : "", fields ? fields : "",
		      fields ? "]" : "");
	if (n > (int)sizeof(line) - 1)
		n = sizeof(line) - 1;
	for (int i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n] = '\n';
	/* One write a line: lines of several threads do not mix. Nothing can
	 * be done about a stderr that is gone. */
	if (write(STDERR_FILENO, line, (size_t)n + 1) < 0)
		return;
}

void log_write(enum log_level level, const char *fields, const char *fmt, ...)
{
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	emit(level, fields, "", fmt, ap);
	va_end(ap);
}

void log_rated(struct log_rate *rate, enum log_level level, const char *fields,
	       const char *fmt, ...)
{
	uint64_t now = clock_mono_ms();
	char suffix[48] = "";
	va_list ap;

	if (level > max_level)
		return;
	if (now - rate->since_ms >= rate->per_ms || !rate->since_ms) {
		if (rate->held)
			snprintf(suffix, sizeof(suffix),
				 " (%u like it held back)", rate->held);
		rate->since_ms = now;
		rate->used = rate->held = 0;
	}
	if (rate->used >= rate->burst) {
		rate->held++;
		return;
	}
	rate->used++;
	va_start(ap, fmt);
	emit(level, fields, suffix, fmt, ap);
	va_end(ap);
}
