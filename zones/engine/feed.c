/*
 * Feeds: the packet of one (foreground, background, format) is made once, at
 * its absolute deadline, and sent to every output of the feed's list.
 */
#include "zones/engine/engine.h"

#include <string.h>

void feed_init(struct engine *e, unsigned i, int fg, int bg,
	       const struct format *fmt, int32_t gain, int32_t target,
	       uint64_t now)
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
		.gain = gain,
		.target = target,
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

void feed_schedule(struct engine *e, unsigned i)
{
	struct feed *f = &e->feed[i];

	if (f->fg >= 0)
		e->feed_due[i] = cursor_due(e, &f->fgc, f->fg, f);
	else if (f->bg >= 0)
		e->feed_due[i] = cursor_due(e, &f->bgc, f->bg, f);
	else
		e->feed_due[i] = f->last_us + f->period_us;
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

/** Foreground plus background, the latter's gain on its way to where it
 *  should be. */
static bool mix(struct engine *e, struct feed *f, uint64_t now)
{
	int16_t *a = e->pcm[0], *b = e->pcm[1];
	int32_t step = (int32_t)(ENGINE_UNITY * 1000 /
				 (ENGINE_RAMP_MS * (int32_t)f->fmt.rate));

	if (f->fg >= 0) {
		if (!cursor_samples(e, &f->fgc, f->fg, f, a, false, now))
			return false;
		cursor_samples(e, &f->bgc, f->bg, f, b, true, now);
	} else {
		if (!cursor_samples(e, &f->bgc, f->bg, f, b, false, now))
			return false;
		memset(a, 0, f->n * sizeof(*a));
	}
	if (step < 1)
		step = 1;
	for (uint32_t i = 0; i < f->n; i++) {
		int32_t v;

		if (f->gain < f->target)
			f->gain = f->gain + step < f->target ? f->gain + step
							     : f->target;
		else if (f->gain > f->target)
			f->gain = f->gain - step > f->target ? f->gain - step
							     : f->target;
		v = a[i] + (b[i] * f->gain >> 15);
		a[i] = v > 32767 ? 32767 : v < -32768 ? -32768 : (int16_t)v;
	}
	return true;
}

const uint8_t *feed_encode(struct engine *e, struct feed *f, uint8_t *dst,
			   const int16_t *pcm, struct made *made)
{
	codec_encode(f->fmt.codec, dst, pcm, f->n);
	made->bytes = f->most_bytes;
	made->level = level_of(pcm, f->n);
	engine_count(&e->encodes, 1);
	return dst;
}

/** Is the background in it neither silent nor alone and plain? */
static bool needs_mix(const struct feed *f)
{
	if (f->bg < 0)
		return false;
	if (f->fg < 0)
		return f->gain != ENGINE_UNITY || f->target != ENGINE_UNITY;
	return f->gain || f->target;
}

/** @return the payload, or NULL to wait for a late packet of a caller */
static const uint8_t *make(struct engine *e, struct feed *f, uint8_t *room,
			   struct made *made, uint64_t now)
{
	*made = (struct made){.level = 127};
	if (f->fg < 0 && f->bg < 0)
		return engine_silence(e, &f->fmt, &made->bytes);
	if (!needs_mix(f)) {
		bool bg = f->fg < 0;

		return cursor_payload(e, bg ? &f->bgc : &f->fgc,
				      bg ? f->bg : f->fg, f, room, made, now);
	}
	if (!mix(e, f, now))
		return NULL;
	return feed_encode(e, f, room, e->pcm[0], made);
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
	payload = make(e, f, room, &made, now);
	if (!payload) {
		feed_schedule(e, i);
		return;
	}
	note_first(e, f->fg, f->n_outputs);
	note_first(e, f->bg, f->n_outputs);
	for (int o = f->first; o >= 0; o = e->output[o].next) {
		output_send(e, (unsigned)o, payload, made.bytes, f->ticks, due,
			    now);
		atomic_store_explicit(&e->output[o].level, made.level,
				      memory_order_relaxed);
	}
	f->last_us = due;
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
