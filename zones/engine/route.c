/*
 * Who hears what: each output is in the one feed that makes its packets, or
 * in none while it is silent. A batch of commands only marks outputs; they
 * move here, all at once, before anything more is sent: so on one address the
 * lower source has sent its last packet when the higher one sends its first
 * (DESIGN rule 2).
 */
#include "zones/engine/engine.h"

#include <stdlib.h>
#include <string.h>

void route_dirty_output(struct engine *e, unsigned i)
{
	e->dirty[i / 64] |= UINT64_C(1) << i % 64;
	e->is_dirty = true;
}

void route_dirty_slot(struct engine *e, unsigned slot)
{
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++) {
		const struct output *o = &e->output[i];

		if (o->used && (o->fg == (int)slot || o->bg == (int)slot))
			route_dirty_output(e, i);
	}
}

void route_leave(struct engine *e, unsigned i)
{
	struct output *o = &e->output[i];
	struct feed *f;

	if (o->feed < 0)
		return;
	f = &e->feed[o->feed];
	if (o->prev >= 0)
		e->output[o->prev].next = o->next;
	else
		f->first = o->next;
	if (o->next >= 0)
		e->output[o->next].prev = o->prev;
	else
		f->last = o->prev;
	if (!--f->n_outputs) {
		feed_release(e, f);
		f->used = false;
		e->feed_due[o->feed] = ENGINE_NEVER;
	}
	o->feed = o->prev = o->next = -1;
	if (o->line)
		output_schedule(e, i);
}

/** Outputs of one socket stand together, so that one call sends them. */
static void join(struct engine *e, unsigned i, int feed)
{
	struct output *o = &e->output[i];
	struct feed *f = &e->feed[feed];

	o->feed = feed;
	if (f->first >= 0 && e->output[f->first].fd == o->fd &&
	    e->output[f->last].fd != o->fd) {
		o->prev = -1;
		o->next = f->first;
		e->output[f->first].prev = (int)i;
		f->first = (int)i;
	} else {
		o->next = -1;
		o->prev = f->last;
		if (f->last >= 0)
			e->output[f->last].next = (int)i;
		else
			f->first = (int)i;
		f->last = (int)i;
	}
	f->n_outputs++;
}

/** What an output should carry. */
struct want {
	int fg, bg;
	struct ramp gain, volume;
	uint32_t tail;
	uint64_t last_us; /**< of the tail: keeps the packets' distance */
	int bridge;       /**< of feed.bridge: whose decoders it goes on from */
};

static bool fits(const struct feed *f, const struct want *w,
		 const struct format *fmt)
{
	if (!f->used || f->merge || f->fg != w->fg || f->bg != w->bg ||
	    f->bridge != w->bridge || !format_equal(&f->fmt, fmt))
		return false;
	if (w->fg < 0 && w->bg < 0)
		return f->tail == w->tail && f->last_us == w->last_us;
	return (w->bg < 0 || ramp_equal(&f->gain, &w->gain)) &&
	       ramp_equal(&f->volume, &w->volume);
}

/** A feed to join: the one of its neighbour, any other, or a new one. */
static int feed_for(struct engine *e, const struct want *w,
		    const struct output *o, int hint, uint64_t now)
{
	const struct feed *old = o->feed >= 0 ? &e->feed[o->feed] : NULL;
	struct feed *f;
	unsigned i;

	if (hint >= 0 && fits(&e->feed[hint], w, &o->fmt))
		return hint;
	for (i = 0; i < e->n_feeds; i++)
		if (fits(&e->feed[i], w, &o->fmt))
			return (int)i;
	for (i = 0; i < MEDIA_MAX_OUTPUTS && e->feed[i].used; i++)
		;
	if (i == MEDIA_MAX_OUTPUTS)
		return -1;
	feed_init(e, i, w->fg, w->bg, &o->fmt, now);
	f = &e->feed[i];
	f->gain = w->gain;
	f->volume = w->volume;
	f->tail = w->tail;
	f->bridge = (int16_t)w->bridge;
	if (w->bridge >= 0)
		feed_carry(e, f, e->fade[w->bridge].enc);
	if (w->fg < 0 && w->bg < 0)
		f->last_us = w->last_us;
	/* What goes on in another company goes on where it was. */
	if (old && old->kept && (old->fg == w->fg || old->bg == w->bg)) {
		memcpy(e->kept[i], e->kept[o->feed], sizeof(e->kept[i]));
		f->kept = true;
	}
	if (old)
		feed_take_over(e, f, old, old->fg == w->fg && w->fg >= 0,
			       old->bg == w->bg && w->bg >= 0);
	feed_schedule(e, i);
	return (int)i;
}

