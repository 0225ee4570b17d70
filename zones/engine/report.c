/*
 * What the control side is told. Each report is first owed, as a mark on what
 * it is about, and made at the end of a turn: when the ring is full the mark
 * stays, nothing is lost and nobody waits.
 */
#include "zones/engine/engine.h"

#include <string.h>

#include <unistd.h>

/** MEDIA_LATE comes at most so often. */
#define LATE_EVERY_US 1000000

static bool push(struct engine *e, const struct report *r)
{
	if (!ring_push(e->reports, r))
		return false;
	e->told = true;
	return true;
}

static bool tell(struct engine *e, enum media_report_type type, unsigned index,
		 uint64_t tag, uint64_t at, uint32_t n, int err)
{
	struct report r = {
		.r = {type, index, tag, at, n, err, {0}},
	};

	return push(e, &r);
}

static bool slot_reports(struct engine *e, unsigned i, uint64_t now)
{
	struct slot *s = &e->slot[i];
	/* Freed and begun anew before it could be told: the old tag. */
	uint64_t tag = s->owed & OWE_FREE && s->kind != SLOT_FREE ? s->old_tag
								  : s->tag;

	if (s->owed & OWE_FREE) {
		if (!tell(e, MEDIA_SLOT_FREE, i, tag, now, 0, 0))
			return false;
		s->owed &= ~(unsigned)OWE_FREE;
		if (s->kind == SLOT_FREE)
			s->owed = 0;
	}
	if (s->owed & OWE_FIRST) {
		if (!tell(e, MEDIA_FIRST_SENT, i, s->tag, s->first_us,
			  s->first_n, 0))
			return false;
		s->owed &= ~(unsigned)OWE_FIRST;
	}
	if (s->owed & OWE_FINISHED) {
		if (!tell(e, MEDIA_FINISHED, i, s->tag, now, 0, 0))
			return false;
		s->owed &= ~(unsigned)OWE_FINISHED;
	}
	return true;
}

static bool outcome_report(struct engine *e, unsigned i, unsigned target,
			   int err, int *told, uint64_t now)
{
	if (err == *told)
		return true;
	if (!tell(e, err ? MEDIA_OUTPUT_ERROR : MEDIA_OUTPUT_OK, i, 0, now,
		  target, err))
		return false;
	*told = err;
	return true;
}

static bool output_reports(struct engine *e, unsigned i, uint64_t now)
{
	struct output *o = &e->output[i];

	if (o->garbage) {
		struct report r = {.internal = true, .line = o->garbage};

		if (!push(e, &r))
			return false;
		o->garbage = NULL;
	}
	if (!o->used)
		return true;
	if (!outcome_report(e, i, 0, o->err, &o->err_told, now))
		return false;
	for (unsigned k = 0; o->line && k < o->line->n_fan; k++)
		if (!outcome_report(e, i, k + 1, o->line->fan[k].err,
				    &o->line->fan[k].told, now))
			return false;
	return true;
}

void report_line(struct engine *e, unsigned output, struct line *l)
{
	struct report r = {.internal = true, .line = l};

	/* As with playout buffers below. */
	if (l && !push(e, &r)) {
		e->output[output].garbage = l;
		e->owing = true;
	}
}

void report_garbage(struct engine *e, unsigned leg, struct playout *p)
{
	struct report r = {.internal = true, .garbage = p};

	/* A full ring with one buffer waiting already: this one is lost to
	 * us, which is better than a media thread that waits. */
	if (!push(e, &r)) {
		e->leg[leg].garbage = p;
		e->owing = true;
	}
}

void report_waste(struct engine *e, unsigned leg, struct callseal *c)
{
	struct report r = {.internal = true, .waste = c};

	/* As with playout buffers. */
	if (c && !push(e, &r)) {
		e->leg[leg].waste = c;
		e->owing = true;
	}
}

