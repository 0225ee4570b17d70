/* Audio files good and bad, and resampling that keeps level and band. */
#include "sound_util.h"
#include "zones/pcm.h"

#include <errno.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/tocsin-pcm-XXXXXX";
static char path[128];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/a", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

/** Writes a tone, all channels alike; amp above 1 is clipped. */
static void write_tone(int format, int rate, int channels, double seconds,
		       double hz, double amp)
{
	SF_INFO info = {
		.samplerate = rate, .channels = channels, .format = format};
	SNDFILE *f = sf_open(path, SFM_WRITE, &info);
	size_t n = (size_t)(seconds * rate);
	float *v = calloc((size_t)channels, sizeof(*v));

	assert_non_null(f);
	for (size_t i = 0; i < n; i++) {
		for (int c = 0; c < channels; c++)
			v[c] = (float)fmax(
				-1, fmin(1, amp * sin(2 * M_PI * hz *
						      (double)i / rate)));
		assert_int_equal(sf_writef_float(f, v, 1), 1);
	}
	free(v);
	sf_close(f);
}

static void load_good(uint32_t rate, double hz, double amp)
{
	struct reason why = {""};
	struct pcm p;

	if (pcm_load(&p, path, &why))
		fail_msg("%s", why.text);
	assert_int_equal(p.rate, rate);
	assert_true(fabs(sound_pitch(p.v, p.n, rate) - hz) < 1);
	assert_true(fabs(sound_at(p.v, p.n, rate, hz) - amp * 32768) < 700);
	pcm_reset(&p);
	assert_null(p.v);
}

static void test_kinds(void **state)
{
	(void)state;
	write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2, 1, 440, 0.5);
	load_good(44100, 440, 0.5);
	write_tone(SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 48000, 1, 1, 440, 0.5);
	load_good(48000, 440, 0.5);
	write_tone(SF_FORMAT_WAV | SF_FORMAT_ULAW, 8000, 1, 1, 440, 0.5);
	load_good(8000, 440, 0.5);
	write_tone(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, 1, 440, 0.5);
	load_good(16000, 440, 0.5);
	write_tone(SF_FORMAT_OGG | SF_FORMAT_VORBIS, 22050, 1, 1, 440, 0.5);
	load_good(22050, 440, 0.5);
}

static void expect(int err, const char *part)
{
	struct reason why = {""};
	struct pcm p;

	assert_int_equal(pcm_load(&p, path, &why), err);
	assert_null(p.v);
	if (!strstr(why.text, part) || !strstr(why.text, path))
		fail_msg("\"%s\" lacks \"%s\"", why.text, part);
}

static void put(const void *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fwrite(bytes, 1, n, f);
	fclose(f);
}

static void test_bad_files(void **state)
{
	(void)state;
	unlink(path);
	expect(ENOENT, "No such file");
	put("", 0);
	expect(EINVAL, "is empty");
	put("this is a letter to the chief engineer", 38);
	expect(EINVAL, "no audio file");
	unlink(path);
	mkdir(path, 0700);
	expect(EINVAL, "is no file");
	rmdir(path);
	write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 1, 440, 0.001);
	expect(EINVAL, "silent");
	write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 1, 440, 3.0);
	expect(EINVAL, "clipped");
	write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 0, 440, 0.5);
	expect(EINVAL, "holds no sound");
	write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 17, 0.1, 440, 0.5);
	expect(EINVAL, "17 channels");
	write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2000, 1, 0.1, 440, 0.5);
	expect(EINVAL, "2000 samples");
}

/* A copy that broke off: the header promises more than there is. */
static void test_truncated(void **state)
{
	(void)state;
	write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 2, 440, 0.5);
	assert_int_equal(truncate(path, 16044), 0);
	expect(EINVAL, "truncated");
	write_tone(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 8000, 1, 2, 440, 0.5);
	{
		struct stat st;
		struct reason why = {""};
		struct pcm p;

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(truncate(path, st.st_size / 2), 0);
		assert_int_not_equal(pcm_load(&p, path, &why), 0);
	}
}

