/*
 * Legs that listen: somebody else's stream on a group, or sent to us.
 *
 * What is heard goes the way of a caller's sound, into the leg's playout
 * buffer. Our own sound coming back (a box that bridges two groups) is known by
 * its SSRC, as the source or among the contributing ones, and is never taken:
 * it would feed itself.
 */
#include "zones/engine/engine.h"

#include "controller/base/wire.h"

static bool is_ours(const struct engine *e, uint32_t ssrc)
{
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++)
		if (e->output[i].used && e->output[i].stream.ssrc == ssrc)
			return true;
	return false;
}

/** Is our own stream the source, or one that a mixer took in? */
static bool is_loop(const struct engine *e, const struct packet *p,
		    const uint8_t *buf)
{
	bool loop = is_ours(e, p->ssrc);

	for (unsigned i = 0; !loop && i < (buf[0] & 0x0fu); i++) {
		struct wire w = wire_reader(buf + PACKET_HEADER + 4 * i, 4);

		loop = is_ours(e, wire_u32(&w));
	}
	return loop;
}

static void put(struct leg *l, const struct packet *p, uint64_t now)
{
	playout_put(l->playout, p->ssrc, p->seq, p->ts, p->payload, p->len,
		    now);
}

static void begin(struct engine *e, struct leg *l, const struct packet *p,
		  uint64_t now)
{
	const struct listen *s = l->listen;
	const struct packet first = {
		.pt = p->pt,
		.seq = s->first.seq,
		.ts = s->first.ts,
		.ssrc = p->ssrc,
		.payload = s->first.payload,
		.len = s->first.len,
	};

	/* Now, not when it came: else its time would be over. */
	playout_restart(l->playout);
	put(l, &first, now);
	put(l, p, now);
	l->talks = true;
	l->talker = p->ssrc;
	l->streams++;
	e->owing = true;
}

void hear(struct engine *e, unsigned leg, const union endpoint *from,
	  const uint8_t *buf, size_t len, uint64_t now)
{
	struct leg *l = &e->leg[leg];
	struct listen *s = l->listen;
	struct packet p;

	/* The clock has passed his end, only nobody has looked yet. */
	if (l->talks && now >= l->silent_us)
		hear_end(e, leg);
	if (!listen_allowed(s, from))
		return;
	if (s->polycom.channel) {
		hear_polycom(e, leg, from, buf, len, now);
		return;
	}
	if (packet_decode(&p, buf, len)) {
		atomic_store_explicit(&s->last_type, MEDIA_NO_TYPE,
				      memory_order_relaxed);
		listen_drop(s, UNHEARD_TYPE, from);
		return;
	}
	/* Who talks is known: only others are compared with all of ours. */
	if (!(l->talks && p.ssrc == s->ssrc && !(buf[0] & 0x0f)) &&
	    is_loop(e, &p, buf)) {
		listen_drop(s, UNHEARD_OWN, from);
		return;
	}
	switch (listen_judge(s, from, &p, now)) {
	case LISTEN_BEGINS:
		begin(e, l, &p, now);
		break;
	case LISTEN_GOES_ON:
		put(l, &p, now);
		break;
	case LISTEN_KEPT:
	case LISTEN_NOT:
		return;
	}
	l->silent_us = now + s->hang_us;
}

void hear_end(struct engine *e, unsigned leg)
{
	struct leg *l = &e->leg[leg];

	listen_end(l->listen);
	l->talks = false;
	l->silent_us = ENGINE_NEVER;
	e->owing = true;
}
