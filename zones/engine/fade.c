/*
 * The packet at a switch: what an output carried until now dies away in it
 * while what it carries from now on comes up, so that neither preemption nor
 * stop nor return clicks. Nothing is sent later for it, and after this one
 * packet nothing of the lower sound follows (DESIGN rule 2).
 *
 * G.722 and Opus need more than that: a decoder that comes from one stream
 * takes the packets of another wrong (G.722 of a loud tone: 20 ms at full
 * scale). So the fade brings the encoder whose state is that of the
 * receivers' decoders, and the new feed goes on with that until its sound is
 * soft for a moment: then any stream may begin (feed.c, "carry").
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

/** Sample values up to this are silence to every codec. */
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

static int free_fade(const struct engine *e)
{
	int i = 0;

	while (i < FADES && e->fade[i].refs)
		i++;
	return i < FADES ? i : -1;
}

/** What a caller's packets, sent as they came, have made of a decoder. */
static void prime_live(struct engine *e, struct feed *f, int16_t *dst)
{
	struct playout *p =
		slot_playout(e, &e->slot[f->fg >= 0 ? f->fg : f->bg]);
	const struct cursor *c = f->fg >= 0 ? &f->fgc : &f->bgc;
	uint32_t before = 2 * f->n <= ENGINE_MAX_SAMPLES ? f->n : 0;
	uint32_t late = f->fmt.codec == CODEC_OPUS ? ENCODER_OPUS_DELAY : 0;
	int16_t *s = e->pcm[2];

	if (!p)
		return;
	/* What his encoder had and his decoder has not given yet is played
	 * backwards too. */
	playout_pcm(p, &c->reader, before, s);
	memmove(s, s + late, (before + f->n - late) * sizeof(*s));
	for (uint32_t i = 0; i < late; i++)
		s[before + f->n - late + i] = s[before + f->n - late - 1 - i];
	if (before)
		feed_prime(e, f, s);
	feed_prime(e, f, s + before);
	for (uint32_t i = 0; i < length(f); i++)
		dst[i] = s[before + f->n - 2 * late - 1 - i];
}

/** What a message's packets have, and what would have come next of it. */
static void prime_clip(struct engine *e, struct feed *f, int16_t *dst,
		       uint64_t now)
{
	struct cursor c = f->fg >= 0 ? f->fgc : f->bgc;

	c.dec = coders_decoder(e, f->fmt.codec);
	c.dec_pos = -1;
	c.continued = true;
	if (c.dec) {
		(void)cursor_samples(e, &c, f->fg >= 0 ? f->fg : f->bg, f,
				     e->pcm[0], false, now);
		memcpy(dst, e->pcm[0], length(f) * sizeof(*dst));
	}
	coders_put(e, f->fmt.codec, NULL, c.dec);
}

/** The encoder that is where the receivers' decoders are. */
static struct encoder *lineage(struct engine *e, unsigned feed, int16_t *dst,
			       uint64_t now)
{
	struct feed *f = &e->feed[feed];
	int lead = f->fg >= 0 ? f->fg : f->bg;
	struct encoder *enc = NULL;

	if (f->kept)
		mirror(e, feed, dst);
	else
		memset(dst, 0, length(f) * sizeof(*dst));
	if (f->enc) {
		enc = coders_encoder(e, f->fmt.codec);
		if (enc)
			encoder_copy(enc, f->enc);
		return enc;
	}
	if (e->slot[lead].kind == SLOT_LIVE)
		prime_live(e, f, dst);
	else
		prime_clip(e, f, dst, now);
	enc = f->enc;
	f->enc = NULL;
	return enc;
}

static int make_stateful(struct engine *e, unsigned feed, uint64_t now)
{
	struct feed *f = &e->feed[feed];
	struct fade *fade;
	int i;

	if (feed_rests(f) || (f->fg < 0 && f->bg < 0 && !f->enc))
		return FADE_NONE;
	i = free_fade(e);
	if (i < 0)
		return FADE_REST;
	fade = &e->fade[i];
	fade->codec = f->fmt.codec;
	fade->ended = !sounds(e, f->fg) && !sounds(e, f->bg);
	fade->enc = lineage(e, feed, fade->pcm, now);
	if (!fade->enc)
		return FADE_REST;
	fade->refs = 1;
	return i;
}

static int make(struct engine *e, unsigned feed, uint64_t now)
{
	struct feed *f = &e->feed[feed];
	int i;

	if (codec_stateful(f->fmt.codec))
		return make_stateful(e, feed, now);
	if (!sounds(e, f->fg) && !sounds(e, f->bg))
		return FADE_NONE;
	if (!f->kept && e->slot[f->fg >= 0 ? f->fg : f->bg].kind != SLOT_CLIP)
		return FADE_NONE;
	i = free_fade(e);
	if (i < 0)
		return FADE_NONE;
	if (f->kept)
		mirror(e, feed, e->fade[i].pcm);
	else
		next(e, f, e->fade[i].pcm, now);
	if (is_nothing(e->fade[i].pcm, length(f)))
		return FADE_NONE;
	e->fade[i].refs = 1;
	e->fade[i].ended = false;
	e->fade[i].enc = NULL;
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
	struct fade *f = fade >= 0 ? &e->fade[fade] : NULL;

	if (!f || --f->refs)
		return;
	coders_put(e, f->codec, f->enc, NULL);
	f->enc = NULL;
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

void fade_pcm(const struct engine *e, const struct feed *f, int fade,
	      int16_t *s)
{
	const int16_t *old = fade >= 0 ? e->fade[fade].pcm : NULL;
	uint32_t n = length(f);

	for (uint32_t i = 0; i < n; i++) {
		int32_t out = e->fade_out[i * FADE_MAX / n];
		int32_t v = s[i] * (32767 - out);

		if (old)
			v += old[i] * out;
		s[i] = (int16_t)(v >> 15);
	}
}

void fade_payload(struct engine *e, const struct feed *f, int fade,
		  const uint8_t *payload)
{
	int16_t *s = e->pcm[0];

	codec_decode(f->fmt.codec, s, payload, f->n);
	fade_pcm(e, f, fade, s);
	/* Long payloads are not copied when they are queued. */
	if (f->most_bytes > BATCH_INLINE)
		batch_flush(e);
	codec_encode(f->fmt.codec, e->faded, s, f->n);
}
