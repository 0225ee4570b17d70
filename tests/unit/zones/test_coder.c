/* G.722 and Opus, and concealment in every codec. */
#include "zones/sound/coder.h"

#include "tests/unit/zones/sound_util.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECONDS 2
#define MAX (SECONDS * 48000)

static int16_t in[MAX + 5760], out[MAX + 5760];

static struct format format(enum codec codec, uint16_t ptime, uint32_t rate)
{
	struct format f;

	format_default(&f, codec, rate);
	f.ptime_ms = ptime;
	return f;
}

static void tone(double hz, double amplitude, uint32_t rate)
{
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		in[i] = (int16_t)lrint(amplitude *
				       sin(2 * M_PI * hz * (double)i / rate));
}

/** Something like a voiced sound: harmonics that rise and fall. */
static void voice(uint32_t rate)
{
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		double t = (double)i / rate, s = 0;

		for (int k = 1; k < 12; k++)
			s += sin(2 * M_PI * 125 * k * t) / k;
		in[i] = (int16_t)lrint(5000 * s * (1.2 + sin(8 * t)) / 2.2);
	}
}

/** in -> out through a codec; frames for which lose() says so do not come. */
static size_t through(const struct format *f, bool (*lose)(unsigned), bool fec)
{
	size_t n = format_samples(f), done = 0, bytes[MAX / 80];
	uint8_t(*packet)[CODEC_OPUS_BYTES + 3000];
	unsigned frames = (unsigned)(SECONDS * 1000 / f->ptime_ms);
	struct encoder *e;
	struct decoder *d;

	packet = malloc(frames * sizeof(*packet));
	assert_non_null(packet);
	assert_int_equal(encoder_alloc(&e, f->codec), 0);
	encoder_reset(e, f, EFFORT_LIVE);
	assert_int_equal(decoder_alloc(&d, f->codec, f->rate), 0);
	for (unsigned i = 0; i < frames; i++) {
		bytes[i] = encoder_run(e, packet[i], in + i * n);
		assert_in_range(bytes[i], 1, format_bytes(f));
	}
	for (unsigned i = 0; i < frames; i++, done += n)
		if (lose && lose(i))
			decoder_conceal(d, out + done, (uint32_t)n,
					fec && i + 1 < frames && !lose(i + 1)
						? packet[i + 1]
						: NULL,
					i + 1 < frames ? bytes[i + 1] : 0);
		else
			assert_int_equal(decoder_run(d, out + done, (uint32_t)n,
						     packet[i], bytes[i]),
					 n);
	encoder_free(e);
	decoder_free(d);
	free(packet);
	return done;
}

static double db(double v, double of)
{
	return 20 * log10(v / of);
}

/** Power of out against what it differs from in by, at the best delay. */
static double snr(size_t n, unsigned max_delay)
{
	double best = -100;

	for (unsigned delay = 0; delay <= max_delay; delay++) {
		double s = 0, d = 0;

		for (size_t i = n / 4; i < n; i++) {
			double x = in[i - delay], e = out[i] - x;

			s += x * x;
			d += e * e;
		}
		s = 10 * log10(s / (d + 1));
		best = s > best ? s : best;
	}
	return best;
}

static const uint16_t ptimes[] = {10, 20, 30, 40, 60};

static void round_trips(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct format f = format(CODEC_G722, ptimes[i], 0);

		voice(16000);
		assert_true(snr(through(&f, NULL, false), 40) > 20);
		if (ptimes[i] == 30)
			continue;
		f = format(CODEC_OPUS, ptimes[i], 0);
		voice(48000);
		assert_true(snr(through(&f, NULL, false), 400) > 15);
	}
}

static void seven_kilohertz_survive(void **state)
{
	struct format f = format(CODEC_G722, 20, 0);
	size_t n;

	(void)state;
	tone(7000, 8000, 16000);
	n = through(&f, NULL, false);
	assert_true(fabs(db(sound_at(out + n / 2, n / 2, 16000, 7000), 8000)) <
		    1);
	f = format(CODEC_OPUS, 20, 0);
	tone(7000, 8000, 48000);
	n = through(&f, NULL, false);
	assert_true(fabs(db(sound_at(out + n / 2, n / 2, 48000, 7000), 8000)) <
		    1);
}

/** A copy of an encoder goes on as the encoder itself would. */
static void copies_go_on(void **state)
{
	static const enum codec codecs[] = {CODEC_G722, CODEC_OPUS};

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		struct format f = format(codecs[k], 20, 0);
		size_t n = format_samples(&f), x, y;
		uint8_t a[CODEC_OPUS_BYTES], b[CODEC_OPUS_BYTES];
		struct encoder *e, *copy;

		voice(f.rate);
		assert_int_equal(encoder_alloc(&e, f.codec), 0);
		assert_int_equal(encoder_alloc(&copy, f.codec), 0);
		encoder_reset(e, &f, EFFORT_LIVE);
		for (unsigned i = 0; i < 20; i++)
			encoder_run(e, a, in + i * n);
		encoder_copy(copy, e);
		for (unsigned i = 20; i < 30; i++) {
			x = encoder_run(e, a, in + i * n);
			y = encoder_run(copy, b, in + i * n);
			assert_int_equal(x, y);
			assert_memory_equal(a, b, x);
		}
		encoder_free(e);
		encoder_free(copy);
	}
}

