/*
 * Jitter buffer: any sequence of packets and times, two readers of different
 * packet times and a follower. The readers keep to the time, the delay stays
 * bounded, a due time is never far away.
 */
#include "zones/engine/playout.h"

#include "controller/base/wire.h"

#include <stdlib.h>

#define READERS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct playout *p, struct playout_reader *r,
		     uint32_t *frames, uint64_t now)
{
	static uint8_t out[2 * (64 + 2880)];

	for (unsigned i = 0; i < READERS; i++) {
		uint64_t due;

		for (unsigned k = 0; (due = playout_due(p, &r[i])) <= now;
		     k++) {
			/* Asked in time it never makes a burst. */
			if (k > 1 + 2000000 / r[i].period_us)
				abort();
			if (playout_read(p, &r[i], i ? 64 : 0, out, now) !=
			    PLAYOUT_WAIT)
				frames[i]++;
		}
		if (due > now + r[i].period_us + PLAYOUT_WAIT_US)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t payload[2 * 2880];
	static uint8_t out[2 * 2880];
	struct wire w = wire_reader(data, size);
	uint8_t how = wire_u8(&w);
	enum codec codec = how & 1 ? CODEC_L16 : CODEC_PCMU;
	uint32_t rate = how & 1 ? 48000 : 8000;
	uint64_t now = 1000000, begin = now;
	struct playout_reader r[READERS], follow;
	uint32_t frames[READERS] = {0}, ts = 0;
	uint16_t seq = 0;
	struct playout *p;

	if (playout_alloc(&p, codec, rate))
		abort();
	playout_reader_init(&r[0], rate / 50, 20000, now);
	playout_reader_init(&r[1], rate / 100 * (1 + (how >> 1) % 6),
			    10000u * (1 + (how >> 1) % 6), now);
	playout_reader_init(&follow, rate / 50, 20000, now);
	while (wire_left(&w)) {
		uint8_t op = wire_u8(&w);
		uint32_t ssrc = op >> 6;
		size_t n = rate / 50;
		uint64_t until;

		/* Time goes in small steps: the readers are asked in time. */
		until = now + (op & 0x20 ? wire_u16(&w) * 4u : 20000);
		while (now < until) {
			now = until - now > 500 ? now + 500 : until;
			read_all(p, r, frames, now);
		}
		seq++;
		ts += (uint32_t)n;
		if (op & 1)
			seq = wire_u16(&w);
		if (op & 2)
			ts = wire_u32(&w);
		if (op & 4)
			ts += (uint32_t)(int16_t)wire_u16(&w);
		if (op & 8)
			n = wire_u16(&w) % 3000;
		if (playout_put(p, ssrc, seq, ts, payload, n, now) !=
		    (n && n <= rate / 1000 * PLAYOUT_MAX_MS))
			abort();
		if (op & 16)
			playout_follow(p, &follow, 0, out, now);
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
