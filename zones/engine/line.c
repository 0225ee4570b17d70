#include "zones/engine/line.h"

#include "zones/engine/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** Packets beyond those that the delay holds: made in one late turn. */
#define SLACK 20

bool line_needed(const struct media_output *o)
{
	return o->delay_ms || o->copy_us || o->n_fan || o->polycom.channel ||
	       o->srtp.on;
}

int line_alloc(struct line **lp, const struct media_output *o)
{
	struct line *l = calloc(1, sizeof(*l));
	const uint32_t period = o->fmt.ptime_ms * 1000u;

	if (!l)
		return ENOMEM;
	l->delay_us = o->delay_ms * 1000u;
	l->copy_us = o->copy_us;
	l->stride = o->polycom.channel
			    ? PTT_MAX_PACKET
			    : (uint32_t)(PACKET_HEADER + format_bytes(&o->fmt) +
					 SEAL_ROOM);
	l->stride = (l->stride + 63) & ~63u;
	l->size = (l->delay_us + l->copy_us) / period + SLACK;
	l->n_fan = o->n_fan;
	l->fan = calloc(l->n_fan + 1, sizeof(*l->fan));
	l->packet = calloc(l->size, sizeof(*l->packet));
	l->bytes = malloc((size_t)l->size * l->stride);
	if (o->polycom.channel) {
		l->ptt = malloc(sizeof(*l->ptt));
		if (l->ptt)
			ptt_init(l->ptt, &o->polycom,
				 o->fmt.codec == CODEC_G722 ? POLYCOM_G722
							    : POLYCOM_PCMU);
	}
	if (o->srtp.on)
		(void)seal_alloc(&l->seal, &o->srtp);
	if ((o->srtp.on && !l->seal) || !l->fan || !l->packet || !l->bytes ||
	    (o->polycom.channel && !l->ptt)) {
		line_free(l);
		return ENOMEM;
	}
	/* Written now, so that the media thread faults no page in. */
	memset(l->bytes, 0, (size_t)l->size * l->stride);
	for (unsigned i = 0; i < l->n_fan; i++) {
		l->fan[i].dst = o->fan[i];
		l->fan[i].fd = -1;
	}
	*lp = l;
	return 0;
}

void line_free(struct line *l)
{
	if (!l)
		return;
	free(l->fan);
	free(l->ptt);
	seal_free(l->seal);
	free(l->packet);
	free(l->bytes);
	free(l);
}

bool line_alike(const struct line *a, const struct line *b)
{
	return a && b && a->delay_us == b->delay_us &&
	       a->copy_us == b->copy_us && a->size == b->size &&
	       a->stride == b->stride && !a->ptt == !b->ptt &&
	       (!a->ptt ||
		!memcmp(&a->ptt->cfg, &b->ptt->cfg, sizeof(a->ptt->cfg)));
}

void line_keep_seal(struct line *keep, struct line *with)
{
	struct seal *s;

	if (!keep || !with || !seal_alike(keep->seal, with->seal))
		return;
	s = keep->seal;
	keep->seal = with->seal;
	with->seal = s;
}

void line_take(struct line *keep, struct line *with)
{
	struct line_fan *fan = keep->fan;
	struct seal *seal = keep->seal;
	unsigned n = keep->n_fan;

	for (unsigned i = 0; i < with->n_fan; i++)
		for (unsigned k = 0; k < n; k++)
			if (!memcmp(&with->fan[i].dst, &fan[k].dst,
				    sizeof(fan[k].dst))) {
				with->fan[i].told = fan[k].told;
				if (!fan[k].err_us)
					continue;
				with->fan[i].err = fan[k].err;
				with->fan[i].err_us = fan[k].err_us;
			}
	keep->fan = with->fan;
	keep->n_fan = with->n_fan;
	with->fan = fan;
	with->n_fan = n;
	keep->seal = with->seal;
	with->seal = seal;
}

static uint32_t oldest(const struct line *l)
{
	return l->copy_us ? l->copied : l->sent;
}

uint8_t *line_room(struct line *l)
{
	if (l->put - oldest(l) == l->size) {
		if (l->sent == oldest(l))
			l->sent++;
		if (l->copy_us)
			l->copied++;
	}
	return l->bytes + (size_t)(l->put % l->size) * l->stride;
}

void line_put(struct line *l, size_t len, uint64_t due)
{
	struct line_packet *p = &l->packet[l->put++ % l->size];

	p->due = due + l->delay_us;
	p->len = (uint16_t)len;
}

static uint64_t first_due(const struct line *l)
{
	return l->sent != l->put ? l->packet[l->sent % l->size].due
				 : UINT64_MAX;
}

static uint64_t copy_due(const struct line *l)
{
	return l->copy_us && l->copied != l->put
		       ? l->packet[l->copied % l->size].due + l->copy_us
		       : UINT64_MAX;
}

uint64_t line_due(const struct line *l)
{
	uint64_t a = first_due(l), b = copy_due(l);

	return a < b ? a : b;
}

const uint8_t *line_next(struct line *l, uint64_t horizon, size_t *len)
{
	uint64_t a = first_due(l), b = copy_due(l);
	uint32_t i;

	if ((a < b ? a : b) > horizon)
		return NULL;
	i = (a <= b ? l->sent++ : l->copied++) % l->size;
	*len = l->packet[i].len;
	return l->bytes + (size_t)i * l->stride;
}
