/* What is heard of a help point, and whether it hears us: its faults. */
#include "controller/help/internal.h"

#include "controller/base/clock.h"
#include "controller/config/values.h"

#include <string.h>

/** Behind the key of a fault: not of sound from there but of sound to it. */
#define DEAF ":hears"

static void sound_key(const struct help_call *x, char key[96])
{
	snprintf(key, 96, "helppoint:%s", x->point);
}

static void deaf_key(const struct help_call *x, char key[96])
{
	snprintf(key, 96, "helppoint:%s" DEAF, x->point);
}

/** Is the point of such a fault still there? */
static bool is_configured(const char *key, void *arg)
{
	const struct help *h = arg;
	char name[96];
	size_t n;

	snprintf(name, sizeof(name), "%s", key + strlen("helppoint:"));
	n = strlen(name);
	if (n > strlen(DEAF) && !strcmp(name + n - strlen(DEAF), DEAF))
		name[n - strlen(DEAF)] = '\0';
	return config_helppoint_find(h->config, name) >= 0;
}

void help_hear_configure(struct help *h)
{
	fault_clear_prefix(h->faults, "helppoint:", is_configured, h);
}

void help_silent(struct help_call *x, const struct media_leg_stats *seen)
{
	struct help *h = x->owner;
	struct oneway_verdict v;
	char key[96], remedy[256];

	x->sound.seen = *seen;
	oneway_judge(&x->sound, &v);
	sound_key(x, key);
	snprintf(remedy, sizeof(remedy),
		 "%s The fault ends with its next call that can be heard.",
		 v.remedy);
	fault_raise(h->faults, key, h->config->sip.rtp_timeout_ms, remedy,
		    "help point %s calls, but no sound comes from it: %s",
		    x->point, v.text);
}

void help_heard(struct help_call *x)
{
	char key[96];

	sound_key(x, key);
	fault_clear(x->owner->faults, key);
}

void help_unreachable(struct help_call *x, int err)
{
	char key[96], at[VALUE_ENDPOINT_SIZE];

	deaf_key(x, key);
	x->unreached = err != 0;
	if (err)
		fault_raise(x->owner->faults, key, MEDIA_UNREACHABLE_MS,
			    oneway_remedy(ONEWAY_UNREACHABLE),
			    "help point %s calls, but hears nothing: %s cannot "
			    "be reached: %s",
			    x->point, value_endpoint_text(at, &x->sound.sdp),
			    strerror(err));
	else
		fault_clear(x->owner->faults, key);
}

void help_reached(struct help_call *x)
{
	char key[96];

	if (x->unreached || !x->leg_open ||
	    clock_mono_us() - x->since_us <
		    2 * MEDIA_UNREACHABLE_MS * UINT64_C(1000))
		return;
	deaf_key(x, key);
	fault_clear(x->owner->faults, key);
}