/** Began and ended, in this order however often it did both meanwhile. */
static bool stream_reports(struct engine *e, unsigned i, uint64_t now)
{
	struct leg *l = &e->leg[i];

	if (l->told_talks && (!l->talks || l->told_streams != l->streams)) {
		if (!tell(e, MEDIA_STREAM_ENDED, i, 0, now, 0, 0))
			return false;
		l->told_talks = false;
	}
	if (l->talks && !l->told_talks) {
		if (!tell(e, MEDIA_STREAM_BEGAN, i, 0, now, l->talker, 0))
			return false;
		l->told_talks = true;
	}
	l->told_streams = l->streams;
	return true;
}

static bool leg_reports(struct engine *e, unsigned i, uint64_t now)
{
	struct leg *l = &e->leg[i];

	if (l->garbage) {
		struct report r = {.internal = true, .garbage = l->garbage};

		if (!push(e, &r))
			return false;
		l->garbage = NULL;
	}
	if (l->waste) {
		struct report r = {.internal = true, .waste = l->waste};

		if (!push(e, &r))
			return false;
		l->waste = NULL;
	}
	if (!stream_reports(e, i, now))
		return false;
	if (l->owe_rtp) {
		if (!tell(e, MEDIA_LEG_RTP, i, 0, l->rx_us, 0, 0))
			return false;
		l->owe_rtp = false;
	}
	while (l->n_pressed) {
		if (!tell(e, MEDIA_LEG_KEY, i, 0, now, (uint8_t)l->pressed[0],
			  0))
			return false;
		memmove(l->pressed, l->pressed + 1, --l->n_pressed);
	}
	if (l->owe_silent) {
		struct report r = {
			.r = {.type = MEDIA_LEG_SILENT,
			      .index = i,
			      .at_us = now},
		};

		leg_stats(l, &r.r.stats, now);
		if (!push(e, &r))
			return false;
		l->owe_silent = false;
	}
	if (l->owe_unreach) {
		if (!tell(e, MEDIA_LEG_UNREACHABLE, i, 0, now, 0,
			  l->unreach.told))
			return false;
		l->owe_unreach = false;
	}
	while (l->owe_prompt) {
		if (!tell(e, MEDIA_PROMPT_DONE, i, 0, now, 0, l->prompt_err))
			return false;
		l->owe_prompt--;
		l->prompt_err = 0;
	}
	if (l->owe_recorded) {
		if (!tell(e, MEDIA_RECORDED, i, 0, now, 0, 0))
			return false;
		l->owe_recorded = false;
	}
	if (l->owe_closed) {
		struct report r = {
			.r = {.type = MEDIA_LEG_CLOSED,
			      .index = i,
			      .at_us = now},
			.garbage = l->playout,
			.waste = l->seal,
		};

		leg_stats(l, &r.r.stats, now);
		if (!push(e, &r))
			return false;
		l->owe_closed = false;
		l->playout = NULL;
		l->seal = NULL;
	}
	return true;
}

void reports_make(struct engine *e, uint64_t now)
{
	bool all = true;

	if (e->late_us && now - e->late_told_us >= LATE_EVERY_US &&
	    tell(e, MEDIA_LATE, 0, 0, now, e->late_us, 0)) {
		e->late_told_us = now;
		e->late_us = 0;
	}
	if (e->owing) {
		for (unsigned i = 0; all && i < MEDIA_MAX_SLOTS; i++)
			all = !e->slot[i].owed || slot_reports(e, i, now);
		for (unsigned i = 0; all && i < MEDIA_MAX_LEGS; i++)
			all = leg_reports(e, i, now);
		for (unsigned i = 0; all && i < MEDIA_MAX_OUTPUTS; i++)
			all = output_reports(e, i, now);
		e->owing = !all;
	}
	if (e->told) {
		uint64_t one = 1;
		ssize_t r = write(e->report_fd, &one, sizeof(one));

		e->told = false;
		/* Only a counter at its limit fails: readable already. */
		(void)r;
	}
}
