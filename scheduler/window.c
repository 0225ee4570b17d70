#include "window.h"

#include "civil.h"
#include "civil_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY 86400
#define ALL_DAYS 0x7f
/** Longest name of a type. */
#define MAX_TYPE 63

static int bad(struct reason *why, const char *text)
{
	return reason_set(why, EINVAL, "\"%.60s\": allowed: %s", text,
			  WINDOW_ALLOWED);
}

/** "exam, holiday" as "exam,holiday". */
static bool read_types(struct window *w, const char *p)
{
	size_t n = 0;

	while (*p) {
		const size_t len = strcspn(p, ", ");

		if (!len || len > MAX_TYPE || n + len + 2 > sizeof(w->types))
			return false;
		for (size_t i = 0; i < len; i++)
			if (!isalnum((unsigned char)p[i]) &&
			    !strchr("._-", p[i]))
				return false;
		if (n)
			w->types[n++] = ',';
		memcpy(w->types + n, p, len);
		n += len;
		w->types[n] = '\0';
		p += len;
		p += strspn(p, " ");
		if (!*p)
			break;
		if (*p++ != ',')
			return false;
		p += strspn(p, " ");
		if (!*p)
			return false;
	}
	return n;
}

/** "22:00-06:00", "08:00-24:00". */
static const char *read_times(struct window *w, const char *p)
{
	p = civil_read_clock(p, &w->from);
	if (!p || *p != '-')
		return NULL;
	p++;
	if (!strncmp(p, "24:00", 5)) {
		w->to = DAY;
		return p + 5;
	}
	p = civil_read_clock(p, &w->to);
	if (p && w->to <= w->from)
		w->to += DAY;
	return p;
}

/** Where weekdays at p end, p itself when there are none. */
static const char *days_end(const char *p)
{
	const char *end = p;

	if (!strncmp(p, "on ", 3))
		return p;
	while (isalpha((unsigned char)*end) || *end == '-' || *end == ',' ||
	       *end == ' ') {
		if (!strncmp(end, " on ", 4))
			break;
		end++;
	}
	while (end > p && end[-1] == ' ')
		end--;
	return end;
}

int window_parse(struct window *w, const char *text, struct reason *why)
{
	const char *p = text + strspn(text, " "), *end = days_end(p);

	*w = (struct window){.days = ALL_DAYS, .to = DAY};
	if (!*p)
		return bad(why, text);
	if (end > p) {
		if (!civil_read_weekdays(p, (size_t)(end - p), &w->days))
			return bad(why, text);
		p = end + strspn(end, " ");
	}
	if (isdigit((unsigned char)*p)) {
		p = read_times(w, p);
		if (!p || (*p && *p != ' '))
			return bad(why, text);
		p += strspn(p, " ");
	}
	if (!strncmp(p, "on ", 3)) {
		p += 3;
		p += strspn(p, " ");
		if (!read_types(w, p))
			return bad(why, text);
		p = "";
	}
	return *p ? bad(why, text) : 0;
}

static int clock_text(char *buf, size_t size, int32_t s)
{
	/* The end of the day is 24:00, not the begin of it. */
	const int32_t t = s > DAY ? s - DAY : s;
	int n = snprintf(buf, size, "%02d:%02d", t / 3600, t / 60 % 60);

	if (t % 60)
		n += snprintf(buf + n, size - (size_t)n, ":%02d", t % 60);
	return n;
}

char *window_text(char buf[WINDOW_TEXT], const struct window *w)
{
	const bool whole = !w->from && w->to == DAY;
	char days[CIVIL_WEEKDAYS_TEXT], from[16], to[16];
	size_t n = 0;

	buf[0] = '\0';
	if (w->days != ALL_DAYS || (whole && !*w->types))
		n += (size_t)snprintf(buf, WINDOW_TEXT, "%s",
				      civil_weekdays_text(days, w->days));
	if (!whole) {
		clock_text(from, sizeof(from), w->from);
		clock_text(to, sizeof(to), w->to);
		n += (size_t)snprintf(buf + n, WINDOW_TEXT - n, "%s%s-%s",
				      n ? " " : "", from, to);
	}
	if (*w->types)
		snprintf(buf + n, WINDOW_TEXT - n, "%son %s", n ? " " : "",
			 w->types);
	return buf;
}

