/*
 * Legs that play a tape: while the slot that plays one runs, a frame of it goes
 * the way of a caller's packet, at our own pace. A slot that is paused leaves
 * the tape where it is.
 */
#include "zones/engine/engine.h"

#define FRAME_US (TAPE_FRAME_MS * UINT64_C(1000))

static void put(struct engine *e, struct leg *l, uint64_t now)
{
	uint8_t *frame = e->tape_frame;
	uint32_t n = tape_samples(l->fmt.rate);

	/* A frame that is not there is one that was lost. */
	if (tape_take(l->tape, frame))
		playout_put(l->playout, 0, l->tape_seq, l->tape_ts, frame,
			    2 * n, now);
	l->tape_seq++;
	l->tape_ts += n;
}

void deck_run(struct engine *e, int leg, bool on, uint64_t now)
{
	struct leg *l = leg >= 0 ? &e->leg[leg] : NULL;

	if (!l || !l->used || !l->tape)
		return;
	l->tape_us = on ? now + FRAME_US : ENGINE_NEVER;
	if (on) {
		playout_restart(l->playout);
		put(e, l, now);
	}
	e->leg_due[leg] = l->tape_us;
}

void deck_turn(struct engine *e, unsigned leg, uint64_t now)
{
	struct leg *l = &e->leg[leg];

	put(e, l, now);
	l->tape_us += FRAME_US;
	/* We were stopped: it goes on from now, nothing of it is left out. */
	if (l->tape_us + e->skip_us < now)
		l->tape_us = now + FRAME_US;
	e->leg_due[leg] = l->tape_us;
	feed_schedule_leg(e, leg);
}
