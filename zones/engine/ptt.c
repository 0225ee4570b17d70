#include "zones/engine/ptt.h"

#include <string.h>

#define NEVER UINT64_MAX

void ptt_init(struct ptt *p, const struct media_polycom *cfg, uint8_t codec)
{
	*p = (struct ptt){.cfg = *cfg, .codec = codec};
}

uint8_t ptt_channel(const struct media_polycom *c, uint8_t level)
{
	/* The last two of the 25 channels or groups cut in on phones. */
	uint8_t top = c->channel > 25 ? 50 : 25;

	if (c->emergency_from && level >= c->emergency_from)
		return top;
	if (c->priority_from && level >= c->priority_from)
		return top - 1;
	return c->channel;
}

/** Ends follow on the channel that was talked on. */
static void close_talk(struct ptt *p, uint64_t at)
{
	if (p->state == PTT_IDLE)
		return;
	p->state = PTT_IDLE;
	p->end_channel = p->channel;
	p->ends = PTT_ENDS;
	p->end_us = at;
}

bool ptt_frame(struct ptt *p, uint8_t level, uint64_t due)
{
	uint8_t channel = ptt_channel(&p->cfg, level);

	if (p->state != PTT_IDLE && p->channel != channel)
		close_talk(p, due);
	if (p->state == PTT_IDLE) {
		/* An end after the alerts would end the new talk. */
		if (p->end_channel == channel)
			p->ends = 0;
		p->state = PTT_ALERT;
		p->channel = channel;
		p->alerts = 0;
		p->begin_us = due;
		p->prev_len = 0;
	}
	p->last_us = due;
	if (p->state == PTT_ALERT && p->alerts == PTT_ALERTS &&
	    due >= p->begin_us + MEDIA_POLYCOM_ALERT_US)
		p->state = PTT_TALK;
	return p->state == PTT_TALK;
}

static struct polycom packet_of(const struct ptt *p, enum polycom_op op,
				uint8_t channel)
{
	struct polycom k = {
		.op = op,
		.channel = channel,
		.serial = p->cfg.serial,
		.codec = p->codec,
	};

	memcpy(k.caller, p->cfg.caller, POLYCOM_CALLER);
	return k;
}

size_t ptt_sound(struct ptt *p, uint8_t *dst, const uint8_t *frame, size_t n,
		 uint32_t ts, bool fresh)
{
	struct polycom k = packet_of(p, POLYCOM_TRANSMIT, p->channel);
	size_t at = POLYCOM_SOUND;

	k.ts = ts;
	polycom_transmit(dst, &k);
	if (!fresh) {
		memcpy(dst + at, p->prev, p->prev_len);
		at += p->prev_len;
	}
	memcpy(dst + at, frame, n);
	memcpy(p->prev, frame, n);
	p->prev_len = n;
	return at + n;
}

void ptt_hush(struct ptt *p, uint64_t now)
{
	close_talk(p, now);
}

static uint64_t alert_due(const struct ptt *p)
{
	return p->state == PTT_ALERT && p->alerts < PTT_ALERTS
		       ? p->begin_us + p->alerts * (uint64_t)PTT_EVERY_US
		       : NEVER;
}

static uint64_t end_due(const struct ptt *p, bool fed)
{
	if (p->ends)
		return p->end_us;
	return p->state != PTT_IDLE && !fed ? p->last_us + PTT_PAUSE_US : NEVER;
}

uint64_t ptt_due(const struct ptt *p, bool fed)
{
	uint64_t a = alert_due(p), b = end_due(p, fed);

	return a < b ? a : b;
}

bool ptt_next(struct ptt *p, bool fed, uint64_t horizon,
	      uint8_t dst[POLYCOM_HEADER], uint64_t *due)
{
	struct polycom k;
	uint64_t a, b;

	if (!fed && !p->ends && p->state != PTT_IDLE &&
	    p->last_us + PTT_PAUSE_US <= horizon)
		close_talk(p, p->last_us + PTT_PAUSE_US);
	a = alert_due(p);
	b = p->ends ? p->end_us : NEVER;
	*due = a < b ? a : b;
	if (*due > horizon)
		return false;
	if (a < b) {
		k = packet_of(p, POLYCOM_ALERT, p->channel);
		p->alerts++;
	} else {
		k = packet_of(p, POLYCOM_END, p->end_channel);
		p->ends--;
		p->end_us += PTT_EVERY_US;
	}
	polycom_header(dst, &k);
	return true;
}
