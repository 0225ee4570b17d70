/*
 * Outputs' streams and their sending: headers, sendmmsg, and what the kernel
 * says about it. One socket serves all outputs of the same way out; one dead
 * destination is counted, reported once and passed over (DESIGN rule 5).
 */
#include "zones/engine/engine.h"

#include "controller/base/clock.h"
#include "zones/engine/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/** After so many refusals in a row the send buffer is full: the rest of the
 *  batch is dropped instead of asking for each. */
#define FULL_AFTER 3
/** An address stays unreachable for so long after the network last said so. */
#define UNREACHABLE_US 10000000
/** How often it is seen which outputs are silent. */
#define BEATS_LOOK_US 1000000
/** Such messages read at once. */
#define ERRORS_A_TURN 64

void stream_begin(struct stream *s, uint32_t ssrc, uint16_t seq, uint32_t ts,
		  uint64_t now)
{
	*s = (struct stream){
		.ssrc = ssrc,
		.seq = seq,
		.ts = ts,
		.base_ts = ts,
		.base_us = now,
		.mark = true,
	};
}

/** Brings the timestamp to real time where something begins. */
static inline void stream_time(struct stream *s, uint32_t clock, uint64_t now)
{
	if (__builtin_expect(s->mark, 0)) {
		uint64_t us = now - s->base_us;
		uint64_t real = s->base_ts + us / 1000000 * clock +
				us % 1000000 * clock / 1000000;

		if (real > s->ts)
			s->ts = real;
	}
}

void stream_header(struct stream *s, uint8_t *dst, uint8_t pt, uint32_t clock,
		   uint32_t n, uint64_t now)
{
	uint32_t ts;

	stream_time(s, clock, now);
	ts = (uint32_t)s->ts;
	dst[0] = 0x80;
	dst[1] = (uint8_t)(pt | (s->mark ? 0x80 : 0));
	dst[2] = (uint8_t)(s->seq >> 8);
	dst[3] = (uint8_t)s->seq;
	dst[4] = (uint8_t)(ts >> 24);
	dst[5] = (uint8_t)(ts >> 16);
	dst[6] = (uint8_t)(ts >> 8);
	dst[7] = (uint8_t)ts;
	dst[8] = (uint8_t)(s->ssrc >> 24);
	dst[9] = (uint8_t)(s->ssrc >> 16);
	dst[10] = (uint8_t)(s->ssrc >> 8);
	dst[11] = (uint8_t)s->ssrc;
	s->mark = false;
	s->seq++;
	s->ts += n;
}

static int *outcome_of(struct output *o, unsigned target, uint64_t **at)
{
	struct line_fan *f;

	if (!target) {
		*at = &o->err_us;
		return &o->err;
	}
	if (!o->line || target > o->line->n_fan)
		return NULL;
	f = &o->line->fan[target - 1];
	*at = &f->err_us;
	return &f->err;
}

void output_outcome(struct engine *e, unsigned i, unsigned target, int err)
{
	struct output *o = &e->output[i];
	uint64_t *at = NULL;
	int *was = outcome_of(o, target, &at);

	if (err)
		engine_count(&o->errors, 1);
	/* A full buffer passes by itself; it is counted only. */
	if (!was || err == EAGAIN || err == ENOBUFS || err == *was)
		return;
	/* That a datagram has left says nothing about its arrival. */
	if (!err && *at && clock_mono_us() - *at < UNREACHABLE_US)
		return;
	*at = 0;
	*was = err;
	e->owing = true;
}

static void unreachable(struct engine *e, unsigned i, unsigned target, int err,
			uint64_t now)
{
	uint64_t *at;

	output_outcome(e, i, target, err);
	if (outcome_of(&e->output[i], target, &at))
		*at = now;
}

static void blame(struct engine *e, const struct sockaddr_storage *ss, int err,
		  uint64_t now)
{
	union endpoint to, fan;

	if (endpoint_set(&to, ss))
		return;
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++) {
		const struct output *o = &e->output[i];

		if (!o->used)
			continue;
		if (endpoint_equal(&o->dst, &to))
			unreachable(e, i, 0, err, now);
		for (unsigned k = 0; o->line && k < o->line->n_fan; k++)
			if (!endpoint_set(&fan, &o->line->fan[k].dst) &&
			    endpoint_equal(&fan, &to))
				unreachable(e, i, k + 1, err, now);
	}
}

