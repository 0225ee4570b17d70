/*
 * Slots: what sounds, and when.
 *
 * A clip lies on a line of time that begins at t0; packet `pos` of a format is
 * due at t0 + pos * ptime, heard or not. Lead silence, cycles and the places
 * where a pause may hold it are whole numbers of `grid_us`, in which every
 * output's packet time is contained: so all formats stay together however
 * often a message repeats.
 *
 * A live source follows its leg's playout buffer (playout.h).
 */
#include "zones/engine/engine.h"

#include <math.h>
#include <string.h>

/** Largest common multiple of packet times that is still used as the grid. */
#define MAX_GRID_MS 240
/** A decoder that begins in the middle of a clip is given so much before. */
#define WARM_MS 100
/** Most gain applied to live sound: 40 dB. */
#define MAX_GAIN_CB 400

static uint32_t gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t t = a % b;

		a = b;
		b = t;
	}
	return a;
}

static uint64_t up_to(uint64_t v, uint64_t step)
{
	return (v + step - 1) / step * step;
}

bool slot_runs(const struct engine *e, int i)
{
	const struct slot *s = i >= 0 ? &e->slot[i] : NULL;

	return s && s->kind != SLOT_FREE && !s->paused && !s->finished;
}

bool slot_mid(const struct engine *e, int i, uint64_t now)
{
	const struct slot *s = &e->slot[i];

	if (s->kind != SLOT_CLIP)
		return s->first_sent;
	/* Its first packets may go out up to a packet time late. */
	return now > s->t0 + s->lead_us + ENGINE_GRID_US / 2;
}

struct playout *slot_playout(const struct engine *e, const struct slot *s)
{
	if (s->kind != SLOT_LIVE || s->leg < 0 || !e->leg[s->leg].used)
		return NULL;
	return e->leg[s->leg].playout;
}

static void set_end(struct engine *e, unsigned i)
{
	struct slot *s = &e->slot[i];

	e->slot_due[i] = slot_runs(e, (int)i) && s->end_us != ENGINE_NEVER
				 ? s->t0 + s->end_us
				 : ENGINE_NEVER;
}

/** Finds the grid, and the lengths that all formats in use have in common. */
static void measure(struct engine *e, struct slot *s, uint32_t lead_ms)
{
	uint32_t grid_ms = 1;
	uint64_t cycle = 0, sound = 0;

	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++) {
		const struct format *f = &e->output[i].fmt;
		uint64_t period = f->ptime_ms * UINT64_C(1000);
		uint32_t lcm;
		int idx;

		if (!e->output[i].used)
			continue;
		/* Neighbours mostly have the same format. */
		if (i && e->output[i - 1].used &&
		    format_equal(f, &e->output[i - 1].fmt))
			continue;
		idx = clip_format(s->clip, f);
		if (idx < 0)
			continue;
		lcm = grid_ms / gcd(grid_ms, f->ptime_ms) * f->ptime_ms;
		if (lcm <= MAX_GRID_MS)
			grid_ms = lcm;
		if (clip_cycle_frames(s->clip, idx) * period > cycle)
			cycle = clip_cycle_frames(s->clip, idx) * period;
		if (clip_frames(s->clip, idx) * period > sound)
			sound = clip_frames(s->clip, idx) * period;
	}
	if (!cycle) {
		/* No output can carry it; it runs its time all the same. */
		cycle = sound = clip_ms(s->clip) * UINT64_C(1000);
		grid_ms = 20;
	}
	s->grid_us = grid_ms * UINT64_C(1000);
	s->cycle_us = up_to(cycle, s->grid_us);
	s->lead_us = up_to(lead_ms * UINT64_C(1000), s->grid_us);
	s->end_us = s->cycles
			    ? s->lead_us + (s->cycles - 1) * s->cycle_us + sound
			    : ENGINE_NEVER;
}

