/*
 * A call's RTP: what the caller says goes to the leg's playout buffer, and he
 * gets silence or a prompt, so that his path stays open.
 *
 * Only the negotiated peer is heard. Behind an address translator packets come
 * from elsewhere: then the first source of the right payload type is taken for
 * him, once, and only while the negotiated one has never been heard.
 */
#include "zones/engine/engine.h"

#include "controller/base/clock.h"
#include "zones/engine/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/** RFC 3551: of who says nothing. */
#define PT_COMFORT_NOISE 13
/** Messages of the network read at once. */
#define ERRORS_A_TURN 16

static uint64_t period_us(const struct leg *l)
{
	return l->fmt.ptime_ms * UINT64_C(1000);
}

static void schedule(struct engine *e, unsigned i)
{
	struct leg *l = &e->leg[i];
	uint64_t due = l->tape ? l->tape_us : l->silent_us;

	if (!l->used)
		due = ENGINE_NEVER;
	else if ((l->send || l->prompt) && l->last_us + period_us(l) < due)
		due = l->last_us + period_us(l);
	if (l->used && record_due(l) < due)
		due = record_due(l);
	e->leg_due[i] = due;
}

static void watch_silence(const struct engine *e, struct leg *l, uint64_t now)
{
	l->silent = false;
	l->silent_us = l->recv && !l->listen && !l->tape && e->leg_silence_us
			       ? now + e->leg_silence_us
			       : ENGINE_NEVER;
}

void leg_open(struct engine *e, unsigned i, const struct command *c,
	      uint64_t now)
{
	struct leg *l = &e->leg[i];
	struct epoll_event ev = {.events = EPOLLIN};
	uint32_t opened = l->opened + 1;
	struct playout *garbage;
	struct callseal *waste;

	if (l->used)
		leg_close(e, i);
	/* Of a use whose end could not be told yet only the memory matters
	 * still. */
	if (l->playout)
		report_garbage(e, i, l->playout);
	report_waste(e, i, l->seal);
	garbage = l->garbage;
	waste = l->waste;
	*l = (struct leg){
		.used = true,
		.opened = opened,
		.fd = c->leg.fd,
		.remote = c->leg.remote,
		.fmt = c->leg.fmt,
		.event_pt = c->leg.event_pt,
		.send = c->leg.send,
		.recv = c->leg.recv,
		.playout = c->leg.playout,
		.listen = c->leg.listen,
		.tape = c->leg.tape,
		.tape_us = ENGINE_NEVER,
		.garbage = garbage,
		.seal = c->leg.seal,
		.waste = waste,
		.last_us = now - c->leg.fmt.ptime_ms * UINT64_C(1000),
		.prompt_idx = -1,
		.wrong_pt = MEDIA_NO_TYPE,
	};
	stream_begin(&l->stream, c->leg.ssrc, c->leg.seq, c->leg.ts, now);
	watch_silence(e, l, now);
	ev.data.u64 = (uint64_t)opened << 32 | i;
	(void)epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, l->fd, &ev);
	slots_leg_changed(e, i, now);
	schedule(e, i);
}

static void prompt_over(struct engine *e, struct leg *l, int err)
{
	l->prompt = NULL;
	l->prompt_err = err;
	l->owe_prompt++;
	e->owing = true;
}

static void prompt_format(struct engine *e, struct leg *l)
{
	if (!l->prompt)
		return;
	l->prompt_idx = clip_format(l->prompt, &l->fmt);
	if (l->prompt_idx < 0)
		prompt_over(e, l, ENOTSUP);
}

void leg_update(struct engine *e, unsigned i, const struct command *c,
		uint64_t now)
{
	struct leg *l = &e->leg[i];
	bool sent = l->send, heard = l->recv;
	bool other = c->leg.playout || !format_equal(&l->fmt, &c->leg.fmt);

	if (other)
		room_release(e, l);
	if (!endpoint_equal(&l->remote, &c->leg.remote)) {
		/* To be heard at its new place, or found once more. */
		l->heard = false;
		l->latched = false;
		l->remote = c->leg.remote;
		l->unreach.err = 0;
	}
	if (c->leg.playout) {
		playout_inherit(c->leg.playout, l->playout);
		report_garbage(e, i, l->playout);
		l->playout = c->leg.playout;
	}
	if (c->leg.seal && l->seal)
		callseal_inherit(c->leg.seal, l->seal);
	report_waste(e, i, l->seal);
	l->seal = c->leg.seal;
	l->fmt = c->leg.fmt;
	l->event_pt = c->leg.event_pt;
	l->send = c->leg.send;
	l->recv = c->leg.recv;
	/* What was not received has not been said. */
	if (l->reel && (!heard || c->leg.playout))
		record_rejoin(l, now);
	if (l->send && !sent) {
		l->last_us = now - period_us(l);
		l->stream.mark = true;
	}
	prompt_format(e, l);
	watch_silence(e, l, now);
	if (c->leg.playout)
		slots_leg_changed(e, i, now);
	if (other)
		room_changed(e, i, now);
	schedule(e, i);
}

