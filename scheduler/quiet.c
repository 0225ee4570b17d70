#include "quiet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** "-12dB", "-12.5dB" as centibels. */
static bool read_volume(const char *p, int16_t *cb)
{
	char *end;
	double db;

	if (strspn(p, "+-0123456789.") + 2 != strlen(p))
		return false;
	db = strtod(p, &end);
	if (end == p || strcmp(end, "dB") || !(db * 10 >= QUIET_MIN_CB) ||
	    !(db * 10 <= QUIET_MAX_CB))
		return false;
	*cb = (int16_t)lrint(db * 10);
	return true;
}

bool quiet_parse(struct quiet *q, const char *text)
{
	char window[WINDOW_TEXT + 32];
	struct reason why;
	char *volume;
	size_t n;

	*q = (struct quiet){.volume.on = true};
	if (strlen(text) >= sizeof(window))
		return false;
	snprintf(window, sizeof(window), "%s", text);
	volume = strrchr(window, ' ');
	if (!volume || !read_volume(volume + 1, &q->volume.cb))
		return false;
	*volume = '\0';
	n = strlen(window);
	if (n > 4 && !strcmp(window + n - 4, " max")) {
		q->volume.ceiling = true;
		window[n - 4] = '\0';
	}
	return !window_parse(&q->window, window, &why);
}

char *quiet_text(char buf[QUIET_TEXT], const struct quiet *q)
{
	char window[WINDOW_TEXT];

	snprintf(buf, QUIET_TEXT, "%s %s%.*fdB",
		 window_text(window, &q->window),
		 q->volume.ceiling ? "max " : "", q->volume.cb % 10 ? 1 : 0,
		 q->volume.cb / 10.0);
	return buf;
}

int16_t quiet_apply(const struct quiet_volume *q, int16_t cb)
{
	int v = cb;

	if (q->on && q->ceiling)
		v = v < q->cb ? v : q->cb;
	else if (q->on)
		v += q->cb;
	return (int16_t)(v < QUIET_MIN_CB   ? QUIET_MIN_CB
			 : v > QUIET_MAX_CB ? QUIET_MAX_CB
					    : v);
}

const struct quiet *quiet_find(const struct quiet *v, size_t n,
			       const struct tz *tz, int64_t utc,
			       window_type_h *type, void *arg,
			       struct window_span *span)
{
	for (size_t i = 0; i < n; i++)
		if (window_covers(&v[i].window, tz, utc, type, arg, span))
			return &v[i];
	return NULL;
}