static const struct ramp unity = {ENGINE_UNITY, ENGINE_UNITY, 1};

/** From where a gain is to where it should be, in the time that takes. */
static struct ramp ramp_to(const struct engine *e, struct ramp r,
			   int32_t target, uint32_t rate)
{
	uint32_t ms = target < r.now ? e->ramp_down_ms : e->ramp_back_ms;
	uint64_t way = (uint64_t)abs(target - r.now);

	if (r.target == target)
		return r;
	r.target = target;
	r.step = ms ? (int32_t)(way * 1000 / (ms * (uint64_t)rate)) : 0;
	if (!ms)
		r.now = target;
	else if (!r.step)
		r.step = 1;
	return r;
}

/** The background's gain. It comes in gently where it is not at its own
 *  beginning. */
static struct ramp gain_of(const struct engine *e, const struct output *o,
			   const struct feed *old, const struct want *w,
			   uint64_t now)
{
	int32_t duck = o->fg >= 0 ? o->duck : ENGINE_UNITY;
	struct ramp r = {duck, duck, 1};

	if (old && old->bg == w->bg)
		r = old->gain;
	else if (slot_mid(e, w->bg, now))
		r.now = r.target = 0;
	return ramp_to(e, r, duck, o->fmt.rate);
}

/** A decoder with a state is always led to rest. */
static uint32_t tail_ms(const struct engine *e, const struct output *o)
{
	return codec_stateful(o->fmt.codec) && e->tail_ms < CODER_REST_MS
		       ? CODER_REST_MS
		       : e->tail_ms;
}

static struct want want_of(const struct engine *e, const struct output *o,
			   uint64_t now)
{
	const struct feed *old = o->feed >= 0 ? &e->feed[o->feed] : NULL;
	struct want w = {
		.fg = slot_runs(e, o->fg) ? o->fg : -1,
		.bg = slot_runs(e, o->bg) ? o->bg : -1,
		.gain = unity,
		.volume = unity,
		.bridge = old ? old->bridge : FADE_NONE,
	};
	bool silent;

	/* Paused: until the foreground's route is taken back, even when it
	 * has come to its end. */
	if (o->fg >= 0 && !o->duck)
		w.bg = -1;
	if (w.bg >= 0)
		w.gain = gain_of(e, o, old, &w, now);
	silent = old && old->fg < 0 && old->bg < 0;
	if (w.fg >= 0 || w.bg >= 0) {
		struct ramp v = {o->volume, o->volume, 1};

		/* What goes on gets louder or softer; what begins begins
		 * right. */
		if (old && !silent && old->fg == w.fg)
			v = ramp_to(e, old->volume, o->volume, o->fmt.rate);
		w.volume = v;
		return w;
	}
	w.tail = (tail_ms(e, o) + o->fmt.ptime_ms - 1) / o->fmt.ptime_ms;
	w.last_us = old ? old->last_us : now;
	if (silent)
		w.tail = old->tail;
	return w;
}

/** Is something that sounds in a feed no longer wanted, or from anew? */
static bool is_cut(const struct engine *e, const struct feed *old,
		   const struct output *o, const struct want *w)
{
	int lead = w->fg >= 0 ? w->fg : w->bg;

	/* What has come to its own end is not cut off. */
	if (old->fg >= 0 && old->fg != w->fg && !e->slot[old->fg].finished)
		return true;
	if (old->bg >= 0 && old->bg != w->bg && !e->slot[old->bg].finished)
		return true;
	return lead >= 0 && lead == o->lead_slot &&
	       e->slot[lead].play != o->lead_play;
}

/** Has all that a feed played come to its end, in a codec whose decoders do
 *  not know that? */
static bool is_over(const struct engine *e, const struct feed *old)
{
	return codec_stateful(old->fmt.codec) &&
	       (old->fg < 0 || e->slot[old->fg].finished) &&
	       (old->bg < 0 || e->slot[old->bg].finished);
}

