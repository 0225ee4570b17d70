/*
 * Feeds: the packet of one (foreground, background, format) is made once, at
 * its absolute deadline, and sent to every output of the feed's list.
 */
#include "zones/engine/engine.h"

#include <string.h>

/** Opus leans on what came before for a few packets only, and its encoder is
 *  dear: it goes on no longer than this. */
#define OPUS_CARRY_MS 500

void feed_init(struct engine *e, unsigned i, int fg, int bg,
	       const struct format *fmt, uint64_t now)
{
	struct feed *f = &e->feed[i];

	*f = (struct feed){
		.used = true,
		.fg = fg,
		.bg = bg,
		.fmt = *fmt,
		.n = format_samples(fmt),
		.ticks = format_ticks(fmt),
		.most_bytes = format_bytes(fmt),
		.period_us = fmt->ptime_ms * UINT64_C(1000),
		.last_us = now,
		.gain = {ENGINE_UNITY, ENGINE_UNITY, 1},
		.volume = {ENGINE_UNITY, ENGINE_UNITY, 1},
		.bridge = FADE_NONE,
		.level = 127,
		.first = -1,
		.last = -1,
	};
	if (fg >= 0)
		cursor_init(e, &f->fgc, fg, f, now);
	if (bg >= 0)
		cursor_init(e, &f->bgc, bg, f, now);
	if (i >= e->n_feeds)
		e->n_feeds = i + 1;
	feed_schedule(e, i);
}

/** Tells the leg of a live feed when its sound leaves next. */
static void beat(struct engine *e, const struct feed *f, uint64_t due)
{
	int lead = f->fg >= 0 ? f->fg : f->bg;
	const struct slot *s = lead >= 0 ? &e->slot[lead] : NULL;

	if (s && s->kind == SLOT_LIVE && s->leg >= 0)
		e->leg[s->leg].beat_us = due;
}

void feed_schedule(struct engine *e, unsigned i)
{
	struct feed *f = &e->feed[i];

	if (f->fg >= 0)
		e->feed_due[i] = cursor_due(e, &f->fgc, f->fg, f);
	else if (f->bg >= 0)
		e->feed_due[i] = cursor_due(e, &f->bgc, f->bg, f);
	else
		e->feed_due[i] = f->last_us + f->period_us;
	beat(e, f, e->feed_due[i]);
}

void feed_schedule_leg(struct engine *e, unsigned leg)
{
	for (unsigned i = 0; i < e->n_feeds; i++) {
		const struct feed *f = &e->feed[i];
		int lead = f->fg >= 0 ? f->fg : f->bg;

		if (f->used && lead >= 0 && e->slot[lead].kind == SLOT_LIVE &&
		    e->slot[lead].leg == (int)leg)
			feed_schedule(e, i);
	}
}

/** Foreground plus background, each gain on its way to where it should be. */
static bool mix(struct engine *e, struct feed *f, uint64_t now)
{
	int16_t *a = e->pcm[0], *b = e->pcm[1];

	if (f->fg < 0)
		memset(a, 0, f->n * sizeof(*a));
	else if (!cursor_samples(e, &f->fgc, f->fg, f, a, false, now))
		return false;
	if (f->bg < 0)
		memset(b, 0, f->n * sizeof(*b));
	else if (!cursor_samples(e, &f->bgc, f->bg, f, b, f->fg >= 0, now))
		return false;
	for (uint32_t i = 0; i < f->n; i++) {
		int64_t v = (int64_t)b[i] * ramp_next(&f->gain);

		v = (a[i] + v / ENGINE_UNITY) * ramp_next(&f->volume) /
		    ENGINE_UNITY;
		a[i] = v > 32767 ? 32767 : v < -32768 ? -32768 : (int16_t)v;
	}
	return true;
}

static struct encoder *encoder_of(struct engine *e, struct feed *f)
{
	if (!f->enc) {
		f->enc = coders_encoder(e, f->fmt.codec);
		if (f->enc)
			encoder_reset(f->enc, &f->fmt, EFFORT_LIVE);
	}
	return f->enc;
}

void feed_prime(struct engine *e, struct feed *f, const int16_t *pcm)
{
	if (encoder_of(e, f))
		encoder_run(f->enc, e->spare, pcm);
}

const uint8_t *feed_encode(struct engine *e, struct feed *f, uint8_t *dst,
			   const int16_t *pcm, struct made *made)
{
	made->level = level_of(pcm, f->n);
	if (!codec_stateful(f->fmt.codec)) {
		codec_encode(f->fmt.codec, dst, pcm, f->n);
		made->bytes = f->most_bytes;
	} else if (encoder_of(e, f)) {
		made->bytes = encoder_run(f->enc, dst, pcm);
	} else {
		made->bytes = coder_silence(&f->fmt, dst);
		made->level = 127;
		engine_count(&e->uncoded, 1);
		return dst;
	}
	engine_count(&e->encodes, 1);
	return dst;
}