static void begin(struct engine *e, unsigned i, enum slot_kind kind,
		  uint64_t tag)
{
	struct slot *s = &e->slot[i];
	uint32_t play = s->play + 1;
	unsigned owed = s->owed & OWE_FREE;
	uint64_t old_tag = s->tag;

	*s = (struct slot){
		.kind = kind,
		.tag = tag,
		.old_tag = old_tag,
		.leg = -1,
		.play = play,
		.owed = owed,
		.end_us = ENGINE_NEVER,
	};
	route_dirty_slot(e, i);
}

void slot_play(struct engine *e, unsigned i, const struct command *c,
	       uint64_t now)
{
	struct slot *s = &e->slot[i];

	if (s->kind != SLOT_FREE)
		slot_stop(e, i, now);
	begin(e, i, SLOT_CLIP, c->play.tag);
	s->clip = c->play.clip;
	s->cycles = c->play.cycles;
	s->t0 = now;
	measure(e, s, c->play.lead_ms);
	set_end(e, i);
}

void slot_live(struct engine *e, unsigned i, const struct command *c,
	       uint64_t now)
{
	if (e->slot[i].kind != SLOT_FREE)
		slot_stop(e, i, now);
	begin(e, i, SLOT_LIVE, c->live.tag);
	e->slot[i].leg = (int)c->live.leg;
	e->slot_due[i] = ENGINE_NEVER;
	deck_run(e, e->slot[i].leg, true, now);
}

/** Feeds of the slot look anew where it is. */
static void replace_cursors(struct engine *e, unsigned i, uint64_t now)
{
	for (unsigned k = 0; k < e->n_feeds; k++) {
		struct feed *f = &e->feed[k];

		if (!f->used)
			continue;
		if (f->fg == (int)i)
			cursor_init(e, &f->fgc, f->fg, f, now);
		if (f->bg == (int)i)
			cursor_init(e, &f->bgc, f->bg, f, now);
		if (f->fg == (int)i || f->bg == (int)i)
			feed_schedule(e, k);
	}
}

void slots_leg_changed(struct engine *e, unsigned leg, uint64_t now)
{
	for (unsigned i = 0; i < MEDIA_MAX_SLOTS; i++)
		if (e->slot[i].kind == SLOT_LIVE && e->slot[i].leg == (int)leg)
			replace_cursors(e, i, now);
}

void slots_leg_gone(struct engine *e, unsigned leg)
{
	for (unsigned i = 0; i < MEDIA_MAX_SLOTS; i++)
		if (e->slot[i].kind == SLOT_LIVE && e->slot[i].leg == (int)leg)
			e->slot[i].leg = -1;
}

void slot_restart(struct engine *e, unsigned i, uint64_t now)
{
	struct slot *s = &e->slot[i];

	if (s->kind != SLOT_CLIP)
		return;
	fade_cut_slot(e, i, now);
	s->t0 = now;
	s->paused_us = now;
	s->gathered = false;
	s->finished = false;
	s->play++;
	set_end(e, i);
	replace_cursors(e, i, now);
	route_dirty_slot(e, i);
}

void slot_pause(struct engine *e, unsigned i, bool paused, uint64_t now)
{
	struct slot *s = &e->slot[i];

	if (s->kind == SLOT_FREE || s->paused == paused)
		return;
	s->paused = paused;
	if (s->kind == SLOT_LIVE)
		deck_run(e, s->leg, !paused, now);
	if (s->kind == SLOT_CLIP && paused) {
		s->paused_us = now;
	} else if (s->kind == SLOT_CLIP) {
		/* It goes on with the packet after the last one sent, at
		 * once. */
		uint64_t pos = s->paused_us > s->t0 ? s->paused_us - s->t0 : 0;

		s->t0 = now - up_to(pos, s->grid_us);
		s->gathered = false;
	}
	set_end(e, i);
	route_dirty_slot(e, i);
}

