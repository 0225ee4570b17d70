/* Audio files good and bad, and resampling that keeps level and band. */
#include "sound_util.h"
#include "zones/sound/pcm.h"
#include "zones/sound/pcm_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdbool.h>
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
	/* A name that must not decide what the file is. */
	snprintf(path, sizeof(path), "%s/a.au", dir);
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
	write_tone(SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 1, 1, 440, 0.5);
	load_good(48000, 440, 0.5);
	write_tone(SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 2, 1, 440,
		   0.5);
	load_good(44100, 440, 0.5);
	write_tone(SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 32000, 16, 1, 440, 0.5);
	load_good(32000, 440, 0.5);
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
	/* Nobody writes into it: to wait would be for ever. */
	assert_int_equal(mkfifo(path, 0600), 0);
	expect(EINVAL, "is no file");
	unlink(path);
	write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 1, 440, 0.5);
	assert_int_equal(truncate(path, PCM_MAX_FILE_BYTES + 1), 0);
	expect(EFBIG, "at most 200 MB");
	unlink(path);
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

/* What a hostile hand puts there: none of it makes us wait, or read on. */
static void test_hostile_files(void **state)
{
	/* The low 32 bits of a FLAC's length, in frames. */
	const uint8_t promise[] = {0x05, 0xf5, 0xe1, 0x00};
	FILE *f;

	(void)state;
	unlink(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	expect(EINVAL, "is no file");
	unlink(path);
	assert_int_equal(symlink(path, path), 0);
	expect(ELOOP, "symbolic links");
	unlink(path);
	write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 1, 440, 0.5);
	assert_int_equal(truncate(path, 10ll << 30), 0);
	expect(EFBIG, "10240 MB");
	/* A few bytes that are 520 s of 8 channels. */
	write_tone(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 192000, 8, 0.1, 440, 0.5);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, 22, SEEK_SET), 0);
	assert_int_equal(fwrite(promise, 1, 4, f), 4);
	fclose(f);
	expect(EFBIG, "8 channels of 192000 Hz");
}

/* The usual trouble: the file is root's, the daemon is not. */
static void test_not_readable(void **state)
{
	bool root = !geteuid();

	(void)state;
	write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 1, 440, 0.5);
	chmod(path, 0);
	chmod(dir, 0755);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	expect(EACCES, "permission denied");
	if (root)
		assert_int_equal(seteuid(0), 0);
	unlink(path);
}

static off_t size_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	return st.st_size;
}

/* A copy that broke off: the header promises more than there is. */
static void test_truncated(void **state)
{
	static const struct {
		int format;
		int err;
		const char *part;
	} kind[] = {
		{SF_FORMAT_WAV | SF_FORMAT_PCM_16, EINVAL, "truncated"},
		{SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, EINVAL, "truncated"},
		{SF_FORMAT_RF64 | SF_FORMAT_PCM_16, EINVAL, "truncated"},
		{SF_FORMAT_AIFF | SF_FORMAT_PCM_16, EINVAL, "truncated"},
		{SF_FORMAT_AU | SF_FORMAT_PCM_16, EINVAL, "truncated"},
		{SF_FORMAT_OGG | SF_FORMAT_VORBIS, EINVAL, "truncated"},
		{SF_FORMAT_OGG | SF_FORMAT_OPUS, EINVAL, "truncated"},
		{SF_FORMAT_FLAC | SF_FORMAT_PCM_16, EIO, "damaged after"},
		{SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, EINVAL,
		 "does not hold the 8.0 s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		write_tone(kind[i].format, 16000, 1, 8, 440, 0.5);
		assert_int_equal(truncate(path, size_of(path) * 4 / 5), 0);
		expect(kind[i].err, kind[i].part);
	}
	write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 8, 440, 0.5);
	assert_int_equal(truncate(path, size_of(path) - 1), 0);
	expect(EINVAL, "truncated");
	write_tone(SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 16000, 1, 8, 440, 0.5);
	load_good(16000, 440, 0.5);
	assert_int_equal(truncate(path, size_of(path) - 1), 0);
	expect(EINVAL, "truncated");
}

static bool pcm_ends_whole(void)
{
	struct pcm_mp3 m;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_true(pcm_walk_mp3(fd, &m));
	close(fd);
	return !m.cut;
}