static void cursor_take_over(struct engine *e, struct cursor *c,
			     const struct feed *old, const struct cursor *from)
{
	*c = *from;
	c->dec = NULL;
	c->continued = !old->enc;
	if (from->dec)
		c->dec = coders_decoder(e, old->fmt.codec);
	if (c->dec)
		decoder_copy(c->dec, from->dec);
}

void feed_take_over(struct engine *e, struct feed *f, const struct feed *old,
		    bool fg, bool bg)
{
	if (fg)
		cursor_take_over(e, &f->fgc, old, &old->fgc);
	if (bg)
		cursor_take_over(e, &f->bgc, old, &old->bgc);
	if (!f->enc && (fg || bg) && old->enc &&
	    format_equal(&old->fmt, &f->fmt))
		feed_carry(e, f, old->enc);
}

void feed_carry(struct engine *e, struct feed *f, const struct encoder *from)
{
	f->enc = coders_encoder(e, f->fmt.codec);
	if (f->enc)
		encoder_copy(f->enc, from);
	f->carry = f->enc;
}

void feed_release(struct engine *e, struct feed *f)
{
	coders_put(e, f->fmt.codec, f->enc, f->fgc.dec);
	coders_put(e, f->fmt.codec, NULL, f->bgc.dec);
	f->enc = NULL;
	f->fgc.dec = f->bgc.dec = NULL;
}

/** Is it more than one sound as it is? */
static bool needs_mix(const struct feed *f)
{
	return !ramp_is(&f->volume, ENGINE_UNITY) ||
	       (f->bg >= 0 && (f->fg >= 0 || !ramp_is(&f->gain, ENGINE_UNITY)));
}

/** @return the payload, or NULL to wait for a late packet of a caller */
static const uint8_t *make(struct engine *e, unsigned i, uint8_t *room,
			   struct made *made, uint64_t now)
{
	struct feed *f = &e->feed[i];
	const uint8_t *payload = NULL;

	*made = (struct made){.level = 127};
	f->kept = false;
	if (f->fg < 0 && f->bg < 0 && !f->carry)
		return engine_silence(e, &f->fmt, &made->bytes);
	if (!needs_mix(f) && !f->carry) {
		bool bg = f->fg < 0;

		payload =
			cursor_payload(e, bg ? &f->bgc : &f->fgc,
				       bg ? f->bg : f->fg, f, room, made, now);
	} else if (mix(e, f, now)) {
		if (f->bridge >= 0 && !e->fade[f->bridge].ended)
			fade_pcm(e, f, f->bridge, e->pcm[0]);
		payload = feed_encode(e, f, room, e->pcm[0], made);
		f->carry = f->enc;
	}
	/* Only what was made from samples is in the room we gave. */
	if (payload == room)
		fade_keep(e, i, e->pcm[0]);
	return payload;
}

static void send_one(struct engine *e, unsigned output, const struct feed *f,
		     const uint8_t *payload, const struct made *made,
		     uint64_t due, uint64_t now)
{
	output_send(e, output, payload, made->bytes, f->ticks, due, now);
	atomic_store_explicit(&e->output[output].level, made->level,
			      memory_order_relaxed);
}

/** A packet without sound, for receivers whose decoders are nowhere that the
 *  feed's sound could begin. */
static const uint8_t *rest(const struct engine *e, const struct feed *f,
			   struct made *made)
{
	*made = (struct made){.level = 127};
	return engine_silence(e, &f->fmt, &made->bytes);
}

/** The first packet of outputs that came to the feed: where something was cut
 *  off for it, or it begins in the middle, each gets its own. */
static void send_fresh(struct engine *e, struct feed *f, const uint8_t *payload,
		       const struct made *made, uint64_t due, uint64_t now)
{
	bool can = !codec_stateful(f->fmt.codec);
	int last = FADE_NONE;

	f->joined = false;
	for (int i = f->first; i >= 0; i = e->output[i].next) {
		struct output *o = &e->output[i];
		bool fade = can && o->fade != FADE_NONE;
		struct made still;

		if (o->fade == FADE_REST) {
			const uint8_t *p = rest(e, f, &still);

			send_one(e, (unsigned)i, f, p, &still, due, now);
			o->rested_ms += f->fmt.ptime_ms;
			o->fresh = o->rested_ms < CODER_REST_MS;
			if (o->fresh) {
				f->joined = true;
			} else {
				o->rested_ms = 0;
				o->fade = FADE_NONE;
			}
			continue;
		}

		/* Neighbours mostly come from the same feed. */
		if (fade && o->fade != last) {
			fade_payload(e, f, o->fade, payload);
			last = o->fade;
		}
		send_one(e, (unsigned)i, f, fade ? e->faded : payload, made,
			 due, now);
		o->fresh = false;
		fade_take(e, (unsigned)i, FADE_NONE);
	}
}

static void send_all(struct engine *e, const struct feed *f,
		     const uint8_t *payload, const struct made *made,
		     uint64_t due, uint64_t now)
{
	for (int i = f->first; i >= 0; i = e->output[i].next)
		send_one(e, (unsigned)i, f, payload, made, due, now);
}