void leg_prompt(struct engine *e, unsigned i, const struct clip *clip,
		uint32_t cycles, uint64_t now)
{
	struct leg *l = &e->leg[i];

	if (l->prompt)
		prompt_over(e, l, 0);
	l->prompt = clip;
	l->prompt_cycles = cycles;
	l->prompt_pos = 0;
	prompt_format(e, l);
	if (l->prompt && !l->send)
		l->last_us = now - period_us(l);
	schedule(e, i);
}

void leg_record(struct engine *e, unsigned i, struct reel *reel, uint64_t now)
{
	if (reel)
		record_begin(e, i, reel, now);
	else
		record_end(e, i);
	schedule(e, i);
}

void leg_close(struct engine *e, unsigned i)
{
	struct leg *l = &e->leg[i];

	record_end(e, i);
	room_join(e, i, -1, 0);
	if (l->prompt)
		prompt_over(e, l, 0);
	slots_leg_gone(e, i);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->used = false;
	l->owe_closed = true;
	l->owe_rtp = l->owe_silent = l->owe_unreach = false;
	l->talks = l->told_talks = false;
	e->owing = true;
	schedule(e, i);
}

/* ---------------------------------------------------------------- receive */

/** By its address, which strangers are told by before anything is opened. */
static bool may_be_peer(const struct leg *l, const union endpoint *from)
{
	return endpoint_equal(&l->remote, from) || (!l->heard && !l->latched);
}

/** Is this the caller? */
static bool is_peer(struct leg *l, const union endpoint *from, uint8_t pt)
{
	if (endpoint_equal(&l->remote, from)) {
		l->heard = true;
		return true;
	}
	if (!may_be_peer(l, from) || pt != l->fmt.pt)
		return false;
	l->latched = true;
	l->remote = *from;
	return true;
}

static void foreign(struct leg *l, const union endpoint *from)
{
	l->foreign++;
	l->foreign_by = *from;
}

static void wrong_type(struct leg *l, uint16_t pt)
{
	l->wrong_type++;
	l->wrong_pt = pt;
}

static void take(struct engine *e, unsigned i, const union endpoint *from,
		 uint8_t *buf, size_t len, uint64_t now)
{
	struct leg *l = &e->leg[i];
	struct packet p;

	if (!l->recv)
		return;
	if (l->seal) {
		if (!may_be_peer(l, from)) {
			foreign(l, from);
			return;
		}
		len = callseal_receive(l->seal, buf, len);
		if (!len) {
			l->unsealed++;
			return;
		}
	}
	if (packet_decode(&p, buf, len)) {
		if (endpoint_equal(&l->remote, from))
			wrong_type(l, MEDIA_NO_TYPE);
		else
			foreign(l, from);
		return;
	}
	if (!is_peer(l, from, p.pt)) {
		foreign(l, from);
		return;
	}
	/* Until something of his could be heard, nothing was. */
	if (!l->rx_us && p.pt != l->fmt.pt && p.pt != PT_COMFORT_NOISE &&
	    (!l->event_pt || p.pt != l->event_pt)) {
		wrong_type(l, p.pt);
		return;
	}
	if (!l->rx_us || l->silent) {
		l->rx_us = now;
		l->owe_rtp = true;
		e->owing = true;
	}
	watch_silence(e, l, now);
	if (l->event_pt && p.pt == l->event_pt) {
		char key = keys_take(&l->keys, p.ssrc, p.ts, p.payload, p.len);

		/* More than fit were pressed while nobody listened. */
		if (key && l->n_pressed < LEG_KEYS) {
			l->pressed[l->n_pressed++] = key;
			e->owing = true;
		}
		return;
	}
	if (p.pt != l->fmt.pt || !playout_put(l->playout, p.ssrc, p.seq, p.ts,
					      p.payload, p.len, now))
		wrong_type(l, p.pt);
}

