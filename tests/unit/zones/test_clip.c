/* What a clip hands out is what encoding its sound gives, packet for packet. */
#include "sound_util.h"
#include "zones/sound/clip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t *payload(const struct clip *c, int idx, uint32_t i)
{
	size_t bytes;

	return clip_payload(c, idx, false, i, &bytes);
}

static struct pcm sine(uint32_t rate, uint32_t ms, double hz, double amp)
{
	struct pcm p = {.rate = rate};

	pcm_append_silence(&p, ms);
	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)lrint(amp *
					sin(2 * M_PI * hz * (double)i / rate));
	return p;
}

static void test_payloads(void **state)
{
	struct pcm p = sine(8000, 1010, 440, 9000);
	struct format f[2];
	struct clip *c = NULL;
	uint8_t want[160];
	int16_t pad[160] = {0};

	(void)state;
	format_default(&f[0], CODEC_PCMU, 0);
	format_default(&f[1], CODEC_PCMA, 0);
	assert_int_equal(clip_alloc(&c, &p, 90, f, 2), 0);
	assert_int_equal(clip_ms(c), 1010);
	for (int k = 0; k < 2; k++) {
		assert_int_equal(clip_format(c, &f[k]), k);
		assert_int_equal(clip_frames(c, k), 51);
		/* 90 ms of gap are five packets. */
		assert_int_equal(clip_cycle_frames(c, k), 56);
		for (uint32_t i = 0; i < 50; i++) {
			codec_encode(f[k].codec, want, p.v + 160 * i, 160);
			assert_memory_equal(payload(c, k, i), want, 160);
			assert_int_equal(clip_level(c, k, i), 14);
		}
		memcpy(pad, p.v + 8000, 80 * sizeof(*pad));
		codec_encode(f[k].codec, want, pad, 160);
		assert_memory_equal(payload(c, k, 50), want, 160);
		codec_silence(f[k].codec, want, 160);
		assert_memory_equal(payload(c, k, 51), want, 160);
		assert_memory_equal(payload(c, k, 55), want, 160);
		assert_int_equal(clip_level(c, k, 55), 127);
	}
	clip_unref(c);
	pcm_reset(&p);
}

/* Gain is applied before encoding and saturates; rates are resampled. */
static void test_gain_and_rate(void **state)
{
	struct pcm p = sine(8000, 1000, 440, 20000);
	struct format f[3];
	struct clip *c = NULL;
	int16_t v[320];

	(void)state;
	format_default(&f[0], CODEC_L16, 8000);
	f[0].gain_cb = -60;
	format_default(&f[1], CODEC_L16, 8000);
	f[1].gain_cb = 200;
	format_default(&f[2], CODEC_L16, 16000);
	assert_int_equal(clip_alloc(&c, &p, 0, f, 3), 0);
	codec_decode(CODEC_L16, v, payload(c, 0, 20), 160);
	assert_true(fabs(sound_at(v, 160, 8000, 440) - 20000 * 0.501) < 200);
	codec_decode(CODEC_L16, v, payload(c, 1, 20), 160);
	for (int i = 0; i < 160; i++) {
		int want = p.v[20 * 160 + i] * 10;

		assert_int_equal(v[i], want > 32767    ? 32767
				       : want < -32768 ? -32768
						       : want);
	}
	assert_int_equal(clip_frames(c, 2), 50);
	codec_decode(CODEC_L16, v, payload(c, 2, 20), 320);
	assert_true(fabs(sound_pitch(v, 320, 16000) - 440) < 3);
	assert_true(fabs(sound_at(v, 320, 16000, 440) - 20000) < 400);
	clip_unref(c);
	pcm_reset(&p);
}

/* A rate that comes again is the same sound again. */
static void test_rates_in_any_order(void **state)
{
	struct pcm p = sine(16000, 200, 440, 9000);
	struct format f[3];
	struct clip *c = NULL;

	(void)state;
	format_default(&f[0], CODEC_PCMU, 0);
	format_default(&f[1], CODEC_L16, 16000);
	format_default(&f[2], CODEC_PCMU, 0);
	f[2].pt = 100;
	assert_int_equal(clip_alloc(&c, &p, 0, f, 3), 0);
	for (uint32_t i = 0; i < 10; i++)
		assert_memory_equal(payload(c, 0, i), payload(c, 2, i), 160);
	clip_unref(c);
	pcm_reset(&p);
}

static void test_references(void **state)
{
	struct pcm p = sine(8000, 100, 440, 9000);
	struct format f;
	struct clip *c = NULL;

	(void)state;
	format_default(&f, CODEC_PCMU, 0);
	assert_int_equal(clip_alloc(&c, &p, 0, &f, 1), 0);
	assert_ptr_equal(clip_ref(c), c);
	assert_null(clip_unref(c));
	assert_true(clip_bytes(c) >= 800);
	assert_null(clip_unref(c));
	assert_null(clip_unref(NULL));
	pcm_reset(&p);
}

static void test_refusals(void **state)
{
	struct pcm p = sine(8000, 100, 440, 9000), none = {.rate = 8000};
	struct format f[CLIP_MAX_FORMATS + 1], other;
	struct clip *c = NULL;

	(void)state;
	for (int i = 0; i <= CLIP_MAX_FORMATS; i++) {
		format_default(&f[i], CODEC_PCMU, 0);
		f[i].gain_cb = (int16_t)i;
	}
	assert_int_equal(clip_alloc(&c, &p, 0, f, CLIP_MAX_FORMATS + 1),
			 EINVAL);
	assert_int_equal(clip_alloc(&c, &none, 0, f, 1), EINVAL);
	assert_int_equal(clip_alloc(&c, &p, 0, f, 0), EINVAL);
	/* A rate of 1 makes the longest sound small. */
	none.rate = 1;
	pcm_append_silence(&none, CLIP_MAX_SECONDS * 1000u + 1000u);
	assert_int_equal(clip_alloc(&c, &none, 0, f, 1), EFBIG);
	pcm_reset(&none);
	assert_null(c);
	assert_int_equal(clip_alloc(&c, &p, 0, f, CLIP_MAX_FORMATS), 0);
	format_default(&other, CODEC_PCMA, 0);
	assert_int_equal(clip_format(c, &other), -1);
	clip_unref(c);
	pcm_reset(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_gain_and_rate),
		cmocka_unit_test(test_rates_in_any_order),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
