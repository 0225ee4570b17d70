/*
 * Jitter buffer and decoders: any sequence of packets, payloads and times, in
 * every codec, two readers of different packet times and a follower. The
 * readers keep to the time, the delay stays bounded, a due time is never far
 * away, every frame can be had as samples.
 */
#include "zones/engine/playout.h"

#include "controller/base/wire.h"

#include <stdlib.h>

#define READERS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct playout *p, struct playout_reader *r,
		     uint32_t *frames, uint64_t now)
{
	static uint8_t out[2 * 2880];
	static int16_t pcm[320 + 2880];
	size_t bytes;

	for (unsigned i = 0; i < READERS; i++) {
		uint64_t due;

		for (unsigned k = 0; (due = playout_due(p, &r[i])) <= now;
		     k++) {
			/* Asked in time it never makes a burst. */
			if (k > 1 + 2000000 / r[i].period_us)
				abort();
			if (playout_take(p, &r[i], now) == PLAYOUT_WAIT)
				continue;
			frames[i]++;
			if (playout_coded(p, &r[i], out, &bytes) &&
			    (!bytes || bytes > sizeof(out)))
				abort();
			playout_pcm(p, &r[i], i ? 320 : 0, pcm);
		}
		if (due > now + r[i].period_us + PLAYOUT_WAIT_US)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zeros[2 * 2880 + 200];
	static const uint8_t opus[] = {0xf8, 0xff, 0xfe};
	static int16_t pcm[2880];
	struct wire w = wire_reader(data, size);
	uint8_t how = wire_u8(&w);
	uint64_t now = 1000000, begin = now;
	struct playout_reader r[READERS], follow;
	uint32_t frames[READERS] = {0}, ts = 0, clock;
	unsigned tens = 1 + (how >> 1) % 6;
	uint16_t seq = 0;
	struct playout *p;
	struct format f;

	format_default(&f, (enum codec)((how >> 4) % CODEC_COUNT),
		       how & 1 ? 48000 : 16000);
	clock = f.clock;
	if (playout_alloc(&p, &f))
		abort();
	playout_reader_init(&r[0], clock / 50, 20000, now);
	playout_reader_init(&r[1], clock / 100 * tens, 10000u * tens, now);
	playout_reader_init(&follow, clock / 50, 20000, now);
	f.ptime_ms = 20;
	while (wire_left(&w)) {
		uint8_t op = wire_u8(&w);
		uint32_t ssrc = op >> 6;
		const uint8_t *payload = zeros;
		size_t bytes = format_bytes(&f);
		uint64_t until;
		bool put;

		/* Time goes in small steps: the readers are asked in time. */
		until = now + (op & 0x20 ? wire_u16(&w) * 4u : 20000);
		while (now < until) {
			now = until - now > 500 ? now + 500 : until;
			read_all(p, r, frames, now);
		}
		seq++;
		ts += clock / 50;
		if (op & 1)
			seq = wire_u16(&w);
		if (op & 2)
			ts = wire_u32(&w);
		if (op & 4)
			ts += (uint32_t)(int16_t)wire_u16(&w);
		if (op & 8)
			bytes = wire_u16(&w) % sizeof(zeros);
		if (f.codec == CODEC_OPUS && !(op & 8)) {
			payload = opus;
			bytes = sizeof(opus);
		} else if (op & 8 && bytes <= wire_left(&w)) {
			payload = wire_take(&w, bytes);
		}
		put = playout_put(p, ssrc, seq, ts, payload, bytes, now);
		if (f.codec != CODEC_OPUS &&
		    put != (bytes && !(f.codec == CODEC_L16 && bytes % 2) &&
			    bytes <= 3 * format_bytes(&f)))
			abort();
		if (op & 16) {
			playout_follow(p, &follow, now);
			playout_pcm(p, &follow, 0, pcm);
		}
	}
	for (unsigned i = 0; i < READERS; i++) {
		uint64_t fit = (now - begin) / r[i].period_us;
		/* One early frame in half a second besides. */
		uint64_t extra = 3 + (now - begin) / 500000;

		if (frames[i] > fit * 8 / 7 + extra)
			abort();
		if (frames[i] + 3 + (now - begin) / 100000 <
		    fit * r[i].period_us /
			    (r[i].period_us + 2 * PLAYOUT_WAIT_US))
			abort();
	}
	playout_free(p);
	return 0;
}
