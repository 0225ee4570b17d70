#include "zones/watch/meter.h"

#include "zones/sound/coder.h"
#include "zones/watch/heard.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/** The longest packet there is: 60 ms at 48 kHz. */
#define MOST (48 * 60)

/** What came before the packet is not known, and both codecs code steps from
 *  that: they forget it by a half and more with each packet. So it is decoded
 *  as if it had come this often. */
#define OPUS_RUNS 3
#define G722_RUNS 2

struct meter {
	struct decoder *decoder[CODEC_COUNT];
	int16_t pcm[MOST];
};

int meter_alloc(struct meter **mp)
{
	struct meter *m = calloc(1, sizeof(*m));

	if (!m || decoder_alloc(&m->decoder[CODEC_G722], CODEC_G722, 16000) ||
	    decoder_alloc(&m->decoder[CODEC_OPUS], CODEC_OPUS, 48000)) {
		meter_free(m);
		return ENOMEM;
	}
	*mp = m;
	return 0;
}

struct meter *meter_free(struct meter *m)
{
	for (int i = 0; m && i < CODEC_COUNT; i++)
		decoder_free(m->decoder[i]);
	free(m);
	return NULL;
}

static uint8_t level(const int16_t *pcm, size_t n)
{
	double sum = 0, db;

	for (size_t i = 0; i < n; i++)
		sum += (double)pcm[i] * pcm[i];
	/* 8 is what A-law's silence is made of. */
	if (sum / (double)n <= 64)
		return 127;
	db = -10 * log10(sum / (double)n / (32768.0 * 32768.0));
	return db < 0 ? 0 : (uint8_t)db;
}

uint8_t meter_level(struct meter *m, enum codec codec, const uint8_t *payload,
		    size_t len)
{
	uint32_t n = coder_samples(codec, payload, len);
	unsigned runs;

	if (!n || n > MOST)
		return HEARD_NO_LEVEL;
	if (!codec_stateful(codec)) {
		codec_decode(codec, m->pcm, payload, n);
		return level(m->pcm, n);
	}
	if (coder_is_silence(codec, payload, len))
		return 127;
	runs = codec == CODEC_OPUS ? OPUS_RUNS : G722_RUNS;
	decoder_reset(m->decoder[codec]);
	for (unsigned i = 0; i < runs; i++) {
		n = decoder_run(m->decoder[codec], m->pcm, MOST, payload, len);
		if (!n)
			return HEARD_NO_LEVEL;
	}
	/* The last run's first part has a leap in it. */
	return level(m->pcm + n / 2, n - n / 2);
}
