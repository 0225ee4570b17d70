/**
 * Quiet hours: a window of the week, and how loud it may be within it:
 * "mon-fri 22:00-06:00 -12dB" (softer by that), "sun max -20dB" (no louder than
 * that). Pure; a value that may be copied. Any thread.
 */
#ifndef TOCSIN_QUIET_H
#define TOCSIN_QUIET_H

#include "scheduler/window.h"

/** What a volume may be, in centibels. */
#define QUIET_MIN_CB (-400)
#define QUIET_MAX_CB 120

#define QUIET_ALLOWED                                                          \
	"a window and a volume, like \"mon-fri 22:00-06:00 -12dB\", \"sun "    \
	"max -20dB\" or \"20:00-24:00 on exam -6dB\"; -40dB to 12dB"

/** What becomes of a volume. */
struct quiet_volume {
	bool on;
	bool ceiling; /**< no louder than cb, else changed by it */
	int16_t cb;
};

struct quiet {
	struct window window;
	struct quiet_volume volume;
};

/** Room for quiet_text(). */
#define QUIET_TEXT (WINDOW_TEXT + 24)

/** Reads one; false: it is none. */
bool quiet_parse(struct quiet *q, const char *text);

/** Writes it such that it is read as the same. Returns buf. */
char *quiet_text(char buf[QUIET_TEXT], const struct quiet *q);

/** A volume under it, in centibels. */
int16_t quiet_apply(const struct quiet_volume *q, int16_t cb);

/** The one of n that applies at an instant, NULL = none; as window_covers(). */
const struct quiet *quiet_find(const struct quiet *v, size_t n,
			       const struct tz *tz, int64_t utc,
			       window_type_h *type, void *arg,
			       struct window_span *span);

#endif
