/*
 * Rooms: calls that hear one another. Each leg is sent, at its own packet
 * times and in its own codec, the sum of what all others in its room say, read
 * off their playout buffers as a background is: without its own voice, which
 * would be an echo.
 */
#include "zones/engine/engine.h"

#include <string.h>

/** Lets a leg hear the one on that seat, from now on. */
static void listen_to(struct leg *l, unsigned seat, const struct leg *talker,
		      uint64_t now)
{
	playout_reader_init(&l->ear[seat],
			    (uint32_t)(talker->fmt.clock * UINT64_C(1) *
				       l->fmt.ptime_ms / 1000),
			    l->fmt.ptime_ms * UINT64_C(1000), now);
}

void room_changed(struct engine *e, unsigned leg, uint64_t now)
{
	struct leg *l = &e->leg[leg];
	const struct room *r = l->room ? &e->room[l->room - 1] : NULL;
	unsigned own = 0;

	if (!r)
		return;
	while (r->seat[own] != leg + 1)
		own++;
	for (unsigned k = 0; k < MEDIA_ROOM_LEGS; k++) {
		if (k == own || !r->seat[k])
			continue;
		listen_to(l, k, &e->leg[r->seat[k] - 1], now);
		listen_to(&e->leg[r->seat[k] - 1], own, l, now);
	}
}

void room_release(struct engine *e, struct leg *l)
{
	coders_put(e, l->fmt.codec, l->enc, NULL);
	l->enc = NULL;
}

static void leave(struct engine *e, unsigned leg)
{
	struct leg *l = &e->leg[leg];
	struct room *r = &e->room[l->room - 1];

	for (unsigned k = 0; k < MEDIA_ROOM_LEGS; k++)
		if (r->seat[k] == leg + 1)
			r->seat[k] = 0;
	room_release(e, l);
	l->room = 0;
}

void room_join(struct engine *e, unsigned leg, int room, uint64_t now)
{
	struct leg *l = &e->leg[leg];
	unsigned k = 0;

	if (l->room)
		leave(e, leg);
	if (room < 0)
		return;
	while (k < MEDIA_ROOM_LEGS && e->room[room].seat[k])
		k++;
	if (k == MEDIA_ROOM_LEGS)
		return; /* the control side keeps count */
	e->room[room].seat[k] = (uint16_t)(leg + 1);
	l->room = (unsigned)room + 1;
	room_changed(e, leg, now);
}

/** What a talker says next, in the listener's rate. */
static const int16_t *said(struct engine *e, const struct leg *l,
			   const struct leg *talker, struct playout_reader *ear,
			   uint32_t n, uint64_t now)
{
	int16_t *in = e->pcm[2], *out = e->pcm[1];

	playout_follow(talker->playout, ear, now);
	if (talker->fmt.rate == l->fmt.rate) {
		playout_pcm(talker->playout, ear, 0, out);
	} else {
		struct polyphase *table = e->rate[engine_rate(talker->fmt.rate)]
						 [engine_rate(l->fmt.rate)];
		uint32_t history = polyphase_history(table);

		playout_pcm(talker->playout, ear, history, in);
		polyphase_run(table, out, n, in + history);
	}
	return out;
}

/** Sums up all others; false when there are none. */
static bool sum_up(struct engine *e, struct leg *l, uint32_t n, uint64_t now)
{
	const struct room *r = &e->room[l->room - 1];
	bool any = false;

	memset(e->sum, 0, n * sizeof(e->sum[0]));
	for (unsigned k = 0; k < MEDIA_ROOM_LEGS; k++) {
		const struct leg *t =
			r->seat[k] ? &e->leg[r->seat[k] - 1] : NULL;
		const int16_t *pcm;

		/* Who is on hold is not heard. */
		if (!t || t == l || !t->recv)
			continue;
		pcm = said(e, l, t, &l->ear[k], n, now);
		for (uint32_t i = 0; i < n; i++)
			e->sum[i] += pcm[i];
		any = true;
	}
	return any;
}

static const uint8_t *encode(struct engine *e, struct leg *l, uint32_t n,
			     size_t *bytes)
{
	if (!codec_stateful(l->fmt.codec)) {
		codec_encode(l->fmt.codec, e->summed, e->pcm[0], n);
		*bytes = format_bytes(&l->fmt);
		engine_count(&e->encodes, 1);
		return e->summed;
	}
	if (!l->enc) {
		l->enc = coders_encoder(e, l->fmt.codec);
		if (l->enc)
			encoder_reset(l->enc, &l->fmt, EFFORT_LIVE);
	}
	if (!l->enc) {
		engine_count(&e->uncoded, 1);
		return NULL;
	}
	*bytes = encoder_run(l->enc, e->summed, e->pcm[0]);
	engine_count(&e->encodes, 1);
	return e->summed;
}

const uint8_t *room_payload(struct engine *e, struct leg *l, size_t *bytes,
			    uint64_t now)
{
	uint32_t n = format_samples(&l->fmt);

	/* A decoder that has heard something is told of the silence too. */
	if (!l->room || (!sum_up(e, l, n, now) && !l->enc))
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		int32_t v = e->sum[i];

		e->pcm[0][i] = v > INT16_MAX   ? INT16_MAX
			       : v < INT16_MIN ? INT16_MIN
					       : (int16_t)v;
	}
	return encode(e, l, n, bytes);
}