/** We were stopped for long: go on where the source is now. */
static void skip(struct engine *e, struct feed *f, uint64_t now)
{
	int lead = f->fg >= 0 ? f->fg : f->bg;

	if (lead >= 0 && e->slot[lead].kind == SLOT_CLIP)
		cursor_init(e, f->fg >= 0 ? &f->fgc : &f->bgc, lead, f, now);
	else if (lead < 0)
		f->last_us = now - f->period_us;
	for (int o = f->first; o >= 0; o = e->output[o].next)
		e->output[o].stream.mark = true;
}

static void note_first(struct engine *e, int slot, unsigned outputs)
{
	struct slot *s = slot >= 0 ? &e->slot[slot] : NULL;

	if (!s || s->first_sent || !outputs)
		return;
	if (!s->first_n)
		batch_first(e, (unsigned)slot);
	e->firsts = true;
	s->first_n += outputs;
}

bool feed_rests(const struct feed *f)
{
	uint32_t ms = f->quiet * (uint32_t)f->fmt.ptime_ms;

	return f->fmt.codec == CODEC_OPUS ? ms : ms >= CODER_REST_MS;
}

/** Once its sound has been soft for a moment, a feed needs its encoder no
 *  longer: what it plays goes out as it is from here on. */
static void come_to_rest(struct engine *e, unsigned i)
{
	struct feed *f = &e->feed[i];
	int lead = f->fg >= 0 ? f->fg : f->bg;

	if (f->level < FEED_QUIET)
		f->quiet = 0;
	else if (f->quiet < UINT8_MAX)
		f->quiet++;
	if (!f->carry || needs_mix(f)) {
		f->carried_ms = 0;
		return;
	}
	f->carried_ms += f->fmt.ptime_ms;
	if (!feed_rests(f) &&
	    (f->fmt.codec != CODEC_OPUS || f->carried_ms < OPUS_CARRY_MS))
		return;
	f->carry = false;
	/* Live sound of another codec is encoded anyway. */
	if (lead < 0 || e->slot[lead].kind == SLOT_CLIP)
		feed_release(e, f);
	if (lead >= 0)
		route_merge(e, i);
}

static void run(struct engine *e, unsigned i, uint64_t now)
{
	struct feed *f = &e->feed[i];
	uint8_t *room = batch_room(e, f->most_bytes);
	uint64_t due = e->feed_due[i];
	const uint8_t *payload;
	struct made made;

	if (due + e->skip_us < now) {
		skip(e, f, now);
		feed_schedule(e, i);
		due = e->feed_due[i];
		if (due > now)
			return;
	}
	payload = make(e, i, room, &made, now);
	if (!payload) {
		feed_schedule(e, i);
		return;
	}
	note_first(e, f->fg, f->n_outputs);
	note_first(e, f->bg, f->n_outputs);
	if (f->joined)
		send_fresh(e, f, payload, &made, due, now);
	else
		send_all(e, f, payload, &made, due, now);
	f->last_us = due;
	f->bridge = FADE_NONE;
	f->level = made.level;
	come_to_rest(e, i);
	if (f->fg < 0 && f->bg < 0 && (!f->tail || !--f->tail)) {
		while (f->first >= 0) {
			unsigned o = (unsigned)f->first;

			route_leave(e, o);
			e->output[o].lead_slot = -1;
			atomic_store_explicit(&e->output[o].sounding, false,
					      memory_order_relaxed);
		}
		return;
	}
	feed_schedule(e, i);
}

/** The packets just sent were the first of these slots. */
static void settle_firsts(struct engine *e)
{
	e->firsts = false;
	for (unsigned i = 0; i < MEDIA_MAX_SLOTS; i++) {
		struct slot *s = &e->slot[i];

		if (s->kind == SLOT_FREE || s->first_sent || !s->first_n)
			continue;
		s->first_sent = true;
		s->owed |= OWE_FIRST;
		e->owing = true;
	}
}

/** Brings the sources that have begun nearer to the common grid. */
static void gather(struct engine *e, uint64_t now)
{
	for (unsigned i = 0; i < e->n_feeds; i++) {
		const struct feed *f = &e->feed[i];
		int lead = f->fg >= 0 ? f->fg : f->bg;

		if (!f->used || lead < 0 || e->slot[lead].gathered ||
		    !slot_gather(e, (unsigned)lead, now))
			continue;
		for (unsigned k = 0; k < e->n_feeds; k++)
			if (e->feed[k].used &&
			    (e->feed[k].fg == lead || e->feed[k].bg == lead))
				feed_schedule(e, k);
	}
}

void feeds_run(struct engine *e, uint64_t horizon, uint64_t now)
{
	for (unsigned i = 0; i < e->n_feeds; i++) {
		/* A packet may already be followed by the next: we were
		 * stopped for a moment, or a caller's clock leapt. */
		for (unsigned k = 0; e->feed_due[i] <= horizon && k < 16; k++)
			run(e, i, now);
	}
	lines_run(e, horizon);
	batch_flush(e);
	if (e->firsts)
		settle_firsts(e);
	gather(e, now);
	while (e->n_feeds && !e->feed[e->n_feeds - 1].used)
		e->n_feeds--;
}
