/*
 * Legs whose sound is kept on a reel, to be played when the talker is done: it
 * is read off the leg's playout buffer like a zone would, frame by frame.
 *
 * Nothing is kept before his first packet, nor while he is on hold.
 */
#include "zones/engine/engine.h"

#define FRAME_MS 20
#define FRAME_US (FRAME_MS * UINT64_C(1000))
/** More than the playout buffer can hold. */
#define REST (2 * PLAYOUT_MAX_DELAY_US / FRAME_US)

void record_rejoin(struct leg *l, uint64_t now)
{
	playout_reader_init(&l->reader, l->fmt.clock / (1000 / FRAME_MS),
			    FRAME_US, now);
}

static void over(struct engine *e, struct leg *l)
{
	l->reel = NULL;
	l->owe_recorded = true;
	e->owing = true;
}

void record_begin(struct engine *e, unsigned leg, struct reel *reel,
		  uint64_t now)
{
	struct leg *l = &e->leg[leg];

	if (l->reel)
		over(e, l);
	l->reel = reel;
	record_rejoin(l, now);
}

uint64_t record_due(struct leg *l)
{
	return l->reel && l->recv ? playout_due(l->playout, &l->reader)
				  : ENGINE_NEVER;
}

/** Keeps the frame taken. */
static void keep(struct engine *e, struct leg *l)
{
	uint32_t from = l->fmt.rate, to = reel_rate(l->reel);
	uint32_t n = to / (1000 / FRAME_MS);
	int16_t *in = e->pcm[2], *out = e->pcm[0];

	if (!l->reader.frame.epoch)
		return;
	if (from == to) {
		playout_pcm(l->playout, &l->reader, 0, out);
	} else {
		/* He was given another codec since it began. */
		struct polyphase *table =
			e->rate[engine_rate(from)][engine_rate(to)];
		uint32_t history = polyphase_history(table);

		playout_pcm(l->playout, &l->reader, history, in);
		polyphase_run(table, out, n, in + history);
	}
	if (!reel_put(l->reel, out, n))
		over(e, l);
}

void record_turn(struct engine *e, unsigned leg, uint64_t now)
{
	struct leg *l = &e->leg[leg];

	if (playout_take(l->playout, &l->reader, now) != PLAYOUT_WAIT)
		keep(e, l);
}

void record_end(struct engine *e, unsigned leg)
{
	struct leg *l = &e->leg[leg];

	/* What has come but is not due yet was said, too. */
	for (unsigned k = 0; l->reel && l->recv && k < REST; k++) {
		uint64_t due = playout_due(l->playout, &l->reader);

		if (playout_take(l->playout, &l->reader, due) != PLAYOUT_SOUND)
			break;
		keep(e, l);
	}
	if (l->reel)
		over(e, l);
}
