/* What others send to us, RTP and Polycom: whatever comes and in which order,
 * one talker at a time is heard, within bounds, and everything is counted. */
#include "zones/engine/engine.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Datagrams: a byte for who and how long he waited, a length, the bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct engine *e;
	struct listen *s;
	struct leg *l;
	uint64_t now = 1000000;
	unsigned n = 0, counted = 0;
	struct media_listen_stats st;

	if (size < 2)
		return 0;
	if (!e)
		e = calloc(1, sizeof(*e));
	s = calloc(1, sizeof(*s));
	if (!e || !s)
		abort();
	l = &e->leg[0];
	memset(l, 0, sizeof(*l));
	format_default(&s->fmt, data[0] & 1 ? CODEC_PCMA : CODEC_PCMU, 8000);
	s->hang_us = 300000;
	s->polycom.channel = data[0] & 2 ? 27 : 0;
	l->used = l->recv = true;
	l->fmt = s->fmt;
	l->listen = s;
	l->silent_us = ENGINE_NEVER;
	if (playout_alloc(&l->playout, &s->fmt))
		abort();
	for (data++, size--; size >= 2;) {
		union endpoint from = {
			.in = {.sin_family = AF_INET, .sin_port = data[0] & 3}};
		size_t len = data[1] < 250 ? data[1] : 26 + 160;

		now += (uint64_t)(data[0] >> 2) * 5000;
		len = len < size - 2 ? len : size - 2;
		hear(e, 0, &from, data + 2, len, now);
		if (l->talks != s->talks || (l->talks && l->silent_us < now))
			abort();
		data += 2 + len;
		size -= 2 + len;
		n++;
	}
	listen_stats(s, &st);
	for (int i = 0; i < UNHEARD_COUNT; i++)
		counted += (unsigned)st.unheard[i].n;
	if (counted + st.heard > n)
		abort();
	playout_free(l->playout);
	free(s);
	return 0;
}
