/*
 * Outputs' streams and their sending: headers, sendmmsg, and what the kernel
 * says about it. One socket serves all outputs of the same way out; one dead
 * destination is counted, reported once and passed over (DESIGN rule 5).
 */
#include "zones/engine/engine.h"

#include "controller/base/clock.h"

#include <errno.h>
#include <string.h>

/** After so many refusals in a row the send buffer is full: the rest of the
 *  batch is dropped instead of asking for each. */
#define FULL_AFTER 3

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

void stream_header(struct stream *s, uint8_t *dst, uint8_t pt, uint32_t clock,
		   uint32_t n, uint64_t now)
{
	uint32_t ts;

	if (__builtin_expect(s->mark, 0)) {
		uint64_t us = now - s->base_us;
		uint64_t real = s->base_ts + us / 1000000 * clock +
				us % 1000000 * clock / 1000000;

		if (real > s->ts)
			s->ts = real;
	}
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

void output_outcome(struct engine *e, unsigned i, int err)
{
	struct output *o = &e->output[i];

	if (err)
		engine_count(&o->errors, 1);
	/* A full buffer passes by itself; it is counted only. */
	if (err == EAGAIN || err == ENOBUFS || err == o->err)
		return;
	o->err = err;
	e->owing = true;
}

void batch_add(struct engine *e, unsigned output, const uint8_t *payload,
	       size_t bytes, uint32_t n, uint64_t now)
{
	struct output *o = &e->output[output];
	struct batch *b = &e->batch;
	struct msghdr *h;
	unsigned i;

	if (o->fd < 0)
		return;
	if (b->n == BATCH_MESSAGES || (b->n && b->fd != o->fd))
		batch_flush(e);
	b->fd = o->fd;
	i = b->n++;
	stream_header(&o->stream, b->packet[i], o->fmt.pt, o->fmt.clock, n,
		      now);
	b->output[i] = (uint16_t)output;
	h = &b->msg[i].msg_hdr;
	if (bytes <= BATCH_INLINE) {
		memcpy(b->packet[i] + PACKET_HEADER, payload, bytes);
		b->iov[i][0].iov_len = PACKET_HEADER + bytes;
		h->msg_iovlen = 1;
	} else {
		b->iov[i][0].iov_len = PACKET_HEADER;
		b->iov[i][1].iov_base = (void *)(uintptr_t)payload;
		b->iov[i][1].iov_len = bytes;
		h->msg_iovlen = 2;
	}
	h->msg_name = &o->dst;
	h->msg_namelen = endpoint_len(&o->dst);
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

void batch_flush(struct engine *e)
{
	struct batch *b = &e->batch;
	unsigned done = 0, full = 0;

	if (b->n_first) {
		uint64_t at = clock_mono_us();

		for (unsigned i = 0; i < b->n_first; i++)
			e->slot[b->first[i]].first_us = at;
		b->n_first = 0;
	}
	while (done < b->n) {
		int r = sendmmsg(b->fd, b->msg + done, b->n - done, 0);

		engine_count(&e->send_calls, 1);
		for (int i = 0; i < r; i++, done++) {
			engine_count(&e->output[b->output[done]].packets, 1);
			if (e->output[b->output[done]].err)
				output_outcome(e, b->output[done], 0);
		}
		if (r > 0) {
			engine_count(&e->packets, (uint64_t)r);
			full = 0;
			continue;
		}
		if (r < 0 && errno == EINTR)
			continue;
		output_outcome(e, b->output[done], errno);
		full = errno == EAGAIN ? full + 1 : 0;
		done++;
		while (full >= FULL_AFTER && done < b->n)
			output_outcome(e, b->output[done++], EAGAIN);
	}
	b->n = 0;
	b->arena_used = 0;
}
