#include "zones/watch/heard.h"

#include <string.h>

/** Looks and samples after which silence is no coincidence: pauses of a tone
 *  and of speech are shorter. */
#define LOUD_LOOKS 40
#define SILENT_SAMPLES 8
/** Sound by the engine's reckoning: well above what is called silence. */
#define LOUD 50
#define TALKER_MIN 3
#define TALKER_GONE_US 10000000
#define TALKER_PAUSE_US 2000000
/** Packets of the key before may still wait to be read after a reload. */
#define LOCKED_US 2000000
#define LOCKED_MIN 3

static void left(struct heard *h, uint64_t now)
{
	h->samples++;
	h->seen_us = now;
	/* Counted anew by the next look. */
	h->due_us = 0;
}

void heard_sample(struct heard *h, uint8_t level, uint64_t now)
{
	left(h, now);
	h->locked = 0;
	if (level == HEARD_NO_LEVEL)
		return;
	h->level = level;
	if (level < HEARD_SILENCE)
		h->loud = h->silent = 0;
	else
		h->silent++;
}

void heard_locked(struct heard *h, uint64_t now)
{
	left(h, now);
	if (!h->locked++)
		h->locked_us = now;
}

void heard_blind(struct heard *h)
{
	h->due_us = 0;
}

enum heard_verdict heard_judge(struct heard *h, const struct heard_look *look,
			       unsigned every, uint64_t within_us, uint64_t now)
{
	if (!look->sounding) {
		h->due_us = 0;
		h->loud = h->silent = 0;
		return HEARD_QUIET;
	}
	if (!h->due_us) {
		const bool seen = h->seen_us && now - h->seen_us < within_us;

		h->due_us = h->moved_us = now;
		h->sent = h->moved = look->sent;
		if (!seen)
			return HEARD_WAIT;
	}
	if (look->sent != h->moved) {
		h->moved = look->sent;
		h->moved_us = now;
	}
	if (h->locked >= LOCKED_MIN && now - h->locked_us >= LOCKED_US)
		return HEARD_LOCKED;
	if (look->level <= LOUD)
		h->loud++;
	if (h->loud >= LOUD_LOOKS && h->silent >= SILENT_SAMPLES)
		return HEARD_SILENT;
	if (now - h->due_us < within_us)
		return h->seen_us && now - h->seen_us < within_us ? HEARD_OK
								  : HEARD_WAIT;
	if (now - h->moved_us >= within_us)
		return HEARD_UNSENT;
	/* By count too: a machine that stood still has sent nothing. */
	return look->sent - h->sent >= 3u * every ? HEARD_LOST : HEARD_WAIT;
}

void talker_heard(struct talker *t, const struct frame *f, uint32_t ssrc,
		  uint64_t now)
{
	const bool same = t->family == f->family && t->port == f->sport &&
			  t->ssrc == ssrc &&
			  !memcmp(t->addr, f->src, sizeof(t->addr));

	if (!same && t->family && now - t->last_us < TALKER_PAUSE_US)
		return;
	if (!same) {
		*t = (struct talker){
			.family = f->family,
			.port = f->sport,
			.ssrc = ssrc,
		};
		memcpy(t->addr, f->src, sizeof(t->addr));
	}
	t->n += t->n < UINT32_MAX;
	t->last_us = now;
}

bool talker_present(struct talker *t, uint64_t now)
{
	if (t->family && now - t->last_us >= TALKER_GONE_US)
		*t = (struct talker){0};
	return t->n >= TALKER_MIN;
}