static bool one_in_ten(unsigned i)
{
	return i % 10 == 5;
}

/** What is made up is nearer to what was lost than silence is. */
static void concealment_beats_silence(void **state)
{
	static const struct {
		enum codec codec;
		uint32_t rate;
		unsigned delay;
	} rows[] = {
		{CODEC_PCMU, 8000, 0},    {CODEC_PCMA, 8000, 0},
		{CODEC_L16, 16000, 0},    {CODEC_G722, 16000, 22},
		{CODEC_OPUS, 48000, 312},
	};

	(void)state;
	for (unsigned k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct format f = format(rows[k].codec, 20, rows[k].rate);
		size_t n = format_samples(&f);
		double lost = 0, left = 0;

		voice(f.rate);
		through(&f, one_in_ten, false);
		for (unsigned i = 1; i < SECONDS * 50; i++)
			for (size_t j = i * n; one_in_ten(i) && j < (i + 1) * n;
			     j++) {
				double x = in[j - rows[k].delay];

				lost += x * x;
				left += (out[j] - x) * (out[j] - x);
			}
		if (left > lost / 5)
			fail_msg("%s: %g of %g is left", codec_name(f.codec),
				 left, lost);
	}
}

/** Sound made up does not go on for ever. */
static void concealment_ends(void **state)
{
	static const enum codec codecs[] = {CODEC_PCMU, CODEC_L16, CODEC_G722,
					    CODEC_OPUS};

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		struct format f = format(codecs[k], 20, 16000);
		size_t n = format_samples(&f), bytes;
		uint8_t p[CODEC_OPUS_BYTES];
		struct encoder *e;
		struct decoder *d;

		voice(f.rate);
		assert_int_equal(encoder_alloc(&e, f.codec), 0);
		encoder_reset(e, &f, EFFORT_LIVE);
		assert_int_equal(decoder_alloc(&d, f.codec, f.rate), 0);
		for (unsigned i = 0; i < 20; i++) {
			bytes = encoder_run(e, p, in + i * n);
			decoder_run(d, out, (uint32_t)n, p, bytes);
		}
		for (unsigned i = 0; i < 25; i++)
			decoder_conceal(d, out, (uint32_t)n, NULL, 0);
		assert_true(sound_rms(out, n) < 20);
		encoder_free(e);
		decoder_free(d);
	}
}

/** Silence is silence for a decoder that has just heard something loud. */
static void silence_is_silent(void **state)
{
	(void)state;
	for (int c = 0; c < CODEC_COUNT; c++)
		for (unsigned i = 0; i < 5; i++) {
			struct format f =
				format((enum codec)c, ptimes[i], 16000);
			size_t n = format_samples(&f), bytes;
			uint8_t p[3000];
			struct encoder *e;
			struct decoder *d;

			if (c == CODEC_OPUS && ptimes[i] == 30)
				continue;
			tone(1000, 20000, f.rate);
			assert_int_equal(encoder_alloc(&e, f.codec), 0);
			encoder_reset(e, &f, EFFORT_LIVE);
			assert_int_equal(decoder_alloc(&d, f.codec, f.rate), 0);
			for (unsigned k = 0; k < 20; k++) {
				bytes = encoder_run(e, p, in + k * n);
				decoder_run(d, out, (uint32_t)n, p, bytes);
			}
			bytes = coder_silence(&f, p);
			assert_in_range(bytes, 1, format_bytes(&f));
			for (unsigned k = 0; k < 300u / ptimes[i]; k++)
				assert_int_equal(decoder_run(d, out,
							     (uint32_t)n, p,
							     bytes),
						 n);
			assert_true(sound_rms(out, n) < 40);
			encoder_free(e);
			decoder_free(d);
		}
}

/** After silence, wherever the decoder was, a stream begun from rest comes out
 *  as it is: G.722's predictor would answer with 40 ms at full scale. */