void output_errors(struct engine *e, int fd, uint64_t now)
{
	struct sockaddr_storage to;
	int err;

	for (unsigned i = 0; i < ERRORS_A_TURN && socket_error(fd, &to, &err);
	     i++)
		if (err)
			blame(e, &to, err, now);
}

/**
 * The next message of the batch, to go out of a socket (-1: there is none).
 * Its first piece is in b->packet[]: a frame's head, where the way needs one.
 *
 * @return its place, -1 = it cannot go
 */
static int batch_next(struct engine *e, unsigned output, unsigned target)
{
	struct output *o = &e->output[output];
	struct line_fan *fan = target ? &o->line->fan[target - 1] : NULL;
	bool framed = !fan && o->way.fd >= 0;
	int fd = fan ? fan->fd : framed ? o->way.fd : o->fd;
	struct batch *b = &e->batch;
	struct msghdr *h;
	unsigned i;

	if (fd < 0)
		return -1;
	if (b->n == BATCH_MESSAGES || (b->n && b->fd != fd))
		batch_flush(e);
	i = b->n++;
	b->fd = fd;
	b->framed = framed;
	b->output[i] = (uint16_t)output;
	b->target[i] = (uint8_t)target;
	b->iov[i][0].iov_base = b->packet[i];
	b->iov[i][0].iov_len = 0;
	h = &b->msg[i].msg_hdr;
	if (framed) {
		memcpy(b->packet[i], o->way.head, FRAME_HEAD);
		b->iov[i][0].iov_len = FRAME_HEAD;
		h->msg_name = &o->way.to;
		h->msg_namelen = sizeof(o->way.to);
	} else if (fan) {
		h->msg_name = &fan->dst;
		h->msg_namelen = fan->dst.ss_family == AF_INET6
					 ? sizeof(struct sockaddr_in6)
					 : sizeof(struct sockaddr_in);
	} else {
		h->msg_name = &o->dst;
		h->msg_namelen = endpoint_len(&o->dst);
	}
	return (int)i;
}

/** Adds what stays where it is until the batch is flushed. */
static void batch_piece(struct batch *b, int i, const uint8_t *data, size_t len)
{
	struct msghdr *h = &b->msg[i].msg_hdr;
	struct iovec *v = b->iov[i];

	if (v->iov_len)
		v++;
	v->iov_base = (void *)(uintptr_t)data;
	v->iov_len = len;
	h->msg_iovlen = (size_t)(v - b->iov[i]) + 1;
}

/** Queues a packet that lies in a line. */
static void batch_whole(struct engine *e, unsigned output, unsigned target,
			const uint8_t *packet, size_t len)
{
	int i = batch_next(e, output, target);

	if (i >= 0)
		batch_piece(&e->batch, i, packet, len);
}

static void batch_add(struct engine *e, unsigned output, const uint8_t *payload,
		      size_t bytes, uint32_t n, uint64_t now)
{
	struct output *o = &e->output[output];
	struct batch *b = &e->batch;
	int i = batch_next(e, output, 0);
	struct iovec *v;
	uint8_t *p;

	if (i < 0)
		return;
	v = &b->iov[i][0];
	p = b->packet[i] + v->iov_len;
	stream_header(&o->stream, p, o->fmt.pt, o->fmt.clock, n, now);
	v->iov_len += PACKET_HEADER;
	if (bytes <= BATCH_INLINE) {
		memcpy(p + PACKET_HEADER, payload, bytes);
		v->iov_len += bytes;
		b->msg[i].msg_hdr.msg_iovlen = 1;
	} else {
		batch_piece(b, i, payload, bytes);
	}
}

void output_schedule(struct engine *e, unsigned i)
{
	struct output *o = &e->output[i];
	uint64_t due = o->line ? line_due(o->line) : ENGINE_NEVER;
	bool open = false;

	if (o->line && o->line->ptt) {
		uint64_t next = ptt_due(o->line->ptt, o->feed >= 0);

		due = next < due ? next : due;
		open = o->line->ptt->state == PTT_TALK;
	}
	atomic_store_explicit(&o->open, open, memory_order_relaxed);
	e->line_due[i] = due;
}

