#include "syslog_text.h"

#include "controller/base/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/** RFC 5612 reserves it for what has no number of its own. */
#define SD_ID "tocsin@32473"

int syslog_severity(const struct event *e)
{
	switch (e->type) {
	case EVENT_ALARM_ACTIVE:
		return 1;
	case EVENT_FAULT_RAISED:
		return 3;
	default:
		return event_type_level(e->type);
	}
}

struct out {
	char *p;
	size_t n;
};

static void put(struct out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *fmt, ...)
{
	const size_t left = SYSLOG_MAX - o->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->p + o->n, left, fmt, ap);
	va_end(ap);
	o->n += (size_t)n < left ? (size_t)n : left - 1;
}

/** A field of the head: PRINTUSASCII, "-" when there is none. */
static void put_name(struct out *o, const char *s, size_t most)
{
	size_t n = 0;

	put(o, " ");
	for (; n < most && s[n]; n++)
		put(o, "%c", s[n] > ' ' && s[n] <= '~' ? s[n] : '_');
	if (!n)
		put(o, "-");
}

/** 6.3.3: these three are escaped. */
static void put_param(struct out *o, const char *name, const char *value)
{
	if (!*value)
		return;
	put(o, " %s=\"", name);
	for (; *value; value++)
		put(o, "%s%c", strchr("\"\\]", *value) ? "\\" : "", *value);
	put(o, "\"");
}

size_t syslog_write(char buf[SYSLOG_MAX], const struct syslog_from *from,
		    const struct event *e)
{
	struct out o = {buf, 0};
	char at[CLOCK_TEXT_SIZE], number[24];

	put(&o, "<%d>1 %s", from->facility * 8 + syslog_severity(e),
	    clock_format(at, e->wall_us));
	put_name(&o, from->host, 255);
	put(&o, " tocsind %ld", from->pid);
	put_name(&o, event_type_name(e->type), 32);
	put(&o, " [" SD_ID);
	snprintf(number, sizeof(number), "%" PRIu64, e->id);
	put_param(&o, "id", number);
	put_param(&o, "site", from->site);
	put_param(&o, "subject", e->subject);
	put_param(&o, "actor", e->actor);
	snprintf(number, sizeof(number), "%" PRIu64, e->cause);
	put_param(&o, "cause", e->cause ? number : "");
	/* With a BOM: the text is UTF-8. */
	put(&o, "] \xef\xbb\xbf%s", e->text);
	return o.n;
}