/* ------------------------------------------------------------------- times */

static bool has_type(const struct window *w, const char *type)
{
	const size_t len = strlen(type);
	const char *p = w->types;

	while (*p) {
		const size_t n = strcspn(p, ",");

		if (n == len && !memcmp(p, type, n))
			return true;
		p += n + (p[n] == ',');
	}
	return !*w->types;
}

bool window_types(const struct window *w,
		  bool (*h)(const char *type, void *arg), void *arg)
{
	const char *p = w->types;

	while (*p) {
		const size_t n = strcspn(p, ",");
		char type[MAX_TYPE + 1];

		snprintf(type, sizeof(type), "%.*s", (int)n, p);
		if (!h(type, arg))
			return false;
		p += n + (p[n] == ',');
	}
	return true;
}

static struct window_span span_on(const struct window *w, const struct tz *tz,
				  int64_t day)
{
	int64_t begin[2], end[2];

	tz_utc(tz, day * CIVIL_DAY + w->from, begin);
	tz_utc(tz, day * CIVIL_DAY + w->to, end);
	return (struct window_span){begin[0], end[0]};
}

bool window_covers(const struct window *w, const struct tz *tz, int64_t utc,
		   window_type_h *type, void *arg, struct window_span *span)
{
	const int64_t today = civil_day_of(tz_local(tz, utc));

	/* One of yesterday may still go on; and where clocks are put back over
	 * midnight, the first one of tomorrow has begun. */
	for (int64_t day = today - 1; day <= today + 1; day++) {
		const struct window_span s = span_on(w, tz, day);

		if (!(w->days >> civil_weekday(day) & 1) || utc < s.begin ||
		    utc >= s.end ||
		    !has_type(w, type ? type(day, arg) : "normal"))
			continue;
		if (span)
			*span = s;
		return true;
	}
	return false;
}

int window_find(const struct window *v, size_t n, const struct tz *tz,
		int64_t utc, window_type_h *type, void *arg,
		struct window_span *span)
{
	for (size_t i = 0; i < n; i++)
		if (window_covers(&v[i], tz, utc, type, arg, span))
			return (int)i;
	return -1;
}

int64_t window_change(const struct window *v, size_t n, const struct tz *tz,
		      int64_t utc)
{
	const int64_t today = civil_day_of(tz_local(tz, utc));
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < n; i++)
		for (int64_t day = today - 1; day <= today + 8; day++) {
			const struct window_span s = span_on(&v[i], tz, day);

			if (!(v[i].days >> civil_weekday(day) & 1))
				continue;
			if (s.begin > utc && s.begin < next)
				next = s.begin;
			if (s.end > utc && s.end < next)
				next = s.end;
		}
	return next;
}

static bool any_common(const char *type, void *arg)
{
	return !has_type(arg, type);
}

static bool types_meet(const struct window *a, const struct window *b)
{
	return !*a->types || !*b->types ||
	       !window_types(a, any_common, (void *)(uintptr_t)b);
}

/** Does a, begun on some day, meet b begun `later` days after it? */
static bool meets(const struct window *a, const struct window *b, int later)
{
	const int32_t shift = later * DAY;

	if (a->from >= b->to + shift || b->from + shift >= a->to)
		return false;
	for (int i = 0; i < 7; i++)
		if (a->days >> i & 1 && b->days >> ((i + later) % 7) & 1)
			return true;
	return false;
}

bool window_overlap(const struct window *a, const struct window *b)
{
	/* Of what began on different days, both types can be. */
	return (meets(a, b, 0) && types_meet(a, b)) || meets(a, b, 1) ||
	       meets(b, a, 1);
}
