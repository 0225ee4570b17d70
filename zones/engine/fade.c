/*
 * The packet at a switch: what an output carried until now dies away in it
 * while what it carries from now on comes up, so that neither preemption nor
 * stop nor return clicks. Nothing is sent later for it, and after this one
 * packet nothing of the lower sound follows (DESIGN rule 2).
 *
 * What would have come next of a message is decoded from it. Of a live sound
 * it has not arrived yet: the end of its last packet is played backwards,
 * which joins without a leap. A sound that has come to its own end is not
 * faded, nor is one that begins at its beginning out of silence: those go out
 * as they were encoded.
 */
#include "zones/engine/engine.h"

#include <math.h>
#include <string.h>

/** Below this a sound is silence to every codec. */
#define NOTHING 16

void fades_init(struct engine *e)
{
	for (unsigned i = 0; i < FADE_MAX; i++)
		e->fade_out[i] = (int16_t)lrint(
			16383.5 * (1 + cos(M_PI * (i + 0.5) / FADE_MAX)));
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++)
		e->cut_fade[i] = FADE_UNKNOWN;
}

static uint32_t length(const struct feed *f)
{
	uint32_t n = f->fmt.rate * FADE_MS / 1000;

	return n < f->n ? n : f->n;
}

static bool sounds(const struct engine *e, int slot)
{
	/* A slot that has finished was not cut off. */
	return slot >= 0 && e->slot[slot].kind != SLOT_FREE &&
	       !e->slot[slot].finished;
}

/** The feed's next samples as they would have been; its state stays. */
static void next(struct engine *e, struct feed *from, int16_t *dst,
		 uint64_t now)
{
	int slot = from->fg >= 0 ? from->fg : from->bg;
	struct cursor c = from->fg >= 0 ? from->fgc : from->bgc;

	(void)cursor_samples(e, &c, slot, from, e->pcm[0], false, now);
	memcpy(dst, e->pcm[0], length(from) * sizeof(*dst));
}

/** The feed's last samples backwards. */
static void mirror(const struct engine *e, unsigned feed, int16_t *dst)
{
	uint32_t n = length(&e->feed[feed]);

	for (uint32_t i = 0; i < n; i++)
		dst[i] = e->kept[feed][n - 1 - i];
}

static bool is_nothing(const int16_t *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (s[i] > NOTHING || s[i] < -NOTHING)
			return false;
	return true;
}

static int make(struct engine *e, unsigned feed, uint64_t now)
{
	struct feed *f = &e->feed[feed];
	int i = 0;

	if (codec_stateful(f->fmt.codec) ||
	    (!sounds(e, f->fg) && !sounds(e, f->bg)))
		return FADE_NONE;
	if (!f->kept && e->slot[f->fg >= 0 ? f->fg : f->bg].kind != SLOT_CLIP)
		return FADE_NONE;
	while (i < FADES && e->fade[i].refs)
		i++;
	if (i == FADES)
		return FADE_NONE;
	if (f->kept)
		mirror(e, feed, e->fade[i].pcm);
	else
		next(e, f, e->fade[i].pcm, now);
	if (is_nothing(e->fade[i].pcm, length(f)))
		return FADE_NONE;
	e->fade[i].refs = 1;
	return i;
}

int fade_cut(struct engine *e, unsigned feed, uint64_t now)
{
	if (e->cut_fade[feed] == FADE_UNKNOWN) {
		e->cut_fade[feed] = (int16_t)make(e, feed, now);
		e->cut[e->n_cut++] = (uint16_t)feed;
	}
	return e->cut_fade[feed];
}

void fade_cut_slot(struct engine *e, unsigned slot, uint64_t now)
{
	for (unsigned i = 0; i < e->n_feeds; i++) {
		const struct feed *f = &e->feed[i];

		if (f->used && (f->fg == (int)slot || f->bg == (int)slot))
			fade_cut(e, i, now);
	}
}

static void give_back(struct engine *e, int fade)
{
	if (fade >= 0)
		e->fade[fade].refs--;
}

void fade_settle(struct engine *e)
{
	while (e->n_cut) {
		unsigned feed = e->cut[--e->n_cut];

		give_back(e, e->cut_fade[feed]);
		e->cut_fade[feed] = FADE_UNKNOWN;
	}
}

void fade_take(struct engine *e, unsigned output, int fade)
{
	struct output *o = &e->output[output];

	if (fade >= 0)
		e->fade[fade].refs++;
	give_back(e, o->fade);
	o->fade = (int16_t)fade;
}

void fade_keep(struct engine *e, unsigned feed, const int16_t *pcm)
{
	struct feed *f = &e->feed[feed];
	uint32_t n = length(f);

	memcpy(e->kept[feed], pcm + f->n - n, n * sizeof(*pcm));
	f->kept = true;
}

void fade_payload(struct engine *e, const struct feed *f, int fade,
		  const uint8_t *payload)
{
	const int16_t *old = fade >= 0 ? e->fade[fade].pcm : NULL;
	int16_t *s = e->pcm[0];
	uint32_t n = length(f);

	codec_decode(f->fmt.codec, s, payload, f->n);
	for (uint32_t i = 0; i < n; i++) {
		int32_t out = e->fade_out[i * FADE_MAX / n];
		int32_t v = s[i] * (32767 - out);

		if (old)
			v += old[i] * out;
		s[i] = (int16_t)(v >> 15);
	}
	/* Long payloads are not copied when they are queued. */
	if (f->most_bytes > BATCH_INLINE)
		batch_flush(e);
	codec_encode(f->fmt.codec, e->faded, s, f->n);
}
