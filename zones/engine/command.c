/*
 * Carries out what the control side staged: the whole batch before anything
 * more is sent.
 */
#include "zones/engine/engine.h"

#include <unistd.h>

static void output_off(struct engine *e, unsigned i)
{
	struct output *o = &e->output[i];

	route_leave(e, i);
	fade_take(e, i, FADE_NONE);
	o->used = false;
	o->fg = o->bg = -1;
	o->lead_slot = -1;
	o->err = o->err_told = 0;
	output_line(e, i, NULL);
	atomic_store_explicit(&o->sounding, false, memory_order_relaxed);
	atomic_store_explicit(&o->level, 127, memory_order_relaxed);
}

static void output_on(struct engine *e, unsigned i, const struct command *c,
		      uint64_t now)
{
	struct output *o = &e->output[i];
	bool same = o->used && format_equal(&o->fmt, &c->output.fmt) &&
		    o->fmt.pt == c->output.fmt.pt &&
		    endpoint_equal(&o->dst, &c->output.dst);
	bool had_socket = !o->used || o->fd >= 0;

	if (!o->used) {
		o->fg = o->bg = -1;
		o->feed = o->prev = o->next = -1;
		o->lead_slot = -1;
		o->err = o->err_told = 0;
		o->volume = ENGINE_UNITY;
		atomic_store_explicit(&o->packets, 0, memory_order_relaxed);
		atomic_store_explicit(&o->errors, 0, memory_order_relaxed);
	}
	if (!same) {
		/* Another address or format is another stream; what it
		 * carries stays. */
		route_leave(e, i);
		fade_take(e, i, FADE_NONE);
		o->lead_slot = -1;
		o->fmt = c->output.fmt;
		o->dst = c->output.dst;
		stream_begin(&o->stream, c->output.ssrc, c->output.seq,
			     c->output.ts, now);
		atomic_store_explicit(&o->ssrc, c->output.ssrc,
				      memory_order_relaxed);
	}
	if (same)
		line_keep_seal(o->line, c->output.line);
	if (same && line_alike(o->line, c->output.line)) {
		/* What waits in it still leaves. */
		line_take(o->line, c->output.line);
		report_line(e, i, c->output.line);
	} else {
		output_line(e, i, c->output.line);
	}
	o->beat_us = c->output.beat_ms * UINT64_C(1000);
	if (!same || !o->beat_us)
		o->sent_us = now;
	if (o->beat_us)
		e->beats_us = now;
	o->fd = c->output.fd;
	o->way = c->output.way;
	o->used = true;
	/* Whether a socket sends well only sending can tell. */
	if (o->fd < 0 || !had_socket)
		output_outcome(e, i, 0, c->output.err);
	route_dirty_output(e, i);
}

static void route(struct engine *e, const struct command *c)
{
	for (unsigned w = 0; w < MEDIA_MAX_OUTPUTS / 64; w++) {
		uint64_t bits = c->route.set.w[w];

		while (bits) {
			unsigned i = w * 64 + (unsigned)__builtin_ctzll(bits);
			struct output *o = &e->output[i];

			bits &= bits - 1;
			if (!o->used)
				continue;
			o->fg = c->route.fg;
			o->bg = c->route.bg;
			o->duck = c->route.duck;
			/* A slot that is free has nothing to sound. */
			if (o->fg >= 0 && e->slot[o->fg].kind == SLOT_FREE)
				o->fg = -1;
			if (o->bg >= 0 && e->slot[o->bg].kind == SLOT_FREE)
				o->bg = -1;
			route_dirty_output(e, i);
		}
	}
}

static void volume(struct engine *e, const struct command *c)
{
	for (unsigned w = 0; w < MEDIA_MAX_OUTPUTS / 64; w++) {
		uint64_t bits = c->volume.set.w[w];

		while (bits) {
			unsigned i = w * 64 + (unsigned)__builtin_ctzll(bits);

			bits &= bits - 1;
			if (!e->output[i].used)
				continue;
			e->output[i].volume = c->volume.gain;
			route_dirty_output(e, i);
		}
	}
}

static void carry_out(struct engine *e, const struct command *c, uint64_t now)
{
	unsigned i = c->index;

	switch (c->type) {
	case COMMAND_OUTPUT:
		output_on(e, i, c, now);
		break;
	case COMMAND_OUTPUT_OFF:
		if (e->output[i].used)
			output_off(e, i);
		break;
	case COMMAND_CLOSE:
		close(c->fd);
		break;
	case COMMAND_PLAY:
		slot_play(e, i, c, now);
		break;
	case COMMAND_SLOT:
		e->slot[i].level = c->slot.level;
		e->slot[i].quiet_us = now + c->slot.quiet_ms * UINT64_C(1000);
		break;
	case COMMAND_LIVE:
		slot_live(e, i, c, now);
		break;
	case COMMAND_RESTART:
		slot_restart(e, i, now);
		break;
	case COMMAND_PAUSE:
		slot_pause(e, i, c->paused, now);
		break;
	case COMMAND_STOP:
		slot_stop(e, i, now);
		break;
	case COMMAND_ROUTE:
		route(e, c);
		break;
	case COMMAND_VOLUME:
		volume(e, c);
		break;
	case COMMAND_RAMPS:
		e->ramp_down_ms = c->ramps.down_ms;
		e->ramp_back_ms = c->ramps.back_ms;
		break;
	case COMMAND_LEG_OPEN:
		leg_open(e, i, c, now);
		break;
	case COMMAND_LEG_UPDATE:
		if (e->leg[i].used)
			leg_update(e, i, c, now);
		break;
	case COMMAND_LEG_PROMPT:
		if (e->leg[i].used)
			leg_prompt(e, i, c->prompt.clip, c->prompt.cycles, now);
		break;
	case COMMAND_RECORD:
		if (e->leg[i].used)
			leg_record(e, i, c->reel, now);
		break;
	case COMMAND_LEG_ROOM:
		if (e->leg[i].used)
			room_join(e, i, c->room, now);
		break;
	case COMMAND_LEG_CLOSE:
		if (e->leg[i].used)
			leg_close(e, i);
		break;
	case COMMAND_RATE:
		e->rate[c->rate.from][c->rate.to] = c->rate.table;
		break;
	case COMMAND_CODER:
		coders_put(e, c->coder.codec, c->coder.enc, c->coder.dec);
		break;
	}
}

void command_run(struct engine *e, uint64_t now)
{
	struct command c;

	while (ring_pop(e->commands, &c))
		carry_out(e, &c, now);
}