static void test_too_long(void **state)
{
	SF_INFO info = {.samplerate = 8000,
			.channels = 1,
			.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
	SNDFILE *f = sf_open(path, SFM_WRITE, &info);
	static int16_t v[8000];

	(void)state;
	for (int i = 0; i < 8000; i++)
		v[i] = (int16_t)(i % 2000);
	for (int i = 0; i <= PCM_MAX_SECONDS; i++)
		sf_writef_short(f, v, 8000);
	sf_close(f);
	expect(EFBIG, "at most 600 s");
}

/* Float files may hold anything, NaN too. */
static void test_not_a_number(void **state)
{
	SF_INFO info = {.samplerate = 8000,
			.channels = 1,
			.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
	SNDFILE *f = sf_open(path, SFM_WRITE, &info);
	struct reason why = {""};
	struct pcm p;

	(void)state;
	for (int i = 0; i < 8000; i++) {
		float v = i == 4000   ? NAN
			  : i == 4001 ? INFINITY
				      : (float)(0.5 * sin(i * 0.3));

		sf_writef_float(f, &v, 1);
	}
	sf_close(f);
	assert_int_equal(pcm_load(&p, path, &why), 0);
	assert_int_equal(p.v[4000], 0);
	assert_int_equal(p.v[4001], 32767);
	pcm_reset(&p);
}

static void test_resample(void **state)
{
	static const uint32_t to[] = {8000, 11025, 16000, 44100, 48000};
	struct pcm p = {.rate = 16000}, q;

	(void)state;
	pcm_append_silence(&p, 2000);
	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)(10000 *
				   sin(2 * M_PI * 1000 * (double)i / 16000));
	for (size_t k = 0; k < 5; k++) {
		assert_int_equal(pcm_resample(&q, &p, to[k]), 0);
		assert_int_equal(q.n, ((uint64_t)p.n * to[k] + 15999) / 16000);
		assert_true(fabs(sound_pitch(q.v + 100, q.n - 200, to[k]) -
				 1000) < 1);
		assert_true(fabs(sound_at(q.v, q.n, to[k], 1000) - 10000) <
			    150);
		/* The filter's delay is gone: sound begins at once. */
		assert_true(sound_rms(q.v, to[k] / 100) > 5000);
		pcm_reset(&q);
	}
	pcm_reset(&p);
}

/* 7 kHz does not come back as 1 kHz at 8000 samples a second. */
static void test_no_alias(void **state)
{
	struct pcm p = {.rate = 16000}, q;

	(void)state;
	pcm_append_silence(&p, 2000);
	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)(20000 *
				   sin(2 * M_PI * 7000 * (double)i / 16000));
	assert_int_equal(pcm_resample(&q, &p, 8000), 0);
	assert_true(sound_at(q.v, q.n, 8000, 1000) < 20000 * 0.00316);
	pcm_reset(&q);
	pcm_reset(&p);
}

static void test_append(void **state)
{
	struct pcm a = {0}, b = {.rate = 8000};

	(void)state;
	pcm_append_silence(&b, 500);
	b.v[0] = 77;
	assert_int_equal(pcm_append(&a, &b), 0);
	assert_int_equal(a.rate, 8000);
	assert_int_equal(pcm_append(&a, &b), 0);
	assert_int_equal(a.n, 8000);
	assert_int_equal(a.v[4000], 77);
	b.rate = 16000;
	assert_int_equal(pcm_append(&a, &b), 0);
	assert_int_equal(a.n, 10000);
	pcm_reset(&a);
	pcm_reset(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_not_a_number),
		cmocka_unit_test(test_resample),
		cmocka_unit_test(test_no_alias),
		cmocka_unit_test(test_append),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