void slot_stop(struct engine *e, unsigned i, uint64_t now)
{
	struct slot *s = &e->slot[i];

	if (s->kind == SLOT_FREE)
		return;
	fade_cut_slot(e, i, now);
	deck_run(e, s->leg, false, now);
	s->kind = SLOT_FREE;
	s->clip = NULL;
	s->leg = -1;
	s->owed |= OWE_FREE;
	e->owing = true;
	e->slot_due[i] = ENGINE_NEVER;
	for (unsigned k = 0; k < MEDIA_MAX_OUTPUTS; k++) {
		struct output *o = &e->output[k];

		if (!o->used || (o->fg != (int)i && o->bg != (int)i))
			continue;
		o->fg = o->fg == (int)i ? -1 : o->fg;
		o->bg = o->bg == (int)i ? -1 : o->bg;
		route_dirty_output(e, k);
	}
}

void slot_ends(struct engine *e, uint64_t horizon)
{
	for (unsigned i = 0; i < MEDIA_MAX_SLOTS; i++) {
		if (e->slot_due[i] > horizon)
			continue;
		e->slot_due[i] = ENGINE_NEVER;
		e->slot[i].finished = true;
		e->slot[i].owed |= OWE_FINISHED;
		e->owing = true;
		route_dirty_slot(e, i);
	}
}

bool slot_gather(struct engine *e, unsigned i, uint64_t now)
{
	struct slot *s = &e->slot[i];
	uint64_t off = s->t0 % ENGINE_GRID_US;

	if (s->kind != SLOT_CLIP || s->gathered || now < s->gather_us)
		return false;
	/* Earlier, never later: no receiver runs dry by it. */
	s->t0 -= off < ENGINE_GATHER_US ? off : ENGINE_GATHER_US;
	s->gathered = off <= ENGINE_GATHER_US;
	s->gather_us = now + ENGINE_GRID_US / 2;
	set_end(e, i);
	return true;
}

/* ---------------------------------------------------------------- cursors */

void cursor_init(struct engine *e, struct cursor *c, int slot,
		 const struct feed *f, uint64_t now)
{
	const struct slot *s = &e->slot[slot];
	uint64_t period = f->period_us;

	if (s->kind == SLOT_LIVE) {
		const struct playout *p = slot_playout(e, s);
		uint32_t n = f->n;

		if (p)
			n = (uint32_t)(e->leg[s->leg].fmt.clock * UINT64_C(1) *
				       f->fmt.ptime_ms / 1000);
		playout_reader_init(&c->reader, n, period, now);
		return;
	}
	c->idx = clip_format(s->clip, &f->fmt);
	/* What this source did last may lie up to the coalescing time ahead
	 * of now; and a packet just due is not left out. */
	c->pos = now > s->t0 ? (int64_t)((now - s->t0 + period - 1) / period)
			     : 0;
}

uint64_t cursor_due(struct engine *e, struct cursor *c, int slot,
		    const struct feed *f)
{
	const struct slot *s = &e->slot[slot];
	const struct playout *p;

	if (s->kind == SLOT_CLIP)
		return s->t0 + (uint64_t)c->pos * f->period_us;
	p = slot_playout(e, s);
	return p ? playout_due(p, &c->reader)
		 : c->reader.last_us + f->period_us;
}

/** The clip's packet at a position. */
static const uint8_t *clip_at(const struct engine *e, const struct cursor *c,
			      const struct slot *s, const struct feed *f,
			      int64_t pos, struct made *made)
{
	uint64_t at = (uint64_t)pos * f->period_us;
	bool again;
	uint64_t i;

	made->level = 127;
	if (c->idx < 0 || at < s->lead_us ||
	    (s->cycles && at - s->lead_us >= s->cycle_us * s->cycles))
		return engine_silence(e, &f->fmt, &made->bytes);
	again = at - s->lead_us >= s->cycle_us;
	i = (at - s->lead_us) % s->cycle_us / f->period_us;
	if (i >= clip_cycle_frames(s->clip, c->idx))
		return engine_silence(e, &f->fmt, &made->bytes);
	made->level = clip_level(s->clip, c->idx, (uint32_t)i);
	return clip_payload(s->clip, c->idx, again, (uint32_t)i, &made->bytes);
}

