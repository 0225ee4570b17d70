#include "zones/watch/heard.h"

#include <math.h>
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
#define LEVEL_SAMPLES 480

void heard_sample(struct heard *h, uint8_t level, uint64_t now)
{
	h->samples++;
	h->seen_us = now;
	h->level = level;
	/* Counted anew by the next look. */
	h->due_us = 0;
	if (level < HEARD_SILENCE || level == HEARD_NO_LEVEL)
		h->loud = h->silent = 0;
	else
		h->silent++;
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

uint8_t heard_level(enum codec codec, const uint8_t *payload, size_t len)
{
	const size_t width = codec == CODEC_L16 ? 2 : 1;
	int16_t pcm[LEVEL_SAMPLES];
	size_t n = len / width;
	double sum = 0, db;

	if (codec != CODEC_PCMU && codec != CODEC_PCMA && codec != CODEC_L16)
		return HEARD_NO_LEVEL;
	if (n > LEVEL_SAMPLES)
		n = LEVEL_SAMPLES;
	if (!n)
		return HEARD_NO_LEVEL;
	codec_decode(codec, pcm, payload, n);
	for (size_t i = 0; i < n; i++)
		sum += (double)pcm[i] * pcm[i];
	/* 8 is what A-law's silence is made of. */
	if (sum / (double)n <= 64)
		return 127;
	db = -10 * log10(sum / (double)n / (32768.0 * 32768.0));
	return db < 0 ? 0 : (uint8_t)db;
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