static void unreach_tell(struct engine *e, struct leg *l, uint64_t now)
{
	if (!unreach_changed(&l->unreach, now))
		return;
	l->owe_unreach = true;
	e->owing = true;
}

void leg_errors(struct engine *e, unsigned i, uint64_t now)
{
	struct leg *l = &e->leg[i];
	struct sockaddr_storage to;
	union endpoint about;
	int err;

	for (unsigned k = 0;
	     k < ERRORS_A_TURN && socket_error(l->fd, &to, &err); k++)
		if (err && !endpoint_set(&about, &to) &&
		    endpoint_equal(&about, &l->remote))
			unreach_note(&l->unreach, err, now);
	unreach_tell(e, l, now);
}

void leg_receive(struct engine *e, unsigned i)
{
	uint64_t now;
	int n;

	if (!e->leg[i].used)
		return;
	for (unsigned k = 0; k < RX_MESSAGES; k++)
		e->rx_msg[k].msg_hdr.msg_namelen = sizeof(e->rx_from[k]);
	/* Bounded: what else there is keeps the socket readable. */
	n = recvmmsg(e->leg[i].fd, e->rx_msg, RX_MESSAGES, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return;
	now = clock_mono_us();
	for (int k = 0; k < n; k++)
		if (e->rx_msg[k].msg_hdr.msg_flags & MSG_TRUNC)
			continue;
		else if (e->leg[i].listen)
			hear(e, i, &e->rx_from[k], e->rx[k],
			     e->rx_msg[k].msg_len, now);
		else
			take(e, i, &e->rx_from[k], e->rx[k],
			     e->rx_msg[k].msg_len, now);
	schedule(e, i);
	feed_schedule_leg(e, i);
}

void leg_stats(const struct leg *l, struct media_leg_stats *s, uint64_t now)
{
	struct playout_stats p = {0};

	if (l->playout)
		playout_stats(l->playout, &p);
	*s = (struct media_leg_stats){
		.heard = l->rx_us != 0,
		.wrong_pt = l->wrong_pt,
		.unreachable = unreach_lately(&l->unreach, now),
		.received = p.received,
		.lost = p.lost,
		.late = p.late,
		.duplicate = p.duplicate,
		.foreign = l->foreign,
		.wrong_type = l->wrong_type,
		.unsealed = l->unsealed,
		.jitter_us = p.jitter_us,
		.delay_us = p.delay_us,
	};
	if (l->foreign)
		(void)endpoint_in6(&l->foreign_by, &s->foreign_by);
}

/* ------------------------------------------------------------------- send */

/** Between two sounds a decoder of G.722 or Opus gets some silence, so that it
 *  is where the second begins (coder.h). */
static bool comes_to_rest(struct leg *l)
{
	const void *what = l->prompt ? (const void *)l->prompt
			   : l->room ? (const void *)&l->room
				     : NULL;

	if (!codec_stateful(l->fmt.codec) || (what == l->sent && !l->rested_ms))
		return false;
	l->rested_ms += l->fmt.ptime_ms;
	if (!what || (l->sent && l->rested_ms <= CODER_REST_MS))
		return true;
	if (l->enc)
		encoder_reset(l->enc, &l->fmt, EFFORT_LIVE);
	l->sent = what;
	l->rested_ms = 0;
	return false;
}

/** The prompt's next packet, what is said in the leg's room, or silence. */
static const uint8_t *payload(struct engine *e, struct leg *l, size_t *bytes,
			      uint64_t now)
{
	uint32_t cycle, sound;
	const uint8_t *p;
	uint64_t in, end;

	if (comes_to_rest(l))
		return engine_silence(e, &l->fmt, bytes);
	if (!l->prompt) {
		p = room_payload(e, l, bytes, now);
		return p ? p : engine_silence(e, &l->fmt, bytes);
	}
	cycle = clip_cycle_frames(l->prompt, l->prompt_idx);
	sound = clip_frames(l->prompt, l->prompt_idx);
	in = l->prompt_pos % cycle;
	p = clip_payload(l->prompt, l->prompt_idx, l->prompt_pos >= cycle,
			 (uint32_t)in, bytes);
	l->prompt_pos++;
	end = l->prompt_cycles
		      ? (uint64_t)(l->prompt_cycles - 1) * cycle + sound
		      : UINT64_MAX;
	if (l->prompt_pos >= end)
		prompt_over(e, l, 0);
	return p;
}

static bool is_unreachable(int err)
{
	return err == ECONNREFUSED || err == EHOSTUNREACH ||
	       err == ENETUNREACH || err == EPERM || err == EACCES;
}

static void send_one(struct engine *e, struct leg *l, uint64_t now)
{
	uint8_t header[PACKET_HEADER];
	size_t bytes;
	const uint8_t *p = payload(e, l, &bytes, now);
	uint8_t sealed[PACKET_HEADER + ENGINE_MAX_PAYLOAD + SEAL_ROOM];
	struct iovec iov[2] = {
		{header, sizeof(header)},
		{(void *)(uintptr_t)p, bytes},
	};
	struct msghdr h = {
		.msg_name = &l->remote,
		.msg_namelen = endpoint_len(&l->remote),
		.msg_iov = iov,
		.msg_iovlen = 2,
	};

	/* A prompt runs its time on hold too, so that its end is told. */
	if (!l->send)
		return;
	stream_header(&l->stream, header, l->fmt.pt, l->fmt.clock,
		      format_ticks(&l->fmt), now);
	if (l->seal) {
		memcpy(sealed, header, PACKET_HEADER);
		memcpy(sealed + PACKET_HEADER, p, bytes);
		iov[0] = (struct iovec){
			sealed,
			callseal_send(l->seal, sealed, PACKET_HEADER + bytes)};
		h.msg_iovlen = 1;
	}
	/* Best effort. What the network said about a packet before is told here
	 * once, instead of sending: then it is tried again. */
	if (sendmsg(l->fd, &h, MSG_DONTWAIT) < 0 && is_unreachable(errno)) {
		unreach_note(&l->unreach, errno, now);
		(void)sendmsg(l->fd, &h, MSG_DONTWAIT);
	}
	if (l->unreach.err)
		unreach_tell(e, l, now);
}

/**
 * How much earlier (below 0: later) than at `due` a packet to a caller counts
 * as sent, so that in time one wake-up serves it and others: the packets made
 * of his own sound, whose clock is his, or else the common grid.
 */
static int64_t gather(const struct leg *l, uint64_t due, uint64_t now)
{
	int64_t period = (int64_t)period_us(l), off;
	/* Other packet times than tens would never settle. */
	int64_t grid =
		period % ENGINE_GRID_US ? ENGINE_GRID_US / 2 : ENGINE_GRID_US;

	if (l->beat_us + ENGINE_SKIP_MS * UINT64_C(1000) > now) {
		off = ((int64_t)(due - l->beat_us) % period + period) % period;
		/* Only a little later, to keep up with his clock. */
		if (off > period - ENGINE_GRID_US / 10)
			off -= period;
	} else {
		off = period % grid ? 0 : (int64_t)due % grid;
	}
	return off > ENGINE_GATHER_US    ? ENGINE_GATHER_US
	       : off < -ENGINE_GATHER_US ? -ENGINE_GATHER_US
					 : off;
}

void legs_run(struct engine *e, uint64_t horizon, uint64_t now)
{
	for (unsigned i = 0; i < MEDIA_MAX_LEGS; i++) {
		struct leg *l = &e->leg[i];
		uint64_t due;

		if (e->leg_due[i] > horizon)
			continue;
		if (l->tape) {
			deck_turn(e, i, now);
			continue;
		}
		if (record_due(l) <= horizon)
			record_turn(e, i, now);
		if (l->listen && l->silent_us <= horizon) {
			hear_end(e, i);
		} else if (l->silent_us <= horizon) {
			l->silent_us = ENGINE_NEVER;
			l->silent = true;
			l->owe_silent = true;
			e->owing = true;
		}
		due = l->last_us + period_us(l);
		if ((l->send || l->prompt) && due <= horizon) {
			if (due + e->skip_us < now) {
				due = now;
				l->stream.mark = true;
			}
			send_one(e, l, now);
			l->last_us = due - (uint64_t)gather(l, due, now);
		}
		schedule(e, i);
	}
}