static void append_tag(void)
{
	static const uint8_t tag[128] = "TAGevacuate";
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	assert_int_equal(fwrite(tag, 1, sizeof(tag), f), sizeof(tag));
	fclose(f);
}

/** Takes the first frame, which tells the length, out of an MP3. */
static void behead(void)
{
	static uint8_t v[1 << 20];
	FILE *f = fopen(path, "r");
	size_t n, second = 1;

	assert_non_null(f);
	n = fread(v, 1, sizeof(v), f);
	fclose(f);
	while (second + 1 < n && (v[second] != v[0] || v[second + 1] != v[1]))
		second++;
	assert_true(second + 1 < n);
	put(v + second, n - second);
}

/** Loads, and lasts so long but for a few frames. */
static void load_whole(double seconds)
{
	struct reason why = {""};
	struct pcm p;

	if (pcm_load(&p, path, &why))
		fail_msg("%s", why.text);
	assert_true(fabs((double)p.n / p.rate - seconds) < 0.1);
	pcm_reset(&p);
}

/** An MP3 of one bit rate without the frame that tells its length. */
static void write_cbr(void)
{
	SF_INFO info = {.samplerate = 44100,
			.channels = 1,
			.format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III};
	SNDFILE *f = sf_open(path, SFM_WRITE, &info);
	int mode = SF_BITRATE_MODE_CONSTANT;

	assert_non_null(f);
	sf_command(f, SFC_SET_BITRATE_MODE, &mode, sizeof(mode));
	for (int i = 0; i < 4 * 44100; i++) {
		float v = (float)(0.5 * sin(2 * M_PI * 440 * i / 44100));

		sf_writef_float(f, &v, 1);
	}
	sf_close(f);
	behead();
}

/* Without a header there is no promise to break, but half a frame. */
static void test_mp3_cut_short(void **state)
{
	off_t size;

	(void)state;
	write_cbr();
	size = size_of(path);
	load_whole(4);
	/* A frame is longer than 7 bytes: one of the two is in its middle. */
	assert_int_equal(truncate(path, size * 2 / 3), 0);
	if (pcm_ends_whole())
		assert_int_equal(truncate(path, size * 2 / 3 - 7), 0);
	expect(EINVAL, "truncated");
	/* What players write behind the sound is no half frame. */
	write_cbr();
	append_tag();
	load_whole(4);
}

/* Kinds nobody checks for being whole are not read at all. */
static void test_kind_not_read(void **state)
{
	(void)state;
	write_tone(SF_FORMAT_VOC | SF_FORMAT_PCM_16, 8000, 1, 1, 440, 0.5);
	expect(EINVAL, "not read");
	write_tone(SF_FORMAT_CAF | SF_FORMAT_PCM_16, 8000, 1, 1, 440, 0.5);
	expect(EINVAL, "not read");
}

/* What writes into a pipe cannot come back to fill the size in: espeak-ng and
 * sox leave 0x7ffff000, ffmpeg 0xffffffff. Such files are whole. */
static void test_size_unknown(void **state)
{
	static const uint32_t left[] = {0x7ffff000, 0xffffffff};

	(void)state;
	for (int i = 0; i < 2; i++) {
		uint8_t size[4] = {(uint8_t)left[i], (uint8_t)(left[i] >> 8),
				   (uint8_t)(left[i] >> 16),
				   (uint8_t)(left[i] >> 24)};
		FILE *f;

		write_tone(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 1, 440,
			   0.5);
		f = fopen(path, "r+");
		assert_non_null(f);
		fseek(f, 40, SEEK_SET);
		assert_int_equal(fwrite(size, 1, 4, f), 4);
		fclose(f);
		load_good(8000, 440, 0.5);
	}
}

/* Without its first frame, which tells the length, libsndfile would leave off
 * in the middle of an MP3 of changing bit rate and call that its end. */
