/*
 * Who hears what: each output is in the one feed that makes its packets, or
 * in none while it is silent. A batch of commands only marks outputs; they
 * move here, all at once, before anything more is sent: so on one address the
 * lower source has sent its last packet when the higher one sends its first
 * (DESIGN rule 2).
 */
#include "zones/engine/engine.h"

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
		f->used = false;
		e->feed_due[o->feed] = ENGINE_NEVER;
	}
	o->feed = o->prev = o->next = -1;
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
	int32_t gain, target;
	uint32_t tail;
	uint64_t last_us; /**< of the tail: keeps the packets' distance */
};

static bool fits(const struct feed *f, const struct want *w,
		 const struct format *fmt)
{
	if (!f->used || f->fg != w->fg || f->bg != w->bg ||
	    !format_equal(&f->fmt, fmt))
		return false;
	if (w->fg < 0 && w->bg < 0)
		return f->tail == w->tail && f->last_us == w->last_us;
	return w->bg < 0 || (f->gain == w->gain && f->target == w->target);
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
	feed_init(e, i, w->fg, w->bg, &o->fmt, w->gain, w->target, now);
	f = &e->feed[i];
	f->tail = w->tail;
	if (w->fg < 0 && w->bg < 0)
		f->last_us = w->last_us;
	/* What goes on in another company goes on where it was. */
	if (old && old->fg == w->fg && w->fg >= 0)
		f->fgc = old->fgc;
	if (old && old->bg == w->bg && w->bg >= 0)
		f->bgc = old->bgc;
	feed_schedule(e, i);
	return (int)i;
}

static struct want want_of(const struct engine *e, const struct output *o,
			   uint64_t now)
{
	const struct feed *old = o->feed >= 0 ? &e->feed[o->feed] : NULL;
	struct want w = {
		.fg = slot_runs(e, o->fg) ? o->fg : -1,
		.bg = slot_runs(e, o->bg) ? o->bg : -1,
		.target = o->fg >= 0 ? o->duck : ENGINE_UNITY,
	};
	uint32_t frames;

	w.gain = old && old->bg == w.bg && w.bg >= 0 ? old->gain : w.target;
	if (w.fg < 0 && !w.target)
		w.bg = -1;
	if (w.fg >= 0 || w.bg >= 0)
		return w;
	w.gain = w.target = 0;
	frames = (e->tail_ms + o->fmt.ptime_ms - 1) / o->fmt.ptime_ms;
	w.tail = frames;
	w.last_us = now;
	if (old) {
		bool silent = old->fg < 0 && old->bg < 0;

		w.tail = silent ? old->tail : frames;
		w.last_us = old->last_us;
	}
	return w;
}

/** @return the feed the output is in now: the hint for its neighbour */
static int place(struct engine *e, unsigned i, int hint, uint64_t now)
{
	struct output *o = &e->output[i];
	struct want w = want_of(e, o, now);
	int lead = w.fg >= 0 ? w.fg : w.bg;
	uint32_t play = lead >= 0 ? e->slot[lead].play : 0;
	int feed;

	if (o->feed >= 0 && fits(&e->feed[o->feed], &w, &o->fmt) &&
	    lead == o->lead_slot && play == o->lead_play)
		return o->feed;
	if (lead < 0 && (o->feed < 0 || !w.tail)) {
		route_leave(e, i);
		o->lead_slot = -1;
		atomic_store_explicit(&o->sounding, false,
				      memory_order_relaxed);
		atomic_store_explicit(&o->level, 127, memory_order_relaxed);
		return -1;
	}
	feed = feed_for(e, &w, o, hint, now);
	if (feed != o->feed) {
		route_leave(e, i);
		if (feed < 0)
			return -1;
		join(e, i, feed);
	}
	/* Silence after the last word is still that word's. */
	if (lead >= 0 && (lead != o->lead_slot || play != o->lead_play)) {
		o->stream.mark = true;
		o->lead_slot = lead;
		o->lead_play = play;
	}
	atomic_store_explicit(&o->sounding, lead >= 0, memory_order_relaxed);
	if (lead < 0)
		atomic_store_explicit(&o->level, 127, memory_order_relaxed);
	return feed;
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
}