/** A packet of the clip as samples; of Opus, those of the one before (see
 *  decoder_align). */
static void decode(struct engine *e, struct cursor *c, const struct slot *s,
		   const struct feed *f, int64_t pos, int16_t *dst)
{
	struct made made;
	const uint8_t *p = clip_at(e, c, s, f, pos, &made);

	/* G.722's decoder hums a little where nothing was encoded. */
	if (decoder_run(c->dec, dst, f->n, p, made.bytes) != f->n ||
	    (made.level == 127 && f->fmt.codec == CODEC_G722))
		memset(dst, 0, f->n * sizeof(*dst));
	if (f->fmt.codec == CODEC_OPUS)
		decoder_align(c->dec, dst, f->n);
}

/** Decodes the packets before the cursor, so that the next one is understood.
 *  If they were sent as they are, an encoder is to go on from their sound. */
static void warm_up(struct engine *e, struct cursor *c, const struct slot *s,
		    struct feed *f)
{
	uint32_t packets = (WARM_MS + f->fmt.ptime_ms - 1) / f->fmt.ptime_ms;
	int64_t from = c->pos > packets ? c->pos - packets : 0;
	bool prime = c->continued && !f->enc;
	int64_t ahead = f->fmt.codec == CODEC_OPUS;

	decoder_reset(c->dec);
	for (int64_t pos = from; pos < c->pos + ahead; pos++) {
		decode(e, c, s, f, pos, e->pcm[2]);
		if (prime && pos >= from + ahead)
			feed_prime(e, f, e->pcm[2]);
	}
}

/** The clip's packet at the cursor as samples, and one on. */
static void clip_samples(struct engine *e, struct cursor *c,
			 const struct slot *s, struct feed *f, int16_t *dst)
{
	enum codec codec = f->fmt.codec;
	int64_t pos = c->pos++;
	struct made made;

	if (!codec_stateful(codec)) {
		codec_decode(codec, dst, clip_at(e, c, s, f, pos, &made), f->n);
		return;
	}
	if (!c->dec) {
		c->dec = coders_decoder(e, codec);
		c->dec_pos = -1;
	}
	if (!c->dec) {
		engine_count(&e->uncoded, 1);
		memset(dst, 0, f->n * sizeof(*dst));
		return;
	}
	if (c->dec_pos != pos) {
		c->pos = pos;
		warm_up(e, c, s, f);
	}
	decode(e, c, s, f, pos + (codec == CODEC_OPUS), dst);
	c->dec_pos = c->pos = pos + 1;
}

static int32_t gain_q15(int cb)
{
	cb = cb > MAX_GAIN_CB ? MAX_GAIN_CB : cb;
	return (int32_t)lrint(32768 * pow(10, cb / 200.0));
}

static void apply_gain(int16_t *s, size_t n, int cb)
{
	int32_t g = gain_q15(cb);

	for (size_t i = 0; i < n; i++) {
		int64_t v = (int64_t)s[i] * g >> 15;

		s[i] = v > 32767 ? 32767 : v < -32768 ? -32768 : (int16_t)v;
	}
}

/** Takes the live source's next frame; false = wait. */
static bool live_take(const struct engine *e, struct cursor *c,
		      const struct slot *s, const struct feed *f, bool follow,
		      uint64_t now)
{
	struct playout *p = slot_playout(e, s);

	if (!p) {
		uint64_t due = c->reader.last_us + f->period_us;

		c->reader.last_us = due + e->skip_us < now ? now : due;
		return true;
	}
	if (follow)
		playout_follow(p, &c->reader, now);
	else
		return playout_take(p, &c->reader, now) != PLAYOUT_WAIT;
	return true;
}

/** The frame taken, in the feed's rate and gain. */
static void live_pcm(struct engine *e, struct cursor *c, const struct slot *s,
		     struct feed *f, int16_t *dst, uint64_t now)
{
	struct playout *p = slot_playout(e, s);
	uint32_t rate = p ? e->leg[s->leg].fmt.rate : f->fmt.rate;
	int16_t *in = e->pcm[2];