static void test_mp3_without_length(void **state)
{
	SF_INFO info = {.samplerate = 44100,
			.channels = 1,
			.format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III};
	SNDFILE *f = sf_open(path, SFM_WRITE, &info);
	int mode = SF_BITRATE_MODE_VARIABLE;
	static uint8_t bytes[1 << 20];
	size_t n, second = 1;
	FILE *raw;

	(void)state;
	assert_non_null(f);
	sf_command(f, SFC_SET_BITRATE_MODE, &mode, sizeof(mode));
	srand(1);
	for (int i = 0; i < 20 * 44100; i++) {
		float v = i < 10 * 44100
				  ? (float)(0.3 *
					    (rand() / (double)RAND_MAX - 0.5))
				  : (float)(0.01 * sin(i * 0.05));

		sf_writef_float(f, &v, 1);
	}
	sf_close(f);
	raw = fopen(path, "r");
	assert_non_null(raw);
	n = fread(bytes, 1, sizeof(bytes), raw);
	fclose(raw);
	assert_int_equal(bytes[0], 0xff);
	while (second + 1 < n &&
	       (bytes[second] != bytes[0] || bytes[second + 1] != bytes[1]))
		second++;
	assert_true(second + 1 < n);
	put(bytes + second, n - second);
	expect(EINVAL, "convert it to WAV or FLAC");
}

static void test_too_long(void **state)
{
	SF_INFO info = {.samplerate = 8000,
			.channels = 1,
			.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
	SNDFILE *f = sf_open(path, SFM_WRITE, &info);
	static int16_t v[8000];
	struct reason why = {""};
	struct pcm p;

	(void)state;
	for (int i = 0; i < 8000; i++)
		v[i] = (int16_t)(i % 2000);
	for (int i = 0; i < PCM_MAX_SECONDS; i++)
		sf_writef_short(f, v, 8000);
	sf_close(f);
	assert_int_equal(pcm_load(&p, path, &why), 0);
	assert_int_equal(p.n, PCM_MAX_SECONDS * 8000);
	pcm_reset(&p);
	f = sf_open(path, SFM_RDWR, &info);
	assert_non_null(f);
	sf_seek(f, 0, SEEK_END);
	sf_writef_short(f, v, 1);
	sf_close(f);
	expect(EFBIG, "lasts 601 s; at most 600 s");
}

/* Stereo that clips in turns is clipped, also where the mix of both is not at
 * full scale. */
static void test_clipped_in_turns(void **state)
{
	SF_INFO info = {.samplerate = 8000,
			.channels = 2,
			.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
	SNDFILE *f = sf_open(path, SFM_WRITE, &info);

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 8000; i++) {
		double a = 3 * sin(2 * M_PI * 440 * i / 8000);
		float v[2] = {(float)fmax(-1, fmin(1, a)), 0};

		if (i / 4000)
			v[1] = v[0], v[0] = 0;
		sf_writef_float(f, v, 1);
	}
	sf_close(f);
	expect(EINVAL, "clipped");
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

/* What is above half the new rate does not come back below it. */
static void test_no_alias(void **state)
{
	static const double hz[] = {4700, 5000, 7000};
	struct pcm p = {.rate = 16000}, q;

	(void)state;
	pcm_append_silence(&p, 2000);
	for (int k = 0; k < 3; k++) {
		for (size_t i = 0; i < p.n; i++)
			p.v[i] = (int16_t)(20000 * sin(2 * M_PI * hz[k] *
						       (double)i / 16000));
		assert_int_equal(pcm_resample(&q, &p, 8000), 0);
		assert_true(sound_at(q.v, q.n, 8000, 8000 - hz[k]) <
			    20000 * 0.00316);
		pcm_reset(&q);
	}
	pcm_reset(&p);
}

/* The telephone band comes through whole. */
static void test_band(void **state)
{
	struct pcm p = {.rate = 44100}, q;

	(void)state;
	pcm_append_silence(&p, 1000);
	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)(10000 *
				   sin(2 * M_PI * 3400 * (double)i / 44100));
	assert_int_equal(pcm_resample(&q, &p, 8000), 0);
	assert_true(sound_at(q.v, q.n, 8000, 3400) > 9700);
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
		cmocka_unit_test(test_hostile_files),
		cmocka_unit_test(test_not_readable),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mp3_cut_short),
		cmocka_unit_test(test_kind_not_read),
		cmocka_unit_test(test_size_unknown),
		cmocka_unit_test(test_mp3_without_length),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_clipped_in_turns),
		cmocka_unit_test(test_not_a_number),
		cmocka_unit_test(test_resample),
		cmocka_unit_test(test_no_alias),
		cmocka_unit_test(test_band),
		cmocka_unit_test(test_append),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
