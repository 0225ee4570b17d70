#include "codec.h"

#include "controller/base/compat.h"

#include <string.h>
#include <strings.h>

static const char *const names[CODEC_COUNT] = {
	[CODEC_PCMU] = "pcmu", [CODEC_PCMA] = "pcma", [CODEC_L16] = "l16",
	[CODEC_G722] = "g722", [CODEC_OPUS] = "opus",
};

int codec_by_name(const char *name)
{
	for (int i = 0; i < CODEC_COUNT; i++)
		if (name && !strcasecmp(name, names[i]))
			return i;
	return -1;
}

const char *codec_name(enum codec codec)
{
	return names[codec];
}

void format_default(struct format *f, enum codec codec, uint32_t rate)
{
	memset(f, 0, sizeof(*f));
	f->codec = codec;
	f->ptime_ms = 20;
	f->rate = 8000;
	switch (codec) {
	case CODEC_PCMU:
		f->pt = 0;
		break;
	case CODEC_PCMA:
		f->pt = 8;
		break;
	case CODEC_L16:
		f->rate = rate;
		/* RFC 3551 table 4 has one mono rate; others are dynamic. */
		f->pt = rate == 44100 ? 11 : 96;
		if (rate > 32000)
			f->ptime_ms = 10;
		break;
	case CODEC_G722:
		/* RFC 3551 4.5.2: the clock is 8000 by an old mistake. */
		f->pt = 9;
		f->rate = 16000;
		break;
	case CODEC_OPUS:
		f->pt = 111;
		f->rate = 48000;
		f->bitrate = 48000;
		break;
	case CODEC_COUNT:
		break;
	}
	f->clock = codec == CODEC_G722 ? 8000 : f->rate;
}

bool format_valid(const struct format *f)
{
	switch (f->codec) {
	case CODEC_PCMU:
	case CODEC_PCMA:
		return f->rate == 8000 && f->clock == 8000;
	case CODEC_L16:
		return f->clock == f->rate;
	case CODEC_G722:
		return f->rate == 16000 && f->clock == 8000 &&
		       f->ptime_ms % 10 == 0;
	case CODEC_OPUS:
		/* RFC 7587 4.2: 48000 whatever is in it; RFC 6716 2.1.4: what
		 * one packet may last, of which 120 is too long for us. */
		return f->rate == 48000 && f->clock == 48000 &&
		       (f->ptime_ms == 10 || f->ptime_ms == 20 ||
			f->ptime_ms == 40 || f->ptime_ms == 60) &&
		       f->bitrate >= CODEC_OPUS_MIN_BITRATE &&
		       f->bitrate <= CODEC_OPUS_MAX_BITRATE;
	case CODEC_COUNT:
		break;
	}
	return false;
}

bool format_equal(const struct format *a, const struct format *b)
{
	return a->codec == b->codec && a->ptime_ms == b->ptime_ms &&
	       a->rate == b->rate && a->bitrate == b->bitrate &&
	       a->gain_cb == b->gain_cb;
}

/* librem's own functions negate in 16 bit and so read before their tables at
 * -32768 (LIBRE.md B19); its tables are sound, and int has room for 32768. */
static uint8_t ulaw(int16_t s)
{
	int v = s < 0 ? -s : s;

	return (v < 4 ? 0xff : g711_l2u[(v - 4) >> 3]) & (s < 0 ? 0x7f : 0xff);
}

/* G.711 takes A-law's magnitude in ones' complement, so that both signs have
 * the same decision values. */
static uint8_t alaw(int16_t s)
{
	return g711_l2A[(s < 0 ? ~s : s) >> 4] & (s < 0 ? 0x7f : 0xff);
}

void codec_encode(enum codec codec, uint8_t *dst, const int16_t *src, size_t n)
{
	switch (codec) {
	case CODEC_PCMU:
		for (size_t i = 0; i < n; i++)
			dst[i] = ulaw(src[i]);
		break;
	case CODEC_PCMA:
		for (size_t i = 0; i < n; i++)
			dst[i] = alaw(src[i]);
		break;
	case CODEC_L16:
		for (size_t i = 0; i < n; i++) {
			dst[2 * i] = (uint8_t)((uint16_t)src[i] >> 8);
			dst[2 * i + 1] = (uint8_t)src[i];
		}
		break;
	case CODEC_G722:
	case CODEC_OPUS:
	case CODEC_COUNT:
		break;
	}
}

void codec_decode(enum codec codec, int16_t *dst, const uint8_t *src, size_t n)
{
	switch (codec) {
	case CODEC_PCMU:
		for (size_t i = 0; i < n; i++)
			dst[i] = g711_u2l[src[i]];
		break;
	case CODEC_PCMA:
		for (size_t i = 0; i < n; i++)
			dst[i] = g711_A2l[src[i]];
		break;
	case CODEC_L16:
		for (size_t i = 0; i < n; i++)
			dst[i] = (int16_t)(src[2 * i] << 8 | src[2 * i + 1]);
		break;
	case CODEC_G722:
	case CODEC_OPUS:
	case CODEC_COUNT:
		break;
	}
}

void codec_silence(enum codec codec, uint8_t *dst, size_t n)
{
	switch (codec) {
	case CODEC_PCMU:
		memset(dst, 0xff, n);
		break;
	case CODEC_PCMA:
		memset(dst, 0xd5, n);
		break;
	case CODEC_L16:
		memset(dst, 0, 2 * n);
		break;
	case CODEC_G722:
	case CODEC_OPUS:
	case CODEC_COUNT:
		break;
	}
}
