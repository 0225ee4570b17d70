/*
 * Legs that listen to Polycom phones: a group page or push-to-talk channel.
 *
 * A packet repeats the frame before its own, so one that is lost can be had
 * from the next, a frame later than its time. Therefore all sound of such a
 * talk is due one frame later than that of RTP: what comes in time is put into
 * the buffer as if it came so much later, what comes again as it comes.
 */
#include "zones/engine/engine.h"
#include "zones/engine/polycom.h"

/** Ticks of all of Polycom's codecs in a millisecond. */
#define TICKS_MS 8
/** Alerts speak for the first sound that follows within this time; by the
 *  advisory it is 969 ms after the first and 50 ms after the last. */
#define ALERTED_US 2000000

static bool is_ours(const struct engine *e, uint32_t serial)
{
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++) {
		const struct line *l = e->output[i].line;

		if (e->output[i].used && l && l->ptt &&
		    l->ptt->cfg.serial == serial)
			return true;
	}
	return false;
}

/** How long a frame is, which no packet says: by how far the next one's time
 *  is ahead. Where nothing was lost, packets with the frame before them are
 *  twice as long as that. */
static void learn_step(struct listen_polycom *s, const struct polycom *p)
{
	uint32_t d = p->ts - s->last_ts;
	size_t one;

	if (!s->any || d < 10 * TICKS_MS || d > LISTEN_MAX_MS * TICKS_MS)
		return;
	one = polycom_bytes(p->codec, d);
	if (one && p->len == 2 * one)
		s->step = d;
	else if (!s->step && one && p->len == one && ++s->alone >= 4)
		s->step = d; /* never two frames: none was repeated */
	else if (p->len != one)
		s->alone = 0;
}

static void put(struct leg *l, uint32_t ts, const uint8_t *sound, size_t len,
		uint64_t now)
{
	struct listen_polycom *s = &l->listen->polycom;
	uint32_t n = (uint32_t)len;

	/* RTP's numbers, which there are none of, by time. */
	if (n != s->frame) {
		s->seq0 = (uint16_t)(s->seq + 1);
		s->ts0 = ts;
		s->frame = n;
	}
	s->seq = (uint16_t)(s->seq0 + (int32_t)(ts - s->ts0) / (int32_t)n);
	playout_put(l->playout, l->talker, s->seq, ts, sound, len, now);
}

static void sound(struct leg *l, const struct polycom *p, uint64_t now)
{
	struct listen_polycom *s = &l->listen->polycom;
	const uint8_t *cur, *prev;
	uint64_t frame_us;
	uint32_t back;
	size_t len;

	learn_step(s, p);
	cur = polycom_frame(p, s->step, &prev, &len);
	frame_us = len * 1000 / TICKS_MS;
	back = p->ts - (uint32_t)len;
	if (prev && s->any && p->ts != s->last_ts &&
	    (s->passed || back != s->last_ts))
		put(l, back, prev, len, now);
	s->passed = false;
	put(l, p->ts, cur, len, now + frame_us);
	s->any = true;
	s->last_ts = p->ts;
}

/** May this packet's sound be heard by its codec and size? */
static bool fits(struct listen *s, const struct polycom *p,
		 const union endpoint *from)
{
	static const uint8_t codecs[CODEC_COUNT] = {
		[CODEC_PCMU] = POLYCOM_PCMU,
		[CODEC_PCMA] = POLYCOM_PCMA,
		[CODEC_G722] = POLYCOM_G722,
	};
	const uint8_t *prev;
	size_t len;

	if (p->codec != codecs[s->fmt.codec]) {
		atomic_store_explicit(&s->last_type, p->codec,
				      memory_order_relaxed);
		listen_drop(s, UNHEARD_TYPE, from);
		return false;
	}
	polycom_frame(p, s->polycom.step, &prev, &len);
	if (len < LISTEN_MIN_MS * TICKS_MS || len > LISTEN_MAX_MS * TICKS_MS) {
		atomic_store_explicit(&s->last_size, (uint16_t)p->len,
				      memory_order_relaxed);
		listen_drop(s, UNHEARD_SIZE, from);
		return false;
	}
	return true;
}

static void begin(struct engine *e, struct leg *l, const struct polycom *p,
		  const union endpoint *from)
{
	struct listen_polycom *s = &l->listen->polycom;

	s->any = s->passed;
	s->last_ts = s->called_ts;
	s->step = s->frame = 0;
	s->alone = 0;
	playout_restart(l->playout);
	listen_begin(l->listen, from, p->serial);
	l->talks = true;
	l->talker = p->serial;
	l->streams++;
	e->owing = true;
}

/** He is about to talk. */
static void called(struct listen_polycom *s, const struct polycom *p,
		   uint64_t now)
{
	s->called = true;
	s->caller = p->serial;
	s->called_us = now;
	s->passed = false;
}

/** Is this sound heard: does he talk, or begin to? */
static bool talks(struct engine *e, struct leg *l, const struct polycom *p,
		  const union endpoint *from, uint64_t now)
{
	struct listen_polycom *s = &l->listen->polycom;

	if (l->talks && l->talker == p->serial)
		return true;
	/* Of two that talk at once the lowest serial keeps on, and the phone
	 * of the other stops by itself. */
	if (l->talks && p->serial > l->talker) {
		listen_drop(l->listen, UNHEARD_SECOND, from);
		return false;
	}
	/* Alerts may all be lost; then a second packet must speak for him, and
	 * the sound of the first is had from it. */
	if (!s->called || s->caller != p->serial ||
	    now - s->called_us > ALERTED_US) {
		called(s, p, now);
		s->passed = true;
		s->called_ts = p->ts;
		return false;
	}
	begin(e, l, p, from);
	return true;
}

void hear_polycom(struct engine *e, unsigned leg, const union endpoint *from,
		  const uint8_t *buf, size_t len, uint64_t now)
{
	struct leg *l = &e->leg[leg];
	struct listen *s = l->listen;
	struct polycom p;

	if (polycom_decode(&p, buf, len)) {
		atomic_store_explicit(&s->last_type, MEDIA_NO_TYPE,
				      memory_order_relaxed);
		listen_drop(s, UNHEARD_TYPE, from);
		return;
	}
	/* All groups and channels of a site share one address. */
	if (p.channel != s->polycom.channel)
		return;
	if (!(l->talks && l->talker == p.serial) && is_ours(e, p.serial)) {
		listen_drop(s, UNHEARD_OWN, from);
		return;
	}
	switch (p.op) {
	case POLYCOM_ALERT:
		if (!l->talks || p.serial < l->talker)
			called(&s->polycom, &p, now);
		if (l->talks && l->talker == p.serial)
			l->silent_us = now + s->hang_us;
		break;
	case POLYCOM_END:
		/* A dozen of them; the first that comes ends it. */
		if (s->polycom.caller == p.serial)
			s->polycom.called = false;
		if (l->talks && l->talker == p.serial)
			hear_end(e, leg);
		break;
	case POLYCOM_TRANSMIT:
		if (!fits(s, &p, from) || !talks(e, l, &p, from, now))
			break;
		atomic_fetch_add_explicit(&s->heard, 1, memory_order_relaxed);
		sound(l, &p, now);
		l->silent_us = now + s->hang_us;
		break;
	}
}