/** Does another output talk on the Polycom channel? Phones would hear two
 *  senders; who came first goes on, and this one joins when it is done. */
static bool is_taken(const struct engine *e, unsigned i, uint8_t channel)
{
	const struct output *o = &e->output[i];

	for (unsigned k = 0; k < e->n_lines; k++) {
		const struct output *x = &e->output[k];

		if (k != i && x->used && x->line && x->line->ptt &&
		    x->line->ptt->state != PTT_IDLE &&
		    x->line->ptt->channel == channel &&
		    endpoint_equal(&x->dst, &o->dst))
			return true;
	}
	return false;
}

static void ptt_send(struct engine *e, unsigned i, const uint8_t *frame,
		     size_t n, uint32_t ticks, uint64_t due, uint64_t now)
{
	struct output *o = &e->output[i];
	struct stream *s = &o->stream;
	struct ptt *p = o->line->ptt;
	uint8_t channel = ptt_channel(&p->cfg, o->urgency);
	size_t len;

	if ((p->state == PTT_IDLE || p->channel != channel) &&
	    is_taken(e, i, channel)) {
		ptt_hush(p, due);
		s->mark = true;
	} else if (!ptt_frame(p, o->urgency, due) || n > PTT_MAX_FRAME) {
		s->mark = true;
	} else {
		stream_time(s, o->fmt.clock, now);
		len = ptt_sound(p, line_room(o->line), frame, n,
				(uint32_t)s->ts, s->mark);
		line_put(o->line, len, due);
		s->mark = false;
		s->ts += ticks;
	}
	output_schedule(e, i);
}

/** Puts the alerts and ends that are due into the line. */
static void ptt_run(struct engine *e, unsigned i, uint64_t horizon)
{
	struct output *o = &e->output[i];
	struct line *l = o->line;
	uint8_t *room = line_room(l);
	uint64_t due;

	while (ptt_next(l->ptt, o->feed >= 0, horizon, room, &due)) {
		line_put(l, POLYCOM_HEADER, due);
		room = line_room(l);
	}
}

void output_line(struct engine *e, unsigned i, struct line *l)
{
	struct output *o = &e->output[i];

	report_line(e, i, o->line);
	o->line = l;
	e->owing = true;
	if (l && i >= e->n_lines)
		e->n_lines = i + 1;
	output_schedule(e, i);
	while (e->n_lines && !e->output[e->n_lines - 1].line)
		e->n_lines--;
}

/** Another stream, before the old one's sequence numbers wrap: at the beginning
 *  of a sound once they are in their upper half, at the latest at the end. */
static void stream_renew(struct output *o, uint64_t now)
{
	uint32_t r[3] = {o->stream.ssrc + 1, (uint32_t)o->stream.ts, 0};

	/* Enough is always there once the system has booted. */
	(void)!getrandom(r, sizeof(r), GRND_NONBLOCK);
	stream_begin(&o->stream, r[0], r[2] & 0x7fff, r[1], now);
	atomic_store_explicit(&o->ssrc, r[0], memory_order_relaxed);
}

void output_send(struct engine *e, unsigned i, const uint8_t *payload,
		 size_t bytes, uint32_t n, uint64_t due, uint64_t now)
{
	struct output *o = &e->output[i];
	uint8_t *packet;

	if (!o->line) {
		batch_add(e, i, payload, bytes, n, now);
		return;
	}
	if (o->line->ptt) {
		ptt_send(e, i, payload, bytes, n, due, now);
		return;
	}
	if (o->line->seal && !seal_rolls(o->line->seal) &&
	    ((o->stream.mark && o->stream.seq >= 0x8000) ||
	     o->stream.seq == 0xffff))
		stream_renew(o, now);
	packet = line_room(o->line);
	stream_header(&o->stream, packet, o->fmt.pt, o->fmt.clock, n, now);
	memcpy(packet + PACKET_HEADER, payload, bytes);
	bytes += PACKET_HEADER;
	if (o->line->seal)
		bytes = seal_packet(o->line->seal, packet, bytes);
	line_put(o->line, bytes, due);
	output_schedule(e, i);
}