static void silence_leads_to_rest(void **state)
{
	static const double before[][2] = {
		{700, 16000}, {300, 3000}, {2500, 9000}, {5000, 9000}, {700, 0},
	};
	static const double after[][2] = {
		{440, 9830}, {1000, 9830}, {180, 9830}};
	(void)state;
	for (int c = CODEC_G722; c <= CODEC_OPUS; c++)
		for (unsigned i = 0; i < 5; i++)
			for (unsigned k = 0; k < 15; k++) {
				struct format f =
					format((enum codec)c, ptimes[i], 0);
				size_t n = format_samples(&f), bytes;
				struct decoder *d = NULL;
				struct encoder *e = NULL;
				uint8_t p[3000];
				int peak = 0;

				if (c == CODEC_OPUS && ptimes[i] == 30)
					continue;
				assert_int_equal(encoder_alloc(&e, f.codec), 0);
				assert_int_equal(
					decoder_alloc(&d, f.codec, f.rate), 0);
				tone(before[k % 5][0], before[k % 5][1],
				     f.rate);
				encoder_reset(e, &f, EFFORT_LIVE);
				for (unsigned j = 0; j < 400u / ptimes[i];
				     j++) {
					bytes = encoder_run(e, p, in + j * n);
					decoder_run(d, out, (uint32_t)n, p,
						    bytes);
				}
				bytes = coder_silence(&f, p);
				for (unsigned ms = 0; ms < CODER_REST_MS;
				     ms += ptimes[i])
					decoder_run(d, out, (uint32_t)n, p,
						    bytes);
				tone(after[k / 5][0], after[k / 5][1], f.rate);
				encoder_reset(e, &f, EFFORT_LIVE);
				for (unsigned j = 0; j < 120u / ptimes[i];
				     j++) {
					bytes = encoder_run(e, p, in + j * n);
					decoder_run(d, out, (uint32_t)n, p,
						    bytes);
					for (size_t x = 0; x < n; x++)
						if (abs(out[x]) > peak)
							peak = abs(out[x]);
				}
				assert_in_range(peak, 9000, 13000);
				decoder_free(d);
				encoder_free(e);
			}
}

/** Silence that is encoded is the same bytes, and the encoder goes on as the
 *  decoder does. */
static void silence_is_one(void **state)
{
	struct format f = format(CODEC_G722, 20, 0);
	size_t n = format_samples(&f), bytes;
	struct decoder *d = NULL;
	struct encoder *e = NULL;
	uint8_t p[480], still[480];
	int peak = 0;

	(void)state;
	assert_int_equal(encoder_alloc(&e, f.codec), 0);
	assert_int_equal(decoder_alloc(&d, f.codec, f.rate), 0);
	encoder_reset(e, &f, EFFORT_LIVE);
	assert_int_equal(coder_silence(&f, still), 160);
	for (unsigned k = 0; k < 60; k++) {
		/* A tone, one packet of silence, the tone again. */
		tone(600, k % 10 == 9 ? 0 : 10000, f.rate);
		bytes = encoder_run(e, p, in + (k % 10) * n);
		assert_int_equal(!memcmp(p, still, 160), k % 10 == 9);
		assert_int_equal(coder_is_silence(f.codec, p, bytes),
				 k % 10 == 9);
		decoder_run(d, out, (uint32_t)n, p, bytes);
		for (size_t x = 0; x < n; x++)
			if (abs(out[x]) > peak)
				peak = abs(out[x]);
	}
	assert_in_range(peak, 9500, 11500);
	assert_false(coder_is_silence(CODEC_PCMU, still, 160));
	assert_false(coder_is_silence(f.codec, still, 159));
	assert_false(coder_is_silence(f.codec, still, 0));
	decoder_free(d);
	encoder_free(e);
}

static void bad_payloads_are_refused(void **state)
{
	static const uint8_t bad[] = {0xff, 0xff, 0xff};
	struct decoder *d = NULL;
	int16_t pcm[960];

	(void)state;
	assert_int_equal(decoder_alloc(&d, CODEC_OPUS, 8000), EINVAL);
	assert_int_equal(decoder_alloc(&d, CODEC_G722, 8000), EINVAL);
	assert_int_equal(decoder_alloc(&d, CODEC_COUNT, 8000), EINVAL);
	assert_int_equal(encoder_alloc(NULL, CODEC_OPUS), EINVAL);
	assert_int_equal(decoder_alloc(&d, CODEC_OPUS, 48000), 0);
	assert_int_equal(decoder_run(d, pcm, 960, bad, 0), 0);
	assert_int_equal(decoder_run(d, pcm, 960, bad, 3), 0);
	decoder_free(d);
	assert_int_equal(decoder_alloc(&d, CODEC_L16, 16000), 0);
	assert_int_equal(decoder_run(d, pcm, 960, bad, 3), 0);
	decoder_free(d);
	assert_null(decoder_free(NULL));
	assert_null(encoder_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(seven_kilohertz_survive),
		cmocka_unit_test(copies_go_on),
		cmocka_unit_test(concealment_beats_silence),
		cmocka_unit_test(concealment_ends),
		cmocka_unit_test(silence_is_silent),
		cmocka_unit_test(silence_leads_to_rest),
		cmocka_unit_test(silence_is_one),
		cmocka_unit_test(bad_payloads_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
