#include "zones/engine/callseal.h"

#include "zones/engine/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** One of their streams. */
struct stream_in {
	uint32_t ssrc, roc; /**< roc: of `last` */
	uint16_t last;      /**< highest sequence number that came */
	uint64_t window;    /**< bit n: the one n before it came */
	uint64_t heard;     /**< when, in packets; 0 = unused */
};

struct callseal {
	struct seal *out, *in;
	struct stream_in stream[CALLSEAL_STREAMS];
	uint64_t heard;
};

int callseal_alloc(struct callseal **cp, const struct media_srtp *out,
		   const struct media_srtp *in)
{
	struct callseal *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return ENOMEM;
	err = seal_alloc(&c->out, out);
	if (!err)
		err = seal_alloc(&c->in, in);
	if (err)
		callseal_free(c);
	else
		*cp = c;
	return err;
}

void callseal_free(struct callseal *c)
{
	if (!c)
		return;
	seal_free(c->out);
	seal_free(c->in);
	free(c);
}

static bool swap(struct seal **a, struct seal **b)
{
	struct seal *s = *a;

	if (!seal_alike(s, *b))
		return false;
	*a = *b;
	*b = s;
	return true;
}

void callseal_inherit(struct callseal *c, struct callseal *old)
{
	(void)swap(&c->out, &old->out);
	if (!swap(&c->in, &old->in))
		return;
	memcpy(c->stream, old->stream, sizeof(c->stream));
	c->heard = old->heard;
}

size_t callseal_send(struct callseal *c, uint8_t *packet, size_t len)
{
	return seal_packet(c->out, packet, len);
}

/** Their stream of that name; else the place for it, still of another. */
static struct stream_in *find(struct callseal *c, uint32_t ssrc)
{
	struct stream_in *oldest = &c->stream[0];

	for (unsigned i = 0; i < CALLSEAL_STREAMS; i++) {
		struct stream_in *s = &c->stream[i];

		if (s->heard && s->ssrc == ssrc)
			return s;
		if (s->heard < oldest->heard)
			oldest = s;
	}
	return oldest;
}

/** RFC 3711 3.3.1 and appendix A: the counter a packet must have been sent
 *  under, it being nearest to the last one. */
static uint32_t guess(const struct stream_in *s, uint16_t seq)
{
	if (s->last < 0x8000)
		return seq - s->last > 0x8000 ? s->roc - 1 : s->roc;
	return s->last - 0x8000 > seq ? s->roc + 1 : s->roc;
}

/** How far it is behind the last one; below 0: ahead of it. */
static int64_t behind(const struct stream_in *s, uint32_t roc, uint16_t seq)
{
	return (int64_t)((uint64_t)s->roc << 16 | s->last) -
	       (int64_t)((uint64_t)roc << 16 | seq);
}

/** 3.3.2: it has been authenticated. */
static void note(struct stream_in *s, uint32_t roc, uint16_t seq)
{
	const int64_t late = behind(s, roc, seq);

	if (late >= 0) {
		s->window |= UINT64_C(1) << late;
		return;
	}
	s->window = -late < CALLSEAL_WINDOW ? s->window << -late | 1 : 1;
	s->roc = roc;
	s->last = seq;
}

size_t callseal_receive(struct callseal *c, uint8_t *packet, size_t len)
{
	struct stream_in *s;
	bool known;
	uint32_t ssrc, roc = 0;
	uint16_t seq;
	int64_t late;

	if (len < PACKET_HEADER)
		return 0;
	seq = packet_seq(packet);
	ssrc = packet_ssrc(packet);
	s = find(c, ssrc);
	known = s->heard && s->ssrc == ssrc;
	if (known) {
		roc = guess(s, seq);
		late = behind(s, roc, seq);
		/* Before the beginning, too old, or here already. */
		if ((roc == UINT32_MAX && s->roc == 0) ||
		    late >= CALLSEAL_WINDOW ||
		    (late >= 0 && s->window >> late & 1))
			return 0;
	}
	len = seal_open(c->in, packet, len, roc);
	if (!len)
		return 0;
	if (known)
		note(s, roc, seq);
	else
		*s = (struct stream_in){.ssrc = ssrc, .last = seq, .window = 1};
	s->heard = ++c->heard;
	return len;
}