void outputs_beat(struct engine *e, uint64_t now)
{
	e->beats_us = ENGINE_NEVER;
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++) {
		struct output *o = &e->output[i];
		const uint8_t *silence;
		size_t bytes;

		if (!o->used || !o->beat_us)
			continue;
		e->beats_us = now + BEATS_LOOK_US;
		if (o->feed >= 0)
			o->sent_us = now;
		if (now - o->sent_us < o->beat_us)
			continue;
		o->sent_us = now;
		o->stream.mark = true; /* its timestamp by real time */
		silence = engine_silence(e, &o->fmt, &bytes);
		output_send(e, i, silence, bytes, format_ticks(&o->fmt), now,
			    now);
	}
}

void lines_run(struct engine *e, uint64_t horizon)
{
	bool any = true;

	/* One packet of each at a time, first to all outputs' own addresses,
	 * then to the fans': neighbours mostly share a socket, and one call
	 * sends them. */
	while (any) {
		any = false;
		for (unsigned i = 0; i < e->n_lines; i++) {
			struct line *l = e->output[i].line;

			if (e->line_due[i] > horizon)
				continue;
			any = true;
			if (l->ptt)
				ptt_run(e, i, horizon);
			l->out = line_next(l, horizon, &l->out_len);
			if (l->out)
				batch_whole(e, i, 0, l->out, l->out_len);
			output_schedule(e, i);
		}
		for (unsigned i = 0; any && i < e->n_lines; i++) {
			struct line *l = e->output[i].line;

			if (!l || !l->out)
				continue;
			for (unsigned k = 0; k < l->n_fan; k++)
				batch_whole(e, i, k + 1, l->out, l->out_len);
			l->out = NULL;
		}
	}
}

uint8_t *batch_room(struct engine *e, size_t bytes)
{
	struct batch *b = &e->batch;
	uint8_t *p;

	bytes = (bytes + 63) & ~(size_t)63;
	if (b->arena_used + bytes > sizeof(b->arena))
		batch_flush(e);
	p = b->arena + b->arena_used;
	b->arena_used += bytes;
	return p;
}

void batch_first(struct engine *e, unsigned slot)
{
	struct batch *b = &e->batch;

	if (b->n_first < MEDIA_MAX_SLOTS)
		b->first[b->n_first++] = (uint16_t)slot;
}

static inline void output_sent(struct engine *e, unsigned i, unsigned target)
{
	const struct output *o = &e->output[i];

	if (target ? o->line->fan[target - 1].err : o->err)
		output_outcome(e, i, target, 0);
}

void batch_flush(struct engine *e)
{
	struct batch *b = &e->batch;
	unsigned done = 0, full = 0;
	bool again = false;

	if (b->n_first) {
		uint64_t at = clock_mono_us();

		for (unsigned i = 0; i < b->n_first; i++)
			e->slot[b->first[i]].first_us = at;
		b->n_first = 0;
	}
	for (unsigned i = 0; b->framed && i < b->n; i++)
		frame_finish(b->iov[i], b->msg[i].msg_hdr.msg_iovlen);
	while (done < b->n) {
		int r = sendmmsg(b->fd, b->msg + done, b->n - done, 0);

		engine_count(&e->send_calls, 1);
		for (int i = 0; i < r; i++, done++) {
			engine_count(&e->output[b->output[done]].packets, 1);
			output_sent(e, b->output[done], b->target[done]);
		}
		if (r > 0) {
			engine_count(&e->packets, (uint64_t)r);
			full = 0;
			again = false;
			continue;
		}
		if (r < 0 && errno == EINTR)
			continue;
		/* A socket hands what it learnt about one address to whoever
		 * sends next: only what fails twice is its own fault. */
		if (errno != EAGAIN && !again) {
			again = true;
			continue;
		}
		again = false;
		output_outcome(e, b->output[done], b->target[done], errno);
		full = errno == EAGAIN ? full + 1 : 0;
		done++;
		while (full >= FULL_AFTER && done < b->n) {
			output_outcome(e, b->output[done], b->target[done],
				       EAGAIN);
			done++;
		}
	}
	b->n = 0;
	b->arena_used = 0;
}