/** The fade of what an output loses, FADE_NONE when it loses nothing. */
static int cut_of(struct engine *e, unsigned i, const struct want *w,
		  uint64_t now)
{
	const struct output *o = &e->output[i];

	/* What it has not been sent cannot be missed; what was cut off before
	 * that still is. */
	if (o->fresh)
		return o->fade == FADE_IN ? FADE_NONE : o->fade;
	if (o->feed >= 0 && (is_cut(e, &e->feed[o->feed], o, w) ||
			     is_over(e, &e->feed[o->feed])))
		return fade_cut(e, (unsigned)o->feed, now);
	return FADE_NONE;
}

/** Does a foreground that is new to an output begin in its middle? */
static bool begins_mid(const struct engine *e, const struct feed *f)
{
	const struct slot *s = &e->slot[f->fg];

	if (s->kind != SLOT_CLIP)
		return s->first_sent;
	return (uint64_t)f->fgc.pos * f->period_us > s->lead_us;
}

static void fall_silent(struct engine *e, unsigned i)
{
	struct output *o = &e->output[i];

	route_leave(e, i);
	fade_take(e, i, FADE_NONE);
	o->lead_slot = -1;
	atomic_store_explicit(&o->sounding, false, memory_order_relaxed);
	atomic_store_explicit(&o->level, 127, memory_order_relaxed);
}

/** @return the feed the output is in now: the hint for its neighbour */
static int place(struct engine *e, unsigned i, int hint, uint64_t now)
{
	struct output *o = &e->output[i];
	struct want w = want_of(e, o, now);
	int lead = w.fg >= 0 ? w.fg : w.bg;
	uint32_t play = lead >= 0 ? e->slot[lead].play : 0;
	bool anew = lead != o->lead_slot || play != o->lead_play;
	bool stateful = codec_stateful(o->fmt.codec);
	int feed, fade;

	if (o->feed >= 0 && fits(&e->feed[o->feed], &w, &o->fmt) &&
	    (lead < 0 || !anew))
		return o->feed;
	fade = cut_of(e, i, &w, now);
	w.bridge = stateful && fade >= 0 ? fade : FADE_NONE;
	/* What was cut off needs a packet to die away in. */
	if (lead < 0 && fade >= 0)
		w.tail += stateful || !w.tail;
	if (lead < 0 && (o->feed < 0 || !w.tail)) {
		fall_silent(e, i);
		return -1;
	}
	feed = feed_for(e, &w, o, hint, now);
	if (feed < 0) {
		fall_silent(e, i);
		return -1;
	}
	if (w.bridge >= 0 && !e->feed[feed].carry)
		fade = FADE_REST;
	if (fade == FADE_NONE && w.fg >= 0 && (anew || o->fade == FADE_IN) &&
	    begins_mid(e, &e->feed[feed]))
		fade = FADE_IN;
	fade_take(e, i, fade);
	if (feed != o->feed) {
		route_leave(e, i);
		join(e, i, feed);
	}
	/* Its feed may be the same, playing from anew. */
	if (anew || fade != FADE_NONE || o->fresh)
		e->feed[feed].joined = o->fresh = true;
	/* Silence after the last word is still that word's. */
	if (lead >= 0 && anew) {
		o->stream.mark = true;
		o->urgency = e->slot[lead].level;
		o->lead_slot = lead;
		o->lead_play = play;
	}
	atomic_store_explicit(&o->sounding, lead >= 0, memory_order_relaxed);
	if (lead < 0)
		atomic_store_explicit(&o->level, 127, memory_order_relaxed);
	return feed;
}

void route_merge(struct engine *e, unsigned feed)
{
	struct feed *f = &e->feed[feed];
	const struct want w = {.fg = f->fg,
			       .bg = f->bg,
			       .gain = f->gain,
			       .volume = f->volume,
			       .bridge = FADE_NONE};
	unsigned i = 0;

	while (i < e->n_feeds && (i == feed || !fits(&e->feed[i], &w, &f->fmt)))
		i++;
	if (i == e->n_feeds)
		return;
	f->merge = true;
	for (int o = f->first; o >= 0; o = e->output[o].next)
		route_dirty_output(e, (unsigned)o);
}

void route_settle(struct engine *e, uint64_t now)
{
	int hint = -1;

	if (!e->is_dirty)
		return;
	e->is_dirty = false;
	for (unsigned w = 0; w < MEDIA_MAX_OUTPUTS / 64; w++) {
		uint64_t bits = e->dirty[w];

		e->dirty[w] = 0;
		while (bits) {
			unsigned i = w * 64 + (unsigned)__builtin_ctzll(bits);

			bits &= bits - 1;
			if (e->output[i].used)
				hint = place(e, i, hint, now);
		}
	}
	fade_settle(e);
}