	if (!p) {
		memset(dst, 0, f->n * sizeof(*dst));
		return;
	}
	if (rate != f->fmt.rate) {
		struct polyphase *table =
			e->rate[engine_rate(rate)][engine_rate(f->fmt.rate)];
		uint32_t history = polyphase_history(table);

		playout_pcm(p, &c->reader, history, in);
		polyphase_run(table, dst, f->n, in + history);
	} else if (codec_stateful(f->fmt.codec) && !f->enc &&
		   f->fmt.ptime_ms <= 40 && f->n <= ENGINE_MAX_SAMPLES / 2) {
		playout_pcm(p, &c->reader, f->n, in);
		feed_prime(e, f, in);
		memcpy(dst, in + f->n, f->n * sizeof(*dst));
	} else {
		playout_pcm(p, &c->reader, 0, dst);
	}
	if (now < s->quiet_us)
		memset(dst, 0, f->n * sizeof(*dst));
	else if (f->fmt.gain_cb)
		apply_gain(dst, f->n, f->fmt.gain_cb);
}

bool cursor_samples(struct engine *e, struct cursor *c, int slot,
		    struct feed *f, int16_t *dst, bool follow, uint64_t now)
{
	const struct slot *s = &e->slot[slot];
	int64_t here;

	if (s->kind == SLOT_LIVE) {
		if (!live_take(e, c, s, f, follow, now))
			return false;
		live_pcm(e, c, s, f, dst, now);
		return true;
	}
	here = (int64_t)((now > s->t0 ? now - s->t0 : 0) / f->period_us);
	if (follow && (c->pos > here + 1 || c->pos < here - 1))
		c->pos = here;
	clip_samples(e, c, s, f, dst);
	return true;
}

/** The caller's own bytes, if they can be had: then no zone hears more loss
 *  than he sent. */
static bool live_coded(struct engine *e, const struct cursor *c,
		       const struct slot *s, const struct feed *f, uint8_t *dst,
		       struct made *made)
{
	struct playout *p = slot_playout(e, s);
	const struct format *from = p ? &e->leg[s->leg].fmt : NULL;

	if (!p || from->codec != f->fmt.codec || from->rate != f->fmt.rate ||
	    f->fmt.gain_cb || !playout_coded(p, &c->reader, dst, &made->bytes))
		return false;
	if (codec_stateful(f->fmt.codec))
		playout_pcm(p, &c->reader, 0, e->pcm[0]);
	else
		codec_decode(f->fmt.codec, e->pcm[0], dst, f->n);
	made->level = level_of(e->pcm[0], f->n);
	return true;
}

const uint8_t *cursor_payload(struct engine *e, struct cursor *c, int slot,
			      struct feed *f, uint8_t *dst, struct made *made,
			      uint64_t now)
{
	const struct slot *s = &e->slot[slot];
	const uint8_t *payload = dst;

	if (s->kind == SLOT_CLIP) {
		payload = clip_at(e, c, s, f, c->pos++, made);
	} else if (!live_take(e, c, s, f, false, now)) {
		made->wait = true;
		return NULL;
	} else if (now < s->quiet_us || !live_coded(e, c, s, f, dst, made)) {
		live_pcm(e, c, s, f, e->pcm[0], now);
		return feed_encode(e, f, dst, e->pcm[0], made);
	}
	/* What an encoder would go on from is history now. */
	if (f->enc) {
		coders_put(e, f->fmt.codec, f->enc, NULL);
		f->enc = NULL;
	}
	return payload;
}

uint8_t level_of(const int16_t *s, size_t n)
{
	uint64_t sum = 0;
	float db;

	for (size_t i = 0; i < n; i++)
		sum += (uint64_t)((int32_t)s[i] * s[i]);
	if (!sum)
		return 127;
	db = -10 * log10f((float)sum / (float)n / (32768.0f * 32768.0f));
	return db >= 127 ? 127 : db <= 0 ? 0 : (uint8_t)(db + 0.5f);
}
